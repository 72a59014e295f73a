package pipe

import (
	"context"
	"errors"
	"sync"
)

// errStopped is the cause a run is cancelled with when it has ended well; it is
// never returned.
var errStopped = errors.New("pipe: run ended")

// Group is one run of stages. Stages are added by one goroutine before Wait.
type Group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu  sync.Mutex
	err error
}

// New starts a run that ends with ctx.
func New(ctx context.Context) *Group {
	g := &Group{}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	return g
}

// Go runs f as one more goroutine of the run. Its error stops the run.
func (g *Group) Go(f func(ctx context.Context) error) {
	g.wg.Go(func() {
		if err := f(g.ctx); err != nil {
			g.fail(err)
		}
	})
}

// fail keeps the first error and stops the run.
func (g *Group) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
		g.cancel(err)
	}
}

// Wait blocks until every goroutine of the run has ended and gives the first
// error: a stage's own, or the cause of the caller's context.
func (g *Group) Wait() error {
	g.wg.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil && g.ctx.Err() != nil {
		g.err = context.Cause(g.ctx)
	}
	g.cancel(errStopped)
	return g.err
}

// Stream connects two stages. It has exactly one reader.
type Stream[T any] struct{ c <-chan T }

// From starts the source of a run: produce calls emit for each item and returns
// at the end. Emit blocks while depth items wait and fails once the run has
// stopped; produce returns that error.
func From[T any](g *Group, depth int, produce func(ctx context.Context, emit func(T) error) error) Stream[T] {
	c := make(chan T, max(depth, 0))
	g.Go(func(ctx context.Context) error {
		defer close(c)
		return produce(ctx, func(v T) error { return send(ctx, c, v) })
	})
	return Stream[T]{c}
}

// Workers is the shape of a parallel stage.
type Workers struct {
	// N is the number of goroutines that work, at least 1.
	N int
	// Depth is how many items may be in the stage at once, waiting, in work or
	// done and waiting for their turn. It is raised to N.
	Depth int
}

// slot is one item's place in the order.
type slot[T, U any] struct {
	in   T
	out  U
	done chan struct{}
}

// Map starts a parallel stage. Start is called once for each worker, in its own
// goroutine, and gives the function that does the work, so that a worker can
// own its memory. The results leave in the order of the inputs.
func Map[T, U any](g *Group, in Stream[T], w Workers, start func(worker int) func(ctx context.Context, v T) (U, error)) Stream[U] {
	n := max(w.N, 1)
	depth := max(w.Depth, n)
	work := make(chan *slot[T, U], depth)
	order := make(chan *slot[T, U], depth)
	out := make(chan U)
	// places bounds what is in the stage: an item holds one from before it
	// enters until its result has left.
	places := make(chan struct{}, depth)
	g.Go(func(ctx context.Context) error {
		defer close(work)
		defer close(order)
		for {
			if err := send(ctx, places, struct{}{}); err != nil {
				return nil
			}
			v, ok := receive(ctx, in.c)
			if !ok {
				return nil
			}
			s := &slot[T, U]{in: v, done: make(chan struct{})}
			order <- s // never blocks: at most depth slots exist
			work <- s
		}
	})
	for i := range n {
		g.Go(func(ctx context.Context) error {
			f := start(i)
			for {
				s, ok := receive(ctx, work)
				if !ok {
					return nil
				}
				var err error
				if s.out, err = f(ctx, s.in); err != nil {
					return err
				}
				close(s.done)
			}
		})
	}
	g.Go(func(ctx context.Context) error {
		defer close(out)
		for {
			s, ok := receive(ctx, order)
			if !ok {
				return nil
			}
			if _, open := receive(ctx, s.done); open || ctx.Err() != nil {
				return nil
			}
			if err := send(ctx, out, s.out); err != nil {
				return nil
			}
			<-places
		}
	})
	return Stream[U]{out}
}

// Each starts the sink of a run: f sees every item, in order, from one
// goroutine. Its error stops the run.
func Each[T any](g *Group, in Stream[T], f func(ctx context.Context, v T) error) {
	g.Go(func(ctx context.Context) error {
		for {
			v, ok := receive(ctx, in.c)
			if !ok {
				return nil
			}
			if err := f(ctx, v); err != nil {
				return err
			}
		}
	})
}

// send gives v to c unless the run stops first.
func send[T any](ctx context.Context, c chan<- T, v T) error {
	if ctx.Err() != nil { // a stopped run takes nothing more, even into a free queue
		return context.Cause(ctx)
	}
	select {
	case c <- v:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// receive takes the next item; false at the end of the stream or of the run.
func receive[T any](ctx context.Context, c <-chan T) (v T, ok bool) {
	select {
	case v, ok = <-c:
		return v, ok && ctx.Err() == nil
	case <-ctx.Done():
		return v, false
	}
}
