package udf

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// agents is parse_user_agent. Kusto uses the thousand expressions of the uap-core
// project; here are rules for the browsers, systems and devices that logs are full
// of, in the same words. What none fits is "Other", as there; a rare program that
// Kusto knows by name is "Other" here.
var agents = []Func{
	scratched("parse_user_agent", tBag, func() Eval {
		var list elements
		var scratch []byte
		known := map[string][]byte{}
		return func(a []Value, out *Value) error {
			key := string(a[1].S) + "\x00" + string(a[0].S)
			if out.S = known[key]; out.S != nil {
				return nil
			}
			wanted := [][]byte{a[1].S}
			if len(a[1].S) > 0 && a[1].S[0] == '[' && list.read(a[1].S) {
				wanted = list.texts
			}
			scratch = append(scratch[:0], '{')
			for _, name := range []string{"browser", "os", "device"} {
				for _, w := range wanted {
					if string(bytes.ToLower(w)) == name {
						scratch = appendAgent(scratch, name, a[0].S)
						break
					}
				}
			}
			if len(scratch) == 1 {
				return fmt.Errorf(`parse_user_agent() looks for "browser", "os" and "device", not for %.40q`, a[1].S)
			}
			scratch = append(scratch, '}')
			if len(known) >= maxAgents {
				clear(known)
			}
			if len(key) <= maxAgentKey {
				known[key] = bytes.Clone(scratch)
			}
			out.S = scratch
			return nil
		}
	}, tText, tText),
}

// Bounds of the answers that are kept: logs name few programs, again and again.
const (
	maxAgents   = 2000
	maxAgentKey = 1 << 10
)

// agentRule finds a family; family may name groups ($1), the groups behind it are
// the version's parts, for devices brand and model.
type agentRule struct {
	pattern *regexp.Regexp
	family  string
	parts   []string
}

func rule(pattern, family string, parts ...string) agentRule {
	return agentRule{regexp.MustCompile(pattern), family, parts}
}

const version = `[/ ](\d+)(?:\.(\d+))?(?:\.(\d+))?`

// browserRules are tried in order: many programs also name those they descend from.
// The tables are compiled at their first use.
var browserRules = sync.OnceValue(func() []agentRule {
	return []agentRule{
		rule(`(Googlebot|bingbot|YandexBot|Baiduspider|DuckDuckBot|AhrefsBot|SemrushBot|facebookexternalhit)(?:/(\d+)(?:\.(\d+))?)?`, "$1", "$2", "$3"),
		rule(`AdobeAIR`+version, "AdobeAIR", "$1", "$2", "$3"),
		rule(`(?:Nokia|SymbianOS|Series60).*Series60/(\d+)\.(\d+)|Series60/(\d+)\.(\d+).*(?:Nokia|AppleWebKit)`, "Nokia OSS Browser", "$1$3", "$2$4"),
		rule(`MSOffice (\d+)|Microsoft Outlook (\d+)\.(\d+)`, "Outlook", "$1$2", "$3"),
		rule(`WindowsPowerShell`+version, "PowerShell", "$1", "$2", "$3"),
		rule(`PowerShell`+version, "PowerShell", "$1", "$2", "$3"),
		rule(`(?:^|[^a-zA-Z])curl`+version, "curl", "$1", "$2", "$3"),
		rule(`Wget`+version, "Wget", "$1", "$2", "$3"),
		rule(`python-requests`+version, "Python Requests", "$1", "$2", "$3"),
		rule(`Python-urllib`+version, "Python-urllib", "$1", "$2", "$3"),
		rule(`Go-http-client`+version, "Go-http-client", "$1", "$2", "$3"),
		rule(`okhttp`+version, "okhttp", "$1", "$2", "$3"),
		rule(`axios`+version, "axios", "$1", "$2", "$3"),
		rule(`Electron`+version, "Electron", "$1", "$2", "$3"),
		rule(`(?:OPR|OPX|Opera)/(\d+)(?:\.(\d+))?(?:\.(\d+))?.*Mobile`, "Opera Mobile", "$1", "$2", "$3"),
		rule(`OPR`+version, "Opera", "$1", "$2", "$3"),
		rule(`Opera.*Version`+version, "Opera", "$1", "$2", "$3"),
		rule(`(?:EdgA|EdgiOS|Edge?)/.*Mobile|(?:EdgA|EdgiOS)/`, "", ""),
		rule(`Edge?`+version, "Edge", "$1", "$2", "$3"),
		rule(`SamsungBrowser`+version, "Samsung Internet", "$1", "$2", "$3"),
		rule(`UCBrowser`+version, "UC Browser", "$1", "$2", "$3"),
		rule(`YaBrowser`+version, "Yandex Browser", "$1", "$2", "$3"),
		rule(`Vivaldi`+version, "Vivaldi", "$1", "$2", "$3"),
		rule(`FxiOS`+version, "Firefox iOS", "$1", "$2", "$3"),
		rule(`CriOS`+version, "Chrome Mobile iOS", "$1", "$2", "$3"),
		rule(`(?:Mobile|Tablet);.*Firefox`+version, "Firefox Mobile", "$1", "$2", "$3"),
		rule(`Firefox`+version, "Firefox", "$1", "$2", "$3"),
		rule(`HeadlessChrome(?:/(\d+)(?:\.(\d+))?(?:\.(\d+))?)?`, "HeadlessChrome", "$1", "$2", "$3"),
		rule(`; wv\).*Chrome`+version, "Chrome Mobile WebView", "$1", "$2", "$3"),
		rule(`Android.*Chrome`+version+`.*Mobile`, "Chrome Mobile", "$1", "$2", "$3"),
		rule(`Chrome`+version, "Chrome", "$1", "$2", "$3"),
		rule(`Android.*Version`+version+`.*Safari`, "Android", "$1", "$2", "$3"),
		rule(`(?:iPhone|iPad|iPod).*Version`+version+`.*Safari`, "Mobile Safari", "$1", "$2", "$3"),
		rule(`(?:iPhone|iPad|iPod).*AppleWebKit`, "Mobile Safari UI/WKWebView"),
		rule(`Version`+version+`.*Safari/`, "Safari", "$1", "$2", "$3"),
		rule(`IEMobile`+version, "IE Mobile", "$1", "$2", "$3"),
		rule(`Trident/7.*rv:(\d+)\.(\d+)`, "IE", "$1", "$2"),
		rule(`MSIE (\d+)\.(\d+)`, "IE", "$1", "$2"),
	}
})

