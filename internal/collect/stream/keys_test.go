package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRepeatedRequestsAreStoredOnce(t *testing.T) {
	x := newWorld(t)
	d := x.open(Config{})
	key := [32]byte{1}
	var a acked
	send := func(d *Door) Receipt {
		b := sample(x.probe, 1, 0, 10)
		b.Request = &key
		return x.submit(d, b)
	}
	first := send(d)
	a.add(1, 0, 10, first.FirstSeq)
	if first.Duplicate || !send(d).Duplicate {
		t.Error("a repetition is not known")
	}
	kill(t, d)
	x.restart()
	d = x.open(Config{}) // the key comes of the log
	if !send(d).Duplicate {
		t.Error("a repetition is not known after a crash")
	}
	closeDoor(t, d)
	x.restart()
	d = x.open(Config{}) // and of the state
	if !send(d).Duplicate {
		t.Error("a repetition is not known after a clean end")
	}
	closeDoor(t, d)
	x.verify(&a, true)
	x.addUp()
	for _, s := range x.ledger() {
		if s.Received != 40 || s.Stored != 10 || s.Duplicate != 30 {
			t.Errorf("the ledger has %+v", s)
		}
	}
}

func TestEqualRequestsAtTheSameTimeAreStoredOnce(t *testing.T) {
	x := newWorld(t)
	d := x.open(Config{})
	var stored atomic.Int64
	var a acked
	var wg sync.WaitGroup
	for i := range 10 {
		for range 8 {
			wg.Go(func() {
				b := sample(x.probe, 1, int64(i)*5, 5)
				b.Request = &[32]byte{byte(i)}
				r, err := d.Submit(context.Background(), b)
				if err != nil {
					t.Error(err)
				}
				if !r.Duplicate {
					stored.Add(1)
					a.add(1, int64(i)*5, 5, r.FirstSeq)
				}
			})
		}
	}
	wg.Wait()
	closeDoor(t, d)
	if stored.Load() != 10 {
		t.Errorf("%d were stored", stored.Load())
	}
	x.verify(&a, true)
	x.addUp()
}

func TestNumbersOfAClientsLog(t *testing.T) {
	x := newWorld(t)
	send := func(d *Door, n int64) Receipt {
		b := sample(x.probe, 1, n*5, 5)
		b.Log, b.N = "0b5c2f5e-0000-4000-8000-000000000001", n
		return x.submit(d, b)
	}
	for _, end := range []func(*Door){func(d *Door) { kill(t, d) }, func(d *Door) { closeDoor(t, d) }} {
		d := x.open(Config{})
		base := int64(0)
		if len(x.rows()) > 0 {
			base = 10
		}
		if r := send(d, base+1); r.Duplicate || r.Gap != 0 && base == 0 {
			t.Errorf("the first number: %+v", r)
		}
		if r := send(d, base+1); !r.Duplicate {
			t.Error("a repeated number is not known")
		}
		if r := send(d, base+2); r.Duplicate || r.Gap != 0 {
			t.Errorf("the next number: %+v", r)
		}
		if r := send(d, base+5); r.Duplicate || r.Gap != 2 {
			t.Errorf("a number behind a gap: %+v", r)
		}
		if r := send(d, base+4); !r.Duplicate {
			t.Error("a lower number is not known")
		}
		end(d)
		x.restart()
		d = x.open(Config{})
		if r := send(d, base+5); !r.Duplicate {
			t.Error("the number is not known after a restart")
		}
		// Another source's log of the same name is another log.
		b := sample(x.probe, 2, base*5, 5)
		b.Log, b.N = "0b5c2f5e-0000-4000-8000-000000000001", base/10+1
		if r := x.submit(d, b); r.Duplicate {
			t.Error("two sources share the numbers of a log")
		}
		closeDoor(t, d)
		x.restart()
	}
	x.addUp()
	lost := int64(0)
	for _, s := range x.ledger() {
		lost += s.Lost
	}
	if lost != 2+2+5 {
		t.Errorf("%d batches were counted as lost", lost)
	}
}

func TestRequestsAreKnownForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		k := newKeys(func() time.Duration { return time.Since(begun) })
		k.most = 1000
		know := func(i int) (dup bool) {
			t.Helper()
			b := &Batch{Request: &[32]byte{byte(i), byte(i >> 8), byte(i >> 16)}}
			c, dup, err := k.claim(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			c.release(true)
			return dup
		}
		for i := range 300 {
			if know(i) {
				t.Fatalf("request %d is known", i)
			}
			time.Sleep(time.Minute)
			if i >= 59 && know(i-58) != true {
				t.Fatalf("request %d is forgotten within the hour", i-58)
			}
			if n, _ := k.stats(); n > 61 {
				t.Fatalf("%d requests are known after %d minutes", n, i)
			}
		}
		if know(0) {
			t.Error("a request of five hours ago is known")
		}
		for i := range 3000 { // in one moment: more than are kept
			know(1000 + i)
		}
		if n, forgot := k.stats(); n != 1000 || forgot == 0 {
			t.Errorf("%d are known, %d forgotten early", n, forgot)
		}
		if !know(3999) || know(1000) {
			t.Error("not the oldest were forgotten")
		}
	})
}

func TestAClaimIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		k := newKeys(func() time.Duration { return time.Since(begun) })
		b := &Batch{Request: &[32]byte{1}}
		c, _, err := k.claim(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		waits := make(chan string, 2)
		wait := func(ctx context.Context) {
			c, dup, err := k.claim(ctx, b)
			waits <- fmt.Sprint(dup, " ", err)
			c.release(true)
		}
		go wait(ctx)
		synctest.Wait()
		cancel(gone)
		if got := <-waits; got != "false gone" {
			t.Errorf("who gave up got %q", got)
		}
		go wait(t.Context())
		synctest.Wait()
		c.release(false) // it failed: the next may store it
		if got := <-waits; got != "false <nil>" {
			t.Errorf("who waited got %q", got)
		}
		synctest.Wait()
		if _, dup, _ := k.claim(t.Context(), b); !dup {
			t.Error("it isn't known")
		}
	})
}
