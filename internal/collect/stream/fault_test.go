package stream

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/wal"
)

// faultyShelf fails or loses what the door asks of the lake.
type faultyShelf struct {
	shelf
	// before and after are called around each commit; after's error reports a commit
	// that happened as failed.
	before, after func() error
	hot           func() error
	begin         func() error
}

type faultyPart struct {
	part
	s *faultyShelf
}

func (s *faultyShelf) Begin(ctx context.Context) (part, error) {
	if s.begin != nil {
		if err := s.begin(); err != nil {
			return nil, err
		}
	}
	p, err := s.shelf.Begin(ctx)
	return faultyPart{p, s}, err
}

func (p faultyPart) Commit(ctx context.Context, r lake.PartResult) error {
	if p.s.before != nil {
		if err := p.s.before(); err != nil {
			return errors.Join(err, p.Abort())
		}
	}
	err := p.part.Commit(ctx, r)
	if err == nil && p.s.after != nil {
		err = p.s.after()
	}
	return err
}

func (s *faultyShelf) WriteHot(ctx context.Context, t *schema.Table, rows []*datafile.Rows, from, to int64) error {
	if s.hot != nil {
		if err := s.hot(); err != nil {
			return err
		}
	}
	return s.shelf.WriteHot(ctx, t, rows, from, to)
}

// openWith opens a door on a faulty shelf.
func (x *world) openWith(ctx context.Context, c Config, s *faultyShelf) (*Door, error) {
	dir := filepath.Join(x.dir, walName)
	id, err := logOf(dir)
	if err != nil {
		x.t.Fatal(err)
	}
	if id == "" {
		id = uuid.NewString()
	}
	if s.shelf, err = shelve(context.Background(), x.w, id); err != nil {
		x.t.Fatal(err)
	}
	c.Writer = x.w
	return open(ctx, c, s, filepath.Join(dir, id), id)
}

// faultyFS fails changes of the log's files.
type faultyFS struct {
	wal.FS
	fail func(op string) error
}

type faultyFile struct {
	wal.File
	f *faultyFS
}

func (f *faultyFS) Create(name string) (wal.File, error) {
	if err := f.fail("create"); err != nil {
		return nil, err
	}
	file, err := f.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return faultyFile{file, f}, nil
}

func (f *faultyFS) Open(name string) (wal.File, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return faultyFile{file, f}, nil
}

func (f *faultyFS) Remove(name string) error {
	if err := f.fail("remove"); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.f.fail("write"); err != nil {
		n, _ := f.File.WriteAt(p[:len(p)/2], off) // torn
		return n, err
	}
	return f.File.WriteAt(p, off)
}

func (f faultyFile) Sync() error {
	if err := f.f.fail("sync"); err != nil {
		return err
	}
	return f.File.Sync()
}

// nth fails the n-th call of an operation.
func nth(op string, n int64, err error) func(string) error {
	var calls atomic.Int64
	return func(o string) error {
		if o == op && calls.Add(1) == n {
			return err
		}
		return nil
	}
}

// load sends batches from some clients, each its own numbers in order, with a key,
// and repeats what was refused; it collects what is acknowledged and stops when the
// door is gone.
func (x *world) load(d *Door, a *acked, next []int64, batches int) {
	var wg sync.WaitGroup
	for client := range next {
		wg.Go(func() {
			for range batches {
				first := next[client]
				b := sample(x.probe, client, first, 7)
				b.Log, b.N = fmt.Sprintf("0b5c2f5e-0000-4000-8000-%012d", client), first/7+1
				var r Receipt
				err := error(&ErrBusy{})
				var busy *ErrBusy
				for tries := 0; errors.As(err, &busy); tries++ {
					if tries > 0 {
						<-time.After(time.Millisecond) // what a client does, only faster
					}
					r, err = d.Submit(context.Background(), b)
				}
				if err != nil {
					return
				}
				if !r.Duplicate {
					a.add(client, first, 7, r.FirstSeq)
				}
				next[client] = first + 7
			}
		})
	}
	wg.Wait()
}

// checkAll checks lake, log and ledger after the last door is closed: every batch
// that a client has behind it is there once.
func (x *world) checkAll(a *acked, next []int64) {
	x.t.Helper()
	x.verify(a, false)
	x.addUp()
	count := map[int64]int64{}
	for _, r := range x.rows() {
		count[r.client]++
	}
	for client, n := range next {
		// The batch in work may be there or not.
		if c := count[int64(client)]; c != n && c != n+7 {
			x.t.Errorf("client %d has %d rows behind it, %d are there", client, n, c)
		}
	}
	for source, s := range x.ledger() {
		if s.Lost != 0 {
			x.t.Errorf("source %d lost %d batches", source, s.Lost)
		}
	}
}

