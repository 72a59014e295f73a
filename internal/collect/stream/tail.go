package stream

import (
	"context"

	"github.com/wadi-project/wadi/internal/schema"
)

// Arrival is a batch that has become durable, for those who watch.
type Arrival struct {
	Table    *schema.Table
	Source   int32
	Position int64
	// FirstSeq is _Seq of the first of Count rows.
	FirstSeq int64
	Count    int
	// IngestedUS is _IngestedAt of all rows, µs since 1970.
	IngestedUS int64
	// Rows are the rows as datafile.Rows.Encoded gives them, shared by all who
	// watch: not to be changed. datafile.Rows.Load reads them.
	Rows []byte
}

// Subscription gives what arrives from its beginning on. Its methods are for one
// goroutine, but for Close.
type Subscription struct{}

// Subscribe begins to watch tables (none: all). At most maxBytes of rows (0: 16
// MB) wait for a slow reader.
func (d *Door) Subscribe(maxBytes int64, tables ...*schema.Table) *Subscription { return nil }

// Next gives what has arrived, and how many batches were left out before it
// because the reader was too slow. It waits; its error is the context's, or
// ErrClosed after Close or when the door closes.
func (s *Subscription) Next(context.Context) (a Arrival, missed int64, err error) {
	return Arrival{}, 0, ErrClosed
}

// Close ends watching.
func (s *Subscription) Close() {}
