package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// theStream is the write-ahead log of the tests here: its frames are durable from
// the beginning, whatever becomes of the lake.
type theStream struct {
	table  *schema.Table
	source int32
	// ends gives by position, from 1, the _Seq of the last row.
	ends []int64
	us   int64
}

const theLog = "0d9e6a54-7d2b-4f0e-8a51-3c8f5b2f6a11"

func newStream(table *schema.Table, now time.Time) *theStream {
	return &theStream{table: table, ends: []int64{0, 5, 8, 9, 15}, us: now.UnixMicro()}
}

// rows gives the rows above position from up to to.
func (s *theStream) rows(t testing.TB, from, to int) *datafile.Rows {
	return streamRows(t, s.table, s.source, s.ends[from]+1, int(s.ends[to]-s.ends[from]), s.us)
}

var (
	theSource = SourceInfo{Kind: "ingest", Subscription: "probe"}
	theKey    = [32]byte{7}
)

// open takes the log up as the stream door does.
func (s *theStream) open(ctx context.Context, w *Writer) (*Log, error) {
	g, err := w.OpenLog(ctx, theLog, LogInfo{Door: "stream"})
	if err != nil {
		return nil, err
	}
	known, err := w.KeysOf(ctx, KeySource)
	switch {
	case err != nil:
	case len(known) == 1 && known[0].Source == s.source:
	case len(known) == 0 && s.source != 0:
		err = g.RestoreSource(ctx, s.source, theSource)
	case len(known) == 0:
		s.source, err = g.AddSource(ctx, theSource)
	default:
		err = fmt.Errorf("the lake knows the sources %v, the log has %d", known, s.source)
	}
	return g, err
}

// commit brings the table from one position to another.
func (s *theStream) commit(t testing.TB, ctx context.Context, g *Log, from, to int) error {
	p, err := g.BeginPart(ctx)
	if err != nil {
		return err
	}
	b := s.rows(t, from, to)
	if err := p.SorterAt(s.table, s.us).Add(ctx, b); err != nil {
		return errors.Join(err, p.Abort())
	}
	n := int64(b.Len())
	return p.Commit(ctx, PartResult{
		Sources:   []SourceTally{{Source: s.source, Received: n, Stored: n}},
		Keys:      []KeyEntry{{Kind: KeySource, Key: theKey, KeyValue: KeyValue{Source: s.source}}},
		Positions: map[*schema.Table]int64{s.table: int64(to)},
	})
}

// run is a minute in the life of a stream.
func (s *theStream) run(t testing.TB, ctx context.Context, w *Writer) error {
	g, err := s.open(ctx, w)
	if err != nil {
		return err
	}
	hot := func(from, to int) {
		if err == nil {
			err = g.WriteHot(ctx, s.table, []*datafile.Rows{s.rows(t, from, to)}, int64(from), int64(to))
		}
	}
	hot(0, 1)
	hot(1, 2)
	if err == nil {
		err = s.commit(t, ctx, g, 0, 2)
	}
	if err == nil {
		err = w.RetireHot(s.table, 2)
	}
	hot(2, 3)
	hot(3, 4)
	if err == nil {
		err = s.commit(t, ctx, g, 2, 3)
	}
	if err == nil {
		err = w.RetireHot(s.table, 3)
	}
	return err
}

// resume is what the door does after a crash: what the table lacks comes again.
func (s *theStream) resume(t testing.TB, ctx context.Context, w *Writer) error {
	g, err := s.open(ctx, w)
	if err != nil {
		return err
	}
	positions, err := g.Positions(ctx)
	if err != nil {
		return err
	}
	if at := int(positions[s.table.Name]); at < len(s.ends)-1 {
		if err := s.commit(t, ctx, g, at, len(s.ends)-1); err != nil {
			return err
		}
	}
	return errors.Join(g.ClearHot(ctx), g.Drained())
}

// prefix tells how many rows are seen when they are 1…n, once each.
func (s *theStream) prefix(t testing.TB, dir, where string) int64 {
	t.Helper()
	got := seen(t, dir, s.table)
	for i := range int64(len(got)) {
		if got[i+1] != 1 {
			t.Errorf("%s: row %d is seen %d times of %d rows", where, i+1, got[i+1], len(got))
		}
	}
	for _, end := range s.ends {
		if end == int64(len(got)) {
			return end
		}
	}
	t.Errorf("%s: %d rows are seen, no end of a frame", where, len(got))
	return int64(len(got))
}

