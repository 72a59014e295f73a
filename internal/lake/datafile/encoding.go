package datafile

import (
	"fmt"
	"hash/maphash"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	pqschema "github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/wadi-project/wadi/internal/schema"
)

// Choices of encoding. They are made per file and column from a sample of the
// file's first row group; a column without values there gets a dictionary, which
// the Parquet library gives up when it passes dictionaryBytes.
const (
	// zstdLevel 3: level 1 saves little time here and costs several percent.
	zstdLevel = 3
	// sampleValues is how many values of a column are looked at.
	sampleValues = 2048
	// pageBytes is a page before compression: what a reader unpacks at least.
	pageBytes = 1 << 20
	// dictionaryBytes bounds a column's dictionary in a row group.
	dictionaryBytes = 1 << 20
	// longText is the average length from which minimum and maximum of a text
	// column prune nothing and are left out.
	longText = 160
	// maxStatBytes is the longest minimum or maximum in a footer.
	maxStatBytes = 128
	// schemaVersionKey names the schema version in a file's metadata.
	schemaVersionKey = "wadi.schema.version"
)

// sampleSeed makes the sample's hashes; any seed does, files don't depend on it
// but for a collision among 2,048 values.
var sampleSeed = maphash.MakeSeed()

// choice is how one column of a file is encoded.
type choice struct {
	dictionary bool
	plain      parquet.Encoding // without a dictionary
	stats      bool
}

// choose decides from the values of a row group.
func choose(kind schema.Disk, c *column) choice {
	out := choice{dictionary: kind != schema.DiskBoolean, plain: parquet.Encodings.Plain, stats: true}
	if kind == schema.DiskInt || kind == schema.DiskLong || kind == schema.DiskTimestamptz {
		out.plain = parquet.Encodings.DeltaBinaryPacked
	}
	if c.n == 0 || kind == schema.DiskBoolean {
		return out
	}
	step := max(c.n/sampleValues, 1)
	seen := make(map[uint64]struct{}, sampleValues)
	sampled, length := 0, 0
	walk := texts{c: c}
	for i := range c.n {
		if kind != schema.DiskString {
			if i%step == 0 {
				sampled++
				seen[uint64(c.nums[i])] = struct{}{}
			}
			continue
		}
		v := walk.next()
		length += len(v)
		if i%step == 0 {
			sampled++
			seen[maphash.Bytes(sampleSeed, v)] = struct{}{}
		}
	}
	if kind == schema.DiskString {
		out.stats = length/c.n < longText
		out.dictionary = len(seen)*2 <= sampled
		return out
	}
	out.dictionary = len(seen)*4 <= sampled
	return out
}

// properties are the Parquet writer's settings for a file.
func properties(t *schema.Table, cols []int, choices []choice) *parquet.WriterProperties {
	opts := []parquet.WriterProperty{
		parquet.WithVersion(parquet.V2_LATEST),
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithCompressionLevel(zstdLevel),
		parquet.WithDataPageSize(pageBytes),
		parquet.WithDictionaryPageSizeLimit(dictionaryBytes),
		parquet.WithMaxStatsSize(maxStatBytes),
		parquet.WithRootName("table"),
	}
	for i, ci := range cols {
		name := t.Columns[ci].Name
		opts = append(opts,
			parquet.WithDictionaryFor(name, choices[i].dictionary),
			parquet.WithStatsFor(name, choices[i].stats))
		if !choices[i].dictionary {
			opts = append(opts, parquet.WithEncodingFor(name, choices[i].plain))
		}
	}
	return parquet.NewWriterProperties(opts...)
}

// parquetSchema is the file's schema: Iceberg's names, types and field ids.
func parquetSchema(t *schema.Table, cols []int) (*pqschema.GroupNode, error) {
	fields := make(pqschema.FieldList, 0, len(cols))
	for _, ci := range cols {
		c := &t.Columns[ci]
		rep := parquet.Repetitions.Optional
		if c.Required {
			rep = parquet.Repetitions.Required
		}
		typ, logical := parquet.Types.ByteArray, pqschema.LogicalType(pqschema.NoLogicalType{})
		switch c.Disk {
		case schema.DiskBoolean:
			typ = parquet.Types.Boolean
		case schema.DiskInt:
			typ = parquet.Types.Int32
		case schema.DiskLong:
			typ = parquet.Types.Int64
		case schema.DiskDouble:
			typ = parquet.Types.Double
		case schema.DiskTimestamptz:
			typ, logical = parquet.Types.Int64, pqschema.NewTimestampLogicalType(true, pqschema.TimeUnitMicros)
		default:
			logical = pqschema.StringLogicalType{}
		}
		n, err := pqschema.NewPrimitiveNodeLogical(c.Name, rep, logical, typ, -1, int32(c.FieldID))
		if err != nil {
			return nil, fmt.Errorf("cannot describe column %s: %w", c.Name, err)
		}
		fields = append(fields, n)
	}
	root, err := pqschema.NewGroupNode("table", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, fmt.Errorf("cannot describe table %s: %w", t.Name, err)
	}
	return root, nil
}

