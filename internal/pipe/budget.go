package pipe

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Budget bounds the bytes that are on their way through a run whose items are not
// of one size. Bytes are taken before an item enters and given back when it has
// left; who finds no room waits, first come, first served. It is safe for
// concurrent use.
type Budget struct {
	mu      sync.Mutex
	most    int64
	held    int64
	waiting list.List // of *claim
	stats   BudgetStats
}

// claim is one that waits.
type claim struct {
	n     int64
	ready chan struct{}
}

// BudgetStats is the state of a budget, for metrics.
type BudgetStats struct {
	// Held are the bytes taken, Most their bound.
	Held, Most int64
	// Waiting is how many wait now, Waits how many ever had to, and Waited their
	// time in all.
	Waiting int
	Waits   int64
	Waited  time.Duration
}

// NewBudget makes a budget of most bytes.
func NewBudget(most int64) *Budget { return &Budget{most: max(most, 1)} }

// Try takes n bytes if there is room and nobody waits.
func (b *Budget) Try(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting.Len() > 0 || !b.fits(n) {
		return false
	}
	b.held += n
	return true
}

// Take takes n bytes whether there is room or not: for what is there already.
func (b *Budget) Take(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held += n
}

// fits tells whether n bytes may be taken: what is larger than the budget goes
// alone.
func (b *Budget) fits(n int64) bool { return b.held == 0 || n <= b.most-b.held }

// Acquire takes n bytes and waits for room. Its error is the context's cause; then
// nothing is taken.
func (b *Budget) Acquire(ctx context.Context, n int64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b.mu.Lock()
	if b.waiting.Len() == 0 && b.fits(n) {
		b.held += n
		b.mu.Unlock()
		return nil
	}
	c := &claim{n: n, ready: make(chan struct{})}
	at := b.waiting.PushBack(c)
	b.stats.Waits++
	b.mu.Unlock()
	begun := time.Now()
	select {
	case <-c.ready:
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Waited += time.Since(begun)
	select {
	case <-c.ready: // also when the context ended at that moment
		return nil
	default:
	}
	b.waiting.Remove(at)
	b.admit() // those behind may be smaller
	return context.Cause(ctx)
}

// Release gives n bytes back.
func (b *Budget) Release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held -= n; b.held < 0 {
		panic("BUG: more bytes given back than taken")
	}
	b.admit()
}

// admit lets in those whose turn it is. The caller holds mu.
func (b *Budget) admit() {
	for at := b.waiting.Front(); at != nil; at = b.waiting.Front() {
		c, _ := at.Value.(*claim)
		if !b.fits(c.n) {
			return
		}
		b.held += c.n
		b.waiting.Remove(at)
		close(c.ready)
	}
}

// Stats is the budget's state now.
func (b *Budget) Stats() BudgetStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Held, s.Most, s.Waiting = b.held, b.most, b.waiting.Len()
	return s
}
