package datafile

import (
	"context"
	"errors"

	"github.com/wadi-project/wadi/internal/schema"
)

// errRow says that bytes are no encoded row.
var errRow = errors.New("bytes are no row")

// Defaults of SorterConfig.
const (
	// DefaultMemoryBytes holds about 300,000 Windows events: few enough runs that
	// one merge pass suffices, small enough beside 1 GB for the whole import.
	DefaultMemoryBytes = 256 << 20
	// DefaultWorkers is the number of goroutines that spill runs or encode columns.
	DefaultWorkers = 2
)

// SorterConfig sets up a Sorter.
type SorterConfig struct {
	// Table is the table of all rows.
	Table *schema.Table
	// TempDir is the folder for spilled runs; it must exist when rows don't fit
	// in MemoryBytes. Nothing is left in it after Finish or Close.
	TempDir string
	// MemoryBytes bounds the rows in memory; 0 is DefaultMemoryBytes.
	MemoryBytes int64
	// Workers bounds the goroutines that sort and spill runs, and later those
	// that encode columns; 0 is DefaultWorkers.
	Workers int
}

// Sorter sorts any number of rows in bounded memory and writes them as data
// files. Add may be called from many goroutines; Finish and Close from one, after
// the last Add has returned. A Sorter is used once.
type Sorter struct {
	cfg SorterConfig
}

// NewSorter makes an empty sorter. Close must be called, also after Finish.
func NewSorter(cfg SorterConfig) *Sorter {
	return &Sorter{cfg: cfg}
}

// Add takes a copy of b's rows; the caller may Reset and refill b. It blocks while
// full runs wait to be spilled, and fails with b.Err, the context's error, or the
// first error of a spill.
func (s *Sorter) Add(ctx context.Context, b *Rows) error {
	return errors.New("cannot sort: not built yet")
}

// Rows is the number of rows added so far, SizeBytes their encoded size. An
// importer cuts its parts by it: a Parquet file has about a tenth of it.
func (s *Sorter) Rows() int64 { return 0 }

// SizeBytes is the encoded size of the rows added so far.
func (s *Sorter) SizeBytes() int64 { return 0 }

// Finish sorts and writes all rows; none gives no files. Files are in the order
// of their rows, so each covers its own range of time. On an error every file
// made is closed and handed to out.Discard, and no files are returned.
func (s *Sorter) Finish(ctx context.Context, out Output) ([]File, error) {
	return nil, errors.New("cannot sort: not built yet")
}

// Close gives memory and temporary files back. It may be called twice.
func (s *Sorter) Close() error { return nil }
