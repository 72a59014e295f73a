package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// Bounds of a compaction.
const (
	// smallFile is the size below which a data file is merged with others: a
	// quarter of the size that files are written with.
	smallFile = datafile.DefaultTargetBytes / 4
	// mergeInputs is how many files one merge reads: about 10 MB of memory each.
	mergeInputs = 8
	// mergeInputBytes ends a merge's inputs early: more only makes more files.
	mergeInputBytes = 2 * datafile.DefaultTargetBytes
	// dueFiles is how many small files of a case and a partition make Upkeep
	// merge them: fewer cost a question less than rewriting costs an import.
	dueFiles = 8
	// compactRounds bounds how often a table is gone over: each round leaves at
	// most an eighth of the small files, so this is never reached.
	compactRounds = 8
)

// Compacted says what Compact did with one table.
type Compacted struct {
	Table string `json:"table"`
	// FilesBefore were merged into FilesAfter.
	FilesBefore int `json:"files_before"`
	FilesAfter  int `json:"files_after"`
	// Rows are the rows of these files; they stay the same.
	Rows        int64 `json:"rows"`
	BytesBefore int64 `json:"bytes_before"`
	BytesAfter  int64 `json:"bytes_after"`
}

// Compact merges all small data files of all tables, within a case and a partition
// and never beyond it. Each table is one commit, recorded in wadi_audit (but that
// table's own): an interrupted compaction leaves the tables before done and the
// others as they were. Rows don't change. Tables without anything to merge are not
// in the result.
func (w *Writer) Compact(ctx context.Context) ([]Compacted, error) {
	done, err := w.compact(ctx, 2)
	if err != nil {
		return done, folder.Explain(fmt.Errorf("cannot compact: %w", err))
	}
	return done, nil
}

// compactDue merges what Upkeep merges at the end of an import.
func (w *Writer) compactDue(ctx context.Context) error {
	_, err := w.compact(ctx, dueFiles)
	return err
}

func (w *Writer) compact(ctx context.Context, due int) ([]Compacted, error) {
	set, err := w.Schema(ctx)
	if err != nil {
		return nil, err
	}
	var done []Compacted
	for _, t := range set.Tables() {
		total := Compacted{Table: t.Name}
		for range compactRounds {
			c, err := w.compactTable(ctx, t, due)
			if err != nil {
				return done, err
			}
			if c.FilesBefore == 0 {
				break
			}
			total.FilesBefore, total.FilesAfter = total.FilesBefore+c.FilesBefore, total.FilesAfter+c.FilesAfter
			total.BytesBefore, total.BytesAfter = total.BytesBefore+c.BytesBefore, total.BytesAfter+c.BytesAfter
			total.Rows += c.Rows
		}
		if total.FilesBefore > 0 {
			done = append(done, total)
		}
	}
	return done, nil
}

// compactTable merges each set of small files of a table once.
func (w *Writer) compactTable(ctx context.Context, t *schema.Table, due int) (c Compacted, err error) {
	c.Table = t.Name
	w.acts.Lock()
	defer w.acts.Unlock()
	r, err := w.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	all, err := r.committed(t)
	if err != nil || len(all.Files) < due {
		return c, err
	}
	finder, err := w.caseFinder(ctx)
	if err != nil {
		return c, err
	}
	var list []replacement
	for _, s := range smallFiles(t, all.Files, finder, due) {
		list = append(list, w.merging(ctx, versioned(t, s.version), s, &c))
	}
	if len(list) == 0 {
		return c, nil
	}
	var action *ledger.Action
	if t != schema.WadiAudit { // its row would be the next small file
		action = &ledger.Action{Action: "compact", Table: t.Name, Detail: &c}
	}
	if err := w.replace(ctx, table.OpReplace, action, list...); err != nil {
		return Compacted{}, fmt.Errorf("cannot merge files of %s: %w", t.Name, err)
	}
	return c, nil
}

