package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/evidence"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// job writes data files and commits them, with the state's part row around it.
// The caller holds Writer.commits.
type job struct {
	w   *Writer
	id  string
	us  int64
	row catalog.PartRow

	changes []store.Change
	sorters [][]sorted         // by change; none for changes of files that exist
	mine    []*datafile.Sorter // to be closed by the job
	begun   bool
	files   int // made so far: they are numbered through

	// kind, added and removed are for the chain of evidence.
	kind    string
	added   []evidence.File
	removed []evidence.Removed
}

// sorted are rows of one partition of a table: that of us, an _IngestedAt (µs).
type sorted struct {
	*datafile.Sorter
	us int64
}

// add adds the rows of a sorter to a table. Rows of an older form of a custom
// table go with those of its present one, into files of their own.
func (j *job) add(t *schema.Table, s sorted) {
	for i := range j.changes {
		if c := &j.changes[i]; c.Table.Name == t.Name {
			if c.Table.Version < t.Version {
				c.Table = t
			}
			j.sorters[i] = append(j.sorters[i], s)
			return
		}
	}
	j.changes = append(j.changes, store.Change{Table: t, Op: table.OpAppend, ID: j.id})
	j.sorters = append(j.sorters, []sorted{s})
}

// own adds rows of Wadi's own tables; fill puts a table's rows into the sorter.
func (j *job) own(_ context.Context, fill func(*schema.Table, *datafile.Sorter) error, tables ...*schema.Table) error {
	for _, t := range tables {
		s := datafile.NewSorter(datafile.SorterConfig{Table: t, TempDir: j.w.TempDir(), MemoryBytes: ownMemory, Workers: 1})
		j.mine = append(j.mine, s)
		if err := fill(t, s); err != nil {
			return err
		}
		if s.Rows() > 0 {
			j.add(t, sorted{s, j.us})
		}
	}
	return nil
}

// ownMemory bounds the rows of Wadi's own tables in one commit: a few hundred
// bytes a source.
const ownMemory = 16 << 20

func (j *job) close() error {
	var errs []error
	for _, s := range j.mine {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// run writes the files, then goes through prepared, commit, done. On an error all
// traces are removed, unless the outcome isn't known.
func (j *job) run(ctx context.Context) error {
	if len(j.changes) == 0 {
		return nil
	}
	err := j.write(ctx)
	if err == nil {
		err = j.seal(ctx)
	}
	if err == nil {
		err = j.w.state.PreparePart(ctx, j.row)
	}
	if err == nil {
		// From here on a cancelled context would only make the outcome unknown.
		err = j.w.store.Commit(context.WithoutCancel(ctx), j.w.opts.Now(), j.changes)
	}
	switch {
	case errors.Is(err, store.ErrUnknown):
		j.w.broken = fmt.Errorf("an earlier commit has failed: %w", err)
		return err
	case err != nil:
		return errors.Join(err, j.undo())
	}
	if err := j.w.state.FinishPart(context.WithoutCancel(ctx), j.row); err != nil {
		// The rows are in the tables; the state catches up at the next OpenWriter.
		j.w.broken = fmt.Errorf("an earlier commit has not reached the state: %w", err)
		return fmt.Errorf("the rows are stored, but the state isn't: %w", err)
	}
	return nil
}

// begin notes in the state that files of the job may exist.
func (j *job) begin(ctx context.Context) error {
	if j.begun {
		return nil
	}
	if err := j.w.state.BeginPart(ctx, j.id, j.row.Log); err != nil {
		return err
	}
	j.begun = true
	return nil
}

// undo removes the files of a commit that didn't happen.
func (j *job) undo() error {
	if !j.begun {
		return nil
	}
	err := j.w.removePart(j.id)
	if err == nil {
		err = j.w.state.DropPart(context.Background(), j.id)
	}
	if err != nil {
		return fmt.Errorf("cannot remove what was written (the next writer does): %w", err)
	}
	return nil
}

// write writes the data files and notes them in the row.
func (j *job) write(ctx context.Context) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	for i := range j.changes {
		c := &j.changes[i]
		if !slices.Contains(j.row.Tables, c.Table.Name) {
			j.row.Tables = append(j.row.Tables, c.Table.Name)
		}
		for _, s := range j.sorters[i] {
			files, err := s.Finish(ctx, j.output(s.Table(), s.us))
			if err != nil {
				return err
			}
			for _, f := range files {
				if err := j.note(c, f, j.row.CaseID, s.us); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// note adds a finished file to a change and to the row.
func (j *job) note(c *store.Change, f datafile.File, caseID, us int64) error {
	loc, err := j.w.store.Location(f.Path)
	if err != nil {
		return err
	}
	rel, _ := j.w.store.Relative(loc)
	c.Add = append(c.Add, store.Added{File: f, US: us})
	j.added = append(j.added, evidenceFile(rel, &f))
	j.row.Files = append(j.row.Files, catalog.PartFile{Path: rel, CaseID: caseID, SHA256: f.SHA256})
	return nil
}

// partPrefix begins the names of a part's data files.
func partPrefix(id string) string {
	return strings.ReplaceAll(strings.ReplaceAll(id, "-", ""), "/", "_") + "_"
}

// output says where the job's data files of a table go, for rows of the partition
// that us lies in.
func (j *job) output(t *schema.Table, us int64) datafile.Output {
	w, first := j.w, j.files
	dir := filepath.Join(w.store.TableDir(t.Name), "data", store.PartitionFolder(t.Partition, us))
	return datafile.Output{
		TargetBytes: w.opts.TargetFileBytes,
		Create: func(n int) (io.WriteCloser, string, error) {
			j.files = max(j.files, first+n+1)
			path := filepath.Join(dir, fmt.Sprintf("%s%d_v%d.parquet", partPrefix(j.id), first+n, t.Version))
			if err := w.opts.fs.MkdirAll(dir); err != nil {
				return nil, path, err
			}
			f, err := w.opts.fs.Create(path)
			if err != nil {
				return nil, path, err
			}
			return &durable{File: f, fs: w.opts.fs, dir: dir}, path, nil
		},
		Discard: func(path string) {
			if err := w.opts.fs.Remove(path); err != nil {
				w.opts.Log.Warn("cannot remove a data file that was given up; the next writer does", "file", path, "error", err)
			}
		},
	}
}

// durable is a file that is on disk, with its name, when Close returns nil.
type durable struct {
	folder.File
	fs  folder.FS
	dir string
}

// Close implements io.Closer.
func (d *durable) Close() error {
	err := d.Sync()
	if err = errors.Join(err, d.File.Close()); err != nil {
		return err
	}
	return d.fs.SyncDir(d.dir)
}
