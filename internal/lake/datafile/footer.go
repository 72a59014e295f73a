package datafile

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/wadi-project/wadi/internal/schema"
)

const (
	// parquetMagic begins and ends a file.
	parquetMagic = "PAR1"
	// createdBy names the writer; readers know bugs of others by it.
	createdBy = "wadi"
	// schemaVersionKey names the schema version in a file's metadata.
	schemaVersionKey = "wadi.schema.version"
	// maxStatText is the longest minimum or maximum of a text in a footer: a
	// longer one prunes nothing that a short one doesn't.
	maxStatText = 64
	// minStatRows is from how many rows on a row group has minimum and maximum of
	// all columns, so that readers skip it: reading a smaller one costs less than
	// a larger footer. Columns with schema.Column.Stats always have them.
	minStatRows = 16 << 10
)

// rowGroup is what the footer says of one row group.
type rowGroup struct {
	offset int64
	rows   int
	chunks []chunk // without their data
	sizes  []int64
}

// Physical types of Parquet by what lies on disk.
var physicalTypes = map[schema.Disk]int32{
	schema.DiskBoolean: 0, schema.DiskInt: 1, schema.DiskLong: 2, schema.DiskTimestamptz: 2,
	schema.DiskDouble: 5, schema.DiskString: 6,
}

// footer gives the end of a file: metadata, its length, magic.
func footer(t *schema.Table, cols []int, groups []rowGroup) []byte {
	var w thrift
	rows := int64(0)
	for i := range groups {
		rows += int64(groups[i].rows)
	}
	w.begin()
	w.i32(1, 2)
	w.list(2, thriftStruct, len(cols)+1)
	w.begin()
	w.text(4, "table")
	w.i32(5, int32(len(cols)))
	w.end()
	for _, c := range cols {
		w.column(&t.Columns[c])
	}
	w.i64(3, rows)
	w.list(4, thriftStruct, len(groups))
	for i := range groups {
		w.group(t, cols, &groups[i], i)
	}
	w.list(5, thriftStruct, 1)
	w.begin()
	w.text(1, schemaVersionKey)
	w.text(2, strconv.Itoa(t.Version))
	w.end()
	w.text(6, createdBy)
	w.list(7, thriftStruct, len(cols))
	for range cols { // each column is ordered as its type defines
		w.begin()
		w.empty(1)
		w.end()
	}
	w.end()
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(w.buf)))
	return append(w.buf, parquetMagic...)
}

// column describes a column of the schema.
func (w *thrift) column(c *schema.Column) {
	w.begin()
	w.i32(1, physicalTypes[c.Disk])
	if c.Required {
		w.i32(3, 0)
	} else {
		w.i32(3, 1)
	}
	w.text(4, c.Name)
	switch c.Disk {
	case schema.DiskString:
		w.i32(6, 0) // UTF8
	case schema.DiskTimestamptz:
		w.i32(6, 10) // TIMESTAMP_MICROS
	}
	w.i32(9, int32(c.FieldID))
	switch c.Disk {
	case schema.DiskString:
		w.object(10)
		w.empty(1)
		w.end()
	case schema.DiskTimestamptz:
		w.object(10)
		w.object(8)
		w.boolean(1, true) // in UTC
		w.object(2)
		w.empty(2) // microseconds
		w.end()
		w.end()
		w.end()
	}
	w.end()
}

// group describes a row group.
func (w *thrift) group(t *schema.Table, cols []int, g *rowGroup, ordinal int) {
	raw, size, at := int64(0), int64(0), g.offset
	w.begin()
	w.list(1, thriftStruct, len(cols))
	for i := range g.chunks {
		c := &g.chunks[i]
		col := &t.Columns[cols[i]]
		w.begin()
		w.i64(2, 0) // deprecated: no metadata beside the chunk
		w.object(3)
		w.i32(1, physicalTypes[col.Disk])
		w.i32s(2, c.encodings...)
		w.list(3, thriftBinary, 1)
		w.element(col.Name)
		w.i32(4, c.codec)
		w.i64(5, int64(g.rows))
		w.i64(6, c.raw)
		w.i64(7, g.sizes[i])
		w.i64(9, at+c.dictSize)
		if c.dictSize > 0 {
			w.i64(11, at)
		}
		w.stats(c, col, g.rows)
		w.end()
		w.end()
		raw, size, at = raw+c.raw, size+g.sizes[i], at+g.sizes[i]
	}
	w.i64(2, raw)
	w.i64(3, int64(g.rows))
	w.i64(5, g.offset)
	w.i64(6, size)
	w.field(7, thriftI16)
	w.buf = binary.AppendVarint(w.buf, int64(min(ordinal, math.MaxInt16)))
	w.end()
}

// stats writes a chunk's nulls, minimum and maximum, exact or not at all.
func (w *thrift) stats(c *chunk, col *schema.Column, rows int) {
	w.object(12)
	w.i64(3, c.stats.nulls)
	if lo, hi, ok := c.stats.encoded(); ok && (col.Stats || rows >= minStatRows) {
		w.bytes(5, hi)
		w.bytes(6, lo)
	}
	w.end()
}

// encoded gives minimum and maximum as Parquet writes them; false when there is
// none that helps.
func (b *bounds) encoded() (lo, hi []byte, ok bool) {
	if !b.any {
		return nil, nil, false
	}
	switch b.kind {
	case schema.DiskBoolean:
		return []byte{byte(b.lo)}, []byte{byte(b.hi)}, true
	case schema.DiskInt:
		return binary.LittleEndian.AppendUint32(nil, uint32(b.lo)), binary.LittleEndian.AppendUint32(nil, uint32(b.hi)), true
	case schema.DiskDouble:
		lo, hi := b.flo, b.fhi
		if lo == 0 { // a reader must find both zeros
			lo = math.Copysign(0, -1)
		}
		if hi == 0 {
			hi = 0
		}
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(lo)), binary.LittleEndian.AppendUint64(nil, math.Float64bits(hi)), b.nans == 0
	case schema.DiskString:
		return b.slo, b.shi, len(b.slo) <= maxStatText && len(b.shi) <= maxStatText
	default:
		return binary.LittleEndian.AppendUint64(nil, uint64(b.lo)), binary.LittleEndian.AppendUint64(nil, uint64(b.hi)), true
	}
}
