package lake

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// replacement takes data files out of a table and puts others, with rows of the
// same case and partition, in their place.
type replacement struct {
	table *schema.Table
	old   []store.DataFile
	// write makes the new files through out, for example by datafile.Merge; nil
	// for none. An error gives everything up.
	write func(out datafile.Output) ([]datafile.File, error)
	// caseID is the case of the new files' rows, us an _IngestedAt (µs) of their
	// partition.
	caseID, us int64
	// defines writes the table's definition instead.
	defines bool
}

// replace commits replacements, all or none. op is table.OpReplace when the rows
// stay the same (compaction), table.OpOverwrite or table.OpDelete when some go.
// An action, if any, becomes a row of wadi_audit in the same commit. The files
// taken out stay on disk until no reader needs them. Parts are committed while the
// new files are written. The caller holds acts since it looked at the table.
func (w *Writer) replace(ctx context.Context, op table.Operation, action *ledger.Action, list ...replacement) error {
	return w.acting(ctx, op, action, nil, list...)
}

// act commits changes of settings, with their row of wadi_audit; they may use the
// action's number, which is never given twice.
func (w *Writer) act(ctx context.Context, action *ledger.Action, changes func(number int64) []catalog.Change) error {
	w.acts.Lock()
	defer w.acts.Unlock()
	return w.acting(ctx, "", action, changes)
}

func (w *Writer) acting(ctx context.Context, op table.Operation, action *ledger.Action, changes func(number int64) []catalog.Change, list ...replacement) error {
	next, err := w.takeRow(ctx)
	if err != nil {
		return err
	}
	// Wadi's own log: its parts are numbered as its rows are, and each takes one.
	us := w.opts.Now().UnixMicro()
	id := w.mark.UUID + "/" + strconv.FormatInt(next, 10)
	j := job{w: w, id: id, us: us, kind: actionKind(action), row: catalog.PartRow{ID: id, Number: next, US: us, NextRow: next + 1}}
	if changes != nil {
		j.row.Changes = changes(next)
	}
	if err := j.prepare(ctx, op, list); err != nil {
		return errors.Join(err, j.undo())
	}
	w.commits.Lock()
	defer w.commits.Unlock()
	if w.broken != nil {
		return errors.Join(w.broken, j.undo())
	}
	if action != nil {
		rows := ledger.Part{Log: w.mark.UUID, Number: next, IngestedAtUS: us, FirstSeq: next}
		a := *action
		a.Actor = w.opts.Actor
		err := j.own(ctx, func(_ *schema.Table, s *datafile.Sorter) error { return rows.AddAction(ctx, s, a) }, schema.WadiAudit)
		if err != nil {
			return errors.Join(err, j.close(), j.undo())
		}
	}
	return errors.Join(j.run(ctx), j.close())
}

// takeRow takes the number of one of Wadi's own rows for good.
func (w *Writer) takeRow(ctx context.Context) (int64, error) {
	w.commits.Lock()
	defer w.commits.Unlock()
	if w.broken != nil {
		return 0, w.broken
	}
	return w.state.TakeRow(ctx)
}

// prepare writes the replacements' files. Several replacements of one table become
// one change.
func (j *job) prepare(ctx context.Context, op table.Operation, list []replacement) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	for _, r := range list {
		c := j.change(r.table, op)
		c.Defines = c.Defines || r.defines
		for _, f := range r.old {
			loc, err := j.w.store.Location(f.Path)
			if err != nil {
				return err
			}
			c.Remove[loc] = true
			if rel, ok := j.w.store.Relative(loc); ok {
				j.row.Gone = append(j.row.Gone, rel)
				j.removes(rel, f)
			}
		}
		if r.write == nil {
			continue
		}
		made, err := r.write(j.output(r.table, r.us))
		if err != nil {
			return err
		}
		for _, f := range made {
			if err := j.note(c, f, r.caseID, r.us); err != nil {
				return err
			}
		}
	}
	return nil
}

// change gives the job's change of a table, made at first use.
func (j *job) change(t *schema.Table, op table.Operation) *store.Change {
	for i := range j.changes {
		if j.changes[i].Table.Name == t.Name { // one change a table, also for files of older versions
			return &j.changes[i]
		}
	}
	j.changes = append(j.changes, store.Change{Table: t, Op: op, ID: j.id, Remove: map[string]bool{}})
	j.sorters = append(j.sorters, nil)
	return &j.changes[len(j.changes)-1]
}

// cases tells which case the rows of a data file belong to; ok is false when that
// isn't known (another program wrote the file).
type cases struct {
	store   *store.Store
	files   map[string]catalog.FileRow
	sources map[int32]int64
}

// caseFinder reads what the state knows of files and sources.
func (w *Writer) caseFinder(ctx context.Context) (*cases, error) {
	files, err := w.state.Files(ctx)
	if err != nil {
		return nil, err
	}
	sources, err := w.state.SourceCases(ctx)
	if err != nil {
		return nil, err
	}
	return &cases{w.store, files, sources}, nil
}

func (c *cases) of(t *schema.Table, f store.DataFile) (caseID int64, ok bool) {
	if loc, err := c.store.Location(f.Path); err == nil {
		if rel, ok := c.store.Relative(loc); ok {
			if row, ok := c.files[rel]; ok {
				return row.CaseID, true
			}
		}
	}
	// A file with rows of one source only still tells.
	b := f.Bounds[t.Column("_Source").FieldID]
	lo, ok1 := number(b.Min)
	hi, ok2 := number(b.Max)
	if !ok1 || !ok2 || lo != hi {
		return 0, false
	}
	caseID, ok = c.sources[int32(lo)]
	return caseID, ok
}

// ingested gives the first and last _IngestedAt (µs) of a file's rows; ok is false
// when the manifest doesn't say.
func ingested(t *schema.Table, f store.DataFile) (lo, hi int64, ok bool) {
	b := f.Bounds[t.Column("_IngestedAt").FieldID]
	lo, ok1 := number(b.Min)
	hi, ok2 := number(b.Max)
	return lo, hi, ok1 && ok2
}

// label names a case for the user.
func label(all []catalog.Case, id int64) string {
	for _, c := range all {
		if c.ID == id {
			return c.Label
		}
	}
	return fmt.Sprintf("case %d", id)
}
