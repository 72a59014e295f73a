package evtx

import (
	"bytes"
	"strconv"
)

// jsonWriter writes a tree as JSON in the shape of the evtx_dump tool (version
// 0.15): an element is a member named after it; its value is an object of
// "#attributes", "#text" and its child elements when it has attributes or
// children, else its text, null when it has none. Repeated names get _1, _2….
// Data elements of EventData and UserData are members named by their Name
// attribute; without names they are gathered in "Data":{"#text":…}.
type jsonWriter struct {
	d     *Decoder
	nodes []node
	limit int
}

func (w *jsonWriter) tooLong(dst []byte) error {
	if len(dst) > w.limit {
		return &damage{0, "the record expands to too much text"}
	}
	return nil
}

// record appends {"Root":value}.
func (w *jsonWriter) record(dst []byte, root int32) ([]byte, error) {
	dst = append(append(append(dst, '{', '"'), w.d.names[w.nodes[root].name]...), '"', ':')
	dst, err := w.value(dst, root, false)
	return append(dst, '}'), err
}

// hasText tells whether a node of character data writes something.
func (w *jsonWriter) hasText(n *node) bool {
	switch n.kind {
	case kindText, kindCDATA:
		return !emptyText(w.d.buf[n.lo:n.hi])
	case kindValue:
		return !emptyValue(n.typ, w.d.buf[n.lo:n.hi])
	case kindCharRef, kindEntity:
		return true
	}
	return false
}

func (w *jsonWriter) chainHasText(c int32) bool {
	for ; c != 0; c = w.nodes[c].next {
		if w.hasText(&w.nodes[c]) {
			return true
		}
	}
	return false
}

// layout tells whether an element has text, child elements and attributes with
// text.
func (w *jsonWriter) layout(e *node) (text, elements, attrs bool) {
	for c := e.child; c != 0; c = w.nodes[c].next {
		if w.nodes[c].kind == kindElement {
			elements = true
		} else if !text {
			text = w.hasText(&w.nodes[c])
		}
	}
	for a := e.attr; a != 0 && !attrs; a = w.nodes[a].next {
		attrs = w.chainHasText(w.nodes[a].child)
	}
	return text, elements, attrs
}

// value appends an element's value. container tells that the element is
// EventData or UserData.
func (w *jsonWriter) value(dst []byte, i int32, container bool) ([]byte, error) {
	e := &w.nodes[i]
	text, elements, attrs := w.layout(e)
	switch {
	case elements || attrs:
		return w.object(dst, i, container, true)
	case text:
		return w.text(dst, e.child), w.tooLong(dst)
	}
	return append(dst, "null"...), nil
}

// text appends character data: a number or a boolean bare when it is the only
// node with text, everything else as a string. Elements in between are skipped.
func (w *jsonWriter) text(dst []byte, c int32) []byte {
	single, many := int32(0), false
	for i := c; i != 0; i = w.nodes[i].next {
		if w.hasText(&w.nodes[i]) {
			many = single != 0
			single = i
		}
		if many {
			break
		}
	}
	if single != 0 && !many {
		if n := &w.nodes[single]; n.kind == kindValue && bare(n.typ) {
			return appendValue(dst, n.typ, w.d.buf[n.lo:n.hi], modeJSON)
		}
	}
	dst = append(dst, '"')
	for i := c; i != 0; i = w.nodes[i].next {
		dst = w.d.appendNode(dst, &w.nodes[i], modeJSON)
	}
	return append(dst, '"')
}

// data appends the value of a Data element, whose attributes do not show; "" when
// it has none.
func (w *jsonWriter) data(dst []byte, i int32) ([]byte, error) {
	e := &w.nodes[i]
	text, elements, _ := w.layout(e)
	switch {
	case elements:
		return w.object(dst, i, false, false)
	case text:
		return w.text(dst, e.child), w.tooLong(dst)
	}
	return append(dst, `""`...), nil
}

