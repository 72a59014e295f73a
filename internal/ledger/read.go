package ledger

import (
	"cmp"
	"context"
	"encoding/json"
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
	// SourceTally is the sum over the channels.
	catalog.SourceTally
	// Channels are the sums by channel, by name. Targets say what was delivered,
	// by target and channel.
	Channels, Targets []catalog.SourceTally
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
		for _, tallies := range [][]catalog.SourceTally{a.Channels, a.Targets} {
			slices.SortFunc(tallies, func(a, b catalog.SourceTally) int {
				return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Channel, b.Channel))
			})
		}
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

// entryColumns are the numbers of a row of the ledger, in the order of entryCounts.
var entryColumns = []string{"Received", "Stored", "Duplicate", "Filtered", "Damaged", "Partial", "Lost", "Late", "Delivered", "SkewMin", "SkewMax"}

func entryCounts(t *catalog.SourceTally) []*int64 {
	return []*int64{&t.Received, &t.Stored, &t.Duplicate, &t.Filtered, &t.Damaged, &t.Partial, &t.Lost, &t.Late, &t.Delivered, &t.SkewMin, &t.SkewMax}
}

func readEntries(ctx context.Context, files []datafile.Input, all map[int32]*Account) error {
	t := schema.Ledger
	id, channel, target := t.Index("_Source"), t.Index("Channel"), t.Index("Target")
	first, last, detail := t.Index("FirstTime"), t.Index("LastTime"), t.Index("Detail")
	var cols []int
	for _, n := range entryColumns {
		cols = append(cols, t.Index(n))
	}
	for _, f := range files {
		err := datafile.Read(ctx, f, t, append([]int{id, channel, target, first, last, detail}, cols...), datafile.Filter{}, func(r datafile.Row) error {
			n, _ := r.Int(id)
			row := catalog.SourceTally{Source: int32(n), Channel: string(r.Bytes(channel)), Target: string(r.Bytes(target))}
			for i, to := range entryCounts(&row) {
				*to, _ = r.Int(cols[i])
			}
			if us, ok := r.Int(first); ok {
				row.FirstTime = ticks(us)
				us, _ = r.Int(last)
				row.LastTime = ticks(us)
			}
			if text := r.Bytes(detail); len(text) > 0 {
				_ = json.Unmarshal(text, &row.Losses) // another program's row may hold anything
			}
			a := all[int32(n)]
			if a == nil { // its row of sources has expired
				a = &Account{Source: Source{ID: int32(n)}, SourceTally: catalog.SourceTally{Source: int32(n)}}
				all[int32(n)] = a
			}
			a.add(&row)
			return nil
		})
		if err != nil {
			return fmt.Errorf("cannot read the ledger: %w", err)
		}
	}
	return nil
}

// add adds a row of the ledger to the source's sum and to that of its channel or
// target.
func (a *Account) add(row *catalog.SourceTally) {
	to := &a.Channels
	if row.Target != "" {
		to = &a.Targets
	}
	i := slices.IndexFunc(*to, func(t catalog.SourceTally) bool { return t.Channel == row.Channel && t.Target == row.Target })
	if i < 0 {
		i = len(*to)
		*to = append(*to, catalog.SourceTally{Source: row.Source, Channel: row.Channel, Target: row.Target})
	}
	(*to)[i].Add(row)
	if row.Target == "" {
		a.SourceTally.Add(row)
	}
}
