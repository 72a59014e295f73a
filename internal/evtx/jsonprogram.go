package evtx

import (
	"bytes"
	"strconv"
)

// jsonCompiler turns a template's tree into a JSON program that writes what
// jsonWriter writes for the filled tree.
type jsonCompiler struct {
	d *Decoder
	builder
}

// holes counts an element's holes: in attributes, in content, and whether an
// element below it has some or depends on a value.
func (c *jsonCompiler) holes(e *node) (attr, content int, below bool) {
	x := xmlCompiler{d: c.d}
	attr = x.attrHoles(e)
	for n := e.child; n != 0; n = c.d.defs[n].next {
		switch k := &c.d.defs[n]; k.kind {
		case kindHole:
			content++
		case kindElement:
			a, h, b := c.holes(k)
			below = below || a+h > 0 || b || k.id != noDependency
		}
	}
	return attr, content, below
}

// writer gives a writer over the template's tree, for parts without holes.
func (c *jsonCompiler) writer() *jsonWriter {
	return &jsonWriter{d: c.d, nodes: c.d.defs, limit: maxRecordText}
}

// value compiles the value of element i, false when its shape is not covered.
func (c *jsonCompiler) value(i int32, container bool) bool {
	e := &c.d.defs[i]
	attr, content, below := c.holes(e)
	w := c.writer()
	if attr+content == 0 && !below {
		var err error
		c.lits, err = w.value(c.lits, i, container)
		return err == nil
	}
	text, elements, attrText := w.layout(e)
	switch {
	case text || content > 1 && !elements:
		return false
	case elements:
		return attr == 0 && c.object(i, container)
	case attr > 0 || attrText:
		return c.attributed(e, content == 1)
	case container:
		c.hole(e, "null", flagContainer)
	default:
		c.hole(e, "null", 0)
	}
	return true
}

// hole compiles a value whose element's content is one hole.
func (c *jsonCompiler) hole(e *node, empty string, flags uint8) {
	n := e.child
	for c.d.defs[n].kind != kindHole {
		n = c.d.defs[n].next
	}
	i := c.emit(op{code: opValue, slot: c.d.defs[n].id, flags: flags})
	c.ops[i].a, c.ops[i].b = c.side([]byte(empty))
}

// attributed compiles an element with attributes and at most one hole as content.
func (c *jsonCompiler) attributed(e *node, content bool) bool {
	w := c.writer()
	lo := len(c.attrs)
	o := op{code: opAttrs}
	if content {
		n := e.child
		for c.d.defs[n].kind != kindHole {
			n = c.d.defs[n].next
		}
		o.slot, o.flags = c.d.defs[n].id, flagContent
	}
	i := c.emit(o)
	for a := e.attr; a != 0; a = c.d.defs[a].next {
		n := &c.d.defs[a]
		key := append(append([]byte{'"'}, c.d.names[n.name]...), '"', ':')
		holes, hole := 0, uint16(0)
		for v := n.child; v != 0; v = c.d.defs[v].next {
			if c.d.defs[v].kind == kindHole {
				holes++
				hole = c.d.defs[v].id
			}
		}
		switch text := w.chainHasText(n.child); {
		case holes == 0 && text:
			klo, khi := c.side(key, w.text(nil, n.child))
			c.attrs = append(c.attrs, attrOp{lo: klo, hi: khi, literal: true})
		case holes == 0:
		case holes == 1 && !text:
			klo, khi := c.side(key)
			c.attrs = append(c.attrs, attrOp{lo: klo, hi: khi, slot: hole})
		default:
			return false
		}
	}
	c.ops[i].a, c.ops[i].b = uint32(lo), uint32(len(c.attrs))
	return true
}

// member is what object knows about the members compiled so far.
type member struct {
	certain  bool // one is always there
	possible bool // one may be there
}

