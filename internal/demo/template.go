package demo

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed events.txt
var eventsText string

// segment is a literal and the hole behind it.
type segment struct {
	literal string
	hole    hole
}

// template is one event's whole text.
type template []segment

// templates are all events of events.txt.
type templates struct {
	byName map[string]int
	list   []template
}

// provider is how a provider presents itself in System.
type provider struct {
	element  string // Provider's attributes
	channel  string
	keywords string
	pid      string // Execution/@ProcessID; "" for providers of the old kind, which have no Execution
}

var providers = map[string]provider{
	"security":   {"Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'", "Security", "0x8020000000000000", "{lsass}"},
	"scm":        {"Name='Service Control Manager' Guid='{555908d1-a6d7-4695-8e1e-26931d2012f4}' EventSourceName='Service Control Manager'", "System", "0x8080000000000000", "620"},
	"eventlog":   {"Name='EventLog'", "System", "0x80000000000000", ""},
	"kernel":     {"Name='Microsoft-Windows-Kernel-General' Guid='{a68ca8b7-004f-d7b6-a698-07e2de0f1f5d}'", "System", "0x8000000000000000", "4"},
	"time":       {"Name='Microsoft-Windows-Time-Service' Guid='{06edcfeb-0fd0-4e53-acca-a6f8bbf81bcb}'", "System", "0x8000000000000000", "1308"},
	"update":     {"Name='Microsoft-Windows-WindowsUpdateClient' Guid='{945a8954-c147-4acd-923f-40c45405a658}'", "System", "0x8000000000000000", "1436"},
	"orders":     {"Name='OrderService'", "Application", "0x80000000000000", ""},
	"apperror":   {"Name='Application Error'", "Application", "0x80000000000000", ""},
	"installer":  {"Name='MsiInstaller'", "Application", "0x80000000000000", ""},
	"spp":        {"Name='Microsoft-Windows-Security-SPP' Guid='{e23b33b0-c8c9-472c-a5f9-f2bdfea0f156}' EventSourceName='Software Protection Platform Service'", "Application", "0x80000000000000", "0"},
	"center":     {"Name='SecurityCenter'", "Application", "0x80000000000000", ""},
	"esent":      {"Name='ESENT'", "Application", "0x80000000000000", ""},
	"sysmon":     {"Name='Microsoft-Windows-Sysmon' Guid='{5770385f-c22a-43e0-bf4c-06f5698ffbd9}'", "Microsoft-Windows-Sysmon/Operational", "0x8000000000000000", "2948"},
	"powershell": {"Name='Microsoft-Windows-PowerShell' Guid='{a0c1853b-5c40-4b15-8766-3cf1c58f985a}'", "Microsoft-Windows-PowerShell/Operational", "0x0", "{pid}"},
}

var (
	holePattern = regexp.MustCompile(`\{[a-z.]+\}`)
	unescape    = strings.NewReplacer(`\n`, "\n", `\t`, "\t")
)

// readTemplates reads events.txt.
func readTemplates() (*templates, error) {
	out := &templates{byName: map[string]int{}}
	for part := range strings.SplitSeq(eventsText, "\n[") {
		if strings.HasPrefix(part, "#") {
			continue
		}
		name, text, err := eventText(strings.TrimRight(part, "\n"))
		if err != nil {
			return nil, fmt.Errorf("cannot read the demo's events: %w", err)
		}
		compiled, err := compile(text)
		if err != nil {
			return nil, fmt.Errorf("cannot read the demo's event %s: %w", name, err)
		}
		out.byName[name] = len(out.list)
		out.list = append(out.list, compiled)
	}
	return out, nil
}

// eventText gives the name and the XML, with holes, of one entry without its
// first bracket.
func eventText(entry string) (name, xml string, err error) {
	lines := strings.Split(entry, "\n")
	head := strings.Fields(strings.TrimSuffix(lines[0], "]"))
	if len(head) < 2 {
		return "", "", fmt.Errorf("no provider in %q", lines[0])
	}
	name = head[0]
	p, ok := providers[head[1]]
	if !ok {
		return "", "", fmt.Errorf("unknown provider in %q", lines[0])
	}
	set := map[string]string{"version": "0", "level": "0", "task": "0", "opcode": "0", "keywords": p.keywords, "pid": p.pid}
	if p.channel != "Security" {
		set["level"] = "4"
	}
	if head[1] == "sysmon" {
		set["user"] = "S-1-5-18"
	}
	for _, pair := range head[2:] {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return "", "", fmt.Errorf("no value in %q", pair)
		}
		set[key] = value
	}
	var b strings.Builder
	b.WriteString("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>")
	writeSystem(&b, name, &p, set)
	if len(lines) == 1 {
		b.WriteString("<EventData></EventData></Event>")
		return name, b.String(), nil
	}
	b.WriteString("<EventData>")
	for _, line := range lines[1:] {
		label, value, ok := strings.Cut(line, "=")
		if !ok {
			return "", "", fmt.Errorf("no value in %q", line)
		}
		label, value = strings.TrimSpace(label), unescape.Replace(strings.TrimPrefix(value, " "))
		switch label {
		case "":
			b.WriteString("<Data>" + value + "</Data>")
		case "binary":
			b.WriteString("<Binary>" + value + "</Binary>")
		default:
			b.WriteString("<Data Name='" + label + "'>" + value + "</Data>")
		}
	}
	b.WriteString("</EventData></Event>")
	return name, b.String(), nil
}

// writeSystem writes System as providers of the new and of the old kind do.
func writeSystem(b *strings.Builder, id string, p *provider, set map[string]string) {
	element := func(name, value string) { b.WriteString("<" + name + ">" + value + "</" + name + ">") }
	b.WriteString("<System><Provider " + p.element + "/><EventID")
	if q, ok := set["qualifiers"]; ok {
		b.WriteString(" Qualifiers='" + q + "'")
	}
	b.WriteString(">" + id + "</EventID>")
	manifest := p.pid != ""
	if manifest {
		element("Version", set["version"])
	}
	element("Level", set["level"])
	element("Task", set["task"])
	if manifest {
		element("Opcode", set["opcode"])
	}
	element("Keywords", set["keywords"])
	b.WriteString("<TimeCreated SystemTime='{time}'/><EventRecordID>{record}</EventRecordID>")
	if manifest {
		if set["activity"] != "" {
			b.WriteString("<Correlation ActivityID='{guid}'/>")
		} else {
			b.WriteString("<Correlation/>")
		}
		b.WriteString("<Execution ProcessID='" + set["pid"] + "' ThreadID='{thread}'/>")
	}
	element("Channel", p.channel)
	element("Computer", "{computer}")
	if user, ok := set["user"]; ok {
		b.WriteString("<Security UserID='" + user + "'/>")
	} else {
		b.WriteString("<Security/>")
	}
	b.WriteString("</System>")
}

// compile cuts a text at its holes.
func compile(text string) (template, error) {
	var out template
	for {
		at := holePattern.FindStringIndex(text)
		if at == nil {
			return append(out, segment{text, holeNone}), nil
		}
		h, ok := holeNames[text[at[0]+1:at[1]-1]]
		if !ok {
			return nil, errors.New("unknown hole " + strconv.Quote(text[at[0]:at[1]]))
		}
		out = append(out, segment{text[:at[0]], h})
		text = text[at[1]:]
	}
}

// render appends the event of a template and a scene.
func (t template) render(dst []byte, s *scene) []byte {
	for i := range t {
		dst = append(dst, t[i].literal...)
		dst = s.append(dst, t[i].hole)
	}
	return dst
}
