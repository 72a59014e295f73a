package evtx

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Kinds of nodes.
const (
	kindElement uint8 = iota + 1
	kindAttr          // child: its value's nodes
	kindText          // literal UTF-16 text at [lo,hi)
	kindValue         // a value of type typ at [lo,hi)
	kindHole          // a substitution, only in templates
	kindCDATA         // literal UTF-16 text
	kindCharRef       // id: the character
	kindEntity        // name
	kindPI            // name and UTF-16 text
)

// node is an element tree's node. Nodes refer to each other by index in their
// tree's slice, 0 meaning none, and to text by offset in the chunk.
type node struct {
	kind  uint8
	typ   uint8  // kindValue
	empty bool   // kindElement: closed as an empty element
	open  bool   // kindElement: cut off, in a damaged record
	id    uint16 // kindElement: the value it depends on; kindHole: its value; kindCharRef
	name  int32  // index in Decoder.names
	lo    int32
	hi    int32
	attr  int32 // kindElement: its first attribute
	child int32
	next  int32
}

// noDependency is the dependency identifier of elements that are always written.
const noDependency = 0xffff

// damage is why a record cannot be read: the offset in the chunk and the reason.
type damage struct {
	pos    int
	reason string
}

func (e *damage) Error() string { return e.reason }

// slot is a value of a template instance: its type and place in the chunk.
type slot struct {
	lo, hi uint32
	typ    uint8
}

// instance is a template instance: the definition's offset in the chunk and the
// values Decoder.slots[lo:hi].
type instance struct {
	def    int
	lo, hi int
}

// parser reads binary XML into nodes: a record's, a value's, or, with holes, a
// template definition's.
type parser struct {
	d        *Decoder
	nodes    *[]node
	p, end   int
	template bool
	nest     int // template instances and fragments around this stream
}

func (p *parser) fail(reason string) error { return &damage{p.p, reason} }

func (p *parser) need(n int) bool { return p.end-p.p >= n }

func (p *parser) u16() int { return int(binary.LittleEndian.Uint16(p.d.buf[p.p:])) }
func (p *parser) u32() int { return int(binary.LittleEndian.Uint32(p.d.buf[p.p:])) }

func (p *parser) add(n node) (int32, error) {
	if len(*p.nodes) >= maxNodes {
		return 0, p.fail("the record expands to too many nodes")
	}
	*p.nodes = append(*p.nodes, n)
	return int32(len(*p.nodes) - 1), nil
}

// chain appends nodes first…last (linked by next) to a list.
func (p *parser) chain(head, tail *int32, first, last int32) {
	if first == 0 {
		return
	}
	if *tail == 0 {
		*head = first
	} else {
		(*p.nodes)[*tail].next = first
	}
	*tail = last
}

// stream reads top-level elements up to the end of the stream and gives the first
// of them; 0 when there is none.
func (p *parser) stream() (head, tail int32, err error) {
	if p.nest > maxNesting {
		return 0, 0, p.fail("template instances are nested too deep")
	}
	for p.p < p.end {
		var first, last int32
		switch tok := p.d.buf[p.p]; tok {
		case 0x00:
			return head, tail, nil
		case 0x0f:
			if !p.need(4) {
				return 0, 0, p.fail("a fragment header is cut off")
			}
			p.p += 4
			continue
		case 0x0c:
			first, last, err = p.instance()
		case 0x01, 0x41:
			first, err = p.element(0)
			last = first
		case 0x0a:
			first, err = p.instruction()
			last = first
		default:
			return 0, 0, p.fail("binary XML has a token that cannot stand here")
		}
		if err != nil {
			return 0, 0, err
		}
		p.chain(&head, &tail, first, last)
	}
	return head, tail, nil
}