// object compiles an element with child elements and without holes in attributes.
func (c *jsonCompiler) object(i int32, container bool) bool {
	e := &c.d.defs[i]
	w := c.writer()
	c.lits = append(c.lits, '{')
	start := len(c.lits)
	c.lits = w.attributes(c.lits, e)
	m := member{certain: len(c.lits) > start}
	named, ok := c.dataForm(e, container)
	if !ok {
		return false
	}
	seen := map[string]bool{}
	gathered := false
	for n := e.child; n != 0; n = c.d.defs[n].next {
		k := &c.d.defs[n]
		switch k.kind {
		case kindHole:
			if container || k.next != 0 || m.possible && !m.certain {
				return false // members behind it could repeat its names
			}
			if !m.certain {
				return false
			}
			c.emit(op{code: opChild, slot: k.id})
			continue
		case kindElement:
		default:
			continue // without text, or value had refused
		}
		key := string(c.d.names[k.name])
		data := container && key == "Data"
		if data && !named {
			if gathered {
				continue
			}
			gathered = true
			if !c.gathered(e, k, &m) {
				return false
			}
			continue
		}
		if data {
			var ok bool
			if key, ok = c.dataKey(e, n, seen); !ok {
				return false
			}
		} else {
			if seen[key] {
				return false
			}
			seen[key] = true
			c.names = append(c.names, bytes.Clone(c.d.names[k.name]))
		}
		if !c.member(n, key, data, &m) {
			return false
		}
	}
	if m.certain {
		c.lits = append(c.lits, '}')
	} else {
		c.emit(op{code: opClose})
	}
	return true
}

// dataKey gives the key of a named Data element: its name, numbered when the name
// was there before. ok is false where that depends on values, or where elements
// of one name in a row become an array.
func (c *jsonCompiler) dataKey(e *node, n int32, seen map[string]bool) (key string, ok bool) {
	w := c.writer()
	key = string(w.dataName(&c.d.defs[n]))
	c.d.scratch = c.d.scratch[:0]
	if !seen["Data "+key] {
		seen["Data "+key] = true
		return key, true
	}
	number, last := 0, int32(0)
	for m := e.child; m != n; m = c.d.defs[m].next {
		k := &c.d.defs[m]
		if k.kind != kindElement {
			continue
		}
		if w.isData(k) && string(w.dataName(k)) == key {
			number++
			last = m
			if k.id != noDependency {
				return "", false
			}
		}
		if c.d.defs[m].next == n && last == m {
			return "", false
		}
	}
	c.d.scratch = c.d.scratch[:0]
	return key + "_" + strconv.Itoa(number), c.d.defs[n].id == noDependency && c.elementBetween(last, n)
}

// elementBetween tells whether an element that is always there stands between two
// siblings.
func (c *jsonCompiler) elementBetween(a, b int32) bool {
	for n := c.d.defs[a].next; n != b; n = c.d.defs[n].next {
		if k := &c.d.defs[n]; k.kind == kindElement && k.id == noDependency {
			return true
		}
	}
	return false
}

// dataForm tells whether a container's Data elements are members by name; ok is
// false when that depends on values or differs between them.
func (c *jsonCompiler) dataForm(e *node, container bool) (named, ok bool) {
	if !container {
		return false, true
	}
	w := c.writer()
	with, without, dependent := 0, 0, 0
	for n := e.child; n != 0; n = c.d.defs[n].next {
		k := &c.d.defs[n]
		if k.kind != kindElement || !w.isData(k) {
			continue
		}
		if x := (xmlCompiler{d: c.d}); x.attrHoles(k) > 0 {
			return false, false
		}
		if w.dataName(k) != nil {
			with++
		} else {
			without++
			if k.id != noDependency {
				dependent++
			}
		}
	}
	if with > 0 {
		return true, without == 0
	}
	return false, without < 2 || dependent == 0
}

// member compiles one member with its comma.
func (c *jsonCompiler) member(n int32, key string, data bool, m *member) bool {
	k := &c.d.defs[n]
	attr, content, below := c.holes(k)
	w := c.writer()
	text, elements, attrText := w.layout(k)
	leaf := content == 1 && !below && !text && !elements && attr == 0 && (data || !attrText)
	if k.id != noDependency && leaf && !data && m.certain && !isContainer([]byte(key)) {
		i := c.emit(op{code: opField, slot: c.d.defs[c.onlyHole(k)].id, dep: k.id})
		c.ops[i].a, c.ops[i].b = c.side([]byte(`,"` + key + `":`))
		return true
	}
	dep := -1
	if k.id != noDependency {
		dep = c.emit(op{code: opDep, dep: k.id})
	}
	c.comma(m, dep >= 0)
	c.lits = append(append(append(c.lits, '"'), key...), '"', ':')
	switch {
	case data && leaf:
		c.hole(k, `""`, flagItems)
	case data:
		if attr+content > 0 || below {
			return false
		}
		var err error
		if c.lits, err = w.data(c.lits, n); err != nil {
			return false
		}
	case !c.value(n, isContainer([]byte(key))):
		return false
	}
	return c.closeDep(dep)
}

