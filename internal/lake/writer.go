package lake

import (
	"context"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// Writer is a data folder opened for writing: the one writer. Its methods may be
// called from many goroutines; commits are made one after another.
type Writer struct{ *Lake }

// OpenWriter opens the data folder dir for writing, makes it when it is missing,
// upgrades an older format, takes the lock, and settles what a process that died
// left behind. A second writer gets an error with exit code 3 that names the
// holder's pid.
func OpenWriter(ctx context.Context, dir string, o Options) (*Writer, error) { return nil, errNotYet }

// TempDir is a folder for temporary files beside the data; it is emptied when the
// next writer opens the lake.
func (w *Writer) TempDir() string { return "" }

// BeginLog begins a log: one import.
func (w *Writer) BeginLog(ctx context.Context, info LogInfo) (*Log, error) { return nil, errNotYet }

// Key gives what committed parts know under a key, within a case.
func (w *Writer) Key(ctx context.Context, case_ string, kind KeyKind, key [32]byte) (KeyValue, bool, error) {
	return KeyValue{}, false, errNotYet
}

// ReadRows calls fn for each committed row of a source with seqLo ≤ _Seq ≤ seqHi,
// file by file, in no promised order. cols are indexes in t.Columns. The row is
// valid only during the call. An error of fn ends it and is returned, but for
// datafile.ErrStop.
func (w *Writer) ReadRows(ctx context.Context, t *schema.Table, source int32, seqLo, seqHi int64, cols []int, fn func(datafile.Row) error) error {
	return errNotYet
}

// Upkeep keeps the metadata small: expires snapshots, merges manifests, compacts
// small files when it is due, and checkpoints the state. It removes no rows.
func (w *Writer) Upkeep(ctx context.Context) error { return errNotYet }

// Close ends writing and lets the lock go.
func (w *Writer) Close() error { return nil }

// Log is one log being written. Methods may be called from many goroutines.
type Log struct{}

// UUID names the log.
func (g *Log) UUID() string { return "" }

// AddSource gives a new source its number; it becomes durable with the next part
// that is committed.
func (g *Log) AddSource(ctx context.Context, info SourceInfo) (int32, error) { return 0, errNotYet }

// BeginPart begins the next part. A log has at most one part open.
func (g *Log) BeginPart(ctx context.Context) (*Part, error) { return nil, errNotYet }

// Part is one part of a log: rows that become visible together.
type Part struct {
	// Number counts the log's parts from 1.
	Number int64
	// IngestedAtUS is _IngestedAt of all rows, µs since 1970; it never decreases
	// within a log.
	IngestedAtUS int64
}

// Sorter gives the sorter of a table, made at first use. It belongs to the part.
// Safe for concurrent use.
func (p *Part) Sorter(t *schema.Table) *datafile.Sorter { return nil }

// Commit makes the part's rows visible, for all tables. When it returns nil, rows,
// counts and keys are durable. On an error that is a *PartError with Unsettled set
// the next OpenWriter decides; else nothing of the part is kept.
func (p *Part) Commit(ctx context.Context, result PartResult) error { return errNotYet }

// Abort drops the part and its rows. After Commit it does nothing.
func (p *Part) Abort() error { return nil }
