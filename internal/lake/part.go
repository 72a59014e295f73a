package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"
)

// Log is one log being written. Methods may be called from many goroutines.
type Log struct {
	w    *Writer
	row  catalog.LogRow
	info LogInfo

	mu      sync.Mutex
	sources []ledger.Source // added since the last part that was committed
	lastUS  int64
	parts   int64
	open    bool
}

// BeginLog begins a log: one import.
func (w *Writer) BeginLog(ctx context.Context, info LogInfo) (*Log, error) {
	row, err := w.state.AddLog(ctx, uuid.NewString(), info)
	if err != nil {
		return nil, explain(err)
	}
	return &Log{w: w, row: row, info: info}, nil
}

// UUID names the log.
func (g *Log) UUID() string { return g.row.UUID }

// AddSource gives a new source its number; it becomes durable with the next part
// that is committed.
func (g *Log) AddSource(_ context.Context, info SourceInfo) (int32, error) {
	g.w.mu.Lock()
	id := g.w.nextSource
	g.w.nextSource++
	g.w.mu.Unlock()
	if int64(int32(id)) != id {
		return 0, errors.New("cannot number another source: 2,147,483,647 are the most a lake holds")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sources = append(g.sources, ledger.Source{ID: int32(id), SourceInfo: info})
	return int32(id), nil
}

// BeginPart begins the next part. A log has at most one part open.
func (g *Log) BeginPart(context.Context) (*Part, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open {
		return nil, fmt.Errorf("cannot begin a part of log %s: one is open", g.row.UUID)
	}
	g.open = true
	g.parts++
	g.lastUS = max(g.lastUS, g.w.opts.Now().UnixMicro())
	return &Part{Number: g.parts, IngestedAtUS: g.lastUS, log: g, id: g.row.UUID + "/" + strconv.FormatInt(g.parts, 10)}, nil
}

// Part is one part of a log: rows that become visible together.
type Part struct {
	// Number counts the log's parts from 1.
	Number int64
	// IngestedAtUS is _IngestedAt of all rows, µs since 1970; it never decreases
	// within a log.
	IngestedAtUS int64

	log *Log
	id  string

	mu      sync.Mutex
	tables  []*schema.Table // those with a sorter, in order of first use
	sorters map[*schema.Table]*datafile.Sorter
	ended   bool
}

// Sorter gives the sorter of a table, made at first use. It belongs to the part.
// Safe for concurrent use.
func (p *Part) Sorter(t *schema.Table) *datafile.Sorter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.sorters[t]; s != nil {
		return s
	}
	if p.sorters == nil {
		p.sorters = map[*schema.Table]*datafile.Sorter{}
	}
	o := p.log.w.opts
	s := datafile.NewSorter(datafile.SorterConfig{Table: t, TempDir: p.log.w.TempDir(), MemoryBytes: o.MemoryBytes, Workers: o.Workers})
	p.sorters[t] = s
	p.tables = append(p.tables, t)
	return s
}

// Abort drops the part and its rows. After Commit it does nothing.
func (p *Part) Abort() error { return p.end() }

// end closes the sorters.
func (p *Part) end() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil
	}
	p.ended = true
	var errs []error
	for _, t := range p.tables {
		errs = append(errs, p.sorters[t].Close())
	}
	p.log.mu.Lock()
	p.log.open = false
	p.log.mu.Unlock()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cannot end part %s: %w", p.id, err)
	}
	return nil
}

// Commit makes the part's rows visible in all tables at once, together with its
// rows of sources and ledger. When it returns nil, rows, counts and keys are
// durable. On an error nothing of the part is visible, unless the error says that
// the outcome isn't known: then the next OpenWriter finds out, and this Writer
// takes no more commits. The part is over either way.
func (p *Part) Commit(ctx context.Context, result PartResult) error {
	err := p.commit(ctx, result)
	if err = errors.Join(err, p.end()); err != nil {
		return explain(fmt.Errorf("cannot commit part %s: %w", p.id, err))
	}
	return nil
}

