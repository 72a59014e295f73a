package lake

import (
	"log/slog"
	"time"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// The words shared with the state database.
type (
	// KeyKind names a protocol of de-duplication.
	KeyKind = catalog.KeyKind
	// KeyValue is what is known under a de-duplication key.
	KeyValue = catalog.KeyValue
	// KeyEntry is a key to be kept when its part is committed.
	KeyEntry = catalog.KeyEntry
	// SourceInfo says where rows come from.
	SourceInfo = catalog.SourceInfo
	// LogInfo describes a log.
	LogInfo = catalog.LogInfo
	// SourceTally is what one part did with one source.
	SourceTally = catalog.SourceTally
)

// LateAfter is how old a record may be when it arrives, without being late.
const LateAfter = catalog.LateAfter

// The kinds of keys.
const (
	KeyEVTX = catalog.KeyEVTX
	KeyText = catalog.KeyText
	KeyFeed = catalog.KeyFeed
	// The kinds of the stream door.
	KeyRequest = catalog.KeyRequest
	KeyBatch   = catalog.KeyBatch
	KeySource  = catalog.KeySource
)

// Options set a lake up. The zero value is right for the product.
type Options struct {
	// Log gets what an operator may want to know; nil discards it.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Workers bounds the goroutines of a part's sorter; 0 is the package's default.
	Workers int
	// MemoryBytes bounds the rows that one sorter holds in memory; 0 is the
	// package's default.
	MemoryBytes int64
	// TargetFileBytes is the wanted size of a data file; 0 is the package's default.
	TargetFileBytes int64
	// Actor is written to wadi_audit; empty is the user of the process.
	Actor string

	// fs is the file system under the lake; nil is the real one. Tests inject
	// faults here, and in fault those of the databases.
	fs    folder.FS
	fault func(op string) error
}

// PartResult is what a part tells when it is complete.
type PartResult struct {
	// Sources are the counts by source, in the order they shall have in the ledger.
	Sources []SourceTally
	// Keys are kept with the part: all of them or, if the part isn't committed, none.
	Keys []KeyEntry
	// Positions are, for parts of a stream log, the positions in the log that the
	// tables are at with this part: all rows of the log up to there are in the table.
	// They change in the same transaction as the rows, never go back, and must not lie
	// within a hot file. A table may have a position without having rows in the part;
	// it is made if it is missing. Tables that aren't named keep theirs.
	Positions map[*schema.Table]int64
}

// TableFiles are the data files of one table at one read point.
type TableFiles struct {
	Files []store.DataFile
	// Rows is the sum over Files.
	Rows int64
}

// What the manifests say of the files of a table.
type (
	// DataFile is one Parquet file as the manifests describe it.
	DataFile = store.DataFile
	// Bound bounds the values of a column in one file, inclusively.
	Bound = store.Bound
)

// Error is an error of the lake that knows its exit code and advice. It implements
// cli.Coder.
type Error = folder.Error

// Format is the version of the data folder's layout.
const Format = folder.Format

// LongestDeadline is the longest a question may run; files that have left the
// tables stay a minute longer than that.
const LongestDeadline = folder.LongestDeadline
