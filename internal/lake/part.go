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
	"github.com/wadi-project/wadi/internal/evidence"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
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
	open    []int64 // numbers of the parts that are open, ascending

	stream bool
	hot    map[string]*hotChain // by table, of a stream log
}

// BeginLog begins a log: one import.
func (w *Writer) BeginLog(ctx context.Context, info LogInfo) (*Log, error) {
	row, err := w.state.AddLog(ctx, uuid.NewString(), info)
	if err != nil {
		return nil, folder.Explain(err)
	}
	return &Log{w: w, row: row, info: info}, nil
}

// UUID names the log.
func (g *Log) UUID() string { return g.row.UUID }

// AddSource gives a new source its number. Its row becomes durable with the next part
// that is committed; the number of a stream log's source is durable, and never given
// again, when AddSource returns.
func (g *Log) AddSource(ctx context.Context, info SourceInfo) (int32, error) {
	g.w.mu.Lock()
	id := g.w.nextSource
	g.w.nextSource++
	g.w.mu.Unlock()
	if int64(int32(id)) != id {
		return 0, errors.New("cannot number another source: 2,147,483,647 are the most a lake holds")
	}
	if g.stream {
		if err := g.w.state.ReserveSource(ctx, g.row.N, int32(id)); err != nil {
			return 0, folder.Explain(err)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sources = append(g.sources, ledger.Source{ID: int32(id), SourceInfo: info})
	return int32(id), nil
}

// BeginPart begins the next part. A bulk log has at most one part open; those of a
// stream log are committed in the order in which they were begun.
func (g *Log) BeginPart(context.Context) (*Part, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.open) > 0 && !g.stream {
		return nil, fmt.Errorf("cannot begin a part of log %s: one is open", g.row.UUID)
	}
	g.parts++
	g.open = append(g.open, g.parts)
	g.lastUS = max(g.lastUS, g.w.opts.Now().UnixMicro())
	return &Part{Number: g.parts, IngestedAtUS: g.lastUS, log: g, id: g.row.UUID + "/" + strconv.FormatInt(g.parts, 10)}, nil
}

// Part is one part of a log: rows that become visible together.
type Part struct {
	// Number counts the log's parts from 1.
	Number int64
	// IngestedAtUS is _IngestedAt of all rows of a bulk log's part, µs since 1970; it
	// never decreases within a log. Rows of a stream log have their own.
	IngestedAtUS int64

	log *Log
	id  string

	mu      sync.Mutex
	order   []partSorter // in order of first use
	sorters map[partSorter]sorted
	lastUS  int64
	ended   bool
}

// partSorter names a sorter of a part: rows of one partition of a table.
type partSorter struct {
	table     *schema.Table
	partition string
}

// Sorter gives the sorter of a table for rows with the part's _IngestedAt, made at
// first use. It belongs to the part. Safe for concurrent use.
func (p *Part) Sorter(t *schema.Table) *datafile.Sorter { return p.SorterAt(t, p.IngestedAtUS) }

// SorterAt gives the sorter of a table for rows with that _IngestedAt (µs since
// 1970), or another one of the same partition. It belongs to the part. Safe for
// concurrent use.
func (p *Part) SorterAt(t *schema.Table, ingestedUS int64) *datafile.Sorter {
	key := partSorter{t, store.PartitionFolder(t.Partition, ingestedUS)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastUS = max(p.lastUS, ingestedUS)
	if s, ok := p.sorters[key]; ok {
		return s.Sorter
	}
	if p.sorters == nil {
		p.sorters = map[partSorter]sorted{}
	}
	s := sorted{datafile.NewSorter(p.log.w.sorting(t)), ingestedUS}
	p.sorters[key] = s
	p.order = append(p.order, key)
	return s.Sorter
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
	for _, key := range p.order {
		errs = append(errs, p.sorters[key].Close())
	}
	p.log.mu.Lock()
	p.log.open = slices.DeleteFunc(p.log.open, func(n int64) bool { return n == p.Number })
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
		return folder.Explain(fmt.Errorf("cannot commit part %s: %w", p.id, err))
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
	first := slices.Min(p.log.open)
	p.log.mu.Unlock()
	if first < p.Number {
		return fmt.Errorf("part %d was begun before and is open", first)
	}
	w.commits.Lock()
	defer w.commits.Unlock()
	if w.broken != nil {
		return w.broken
	}
	job := job{
		w: w, id: p.id, us: p.IngestedAtUS, kind: evidence.Part,
		row: catalog.PartRow{
			ID: p.id, Log: p.log.row.N, Number: p.Number, US: max(p.IngestedAtUS, p.lastUS), CaseID: p.log.row.CaseID, Keys: result.Keys,
		},
	}
	for _, key := range p.order {
		if p.sorters[key].Rows() > 0 {
			job.add(key.table, p.sorters[key])
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
	if err := job.place(p.log, result.Positions); err != nil {
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
	defer p.log.mu.Unlock()
	p.log.sources = slices.Delete(p.log.sources, 0, len(sources))
	p.log.lastUS = max(p.log.lastUS, job.row.US)
	for t, position := range result.Positions {
		p.log.hot[t.Name].commit(position)
	}
	return nil
}
