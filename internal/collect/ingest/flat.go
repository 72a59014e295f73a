package ingest

import (
	"encoding/binary"
	"errors"
)

// The Arrow library trusts the lengths in a stream's metadata: a wrong one makes it
// ask the system for gigabytes, which no recover catches. So the metadata are
// checked here first (flatbuffers; Arrow's Message.fbs and Schema.fbs).

var errFlat = errors.New("the metadata are damaged")

// Limits of a stream's metadata.
const (
	// maxFlatTables bounds the tables of one message: each column has some five.
	maxFlatTables = 64 << 10
	// maxFlatDepth bounds columns within columns.
	maxFlatDepth = 32
	// maxNodeRows bounds the values of one array: lists have more than rows.
	maxNodeRows = 16 << 20
)

// checkArrow walks the messages of a stream.
func checkArrow(b []byte) error {
	for len(b) >= 4 {
		length := int64(binary.LittleEndian.Uint32(b))
		b = b[4:]
		if length == 0xffffffff {
			if len(b) < 4 {
				return errFlat
			}
			length = int64(binary.LittleEndian.Uint32(b))
			b = b[4:]
		}
		if length == 0 {
			return nil
		}
		if length > int64(len(b)) {
			return errFlat
		}
		f := flat{b: b[:length], tables: maxFlatTables}
		body := f.message()
		if f.bad || body < 0 || body > int64(len(b))-length {
			return errFlat
		}
		b = b[length+body:]
	}
	return nil
}

// flat reads flatbuffers. After a place that does not exist, bad is true and
// everything is 0.
type flat struct {
	b      []byte
	tables int
	bad    bool
}

func (f *flat) bytes(at, n int) []byte {
	if f.bad || at < 0 || n < 0 || at > len(f.b)-n {
		f.bad = true
		return make([]byte, 8)
	}
	return f.b[at : at+n]
}

func (f *flat) u16(at int) int   { return int(binary.LittleEndian.Uint16(f.bytes(at, 2))) }
func (f *flat) u32(at int) int   { return int(binary.LittleEndian.Uint32(f.bytes(at, 4))) }
func (f *flat) i64(at int) int64 { return int64(binary.LittleEndian.Uint64(f.bytes(at, 8))) }

// ref follows the reference at a place.
func (f *flat) ref(at int) int { return at + f.u32(at) }

// flatTable is a table and its list of fields.
type flatTable struct{ at, fields, size int }

func (f *flat) table(at int) flatTable {
	if f.tables--; f.tables < 0 {
		f.bad = true
	}
	t := flatTable{at: at, fields: at - int(int32(f.u32(at)))}
	t.size = f.u16(t.fields)
	f.bytes(t.fields, t.size)
	f.bytes(at, f.u16(t.fields+2))
	return t
}

// field gives the place of a table's n-th field, 0 when it has none.
func (f *flat) field(t flatTable, n int) int {
	if slot := 4 + 2*n; !f.bad && slot < t.size {
		if off := f.u16(t.fields + slot); off != 0 {
			return t.at + off
		}
	}
	return 0
}

// vector checks the vector (or text) that a field refers to and gives its first
// element and their number.
func (f *flat) vector(t flatTable, n, size int) (at, count int) {
	p := f.field(t, n)
	if p == 0 {
		return 0, 0
	}
	p = f.ref(p)
	count = f.u32(p)
	if count > len(f.b) {
		f.bad = true
		return 0, 0
	}
	f.bytes(p+4, count*size)
	if f.bad {
		return 0, 0
	}
	return p + 4, count
}

// each visits the tables of a vector.
func (f *flat) each(t flatTable, n int, visit func(flatTable)) {
	at, count := f.vector(t, n, 4)
	for i := 0; i < count && !f.bad; i++ {
		visit(f.table(f.ref(at + 4*i)))
	}
}

// child gives the table that a field refers to.
func (f *flat) child(t flatTable, n int) (flatTable, bool) {
	p := f.field(t, n)
	if p == 0 || f.bad {
		return flatTable{}, false
	}
	return f.table(f.ref(p)), !f.bad
}

// metadata checks keys and values.
func (f *flat) metadata(t flatTable, n int) {
	f.each(t, n, func(kv flatTable) {
		f.vector(kv, 0, 1)
		f.vector(kv, 1, 1)
	})
}

// Kinds of messages.
const (
	flatSchema          = 1
	flatDictionaryBatch = 2
	flatRecordBatch     = 3
)

// message checks a message and gives the length of its body.
func (f *flat) message() (body int64) {
	m := f.table(f.u32(0))
	kind := 0
	if p := f.field(m, 1); p != 0 {
		kind = int(f.bytes(p, 1)[0])
	}
	header, ok := f.child(m, 2)
	if p := f.field(m, 3); p != 0 {
		body = f.i64(p)
	}
	f.metadata(m, 4)
	if !ok {
		f.bad = true
		return 0
	}
	switch kind {
	case flatSchema:
		f.each(header, 1, func(t flatTable) { f.column(t, 0) })
		f.metadata(header, 2)
		f.vector(header, 3, 8)
	case flatRecordBatch:
		f.batch(header)
	case flatDictionaryBatch:
		if data, ok := f.child(header, 1); ok {
			f.batch(data)
		}
	default:
		f.bad = true
	}
	return body
}

// Arrow's types whose tables hold a text or a vector.
const (
	flatTimestamp = 10
	flatUnion     = 14
)

// column checks a column and its children.
func (f *flat) column(t flatTable, depth int) {
	if depth > maxFlatDepth {
		f.bad = true
		return
	}
	f.vector(t, 0, 1)
	kind := 0
	if p := f.field(t, 2); p != 0 {
		kind = int(f.bytes(p, 1)[0])
	}
	if typ, ok := f.child(t, 3); ok {
		switch kind {
		case flatTimestamp:
			f.vector(typ, 1, 1)
		case flatUnion:
			f.vector(typ, 1, 4)
		}
	}
	if dictionary, ok := f.child(t, 4); ok {
		f.child(dictionary, 1)
	}
	f.each(t, 5, func(c flatTable) { f.column(c, depth+1) })
	f.metadata(t, 6)
}

// batch checks the lengths of a batch.
func (f *flat) batch(t flatTable) {
	rows := func(n int64) {
		if n < 0 || n > maxNodeRows {
			f.bad = true
		}
	}
	if p := f.field(t, 0); p != 0 {
		rows(f.i64(p))
	}
	at, count := f.vector(t, 1, 16)
	for i := range count {
		rows(f.i64(at + 16*i))
	}
	_, buffers := f.vector(t, 2, 16)
	f.child(t, 3)
	at, count = f.vector(t, 4, 8)
	for i := range count {
		if n := f.i64(at + 8*i); n < 0 || n > int64(buffers) {
			f.bad = true
		}
	}
}
