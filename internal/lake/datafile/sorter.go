package datafile

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/wadi-project/wadi/internal/schema"
)

// errRow says that bytes are no encoded row.
var errRow = errors.New("cannot read an encoded row: its bytes make no sense")

// Defaults of SorterConfig, and limits of a Sorter.
const (
	// DefaultMemoryBytes holds about 300,000 Windows events: few enough runs that
	// one merge pass suffices, small enough beside 1 GB for the whole import.
	DefaultMemoryBytes = 256 << 20
	// DefaultWorkers is the number of goroutines that spill runs or encode columns.
	DefaultWorkers = 2
	// maxFanIn is how many runs are merged at once: 128 runs of 85 MB are 10 GB of
	// rows, and their blocks 64 MB of memory. More are merged in two passes.
	maxFanIn = 128
)

// SorterConfig sets up a Sorter.
type SorterConfig struct {
	// Table is the table of all rows.
	Table *schema.Table
	// TempDir is the folder for spilled runs; it must exist when rows don't fit
	// in MemoryBytes. Nothing is left in it after Close.
	TempDir string
	// MemoryBytes bounds the rows in memory; 0 is DefaultMemoryBytes.
	MemoryBytes int64
	// Workers bounds the goroutines that sort and spill runs, and later those
	// that encode columns; 0 is DefaultWorkers.
	Workers int
}

func (c SorterConfig) withDefaults() SorterConfig {
	if c.MemoryBytes <= 0 {
		c.MemoryBytes = DefaultMemoryBytes
	}
	if c.Workers <= 0 {
		c.Workers = DefaultWorkers
	}
	return c
}

// Sorter sorts any number of rows in bounded memory and writes them as data
// files. Add, Rows and SizeBytes may be called from many goroutines; Finish and
// Close from one, after the last Add has returned. A Sorter is used once.
type Sorter struct {
	cfg SorterConfig
	// Small in tests, so that a few rows give many runs and row groups.
	runBytes  int64
	groupRows int
	fanIn     int
	newTemp   func() (tempFile, error)

	gate  chan struct{} // held while rows are added; waits with a context
	slots chan struct{} // one token for each goroutine that may spill
	wg    sync.WaitGroup
	cur   *run // under gate

	mu    sync.Mutex
	rows  int64
	size  int64
	used  []bool
	runs  []*spilled // by number of the run; nil while it is written
	spare [][]byte
	err   error
}

// NewSorter makes an empty sorter. Close must be called, also after Finish.
func NewSorter(cfg SorterConfig) *Sorter {
	cfg = cfg.withDefaults()
	return &Sorter{
		cfg: cfg,
		// Workers runs are spilled while one more is filled.
		runBytes:  max(cfg.MemoryBytes/int64(cfg.Workers+1), segmentBytes),
		groupRows: rowGroupRows,
		fanIn:     maxFanIn,
		newTemp:   func() (tempFile, error) { return newTempFile(cfg.TempDir) },
		gate:      make(chan struct{}, 1),
		slots:     make(chan struct{}, cfg.Workers),
		used:      make([]bool, len(cfg.Table.Columns)),
		cur:       &run{},
	}
}

// Add takes a copy of b's rows; the caller may Reset and refill b. It blocks while
// full runs wait to be spilled, and fails with b.Err, the context's error, or the
// first error of a spill. A row begun in b is dropped.
func (s *Sorter) Add(ctx context.Context, b *Rows) error {
	b.Drop()
	if b.err != nil {
		return b.err
	}
	if b.table != s.cfg.Table {
		return fmt.Errorf("cannot sort rows of %s with those of %s", b.table.Name, s.cfg.Table.Name)
	}
	if b.n == 0 {
		return nil
	}
	select {
	case s.gate <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("cannot sort rows: %w", context.Cause(ctx))
	}
	defer func() { <-s.gate }()
	if err := s.failed(); err != nil {
		return err
	}
	if s.cur.rows > 0 && s.cur.size+int64(len(b.buf)) > s.runBytes {
		if err := s.spillCurrent(ctx); err != nil {
			return err
		}
	}
	s.cur.add(b.buf, b.n, s.segment)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows += int64(b.n)
	s.size += int64(len(b.buf))
	for i, u := range b.used {
		if u {
			s.used[i] = true
		}
	}
	return nil
}

