package dyn

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of parse_xml().
const (
	// maxXML is Kusto's own: longer text is null.
	maxXML = 1 << 20
	// maxXMLDepth bounds nesting; deeper text would only fill the stack.
	maxXMLDepth = 1000
)

// ParseXML is parse_xml(): {"name": content} of the document's element. Content is
// null for nothing, text, or a bag of attributes ("@name"), elements (an array where
// a name comes more than once) and the text beside them ("#text"). Comments and the
// like are left out. False for what is no well-formed XML.
func ParseXML(dst, text []byte) ([]byte, bool) {
	if len(text) > maxXML {
		return dst, false
	}
	p := xmlParser{b: text}
	if !p.misc() {
		return dst, false
	}
	name, content, ok := p.element(0)
	if !ok || !p.misc() || p.at != len(text) {
		return dst, false
	}
	g := BeginBag(dst)
	g.AddName(name, content)
	return g.End(), true
}

type xmlParser struct {
	b  []byte
	at int
}

func (p *xmlParser) has(s string) bool { return bytes.HasPrefix(p.b[p.at:], []byte(s)) }

// past goes behind the next end mark.
func (p *xmlParser) past(end string) bool {
	n := bytes.Index(p.b[p.at:], []byte(end))
	if n < 0 {
		return false
	}
	p.at += n + len(end)
	return true
}

// misc skips what may stand around the document's element.
func (p *xmlParser) misc() bool {
	if p.at == 0 {
		p.b = bytes.TrimPrefix(p.b, []byte("\uFEFF"))
	}
	for {
		p.at = space(p.b, p.at)
		ok := true
		switch {
		case p.has("<!--"):
			ok = p.past("-->")
		case p.has("<?"):
			ok = p.past("?>")
		case p.has("<!DOCTYPE"): // without the parts that declare entities
			end := bytes.IndexAny(p.b[p.at:], ">[")
			ok = end >= 0 && p.b[p.at+end] == '>' && p.past(">")
		default:
			return true
		}
		if !ok {
			return false
		}
	}
}

func (p *xmlParser) name() []byte {
	start := p.at
	for p.at < len(p.b) {
		c := p.b[p.at]
		if c >= utf8.RuneSelf || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' ||
			p.at > start && (c >= '0' && c <= '9' || c == '-' || c == '.') {
			p.at++
			continue
		}
		break
	}
	return p.b[start:p.at]
}

// content is what an element holds, in order of first appearance.
type content struct {
	names  []string
	places map[string]int // of names, once they are many
	values [][][]byte
	text   []byte
	hasTxt bool
}

func (c *content) add(name string, v []byte) {
	if i := c.place(name); i >= 0 {
		c.values[i] = append(c.values[i], v)
		return
	}
	if c.places != nil {
		c.places[name] = len(c.names)
	}
	c.names, c.values = append(c.names, name), append(c.values, [][]byte{v})
}

// place finds a name, -1 for none.
func (c *content) place(name string) int {
	const few = 16
	if len(c.names) <= few {
		return slices.Index(c.names, name)
	}
	if c.places == nil {
		c.places = make(map[string]int, 4*few)
		for i, n := range c.names {
			c.places[n] = i
		}
	}
	if i, ok := c.places[name]; ok {
		return i
	}
	return -1
}

func (c *content) addText(text []byte) {
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	if !c.hasTxt {
		c.hasTxt = true
		c.add("#text", nil)
	}
	c.text = append(c.text, text...)
}

// value gives the JSON of a content, null as no text.
func (c *content) value() []byte {
	switch {
	case len(c.names) == 0:
		return nil
	case len(c.names) == 1 && c.hasTxt:
		return AppendString(nil, c.text)
	}
	mixed := slices.ContainsFunc(c.names, func(n string) bool { return n[0] != '@' && n[0] != '#' })
	g := BeginBag(nil)
	for i, name := range c.names {
		switch {
		case name == "#text":
			text := c.text
			if mixed {
				text = bytes.TrimSpace(text)
			}
			g.AddName([]byte(name), AppendString(nil, text))
		case len(c.values[i]) == 1:
			g.AddName([]byte(name), c.values[i][0])
		default:
			a := Begin(nil)
			for _, v := range c.values[i] {
				a.Add(v)
			}
			g.AddName([]byte(name), a.End())
		}
	}
	return g.End()
}