func (c *jsonCompiler) onlyHole(e *node) int32 {
	n := e.child
	for c.d.defs[n].kind != kindHole {
		n = c.d.defs[n].next
	}
	return n
}

// comma compiles the comma in front of a member.
func (c *jsonCompiler) comma(m *member, dependent bool) {
	switch {
	case m.certain:
		c.lits = append(c.lits, ',')
	case m.possible:
		c.emit(op{code: opComma})
	}
	if dependent {
		m.possible = true
	} else {
		m.certain = true
	}
}

func (c *jsonCompiler) closeDep(dep int) bool {
	if dep < 0 {
		return true
	}
	c.emit(op{code: opLit})
	n := len(c.ops) - dep - 1
	c.ops[dep].n = uint16(n)
	return n < 1<<16
}

// gathered compiles a container's Data elements without names, from the first one
// on.
func (c *jsonCompiler) gathered(e, first *node, m *member) bool {
	var all []int32
	for n := e.child; n != 0; n = c.d.defs[n].next {
		if k := &c.d.defs[n]; k.kind == kindElement && string(c.d.names[k.name]) == "Data" {
			all = append(all, n)
		}
	}
	dep := -1
	if len(all) == 1 && first.id != noDependency {
		dep = c.emit(op{code: opDep, dep: first.id})
	}
	c.comma(m, dep >= 0)
	c.lits = append(c.lits, `"Data":{"#text":`...)
	if len(all) > 1 {
		c.lits = append(c.lits, '[')
	}
	w := c.writer()
	for i, n := range all {
		if i > 0 {
			c.lits = append(c.lits, ',')
		}
		k := &c.d.defs[n]
		attr, content, below := c.holes(k)
		text, elements, _ := w.layout(k)
		switch {
		case attr+content == 0 && !below:
			var err error
			if c.lits, err = w.data(c.lits, n); err != nil {
				return false
			}
		case content == 1 && !below && !text && !elements && attr == 0:
			var flags uint8
			if len(all) == 1 {
				flags = flagItems
			}
			c.hole(k, `""`, flags)
		default:
			return false
		}
	}
	if len(all) > 1 {
		c.lits = append(c.lits, ']')
	}
	c.lits = append(c.lits, '}')
	return c.closeDep(dep)
}

// runJSON appends what program p writes for an instance, false when a value has a
// shape that it does not cover.
func (d *Decoder) runJSON(dst []byte, p *program, in instance, nest, limit int) ([]byte, bool) {
	if nest > maxNesting || len(dst) > limit {
		return dst, false
	}
	slots := d.slots[in.lo:in.hi]
	lits := p.lits
	for i := 0; i < len(p.ops); i++ {
		o := &p.ops[i]
		dst = appendLit(dst, lits, o.lo, o.hi)
		v := slot{typ: typString}
		if int(o.slot) < len(slots) {
			v = slots[o.slot]
		}
		ok := true
		switch o.code {
		case opLit:
		case opValue:
			dst, ok = d.runValue(dst, lits[o.a:o.b], o.flags, v, nest, limit)
		case opField:
			if int(o.dep) < len(slots) && slots[o.dep].typ == typNull {
				continue
			}
			dst, ok = d.runValue(appendLit(dst, lits, o.a, o.b), null, 0, v, nest, limit)
		case opDep:
			if int(o.dep) < len(slots) && slots[o.dep].typ == typNull {
				i += int(o.n)
			}
		case opAttrs:
			dst, ok = d.runAttrs(dst, p, o, slots, v)
		case opChild:
			dst, ok = d.runChild(dst, p, v, nest, limit)
		case opComma:
			if dst[len(dst)-1] != '{' {
				dst = append(dst, ',')
			}
		case opClose:
			if dst[len(dst)-1] == '{' {
				dst = append(dst[:len(dst)-1], null...)
			} else {
				dst = append(dst, '}')
			}
		}
		if !ok {
			return dst, false
		}
	}
	return dst, true
}

var null = []byte("null")

// appendScalar appends a value that is not empty as a JSON value.
func (d *Decoder) appendScalar(dst []byte, v slot) []byte {
	b := d.buf[v.lo:v.hi]
	switch {
	case v.typ == typString:
		return appendQuoted(dst, b)
	case bare(v.typ):
		return appendValue(dst, v.typ, b, modeJSON)
	}
	return append(appendValue(append(dst, '"'), v.typ, b, modeJSON), '"')
}

