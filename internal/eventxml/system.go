package eventxml

import (
	"bytes"
	"math"

	"github.com/wadi-project/wadi/internal/event"
)

// system reads the element System, which must be Event's first, and proves that
// its text can be rebuilt.
func (p *Parser) system(e *event.Event) error {
	more, err := p.child("Event")
	switch {
	case err != nil:
		return err
	case !more || string(p.tag.name) != "System":
		return p.fail("the first element of Event is not System")
	case p.tag.closed:
		return p.fail("the element System is empty")
	}
	seen := systemSeen{}
	for {
		more, err := p.child("System")
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if p.tag.closed && p.tag.spaced {
			p.form |= FormSpacedEnd
		}
		if err := p.systemChild(e, &seen); err != nil {
			return err
		}
	}
	p.absent(e, seen)
	e.SystemEnd = uint32(p.pos)
	e.Form = uint32(p.form)
	p.sys.Set(p.b, e)
	p.rebuilt = AppendSystem(p.rebuilt[:0], &p.sys, p.form)
	e.Rebuilds = bytes.Equal(p.rebuilt, p.x[:p.pos])
	return nil
}

// systemSeen notes which of the elements occurred that may be empty.
type systemSeen struct{ provider, correlation, execution, security bool }

// absent sets the bits of elements that are missing, or there without saying
// anything.
func (p *Parser) absent(e *event.Event, seen systemSeen) {
	if !seen.provider {
		p.form |= FormNoProvider
	}
	if seen.execution && e.Has&(event.HasProcessID|event.HasThreadID) == 0 {
		p.form |= FormBareExecution
	}
	if seen.correlation != seen.execution && !e.ActivityID.Present() && !e.RelatedActivityID.Present() {
		p.form |= FormCorrelation
	}
	if !seen.security {
		p.form |= FormNoSecurity
	}
}

// systemChild reads one child of System behind its start tag. What is not known
// is passed over; then System does not rebuild.
func (p *Parser) systemChild(e *event.Event, seen *systemSeen) error {
	name := p.tag.name
	switch string(name) {
	case "Provider":
		seen.provider = true
		e.Provider, e.ProviderGUID, e.EventSourceName = p.attribute("Name"), p.attribute("Guid"), p.attribute("EventSourceName")
	case "EventID":
		p.attrNumber(e, "Qualifiers", &e.Qualifiers, event.HasQualifiers)
		return p.number(e, &e.EventID, event.HasEventID)
	case "Version":
		return p.number(e, &e.Version, event.HasVersion)
	case "Level":
		return p.number(e, &e.Level, event.HasLevel)
	case "Task":
		return p.number(e, &e.Task, event.HasTask)
	case "Opcode":
		return p.number(e, &e.Opcode, event.HasOpcode)
	case "Keywords":
		return p.keywords(e)
	case "TimeCreated":
		if t, digits, err := event.ParseISO(p.b.Bytes(p.attribute("SystemTime"))); err == nil {
			e.TimeCreated = t
			e.Has |= event.HasTimeCreated
			p.form |= int32(digits^7) & FormDigits
		}
	case "EventRecordID":
		text, err := p.content(name)
		if n, ok := parseUint(p.b.Bytes(text)); ok && err == nil {
			e.EventRecordID = n
			e.Has |= event.HasEventRecordID
		}
		return err
	case "Correlation":
		seen.correlation = true
		e.ActivityID, e.RelatedActivityID = p.attribute("ActivityID"), p.attribute("RelatedActivityID")
	case "Execution":
		seen.execution = true
		p.attrNumber(e, "ProcessID", &e.ProcessID, event.HasProcessID)
		p.attrNumber(e, "ThreadID", &e.ThreadID, event.HasThreadID)
	case "Channel":
		return p.systemText(&e.Channel)
	case "Computer":
		return p.systemText(&e.Computer)
	case "Security":
		seen.security = true
		e.UserID = p.attribute("UserID")
	}
	_, err := p.content(name)
	return err
}

// systemText reads the text of Channel or Computer.
func (p *Parser) systemText(to *event.Span) (err error) {
	if p.tag.closed {
		p.form |= FormShortEmpty
	}
	*to, err = p.content(p.tag.name)
	return err
}

// number reads an element's content as a number; anything else leaves it absent.
func (p *Parser) number(e *event.Event, to *uint32, has uint32) error {
	text, err := p.content(p.tag.name)
	if err == nil {
		setNumber(e, p.b.Bytes(text), to, has)
	}
	return err
}

func (p *Parser) attrNumber(e *event.Event, name string, to *uint32, has uint32) {
	setNumber(e, p.b.Bytes(p.attribute(name)), to, has)
}

func setNumber(e *event.Event, s []byte, to *uint32, has uint32) {
	if n, ok := parseUint(s); ok && n <= math.MaxUint32 {
		*to = uint32(n)
		e.Has |= has
	}
}

// keywords reads the bit mask: hexadecimal with 0x, else decimal.
func (p *Parser) keywords(e *event.Event) error {
	text, err := p.content(p.tag.name)
	if err != nil {
		return err
	}
	n, form, ok := ParseKeywords(p.b.Bytes(text))
	p.form |= form
	if ok {
		e.Keywords = n
		e.Has |= event.HasKeywords
	}
	return nil
}

// ParseKeywords reads the text of Keywords, and tells the bits of the form that it
// is written in.
func ParseKeywords(s []byte) (n uint64, form int32, ok bool) {
	if len(s) <= 2 || s[0] != '0' || s[1] != 'x' {
		n, ok = parseUint(s)
		return n, FormDecimalKeywords, ok
	}
	if len(s) == 18 && s[2] == '0' {
		form |= FormPaddedKeywords
	}
	if bytes.ContainsAny(s[2:], "ABCDEF") {
		form |= FormUpperKeywords
	}
	n, ok = parseHex(s[2:])
	return n, form, ok
}

// parseUint reads a decimal number of at most 64 bits.
func parseUint(s []byte) (n uint64, ok bool) {
	if len(s) == 0 || len(s) > 20 {
		return 0, false
	}
	for _, c := range s {
		d := uint64(c - '0')
		if d > 9 || n > math.MaxUint64/10 || n*10 > math.MaxUint64-d {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// parseHex reads at most 16 hexadecimal digits.
func parseHex(s []byte) (n uint64, ok bool) {
	if len(s) == 0 || len(s) > 16 {
		return 0, false
	}
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint64(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | uint64(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