// fileSet are files that may become one: of one case, partition and schema version,
// because the version tells which columns a file can't have.
type fileSet struct {
	caseID, us int64
	version    int
	files      []store.DataFile
}

// smallFiles gives what can be merged. Files that another program wrote are left
// alone unless it is known whose they are.
func smallFiles(t *schema.Table, files []store.DataFile, finder *cases, due int) []fileSet {
	type key struct {
		caseID    int64
		partition string
		version   int
	}
	groups := map[key]*fileSet{}
	var order []key
	for _, f := range files {
		lo, hi, ok := ingested(t, f)
		k := key{partition: store.PartitionFolder(t.Partition, lo), version: f.SchemaVersion}
		if f.SizeBytes >= smallFile || !ok || f.SchemaVersion > t.Version || k.partition != store.PartitionFolder(t.Partition, hi) {
			continue
		}
		if k.caseID, ok = finder.of(t, f); !ok {
			continue
		}
		g := groups[k]
		if g == nil {
			g = &fileSet{caseID: k.caseID, us: lo, version: k.version}
			groups[k] = g
			order = append(order, k)
		}
		g.files = append(g.files, f)
	}
	at := t.Column("TimeGenerated").FieldID
	var sets []fileSet
	for _, k := range order {
		g := groups[k]
		if len(g.files) < due {
			continue
		}
		// Neighbours in time: what comes out covers a short time again.
		slices.SortStableFunc(g.files, func(a, b store.DataFile) int {
			x, _ := number(a.Bounds[at].Min)
			y, _ := number(b.Bounds[at].Min)
			return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.Path, b.Path))
		})
		sets = append(sets, split(g)...)
	}
	return sets
}

// split cuts a group of files into merges; a single file is left over.
func split(g *fileSet) []fileSet {
	var sets []fileSet
	for rest := g.files; len(rest) > 1; {
		n, size := 0, int64(0)
		for n < min(len(rest), mergeInputs) && (n < 2 || size < mergeInputBytes) {
			size += rest[n].SizeBytes
			n++
		}
		s := *g
		s.files, rest = rest[:n], rest[n:]
		sets = append(sets, s)
	}
	return sets
}

// versioned gives the table as files of an older schema version have it: younger
// columns are absent, so they can't be required.
func versioned(t *schema.Table, version int) *schema.Table {
	if version == t.Version {
		return t
	}
	old := *t
	old.Version = version
	old.Columns = slices.Clone(t.Columns)
	for i := range old.Columns {
		if old.Columns[i].Born > version {
			old.Columns[i].Required = false
		}
	}
	return &old
}

// merging merges a set of files; done counts what came of it.
func (w *Writer) merging(ctx context.Context, t *schema.Table, s fileSet, done *Compacted) replacement {
	inputs := make([]datafile.Input, len(s.files))
	rows := int64(0)
	for i, f := range s.files {
		inputs[i] = datafile.Input{Path: f.Path}
		rows += f.Rows
		done.BytesBefore += f.SizeBytes
	}
	done.FilesBefore += len(s.files)
	done.Rows += rows
	return replacement{
		table: t, old: s.files, caseID: s.caseID, us: s.us,
		write: func(out datafile.Output) ([]datafile.File, error) {
			files, _, err := datafile.Merge(ctx, w.sorting(t), inputs, out, nil)
			if err != nil {
				return nil, err
			}
			for _, f := range files {
				rows -= f.Rows
				done.BytesAfter += f.SizeBytes
			}
			done.FilesAfter += len(files)
			if rows != 0 {
				return nil, fmt.Errorf("the files hold %d rows less than the table says", rows)
			}
			return files, nil
		},
	}
}

// sorting sets up merges as the lake sets up parts.
func (w *Writer) sorting(t *schema.Table) datafile.SorterConfig {
	return datafile.SorterConfig{Table: t, TempDir: w.TempDir(), MemoryBytes: w.opts.MemoryBytes, Workers: w.opts.Workers}
}
