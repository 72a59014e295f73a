package evtx

// FieldSet is a list of fields to get from records without rendering them. It is
// immutable and may be shared.
type FieldSet struct {
	names  []string
	index  map[string]int
	nested bool // a field may lie outside of System, in a nested template
}

// NewFieldSet gives the set of the named fields: the keys of
// [Decoder.AppendFlatJSON], for example "EventID", "Channel", "TimeGenerated" or
// "SubjectUserName".
func NewFieldSet(names ...string) *FieldSet {
	s := &FieldSet{names: names, index: make(map[string]int, len(names))}
	for i, name := range names {
		if _, ok := s.index[name]; !ok {
			s.index[name] = i
		}
		s.nested = s.nested || !systemNames[name]
	}
	return s
}

// Names gives the fields' names in their order. The slice is shared.
func (s *FieldSet) Names() []string { return s.names }

// Fields holds the values that one record has for a [FieldSet], as text: what XML
// shows, unescaped. The zero Fields is ready; it keeps its memory from record to
// record. Not safe for concurrent use.
type Fields struct {
	text  []byte
	found []foundField
}

type foundField struct{ field, lo, hi int }

// Len is the number of values found. A field has several when the record does.
func (f *Fields) Len() int { return len(f.found) }

// At gives the i-th value and its field's place in the set. The text is valid
// until the Fields are filled again.
func (f *Fields) At(i int) (field int, text []byte) {
	v := f.found[i]
	return v.field, f.text[v.lo:v.hi:v.hi]
}

// Get gives the first value of the set's field-th name; ok is false when the
// record does not have it. The text is valid until the Fields are filled again.
func (f *Fields) Get(field int) (text []byte, ok bool) {
	for _, v := range f.found {
		if v.field == field {
			return f.text[v.lo:v.hi:v.hi], true
		}
	}
	return nil, false
}

func (f *Fields) reset() { f.text, f.found = f.text[:0], f.found[:0] }

// put ends a value that was appended to text since lo.
func (f *Fields) put(field, lo int) { f.found = append(f.found, foundField{field, lo, len(f.text)}) }

// pickedFields are the values of a flat program that a set asks for.
type pickedFields struct {
	set    *FieldSet
	values []pickedField
}

type pickedField struct {
	field int // -1: only elements nested in the value are asked for
	value *flatValue
}

// maxPicked bounds the sets that a program remembers.
const maxPicked = 8

// pick gives the values that set asks p for.
func (p *flatProgram) pick(set *FieldSet) []pickedField {
	for i := range p.picked {
		if p.picked[i].set == set {
			return p.picked[i].values
		}
	}
	var values []pickedField
	for i := range p.groups {
		g := &p.groups[i]
		field, wanted := set.index[g.name]
		if !wanted {
			field = -1
		}
		for j := range g.values {
			if v := &g.values[j]; wanted || set.nested && v.content && !v.literal && (v.place.kind == placeEvent || v.place.kind == placeOther || v.place.kind == placeData) {
				values = append(values, pickedField{field, v})
			}
		}
	}
	if len(p.picked) >= maxPicked {
		p.picked = p.picked[:0]
	}
	p.picked = append(p.picked, pickedFields{set, values})
	return values
}

// Get finds the fields of set in the record and decodes nothing else. Errors as
// [Decoder.AppendXML]; f is empty then.
func (d *Decoder) Get(f *Fields, r *Record, set *FieldSet) error {
	f.reset()
	if !d.slow {
		if in, c := d.begin(r); c != nil {
			if p := d.flatProgram(c, in.def, place{kind: placeRecord}); p != nil {
				if d.pickFields(f, p, in, set, 0) {
					return nil
				}
				f.reset()
			}
		}
	}
	root, err := d.tree(r)
	if err != nil {
		root, err = d.salvage(r, err)
	}
	if err != nil {
		return err
	}
	l := flattener{d: d, nodes: d.nodes, entries: d.entries[:0]}
	l.element(root, place{kind: placeRecord})
	d.entries = l.entries
	w := jsonWriter{d: d, nodes: d.nodes}
	for _, group := range l.groups() {
		field, wanted := set.index[l.entries[group[0]].key]
		if !wanted {
			continue
		}
		for _, i := range group {
			if e := &l.entries[i]; !e.optional || w.chainHasText(e.chain) {
				lo := len(f.text)
				f.text = d.appendChain(f.text, d.nodes, e.chain)
				f.put(field, lo)
			}
			if len(f.text) > maxRecordText {
				f.reset()
				return d.loseRecord(r, &damage{r.start, "the record expands to too much text"})
			}
		}
	}
	return nil
}

// pickFields is Get by a program, false when the instance has a shape that it
// does not cover.
func (d *Decoder) pickFields(f *Fields, p *flatProgram, in instance, set *FieldSet, nest int) bool {
	if !d.enter(p, nest) {
		return false
	}
	slots := d.slots[in.lo:in.hi]
	picks := p.pick(set)
	for i := range picks {
		field, v := picks[i].field, picks[i].value
		if len(v.deps) > 0 && v.absent(slots) {
			continue
		}
		lo := len(f.text)
		if v.literal {
			f.text = append(f.text, v.raw...)
			f.put(field, lo)
			continue
		}
		value := v.of(slots)
		switch {
		case value.typ == typBinXML:
			if !v.content || !d.pickNested(f, value, v.place, set, nest+1) {
				return false
			}
		case field < 0:
		case value.typ&typArray == 0 || value.lo == value.hi:
			d.pickValue(f, field, v, value)
		case !v.array:
			return false
		default:
			a := pick{all: value, item: d.itemAt(value, value.lo)}
			for n := 1; ; n++ {
				d.pickValue(f, field, v, a.item)
				if !a.advance(d) {
					break
				}
				if n >= maxItems || len(f.text) > maxRecordText {
					return false
				}
			}
		}
	}
	return true
}

func (d *Decoder) pickValue(f *Fields, field int, v *flatValue, value slot) {
	b := d.buf[value.lo:value.hi]
	if v.optional && emptyValue(value.typ, b) {
		return
	}
	lo := len(f.text)
	if len(b) > 0 {
		f.text = appendValue(f.text, value.typ, b, modeRaw)
	}
	f.put(field, lo)
}

func (d *Decoder) pickNested(f *Fields, value slot, at place, set *FieldSet, nest int) bool {
	top := len(d.slots)
	defer func() { d.slots = d.slots[:top] }()
	in, c := d.open(int(value.lo), int(value.hi))
	if c == nil {
		return false
	}
	p := d.flatProgram(c, in.def, at)
	return p != nil && d.pickFields(f, p, in, set, nest)
}
