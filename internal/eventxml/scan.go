package eventxml

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/event"
)

// peek gives the byte n behind the position, 0 behind the end.
func (p *Parser) peek(n int) byte {
	if p.pos+n < len(p.x) {
		return p.x[p.pos+n]
	}
	return 0
}

// span gives the span of s, a piece of the event's text.
func (p *Parser) span(s []byte) event.Span {
	return event.Span{Off: p.base + uint32(cap(p.x)-cap(s)), Len: uint32(len(s))}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// nameEnds tells which ASCII characters end a name.
var nameEnds = [256]bool{0: true, ' ': true, '\t': true, '\n': true, '\r': true, '/': true, '>': true, '<': true, '=': true, '\'': true, '"': true, '&': true, '!': true, '?': true}

// name reads a name; it is empty when there is none.
func (p *Parser) name() []byte {
	lo := p.pos
	for p.pos < len(p.x) && !nameEnds[p.x[p.pos]] {
		p.pos++
	}
	return p.x[lo:p.pos]
}

func (p *Parser) space() (any bool) {
	for p.pos < len(p.x) && isSpace(p.x[p.pos]) {
		p.pos++
		any = true
	}
	return any
}

// startTag reads the start tag or empty element tag at the position into p.tag.
func (p *Parser) startTag() error {
	p.pos++
	t := &p.tag
	t.n, t.closed, t.spaced = 0, false, false
	if t.name = p.name(); len(t.name) == 0 {
		return p.fail("< is not the beginning of an element")
	}
	for {
		spaced := p.space()
		switch p.peek(0) {
		case '>':
			p.pos++
			return nil
		case '/':
			if p.peek(1) != '>' {
				return p.fail("a tag is not closed")
			}
			p.pos += 2
			t.closed, t.spaced = true, spaced
			return nil
		}
		if !spaced {
			return p.fail("a tag is not closed")
		}
		if err := p.attr(); err != nil {
			return err
		}
	}
}

// attr reads one attribute.
func (p *Parser) attr() error {
	t := &p.tag
	if t.n == maxAttrs {
		return p.fail("an element has too many attributes")
	}
	a := &t.attrs[t.n]
	a.name = p.name()
	p.space()
	if len(a.name) == 0 || p.peek(0) != '=' {
		return p.fail("a tag is not closed")
	}
	p.pos++
	p.space()
	a.quote = p.peek(0)
	if a.quote != '\'' && a.quote != '"' {
		return p.fail("an attribute has no quotes")
	}
	p.pos++
	i := bytes.IndexByte(p.x[p.pos:], a.quote)
	if i < 0 {
		return p.fail("the quotes of an attribute are not closed")
	}
	raw := p.x[p.pos : p.pos+i]
	if bytes.IndexByte(raw, '<') >= 0 {
		return p.fail("an attribute holds a <")
	}
	if bytes.IndexByte(raw, '&') < 0 {
		a.value = event.Span{Off: p.base + uint32(p.pos), Len: uint32(i)}
	} else {
		lo := p.b.Begin()
		p.b.Text = appendUnescaped(p.b.Text, raw)
		a.value = p.b.End(lo)
	}
	p.pos += i + 1
	t.n++
	return nil
}

// attribute gives an attribute of the tag read last, absent when it has none.
func (p *Parser) attribute(name string) event.Span {
	for i := range p.tag.n {
		if string(p.tag.attrs[i].name) == name {
			return p.tag.attrs[i].value
		}
	}
	return event.Span{}
}

// endTag reads the end tag of the named element at the position.
func (p *Parser) endTag(name []byte) error {
	x := p.x[p.pos:]
	n := len(name)
	if len(x) > n+2 && x[n+2] == '>' && bytes.Equal(x[2:n+2], name) {
		p.pos += n + 3
		return nil
	}
	at := p.pos
	p.pos += 2
	got := p.name()
	p.space()
	if !bytes.Equal(got, name) || p.peek(0) != '>' {
		p.pos = at
		return p.fail("the element " + string(name) + " is not closed here")
	}
	p.pos++
	return nil
}

// content gives the text of the element whose start tag was read last, without
// its children's tags, and reads its end tag. An empty element tag is a present,
// empty text.
func (p *Parser) content(name []byte) (event.Span, error) {
	if p.tag.closed {
		return event.Span{Off: p.base + uint32(p.pos)}, nil
	}
	x := p.x[p.pos:]
	i := bytes.IndexByte(x, '<')
	if i < 0 || i+1 >= len(x) || x[i+1] != '/' || bytes.IndexByte(x[:i], '&') >= 0 {
		return p.mixed(name)
	}
	s := event.Span{Off: p.base + uint32(p.pos), Len: uint32(i)}
	p.pos += i
	return s, p.endTag(name)
}

// text is content behind a start tag that quickData read.
func (p *Parser) text(name string) (event.Span, error) {
	x := p.x[p.pos:]
	i := bytes.IndexByte(x, '<')
	if n := i + len(name) + 2; i >= 0 && n < len(x) && x[i+1] == '/' && x[n] == '>' && string(x[i+2:n]) == name && bytes.IndexByte(x[:i], '&') < 0 {
		s := event.Span{Off: p.base + uint32(p.pos), Len: uint32(i)}
		p.pos += n + 1
		return s, nil
	}
	return p.mixed([]byte(name))
}

// mixed gives the text of an element with references, CDATA, comments or
// children, unescaped and joined, and reads its end tag.
func (p *Parser) mixed(name []byte) (event.Span, error) {
	lo := p.b.Begin()
	err := p.walk(name, func(text []byte, literal bool) {
		if literal {
			p.b.Text = append(p.b.Text, text...)
		} else {
			p.b.Text = appendUnescaped(p.b.Text, text)
		}
	})
	return p.b.End(lo), err
}

// inner gives what stands between the tags of the element whose start tag was
// read last, as written, and reads its end tag.
func (p *Parser) inner() (event.Span, error) {
	lo := p.pos
	if p.tag.closed {
		return event.Span{Off: p.base + uint32(lo)}, nil
	}
	name := p.tag.name
	if err := p.walk(name, nil); err != nil {
		return event.Span{}, err
	}
	end := bytes.LastIndexByte(p.x[:p.pos], '<')
	return event.Span{Off: p.base + uint32(lo), Len: uint32(end - lo)}, nil
}

// walk reads an element's content up to and with its end tag, checks that the
// tags inside match, and gives every piece of text to each.
func (p *Parser) walk(name []byte, each func(text []byte, literal bool)) error {
	depth := 0
	for {
		x := p.x[p.pos:]
		i := bytes.IndexByte(x, '<')
		if i < 0 {
			p.pos = len(p.x)
			return p.fail("the text ends inside the element " + string(name))
		}
		if each != nil && i > 0 {
			each(x[:i], false)
		}
		p.pos += i
		switch p.peek(1) {
		case '/':
			if depth == 0 {
				return p.endTag(name)
			}
			depth--
			if err := p.endTag(p.x[p.open[depth].lo:p.open[depth].hi]); err != nil {
				return err
			}
		case '!', '?':
			text, isText, err := p.markup()
			if err != nil {
				return err
			}
			if isText && each != nil {
				each(text, true)
			}
		default:
			lo := p.pos + 1
			if err := p.startTag(); err != nil {
				return err
			}
			if p.tag.closed {
				continue
			}
			if depth == maxDepth {
				return p.fail("elements are nested too deep")
			}
			p.open[depth] = nameAt{lo, lo + len(p.tag.name)}
			depth++
		}
	}
}

// misc passes over white space, comments and processing instructions.
func (p *Parser) misc() error {
	for {
		p.space()
		if next := p.peek(1); p.peek(0) != '<' || next != '?' && next != '!' {
			return nil
		}
		if _, _, err := p.markup(); err != nil {
			return err
		}
	}
}

// markup reads the comment, CDATA section or processing instruction at the
// position, and gives a CDATA section's text.
func (p *Parser) markup() (text []byte, isText bool, err error) {
	x := p.x[p.pos:]
	head, tail := "<?", "?>"
	switch {
	case bytes.HasPrefix(x, []byte("<!--")):
		head, tail = "<!--", "-->"
	case bytes.HasPrefix(x, []byte("<![CDATA[")):
		head, tail, isText = "<![CDATA[", "]]>", true
	case x[1] == '!':
		return nil, false, p.fail("declarations are not read")
	}
	i := bytes.Index(x[len(head):], []byte(tail))
	if i < 0 {
		return nil, false, p.fail(head + " is not closed")
	}
	p.pos += len(head) + i + len(tail)
	return x[len(head) : len(head)+i], isText, nil
}

// appendUnescaped appends s with its references replaced. Entities that XML does
// not define stay as written; references to what is no character become U+FFFD.
func appendUnescaped(dst, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '&')
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		s = s[i:]
		n, r := reference(s)
		if n == 0 {
			n, r = 1, '&'
		}
		dst = utf8.AppendRune(dst, r)
		s = s[n:]
	}
}

// maxReference is the length of the longest reference read: zeros may lead.
const maxReference = 16

// reference reads the reference that s begins with: its length, 0 when it is
// none, and its character.
func reference(s []byte) (n int, r rune) {
	end := bytes.IndexByte(s[:min(len(s), maxReference)], ';')
	if end < 2 {
		return 0, 0
	}
	name := s[1:end]
	switch string(name) {
	case "amp":
		return end + 1, '&'
	case "lt":
		return end + 1, '<'
	case "gt":
		return end + 1, '>'
	case "apos":
		return end + 1, '\''
	case "quot":
		return end + 1, '"'
	}
	if name[0] != '#' || len(name) < 2 {
		return 0, 0
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	v, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil {
		return 0, 0
	}
	if v == 0 || v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
		return end + 1, utf8.RuneError
	}
	return end + 1, rune(v)
}
