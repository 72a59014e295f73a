package eventxml

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/event"
)

// Error says where and why the text of an event cannot be read.
type Error struct {
	// Offset is the place in the event's text in bytes.
	Offset int
	Reason string
}

// Error gives one line.
func (e *Error) Error() string {
	return fmt.Sprintf("cannot read the event's XML at offset %d: %s", e.Offset, e.Reason)
}

// Parser reads the text of events, one after the other. The zero value is
// ready; it keeps its memory from event to event and is not safe for concurrent
// use.
type Parser struct {
	b    *event.Batch
	x    []byte // the event's text
	base uint32 // its offset in b.Text
	pos  int

	tag     tag
	sys     System
	form    int32
	rebuilt []byte
	open    [maxDepth]nameAt
}

// tag is the start tag read last.
type tag struct {
	name   []byte
	attrs  [maxAttrs]attr
	n      int
	closed bool // an empty element tag
	spaced bool // with white space before its end
}

type attr struct {
	name  []byte
	value event.Span
	quote byte
}

// nameAt is the name of an open element.
type nameAt struct{ lo, hi int }

// Parse reads the event whose text is xml, a span of b's text, and gives the
// event with every field that is derived from the text. Unescaped values and
// pairs are appended to b. On an error (an [*Error]) the event holds what was
// read before it: with SystemEnd > 0 System is whole and the event can be
// stored.
func (p *Parser) Parse(b *event.Batch, xml event.Span) (event.Event, error) {
	e := event.Event{XML: xml, DataLo: uint32(len(b.Pairs)), DataHi: uint32(len(b.Pairs))}
	p.b, p.x, p.base, p.pos, p.form = b, b.Bytes(xml), xml.Off, 0, 0
	err := p.event(&e)
	e.DataHi = uint32(len(b.Pairs))
	p.b, p.x, p.tag.name = nil, nil, nil
	return e, err
}

// System gives the System of the event parsed last, as the lake stores it. It is
// valid until the next Parse, or until its batch is reset.
func (p *Parser) System() *System { return &p.sys }

func (p *Parser) fail(reason string) error { return &Error{Offset: p.pos, Reason: reason} }

// event reads the whole text.
func (p *Parser) event(e *event.Event) error {
	p.sys = System{}
	switch {
	case len(p.x) > maxText:
		return p.fail("the text is too long")
	case !utf8.Valid(p.x):
		return p.fail("the text is not UTF-8")
	}
	if err := p.prolog(); err != nil {
		return err
	}
	if err := p.system(e); err != nil {
		return err
	}
	for {
		more, err := p.child("Event")
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch string(p.tag.name) {
		case "EventData":
			err = p.eventData()
		case "UserData":
			e.UserData, err = p.inner()
		case "RenderingInfo":
			err = p.renderingInfo(e)
		default:
			_, err = p.inner()
		}
		if err != nil {
			return err
		}
	}
	return p.epilog()
}

// prolog reads what may stand in front of <Event> and its start tag.
func (p *Parser) prolog() error {
	if err := p.misc(); err != nil {
		return err
	}
	if p.pos >= len(p.x) || p.x[p.pos] != '<' {
		return p.fail("no element Event")
	}
	if err := p.startTag(); err != nil {
		return err
	}
	if string(p.tag.name) != "Event" {
		return p.fail("the root element is not Event")
	}
	if p.tag.closed {
		return p.fail("the element Event is empty")
	}
	if p.tag.n == 0 {
		p.form |= FormNoNamespace
	} else if p.tag.attrs[0].quote == '"' {
		p.form |= FormDoubleQuotes
	}
	return nil
}

// epilog checks that nothing but white space and comments is behind the event.
func (p *Parser) epilog() error {
	if err := p.misc(); err != nil {
		return err
	}
	if p.pos < len(p.x) {
		return p.fail("there is text behind </Event>")
	}
	return nil
}

// child goes to the next child of the open element of that name and reads its
// start tag; false at the element's end tag, which is read. Text between
// children is passed over.
func (p *Parser) child(parent string) (bool, error) {
	for {
		i := bytes.IndexByte(p.x[p.pos:], '<')
		if i < 0 {
			p.pos = len(p.x)
			return false, p.fail("the text ends inside the element " + parent)
		}
		p.pos += i
		switch next := p.peek(1); {
		case next == '/':
			return false, p.endTag([]byte(parent))
		case next == '!' || next == '?':
			if _, _, err := p.markup(); err != nil {
				return false, err
			}
		default:
			return true, p.startTag()
		}
	}
}

// eventData reads EventData's children as pairs.
func (p *Parser) eventData() error {
	if p.tag.closed {
		return nil
	}
	for {
		if name, ok := p.quickData(); ok {
			value, err := p.text("Data")
			if err != nil {
				return err
			}
			p.b.Pairs = append(p.b.Pairs, event.Pair{Name: name, Value: value})
			continue
		}
		more, err := p.child("EventData")
		if err != nil || !more {
			return err
		}
		pair := event.Pair{Name: p.attribute("Name")}
		own := p.tag.name
		if !pair.Name.Present() && string(own) != "Data" {
			pair.Name = p.span(own)
		}
		if pair.Value, err = p.content(own); err != nil {
			return err
		}
		p.b.Pairs = append(p.b.Pairs, pair)
	}
}

// quickData reads the start tag <Data Name='…'>, the usual one, and leaves
// everything else to startTag.
func (p *Parser) quickData() (name event.Span, ok bool) {
	const head = "<Data Name='"
	x := p.x[p.pos:]
	if len(x) < len(head) || string(x[:len(head)]) != head {
		return event.Span{}, false
	}
	x = x[len(head):]
	for i, c := range x {
		switch c {
		case '&', '<':
			return event.Span{}, false
		case '\'':
			if i+1 >= len(x) || x[i+1] != '>' {
				return event.Span{}, false
			}
			name = event.Span{Off: p.base + uint32(p.pos+len(head)), Len: uint32(i)}
			p.pos += len(head) + i + 2
			return name, true
		}
	}
	return event.Span{}, false
}

// renderingInfo reads the message and its language.
func (p *Parser) renderingInfo(e *event.Event) error {
	e.Culture = p.attribute("Culture")
	if p.tag.closed {
		return nil
	}
	for {
		more, err := p.child("RenderingInfo")
		if err != nil || !more {
			return err
		}
		if string(p.tag.name) == "Message" {
			e.Message, err = p.content(p.tag.name)
		} else {
			_, err = p.inner()
		}
		if err != nil {
			return err
		}
	}
}