// checkResumed resumes a stream and looks at everything.
func (s *theStream) checkResumed(t *testing.T, dir, where string, o Options, now time.Time) {
	t.Helper()
	before := s.prefix(t, dir, where)
	w, err := OpenWriter(t.Context(), dir, o)
	if err != nil {
		t.Fatalf("%s: the lake doesn't open any more: %v", where, err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}()
	if n := s.prefix(t, dir, where); n < before {
		t.Errorf("%s: %d rows were seen, %d when the lake was opened again", where, before, n)
	}
	if err := s.resume(t, t.Context(), w); err != nil {
		t.Errorf("%s: the stream doesn't go on: %v", where, err)
		return
	}
	if n := s.prefix(t, dir, where); n != s.ends[len(s.ends)-1] {
		t.Errorf("%s: %d rows in the end", where, n)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "hot", "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("%s: hot files stay: %v %v", where, left, err)
	}
	accounts, err := w.Accounts(t.Context())
	if err != nil || len(accounts) != 1 || accounts[0].Stored != s.ends[len(s.ends)-1] || accounts[0].Source.ID != s.source {
		t.Errorf("%s: the ledger says %+v, %v", where, accounts, err)
	}
	if keys, err := w.KeysOf(t.Context(), KeySource); err != nil || len(keys) != 1 || keys[0].Source != s.source {
		t.Errorf("%s: keys %v, %v", where, keys, err)
	}
	checkNoGarbage(t, now, w, where)
}

// TestStreamFaults fails the n-th write, sync, rename, removal and statement of a
// stream, once or from there on: rows that were seen stay seen, and the stream goes on
// with each row once.
func TestStreamFaults(t *testing.T) {
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm")
	}
	now := time.Now()
	o := testOptions()
	o.Now = clockAt(now, 0)
	base := filepath.Join(t.TempDir(), "base")
	w, err := OpenWriter(t.Context(), base, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	count := &faultFS{}
	o.fs, o.fault = count, count.hit
	dir := copyTree(t, base)
	if w, err = OpenWriter(t.Context(), dir, o); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(newStream(schema.WindowsEvents, now).run(t, t.Context(), w), w.Close()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d places to fail", count.calls)
	step := 1
	if os.Getenv("WADI_SLOW") == "" {
		t.Log("WADI_SLOW is not set: some of the faults only")
		step = count.calls/12 + 1
	}
	for n := 1; n <= count.calls; n += step {
		for _, forever := range []bool{false, true} {
			dir := filepath.Join(t.TempDir(), "copy")
			if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			f := &faultFS{n: n, forever: forever}
			o.fs, o.fault = f, f.hit
			s := newStream(schema.WindowsEvents, now)
			w, err := OpenWriter(t.Context(), dir, o)
			if err == nil {
				err = errors.Join(s.run(t, t.Context(), w), w.Close())
			}
			where := fmt.Sprintf("fault %d (%s, forever %v, error %v)", n, f.last, forever, err)
			healthy := testOptions()
			healthy.Now = clockAt(now, time.Second)
			s.checkResumed(t, dir, where, healthy, now)
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestStreamDeathBeforeEveryStep copies the folder before every change, as a process
// leaves it that dies there, and goes on with each copy.
func TestStreamDeathBeforeEveryStep(t *testing.T) {
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm")
	}
	now := time.Now()
	top := t.TempDir()
	dir := filepath.Join(top, "lake")
	o := testOptions()
	o.Now = clockAt(now, 0)
	var copies []string
	var sources []int32
	s := newStream(schema.WindowsEvents, now)
	on := false
	step := func(string) error {
		if !on {
			return nil
		}
		to := filepath.Join(top, "dead", itoa(len(copies)))
		copies, sources = append(copies, to), append(sources, s.source)
		return os.CopyFS(to, os.DirFS(dir))
	}
	o.fs, o.fault = &stepFS{step: step}, step
	w := openTestWriter(t, dir, o)
	on = true
	if err := s.run(t, t.Context(), w); err != nil {
		t.Fatal(err)
	}
	on = false
	every := 1
	if os.Getenv("WADI_SLOW") == "" {
		t.Log("WADI_SLOW is not set: every fourth step only")
		every = 4
	}
	seen, last := map[int64]int{}, int64(0)
	for i := 0; i < len(copies); i += every {
		s := newStream(schema.WindowsEvents, now)
		s.source = sources[i]
		where := fmt.Sprintf("step %d of %d", i, len(copies))
		n := s.prefix(t, copies[i], where)
		if n < last {
			t.Errorf("%s: %d rows are seen, %d before", where, n, last)
		}
		last = n
		seen[n]++
		healthy := testOptions()
		healthy.Now = clockAt(now, time.Second)
		s.checkResumed(t, copies[i], where, healthy, now)
		if err := os.RemoveAll(copies[i]); err != nil {
			t.Fatal(err)
		}
	}
	if every == 1 && len(seen) != len(s.ends) || len(seen) < 3 {
		t.Errorf("copies show %v rows: the steps don't lie between", seen)
	}
}
