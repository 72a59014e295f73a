package datafile

import (
	"encoding/binary"

	"github.com/wadi-project/wadi/internal/schema"
)

// group is one row group in memory, by column.
type group struct {
	cols  []column
	kinds []schema.Disk
	rows  int
	bytes int
	limit int // rows it may have
}

// column is one column of a group.
type column struct {
	n int // values
	// rows are the rows that have a value, kept only once a row had none: until
	// then the first n rows have one.
	rows   []uint32
	sparse bool
	// nums are ints, longs, times, booleans (0, 1) and the bits of doubles.
	nums []int64
	// lens are the lengths of texts; their bytes lie one behind the other in
	// chunks, none across two. chunk is the one being filled.
	lens   []uint32
	chunks [][]byte
	chunk  int
}

// valueBytes is what a value takes beside its text; it counts for maxGroupBytes.
const valueBytes = 12

// Text chunks grow from small to large: a table has hundreds of columns, most of
// them nearly empty.
const (
	minChunkBytes = 4 << 10
	maxChunkBytes = 1 << 20
)

func newGroup(t *schema.Table, limit int) *group {
	g := &group{limit: limit, cols: make([]column, len(t.Columns)), kinds: make([]schema.Disk, len(t.Columns))}
	for i := range t.Columns {
		g.kinds[i] = t.Columns[i].Disk
	}
	return g
}

// full tells that no further row should be added.
func (g *group) full() bool { return g.rows >= g.limit || g.bytes >= maxGroupBytes }

// reset empties the group and keeps its memory, except that of large texts in
// columns that are rarely so large.
func (g *group) reset() {
	g.rows, g.bytes = 0, 0
	for i := range g.cols {
		c := &g.cols[i]
		if c.n == 0 && c.chunks != nil {
			c.chunks = nil
		}
		c.n, c.sparse, c.chunk = 0, false, 0
		c.rows, c.nums, c.lens = c.rows[:0], c.nums[:0], c.lens[:0]
		for k := range c.chunks {
			if cap(c.chunks[k]) > maxChunkBytes {
				c.chunks = c.chunks[:k]
				break
			}
			c.chunks[k] = c.chunks[k][:0]
		}
	}
}

// add takes the values of one encoded row. The row is Wadi's own; an error means
// that memory or a temporary file is not as it was written.
func (g *group) add(body []byte) error {
	row := uint32(g.rows)
	for at := 0; at < len(body); {
		ci := int(body[at])
		at++
		if ci >= 0x80 {
			v, w := binary.Uvarint(body[at-1:])
			if w <= 0 || v >= uint64(len(g.cols)) {
				return errRow
			}
			ci, at = int(v), at-1+w
		} else if ci >= len(g.cols) {
			return errRow
		}
		c := &g.cols[ci]
		if c.sparse {
			c.rows = append(c.rows, row)
		} else if c.n != int(row) {
			c.spread(row)
		}
		c.n++
		g.bytes += valueBytes
		switch g.kinds[ci] {
		case schema.DiskString:
			n, w := binary.Uvarint(body[at:])
			if w <= 0 || n > uint64(len(body)-at-w) {
				return errRow
			}
			at += w
			c.text(body[at : at+int(n)])
			at += int(n)
			g.bytes += int(n)
		case schema.DiskBoolean:
			if at >= len(body) {
				return errRow
			}
			c.nums = append(c.nums, int64(body[at]))
			at++
		case schema.DiskDouble:
			if at+8 > len(body) {
				return errRow
			}
			c.nums = append(c.nums, int64(binary.LittleEndian.Uint64(body[at:])))
			at += 8
		default:
			v, w := binary.Varint(body[at:])
			if w <= 0 {
				return errRow
			}
			c.nums = append(c.nums, v)
			at += w
		}
	}
	g.rows++
	return nil
}

// spread begins to note which rows have a value.
func (c *column) spread(row uint32) {
	c.sparse = true
	for i := range c.n {
		c.rows = append(c.rows, uint32(i))
	}
	c.rows = append(c.rows, row)
}

// text copies a text behind the others.
func (c *column) text(v []byte) {
	c.lens = append(c.lens, uint32(len(v)))
	for c.chunk < len(c.chunks) {
		k := c.chunks[c.chunk]
		if len(v) <= cap(k)-len(k) {
			c.chunks[c.chunk] = append(k, v...)
			return
		}
		c.chunk++
	}
	size := minChunkBytes
	if n := len(c.chunks); n > 0 {
		size = min(cap(c.chunks[n-1])*8, maxChunkBytes)
	}
	c.chunks = append(c.chunks, append(make([]byte, 0, max(size, len(v))), v...))
	c.chunk = len(c.chunks) - 1
}

// texts walks over a column's texts in order.
type texts struct {
	c         *column
	i         int
	chunk, at int
}

// next gives the next text; the caller knows how many there are.
func (t *texts) next() []byte {
	n := int(t.c.lens[t.i])
	t.i++
	for n > 0 && t.at == len(t.c.chunks[t.chunk]) { // it didn't fit, so it lies in a later chunk
		t.chunk++
		t.at = 0
	}
	v := t.c.chunks[t.chunk][t.at : t.at+n : t.at+n]
	t.at += n
	return v
}
