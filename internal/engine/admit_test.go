//go:build cgo

package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/schema"
)

// busy starts a question that runs until it is closed.
func busy(t *testing.T, e *Engine) *Rows {
	t.Helper()
	rows, err := e.Query(t.Context(), &Query{SQL: "SELECT i FROM range(3000000000) t(i)", Columns: columns(schema.Long), Unlimited: true})
	if err != nil || !rows.Next() {
		t.Fatal("no rows", err)
	}
	return rows
}

// waiting waits until n questions wait.
func waiting(t *testing.T, e *Engine, n int) {
	t.Helper()
	for len(e.queue) != n {
		select {
		case <-t.Context().Done():
			t.Fatalf("%d questions wait, not %d", len(e.queue), n)
		default:
		}
	}
}

// TestAdmission fills the slots and the queue.
func TestAdmission(t *testing.T) {
	e := start(t, t.TempDir(), func(c *Config) { c.Workers, c.Queue = 1, 2 })
	first := busy(t, e)
	simple := &Query{SQL: "SELECT 42", Columns: columns(schema.Long)}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled, answered := make(chan error), make(chan error)
	go func() {
		_, _, err := ask(ctx, e, simple)
		cancelled <- err
	}()
	waiting(t, e, 1)
	go func() {
		got, rows, err := ask(t.Context(), e, simple)
		if err == nil && (got[0][0] != "42" || rows.Times().Wait <= 0) {
			err = fmt.Errorf("got %v after a wait of %v", got, rows.Times().Wait)
		}
		answered <- err
	}()
	waiting(t, e, 2)
	_, _, err := ask(t.Context(), e, simple)
	if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "1 run and 2 wait") {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("one that is cancelled while it waits: %v", err)
	}
	hurried := *simple
	hurried.Deadline = time.Millisecond
	if _, _, err := ask(t.Context(), e, &hurried); !errors.Is(err, ErrDeadline) || !strings.Contains(err.Error(), "others ran all the time (the limit is 1ms)") {
		t.Errorf("one whose time is over while it waits: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("one that waits its turn: %v", err)
	}
	works(t, e)
}

// TestTwentyAtOnce asks twenty questions in one process: all are answered, two at a
// time, and a bomb among them ends alone.
func TestTwentyAtOnce(t *testing.T) {
	e := start(t, t.TempDir(), func(c *Config) { c.Deadline = time.Minute })
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if i == 7 {
				_, _, err := ask(t.Context(), e, &Query{SQL: "SELECT length(string_agg(repeat('x', 1000) || i || j, '')) FROM range(100000) a(i), range(100000) b(j)", Columns: columns(schema.Long), Deadline: 2 * time.Second})
				if !errors.Is(err, ErrMemory) && !errors.Is(err, ErrDeadline) {
					t.Errorf("the bomb: %v", err)
				}
				return
			}
			got, _, err := ask(t.Context(), e, &Query{SQL: fmt.Sprintf("SELECT sum(i) + %d FROM range(1000000) t(i)", i), Columns: columns(schema.Long)})
			if err != nil || got[0][0] != fmt.Sprint(499999500000+i) {
				t.Errorf("question %d: %v, %v", i, got, err)
			}
		})
	}
	group.Wait()
	works(t, e)
}

// TestCancelIsQuick: a question ends within 100 ms of its cancellation, whatever it
// does. The best of some tries counts, because the machine may be busy.
func TestCancelIsQuick(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	const tries, limit = 8, 100 * time.Millisecond
	for name, text := range map[string]string{
		"running":  "SELECT count(*) FROM range(3000000) a(x), range(3000000) b(y) WHERE (x * y) % 7 = 3",
		"stubborn": "SELECT levenshtein(repeat('a', 90000), repeat('b', 90000))",
	} {
		best := time.Hour
		for range tries {
			ctx, cancel := context.WithCancel(t.Context())
			rows, err := e.Query(ctx, &Query{SQL: text, Columns: columns(schema.Long)})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			timer := time.AfterFunc(30*time.Millisecond, func() { began = time.Now(); cancel() })
			for rows.Next() {
				continue
			}
			if err := rows.Close(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			best = min(best, time.Since(began))
			timer.Stop()
			cancel()
			if best <= limit {
				break
			}
		}
		t.Logf("%s: %v", name, best)
		if best > limit {
			t.Errorf("%s: %v after its cancellation, want at most %v", name, best, limit)
		}
	}
}