// object appends an element as an object.
func (w *jsonWriter) object(dst []byte, i int32, container, attrs bool) ([]byte, error) {
	e := &w.nodes[i]
	dst = append(dst, '{')
	start := len(dst)
	comma := func() {
		if len(dst) > start {
			dst = append(dst, ',')
		}
	}
	if attrs {
		dst = w.attributes(dst, e)
	}
	if text, _, _ := w.layout(e); text {
		comma()
		dst = w.text(append(dst, `"#text":`...), e.child)
	}
	var names, dataNames nameCounts
	scratch := len(w.d.scratch)
	defer func() { w.d.scratch = w.d.scratch[:scratch] }()
	named, gathered := container && w.hasNamedData(e), false
	for c := e.child; c != 0; c = w.nodes[c].next {
		n := &w.nodes[c]
		if n.kind != kindElement {
			continue
		}
		if err := w.tooLong(dst); err != nil {
			return dst, err
		}
		var err error
		switch {
		case container && w.isData(n) && named:
			name := w.dataName(n)
			if name == nil {
				// evtx_dump drops a Data without name beside named ones; it is kept here.
				comma()
				dst = names.appendKey(dst, w.d.names[n.name])
				dst, err = w.data(dst, c)
				break
			}
			comma()
			dst = dataNames.appendKey(dst, name)
			if dst, c, err = w.dataRun(dst, c, name); err != nil {
				return dst, err
			}
		case container && w.isData(n):
			if gathered {
				continue
			}
			gathered = true
			comma()
			dst, err = w.gather(dst, e)
		default:
			comma()
			name := w.d.names[n.name]
			dst = names.appendKey(dst, name)
			dst, err = w.value(dst, c, isContainer(name))
		}
		if err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// attributes appends "#attributes":{…} unless no attribute has text.
func (w *jsonWriter) attributes(dst []byte, e *node) []byte {
	start := len(dst)
	for a := e.attr; a != 0; a = w.nodes[a].next {
		n := &w.nodes[a]
		if !w.chainHasText(n.child) {
			continue
		}
		if len(dst) == start {
			dst = append(dst, `"#attributes":{`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), w.d.names[n.name]...), '"', ':')
		dst = w.text(dst, n.child)
	}
	if len(dst) > start {
		dst = append(dst, '}')
	}
	return dst
}

func isContainer(name []byte) bool { return string(name) == "EventData" || string(name) == "UserData" }

func (w *jsonWriter) isData(n *node) bool { return string(w.d.names[n.name]) == "Data" }

func (w *jsonWriter) hasNamedData(e *node) bool {
	for c := e.child; c != 0; c = w.nodes[c].next {
		if n := &w.nodes[c]; n.kind == kindElement && w.isData(n) && w.hasDataName(n) {
			return true
		}
	}
	return false
}

// hasDataName tells whether a Data element has a name.
func (w *jsonWriter) hasDataName(n *node) bool {
	for a := n.attr; a != 0; a = w.nodes[a].next {
		if string(w.d.names[w.nodes[a].name]) == "Name" {
			return w.chainHasText(w.nodes[a].child)
		}
	}
	return false
}

// dataName gives a Data element's name, escaped for JSON, nil when it has none.
// The slice lies in the Decoder's scratch, which the caller cuts back.
func (w *jsonWriter) dataName(n *node) []byte {
	for a := n.attr; a != 0; a = w.nodes[a].next {
		if string(w.d.names[w.nodes[a].name]) != "Name" {
			continue
		}
		if !w.chainHasText(w.nodes[a].child) {
			return nil
		}
		start := len(w.d.scratch)
		for c := w.nodes[a].child; c != 0; c = w.nodes[c].next {
			w.d.scratch = w.d.appendNode(w.d.scratch, &w.nodes[c], modeJSON)
		}
		return w.d.scratch[start:len(w.d.scratch):len(w.d.scratch)]
	}
	return nil
}

// dataRun appends the value of the Data element first, or an array of its and the
// following ones' when they have the same name, as an array's items do. It gives
// the last element of the run.
func (w *jsonWriter) dataRun(dst []byte, first int32, name []byte) ([]byte, int32, error) {
	last, many := first, false
	open := len(dst)
	dst, err := w.data(dst, first)
	for c := w.nodes[first].next; c != 0 && err == nil; c = w.nodes[c].next {
		n := &w.nodes[c]
		if n.kind != kindElement {
			continue
		}
		if !w.isData(n) || !bytes.Equal(w.dataName(n), name) {
			break
		}
		if !many {
			many = true
			dst = append(dst, 0)
			copy(dst[open+1:], dst[open:])
			dst[open] = '['
		}
		dst, err = w.data(append(dst, ','), c)
		last = c
	}
	if many {
		dst = append(dst, ']')
	}
	return dst, last, err
}

// gather appends all Data children of a container as "Data":{"#text":…}.
func (w *jsonWriter) gather(dst []byte, e *node) ([]byte, error) {
	count := 0
	for c := e.child; c != 0; c = w.nodes[c].next {
		if n := &w.nodes[c]; n.kind == kindElement && w.isData(n) {
			count++
		}
	}
	dst = append(dst, `"Data":{"#text":`...)
	if count > 1 {
		dst = append(dst, '[')
	}
	seen := 0
	for c := e.child; c != 0; c = w.nodes[c].next {
		if n := &w.nodes[c]; n.kind != kindElement || !w.isData(n) {
			continue
		}
		if seen++; seen > 1 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = w.data(dst, c); err != nil {
			return dst, err
		}
	}
	if count > 1 {
		dst = append(dst, ']')
	}
	return append(dst, '}'), nil
}

// nameCounts numbers repeated keys of one object. It keeps the keys' slices.
type nameCounts struct {
	few  [24]countedName
	n    int
	many map[string]int
}

type countedName struct {
	name  []byte
	count int
}

// appendKey appends "name": or, for the n-th repetition, "name_n":.
func (c *nameCounts) appendKey(dst, name []byte) []byte {
	n := c.next(name)
	dst = append(append(dst, '"'), name...)
	if n > 0 {
		dst = strconv.AppendInt(append(dst, '_'), int64(n), 10)
	}
	return append(dst, '"', ':')
}

// next gives 0 the first time it sees name, then 1, 2….
func (c *nameCounts) next(name []byte) int {
	for i := range c.n {
		if e := &c.few[i]; bytes.Equal(e.name, name) {
			e.count++
			return e.count
		}
	}
	if c.n < len(c.few) {
		c.few[c.n] = countedName{name: name}
		c.n++
		return 0
	}
	if c.many == nil {
		c.many = make(map[string]int)
	}
	n, seen := c.many[string(name)]
	if seen {
		n++
	}
	c.many[string(name)] = n
	return n
}
