package stream

import (
	"context"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// shelf is what the door needs of the lake: one log in it. A test fails it.
type shelf interface {
	// LastIngestedUS is the latest _IngestedAt in the lake, µs since 1970.
	LastIngestedUS() int64
	// Positions gives the position of each table that has one.
	Positions(ctx context.Context) (map[string]int64, error)
	// HotEnd gives the position up to which rows of a table can be seen.
	HotEnd(t *schema.Table) (int64, error)
	// Table gives a table of the lake by its physical name, nil for none.
	Table(ctx context.Context, name string) (*schema.Table, error)
	// AddSource gives a source a durable number; its details go into the lake with
	// the next part.
	AddSource(ctx context.Context, info lake.SourceInfo) (int32, error)
	// RestoreSource does the same for a number given before.
	RestoreSource(ctx context.Context, id int32, info lake.SourceInfo) error
	// KeysOf gives the keys of a kind, oldest first.
	KeysOf(ctx context.Context, kind lake.KeyKind) ([]lake.KeyEntry, error)
	// Begin begins a part. Parts are committed in the order of their beginning.
	Begin(ctx context.Context) (part, error)
	// WriteHot makes the rows of a table visible until their part is committed.
	WriteHot(ctx context.Context, t *schema.Table, rows []*datafile.Rows, from, to int64) error
	// RetireHot removes hot files up to a position, ClearHot all of them.
	RetireHot(t *schema.Table, upTo int64) error
	ClearHot(ctx context.Context) error
	// Upkeep keeps metadata and small files few.
	Upkeep(ctx context.Context) error
	// Drained says that the lake has all rows of the log; it isn't used after it.
	Drained() error
}

// part is a part of the lake that is being filled.
type part interface {
	// SorterAt gives the sorter for rows of a table with that _IngestedAt.
	SorterAt(t *schema.Table, ingestedUS int64) *datafile.Sorter
	Commit(ctx context.Context, result lake.PartResult) error
	Abort() error
}

// lakeShelf is the shelf of a real lake.
type lakeShelf struct {
	*lake.Log
	w *lake.Writer
}

// shelve opens a log of the lake.
func shelve(ctx context.Context, w *lake.Writer, id string) (lakeShelf, error) {
	g, err := w.OpenLog(ctx, id, lake.LogInfo{Door: "stream"})
	if err != nil {
		return lakeShelf{}, err
	}
	return lakeShelf{g, w}, nil
}

func (s lakeShelf) Table(ctx context.Context, name string) (*schema.Table, error) {
	set, err := s.w.Schema(ctx)
	if err != nil {
		return nil, err
	}
	return set.LookupTable(name), nil
}

// RestoreSource leaves out a source that has its row: the crash came between the
// commit of the row and that of the source's key.
func (s lakeShelf) RestoreSource(ctx context.Context, id int32, info lake.SourceInfo) error {
	found := false
	t := schema.Sources
	err := s.w.ReadRows(ctx, t, id, 0, 1<<63-1, []int{t.Index("_Source")}, func(datafile.Row) error {
		found = true
		return datafile.ErrStop
	})
	if err != nil || found {
		return err
	}
	return s.Log.RestoreSource(ctx, id, info)
}

func (s lakeShelf) KeysOf(ctx context.Context, kind lake.KeyKind) ([]lake.KeyEntry, error) {
	return s.w.KeysOf(ctx, kind)
}

func (s lakeShelf) Begin(ctx context.Context) (part, error) {
	p, err := s.BeginPart(ctx)
	if err != nil {
		return nil, err // not p: a nil *lake.Part in an interface isn't nil
	}
	return p, nil
}

func (s lakeShelf) RetireHot(t *schema.Table, upTo int64) error { return s.w.RetireHot(t, upTo) }

func (s lakeShelf) Upkeep(ctx context.Context) error { return s.w.Upkeep(ctx) }