func (p *parser) element(depth int) (int32, error) {
	if depth >= maxElementDepth {
		return 0, p.fail("elements are nested too deep")
	}
	withAttrs := p.d.buf[p.p]&0x40 != 0
	n := node{kind: kindElement, id: noDependency}
	p.p++
	if p.template {
		if !p.need(2) {
			return 0, p.fail("an element is cut off")
		}
		n.id = uint16(p.u16())
		p.p += 2
	}
	if !p.need(8) {
		return 0, p.fail("an element is cut off")
	}
	p.p += 4 // the element's size is implied by its end token
	var err error
	if n.name, err = p.name(); err != nil {
		return 0, err
	}
	if withAttrs {
		if !p.need(4) {
			return 0, p.fail("an attribute list is cut off")
		}
		p.p += 4
	}
	self, err := p.add(n)
	if err != nil {
		return 0, err
	}
	attr, err := p.attributes()
	if err != nil {
		return 0, err
	}
	(*p.nodes)[self].attr = attr
	if !p.need(1) {
		return 0, p.fail("an element is cut off")
	}
	switch p.d.buf[p.p] {
	case 0x03:
		p.p++
		(*p.nodes)[self].empty = true
		return self, nil
	case 0x02:
		p.p++
	default:
		return 0, p.fail("an element's start tag does not end")
	}
	child, err := p.content(depth)
	(*p.nodes)[self].child = child
	if err != nil && p.d.lenient && !p.template {
		(*p.nodes)[self].open = true
		p.p = p.end // nothing behind the damage
		return self, nil
	}
	return self, err
}

func (p *parser) attributes() (head int32, err error) {
	var tail int32
	for p.p < p.end && p.d.buf[p.p]&^0x40 == 0x06 {
		p.p++
		n := node{kind: kindAttr}
		if n.name, err = p.name(); err != nil {
			return 0, err
		}
		self, err := p.add(n)
		if err != nil {
			return 0, err
		}
		var vhead, vtail int32
		for p.p < p.end {
			first, last, ok, err := p.text()
			if err != nil {
				return 0, err
			}
			if !ok {
				break
			}
			p.chain(&vhead, &vtail, first, last)
		}
		(*p.nodes)[self].child = vhead
		p.chain(&head, &tail, self, self)
	}
	return head, nil
}

// content reads an element's content and its end tag.
func (p *parser) content(depth int) (head int32, err error) {
	var tail int32
	for p.p < p.end {
		first, last, ok, err := p.text()
		if err != nil {
			return head, err
		}
		if !ok {
			switch p.d.buf[p.p] {
			case 0x04:
				p.p++
				return head, nil
			case 0x01, 0x41:
				first, err = p.element(depth + 1)
				last = first
			case 0x0c:
				first, last, err = p.instance()
			case 0x0a:
				first, err = p.instruction()
				last = first
			case 0x0f:
				p.p += 4
			default:
				err = p.fail("binary XML has a token that cannot stand in an element")
			}
			if err != nil {
				return head, err
			}
		}
		p.chain(&head, &tail, first, last)
	}
	return head, p.fail("an element has no end")
}

// text reads one token of character data, ok false when there is none here.
func (p *parser) text() (first, last int32, ok bool, err error) {
	n := node{}
	switch p.d.buf[p.p] {
	case 0x05, 0x45:
		return p.literal()
	case 0x07, 0x47:
		n.kind = kindCDATA
		p.p++
		n.lo, n.hi, err = p.counted()
	case 0x08, 0x48:
		if !p.need(3) {
			return 0, 0, true, p.fail("a character reference is cut off")
		}
		p.p++
		n.kind, n.id = kindCharRef, uint16(p.u16())
		p.p += 2
	case 0x09, 0x49:
		p.p++
		n.kind = kindEntity
		n.name, err = p.name()
	case 0x0d, 0x0e:
		if !p.template {
			return 0, 0, true, p.fail("a substitution stands outside of a template")
		}
		if !p.need(4) {
			return 0, 0, true, p.fail("a substitution is cut off")
		}
		p.p++
		n.kind, n.id = kindHole, uint16(p.u16())
		p.p += 3
	default:
		return 0, 0, false, nil
	}
	if err != nil {
		return 0, 0, true, err
	}
	i, err := p.add(n)
	return i, i, true, err
}

// literal reads a value token. Windows writes strings only; other types of fixed
// size are read too.
func (p *parser) literal() (first, last int32, ok bool, err error) {
	if !p.need(2) {
		return 0, 0, true, p.fail("a text is cut off")
	}
	n := node{kind: kindText, typ: p.d.buf[p.p+1]}
	p.p += 2
	switch w := int(width[n.typ]); {
	case n.typ == typString:
		n.lo, n.hi, err = p.counted()
	case w > 0 && p.need(w):
		n.kind, n.lo, n.hi = kindValue, int32(p.p), int32(p.p+w)
		p.p += w
	default:
		err = p.fail("a literal value has a type that cannot stand here")
	}
	if err != nil {
		return 0, 0, true, err
	}
	i, err := p.add(n)
	return i, i, true, err
}

