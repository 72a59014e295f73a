package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Deleted says what Delete did.
type Deleted struct {
	// Rows are gone; they lay in FilesRewritten, of which they left rows, and in
	// FilesDropped, of which they left none.
	Rows           int64 `json:"rows"`
	FilesRewritten int   `json:"files_rewritten"`
	FilesDropped   int   `json:"files_dropped"`
	// Where is the condition as the user gave it.
	Where string `json:"where"`
}

// Delete removes the rows of a table that match refers to, by (_Source, _Seq): all
// of them in one commit, or none. Files are written anew without them
// (copy-on-write), so every reader of the table agrees; the old files stay on disk
// until the snapshots before are expired and no reader needs them. What was done is
// recorded in wadi_audit with where, the user's condition. Keys of de-duplication
// stay, so that a later import doesn't bring the rows back. Rows under a legal hold
// are refused, and then nothing is deleted. Wadi's own records (sources, ledger,
// wadi_audit) can't be deleted. Rows of a stream that wait to be committed are
// committed first.
//
// match is called for each row, from one goroutine at a time, twice at most, and
// must answer the same both times.
func (w *Writer) Delete(ctx context.Context, t *schema.Table, match func(source int32, seq int64) bool, where string) (Deleted, error) {
	d, err := w.deleteRows(ctx, t, match, where)
	if err != nil {
		return Deleted{Where: where}, folder.Explain(fmt.Errorf("cannot delete rows of %s: %w", t.Name, err))
	}
	return d, nil
}

func (w *Writer) deleteRows(ctx context.Context, t *schema.Table, match func(source int32, seq int64) bool, where string) (d Deleted, err error) {
	d.Where = where
	switch t {
	case schema.Sources, schema.Ledger, schema.WadiAudit:
		return d, folder.Refuse(folder.CodeUsage, "retention may be set for it", "it is the lake's own record")
	}
	if err := w.bringIn(ctx); err != nil {
		return d, err
	}
	w.acts.Lock()
	defer w.acts.Unlock()
	r, err := w.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := w.waiting(r, t); err != nil {
		return d, err
	}
	all, err := r.committed(t)
	if err != nil {
		return d, err
	}
	finder, err := w.caseFinder(ctx)
	if err != nil {
		return d, err
	}
	rules, err := w.Settings(ctx)
	if err != nil {
		return d, err
	}
	var list []replacement
	for _, f := range all.Files {
		hits, err := matches(ctx, t, f, match)
		if err != nil {
			return d, err
		}
		if hits == 0 {
			continue
		}
		caseID, known := finder.of(t, f)
		if !known {
			caseID = -1 // under every hold of a case
		}
		if rules.held(t.Name, caseID) {
			return d, folder.Refuse(folder.CodeNothingDone, "see 'wadi lake hold list'", "some of them are under a legal hold")
		}
		old := replacement{table: versioned(t, f.SchemaVersion), old: []store.DataFile{f}, caseID: max(caseID, 0)}
		d.Rows += hits
		if hits == f.Rows {
			d.FilesDropped++
		} else {
			d.FilesRewritten++
			var ok bool
			if old.us, _, ok = ingested(t, f); !ok {
				return d, fmt.Errorf("another program wrote %s without bounds of _IngestedAt", f.Path)
			}
			old.write = w.without(ctx, old.table, f, hits, match)
		}
		list = append(list, old)
	}
	if len(list) == 0 {
		return d, nil
	}
	op := table.OpDelete
	if d.FilesRewritten > 0 {
		op = table.OpOverwrite
	}
	return d, w.replace(ctx, op, &ledger.Action{Action: "delete", Table: t.Name, Detail: &d}, list...)
}

// waiting refuses when the table has rows that only a server can commit: one died.
// Rows of a server that runs are its own to bring in before.
func (w *Writer) waiting(r *ReadPoint, t *schema.Table) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stream != nil || len(r.hot[t.Name]) == 0 {
		return nil
	}
	return folder.Refuse(folder.CodeNothingDone, "run 'wadi serve' once: it brings them into the table", "a server died, and rows of it wait in its log")
}

// without writes a file anew but for the rows that match.
func (w *Writer) without(ctx context.Context, t *schema.Table, f store.DataFile, hits int64, match func(source int32, seq int64) bool) func(datafile.Output) ([]datafile.File, error) {
	source, seq := t.Index("_Source"), t.Index("_Seq")
	return func(out datafile.Output) ([]datafile.File, error) {
		out.MaxFiles = 1
		keep := func(r datafile.Row) bool {
			src, _ := r.Int(source)
			n, _ := r.Int(seq)
			return !match(int32(src), n)
		}
		files, _, err := datafile.Merge(ctx, w.sorting(t), []datafile.Input{{Path: f.Path}}, out, keep)
		if err != nil {
			return nil, err
		}
		rows := f.Rows - hits
		for i := range files {
			rows -= files[i].Rows
		}
		if rows != 0 {
			return nil, fmt.Errorf("%s hold %d rows less than expected", f.Path, rows)
		}
		return files, nil
	}
}

// matches counts the rows of a file that match.
func matches(ctx context.Context, t *schema.Table, f store.DataFile, match func(source int32, seq int64) bool) (n int64, err error) {
	source, seq := t.Index("_Source"), t.Index("_Seq")
	err = datafile.Read(ctx, datafile.Input{Path: f.Path}, t, []int{source, seq}, datafile.Filter{}, func(r datafile.Row) error {
		src, _ := r.Int(source)
		no, ok := r.Int(seq)
		if ok && match(int32(src), no) {
			n++
		}
		return nil
	})
	return n, err
}
