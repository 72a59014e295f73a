package datafile

import (
	"context"
	"errors"
	"io"

	"github.com/wadi-project/wadi/internal/schema"
)

// Input is one Parquet file to read. With R nil the file at Path is opened and
// closed by the call; otherwise R holds SizeBytes bytes and Path is only named in
// errors. R must allow concurrent ReadAt.
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
// error that names it; a panic of the Parquet library is such an error.
func Read(ctx context.Context, in Input, t *schema.Table, cols []int, f Filter, fn func(Row) error) error {
	return errors.New("cannot read: not built yet")
}

// batch is a slice of a row group, by column.
type batch struct{}

// Null tells whether the column has no value.
func (r Row) Null(col int) bool { return true }

// Int gives an int, long or timestamptz (µs) column; ok is false for null.
func (r Row) Int(col int) (v int64, ok bool) { return 0, false }

// Bytes gives a string column; nil only for null. Valid only during the call.
func (r Row) Bytes(col int) []byte { return nil }

// Real gives a double column; ok is false for null.
func (r Row) Real(col int) (v float64, ok bool) { return 0, false }

// Bool gives a boolean column; ok is false for null.
func (r Row) Bool(col int) (v, ok bool) { return false, false }
