package datafile

import "encoding/binary"

// Types of Thrift's compact protocol, as far as Parquet's footer needs them.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

// thrift writes Thrift's compact protocol: fields with ascending ids within
// structs (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md).
type thrift struct {
	buf  []byte
	last []int // last field id, by nesting
}

// field writes a field's head.
func (t *thrift) field(id, typ int) {
	top := len(t.last) - 1
	// Parquet's ids are small and ascending, so the delta always fits 4 bits.
	t.buf = append(t.buf, byte((id-t.last[top])<<4|typ))
	t.last[top] = id
}

// begin starts a struct; what precedes it is a field head or a list head.
func (t *thrift) begin() { t.last = append(t.last, 0) }

// end finishes a struct.
func (t *thrift) end() {
	t.buf = append(t.buf, 0)
	t.last = t.last[:len(t.last)-1]
}

// object starts a field that is a struct.
func (t *thrift) object(id int) {
	t.field(id, thriftStruct)
	t.begin()
}

// empty writes a field that is a struct without fields, as unions have them.
func (t *thrift) empty(id int) {
	t.object(id)
	t.end()
}

func (t *thrift) i32(id int, v int32) {
	t.field(id, thriftI32)
	t.buf = binary.AppendVarint(t.buf, int64(v))
}

func (t *thrift) i64(id int, v int64) {
	t.field(id, thriftI64)
	t.buf = binary.AppendVarint(t.buf, v)
}

func (t *thrift) boolean(id int, v bool) {
	typ := thriftFalse
	if v {
		typ = thriftTrue
	}
	t.field(id, typ)
}

func (t *thrift) text(id int, v string) {
	t.field(id, thriftBinary)
	t.element(v)
}

func (t *thrift) bytes(id int, v []byte) {
	t.field(id, thriftBinary)
	t.buf = binary.AppendUvarint(t.buf, uint64(len(v)))
	t.buf = append(t.buf, v...)
}

// element writes a text in a list.
func (t *thrift) element(v string) {
	t.buf = binary.AppendUvarint(t.buf, uint64(len(v)))
	t.buf = append(t.buf, v...)
}

// list starts a field that is a list of n elements.
func (t *thrift) list(id, typ, n int) {
	t.field(id, thriftList)
	if n < 15 {
		t.buf = append(t.buf, byte(n<<4|typ))
		return
	}
	t.buf = append(t.buf, byte(0xf0|typ))
	t.buf = binary.AppendUvarint(t.buf, uint64(n))
}

// i32s writes a list of numbers.
func (t *thrift) i32s(id int, values ...int32) {
	t.list(id, thriftI32, len(values))
	for _, v := range values {
		t.buf = binary.AppendVarint(t.buf, int64(v))
	}
}
