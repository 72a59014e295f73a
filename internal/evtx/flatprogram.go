package evtx

import "slices"

// flatProgram is a template's flat form in one place: what flattener finds in the
// template's tree, grouped by key.
type flatProgram struct {
	place  place
	none   bool // the template has a shape that programs do not cover
	lits   []byte
	groups []flatGroup
	keys   map[string]bool
	apart  []*flatProgram // programs known to have no key in common with this one
	picked []pickedFields
}

// flatGroup is a member: its key literal `"key":` and its values, in an array
// when there are several.
type flatGroup struct {
	name   string
	lo, hi uint32
	values []flatValue
}

// flatValue is one value of a member: a literal or a value of the instance.
type flatValue struct {
	lo, hi   uint32 // literal: as JSON
	raw      []byte // literal: as it is
	slot     uint16
	literal  bool
	optional bool
	content  bool // BinXml values hold elements: members in place
	array    bool // an array is several values
	deps     []uint16
	place    place
}

// maxPlaces bounds the flat programs of one template: a nested template stands in
// one place, or two.
const maxPlaces = 4

// flatProgram gives the flat program of c, defined at def in the open chunk, for
// a place; nil when it has none.
func (d *Decoder) flatProgram(c *compiled, def int, at place) *flatProgram {
	for _, p := range c.flat {
		if p.place == at {
			if p.none {
				return nil
			}
			return p
		}
	}
	if len(c.flat) >= maxPlaces {
		return nil
	}
	root, err := d.template(def)
	if err != nil {
		return nil
	}
	p := d.compileFlat(root, at)
	c.flat = append(c.flat, p)
	d.cacheBytes += len(c.body) * compiledFactor
	if p.none {
		return nil
	}
	return p
}

func (d *Decoder) compileFlat(root int32, at place) *flatProgram {
	p := &flatProgram{place: at, keys: map[string]bool{}}
	f := flattener{d: d, nodes: d.defs}
	f.element(root, at)
	p.none = f.odd
	w := jsonWriter{d: d, nodes: d.defs, limit: maxRecordText}
	for _, group := range f.groups() {
		g := flatGroup{name: f.entries[group[0]].key, lo: uint32(len(p.lits))}
		p.keys[g.name] = true
		p.lits = append(appendUTF8(append(p.lits, '"'), []byte(g.name), modeJSON), '"', ':')
		g.hi = uint32(len(p.lits))
		for _, i := range group {
			e := &f.entries[i]
			v := flatValue{optional: e.optional, content: e.content, deps: e.deps, place: e.place}
			hole, others := f.chain(e.chain)
			switch {
			case hole == 0:
				v.literal = true
				v.lo = uint32(len(p.lits))
				if w.chainHasText(e.chain) {
					p.lits = w.text(p.lits, e.chain)
					v.raw = d.appendChain(nil, d.defs, e.chain)
				} else if v.optional {
					continue
				} else {
					p.lits = append(p.lits, '"', '"')
				}
				v.hi = uint32(len(p.lits))
			case others:
				p.none = true
			default:
				v.slot = d.defs[hole].id
				v.array = e.content && e.leaf && !f.attributed(e)
			}
			g.values = append(g.values, v)
		}
		if len(g.values) > 0 {
			p.groups = append(p.groups, g)
		}
	}
	p.lits = append(p.lits, make([]byte, litStep)...)
	return p
}

// chain gives the only hole of a text, 0 for none; others tells that it is not
// the only node.
func (f *flattener) chain(c int32) (hole int32, others bool) {
	nodes := 0
	for ; c != 0; c = f.nodes[c].next {
		switch f.nodes[c].kind {
		case kindElement:
			continue
		case kindHole:
			hole = c
		}
		nodes++
	}
	return hole, nodes > 1
}

// attributed tells whether attributes of the element around e's text are members
// too, which an array would repeat.
func (f *flattener) attributed(e *flatEntry) bool {
	for i := range f.entries {
		if k := &f.entries[i]; !k.content && k.element == e.element {
			return true
		}
	}
	return false
}

// appendChain appends a text as it is.
func (d *Decoder) appendChain(dst []byte, nodes []node, c int32) []byte {
	for ; c != 0; c = nodes[c].next {
		dst = d.appendNode(dst, &nodes[c], modeRaw)
	}
	return dst
}

// disjoint tells whether p and q have no key in common.
func (p *flatProgram) disjoint(q *flatProgram) bool {
	if slices.Contains(p.apart, q) {
		return true
	}
	for key := range p.keys {
		if q.keys[key] {
			return false
		}
	}
	p.apart = append(p.apart, q)
	return true
}

