package lake

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Expired is what Expire took out of the tables.
type Expired struct {
	// Files, Rows and Bytes have left the tables; the files stay on disk until no
	// reader needs them.
	Files int   `json:"files"`
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
	// Held counts files that are due but under a legal hold.
	Held int `json:"held"`
	// Keys is how many de-duplication keys went with their rows.
	Keys int64 `json:"keys"`
	// ByTable has the tables that lost rows.
	ByTable map[string]int64 `json:"by_table"`
}

// dataTables are the tables whose rows have de-duplication keys, by the keys' kind.
var dataTables = map[KeyKind][]*schema.Table{
	KeyEVTX: {schema.WindowsEvents},
	KeyText: {schema.W3CIIS},
	KeyFeed: {schema.WindowsEvents, schema.W3CIIS},
}

// Expire removes what retention says: a file goes when its newest _IngestedAt is
// older than its table's days (or its case's), unless a legal hold covers it. It is
// the only thing that removes rows by age. It works on a full disk too: it frees
// the reserve first.
func (w *Writer) Expire(ctx context.Context) (Expired, error) {
	out, err := w.expire(ctx)
	if err == nil {
		err = w.upkeep(ctx, 1)
	}
	if err == nil {
		err = w.makeReserve(ctx)
	}
	if err != nil {
		return out, folder.Explain(fmt.Errorf("cannot expire rows: %w", err))
	}
	return out, nil
}

func (w *Writer) expire(ctx context.Context) (Expired, error) {
	out := Expired{ByTable: map[string]int64{}}
	if err := w.freeReserve(); err != nil {
		return out, err
	}
	rules, err := w.Settings(ctx)
	if err != nil {
		return out, err
	}
	find, err := w.caseFinder(ctx)
	if err != nil {
		return out, err
	}
	w.acts.Lock()
	defer w.acts.Unlock()
	point, err := w.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return out, err
	}
	defer func() { _ = point.Close() }() // what stays is void after its deadline
	set, err := w.Schema(ctx)
	if err != nil {
		return out, err
	}
	now := w.opts.Now()
	var list []replacement
	for _, t := range set.Tables() {
		files, err := point.committed(t)
		if err != nil {
			return out, err
		}
		r := replacement{table: t}
		for _, f := range files.Files {
			due, held := rules.due(t, f, find, now)
			if held {
				out.Held++
			}
			if due && !held {
				r.old = append(r.old, f)
				out.Files, out.Rows, out.Bytes = out.Files+1, out.Rows+f.Rows, out.Bytes+f.SizeBytes
				out.ByTable[t.Name] += f.Rows
			}
		}
		if len(r.old) > 0 {
			list = append(list, r)
		}
	}
	if len(list) > 0 {
		a := &ledger.Action{Action: "expire", Detail: map[string]any{"files": out.Files, "rows": out.ByTable}}
		if err := w.replace(ctx, table.OpDelete, a, list...); err != nil {
			return Expired{}, err
		}
	}
	out.Keys, err = w.dropKeys(ctx, rules, find, now)
	return out, err
}

// due tells whether a file has outlived its retention, and if so whether a hold
// keeps it.
func (r Settings) due(t *schema.Table, f store.DataFile, find *cases, now time.Time) (due, held bool) {
	id, known := find.of(t, f)
	if !known {
		id = -1
	}
	days := r.days(t.Name, id)
	_, newest, ok := ingested(t, f)
	if days == 0 || !ok || newest >= cutoff(now, days) {
		return false, false
	}
	return true, r.held(t.Name, id)
}

// cutoff is the moment (µs) from which rows are kept.
func cutoff(now time.Time, days int64) int64 {
	const perDay = 24 * 3600 * 1_000_000
	if days > now.UnixMicro()/perDay {
		return 0
	}
	return now.UnixMicro() - days*perDay
}

// dropKeys removes the keys of rows that have expired.
func (w *Writer) dropKeys(ctx context.Context, rules Settings, find *cases, now time.Time) (int64, error) {
	point, err := w.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return 0, err
	}
	defer func() { _ = point.Close() }()
	var alive []catalog.Span
	for _, t := range dataTables[KeyFeed] {
		files, err := point.committed(t)
		if err != nil {
			return 0, err
		}
		for _, f := range files.Files {
			id, known := find.of(t, f)
			if lo, hi, ok := ingested(t, f); ok && known {
				alive = append(alive, catalog.Span{CaseID: id, Lo: lo, Hi: hi})
			}
		}
	}
	var cuts []catalog.KeyCut
	for _, c := range rules.Cases {
		for kind, tables := range dataTables {
			longest := int64(-1) // the retention of the rows that live longest
			for _, t := range tables {
				days := rules.days(t.Name, c.ID)
				if longest < 0 || days == 0 || longest != 0 && days > longest {
					longest = days
				}
			}
			if longest > 0 {
				cuts = append(cuts, catalog.KeyCut{CaseID: c.ID, Kind: kind, BeforeUS: cutoff(now, longest)})
			}
		}
	}
	if len(cuts) == 0 {
		return 0, nil
	}
	return w.state.DropKeys(ctx, cuts, alive)
}
