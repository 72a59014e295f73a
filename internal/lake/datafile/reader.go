package datafile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/wadi-project/wadi/internal/schema"
)

// readBufferBytes is read ahead per column; without it the library would hold
// whole column chunks, which a merge of many files can't afford.
const readBufferBytes = 64 << 10

// batchRows is how many rows are read at a time.
const batchRows = 4096

// picked is a column to read: its index in the table and in the file.
type picked struct{ col, field int }

// reader reads a data file batch by batch.
type reader struct {
	name    string
	f       *os.File // when the reader opened it
	pr      *file.Reader
	table   *schema.Table
	picked  []picked
	unknown []int // field ids that the table doesn't have
	rows    int64
	batch   int
	skip    func(*metadata.RowGroupMetaData) bool

	group int
	left  int64 // rows of the current row group
	cols  []columnReader
	b     batch

	defs  []int16
	i32   []int32
	i64   []int64
	f64   []float64
	bools []bool
	texts []parquet.ByteArray
}

// openReader opens a file and finds the columns; cols nil means all.
func openReader(in Input, t *schema.Table, cols []int, rows int) (r *reader, err error) {
	r = &reader{name: in.Path, table: t, batch: rows}
	ra, size := in.R, in.SizeBytes
	if ra == nil {
		if r.f, err = os.Open(in.Path); err != nil {
			return nil, fmt.Errorf("cannot read a data file: %w", err)
		}
		info, err := r.f.Stat()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("cannot read a data file: %w", err), r.close())
		}
		ra, size = r.f, info.Size()
	}
	if err := r.open(io.NewSectionReader(ra, 0, size), cols); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// open reads the footer.
func (r *reader) open(s *io.SectionReader, cols []int) (err error) {
	defer recovered(&err, "read "+r.name)
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled = true
	props.BufferSize = readBufferBytes
	if r.pr, err = file.NewParquetReader(s, file.WithReadProps(props)); err != nil {
		return fmt.Errorf("cannot read %s: %w", r.name, err)
	}
	want := make([]bool, len(r.table.Columns))
	for _, c := range cols {
		want[c] = true
	}
	byID := make(map[int]int, len(want))
	for i := range r.table.Columns {
		byID[r.table.Columns[i].FieldID] = i
	}
	sc := r.pr.MetaData().Schema
	seen := map[int]bool{}
	known := picked{-1, 0}
	for i := range sc.NumColumns() {
		d := sc.Column(i)
		if d.MaxRepetitionLevel() > 0 || d.MaxDefinitionLevel() > 1 {
			return fmt.Errorf("cannot read %s: column %s is nested", r.name, d.Path())
		}
		id := int(d.SchemaNode().FieldID())
		c, ok := byID[id]
		if !ok {
			r.unknown = append(r.unknown, id)
			continue
		}
		if seen[c] {
			return fmt.Errorf("cannot read %s: field id %d occurs twice", r.name, id)
		}
		seen[c] = true
		if !readable(r.table.Columns[c].Disk, d.PhysicalType()) {
			return fmt.Errorf("cannot read %s: column %s is %v, the table has %v", r.name, d.Name(), d.PhysicalType(), r.table.Columns[c].Disk)
		}
		if known.col < 0 {
			known = picked{c, i}
		}
		if cols == nil || want[c] {
			r.picked = append(r.picked, picked{c, i})
		}
	}
	if len(r.picked) == 0 { // rows are counted by values, never by what a footer says
		if known.col < 0 {
			return fmt.Errorf("cannot read %s: it has no column of table %s", r.name, r.table.Name)
		}
		r.picked = append(r.picked, known)
	}
	r.rows = r.pr.NumRows()
	r.b.cols = make([]batchColumn, len(r.table.Columns))
	return nil
}

// readable tells whether a column can be read from a physical type; an int that
// became a long is Iceberg's type promotion.
func readable(d schema.Disk, t parquet.Type) bool {
	switch d {
	case schema.DiskBoolean:
		return t == parquet.Types.Boolean
	case schema.DiskInt:
		return t == parquet.Types.Int32
	case schema.DiskLong:
		return t == parquet.Types.Int64 || t == parquet.Types.Int32
	case schema.DiskTimestamptz:
		return t == parquet.Types.Int64
	case schema.DiskDouble:
		return t == parquet.Types.Double
	default:
		return t == parquet.Types.ByteArray
	}
}

// load reads the next batch and gives its number of rows, io.EOF at the end.
func (r *reader) load() (n int, err error) {
	defer recovered(&err, "read "+r.name)
	for r.left == 0 {
		if r.group >= r.pr.NumRowGroups() {
			return 0, io.EOF
		}
		if err := r.begin(r.group); err != nil {
			return 0, err
		}
		r.group++
	}
	n = int(min(r.left, int64(r.batch)))
	for i := range r.cols {
		c := &r.cols[i]
		if err := r.column(c, n); err != nil {
			return 0, fmt.Errorf("cannot read %s: row group %d, column %s: %w", r.name, r.group-1, r.table.Columns[c.col].Name, err)
		}
	}
	r.left -= int64(n)
	return n, nil
}