// element reads from < to the end of the element.
func (p *xmlParser) element(depth int) (name, value []byte, ok bool) {
	if depth > maxXMLDepth || !p.has("<") {
		return nil, nil, false
	}
	p.at++
	if name = p.name(); len(name) == 0 {
		return nil, nil, false
	}
	var c content
	empty, ok := p.attributes(&c)
	if !ok || empty {
		return name, c.value(), ok
	}
	ok = p.inner(&c, name, depth)
	return name, c.value(), ok
}

// attributes reads to > or />, which empty tells.
func (p *xmlParser) attributes(c *content) (empty, ok bool) {
	for {
		start := p.at
		p.at = space(p.b, p.at)
		switch {
		case p.has(">"):
			p.at++
			return false, true
		case p.has("/>"):
			p.at += 2
			return true, true
		}
		name := p.name()
		if len(name) == 0 || start+len(name) == p.at {
			return false, false
		}
		if p.at = space(p.b, p.at); !p.has("=") {
			return false, false
		}
		p.at = space(p.b, p.at+1)
		if !p.has(`"`) && !p.has("'") {
			return false, false
		}
		quote := p.b[p.at]
		p.at++
		end := bytes.IndexByte(p.b[p.at:], quote)
		if end < 0 || bytes.IndexByte(p.b[p.at:p.at+end], '<') >= 0 {
			return false, false
		}
		text, ok := unescapeXML(nil, p.b[p.at:p.at+end])
		if !ok {
			return false, false
		}
		c.add("@"+string(name), AppendString(nil, text))
		p.at += end + 1
	}
}

// inner reads what stands between an element's tags and the end tag.
func (p *xmlParser) inner(c *content, name []byte, depth int) bool {
	for p.at < len(p.b) {
		ok := true
		switch {
		case p.has("</"):
			p.at += 2
			if !bytes.Equal(p.name(), name) {
				return false
			}
			if p.at = space(p.b, p.at); !p.has(">") {
				return false
			}
			p.at++
			return true
		case p.has("<!--"):
			ok = p.past("-->")
		case p.has("<?"):
			ok = p.past("?>")
		case p.has("<![CDATA["):
			start := p.at + len("<![CDATA[")
			if ok = p.past("]]>"); ok {
				c.addText(p.b[start : p.at-len("]]>")])
			}
		case p.has("<"):
			var child, v []byte
			if child, v, ok = p.element(depth + 1); ok {
				c.add(string(child), v)
			}
		default:
			end := bytes.IndexByte(p.b[p.at:], '<')
			if end < 0 {
				return false
			}
			var text []byte
			if text, ok = unescapeXML(nil, p.b[p.at:p.at+end]); ok {
				c.addText(text)
			}
			p.at += end
		}
		if !ok {
			return false
		}
	}
	return false
}

var xmlEntities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

// unescapeXML resolves the five entities and character references.
func unescapeXML(dst, s []byte) ([]byte, bool) {
	for {
		n := bytes.IndexByte(s, '&')
		if n < 0 {
			return append(dst, s...), true
		}
		dst = append(dst, s[:n]...)
		end := bytes.IndexByte(s[n:], ';')
		if end < 0 {
			return dst, false
		}
		name := string(s[n+1 : n+end])
		s = s[n+end+1:]
		if text, ok := xmlEntities[name]; ok {
			dst = append(dst, text...)
			continue
		}
		digits, isRef := strings.CutPrefix(name, "#")
		base := 10
		if hex, ok := strings.CutPrefix(digits, "x"); ok {
			digits, base = hex, 16
		}
		r, err := strconv.ParseUint(digits, base, 32)
		if !isRef || err != nil || !utf8.ValidRune(rune(r)) || r == 0 {
			return dst, false
		}
		dst = utf8.AppendRune(dst, rune(r))
	}
}