// enter notes that p takes part in the record, false when its keys repeat those
// of another program: their values would have to be gathered.
func (d *Decoder) enter(p *flatProgram, nest int) bool {
	if nest > maxNesting {
		return false
	}
	if nest == 0 {
		d.flatUsed = d.flatUsed[:0]
	}
	for _, q := range d.flatUsed {
		if !p.disjoint(q) {
			return false
		}
	}
	d.flatUsed = append(d.flatUsed, p)
	return true
}

// absent tells whether an element around v depends on a null value.
func (v *flatValue) absent(slots []slot) bool {
	for _, dep := range v.deps {
		if int(dep) < len(slots) && slots[dep].typ == typNull {
			return true
		}
	}
	return false
}

// of gives v's value of an instance.
func (v *flatValue) of(slots []slot) slot {
	if int(v.slot) < len(slots) {
		return slots[v.slot]
	}
	return slot{typ: typString}
}

// runFlat appends the members of an instance to the object that dst ends with;
// false when it has a shape that programs do not cover.
func (d *Decoder) runFlat(dst []byte, p *flatProgram, in instance, nest, limit int) ([]byte, bool) {
	if !d.enter(p, nest) {
		return dst, false
	}
	slots := d.slots[in.lo:in.hi]
	for i := range p.groups {
		g := &p.groups[i]
		if len(g.values) == 1 {
			out, done := d.runFlatOne(dst, p, g, slots)
			if done {
				dst = out
				continue
			}
		}
		start, count := len(dst), 0
		if dst[start-1] != '{' {
			dst = append(dst, ',')
		}
		dst = appendLit(dst, p.lits, g.lo, g.hi)
		first := len(dst)
		for j := range g.values {
			v := &g.values[j]
			if len(v.deps) > 0 && v.absent(slots) {
				continue
			}
			if v.literal {
				dst = appendLit(append(dst, ','), p.lits, v.lo, v.hi)
				count++
				continue
			}
			value := v.of(slots)
			if value.typ == typBinXML {
				if !v.content || len(g.values) > 1 {
					return dst, false
				}
				var ok bool
				if dst, ok = d.runNestedFlat(dst[:start], value, v.place, nest+1, limit); !ok {
					return dst, false
				}
				start, first = len(dst), len(dst)
				continue
			}
			var n int
			if dst, n = d.runFlatValue(dst, v, value, limit); n < 0 {
				return dst, false
			}
			count += n
		}
		dst = closeGroup(dst, start, first, count)
	}
	return dst, true
}

// runFlatOne is runFlat for a member with one value that is no array and holds no
// elements: nearly all. done is false for other ones.
func (d *Decoder) runFlatOne(dst []byte, p *flatProgram, g *flatGroup, slots []slot) (out []byte, done bool) {
	v := &g.values[0]
	if len(v.deps) > 0 && v.absent(slots) {
		return dst, true
	}
	var value slot
	var empty bool
	if !v.literal {
		value = v.of(slots)
		if value.typ >= typArray || value.typ == typBinXML {
			return dst, false
		}
		if empty = emptyValue(value.typ, d.buf[value.lo:value.hi]); empty && v.optional {
			return dst, true
		}
	}
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = appendLit(dst, p.lits, g.lo, g.hi)
	switch {
	case v.literal:
		return appendLit(dst, p.lits, v.lo, v.hi), true
	case empty:
		return append(dst, '"', '"'), true
	}
	return d.appendScalar(dst, value), true
}

// runFlatValue appends the values of v, each behind a comma, and gives how many;
// -1 when v has a shape that is not covered.
func (d *Decoder) runFlatValue(dst []byte, v *flatValue, value slot, limit int) ([]byte, int) {
	if value.typ&typArray == 0 || value.lo == value.hi {
		return d.flatScalar(dst, v, value)
	}
	if !v.array {
		return dst, -1
	}
	a := pick{all: value, item: d.itemAt(value, value.lo)}
	for count := 0; ; {
		var n int
		dst, n = d.flatScalar(dst, v, a.item)
		count += n
		if !a.advance(d) {
			return dst, count
		}
		if len(dst) > limit || count >= maxItems {
			return dst, -1
		}
	}
}

func (d *Decoder) flatScalar(dst []byte, v *flatValue, value slot) ([]byte, int) {
	if !emptyValue(value.typ, d.buf[value.lo:value.hi]) {
		return d.appendScalar(append(dst, ','), value), 1
	}
	if v.optional {
		return dst, 0
	}
	return append(dst, ',', '"', '"'), 1
}

// runNestedFlat appends the members of a BinXml value that is one template
// instance.
func (d *Decoder) runNestedFlat(dst []byte, value slot, at place, nest, limit int) ([]byte, bool) {
	top := len(d.slots)
	defer func() { d.slots = d.slots[:top] }()
	in, c := d.open(int(value.lo), int(value.hi))
	if c == nil {
		return dst, false
	}
	p := d.flatProgram(c, in.def, at)
	if p == nil {
		return dst, false
	}
	return d.runFlat(dst, p, in, nest, limit)
}