func TestACrashAtEveryStep(t *testing.T) {
	steps := []string{"before a commit", "after a commit", "hot file", "nowhere"}
	r := rand.New(rand.NewPCG(1, 2))
	x := newWorld(t)
	var a acked
	next := make([]int64, 4)
	rounds := 12
	if os.Getenv("WADI_SLOW") != "" {
		rounds = 200
	}
	for round := range rounds {
		step := steps[round%len(steps)]
		boom := fmt.Errorf("crash %s", step)
		dead, at := make(chan struct{}), int64(r.IntN(4)+1)
		var calls atomic.Int64
		var gone atomic.Bool
		crash := func() error { // from its n-th call on everything fails
			if gone.Load() {
				return boom
			}
			if calls.Add(1) == at {
				gone.Store(true)
				close(dead)
				return boom
			}
			return nil
		}
		lost := func() error {
			if gone.Load() {
				return boom
			}
			return nil
		}
		s := &faultyShelf{before: lost, hot: lost}
		switch step {
		case "before a commit":
			s.before = crash
		case "after a commit":
			s.after = crash
		case "hot file":
			s.hot = crash
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-dead
			cancel()
		}()
		d, err := x.openWith(ctx, Config{PartBytes: 4 << 10, HotEvery: time.Millisecond, MemoryBytes: 64 << 10, BusyAfter: 20 * time.Millisecond}, s)
		if err == nil {
			go func() {
				<-dead
				d.enterMu.Lock() // refuse everything: the process is gone
				d.closing = true
				d.enterMu.Unlock()
			}()
			x.load(d, &a, next, 20)
			kill(t, d)
		}
		if !gone.Swap(true) {
			close(dead)
		}
		x.restart()
	}
	closeDoor(t, x.open(Config{}))
	x.checkAll(&a, next)
}

func TestFaultsOfTheLog(t *testing.T) {
	faults := int64(1)
	if os.Getenv("WADI_SLOW") != "" {
		faults = 6
	}
	for _, c := range []struct {
		op  string
		err error
	}{{"write", syscall.ENOSPC}, {"write", syscall.EIO}, {"sync", syscall.EIO}, {"create", syscall.ENOSPC}, {"remove", syscall.EIO}} {
		for n := range faults {
			t.Run(fmt.Sprint(c.op, " ", c.err, " ", n+1), func(t *testing.T) {
				x := newWorld(t)
				f := &faultyFS{FS: wal.OS(), fail: nth(c.op, 3*n+2, c.err)}
				d := x.open(Config{WAL: wal.Options{FS: f, SegmentBytes: 8 << 10, MaxBytes: 1 << 20}, PartBytes: 8 << 10})
				var a acked
				next := make([]int64, 3)
				x.load(d, &a, next, 30)
				closeDoor(t, d)
				for client, got := range next {
					if got != 30*7 {
						t.Errorf("client %d came to %d rows", client, got)
					}
				}
				x.checkAll(&a, next)
				if c.op == "sync" && d.Stats().Reopened == 0 {
					t.Log("the log was never opened again: the sync that failed was of a new segment")
				}
			})
		}
	}
}

func TestADiskThatIsFullAndFreed(t *testing.T) {
	x := newWorld(t)
	var full atomic.Bool
	noRoom := func() error {
		if full.Load() {
			return &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
		}
		return nil
	}
	f := &faultyFS{FS: wal.OS(), fail: func(string) error { return noRoom() }}
	s := &faultyShelf{before: noRoom, hot: noRoom}
	d, err := x.openWith(t.Context(), Config{WAL: wal.Options{FS: f}, PartBytes: 4 << 10, MemoryBytes: 32 << 10, BusyAfter: time.Millisecond}, s)
	if err != nil {
		t.Fatal(err)
	}
	var a acked
	next := make([]int64, 2)
	x.load(d, &a, next, 10)
	full.Store(true)
	var busy *ErrBusy
	if _, err := d.Submit(t.Context(), sample(x.probe, 7, 0, 1)); !errors.As(err, &busy) || busy.RetryAfter <= 0 {
		t.Fatalf("a full disk says %v", err)
	}
	if d.Stats().Busy == 0 {
		t.Error("it isn't counted")
	}
	full.Store(false)
	x.load(d, &a, next, 10)
	closeDoor(t, d)
	x.checkAll(&a, next)
	if len(a.rows) != 2*20*7 {
		t.Errorf("%d rows were acknowledged", len(a.rows))
	}
}

func TestCommitsThatFailAreTriedAgain(t *testing.T) {
	x := newWorld(t)
	var left atomic.Int64
	left.Store(3)
	s := &faultyShelf{before: func() error {
		if left.Add(-1) >= 0 {
			return errors.New("database is locked")
		}
		return nil
	}}
	d, err := x.openWith(t.Context(), Config{PartBytes: 2 << 10, HotEvery: time.Millisecond}, s)
	if err != nil {
		t.Fatal(err)
	}
	var a acked
	next := make([]int64, 3)
	x.load(d, &a, next, 20)
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := d.Stats()
	if st.CommitErrors != 3 || st.LastError != nil || st.HeldBytes != 0 {
		t.Errorf("%d commits failed, last %v, %d bytes held", st.CommitErrors, st.LastError, st.HeldBytes)
	}
	x.load(d, &a, next, 5)
	closeDoor(t, d)
	x.checkAll(&a, next)
}

func TestACommitThatIsReportedAsFailedIsNotRepeated(t *testing.T) {
	x := newWorld(t)
	var calls atomic.Int64
	s := &faultyShelf{after: func() error {
		if calls.Add(1)%2 == 0 {
			return errors.New("cannot remove a temporary file")
		}
		return nil
	}}
	d, err := x.openWith(t.Context(), Config{PartBytes: 2 << 10}, s)
	if err != nil {
		t.Fatal(err)
	}
	var a acked
	next := make([]int64, 3)
	x.load(d, &a, next, 10)
	closeDoor(t, d)
	x.checkAll(&a, next)
}
