package stream

import (
	"context"
	"slices"
	"sync"

	"github.com/wadi-project/wadi/internal/schema"
)

// Arrival is a batch that has become durable, for those who watch.
type Arrival struct {
	// Table is the rows' table as the batch had it; nil for a batch that has counts
	// only.
	Table    *schema.Table
	Source   int32
	Name     SourceName
	Position int64
	// FirstSeq is _Seq of the first of Count rows.
	FirstSeq int64
	Count    int
	// IngestedUS is _IngestedAt of all rows, µs since 1970.
	IngestedUS int64
	// Rows are the rows as datafile.Rows.Encoded gives them, shared by all who
	// watch: not to be changed. datafile.Rows.Load reads them.
	Rows []byte
}

// Subscription gives what arrives from its beginning on. Its methods are for one
// goroutine, but for Close.
type Subscription struct {
	d      *Door
	most   int64
	tables []string

	mu     sync.Mutex
	queue  []Arrival
	bytes  int64
	missed int64
	ended  bool
	ready  chan struct{} // has a token when there is something to look at
}

// Subscribe begins to watch tables (none: all). At most maxBytes of rows (0: 16
// MB) wait for a slow reader; it misses what is more.
func (d *Door) Subscribe(maxBytes int64, tables ...*schema.Table) *Subscription {
	if maxBytes <= 0 {
		maxBytes = maxTailBytes
	}
	s := &Subscription{d: d, most: maxBytes, ready: make(chan struct{}, 1)}
	for _, t := range tables {
		s.tables = append(s.tables, t.Name)
	}
	d.enterMu.Lock()
	s.ended = d.closing
	d.enterMu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers[s] = true
	return s
}

// Next gives what has arrived, and how many batches were left out before it
// because the reader was too slow. It waits; its error is the context's, or
// ErrClosed after Close or when the door closes.
func (s *Subscription) Next(ctx context.Context) (a Arrival, missed int64, err error) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			a, s.queue = s.queue[0], s.queue[1:]
			s.bytes -= int64(len(a.Rows))
			missed, s.missed = s.missed, 0
			s.mu.Unlock()
			return a, missed, nil
		}
		ended := s.ended
		s.mu.Unlock()
		if ended {
			return Arrival{}, 0, ErrClosed
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return Arrival{}, 0, context.Cause(ctx)
		}
	}
}

// Close ends watching; what has arrived and was not taken is dropped.
func (s *Subscription) Close() {
	s.d.mu.Lock()
	delete(s.d.watchers, s)
	s.d.mu.Unlock()
	s.mu.Lock()
	s.queue = nil
	s.mu.Unlock()
	s.end()
}

func (s *Subscription) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	wake(s.ready)
}

// offer gives a watcher an arrival; false when it was too slow.
func (s *Subscription) offer(a Arrival) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes > 0 && s.bytes+int64(len(a.Rows)) > s.most {
		s.missed++
		return false
	}
	s.queue = append(s.queue, a)
	s.bytes += int64(len(a.Rows))
	wake(s.ready)
	return true
}

// arrival makes an arrival of an entry; its rows are a copy.
func arrival(e *entry) Arrival {
	return Arrival{
		Table: e.schema, Source: e.source, Name: e.name, Position: e.position, FirstSeq: e.firstSeq, Count: e.count, IngestedUS: e.us,
		Rows: slices.Clone(e.rows),
	}
}

// tell tells those who watch of an entry. The caller holds mu.
func (d *Door) tell(e *entry) {
	close(d.moved)
	d.moved = make(chan struct{})
	if len(d.watchers) == 0 || e.count == 0 {
		return
	}
	var a Arrival
	for s := range d.watchers {
		if len(s.tables) > 0 && !slices.Contains(s.tables, e.table) {
			continue
		}
		if a.Count == 0 {
			a = arrival(e)
		}
		if !s.offer(a) {
			d.stats.TailDropped++
		}
	}
}

// endWatching ends all watching and following.
func (d *Door) endWatching() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.watchers {
		s.end()
	}
	close(d.moved)
	d.moved = make(chan struct{})
}