// mobileEdge are the forms of Edge on telephones.
var mobileEdge = sync.OnceValue(func() agentRule {
	return rule(`(?:EdgA|EdgiOS|Edge?)`+version, "Edge Mobile", "$1", "$2", "$3")
})

var systemRules = sync.OnceValue(func() []agentRule {
	return []agentRule{
		rule(`Windows Phone(?: OS)? (\d+)\.(\d+)`, "Windows Phone", "$1", "$2"),
		rule(`Windows NT 10\.0|Windows 10`, "Windows", "10"),
		rule(`Windows NT 6\.3`, "Windows", "8", "1"),
		rule(`Windows NT 6\.2`, "Windows", "8"),
		rule(`Windows NT 6\.1`, "Windows", "7"),
		rule(`Windows NT 6\.0`, "Windows", "Vista"),
		rule(`Windows NT 5\.[12]|Windows XP`, "Windows", "XP"),
		rule(`Windows NT 5\.0|Windows 2000`, "Windows", "2000"),
		rule(`SymbianOS/(\d+)\.(\d+)`, "Symbian OS", "$1", "$2"),
		rule(`(?:CPU (?:iPhone )?OS|iPhone OS|iOS) (\d+)[_.](\d+)(?:[_.](\d+))?`, "iOS", "$1", "$2", "$3"),
		rule(`Android (\d+)(?:\.(\d+))?(?:\.(\d+))?`, "Android", "$1", "$2", "$3"),
		rule(`Android`, "Android"),
		rule(`Mac OS X (\d+)[_.](\d+)(?:[_.](\d+))?`, "Mac OS X", "$1", "$2", "$3"),
		rule(`Mac OS X`, "Mac OS X"),
		rule(`CrOS \S+ (\d+)\.(\d+)(?:\.(\d+))?`, "Chrome OS", "$1", "$2", "$3"),
		rule(`Ubuntu(?:/(\d+)\.(\d+))?`, "Ubuntu", "$1", "$2"),
		rule(`(Fedora|Debian|Red Hat|CentOS|FreeBSD|OpenBSD|NetBSD|SunOS)`, "$1"),
		rule(`Linux|X11`, "Linux"),
		rule(`Windows`, "Windows"),
	}
})

var deviceRules = sync.OnceValue(func() []agentRule {
	return []agentRule{
		rule(`Googlebot|bingbot|YandexBot|Baiduspider|DuckDuckBot|AhrefsBot|SemrushBot|facebookexternalhit`, "Spider", "Spider", "Desktop"),
		rule(`Nokia ?([A-Za-z]*\d+)(-\w+)?`, "Nokia $1", "Nokia", "$1$2"),
		rule(`(iPhone|iPad|iPod)`, "$1", "Apple", "$1"),
		rule(`Macintosh`, "Mac", "Apple", "Mac"),
		rule(`Android.*; (SM-[A-Z0-9]+)`, "Samsung $1", "Samsung", "$1"),
		rule(`Android.*; (Pixel(?: \d+\w*)?(?: XL| Pro)?)`, "$1", "Google", "$1"),
	}
})

// appendAgent writes one of the three parts of the answer.
func appendAgent(dst []byte, what string, agent []byte) []byte {
	rules, title, names := browserRules(), "Browser", []string{"Family", "MajorVersion", "MinorVersion", "Patch"}
	switch what {
	case "os":
		rules, title = systemRules(), "OperatingSystem"
		names = append(names, "PatchMinor")
	case "device":
		rules, title, names = deviceRules(), "Device", []string{"Family", "Brand", "Model"}
	}
	values := make([]string, len(names))
	values[0] = "Other"
	for _, r := range rules {
		m := r.pattern.FindSubmatchIndex(agent)
		if m == nil {
			continue
		}
		if r.family == "" {
			r = mobileEdge()
			if m = r.pattern.FindSubmatchIndex(agent); m == nil {
				continue
			}
		}
		for i, template := range append([]string{r.family}, r.parts...) {
			template = strings.NewReplacer("$1", "${1}", "$2", "${2}", "$3", "${3}", "$4", "${4}").Replace(template)
			values[i] = string(r.pattern.Expand(nil, []byte(template), agent, m))
		}
		break
	}
	if len(dst) > 1 {
		dst = append(dst, ',')
	}
	dst = fmt.Appendf(dst, `"%s":{`, title)
	for i, name := range names {
		dst = appendPair(dst, name, []byte(values[i]))
	}
	return append(dst, '}')
}
