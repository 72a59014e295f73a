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
	pos, reason := r.start, err.Error()
	if e, ok := err.(*damage); ok && e.pos > r.start && e.pos < r.start+len(r.Raw) {
		pos = e.pos
	}
	offset := d.info.Offset + int64(pos)
	for i := range d.losses {
		if l := &d.losses[i]; l.RecordID == r.ID && l.Records == 1 && l.Offset == offset {
			return l
		}
	}
	return d.lose(pos, r.ID, 1, "%s", reason)
}