// counted reads a string behind its count of characters.
func (p *parser) counted() (lo, hi int32, err error) {
	if !p.need(2) || !p.need(2+2*p.u16()) {
		return 0, 0, p.fail("a text is cut off")
	}
	n := 2 * p.u16()
	lo = int32(p.p + 2)
	p.p += 2 + n
	return lo, lo + int32(n), nil
}

func (p *parser) instruction() (int32, error) {
	p.p++
	n := node{kind: kindPI}
	var err error
	if n.name, err = p.name(); err != nil {
		return 0, err
	}
	if p.need(1) && p.d.buf[p.p] == 0x0b {
		p.p++
		if n.lo, n.hi, err = p.counted(); err != nil {
			return 0, err
		}
	}
	return p.add(n)
}

// name reads a name reference: an offset in the chunk, which is that of the next
// byte where the name is stored in place.
func (p *parser) name() (int32, error) {
	if !p.need(4) {
		return 0, p.fail("a name is cut off")
	}
	off, at := p.u32(), p.p
	p.p += 4
	if off == p.p {
		if !p.need(8) || !p.need(10+2*int(binary.LittleEndian.Uint16(p.d.buf[p.p+6:]))) {
			return 0, p.fail("a name is cut off")
		}
		p.p += 10 + 2*int(binary.LittleEndian.Uint16(p.d.buf[p.p+6:]))
	}
	i, err := p.d.nameAt(off)
	if err == nil && p.template {
		p.d.noteName(at, off)
	}
	return i, err
}

// nameAt gives the index in d.names of the name stored at a chunk offset.
func (d *Decoder) nameAt(off int) (int32, error) {
	if uint(off) < uint(len(d.nameIndex)) && d.nameIndex[off] != 0 {
		return int32(d.nameIndex[off]) - 1, nil
	}
	if off < 0 || off+8 > len(d.buf) || len(d.names) >= 1<<16-1 {
		return 0, &damage{off, "a name lies outside of the chunk"}
	}
	n := int(binary.LittleEndian.Uint16(d.buf[off+6:]))
	if off+8+2*n > len(d.buf) {
		return 0, &damage{off, "a name lies outside of the chunk"}
	}
	start := len(d.nameText)
	d.nameText = appendUTF16(d.nameText, d.buf[off+8:off+8+2*n], modeRaw)
	text := d.nameText[start:len(d.nameText):len(d.nameText)]
	if !validName(text) {
		return 0, &damage{off, "a name is no XML name"}
	}
	d.names = append(d.names, text)
	d.nameIndex[off] = uint16(len(d.names))
	d.usedNames = append(d.usedNames, uint32(off))
	return int32(len(d.names) - 1), nil
}

// nameRunes has the characters outside ASCII that XML 1.0 (fifth edition, 2.3)
// allows in names, the first characters of names first.
var nameRunes = []struct {
	lo, hi rune
	start  bool
}{
	{0xc0, 0xd6, true},
	{0xd8, 0xf6, true},
	{0xf8, 0x2ff, true},
	{0x370, 0x37d, true},
	{0x37f, 0x1fff, true},
	{0x200c, 0x200d, true},
	{0x2070, 0x218f, true},
	{0x2c00, 0x2fef, true},
	{0x3001, 0xd7ff, true},
	{0xf900, 0xfdcf, true},
	{0xfdf0, 0xfffc, true},
	{0x10000, 0xeffff, true},
	{0xb7, 0xb7, false},
	{0x300, 0x36f, false},
	{0x203f, 0x2040, false},
}

// validName tells whether b can stand as a name in XML, and in JSON unescaped.
// U+FFFD, which XML allows, means an unpaired surrogate here.
func validName(b []byte) bool {
	for i, c := range string(b) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.'):
		case c == ':' && i > 0 && i < len(b)-1:
		case c >= utf8.RuneSelf && nameRune(c, i == 0):
		default:
			return false
		}
	}
	return len(b) > 0 && bytes.Count(b, []byte{':'}) <= 1
}

