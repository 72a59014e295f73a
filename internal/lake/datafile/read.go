package datafile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/wadi-project/wadi/internal/schema"
)

// Input is one Parquet file to read. With R nil the file at Path is opened and
// closed by the call; otherwise R holds SizeBytes bytes and Path is only named in
// errors.
type Input struct {
	Path      string
	R         io.ReaderAt
	SizeBytes int64
}

// Filter restricts Read to rows of one source. The zero value takes all rows. Row
// groups that can't hold such rows (by their statistics) are not read.
type Filter struct {
	// On turns the filter on.
	On bool
	// Source is the wanted _Source; rows have SeqLo ≤ _Seq ≤ SeqHi.
	Source       int64
	SeqLo, SeqHi int64
}

// Row is one row as read. It and the bytes it gives are valid only during the
// call that got it; copy what is to stay. Columns are named by their index in
// Table.Columns; columns that were not asked for, that the file doesn't have or
// that are null read as null.
type Row struct {
	b *batch
	i int
}

// ErrStop may be returned by the function given to Read to end it early without
// an error.
var ErrStop = errors.New("stop reading")

// Read calls fn for each row of a data file, in file order, from the calling
// goroutine. Columns are found by field id; cols are indexes in t.Columns, nil
// means all. Fields that t doesn't know are ignored. A garbled file gives an
// error that names it; a panic of the Parquet library is such an error. An error
// of fn ends Read and is returned as it is, but for ErrStop.
func Read(ctx context.Context, in Input, t *schema.Table, cols []int, f Filter, fn func(Row) error) (err error) {
	source, seq := t.Index("_Source"), t.Index("_Seq")
	if f.On {
		if source < 0 || seq < 0 {
			return fmt.Errorf("cannot read %s by source: table %s has no _Source and _Seq", in.Path, t.Name)
		}
		if cols != nil {
			cols = append(append([]int(nil), cols...), source, seq)
		}
	}
	r, err := openReader(in, t, cols, batchRows)
	if err != nil {
		return err
	}
	defer func() {
		if e := r.close(); err == nil {
			err = e
		}
	}()
	if f.On {
		r.skip = func(g *metadata.RowGroupMetaData) bool {
			return r.outside(g, source, f.Source, f.Source) || r.outside(g, seq, f.SeqLo, f.SeqHi)
		}
	}
	for {
		if ctx.Err() != nil {
			return fmt.Errorf("cannot read %s: %w", in.Path, context.Cause(ctx))
		}
		n, err := r.load()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range n {
			row := Row{&r.b, i}
			if f.On {
				src, _ := row.Int(source)
				no, ok := row.Int(seq)
				if src != f.Source || !ok || no < f.SeqLo || no > f.SeqHi {
					continue
				}
			}
			if err := fn(row); err == ErrStop {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

// batch is some rows of a row group, by column of the table.
type batch struct{ cols []batchColumn }

// batchColumn is one column of a batch; pos gives the index of a row's value, -1
// for null. A column that is not read has no pos.
type batchColumn struct {
	pos  []int32
	nums []int64
	text []byte
	ends []uint32
}

// value is the index of the i-th row's value, -1 for none.
func (r Row) value(col int) int {
	c := &r.b.cols[col]
	if c.pos == nil {
		return -1
	}
	return int(c.pos[r.i])
}

// Null tells whether the column has no value.
func (r Row) Null(col int) bool { return r.value(col) < 0 }

// Int gives an int, long or timestamptz (µs) column; ok is false for null.
func (r Row) Int(col int) (v int64, ok bool) {
	if k := r.value(col); k >= 0 {
		return r.b.cols[col].nums[k], true
	}
	return 0, false
}

// Bytes gives a string column; nil only for null. Valid only during the call.
func (r Row) Bytes(col int) []byte {
	k := r.value(col)
	if k < 0 {
		return nil
	}
	c := &r.b.cols[col]
	from := uint32(0)
	if k > 0 {
		from = c.ends[k-1]
	}
	return c.text[from:c.ends[k]:c.ends[k]]
}

// Real gives a double column; ok is false for null.
func (r Row) Real(col int) (v float64, ok bool) {
	n, ok := r.Int(col)
	return math.Float64frombits(uint64(n)), ok
}

// Bool gives a boolean column; ok is false for null.
func (r Row) Bool(col int) (v, ok bool) {
	n, ok := r.Int(col)
	return n != 0, ok
}

// outside tells that no value of an integer column in the row group lies in
// lo…hi, as far as its statistics know.
func (r *reader) outside(g *metadata.RowGroupMetaData, col int, lo, hi int64) bool {
	for _, p := range r.picked {
		if p.col != col {
			continue
		}
		cc, err := g.ColumnChunk(p.field)
		if err != nil {
			return false
		}
		stats, err := cc.Statistics()
		if err != nil || stats == nil || !stats.HasMinMax() {
			return false
		}
		switch s := stats.(type) {
		case *metadata.Int32Statistics:
			return int64(s.Min()) > hi || int64(s.Max()) < lo
		case *metadata.Int64Statistics:
			return s.Min() > hi || s.Max() < lo
		}
		return false
	}
	return true // the column doesn't occur: all null
}

// columnReader reads one column of a row group into a batch.
type columnReader struct {
	col      int
	kind     schema.Disk
	required bool
	r        file.ColumnChunkReader
}