func (p *Part) commit(ctx context.Context, result PartResult) error {
	if p.ended {
		return errors.New("it has ended before")
	}
	w := p.log.w
	p.log.mu.Lock()
	sources := slices.Clone(p.log.sources)
	p.log.mu.Unlock()
	w.commits.Lock()
	defer w.commits.Unlock()
	if w.broken != nil {
		return w.broken
	}
	job := job{
		w: w, id: p.id, us: p.IngestedAtUS,
		row: catalog.PartRow{
			ID: p.id, Log: p.log.row.N, Number: p.Number, US: p.IngestedAtUS, CaseID: p.log.row.CaseID, Keys: result.Keys,
		},
	}
	for _, t := range p.tables {
		if p.sorters[t].Rows() > 0 {
			job.add(t, p.sorters[t])
		}
	}
	next, err := w.state.NextRow(ctx)
	if err != nil {
		return err
	}
	rows := ledger.Part{
		Log: p.log.row.UUID, Door: p.log.info.Door, Case: p.log.info.Case, Number: p.Number,
		IngestedAtUS: p.IngestedAtUS, FirstSeq: next,
	}
	if err := job.own(ctx, func(t *schema.Table, s *datafile.Sorter) error {
		switch t {
		case schema.Sources:
			return rows.AddSources(ctx, s, sources)
		default:
			return rows.AddTallies(ctx, s, result.Sources)
		}
	}, schema.Sources, schema.Ledger); err != nil {
		return errors.Join(err, job.close())
	}
	for _, s := range sources {
		job.row.Sources = append(job.row.Sources, s.ID)
	}
	job.row.NextRow = rows.FirstSeq
	if err := errors.Join(job.run(ctx), job.close()); err != nil {
		return err
	}
	p.log.mu.Lock()
	p.log.sources = slices.Delete(p.log.sources, 0, len(sources))
	p.log.mu.Unlock()
	return nil
}

// job writes data files and commits them, with the state's part row around it.
// The caller holds Writer.commits.
type job struct {
	w   *Writer
	id  string
	us  int64
	row catalog.PartRow

	changes []change
	sorters []*datafile.Sorter // by change; nil for none
	mine    []*datafile.Sorter // to be closed by the job
	begun   bool
}

// add adds the rows of a sorter to a table.
func (j *job) add(t *schema.Table, s *datafile.Sorter) {
	j.changes = append(j.changes, change{table: t, op: table.OpAppend, id: j.id})
	j.sorters = append(j.sorters, s)
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
			j.add(t, s)
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
		err = j.w.state.PreparePart(ctx, j.row)
	}
	if err == nil {
		// From here on a cancelled context would only make the outcome unknown.
		err = j.w.store.commit(context.WithoutCancel(ctx), j.w.opts.Now(), j.changes)
	}
	switch {
	case errors.Is(err, errUnknown):
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
	if !j.begun {
		if err := j.w.state.BeginPart(ctx, j.id, j.row.Log); err != nil {
			return err
		}
		j.begun = true
	}
	for i := range j.changes {
		c := &j.changes[i]
		if !slices.Contains(j.row.Tables, c.table.Name) {
			j.row.Tables = append(j.row.Tables, c.table.Name)
		}
		if j.sorters[i] == nil {
			continue
		}
		files, err := j.sorters[i].Finish(ctx, j.w.output(c.table, j.id, j.us))
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := j.note(c, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// note adds a finished file to a change and to the row.
func (j *job) note(c *change, f datafile.File) error {
	loc, err := j.w.store.location(f.Path)
	if err != nil {
		return err
	}
	rel, _ := j.w.store.relative(loc)
	c.add = append(c.add, newFile{File: f, us: j.us})
	j.row.Files = append(j.row.Files, catalog.PartFile{Path: rel, SHA256: f.SHA256})
	return nil
}

// partPrefix begins the names of a part's data files.
func partPrefix(id string) string {
	return strings.ReplaceAll(strings.ReplaceAll(id, "-", ""), "/", "_") + "_"
}

// output says where the data files of a part go.
func (w *Writer) output(t *schema.Table, id string, us int64) datafile.Output {
	dir := filepath.Join(w.store.tableDir(t.Name), "data", partitionFolder(t.Partition, us))
	return datafile.Output{
		TargetBytes: w.opts.TargetFileBytes,
		Create: func(n int) (io.WriteCloser, string, error) {
			path := filepath.Join(dir, fmt.Sprintf("%s%d_v%d.parquet", partPrefix(id), n, t.Version))
			if err := w.opts.fs.MkdirAll(dir); err != nil {
				return nil, path, err
			}
			f, err := w.opts.fs.Create(path)
			if err != nil {
				return nil, path, err
			}
			return &durable{file: f, fs: w.opts.fs, dir: dir}, path, nil
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
	file
	fs  fsys
	dir string
}

// Close implements io.Closer.
func (d *durable) Close() error {
	err := d.Sync()
	if err = errors.Join(err, d.file.Close()); err != nil {
		return err
	}
	return d.fs.SyncDir(d.dir)
}
