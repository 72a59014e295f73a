package wal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// load appends from four sources, and commits behind them, until each has had
// its turns; what was acknowledged is added to acked.
func load(l *Log, start int, acked map[int64][]byte) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 12 {
				n := start + w*100 + i
				f, err := put(context.Background(), l, n, 1+i%3, 200+100*w)
				if err != nil {
					continue
				}
				mu.Lock()
				acked[f.Position] = payload(f.Position, f.FirstSeq, n, 200+100*w)
				mu.Unlock()
				if i%5 == 4 {
					l.Committed(f.Position - 5)
				}
			}
		})
	}
	wg.Wait()
}

// reopened checks that a log has all that was acknowledged and not trimmed.
func reopened(t *testing.T, m *memFS, o Options, acked map[int64][]byte) *Log {
	t.Helper()
	o.FS = m
	l, err := Open(t.Context(), memDir, o)
	if err != nil {
		t.Fatal(err)
	}
	first := l.Stats().FirstPosition
	have := map[int64][]byte{}
	next, seq := first, int64(0)
	for _, f := range all(t, l, first-1) {
		if seq == 0 {
			seq = f.FirstSeq
		}
		if f.Position != next || f.FirstSeq != seq {
			t.Fatalf("frame %d, row %d; want %d, %d", f.Position, f.FirstSeq, next, seq)
		}
		next, seq = next+1, seq+int64(f.Rows)
		have[f.Position] = f.Payload
	}
	for p, want := range acked {
		if p >= first && !bytes.Equal(have[p], want) {
			t.Fatalf("frame %d was acknowledged; the log (from %d to %d) has %x", p, first, next-1, have[p])
		}
	}
	if p, s := l.Next(); p != next || seq != 0 && s != seq {
		t.Fatalf("next is %d, %d; want %d, %d", p, s, next, seq)
	}
	return l
}

