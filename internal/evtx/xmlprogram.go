package evtx

// xmlCompiler turns a template's tree into an XML program that writes what
// xmlWriter writes for the filled tree.
type xmlCompiler struct {
	d *Decoder
	builder
}

// element compiles element i, false when its shape is not covered.
func (c *xmlCompiler) element(i int32) bool {
	e := &c.d.defs[i]
	name := c.d.names[e.name]
	attrHoles := c.attrHoles(e)
	leaf := e.child != 0 && c.d.defs[e.child].kind == kindHole && c.d.defs[e.child].next == 0 && attrHoles == 0
	if leaf {
		return c.leaf(e, name)
	}
	dep := -1
	if e.id != noDependency {
		dep = c.emit(op{code: opDep, dep: e.id})
	}
	c.lits = append(append(c.lits, '<'), name...)
	for a := e.attr; a != 0; a = c.d.defs[a].next {
		if !c.attribute(&c.d.defs[a]) {
			return false
		}
	}
	if e.empty {
		c.lits = append(c.lits, '/', '>')
	} else {
		c.lits = append(c.lits, '>')
		for n := e.child; n != 0; n = c.d.defs[n].next {
			switch k := &c.d.defs[n]; k.kind {
			case kindElement:
				if !c.element(n) {
					return false
				}
			case kindHole:
				c.emit(op{code: opText, slot: k.id, dep: noDependency})
			default:
				c.lits = c.d.appendNode(c.lits, k, modeText)
			}
		}
		c.lits = append(append(append(c.lits, '<', '/'), name...), '>')
	}
	if dep >= 0 {
		c.emit(op{code: opLit})
		n := len(c.ops) - dep - 1
		c.ops[dep].n = uint16(n)
		return n < 1<<16
	}
	return true
}

func (c *xmlCompiler) attrHoles(e *node) (n int) {
	for a := e.attr; a != 0; a = c.d.defs[a].next {
		for v := c.d.defs[a].child; v != 0; v = c.d.defs[v].next {
			if c.d.defs[v].kind == kindHole {
				n++
			}
		}
	}
	return n
}

// leaf compiles an element that holds one value and nothing else: the place where
// arrays stand.
func (c *xmlCompiler) leaf(e *node, name []byte) bool {
	hole := c.d.defs[e.child].id
	start := len(c.lits)
	c.lits = append(append(c.lits, '<'), name...)
	for a := e.attr; a != 0; a = c.d.defs[a].next {
		if !c.attribute(&c.d.defs[a]) {
			return false
		}
	}
	c.lits = append(c.lits, '>')
	open := string(c.lits[start:])
	end := "</" + string(name) + ">"
	if e.id != noDependency {
		c.lits = c.lits[:start]
		i := c.emit(op{code: opLeaf, slot: hole, dep: e.id})
		a, b := c.side([]byte(open))
		cc, ee := c.side([]byte(end))
		o := &c.ops[i]
		o.a, o.b, o.c, o.e = a, b, cc, ee
		return true
	}
	i := c.emit(op{code: opText, slot: hole, dep: noDependency, flags: flagItems})
	a, b := c.side([]byte(end), []byte(open))
	c.ops[i].a, c.ops[i].b = a, b
	c.lits = append(c.lits, end...)
	return true
}

// attribute compiles an attribute: literal, one value, or one value between
// literals.
func (c *xmlCompiler) attribute(a *node) bool {
	holes, text := 0, false
	for v := a.child; v != 0; v = c.d.defs[v].next {
		n := &c.d.defs[v]
		if n.kind == kindHole {
			holes++
		} else {
			text = text || len(c.d.appendNode(nil, n, modeAttr)) > 0
		}
	}
	head := append(append([]byte{' '}, c.d.names[a.name]...), '=', '\'')
	switch {
	case !text && holes == 0:
		return true
	case !text && holes == 1:
		v := a.child
		for c.d.defs[v].kind != kindHole {
			v = c.d.defs[v].next
		}
		i := c.emit(op{code: opAttr, slot: c.d.defs[v].id})
		lo, hi := c.side(head)
		c.ops[i].a, c.ops[i].b = lo, hi
		return true
	case !text:
		return false
	}
	c.lits = append(c.lits, head...)
	for v := a.child; v != 0; v = c.d.defs[v].next {
		n := &c.d.defs[v]
		if n.kind == kindHole {
			c.emit(op{code: opInner, slot: n.id})
		} else {
			c.lits = c.d.appendNode(c.lits, n, modeAttr)
		}
	}
	c.lits = append(c.lits, '\'')
	return true
}

