package evtx

// AppendXML appends the record as XML in EvtRender's form, on one line unless
// values hold line breaks, without a line break behind it. It is the text that
// the lake stores. On an error, a [*Loss] that is also in [Decoder.Losses], the
// record is damaged and dst is given back as it was.
func (d *Decoder) AppendXML(dst []byte, r *Record) ([]byte, error) {
	start, limit := len(dst), d.limit(dst)
	if !d.slow {
		if in, c := d.begin(r); c != nil && c.xml != nil {
			out, ok := d.runXML(dst, c.xml, in, 0, limit)
			if ok {
				return d.spend(out, start), nil
			}
			dst = out[:start]
		}
	}
	root, err := d.tree(r)
	if err != nil {
		root, err = d.salvage(r, err)
	}
	if err == nil {
		w := xmlWriter{d: d, nodes: d.nodes, limit: limit}
		dst, err = w.element(dst, root)
	}
	if err != nil {
		return dst[:start], d.loseRecord(r, err)
	}
	return d.spend(dst, start), nil
}

// AppendJSON appends the record as one JSON object in the shape of the evtx_dump
// tool, without a line break behind it: elements are members, attributes stand
// under "#attributes", EventData's named Data are members by name. Errors as
// [Decoder.AppendXML].
func (d *Decoder) AppendJSON(dst []byte, r *Record) ([]byte, error) {
	start, limit := len(dst), d.limit(dst)
	if !d.slow {
		if in, c := d.begin(r); c != nil && c.json != nil && !isContainer(c.root) {
			dst = append(append(append(dst, '{', '"'), c.root...), '"', ':')
			out, ok := d.runJSON(dst, c.json, in, 0, limit)
			if ok {
				return d.spend(append(out, '}'), start), nil
			}
			dst = out[:start]
		}
	}
	root, err := d.tree(r)
	if err != nil {
		root, err = d.salvage(r, err)
	}
	if err == nil {
		w := jsonWriter{d: d, nodes: d.nodes, limit: limit}
		dst, err = w.record(dst, root)
	}
	if err != nil {
		return dst[:start], d.loseRecord(r, err)
	}
	return d.spend(dst, start), nil
}

// limit gives how long dst may become for one more record.
func (d *Decoder) limit(dst []byte) int { return len(dst) + min(maxRecordText, maxChunkText-d.spent) }

// spend counts the text of a record, which begins at start.
func (d *Decoder) spend(dst []byte, start int) []byte {
	d.spent += len(dst) - start
	return dst
}

// begin opens the record's template instance, nil when it is anything else.
func (d *Decoder) begin(r *Record) (instance, *compiled) {
	d.slots = d.slots[:0]
	return d.open(r.start+recordHeaderSize, r.start+len(r.Raw)-4)
}

// tree builds the record's element tree in d.nodes and gives its root.
func (d *Decoder) tree(r *Record) (int32, error) {
	if d.spent > maxChunkText {
		return 0, &damage{r.start, "the chunk's records expand to too much text"}
	}
	d.nodes = append(d.nodes[:0], node{})
	d.slots = d.slots[:0]
	p := parser{d: d, nodes: &d.nodes, p: r.start + recordHeaderSize, end: r.start + len(r.Raw) - 4}
	root, _, err := p.stream()
	d.spent += nodeCost * len(d.nodes)
	if err != nil {
		return 0, err
	}
	for root != 0 && d.nodes[root].kind != kindElement {
		root = d.nodes[root].next // a processing instruction in front
	}
	if root == 0 {
		return 0, &damage{r.start, "the record holds no event"}
	}
	return root, nil
}

// loseRecord turns the reason why a record cannot be rendered into a loss; once
// per record.
func (d *Decoder) loseRecord(r *Record, err error) error {
	if l, ok := err.(*Loss); ok {
		return l
	}
	return d.about(r, 1, err, err.Error())
}

// about reports a finding inside a record, once.
func (d *Decoder) about(r *Record, records int, err error, reason string) *Loss {
	pos := r.start
	if e, ok := err.(*damage); ok && e.pos > r.start && e.pos < r.start+len(r.Raw) {
		pos = e.pos
	}
	offset := d.info.Offset + int64(pos)
	for i := range d.losses {
		if l := &d.losses[i]; l.RecordID == r.ID && l.Records == records && l.Offset == offset {
			return l
		}
	}
	return d.lose(pos, r.ID, records, "%s", reason)
}

// salvage builds the tree of what can be read of a damaged record, when that is
// at least a whole System element: then the record is incomplete, not lost.
func (d *Decoder) salvage(r *Record, cause error) (int32, error) {
	d.lenient = true
	root, err := d.tree(r)
	d.lenient = false
	if err != nil || !d.systemWhole(root) {
		return 0, d.loseRecord(r, cause)
	}
	r.Damage = cause.Error()
	d.about(r, 0, cause, "the record is incomplete: "+r.Damage)
	return root, nil
}

// systemWhole tells whether the tree in d.nodes has a System element without
// damage.
func (d *Decoder) systemWhole(root int32) bool {
	for c := d.nodes[root].child; c != 0; c = d.nodes[c].next {
		if n := &d.nodes[c]; n.kind == kindElement && string(d.names[n.name]) == "System" {
			return n.child != 0 && d.whole(c)
		}
	}
	return false
}

// whole tells whether neither an element nor what is in it is damaged. Trees are
// no deeper than maxElementDepth allows.
func (d *Decoder) whole(i int32) bool {
	n := &d.nodes[i]
	if n.open || n.typ == typDamaged {
		return false
	}
	for _, list := range [2]int32{n.attr, n.child} {
		for c := list; c != 0; c = d.nodes[c].next {
			if !d.whole(c) {
				return false
			}
		}
	}
	return true
}
