package pipe

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// count produces 0…n-1.
func count(n int) func(context.Context, func(int) error) error {
	return func(_ context.Context, emit func(int) error) error {
		for i := range n {
			if err := emit(i); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestResultsKeepTheOrderOfTheInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(t.Context())
		r := rand.New(rand.NewPCG(1, 2))
		delays := make([]time.Duration, 200)
		for i := range delays {
			delays[i] = time.Duration(r.IntN(1000)) * time.Millisecond
		}
		squares := Map(g, From(g, 1, count(200)), Workers{N: 7, Depth: 11}, func(int) func(context.Context, int) (int, error) {
			return func(_ context.Context, v int) (int, error) {
				time.Sleep(delays[v]) // virtual time
				return v * v, nil
			}
		})
		again := Map(g, squares, Workers{N: 3}, func(int) func(context.Context, int) (int, error) {
			return func(_ context.Context, v int) (int, error) { return v + 1, nil }
		})
		var got []int
		Each(g, again, func(_ context.Context, v int) error { got = append(got, v); return nil })
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if len(got) != 200 {
			t.Fatalf("%d results", len(got))
		}
		for i, v := range got {
			if v != i*i+1 {
				t.Fatalf("result %d is %d", i, v)
			}
		}
	})
}

func TestASlowSinkStopsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const depth, sourceDepth = 5, 2
		g := New(t.Context())
		var produced atomic.Int64
		in := From(g, sourceDepth, func(_ context.Context, emit func(int) error) error {
			for i := range 1000 {
				if err := emit(i); err != nil {
					return err
				}
				produced.Add(1)
			}
			return nil
		})
		out := Map(g, in, Workers{N: 2, Depth: depth}, func(int) func(context.Context, int) (int, error) {
			return func(_ context.Context, v int) (int, error) { return v, nil }
		})
		taken, gate := 0, make(chan struct{})
		Each(g, out, func(context.Context, int) error { <-gate; taken++; return nil })
		synctest.Wait()
		// In flight: what the stage holds, what the sink holds, the source's queue.
		if n := produced.Load(); n > depth+1+sourceDepth {
			t.Errorf("%d items produced while the sink took none", n)
		}
		close(gate)
		if err := g.Wait(); err != nil || taken != 1000 {
			t.Errorf("taken %d, %v", taken, err)
		}
	})
}

// synctest fails the test when a goroutine is left behind, so the cases below
// prove that none is.

func TestTheFirstErrorStopsEverything(t *testing.T) {
	boom := errors.New("boom")
	for _, where := range []string{"source", "worker", "sink"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at := func(stage string, v int) error {
					if stage == where && v == 20 {
						return boom
					}
					return nil
				}
				g := New(t.Context())
				in := From(g, 3, func(_ context.Context, emit func(int) error) error {
					for i := 0; ; i++ {
						if err := at("source", i); err != nil {
							return err
						}
						if err := emit(i); err != nil {
							return err
						}
					}
				})
				out := Map(g, in, Workers{N: 4, Depth: 8}, func(int) func(context.Context, int) (int, error) {
					return func(_ context.Context, v int) (int, error) { return v, at("worker", v) }
				})
				last := -1
				Each(g, out, func(_ context.Context, v int) error {
					if v != last+1 {
						t.Errorf("%d after %d", v, last)
					}
					last = v
					return at("sink", v)
				})
				if err := g.Wait(); !errors.Is(err, boom) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestCancelEndsTheRunWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("ctrl-c")
		ctx, cancel := context.WithCancelCause(t.Context())
		g := New(ctx)
		in := From(g, 0, func(_ context.Context, emit func(int) error) error {
			for {
				if err := emit(1); err != nil {
					return err
				}
			}
		})
		out := Map(g, in, Workers{N: 2}, func(int) func(context.Context, int) (int, error) {
			return func(ctx context.Context, v int) (int, error) { <-ctx.Done(); return 0, context.Cause(ctx) }
		})
		Each(g, out, func(context.Context, int) error { return nil })
		synctest.Wait()
		cancel(cause)
		if err := g.Wait(); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

func BenchmarkMap(b *testing.B) {
	for b.Loop() {
		g := New(b.Context())
		out := Map(g, From(g, 1, count(1000)), Workers{N: 2, Depth: 8}, func(int) func(context.Context, int) (int, error) {
			return func(_ context.Context, v int) (int, error) { return v, nil }
		})
		Each(g, out, func(context.Context, int) error { return nil })
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}
