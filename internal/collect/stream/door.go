package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/pipe"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/wal"
)

// Door takes the batches of live sources. Its methods may be called from many
// goroutines.
//
// Locks are taken in this order: logMu, mu; the write-ahead log's own and the
// order's are inside of both and call nothing.
type Door struct {
	cfg     Config
	log     *slog.Logger
	shelf   shelf
	keys    *keys
	sources *sources
	order   order
	budget  *pipe.Budget
	begun   time.Time

	run  *pipe.Group
	stop context.CancelFunc

	logMu     sync.RWMutex // held for reading by who uses the log
	wal       *wal.Log     // nil while it has to be opened again
	walDir    string
	broken    chan struct{}           // tells that it has to
	opened    atomic.Int64            // how often it was opened
	brokenLog atomic.Pointer[wal.Log] // the log that has to

	enterMu  sync.Mutex
	closing  bool
	inflight sync.WaitGroup

	mu        sync.Mutex
	gen       *generation   // open; nil for none
	closed    []*generation // oldest first; the first is being committed
	applied   int64         // position: all frames up to here are in a generation
	committed int64         // position: all frames up to here are in the lake
	latest    map[string]*schema.Table
	chain     map[string]int64       // by table: where the next hot file begins
	unseen    map[string]*generation // by table: the last with rows that got no hot file
	hotQueue  []hotFile
	rate      rate
	replaying bool
	watchers  map[*Subscription]bool
	moved     chan struct{} // closed and replaced when applied changes, for followers
	following []*Follower
	stats     Stats

	wakeClock, wakeHot, wakeCommit chan struct{}
}

// rate measures rows a second.
type rate struct {
	since time.Duration
	rows  int64
	fast  bool
}

// elapsed is the time since the door was opened: it goes forward, whatever the
// wall's clock does.
func (d *Door) elapsed() time.Duration { return time.Since(d.begun) }

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake
	}
}

// Submit stores a batch. When the error is nil, it is durable, or was before
// (Receipt.Duplicate). *ErrBusy and ErrClosed say that it isn't and when to come
// again; every other error too, except that after a failed sync the batch may be
// found when the log is opened again: a repetition is known by its key. The context
// bounds the waiting for room only.
func (d *Door) Submit(ctx context.Context, b *Batch) (Receipt, error) {
	if err := d.enter(); err != nil {
		return Receipt{}, err
	}
	defer d.inflight.Done()
	if err := b.check(); err != nil {
		return Receipt{}, fmt.Errorf("cannot take a batch: %w", err)
	}
	id, err := d.sources.id(ctx, b.Source)
	if err != nil {
		return Receipt{}, err
	}
	for {
		r, err := d.once(ctx, b, id)
		if !errors.Is(err, errReopened) {
			return r, err
		}
	}
}

// errReopened says that the log was opened again since a batch was looked for: it may
// have come back with it.
var errReopened = errors.New("the write-ahead log was opened again")

// once stores a batch, or says that it is stored, as far as the log that is open now
// tells.
func (d *Door) once(ctx context.Context, b *Batch, id int32) (Receipt, error) {
	opened := d.opened.Load()
	c, dup, err := d.keys.claim(ctx, b)
	if err != nil {
		return Receipt{}, err
	}
	defer c.release(false)
	var e *entry
	if dup {
		e = newRepetition(b, id)
	} else {
		e = newEntry(b, id, c)
	}
	if e.count == 0 && len(e.tallies) == 0 && e.keyKind != keyBatch {
		return Receipt{Duplicate: dup}, nil // nothing to remember
	}
	if err := d.store(ctx, e, opened); err != nil {
		return Receipt{}, err
	}
	c.release(true)
	return Receipt{Position: e.position, FirstSeq: e.firstSeq, Duplicate: dup, Gap: e.gap}, nil
}

// enter counts a call, so that Close waits for it.
func (d *Door) enter() error {
	d.enterMu.Lock()
	defer d.enterMu.Unlock()
	if d.closing {
		return ErrClosed
	}
	d.inflight.Add(1)
	return nil
}