// TestFaultAtEveryChange fails the n-th change of the file system, once or for
// good; what was acknowledged is there after a restart, after a kill and after a
// power cut, and no position has two contents.
func TestFaultAtEveryChange(t *testing.T) {
	for _, until := range []int{0, 1 << 40} {
		for n := 1; ; n++ {
			if testing.Short() && n > 40 {
				break
			}
			m := newMemFS()
			m.fail, m.until = n, until
			o := Options{SegmentBytes: minSegmentBytes}
			acked := map[int64][]byte{}
			o.FS = m
			l, err := Open(t.Context(), memDir, o)
			if err == nil {
				load(l, 0, acked)
				if len(m.failed) == 0 {
					l.Close()
					break // the load has no n-th change
				}
			}
			failed := fmt.Sprint(n, m.failed[:1])
			r := rand.New(rand.NewPCG(uint64(n), uint64(until)))
			cut, killed := m.crash(r), m.killed()
			if err == nil {
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
			m.fail = 0
			for name, m := range map[string]*memFS{"power cut": cut, "kill": killed, "restart": m} {
				t.Run(failed+" "+name, func(t *testing.T) {
					acked := maps.Clone(acked)
					l := reopened(t, m, o, acked)
					load(l, 1000, acked)
					if err := l.Close(); err != nil {
						t.Fatal(err)
					}
					l = reopened(t, m, o, acked)
					l.Close()
				})
			}
		}
	}
}

// TestPowerCut cuts the power at random under load, again and again on what is
// left.
func TestPowerCut(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	r := rand.New(rand.NewPCG(1, 2))
	m := newMemFS()
	acked := map[int64][]byte{}
	o := Options{SegmentBytes: minSegmentBytes}
	for round := range rounds {
		l := reopened(t, m, o, acked)
		var mu sync.Mutex
		var cut *memFS
		var wg sync.WaitGroup
		stop := 5 + r.IntN(30)
		for w := range 3 {
			wg.Go(func() {
				for i := range 15 {
					n := round*1000 + w*100 + i
					f, err := put(t.Context(), l, n, 1, 100+n%900)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if cut == nil { // acknowledged before the cut
						acked[f.Position] = payload(f.Position, f.FirstSeq, n, 100+n%900)
						if stop--; stop == 0 {
							cut = m.crash(r)
						}
					}
					mu.Unlock()
					if i == 9 {
						l.Committed(f.Position - 20)
					}
				}
			})
		}
		wg.Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if cut != nil {
			m = cut
		}
	}
}

// TestDiskFull fills the disk and frees it: the source is told to wait, and the
// log goes on without being opened again.
func TestDiskFull(t *testing.T) {
	m := newMemFS()
	l := open(t, memDir, Options{FS: m, SegmentBytes: minSegmentBytes})
	acked := map[int64][]byte{}
	keep := func(n int) {
		f := mustPut(t, l, n, 1, 300)
		acked[f.Position] = payload(f.Position, f.FirstSeq, n, 300)
	}
	for n := range 9 {
		keep(n)
	}
	// The write is cut short, and can be taken back as the disk lets truncate.
	m.mu.Lock()
	full := &onlyWrites{memFS: m}
	m.mu.Unlock()
	l.file = &fullFile{l.file.(*memFile), full}
	for range 3 {
		if _, err := put(t.Context(), l, 50, 1, 300); !errors.Is(err, ErrFull) || errors.Is(err, ErrBroken) {
			t.Fatalf("got %v", err)
		}
	}
	full.free = true
	for n := range 9 {
		keep(100 + n)
	}
	numbers(t, all(t, l, 0), 1, 1)
	reopened(t, m.crash(rand.New(rand.NewPCG(3, 3))), Options{}, acked).Close()
	// New segments can't be made.
	m.full(true)
	var err error
	for range 30 {
		if _, err = put(t.Context(), l, 1, 1, 300); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrFull) && !errors.Is(err, ErrBroken) {
		t.Errorf("got %v", err)
	}
}

// onlyWrites is a full disk: files don't grow, but can be cut and synced.
type onlyWrites struct {
	memFS *memFS
	free  bool
}

type fullFile struct {
	*memFile
	disk *onlyWrites
}

func (f *fullFile) WriteAt(p []byte, off int64) (int, error) {
	if f.disk.free {
		return f.memFile.WriteAt(p, off)
	}
	n, _ := f.memFile.WriteAt(p[:len(p)/3], off)
	f.disk.memFS.full(true)
	defer f.disk.memFS.full(false)
	return n, f.disk.memFS.err
}

// TestBroken: after a failed sync nothing is acknowledged any more.
func TestBroken(t *testing.T) {
	m := newMemFS()
	l := open(t, memDir, Options{FS: m})
	mustPut(t, l, 1, 1, 100)
	m.mu.Lock()
	m.fail = m.calls + 2 // the sync behind the write
	m.mu.Unlock()
	for range 3 {
		if _, err := put(t.Context(), l, 2, 1, 100); !errors.Is(err, ErrBroken) {
			t.Fatalf("got %v", err)
		}
	}
	if p, s := l.Next(); p != 2 || s != 2 {
		t.Errorf("next %d, %d", p, s)
	}
	if got := all(t, l, 0); len(got) != 1 {
		t.Errorf("%d frames are read", len(got))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, memDir, Options{FS: m})
	mustPut(t, l, 3, 1, 100)
	numbers(t, all(t, l, 0), 1, 1)
}

// TestFailedGroup: the frames that gather behind a write that fails fail with it,
// because their numbers hang on it.
func TestFailedGroup(t *testing.T) {
	m := newMemFS()
	l := open(t, memDir, Options{FS: m})
	mustPut(t, l, 1, 1, 100)
	m.block, m.blocked = make(chan struct{}), make(chan struct{}, 10)
	var errs [3]error
	var wg sync.WaitGroup
	wg.Go(func() { _, errs[0] = put(t.Context(), l, 2, 1, 100) })
	<-m.blocked
	for i := range 2 {
		before, _ := l.Next()
		wg.Go(func() { _, errs[i+1] = put(t.Context(), l, 3+i, 2, 100) })
		for p := before; p == before; p, _ = l.Next() {
		}
	}
	if p, s := l.Next(); p != 5 || s != 7 {
		t.Errorf("next %d, %d", p, s)
	}
	m.mu.Lock()
	m.fail = m.calls + 1
	m.mu.Unlock()
	close(m.block)
	wg.Wait()
	for i, err := range errs {
		if !errors.Is(err, ErrBroken) {
			t.Errorf("frame %d: %v", i, err)
		}
	}
	if p, s := l.Next(); p != 2 || s != 2 {
		t.Errorf("next %d, %d", p, s)
	}
}

// TestFull: beyond MaxBytes the source waits; what the lake has gives room.
func TestFull(t *testing.T) {
	const limit = 64 << 10
	m := newMemFS()
	l := open(t, memDir, Options{FS: m, MaxBytes: limit})
	n := 0
	for ; ; n++ {
		_, err := put(t.Context(), l, n, 1, 1000)
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || n > 100 {
			t.Fatal(n, err)
		}
	}
	if n < 50 || l.Size() > limit {
		t.Errorf("%d frames, %d bytes", n, l.Size())
	}
	if _, err := put(t.Context(), l, 1, 1, limit/4); !errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	if st := l.Stats(); st.Full != 2 || st.Frames != int64(n) {
		t.Errorf("%+v", st)
	}
	l.Committed(int64(n / 2))
	for ; n < 80; n++ {
		mustPut(t, l, n, 1, 1000)
	}
	// The largest frames need the newest segment to go too.
	for range 10 {
		p, _ := l.Next()
		l.Committed(p - 1)
		if f := mustPut(t, l, n, 1, limit/2-200); f.Position != p {
			t.Errorf("position %d, want %d", f.Position, p)
		}
		if l.Size() > limit {
			t.Errorf("%d bytes", l.Size())
		}
	}
	if _, err := put(t.Context(), l, 1, 1, limit/2); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	p, s := l.Next()
	l.Committed(p - 1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, memDir, Options{FS: m, MaxBytes: limit})
	if q, r := l.Next(); q != p || r != s {
		t.Errorf("next %d, %d; want %d, %d", q, r, p, s)
	}
}

// TestContext: the end of a context ends the waiting for a place, not that for
// durability.
func TestContext(t *testing.T) {
	m := newMemFS()
	l := open(t, memDir, Options{FS: m})
	ctx, cancel := context.WithCancel(t.Context())
	m.block, m.blocked = make(chan struct{}), make(chan struct{}, 10)
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { _, err = put(ctx, l, 1, 1, 100) })
	<-m.blocked
	cancel()
	if _, err := put(ctx, l, 2, 1, 100); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(m.block)
	wg.Wait()
	if err != nil {
		t.Error(err)
	}
	numbers(t, all(t, l, 0), 1, 1)
}

