package w3c

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/schema"
)

// role is what a field means for the row's time.
type role uint8

const (
	roleValue role = iota
	roleDate
	roleTime
	roleDateUTC
	roleTimeUTC
	roleDateLocal
	roleTimeLocal
)

var roles = map[string]role{
	"date": roleDate, "time": roleTime,
	"date-utc": roleDateUTC, "time-utc": roleTimeUTC,
	"date-local": roleDateLocal, "time-local": roleTimeLocal,
}

func (r role) isDate() bool { return r == roleDate || r == roleDateUTC || r == roleDateLocal }

func (r role) isLocal() bool { return r == roleDateLocal || r == roleTimeLocal }

// columnNames maps field names, in lower case, to columns of schema.W3CIIS.
var columnNames = map[string]string{
	"s-sitename": "sSiteName", "s-computername": "sComputerName", "s-ip": "sIP", "s-port": "sPort",
	"cs-method": "csMethod", "cs-uri-stem": "csUriStem", "cs-uri-query": "csUriQuery", "cs-username": "csUserName",
	"c-ip": "cIP", "cs-version": "csVersion", "cs(user-agent)": "csUserAgent", "cs(cookie)": "csCookie",
	"cs(referer)": "csReferer", "cs-host": "csHost", "cs(host)": "csHost",
	"sc-status": "scStatus", "sc-substatus": "scSubStatus", "sc-win32-status": "scWin32Status",
	"sc-bytes": "scBytes", "cs-bytes": "csBytes", "time-taken": "TimeTaken", "streamid": "streamId",
	"c-port": "cPort", "cs-uri": "csUri", "s-siteid": "sSiteId", "s-reason": "sReason", "s-queuename": "sQueueName",
	"transport": "transport", "x-session": "xSession", "x-fullpath": "xFullPath", "x-debug": "xDebug",
}

// field is one name of #Fields.
type field struct {
	name   []byte
	col    int
	role   role
	number schema.Type // Int or Long when the column is a number
	blanks bool        // + stands for a blank
}

// directive reads a line that begins with #. Unknown directives are skipped, as
// the W3C draft asks.
func (p *Parser) directive(line []byte) {
	if len(line) > p.maxLine {
		return
	}
	name, value, ok := bytes.Cut(line[1:], []byte(":"))
	if !ok {
		return
	}
	if n := bytes.Index(value, []byte(" //")); n >= 0 {
		value = value[:n] // a remark, as Microsoft's samples have them
	}
	value = bytes.Trim(value, " \t\x00")
	switch strings.ToLower(string(bytes.Trim(name, " \t"))) {
	case "software":
		p.setSoftware(string(value))
	case "date", "start-date":
		p.clock.directive(value)
	case "fields":
		p.setFields(value)
	}
}

func (p *Parser) setSoftware(name string) {
	low := strings.ToLower(name)
	p.quoted = strings.Contains(low, "advanced logging")
	switch {
	case strings.Contains(low, "microsoft internet information serv"), p.quoted:
		p.software = IIS
	case strings.HasPrefix(low, "microsoft http"):
		p.software = HTTPERR
	default:
		p.software = Other
	}
	p.format = p.software
}

func (p *Parser) setFields(list []byte) {
	p.names, p.fields, p.twice = nil, nil, false
	if !utf8.Valid(list) {
		for _, c := range list {
			p.names = utf8.AppendRune(p.names, rune(c))
		}
		list, p.names = p.names, nil
	}
	// Rows hand out slices of the names: the new list gets memory of its own.
	p.names = bytes.Join(bytes.Fields(list), []byte{' '})
	seen := make(map[string]bool)
	seenCol := make(map[int]bool)
	for name := range bytes.FieldsSeq(p.names) {
		if len(p.fields) == MaxFields {
			break // the rows won't fit and say so
		}
		f := fieldOf(name)
		p.twice = p.twice || seen[string(name)] || f.col >= 0 && seenCol[f.col]
		seen[string(name)], seenCol[f.col] = true, true
		p.fields = append(p.fields, f)
	}
	settleRoles(p.fields)
	p.format = formatOf(p.software, p.fields)
	p.clock.setFields(p.fields)
}

// settleRoles leaves at most one date and one time their role, UTC before local:
// a log that has both keeps the others as values of their own.
func settleRoles(fields []field) {
	for _, date := range []bool{true, false} {
		chosen := -1
		for i, f := range fields {
			if f.role == roleValue || f.role.isDate() != date {
				continue
			}
			if chosen < 0 || fields[chosen].role.isLocal() && !f.role.isLocal() {
				chosen = i
			}
		}
		for i, f := range fields {
			if i != chosen && f.role != roleValue && f.role.isDate() == date {
				fields[i].role = roleValue
			}
		}
	}
}

func fieldOf(name []byte) field {
	low := strings.ToLower(string(name))
	f := field{name: name, col: -1, role: roles[low]}
	if c := columnNames[low]; c != "" {
		f.col = schema.W3CIIS.Index(c)
		if t := schema.W3CIIS.Columns[f.col].KQL; t == schema.Int || t == schema.Long {
			f.number = t
		}
		f.blanks = c == "csUserAgent"
	}
	return f
}

// formatOf corrects what #Software says: HTTP.sys calls itself so in samples of
// IIS's own format too, and logs without #Software are known by their fields.
func formatOf(software Format, fields []field) Format {
	var reason, stem, iis bool
	for _, f := range fields {
		switch strings.ToLower(string(f.name)) {
		case "s-reason", "s-queuename":
			reason = true
		case "cs-uri-stem":
			stem = true
		case "sc-win32-status", "sc-substatus", "s-sitename":
			iis = true
		}
	}
	switch {
	case reason:
		return HTTPERR
	case software == HTTPERR && stem, software == Other && stem && iis:
		return IIS
	}
	return software
}

// canonical tells whether v is the decimal text of a number of type t: no
// leading zero or plus sign, within its range.
func canonical(v []byte, t schema.Type) bool {
	digits, limit := v, uint64(1)<<63-1
	if t == schema.Int {
		limit = 1<<31 - 1
	}
	if len(v) > 0 && v[0] == '-' {
		digits, limit = v[1:], limit+1
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && (len(digits) > 1 || len(v) > 1) {
		return false
	}
	n := uint64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + uint64(c-'0')
	}
	return n <= limit
}
