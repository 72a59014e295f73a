package datafile

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/wadi-project/wadi/internal/schema"
)

// maxRowBytes bounds one encoded row: far above any event (an EVTX record is at
// most 64 KB of binary XML), far below what would upset the memory budget.
const maxRowBytes = 32 << 20

// Rows is a growing arena of encoded rows of one table. A row is written as
//
//	b.Begin()
//	b.Int(time, us)
//	b.Bytes(channel, text)
//	b.End()
//
// Columns are named by their index in Table.Columns and may be set in any order;
// what isn't set is null. A column that is set twice keeps its first value.
// Setting nothing allocates once the arena has grown; Reset keeps the memory.
// A Rows is not safe for concurrent use.
type Rows struct {
	table *schema.Table
	kinds []schema.Disk
	need  []int // indexes of required columns
	keys  keyer

	// buf holds rows back to back: 4 bytes of body length, body, 2 bytes of
	// key length, key. A body is a list of values: uvarint column index, then by type a zigzag
	// varint, 8 bytes, 1 byte, or uvarint length and bytes.
	buf   []byte
	n     int
	start int      // where the row begun starts, -1 outside Begin and End
	at    []uint32 // by column: offset of its value from start, valid if seen
	seen  []uint32 // by column: the number of the row that set it
	row   uint32
	used  []bool // by column: whether any row set it since Reset
	err   error

	front    front
	numbered int // rows begun with BeginNumbered
	isFront  bool
}

// rowHead is the room left in front of a row for its length.
const rowHead = 4

// NewRows makes an empty arena for rows of the table, which must not change.
func NewRows(t *schema.Table) *Rows {
	b := &Rows{
		table: t, kinds: make([]schema.Disk, len(t.Columns)), keys: newKeyer(t), start: -1,
		at: make([]uint32, len(t.Columns)), seen: make([]uint32, len(t.Columns)),
		used: make([]bool, len(t.Columns)), front: newFront(t),
	}
	for i := range t.Columns {
		b.kinds[i] = t.Columns[i].Disk
		if t.Columns[i].Required {
			b.need = append(b.need, i)
		}
	}
	return b
}

// Table is the table the rows belong to.
func (b *Rows) Table() *schema.Table { return b.table }

// Len is the number of finished rows.
func (b *Rows) Len() int { return b.n }

// SizeBytes is the memory that the rows take in encoded form; a good moment to
// hand them over is at about 1 MB.
func (b *Rows) SizeBytes() int { return len(b.buf) }

// Err is the first row that could not be taken (a required column missing, or
// longer than 32 MB); such rows are left out. Sorter.Add refuses with it.
func (b *Rows) Err() error { return b.err }

// Reset empties the arena and its error; its memory is kept.
func (b *Rows) Reset() {
	b.buf, b.n, b.start, b.err, b.numbered = b.buf[:0], 0, -1, nil, 0
	clear(b.used)
}

// Begin starts a row. A row begun and not ended is dropped.
func (b *Rows) Begin() {
	if b.start >= 0 {
		b.buf = b.buf[:b.start]
	}
	b.start, b.isFront = len(b.buf), false
	b.buf = append(b.buf, 0, 0, 0, 0)
	b.row++
	if b.row == 0 { // wrapped: forget what the marks of 2^32 rows ago mean
		clear(b.seen)
		b.row = 1
	}
}

// Drop forgets the row begun.
func (b *Rows) Drop() {
	if b.start >= 0 {
		b.buf, b.start = b.buf[:b.start], -1
	}
}

// Has tells whether the row begun has a value in that column.
func (b *Rows) Has(col int) bool { return b.seen[col] == b.row }

// open writes the column's index; false when the column has a value already.
func (b *Rows) open(col int, ok bool) bool {
	if !ok || b.start < 0 {
		panic(fmt.Sprintf("BUG: column %s of %s is %v, set as another type or outside of a row", b.table.Columns[col].Name, b.table.Name, b.kinds[col]))
	}
	if b.seen[col] == b.row {
		return false
	}
	b.seen[col] = b.row
	b.used[col] = true
	b.buf = binary.AppendUvarint(b.buf, uint64(col))
	b.at[col] = uint32(len(b.buf) - b.start)
	return true
}

// Int sets an int, long or timestamptz (µs since 1970, UTC) column. The value of
// an int column must fit 32 bits.
func (b *Rows) Int(col int, v int64) {
	k := b.kinds[col]
	if b.open(col, k == schema.DiskLong || k == schema.DiskTimestamptz || k == schema.DiskInt) {
		if k == schema.DiskInt && int64(int32(v)) != v {
			b.fail(fmt.Errorf("cannot store %d in column %s: it doesn't fit 32 bits", v, b.table.Columns[col].Name))
		}
		b.buf = binary.AppendVarint(b.buf, v)
	}
}

// Bytes sets a string column to a copy of v, which must be UTF-8; nil and empty
// are the empty string, not null.
func (b *Rows) Bytes(col int, v []byte) {
	if b.open(col, b.kinds[col] == schema.DiskString) {
		b.buf = binary.AppendUvarint(b.buf, uint64(len(v)))
		b.buf = append(b.buf, v...)
	}
}

// String sets a string column, as Bytes does.
func (b *Rows) String(col int, v string) {
	if b.open(col, b.kinds[col] == schema.DiskString) {
		b.buf = binary.AppendUvarint(b.buf, uint64(len(v)))
		b.buf = append(b.buf, v...)
	}
}

// Real sets a double column.
func (b *Rows) Real(col int, v float64) { b.bits(col, math.Float64bits(v)) }

// bits sets a double column to the number with these bits.
func (b *Rows) bits(col int, v uint64) {
	if b.open(col, b.kinds[col] == schema.DiskDouble) {
		b.buf = binary.LittleEndian.AppendUint64(b.buf, v)
	}
}

// Bool sets a boolean column.
func (b *Rows) Bool(col int, v bool) {
	if b.open(col, b.kinds[col] == schema.DiskBoolean) {
		x := byte(0)
		if v {
			x = 1
		}
		b.buf = append(b.buf, x)
	}
}

// End finishes the row. A row without one of its required columns, or that is too
// long, is left out and remembered in Err.
func (b *Rows) End() {
	if b.start < 0 {
		panic("BUG: End of a row that was not begun")
	}
	for _, c := range b.need {
		if b.seen[c] != b.row {
			b.fail(fmt.Errorf("cannot store a row of %s: required column %s is not set", b.table.Name, b.table.Columns[c].Name))
		}
	}
	body := len(b.buf) - b.start - rowHead
	if body > maxRowBytes {
		b.fail(fmt.Errorf("cannot store a row of %s: %d bytes, the limit is %d", b.table.Name, body, maxRowBytes))
	}
	if b.start >= 0 && b.err == nil {
		binary.LittleEndian.PutUint32(b.buf[b.start:], uint32(body))
		b.appendKey()
	}
	if b.start >= 0 && b.err == nil { // the key may be too long
		b.n++
		if b.isFront {
			b.numbered++
		}
	} else {
		b.Drop()
	}
	b.start = -1
}

// fail keeps the first error; End drops every row from there on.
func (b *Rows) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}