func positions(frames []Frame) (first, last int64) {
	if len(frames) == 0 {
		return 0, 0
	}
	return frames[0].Position, frames[len(frames)-1].Position
}

// TestHold: a consumer as detection holds the log up to its bound of bytes;
// a delivery doesn't.
func TestHold(t *testing.T) {
	l := open(t, newDir(t), Options{SegmentBytes: minSegmentBytes})
	for n := range 100 {
		mustPut(t, l, n, 1, 500)
	}
	detect := l.Hold("detect", Bound{Bytes: 20 << 10})
	delivery := int64(0) // a delivery: it has a position of its own, and no hold
	l.Committed(100)
	first, last := positions(all(t, l, l.Stats().FirstPosition-1))
	if first < 60 || first > 75 || last != 100 {
		t.Errorf("20 KiB of 50 are held: %d to %d", first, last)
	}
	if detect.Lost() != first-1 || detect.Position() != first-1 {
		t.Errorf("lost %d, position %d, want %d", detect.Lost(), detect.Position(), first-1)
	}
	if err := l.Read(t.Context(), delivery, func(Frame) error { return nil }); !errors.Is(err, ErrTrimmed) {
		t.Errorf("the delivery reads: %v", err)
	}
	detect.Ack(first + 20)
	if detect.Lost() != 0 || detect.Position() != first+20 {
		t.Errorf("lost %d, position %d", detect.Lost(), detect.Position())
	}
	if now := l.Stats().FirstPosition; now <= first || now > first+21 {
		t.Errorf("after the acknowledgement the log begins at %d", now)
	}
	detect.Ack(3) // never back
	detect.Ack(1 << 40)
	if detect.Position() != 100 {
		t.Errorf("position %d", detect.Position())
	}
	for n := range 20 {
		mustPut(t, l, n, 1, 500)
	}
	if l.Stats().FirstPosition > 101 {
		t.Error("frames that the lake doesn't have are gone")
	}
	l.Committed(120)
	detect.Close()
	if st := l.Stats(); st.Segments != 1 || st.Holds != 0 || st.HoldsLost == 0 {
		t.Errorf("%+v", st)
	}
}

