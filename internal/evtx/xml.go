package evtx

import "strconv"

// xmlWriter writes a tree as XML in EvtRender's form.
type xmlWriter struct {
	d     *Decoder
	nodes []node
	limit int // of len(dst)
}

// element appends element i and gives nil when the text grows past the limit.
func (w *xmlWriter) element(dst []byte, i int32) ([]byte, error) {
	if len(dst) > w.limit {
		return dst, &damage{0, "the record expands to too much text"}
	}
	e := &w.nodes[i]
	dst = append(append(dst, '<'), w.d.names[e.name]...)
	var err error
	for a := e.attr; a != 0; a = w.nodes[a].next {
		if dst, err = w.attribute(dst, &w.nodes[a]); err != nil {
			return dst, err
		}
	}
	if e.empty {
		return append(dst, '/', '>'), nil
	}
	dst = append(dst, '>')
	for c := e.child; c != 0; c = w.nodes[c].next {
		if dst, err = w.content(dst, c); err != nil {
			return dst, err
		}
	}
	dst = append(append(dst, '<', '/'), w.d.names[e.name]...)
	return append(dst, '>'), nil
}

// attribute appends an attribute; one without text is left out ([MS-EVEN6]
// 2.2.12.2).
func (w *xmlWriter) attribute(dst []byte, a *node) ([]byte, error) {
	if len(dst) > w.limit {
		return dst, &damage{0, "the record expands to too much text"}
	}
	start := len(dst)
	dst = append(append(append(dst, ' '), w.d.names[a.name]...), '=', '\'')
	head := len(dst)
	for c := a.child; c != 0; c = w.nodes[c].next {
		dst = w.d.appendNode(dst, &w.nodes[c], modeAttr)
	}
	if len(dst) == head {
		return dst[:start], nil
	}
	return append(dst, '\''), nil
}

func (w *xmlWriter) content(dst []byte, i int32) ([]byte, error) {
	n := &w.nodes[i]
	if n.kind == kindElement {
		return w.element(dst, i)
	}
	return w.d.appendNode(dst, n, modeText), nil
}

// appendNode appends a node of character data, escaped for m.
func (d *Decoder) appendNode(dst []byte, n *node, m mode) []byte {
	switch n.kind {
	case kindText:
		return appendUTF16(dst, d.buf[n.lo:n.hi], m)
	case kindValue:
		return appendValue(dst, n.typ, d.buf[n.lo:n.hi], m)
	case kindCDATA:
		return d.appendCDATA(dst, n, m)
	case kindCharRef:
		return appendCharRef(dst, n.id, m)
	case kindEntity:
		return appendEntity(dst, d.names[n.name], m)
	case kindPI:
		if m != modeText {
			return dst
		}
		dst = append(append(dst, '<', '?'), d.names[n.name]...)
		if n.lo < n.hi {
			dst = appendUTF16(append(dst, ' '), d.buf[n.lo:n.hi], modeText) // escaped, so that it cannot end early
		}
		return append(dst, '?', '>')
	}
	return dst
}

// appendCDATA writes a CDATA section in element content, and its text elsewhere.
func (d *Decoder) appendCDATA(dst []byte, n *node, m mode) []byte {
	if m != modeText {
		return appendUTF16(dst, d.buf[n.lo:n.hi], m)
	}
	dst = append(dst, "<![CDATA["...)
	for _, c := range string(appendUTF16(nil, d.buf[n.lo:n.hi], modeRaw)) {
		switch {
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c&^1 == 0xfffe:
			c = '_'
		case c == '>' && len(dst) >= 2 && dst[len(dst)-1] == ']' && dst[len(dst)-2] == ']':
			dst = append(dst, "]]><![CDATA["...) // a section cannot hold its own end
		}
		dst = append(dst, string(c)...)
	}
	return append(dst, "]]>"...)
}

// appendCharRef writes a character reference as such into XML where XML allows
// the character, and the character elsewhere.
func appendCharRef(dst []byte, c uint16, m mode) []byte {
	switch {
	case c&0xf800 == 0xd800:
		return append(dst, "\uFFFD"...)
	case m > modeAttr || c < ' ' && c != '\t' && c != '\n' && c != '\r' || c&^1 == 0xfffe:
		return appendRune(dst, rune(c), m)
	}
	return append(strconv.AppendUint(append(dst, '&', '#'), uint64(c), 10), ';')
}

// appendEntity writes an entity reference as such into XML where XML defines it
// without a DTD. Other entities stay visible as text.
func appendEntity(dst, name []byte, m mode) []byte {
	var c rune
	switch string(name) {
	case "amp":
		c = '&'
	case "lt":
		c = '<'
	case "gt":
		c = '>'
	case "quot":
		c = '"'
	case "apos":
		c = '\''
	default:
		dst = appendRune(dst, '&', m)
		return append(append(dst, name...), ';')
	}
	if m > modeAttr {
		return appendRune(dst, c, m)
	}
	return append(append(append(dst, '&'), name...), ';')
}
