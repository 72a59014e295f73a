package demo

import (
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
)

// page is a part of the shop, how often it is asked for and how long it takes.
type page struct {
	weight            int
	method, stem      string
	query             string // with a number behind it, "-" for none
	millis, sentBytes int
}

var pages = []page{
	{300, "GET", "/", "-", 12, 18_400},
	{260, "GET", "/products", "page=", 35, 42_000},
	{420, "GET", "/assets/shop.css", "-", 2, 9_800},
	{420, "GET", "/assets/shop.js", "-", 2, 64_000},
	{180, "GET", "/product", "id=", 28, 21_500},
	{60, "GET", "/search", "q=item", 90, 30_200},
	{50, "POST", "/cart", "-", 40, 640},
	{25, "POST", "/api/orders", "-", 180, 910},
	{40, "GET", "/api/stock", "id=", 25, 320},
	{12, "GET", "/admin/login", "-", 15, 2_200},
}

const pagesWeight = 1767

var agents = []string{
	"Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/128.0.0.0+Safari/537.36",
	"Mozilla/5.0+(iPhone;+CPU+iPhone+OS+17_6+like+Mac+OS+X)+AppleWebKit/605.1.15+(KHTML,+like+Gecko)+Version/17.6+Mobile/15E148+Safari/604.1",
	"Mozilla/5.0+(X11;+Linux+x86_64;+rv:129.0)+Gecko/20100101+Firefox/129.0",
	"ShopMonitor/2.1",
}

// failures are the ways a request goes wrong in quiet times; 500 is left to the
// outage, so that it can be told apart.
var failures = []string{"404 0 2", "404 0 2", "404 0 2", "304 0 0", "304 0 0", "302 0 0", "403 4 5", "503 0 0"}

const webFields = "#Fields: date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken\r\n"

// appendWeb appends the block's web log, when its machine has one.
func (g *Generator) appendWeb(dst []byte, b *block, h *host) []byte {
	c, _ := g.open(&g.web[b.machine], b, &h.random)
	first := true
	for {
		t, w, ok := c.peek()
		if !ok {
			return dst
		}
		if first {
			dst = append(dst, "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: "...)
			dst = append(appendStamp(dst, t), "\r\n"+webFields...)
			first = false
		}
		h.time = t
		if w != nil {
			w.insert.fill(w.next, &h.scene)
			dst = h.appendRequest(dst, &pages[ordersPage], "500 0 64", 30_000+h.random.below(900))
		} else {
			p := h.choosePage()
			status, millis := "200 0 0", p.millis+h.random.below(p.millis+1)
			if h.random.chance(40) {
				status = *pick(&h.random, failures)
			}
			dst = h.appendRequest(dst, p, status, millis)
		}
		c.take(w, &h.random)
	}
}

// ordersPage is the page that the outage breaks.
const ordersPage = 7

func (h *host) choosePage() *page {
	n := h.random.below(pagesWeight)
	for i := range pages {
		if n -= pages[i].weight; n < 0 {
			return &pages[i]
		}
	}
	return &pages[0]
}

func (h *host) appendRequest(dst []byte, p *page, status string, millis int) []byte {
	r := &h.random
	dst = append(appendStamp(dst, h.time), " W3SVC1 "...)
	dst = append(append(append(append(dst, h.host.short...), ' '), h.host.ip...), ' ')
	dst = append(append(append(append(dst, p.method...), ' '), p.stem...), ' ')
	dst = append(dst, p.query...)
	if strings.Contains(p.query, "=") {
		dst = strconv.AppendInt(dst, int64(1+r.below(500)), 10)
	}
	dst = append(dst, " 443 - 192.0.2."...)
	dst = append(strconv.AppendInt(dst, int64(1+r.below(250)), 10), ' ')
	dst = append(append(dst, *pick(r, agents)...), ' ', '-', ' ')
	dst = append(append(dst, status...), ' ')
	dst = append(strconv.AppendInt(dst, int64(p.sentBytes+r.below(400)), 10), ' ')
	dst = append(strconv.AppendInt(dst, int64(400+r.below(900)), 10), ' ')
	return append(strconv.AppendInt(dst, int64(millis), 10), '\r', '\n')
}

// appendStamp appends date and time as IIS writes them: 2006-01-02 15:04:05.
func appendStamp(dst []byte, t event.Ticks) []byte {
	at := len(dst)
	dst = t.AppendISO(dst, 0)
	dst[at+10] = ' '
	return dst[:len(dst)-1]
}