// begin opens the columns of a row group.
func (r *reader) begin(group int) error {
	if err := r.closeColumns(); err != nil {
		return err
	}
	g := r.pr.RowGroup(group)
	if r.skip != nil && r.skip(g.MetaData()) {
		return nil
	}
	for _, p := range r.picked {
		cr, err := g.Column(p.field)
		if err != nil {
			return fmt.Errorf("cannot read %s: row group %d, column %s: %w", r.name, group, r.table.Columns[p.col].Name, err)
		}
		r.cols = append(r.cols, columnReader{
			col: p.col, kind: r.table.Columns[p.col].Disk,
			required: cr.Descriptor().MaxDefinitionLevel() == 0, r: cr,
		})
	}
	r.left = g.NumRows()
	if r.left < 0 {
		return fmt.Errorf("cannot read %s: row group %d has %d rows", r.name, group, r.left)
	}
	return nil
}

// column reads n rows of one column into the batch. Values are copied out of the
// library's pages, page by page, because a page is gone once the next one is read.
func (r *reader) column(c *columnReader, n int) error {
	out := &r.b.cols[c.col]
	out.pos, out.nums, out.text, out.ends = out.pos[:0], out.nums[:0], out.text[:0], out.ends[:0]
	if cap(r.defs) < n {
		r.defs = make([]int16, n)
	}
	values := int32(0)
	for len(out.pos) < n {
		defs := r.defs[:n-len(out.pos)]
		if c.required {
			defs = nil
		}
		rows, got, err := r.values(c, out, n-len(out.pos), defs)
		if err != nil {
			return err
		}
		if rows == 0 {
			if err := c.r.Err(); err != nil {
				return err
			}
			return fmt.Errorf("the column ends %d rows early", n-len(out.pos))
		}
		start := values
		for i := range rows {
			if defs != nil && defs[i] == 0 {
				out.pos = append(out.pos, -1)
				continue
			}
			out.pos = append(out.pos, values)
			values++
		}
		if int(values-start) != got {
			return fmt.Errorf("%d values for %d rows that have one", got, values-start)
		}
	}
	return nil
}

// scratch gives the first n elements of a buffer that is made when needed.
func scratch[T any](buf *[]T, n int) []T {
	if cap(*buf) < n {
		*buf = make([]T, n)
	}
	return (*buf)[:n]
}

// values reads up to n rows that lie in one page.
func (r *reader) values(c *columnReader, out *batchColumn, n int, defs []int16) (rows, got int, err error) {
	var total int64
	switch cr := c.r.(type) {
	case *file.Int32ColumnChunkReader:
		v := scratch(&r.i32, n)
		total, got, err = cr.ReadBatchInPage(int64(n), v, defs, nil)
		for _, x := range v[:got] {
			out.nums = append(out.nums, int64(x))
		}
	case *file.Int64ColumnChunkReader:
		v := scratch(&r.i64, n)
		total, got, err = cr.ReadBatchInPage(int64(n), v, defs, nil)
		out.nums = append(out.nums, v[:got]...)
	case *file.Float64ColumnChunkReader:
		v := scratch(&r.f64, n)
		total, got, err = cr.ReadBatchInPage(int64(n), v, defs, nil)
		for _, x := range v[:got] {
			out.nums = append(out.nums, int64(math.Float64bits(x)))
		}
	case *file.BooleanColumnChunkReader:
		v := scratch(&r.bools, n)
		total, got, err = cr.ReadBatchInPage(int64(n), v, defs, nil)
		for _, x := range v[:got] {
			b := int64(0)
			if x {
				b = 1
			}
			out.nums = append(out.nums, b)
		}
	case *file.ByteArrayColumnChunkReader:
		v := scratch(&r.texts, n)
		total, got, err = cr.ReadBatchInPage(int64(n), v, defs, nil)
		for _, x := range v[:got] {
			out.text = append(out.text, x...)
			if len(out.text) > math.MaxUint32 {
				return 0, 0, errors.New("more than 4 GB of text in a batch")
			}
			out.ends = append(out.ends, uint32(len(out.text)))
		}
	default:
		return 0, 0, fmt.Errorf("no reader for %T", c.r)
	}
	return int(total), got, err
}

func (r *reader) closeColumns() error {
	var err error
	for i := range r.cols {
		err = errors.Join(err, r.cols[i].r.Close())
	}
	r.cols = r.cols[:0]
	return err
}

func (r *reader) close() (err error) {
	defer recovered(&err, "close "+r.name)
	err = r.closeColumns()
	if r.pr != nil {
		err = errors.Join(err, r.pr.Close())
	}
	if r.f != nil {
		if e := r.f.Close(); e != nil && !errors.Is(e, os.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}