// spillCurrent hands the full run to a goroutine, once there may be one more.
// The gate is held meanwhile, so producers wait: memory stays bounded.
func (s *Sorter) spillCurrent(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("cannot sort rows: %w", context.Cause(ctx))
	}
	full := s.cur
	s.cur = &run{}
	s.mu.Lock()
	n := len(s.runs)
	s.runs = append(s.runs, nil)
	s.mu.Unlock()
	s.wg.Go(func() {
		defer func() { <-s.slots }()
		f, err := s.spillRun(full)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.runs[n] = f
		if s.err == nil {
			s.err = err
		}
	})
	return nil
}

// spillRun sorts r, writes it out and keeps its memory for the next run.
func (s *Sorter) spillRun(r *run) (*spilled, error) {
	r.sort()
	out, err := s.spillSource(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range r.segs {
		if cap(seg) == segmentBytes {
			s.spare = append(s.spare, seg[:0])
		}
	}
	r.segs, r.index = nil, nil
	return out, err
}

func (s *Sorter) spillSource(src source) (*spilled, error) {
	f, err := s.newTemp()
	if err != nil {
		return nil, err
	}
	if err := spill(f, src); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spilled{f: f}, nil
}

// segment gives an empty segment to reuse, nil when there is none.
func (s *Sorter) segment() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.spare)
	if n == 0 {
		return nil
	}
	seg := s.spare[n-1]
	s.spare = s.spare[:n-1]
	return seg
}

func (s *Sorter) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Table is the table, in the version, whose rows are sorted.
func (s *Sorter) Table() *schema.Table { return s.cfg.Table }

// Rows is the number of rows added so far, SizeBytes their encoded size. An
// importer cuts its parts by it: a Parquet file has about a tenth of it.
func (s *Sorter) Rows() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows
}

// SizeBytes is the encoded size of the rows added so far.
func (s *Sorter) SizeBytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// Finish sorts and writes all rows; none gives no files. Files are in the order
// of their rows, so each covers its own range of time. On an error every file
// made is closed and handed to out.Discard, and no files are returned.
func (s *Sorter) Finish(ctx context.Context, out Output) ([]File, error) {
	return s.finish(ctx, out, 0)
}

func (s *Sorter) finish(ctx context.Context, out Output, first int) ([]File, error) {
	s.wg.Wait()
	if err := s.failed(); err != nil {
		return nil, err
	}
	if s.rows == 0 {
		return nil, nil
	}
	s.spare = nil // no further run will need it
	if err := s.reduce(ctx); err != nil {
		return nil, err
	}
	sources := make([]source, 0, len(s.runs)+1)
	for _, r := range s.runs {
		sources = append(sources, r)
	}
	if s.cur.rows > 0 {
		s.cur.sort()
		sources = append(sources, s.cur)
	}
	w := newWriter(s.cfg.Table, s.used, s.rows, s.cfg.Workers, first, out)
	w.groupRows = s.groupRows
	return w.writeAll(ctx, newTree(sources))
}

// reduce merges runs until few enough are left for one pass.
func (s *Sorter) reduce(ctx context.Context) error {
	for len(s.runs) > s.fanIn {
		if ctx.Err() != nil {
			return fmt.Errorf("cannot sort rows: %w", context.Cause(ctx))
		}
		n := min(s.fanIn, len(s.runs)-s.fanIn+1)
		sources := make([]source, n)
		for i, r := range s.runs[:n] {
			sources[i] = r
		}
		t := newTree(sources)
		merged, err := s.spillSource(t)
		if err != nil {
			return err
		}
		err = t.close()
		// The merged run takes the place of its parts: ties keep their order.
		s.runs = append([]*spilled{merged}, s.runs[n:]...)
		if err != nil {
			return err
		}
	}
	return nil
}

// Close gives memory and temporary files back and waits for goroutines. It may be
// called twice.
func (s *Sorter) Close() error {
	s.wg.Wait()
	var err error
	for _, r := range s.runs {
		if r != nil {
			err = errors.Join(err, r.close())
		}
	}
	s.runs, s.spare, s.cur = nil, nil, &run{}
	return err
}
