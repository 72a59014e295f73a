package datafile

import (
	"io"
)

// Limits and shapes of the files written.
const (
	// rowGroupRows is a multiple of DuckDB's vector (2,048): one row group is one
	// DuckDB row group and one unit of parallelism and pruning.
	rowGroupRows = 122_880
	// maxGroupBytes ends a row group early when its rows are wide: two of them
	// are in memory at a time, twice that with the garbage collector. Windows events
	// give 50,000 to 100,000 rows.
	maxGroupBytes = 64 << 20
	// DefaultTargetBytes is the size a data file should have: large enough that
	// it needs no compaction, small enough to rewrite for one deleted row.
	DefaultTargetBytes = 128 << 20
	// DefaultMaxFiles is how many files one Finish or Merge writes at most: a
	// commit stays small, planning stays fast.
	DefaultMaxFiles = 8
)

// Output says where data files go. The caller owns names, folders and durability.
type Output struct {
	// Create makes the n-th file (n counts from 0 within one Finish or Merge and
	// never repeats). Close of the writer makes the file durable; it is called
	// exactly once, also after a failed write. Called from one goroutine at a time.
	Create func(n int) (w io.WriteCloser, path string, err error)
	// Discard removes a file that Create made and that is not in the result,
	// because the call failed or had to begin again. Its own errors are the
	// caller's to log. Nil: such files are left to the caller's clean-up.
	Discard func(path string)
	// TargetBytes is the wanted size of a file; 0 is DefaultTargetBytes.
	TargetBytes int64
	// MaxFiles bounds the number of files; 0 is DefaultMaxFiles. When there is
	// more than MaxFiles×TargetBytes, files get larger.
	MaxFiles int
	// Compression is how pages are compressed.
	Compression Compression
}

// Compression is how the pages of a data file are compressed.
type Compression uint8

// The compressions in use.
const (
	// Zstd is for files that stay: small.
	Zstd Compression = iota
	// LZ4 (LZ4_RAW in Parquet) is for files that live for a minute: quick.
	LZ4
)

func (o Output) withDefaults() Output {
	if o.TargetBytes <= 0 {
		o.TargetBytes = DefaultTargetBytes
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = DefaultMaxFiles
	}
	return o
}

// File describes one finished data file: what an Iceberg manifest wants to know.
type File struct {
	// Path is what Output.Create gave.
	Path string
	// Rows is the number of rows, SizeBytes the length of the file.
	Rows      int64
	SizeBytes int64
	// SHA256 is over the whole file, computed while it was written.
	SHA256 [32]byte
	// Columns are the field ids that occur in the file, ascending.
	Columns []int
	// Stats has one entry per element of Columns, in the same order.
	Stats []ColumnStats
	// SplitOffsets are the file offsets at which row groups begin, ascending.
	SplitOffsets []int64
	// SchemaVersion is the table's schema version the file was written with.
	SchemaVersion int
	// Groups are the row groups, in their order.
	Groups []Group
}

// ColumnStats are a column's figures over one file.
type ColumnStats struct {
	FieldID int
	// SizeBytes is the compressed size of the column over all row groups.
	SizeBytes int64
	// Values counts rows including nulls, Nulls only the nulls, NaNs the NaNs of
	// a double column (Iceberg's value_counts, null_value_counts, nan_value_counts).
	Values, Nulls, NaNs int64
	// Min and Max are set only for columns with schema.Column.Stats and at least
	// one value: bool, int32, int64 (long and timestamptz in µs), float64 or
	// string by the column's Disk type. They are inclusive bounds; strings longer
	// than maxBoundBytes are shortened (the upper bound rounded up, or nil).
	Min, Max any
}