// runValue appends the value of a leaf element.
func (d *Decoder) runValue(dst, empty []byte, flags uint8, v slot, nest, limit int) ([]byte, bool) {
	switch {
	case v.typ == typString:
		if b := d.buf[v.lo:v.hi]; !emptyText(b) {
			return appendQuoted(dst, b), true
		}
		return append(dst, empty...), true
	case width[v.typ] != 0: // never empty
		return d.appendScalar(dst, v), true
	case v.typ == typBinXML:
		return d.runNestedJSON(dst, flags, v, nest+1, limit)
	case emptyValue(v.typ, d.buf[v.lo:v.hi]):
		return append(dst, empty...), true
	case v.typ&typArray == 0:
		return d.appendScalar(dst, v), true
	case flags&flagItems == 0:
		return dst, false
	}
	a := pick{all: v, item: d.itemAt(v, v.lo)}
	open := len(dst)
	for n := 1; ; n++ {
		if emptyValue(a.item.typ, d.buf[a.item.lo:a.item.hi]) {
			dst = append(dst, `""`...)
		} else {
			dst = d.appendScalar(dst, a.item)
		}
		if !a.advance(d) {
			if n > 1 {
				dst = append(dst, ']')
			}
			return dst, true
		}
		if len(dst) > limit || n >= maxItems {
			return dst, false
		}
		if n == 1 { // now it is known that there are several
			dst = append(dst, 0)
			copy(dst[open+1:], dst[open:])
			dst[open] = '['
		}
		dst = append(dst, ',')
	}
}

// runAttrs appends an element with attributes.
func (d *Decoder) runAttrs(dst []byte, p *program, o *op, slots []slot, content slot) ([]byte, bool) {
	if o.flags&flagContent == 0 {
		content = slot{typ: typNull}
	} else if content.typ == typBinXML || content.typ&typArray != 0 {
		return dst, false
	}
	first := true
	for i := o.a; i < o.b; i++ {
		a := &p.attrs[i]
		var v slot
		if !a.literal {
			if int(a.slot) < len(slots) {
				v = slots[a.slot]
			}
			if v.typ == typBinXML || v.typ&typArray != 0 {
				return dst, false
			}
			if emptyValue(v.typ, d.buf[v.lo:v.hi]) {
				continue
			}
		}
		if first {
			dst = append(dst, `{"#attributes":{`...)
			first = false
		} else {
			dst = append(dst, ',')
		}
		dst = appendLit(dst, p.lits, a.lo, a.hi)
		if !a.literal {
			dst = d.appendScalar(dst, v)
		}
	}
	empty := emptyValue(content.typ, d.buf[content.lo:content.hi])
	switch {
	case first && empty:
		return append(dst, null...), true
	case first:
		return d.appendScalar(dst, content), true
	case empty:
		return append(dst, '}', '}'), true
	}
	return append(d.appendScalar(append(dst, `},"#text":`...), content), '}'), true
}

// runChild appends the elements of a BinXml value as members of the open object.
func (d *Decoder) runChild(dst []byte, p *program, v slot, nest, limit int) ([]byte, bool) {
	if v.typ != typBinXML {
		return dst, emptyValue(v.typ, d.buf[v.lo:v.hi])
	}
	top := len(d.slots)
	defer func() { d.slots = d.slots[:top] }()
	in, c := d.open(int(v.lo), int(v.hi))
	if c == nil || c.json == nil {
		return dst, false
	}
	for _, name := range p.names {
		if bytes.Equal(name, c.root) {
			return dst, false
		}
	}
	dst = append(append(append(dst, ',', '"'), c.root...), '"', ':')
	return d.runJSON(dst, c.json, in, nest+1, limit)
}

// runNestedJSON appends a BinXml value that is an element's whole content.
func (d *Decoder) runNestedJSON(dst []byte, flags uint8, v slot, nest, limit int) ([]byte, bool) {
	top := len(d.slots)
	defer func() { d.slots = d.slots[:top] }()
	in, c := d.open(int(v.lo), int(v.hi))
	if c == nil || c.json == nil || flags&flagContainer != 0 && string(c.root) == "Data" {
		return dst, false
	}
	dst = append(append(append(dst, '{', '"'), c.root...), '"', ':')
	dst, ok := d.runJSON(dst, c.json, in, nest, limit)
	return append(dst, '}'), ok
}