// TestHoldAge: a hold that doesn't let go is passed when the frames are old, with
// nothing else happening.
func TestHoldAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		l := open(t, memDir, Options{FS: m, SegmentBytes: minSegmentBytes})
		h := l.Hold("detect", Bound{})
		for n := range 40 {
			mustPut(t, l, n, 1, 500)
			time.Sleep(10 * time.Second)
		}
		l.Committed(40)
		if l.Stats().FirstPosition != 1 || h.Lost() != 0 {
			t.Errorf("%+v", l.Stats())
		}
		time.Sleep(DefaultHoldAge - 400*time.Second - time.Second)
		synctest.Wait()
		if l.Stats().FirstPosition != 1 {
			t.Error("trimmed before its age")
		}
		time.Sleep(200 * time.Second)
		synctest.Wait()
		first := l.Stats().FirstPosition
		if first < 14 || first > 22 || h.Lost() != first-1 {
			t.Errorf("after 200 s more the log begins at %d, lost %d", first, h.Lost())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if st := l.Stats(); st.Segments != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestHoldNeverStopsSources: a hold larger than the log doesn't fill it.
func TestHoldNeverStopsSources(t *testing.T) {
	l := open(t, newDir(t), Options{MaxBytes: 64 << 10})
	l.Hold("detect", Bound{Bytes: 1 << 40, Age: time.Hour})
	for n := range 500 {
		f := mustPut(t, l, n, 1, 1000)
		l.Committed(f.Position)
	}
}

// TestClock: a clock that is set back doesn't keep a hold for long, one that is set
// forward lets the lake take over; no frame is lost by either.
func TestClock(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	l := open(t, memDir, Options{FS: newMemFS(), SegmentBytes: minSegmentBytes, Now: func() time.Time { return now }})
	h := l.Hold("detect", Bound{Age: time.Minute})
	put := func() {
		for n := range 20 {
			mustPut(t, l, n, 1, 500)
		}
	}
	put()
	now = now.Add(-24 * 365 * time.Hour)
	put()
	l.Committed(40)
	if l.Stats().FirstPosition != 1 {
		t.Error("set back: the hold has ended")
	}
	now = now.Add(2 * time.Minute)
	l.Committed(40)
	if st := l.Stats(); st.Segments != 1 {
		t.Errorf("set back: a year later than it should: %+v", st)
	}
	if next, _ := l.Next(); next != 41 {
		t.Errorf("next %d", next)
	}
	put()
	now = now.Add(24 * 365 * time.Hour)
	l.Committed(50)
	if first := l.Stats().FirstPosition; first > 51 || h.Lost() >= 51 {
		t.Errorf("set forward: the log begins at %d, behind what the lake has", first)
	}
	numbers(t, all(t, l, 50), 51, 51)
}