// batchRows is how many rows are given to the Parquet library at a time.
const batchRows = 4096

// encoder holds the scratch memory of one goroutine that encodes columns.
type encoder struct {
	defs  []int16
	i32   []int32
	i64   []int64
	f64   []float64
	bools []bool
	text  []parquet.ByteArray
}

func newEncoder() *encoder {
	return &encoder{
		i32: make([]int32, batchRows), i64: make([]int64, batchRows), f64: make([]float64, batchRows),
		bools: make([]bool, batchRows), text: make([]parquet.ByteArray, batchRows),
	}
}

// column writes one column of a row group.
func (e *encoder) column(w file.ColumnChunkWriter, c *column, rows int, required bool) error {
	if required && c.n != rows {
		return fmt.Errorf("cannot write column %s: %d values for %d rows", w.Descr().Name(), c.n, rows)
	}
	var defs []int16
	if !required {
		defs = e.levels(c, rows)
	}
	walk := texts{c: c}
	v := 0
	for row := 0; row < rows; row += batchRows {
		n := min(batchRows, rows-row)
		var d []int16
		values := n
		if defs != nil {
			d = defs[row : row+n]
			values = 0
			for _, x := range d {
				values += int(x)
			}
		}
		if err := e.batch(w, c, &walk, v, values, d); err != nil {
			return fmt.Errorf("cannot encode column %s: %w", w.Descr().Name(), err)
		}
		v += values
	}
	// Compress what is left now: closing the column happens in one goroutine.
	if f, ok := w.(interface{ FlushCurrentPage() error }); ok && rows > 0 {
		if err := f.FlushCurrentPage(); err != nil {
			return fmt.Errorf("cannot encode column %s: %w", w.Descr().Name(), err)
		}
	}
	return nil
}

// levels gives a definition level per row: 1 where there is a value.
func (e *encoder) levels(c *column, rows int) []int16 {
	if cap(e.defs) < rows {
		e.defs = make([]int16, max(rows, rowGroupRows))
	}
	defs := e.defs[:rows]
	clear(defs)
	if c.sparse {
		for _, r := range c.rows {
			defs[r] = 1
		}
		return defs
	}
	for i := range c.n {
		defs[i] = 1
	}
	return defs
}

// batch writes n values from the v-th on.
func (e *encoder) batch(w file.ColumnChunkWriter, c *column, walk *texts, v, n int, defs []int16) error {
	var err error
	switch w := w.(type) {
	case *file.Int32ColumnChunkWriter:
		for i, x := range c.nums[v : v+n] {
			e.i32[i] = int32(x)
		}
		_, err = w.WriteBatch(e.i32[:n], defs, nil)
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(c.nums[v:v+n], defs, nil)
	case *file.Float64ColumnChunkWriter:
		for i, x := range c.nums[v : v+n] {
			e.f64[i] = math.Float64frombits(uint64(x))
		}
		_, err = w.WriteBatch(e.f64[:n], defs, nil)
	case *file.BooleanColumnChunkWriter:
		for i, x := range c.nums[v : v+n] {
			e.bools[i] = x != 0
		}
		_, err = w.WriteBatch(e.bools[:n], defs, nil)
	case *file.ByteArrayColumnChunkWriter:
		for i := range n {
			e.text[i] = walk.next()
		}
		_, err = w.WriteBatch(e.text[:n], defs, nil)
	default:
		panic(fmt.Sprintf("BUG: no column writer for %T", w))
	}
	return err
}

// versionText is the schema version as the metadata holds it.
func versionText(t *schema.Table) string { return strconv.Itoa(t.Version) }