func nameRune(c rune, first bool) bool {
	for _, r := range nameRunes {
		if c >= r.lo && c <= r.hi {
			return r.start || !first
		}
	}
	return false
}

// instance reads a template instance and gives its elements, holes filled.
func (p *parser) instance() (first, last int32, err error) {
	if p.template {
		return 0, 0, p.fail("a template holds a template instance")
	}
	in, next, err := p.d.readInstance(p.p+1, p.end)
	if err != nil {
		return 0, 0, err
	}
	p.p = next
	root, err := p.d.template(in.def)
	if err != nil {
		return 0, 0, err
	}
	f := filler{d: p.d, out: p.nodes, in: in, nest: p.nest + 1}
	if f.nest > maxNesting {
		return 0, 0, p.fail("template instances are nested too deep")
	}
	first, last, err = f.element(root)
	p.d.slots = p.d.slots[:in.lo]
	return first, last, err
}

// templateHeaderSize is the size of a definition's header: next definition's
// offset, GUID, size of its binary XML.
const templateHeaderSize = 24

// readInstance reads the template instance whose token is in front of pos, and
// pushes its values to d.slots. It gives the offset behind it.
func (d *Decoder) readInstance(pos, end int) (in instance, next int, err error) {
	b, le := d.buf, binary.LittleEndian
	if end-pos < 13 {
		return in, 0, cutInstance(pos)
	}
	in.def = int(le.Uint32(b[pos+5:]))
	pos += 9
	if in.def == pos { // the definition stands here
		if end-pos < templateHeaderSize+4 {
			return in, 0, cutInstance(pos)
		}
		size := int(le.Uint32(b[pos+20:]))
		if size > end-pos-templateHeaderSize-4 {
			return in, 0, cutInstance(pos)
		}
		pos += templateHeaderSize + size
	}
	count := int(le.Uint32(b[pos:]))
	pos += 4
	if count > (end-pos)/4 {
		return in, 0, cutInstance(pos)
	}
	in.lo = len(d.slots)
	val := pos + 4*count
	for ; pos < end && count > 0; count-- {
		size, typ := int(le.Uint16(b[pos:])), b[pos+2]
		pos += 4
		if size > end-val {
			if !d.lenient {
				return in, 0, &damage{pos - 4, "a template instance's values go beyond its end"}
			}
			size, typ = end-val, typDamaged
		}
		if exact := width[typ]; exact != 0 && size == int(exact) || typ == typString && size != 0 && size&1 == 0 {
			d.slots = append(d.slots, slot{uint32(val), uint32(val + size), typ}) // nearly all
			val += size
			continue
		}
		if !known[typ] {
			if !d.lenient {
				return in, 0, &damage{pos - 4, "a value has an unknown type"}
			}
			typ = typDamaged
		}
		if typ == typBinXML && size == 0 { // no elements
			typ = typNull
		}
		if !validSize(typ, b[val:val+size]) {
			switch {
			case size == 0:
				typ = typString // a value of no bytes is an empty text
			case d.lenient:
				typ = typDamaged
			default:
				return in, 0, &damage{val, "a value's size does not fit its type"}
			}
		}
		d.slots = append(d.slots, slot{uint32(val), uint32(val + size), typ})
		val += size
	}
	in.hi = len(d.slots)
	return in, val, nil
}

func cutInstance(pos int) error { return &damage{pos, "a template instance is cut off"} }

// template gives the root of the tree of the definition at a chunk offset.
func (d *Decoder) template(def int) (int32, error) {
	if root, ok := d.templates[uint32(def)]; ok {
		return root, nil
	}
	if def < 0 || def+templateHeaderSize > len(d.buf) {
		return 0, &damage{def, "a template definition lies outside of the chunk"}
	}
	size := int(binary.LittleEndian.Uint32(d.buf[def+20:]))
	lo := def + templateHeaderSize
	if size > len(d.buf)-lo {
		return 0, &damage{def, "a template definition goes beyond the chunk"}
	}
	p := parser{d: d, nodes: &d.defs, p: lo, end: lo + size, template: true}
	root, tail, err := p.stream()
	switch {
	case err != nil:
		return 0, err
	case root == 0 || root != tail || d.defs[root].kind != kindElement:
		return 0, &damage{def, "a template definition has not one element"}
	}
	d.templates[uint32(def)] = root
	return root, nil
}
