package pipe

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestBudgetIsNeverPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		var held, most atomic.Int64
		g := New(t.Context())
		for i := range 50 {
			g.Go(func(ctx context.Context) error {
				n := int64(i%40 + 1)
				if err := b.Acquire(ctx, n); err != nil {
					return err
				}
				for h := held.Add(n); ; {
					if m := most.Load(); h <= m || most.CompareAndSwap(m, h) {
						break
					}
				}
				time.Sleep(time.Duration(i) * time.Millisecond)
				held.Add(-n)
				b.Release(n)
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if most.Load() > 100 || most.Load() < 50 {
			t.Errorf("at most %d bytes were held", most.Load())
		}
		if s := b.Stats(); s.Held != 0 || s.Waiting != 0 || s.Waits == 0 || s.Waited == 0 {
			t.Errorf("in the end %+v", s)
		}
	})
}

func TestBudgetIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(10)
		if !b.Try(6) {
			t.Fatal("no room in an empty budget")
		}
		order := make(chan int, 3)
		for i, n := range []int64{10, 1, 1} { // the large one comes first and is not passed
			go func() {
				if err := b.Acquire(t.Context(), n); err != nil {
					t.Error(err)
				}
				order <- i
				time.Sleep(time.Second)
				b.Release(n)
			}()
			synctest.Wait()
		}
		if b.Try(1) {
			t.Error("who comes later passes those who wait")
		}
		b.Release(6)
		synctest.Wait()
		if first := <-order; first != 0 || len(order) != 0 {
			t.Errorf("%d came first, %d with it", first, len(order))
		}
		time.Sleep(3 * time.Second)
	})
}

func TestBudgetGivesUpWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, boom := NewBudget(10), errors.New("boom")
		if err := b.Acquire(t.Context(), 25); err != nil { // larger than the budget: alone
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		behind := make(chan error, 2)
		go func() { behind <- b.Acquire(ctx, 10) }()
		synctest.Wait()
		go func() { behind <- b.Acquire(t.Context(), 5) }()
		synctest.Wait()
		cancel(boom)
		if err := <-behind; !errors.Is(err, boom) {
			t.Errorf("got %v", err)
		}
		b.Release(25)
		if err := <-behind; err != nil {
			t.Errorf("who stood behind got %v", err)
		}
		if s := b.Stats(); s.Held != 5 {
			t.Errorf("%d bytes held", s.Held)
		}
		if err := b.Acquire(ctx, 1); !errors.Is(err, boom) {
			t.Errorf("with an ended context got %v", err)
		}
	})
}
