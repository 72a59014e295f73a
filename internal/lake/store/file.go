package store

// DataFile is one Parquet file as the manifests describe it.
type DataFile struct {
	// Path is absolute.
	Path            string
	Rows, SizeBytes int64
	// SchemaVersion is the version of the table's schema the file was written
	// with: columns born later are absent in it.
	SchemaVersion int
	// Bounds are by field id; columns without statistics are absent. They are
	// shared: not to be changed.
	Bounds map[int]Bound
}

// Bound bounds the values of a column in one file, inclusively.
type Bound struct {
	// Min and Max are bool, int32, int64 (long; timestamptz in µs since 1970),
	// float64 or string by the column's type; nil when nothing is known.
	Min, Max any
	// Nulls counts nulls, -1 when that isn't known.
	Nulls int64
}
