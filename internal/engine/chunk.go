//go:build cgo

package engine

import (
	"fmt"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// A vector of DuckDB is memory in its C API's documented layout (duckdb.h,
// "Vector Interface"): values of fixed width back to back; strings as
// duckdb_string_t; one bit a row that is set where the value is not null, in words
// of 64 bits, or no such words when nothing is null. All is in the machine's order of
// bytes, which is the wire's: every supported machine is little endian.

// stringBytes is the size of duckdb_string_t: length (4), then up to inlineBytes
// of the text, or 4 bytes of its prefix and a pointer to it.
const (
	stringBytes = 16
	inlineBytes = 12
)

// column is one column of a chunk, readable as long as the chunk lives.
type column struct {
	data  unsafe.Pointer
	valid unsafe.Pointer // nil: no nulls
}

func columnOf(v bindings.Vector) column {
	return column{data: bindings.VectorGetData(v), valid: bindings.VectorGetValidity(v)}
}

func (c column) null(row int) bool {
	if c.valid == nil {
		return false
	}
	word := *(*uint64)(unsafe.Add(c.valid, row/64*8))
	return word&(1<<(row%64)) == 0
}

func (c column) int32(row int) int32 { return *(*int32)(unsafe.Add(c.data, row*4)) }
func (c column) int64(row int) int64 { return *(*int64)(unsafe.Add(c.data, row*8)) }

func (c column) textLen(row int) int {
	return int(*(*uint32)(unsafe.Add(c.data, row*stringBytes)))
}

// text gives DuckDB's own bytes, valid as long as the chunk.
func (c column) text(row int) []byte {
	at := unsafe.Add(c.data, row*stringBytes)
	n := int(*(*uint32)(at))
	if n <= inlineBytes {
		return unsafe.Slice((*byte)(unsafe.Add(at, 4)), n)
	}
	return unsafe.Slice(*(**byte)(unsafe.Add(at, 8)), n)
}

// chunk gathers the rows of a chunk, sends what is full, and says errFull when
// the result's limits are reached.
func (s *sender) chunk(c bindings.DataChunk) error {
	n := int(bindings.DataChunkGetSize(c))
	columns := make([]column, len(s.batch.columns))
	for i := range columns {
		columns[i] = columnOf(bindings.DataChunkGetVector(c, bindings.IdxT(i)))
	}
	for row := 0; row < n; {
		if s.rowsLeft <= 0 || s.bytesLeft <= 0 {
			s.truncated = true
			return errFull
		}
		end, size := s.fit(columns, row, n)
		if size > maxFrameBytes/2 {
			return fmt.Errorf("a row of %d bytes is too long to send; the limit is %d", size, maxFrameBytes/2)
		}
		s.batch.add(columns, row, end)
		s.rowsLeft -= int64(end - row)
		s.bytesLeft -= int64(size)
		row = end
		if s.batch.rows >= batchRows || s.batch.sizeBytes() >= batchBytes {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// fit tells how many rows from row on go into the batch at once: as many as keep
// it below its limits and the result within its own, at least one. size is what
// they take.
func (s *sender) fit(columns []column, row, n int) (end, size int) {
	n = min(n, row+batchRows-s.batch.rows)
	if left := int64(n - row); left > s.rowsLeft {
		n = row + int(s.rowsLeft)
	}
	room := min(int64(max(batchBytes-s.batch.sizeBytes(), 1)), s.bytesLeft)
	for end = row; end < n && int64(size) < room; end++ {
		for i := range columns {
			switch width := s.batch.columns[i].wire.width(); {
			case width > 0:
				size += width
			case columns[i].null(end):
				size += 4
			default:
				size += 4 + columns[i].textLen(end)
			}
		}
	}
	return end, size
}

// add appends rows from..to of the columns.
func (b *batch) add(columns []column, from, to int) {
	for i := range columns {
		b.columns[i].add(columns[i], b.rows, from, to)
	}
	b.rows += to - from
}

// add appends rows from..to of c behind the rows there are.
func (v *vector) add(c column, rows, from, to int) {
	n := to - from
	for len(v.nulls) < (rows+n+7)/8 {
		v.nulls = append(v.nulls, 0)
	}
	if c.valid != nil {
		for r := range n {
			if c.null(from + r) {
				v.nulls[(rows+r)/8] |= 1 << ((rows + r) % 8)
			}
		}
	}
	if width := v.wire.width(); width > 0 {
		start := len(v.fixed)
		v.fixed = append(v.fixed, unsafe.Slice((*byte)(unsafe.Add(c.data, from*width)), n*width)...)
		if c.valid != nil {
			v.clearNulls(c, from, to, start, width)
		}
		return
	}
	for r := from; r < to; r++ {
		if !c.null(r) {
			v.text = append(v.text, c.text(r)...)
		}
		v.ends = append(v.ends, uint32(len(v.text)))
	}
}

// clearNulls makes the values of null rows, which are undefined in DuckDB, zero.
func (v *vector) clearNulls(c column, from, to, start, width int) {
	for r := from; r < to; r++ {
		if c.null(r) {
			at := start + (r-from)*width
			clear(v.fixed[at : at+width])
		}
	}
}