// store makes an entry durable and puts it into its generation, if the log was not
// opened again meanwhile.
func (d *Door) store(ctx context.Context, e *entry, opened int64) error {
	if err := d.room(ctx, e); err != nil {
		return err
	}
	d.logMu.RLock()
	defer d.logMu.RUnlock()
	l, err := d.wal, error(nil)
	switch {
	case l == nil:
		err = wal.ErrBroken
	case d.opened.Load() != opened:
		err = errReopened
	default:
		_, err = l.Append(ctx, e.count, func(position, firstSeq int64, dst []byte) ([]byte, error) {
			return d.order.place(e, position, firstSeq, dst)
		})
	}
	if err != nil {
		d.order.forget(e)
		d.budget.Release(e.held)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return d.refusal(l, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.order.durable(e) {
		d.apply(x)
	}
	return nil
}

// room takes an entry's bytes from the budget.
func (d *Door) room(ctx context.Context, e *entry) error {
	e.held = entryBytes
	if e.count > 0 {
		e.held += int64(e.batch.SizeBytes())
	}
	if d.budget.Try(e.held) {
		return nil
	}
	d.commitEarly()
	busy := &ErrBusy{RetryAfter: retryBusy, Reason: "the rows that wait for the lake fill the memory set aside for them"}
	ctx, cancel := context.WithTimeoutCause(ctx, d.cfg.BusyAfter, busy)
	defer cancel()
	err := d.budget.Acquire(ctx, e.held)
	if errors.As(err, &busy) {
		d.countBusy()
	}
	return err
}

func (d *Door) countBusy() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Busy++
}

// commitEarly closes the open generation unless another is being committed.
func (d *Door) commitEarly() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.closed) == 0 {
		d.closeGeneration()
	}
}

// refusal turns an error of the log into what a source is told.
func (d *Door) refusal(l *wal.Log, err error) error {
	switch {
	case errors.Is(err, wal.ErrClosed):
		return ErrClosed
	case errors.Is(err, wal.ErrTooLarge), errors.Is(err, errReopened):
		return err
	case errors.Is(err, wal.ErrBroken):
		d.brokenLog.Store(l)
		wake(d.broken)
	}
	d.countBusy()
	return &ErrBusy{RetryAfter: retryFull, Reason: err.Error()}
}

// apply puts a durable entry into its generation and tells those who watch. It
// can't fail: what a part can't take is read from the log again. The caller holds
// mu.
func (d *Door) apply(e *entry) {
	now := d.elapsed()
	if d.gen != nil && !d.gen.takes(e) {
		d.closeGeneration()
	}
	if d.gen == nil {
		d.beginGeneration(now)
	}
	var t *schema.Table
	if e.count > 0 {
		if t = d.latest[e.table]; t == nil || t.Version < e.schema.Version {
			t = e.schema
			d.latest[e.table] = t
		}
	}
	g := d.gen
	if err := g.add(context.Background(), e, t, now); err != nil {
		d.log.Warn("rows are kept in the log until the generation is committed", "error", err)
		g.speed(now)
		g.filled = false
	}
	d.applied = e.position
	d.stats.Rows += int64(e.count)
	d.stats.Bytes += int64(len(e.rows))
	d.stats.Batches++
	d.stats.Gaps += e.gap
	d.stats.Duplicates += e.repeats
	d.rate.rows += int64(e.count)
	d.tell(e)
	d.bufferFull(g, e.table, now)
	if g.full(d.cfg.PartBytes) {
		d.closeGeneration()
	}
}

// beginGeneration opens a generation. The caller holds mu.
func (d *Door) beginGeneration(now time.Duration) {
	d.gen = newGeneration(d.applied, now, d.rate.fast || d.replaying)
	if err := d.beginPart(d.gen); err != nil {
		d.log.Warn("cannot begin a part; its rows are kept in the log", "error", err)
		d.gen.speed(now)
	} else {
		d.gen.filled = true
	}
	wake(d.wakeClock)
}

