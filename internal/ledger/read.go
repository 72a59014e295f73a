package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// Account is what became of the records of one source, over all its parts.
type Account struct {
	Source Source
	// Log, Door and Case are those of the source's log.
	Log, Door, Case string
	// At is when the source was made.
	At event.Ticks
	catalog.SourceTally
}

// Accounts adds the ledger up by source, in the order of the sources' numbers.
// sources and entries are the data files of the two tables at one read point.
func Accounts(ctx context.Context, sources, entries []datafile.Input) ([]Account, error) {
	all := map[int32]*Account{}
	if err := readSources(ctx, sources, all); err != nil {
		return nil, err
	}
	if err := readEntries(ctx, entries, all); err != nil {
		return nil, err
	}
	list := make([]Account, 0, len(all))
	for _, a := range all {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b Account) int { return cmp.Compare(a.Source.ID, b.Source.ID) })
	return list, nil
}

func readSources(ctx context.Context, files []datafile.Input, all map[int32]*Account) error {
	t := schema.Sources
	at, id := t.Index("_IngestedAt"), t.Index("_Source")
	log, door, kind, host := t.Index("Log"), t.Index("Door"), t.Index("Kind"), t.Index("Host")
	name, subscription, label := t.Index("File"), t.Index("Subscription"), t.Index("Case")
	for _, f := range files {
		err := datafile.Read(ctx, f, t, nil, datafile.Filter{}, func(r datafile.Row) error {
			n, _ := r.Int(id)
			us, _ := r.Int(at)
			all[int32(n)] = &Account{
				Source: Source{int32(n), catalog.SourceInfo{
					Kind: string(r.Bytes(kind)), Host: string(r.Bytes(host)), File: string(r.Bytes(name)), Subscription: string(r.Bytes(subscription)),
				}},
				Log: string(r.Bytes(log)), Door: string(r.Bytes(door)), Case: string(r.Bytes(label)), At: ticks(us),
				SourceTally: catalog.SourceTally{Source: int32(n)},
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("cannot read the sources: %w", err)
		}
	}
	return nil
}

func readEntries(ctx context.Context, files []datafile.Input, all map[int32]*Account) error {
	t := schema.Ledger
	id := t.Index("_Source")
	names := []string{"Received", "Stored", "Duplicate", "Filtered", "Damaged", "Partial", "Lost"}
	cols := []int{id}
	for _, n := range names {
		cols = append(cols, t.Index(n))
	}
	for _, f := range files {
		err := datafile.Read(ctx, f, t, cols, datafile.Filter{}, func(r datafile.Row) error {
			n, _ := r.Int(id)
			a := all[int32(n)]
			if a == nil { // its row of sources has expired
				a = &Account{Source: Source{ID: int32(n)}, SourceTally: catalog.SourceTally{Source: int32(n)}}
				all[int32(n)] = a
			}
			for i, to := range []*int64{&a.Received, &a.Stored, &a.Duplicate, &a.Filtered, &a.Damaged, &a.Partial, &a.Lost} {
				v, _ := r.Int(cols[i+1])
				*to += v
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("cannot read the ledger: %w", err)
		}
	}
	return nil
}
