package evtx

import "encoding/binary"

// filler copies a template's tree from Decoder.defs and fills its holes with the
// values of one instance.
type filler struct {
	d    *Decoder
	out  *[]node
	in   instance
	nest int
}

// maxArrays bounds the arrays that one element holds directly.
const maxArrays = 8

// pick says which item of an array a hole takes in one copy of its element.
type pick struct {
	hole int32 // in Decoder.defs
	all  slot  // the array
	item slot
}

// advance moves to the next item, or back to the first one and tells so.
func (p *pick) advance(d *Decoder) (more bool) {
	next := p.item.hi
	switch p.item.typ {
	case typString:
		next += 2
	case typANSI:
		next++
	}
	if more = next < p.all.hi; !more {
		next = p.all.lo
	}
	p.item = d.itemAt(p.all, next)
	return more
}

func (f *filler) fail(pos int, reason string) error { return &damage{pos, reason} }

func (f *filler) add(n node) (int32, error) {
	if len(*f.out) >= maxNodes {
		return 0, f.fail(f.in.def, "the record expands to too many nodes")
	}
	*f.out = append(*f.out, n)
	return int32(len(*f.out) - 1), nil
}

// value gives a hole's value; a hole without value is an empty text.
func (f *filler) value(id uint16) slot {
	if i := f.in.lo + int(id); i < f.in.hi {
		return f.d.slots[i]
	}
	return slot{typ: typString}
}

// element copies element t. It gives none when the element depends on a null
// value ([MS-EVEN6] 2.2.12.1), and several when an array stands in it
// (3.1.4.7.5).
func (f *filler) element(t int32) (first, last int32, err error) {
	e := f.d.defs[t]
	if e.id != noDependency && f.value(e.id).typ == typNull {
		return 0, 0, nil
	}
	var picks [maxArrays]pick
	n, err := f.arrays(&e, picks[:])
	if err != nil {
		return 0, 0, err
	}
	for more := true; more; {
		one, err := f.copy(e, picks[:n])
		if err != nil {
			return 0, 0, err
		}
		if first == 0 {
			first = one
		} else {
			(*f.out)[last].next = one
		}
		last = one
		more = false
		for i := n - 1; i >= 0 && !more; i-- { // the last array runs fastest
			more = picks[i].advance(f.d)
		}
	}
	return first, last, nil
}

// arrays finds the arrays that stand directly in e: content first, then
// attributes.
func (f *filler) arrays(e *node, picks []pick) (n int, err error) {
	look := func(hole int32) error {
		h := f.d.defs[hole]
		if h.kind != kindHole {
			return nil
		}
		v := f.value(h.id)
		if v.typ&typArray == 0 {
			return nil
		}
		if n == len(picks) {
			return f.fail(int(v.lo), "an element holds too many arrays")
		}
		if v.lo < v.hi {
			picks[n] = pick{hole: hole, all: v, item: f.d.itemAt(v, v.lo)}
			n++
		}
		return nil
	}
	for c := e.child; c != 0; c = f.d.defs[c].next {
		if err := look(c); err != nil {
			return 0, err
		}
	}
	for a := e.attr; a != 0; a = f.d.defs[a].next {
		for c := f.d.defs[a].child; c != 0; c = f.d.defs[c].next {
			if err := look(c); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// copy copies one element with the given items of its arrays.
func (f *filler) copy(e node, picks []pick) (int32, error) {
	attr, child := e.attr, e.child
	e.attr, e.child, e.next, e.id = 0, 0, 0, noDependency
	self, err := f.add(e)
	if err != nil {
		return 0, err
	}
	var head, tail int32
	for a := attr; a != 0; a = f.d.defs[a].next {
		n := f.d.defs[a]
		var vhead, vtail int32
		for c := n.child; c != 0; c = f.d.defs[c].next {
			first, last, err := f.node(c, picks, true)
			if err != nil {
				return 0, err
			}
			f.chain(&vhead, &vtail, first, last)
		}
		n.child, n.next = vhead, 0
		i, err := f.add(n)
		if err != nil {
			return 0, err
		}
		f.chain(&head, &tail, i, i)
	}
	(*f.out)[self].attr = head
	head, tail = 0, 0
	for c := child; c != 0; c = f.d.defs[c].next {
		first, last, err := f.node(c, picks, false)
		if err != nil {
			return 0, err
		}
		f.chain(&head, &tail, first, last)
	}
	(*f.out)[self].child = head
	return self, nil
}

func (f *filler) chain(head, tail *int32, first, last int32) {
	p := parser{nodes: f.out}
	p.chain(head, tail, first, last)
}

// node copies one node of content or of an attribute's value.
func (f *filler) node(t int32, picks []pick, inAttr bool) (first, last int32, err error) {
	n := f.d.defs[t]
	switch n.kind {
	case kindElement:
		return f.element(t)
	case kindHole:
		v := f.value(n.id)
		for _, p := range picks {
			if p.hole == t {
				v = p.item
			}
		}
		if v.typ == typBinXML {
			if inAttr {
				return 0, 0, f.fail(int(v.lo), "an attribute holds binary XML")
			}
			p := parser{d: f.d, nodes: f.out, p: int(v.lo), end: int(v.hi), nest: f.nest}
			if first, last, err = p.stream(); err != nil && f.d.lenient {
				return 0, 0, nil
			}
			return first, last, err
		}
		n = node{kind: kindValue, typ: v.typ, lo: int32(v.lo), hi: int32(v.hi)}
	}
	n.next = 0
	first, err = f.add(n)
	return first, first, err
}

// itemAt gives the item of an array that begins at a chunk offset inside it.
func (d *Decoder) itemAt(v slot, lo uint32) slot {
	typ := v.typ &^ typArray
	switch typ {
	case typString, typANSI, typSID:
		return slot{lo, lo + uint32(firstItem(typ, d.buf[lo:v.hi])), typ}
	}
	return slot{lo, lo + uint32(itemSize(typ, int(v.hi-v.lo))), typ}
}

// itemSize is the size of an item of an array of n bytes. Booleans have four
// bytes; a size_t has the pointer size of the machine that wrote it, which the
// file does not tell: eight where that divides the array.
func itemSize(typ uint8, n int) int {
	switch {
	case typ == typSizeT && n%8 == 0:
		return 8
	case typ == typSizeT || typ == typBool:
		return 4
	}
	return int(width[typ])
}

// firstItem gives the length in bytes of the first item of an array of variable
// items, without its terminator. b is not empty and of a valid size.
func firstItem(typ uint8, b []byte) (n int) {
	switch typ {
	case typString:
		for n < len(b) && binary.LittleEndian.Uint16(b[n:]) != 0 {
			n += 2
		}
		return n
	case typANSI:
		for n < len(b) && b[n] != 0 {
			n++
		}
		return n
	}
	return 8 + 4*int(b[1])
}
