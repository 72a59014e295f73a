package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

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