// runXML appends what program p writes for an instance, false when a value has a
// shape that it does not cover.
func (d *Decoder) runXML(dst []byte, p *program, in instance, nest, limit int) ([]byte, bool) {
	if nest > maxNesting || len(dst) > limit {
		return dst, false
	}
	slots := d.slots[in.lo:in.hi]
	lits := p.lits
	for i := 0; i < len(p.ops); i++ {
		o := &p.ops[i]
		dst = appendLit(dst, lits, o.lo, o.hi)
		if o.code == opLit {
			continue
		}
		if o.code == opDep {
			if int(o.dep) < len(slots) && slots[o.dep].typ == typNull {
				i += int(o.n)
			}
			continue
		}
		v := slot{typ: typString}
		if int(o.slot) < len(slots) {
			v = slots[o.slot]
		}
		ok := true
		switch o.code {
		case opText:
			switch {
			case v.typ < typHandle:
				dst = appendValue(dst, v.typ, d.buf[v.lo:v.hi], modeText)
			case v.typ == typBinXML:
				dst, ok = d.runNestedXML(dst, v, nest+1, limit)
			case v.typ&typArray == 0:
				dst = appendValue(dst, v.typ, d.buf[v.lo:v.hi], modeText)
			case o.flags&flagItems == 0:
				ok = false
			default:
				dst, ok = d.runItems(dst, v, lits[o.a:o.b], limit)
			}
		case opLeaf:
			if int(o.dep) < len(slots) && slots[o.dep].typ == typNull {
				continue
			}
			dst, ok = d.runLeaf(appendLit(dst, lits, o.a, o.b), p, o, v, nest, limit)
			dst = appendLit(dst, lits, o.c, o.e)
		default:
			dst, ok = d.runAttr(dst, lits, o, v)
		}
		if !ok {
			return dst, false
		}
	}
	return dst, true
}

// runLeaf appends the content of a dependent leaf element.
func (d *Decoder) runLeaf(dst []byte, p *program, o *op, v slot, nest, limit int) ([]byte, bool) {
	switch {
	case v.typ == typBinXML:
		return d.runNestedXML(dst, v, nest+1, limit)
	case v.typ&typArray == 0:
		return appendValue(dst, v.typ, d.buf[v.lo:v.hi], modeText), true
	}
	sep := append(append(d.scratch[:0], p.lits[o.c:o.e]...), p.lits[o.a:o.b]...)
	d.scratch = sep[:0]
	return d.runItems(dst, v, sep, limit)
}

// runItems appends an array's items with sep between them.
func (d *Decoder) runItems(dst []byte, v slot, sep []byte, limit int) ([]byte, bool) {
	if v.lo == v.hi {
		return dst, true
	}
	a := pick{all: v, item: d.itemAt(v, v.lo)}
	for n := 1; ; n++ {
		dst = appendValue(dst, a.item.typ, d.buf[a.item.lo:a.item.hi], modeText)
		if !a.advance(d) {
			return dst, true
		}
		if len(dst) > limit || n >= maxItems {
			return dst, false
		}
		dst = append(dst, sep...)
	}
}

// runAttr appends an attribute, or a value inside of one.
func (d *Decoder) runAttr(dst, lits []byte, o *op, v slot) ([]byte, bool) {
	if v.typ == typBinXML || v.typ&typArray != 0 {
		return dst, false
	}
	b := d.buf[v.lo:v.hi]
	if o.code == opInner {
		return appendValue(dst, v.typ, b, modeAttr), true
	}
	if emptyValue(v.typ, b) {
		return dst, true
	}
	dst = appendLit(dst, lits, o.a, o.b)
	return append(appendValue(dst, v.typ, b, modeAttr), '\''), true
}

// runNestedXML appends a BinXml value: with its template's program when it is one
// instance, else by its tree.
func (d *Decoder) runNestedXML(dst []byte, v slot, nest, limit int) ([]byte, bool) {
	top := len(d.slots)
	in, c := d.open(int(v.lo), int(v.hi))
	if c == nil || c.xml == nil {
		d.slots = d.slots[:top]
		return d.fragmentXML(dst, v, nest, limit)
	}
	dst, ok := d.runXML(dst, c.xml, in, nest, limit)
	d.slots = d.slots[:top]
	return dst, ok
}

// fragmentXML appends a BinXml value by its tree.
func (d *Decoder) fragmentXML(dst []byte, v slot, nest, limit int) ([]byte, bool) {
	d.nodes = append(d.nodes[:0], node{})
	p := parser{d: d, nodes: &d.nodes, p: int(v.lo), end: int(v.hi), nest: nest}
	root, _, err := p.stream()
	if err != nil {
		return dst, false
	}
	w := xmlWriter{d: d, nodes: d.nodes, limit: limit}
	for ; root != 0; root = d.nodes[root].next {
		if dst, err = w.content(dst, root); err != nil {
			return dst, false
		}
	}
	return dst, true
}
