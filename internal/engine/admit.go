package engine

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// admit gives a question its worker: at once, or when one of those that run ends.
// It refuses when too many wait already, and when the question's time is over.
func (e *Engine) admit(ctx context.Context, r *Rows) error {
	if err := e.slot(ctx, r.deadline); err != nil {
		return err
	}
	r.times.Wait = time.Since(r.began)
	w, fresh, err := e.take(ctx)
	if err != nil {
		<-e.slots
		return err
	}
	if fresh {
		r.times.Start = time.Since(r.began) - r.times.Wait
	}
	w.asked++
	r.worker, r.id = w, w.asked
	return nil
}

// slot takes one of the slots of running questions.
func (e *Engine) slot(ctx context.Context, limit time.Duration) error {
	select {
	case e.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case e.queue <- struct{}{}:
		defer func() { <-e.queue }()
	default:
		return fmt.Errorf("cannot answer: %w (%d run and %d wait); ask again later", ErrBusy, cap(e.slots), cap(e.queue))
	}
	select {
	case e.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		cause := context.Cause(ctx)
		if errors.Is(cause, ErrDeadline) {
			return fmt.Errorf("cannot answer: %w: others ran all the time (the limit is %v)", ErrDeadline, limit)
		}
		return fmt.Errorf("cannot answer: %w", cause)
	}
}