// beginPart begins a generation's part. The caller holds mu: parts are begun in the
// order of generations.
func (d *Door) beginPart(g *generation) (err error) {
	g.part, err = d.shelf.Begin(context.Background())
	return err
}

// closeGeneration hands the open generation to the committer. The caller holds mu.
func (d *Door) closeGeneration() {
	g := d.gen
	if g == nil {
		return
	}
	for name, t := range g.tables {
		if t.buffer != nil {
			d.queueHot(g, t)
		}
		d.chain[name] = t.last
		if t.unseen {
			d.unseen[name] = g
		}
	}
	d.gen = nil
	d.closed = append(d.closed, g)
	wake(d.wakeCommit)
}

// Flush brings everything that was submitted before into the lake.
func (d *Door) Flush(ctx context.Context) error {
	d.mu.Lock()
	d.closeGeneration()
	var last *generation
	if n := len(d.closed); n > 0 {
		last = d.closed[n-1]
	}
	d.mu.Unlock()
	if last == nil {
		return nil
	}
	select {
	case <-last.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cannot bring all rows into the lake: %w", context.Cause(ctx))
	}
}

// Close takes nothing more, brings everything into the lake and closes the log.
// When ctx ends before, the rest stays in the log for the next Open.
func (d *Door) Close(ctx context.Context) error {
	d.enterMu.Lock()
	again := d.closing
	d.closing = true
	d.enterMu.Unlock()
	if again {
		return nil
	}
	d.endWatching()
	left := make(chan struct{})
	go func() {
		d.inflight.Wait()
		close(left)
	}()
	var err error
	drained := false
	select {
	case <-left:
		err = d.Flush(ctx)
		drained = err == nil
	case <-ctx.Done():
		err = fmt.Errorf("cannot wait for the batches on their way: %w", context.Cause(ctx))
	}
	if err = errors.Join(err, d.end()); err == nil && drained {
		err = d.shelf.Drained()
	}
	return err
}

// end stops the goroutines and closes the log; what isn't in the lake stays in it.
func (d *Door) end() error {
	d.stop()
	err := d.run.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	d.mu.Lock()
	all := d.closed
	if d.gen != nil {
		all = append(all, d.gen)
	}
	for _, g := range all {
		err = errors.Join(err, g.drop(d.elapsed()))
	}
	d.closed, d.gen, d.hotQueue = nil, nil, nil
	d.mu.Unlock()
	d.logMu.Lock()
	defer d.logMu.Unlock()
	if d.wal != nil {
		err = errors.Join(err, d.wal.Close())
		d.wal = nil
	}
	return err
}

// Stats is the door's state now.
func (d *Door) Stats() Stats {
	d.mu.Lock()
	s := d.stats
	s.Fast, s.Subscribers = d.rate.fast, len(d.watchers)
	for _, g := range d.generations() {
		s.OpenRows += g.rows
		s.OpenAge = max(s.OpenAge, d.elapsed()-g.opened)
	}
	d.mu.Unlock()
	b := d.budget.Stats()
	s.HeldBytes, s.MaxHeldBytes = b.Held, b.Most
	s.RequestKeys, s.ForgottenKeys = d.keys.stats()
	d.logMu.RLock()
	defer d.logMu.RUnlock()
	if d.wal != nil {
		s.WAL = d.wal.Stats()
	}
	return s
}

// generations gives those that are not in the lake. The caller holds mu.
func (d *Door) generations() []*generation {
	all := append([]*generation(nil), d.closed...)
	if d.gen != nil {
		all = append(all, d.gen)
	}
	return all
}

// hotFile is a hot file to be written.
type hotFile struct {
	gen      *generation
	table    *schema.Table
	rows     *datafile.Rows
	from, to int64
	// behind, unless nil, has rows before from that are seen with its commit.
	behind *generation
}
