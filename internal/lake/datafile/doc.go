// Package datafile turns rows into sorted Parquet files and back. It is the only
// home of the Parquet library; it knows no Iceberg, no catalog and no folder
// layout, so lake can decide where a file lies and when it counts.
//
// # Way of a row
//
// A producer fills a [Rows] (one goroutine each, no allocation per row) and
// hands it to a [Sorter]. The sorter copies it into the run being filled. A full
// run is sorted and spilled to a temporary file by a bounded number of
// goroutines; small inputs never spill. [Sorter.Finish] merges all runs through a
// loser tree, transposes the stream into row groups and writes one or more
// Parquet files through [Output]. [Merge] does the same with files that exist
// already (compaction, deletion of rows), [Read] gives rows back to Go code.
//
// # Order
//
// Rows are sorted by the hour of TimeGenerated, then by the table's Sort columns,
// with _TimeSub behind TimeGenerated, then by (_Source, _Seq), then by arrival.
// Null sorts before every value. Each row carries its sort key in a form that
// compares bytewise, so one comparison is one memcmp. The order is total wherever
// (_Source, _Seq) names a row, which makes the files a function of the rows alone.
//
// # Files
//
// Only columns that occur in a file are written (required ones always): the
// number of columns, not the text, costs CPU. Every column carries its Iceberg
// field id. Encodings are chosen per column and row group from all its values (see
// chunk.go): a dictionary where values repeat, else differences of numbers and
// lengths-then-bytes of texts; zstd where it saves something. Statistics are per
// row group; long text has none. The key-value metadata holds wadi.schema.version.
//
// Files are written by code of this package and read through the Parquet library,
// so the two check each other. The library's writer took 1.6 times the CPU time a
// row of 173 columns, kept a second copy of each chunk's metadata in the file, and
// handled a level per null.
//
// # Bounds
//
// Memory is bounded by SorterConfig.MemoryBytes while rows come in, and by two
// row groups of at most maxGroupBytes and a row, one row group as it is written,
// and one block per run while files are written, whatever the input. Temporary
// files are removed on every way out. Goroutines end before Finish, Close, Merge and
// Read return.
//
// # Hostile bytes
//
// Spill files are checksummed per block; an error names file and offset. The
// Parquet library may panic on garbled files: [Read] and [Merge] recover such
// panics at their boundary and give an error that names the file.
//
// # Sources
//
// Apache Parquet format 2.x (github.com/apache/parquet-format: README, Encodings,
// LogicalTypes), Iceberg table spec, appendix A (Parquet field ids and types).
// Loser tree: Knuth, The Art of Computer Programming 3, 5.4.1.
package datafile
