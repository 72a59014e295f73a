package stream

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/wal"
)

// memoryShelf is a lake in memory, whose calls take a time of their own: for tests
// of timers.
type memoryShelf struct {
	tables []*schema.Table
	commit time.Duration
	fail   atomic.Bool
	begun  time.Time
	next   int32

	mu      sync.Mutex
	commits []commitAt
	hot     []hotAt
}

// done gives what was written so far.
func (s *memoryShelf) done() ([]commitAt, []hotAt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commits), slices.Clone(s.hot)
}

type commitAt struct {
	at   time.Duration
	rows int64
}

type hotAt struct {
	at   time.Duration
	rows int
}

type memoryPart struct {
	s    *memoryShelf
	rows map[*schema.Table]*datafile.Sorter
}

func (s *memoryShelf) LastIngestedUS() int64                               { return 0 }
func (s *memoryShelf) Positions(context.Context) (map[string]int64, error) { return nil, nil }
func (s *memoryShelf) HotEnd(*schema.Table) (int64, error)                 { return 0, nil }
func (s *memoryShelf) Table(_ context.Context, name string) (*schema.Table, error) {
	for _, t := range s.tables {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, nil
}

func (s *memoryShelf) AddSource(context.Context, lake.SourceInfo) (int32, error) {
	s.next++
	return s.next, nil
}
func (s *memoryShelf) RestoreSource(context.Context, int32, lake.SourceInfo) error { return nil }
func (s *memoryShelf) KeysOf(context.Context, lake.KeyKind) ([]lake.KeyEntry, error) {
	return nil, nil
}

func (s *memoryShelf) Begin(context.Context) (part, error) {
	return &memoryPart{s, map[*schema.Table]*datafile.Sorter{}}, nil
}

func (s *memoryShelf) WriteHot(_ context.Context, _ *schema.Table, rows []*datafile.Rows, _, _ int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hot = append(s.hot, hotAt{time.Since(s.begun), rows[0].Len()})
	return nil
}
func (s *memoryShelf) RetireHot(*schema.Table, int64) error { return nil }
func (s *memoryShelf) ClearHot(context.Context) error       { return nil }
func (s *memoryShelf) Upkeep(context.Context) error         { return nil }
func (s *memoryShelf) Drained() error                       { return nil }

func (p *memoryPart) SorterAt(t *schema.Table, _ int64) *datafile.Sorter {
	if p.rows[t] == nil {
		p.rows[t] = datafile.NewSorter(datafile.SorterConfig{Table: t})
	}
	return p.rows[t]
}

func (p *memoryPart) Commit(_ context.Context, _ lake.PartResult) error {
	time.Sleep(p.s.commit) // virtual time
	n := int64(0)
	for _, s := range p.rows {
		n += s.Rows()
	}
	if err := p.Abort(); err != nil {
		return err
	}
	if p.s.fail.Load() {
		return errors.New("it fails")
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.commits = append(p.s.commits, commitAt{time.Since(p.s.begun), n})
	return nil
}

func (p *memoryPart) Abort() error {
	for _, s := range p.rows {
		if err := s.Close(); err != nil {
			return err
		}
	}
	clear(p.rows)
	return nil
}

// timed runs f with a door on a lake in memory, in virtual time.
func timed(t *testing.T, c Config, s *memoryShelf, f func(t *testing.T, d *Door, table *schema.Table)) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "wal")
	synctest.Test(t, func(t *testing.T) {
		table, _, err := schema.ParseCustom("Probe_CL", "TimeGenerated:datetime, client:int, n:long, text:string")
		if err != nil {
			t.Fatal(err)
		}
		s.tables, s.begun = []*schema.Table{table}, time.Now()
		id := uuid.NewString()
		d, err := open(t.Context(), c, s, filepath.Join(dir, id), id)
		if err != nil {
			t.Fatal(err)
		}
		f(t, d, table)
		s.fail.Store(false)
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func mustSubmit(t *testing.T, d *Door, b *Batch) {
	t.Helper()
	if _, err := d.Submit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestRowsAtALowRateGetHotFiles(t *testing.T) {
	s := &memoryShelf{}
	timed(t, Config{}, s, func(t *testing.T, d *Door, table *schema.Table) {
		for i := range int64(250) { // four a second for a minute, and a little
			mustSubmit(t, d, sample(table, 1, i, 1))
			time.Sleep(250 * time.Millisecond)
		}
		synctest.Wait()
		seen := 0
		commits, hot := s.done()
		for i, h := range hot {
			seen += h.rows
			if i > 0 && h.at-hot[i-1].at > time.Second {
				t.Errorf("a hot file came %v after the one before", h.at-hot[i-1].at)
			}
		}
		if seen < 246 {
			t.Errorf("%d rows were seen", seen)
		}
		if len(commits) == 0 || commits[0].at > time.Minute+time.Second {
			t.Errorf("commits: %v", commits)
		}
		if st := d.Stats(); st.Fast {
			t.Error("four rows a second are taken for many")
		}
	})
}

func TestRowsAtAHighRateAreCommittedQuickly(t *testing.T) {
	s := &memoryShelf{commit: 500 * time.Millisecond}
	timed(t, Config{HotRows: 1000}, s, func(t *testing.T, d *Door, table *schema.Table) {
		for i := range int64(200) { // 2,000 a second
			mustSubmit(t, d, sample(table, 1, i*100, 100))
			time.Sleep(50 * time.Millisecond)
		}
		synctest.Wait()
		if !d.Stats().Fast {
			t.Error("2,000 rows a second are not taken for many")
		}
		commits, hot := s.done()
		for i, c := range commits[1:] {
			if gap := c.at - commits[i].at; gap > 5*time.Second {
				t.Errorf("a commit came %v after the one before", gap)
			}
		}
		if n := len(hot); n > 3 {
			t.Errorf("%d hot files were written", n)
		}
		time.Sleep(10 * time.Second)
		mustSubmit(t, d, sample(table, 1, 0, 1)) // slow again: this one goes with a quick commit
		time.Sleep(10 * time.Second)
		mustSubmit(t, d, sample(table, 1, 1, 1))
		time.Sleep(time.Second)
		if _, after := s.done(); len(after) == len(hot) {
			t.Error("no hot files are written any more")
		}
	})
}

func TestSourcesWaitWhileCommitsFail(t *testing.T) {
	s := &memoryShelf{}
	timed(t, Config{MemoryBytes: 256 << 10}, s, func(t *testing.T, d *Door, table *schema.Table) {
		s.fail.Store(true)
		taken := 0
		for i := range int64(10_000) {
			_, err := d.Submit(t.Context(), sample(table, 1, i*100, 100))
			if err == nil {
				taken++
				continue
			}
			var busy *ErrBusy
			if !errors.As(err, &busy) || busy.RetryAfter <= 0 {
				t.Fatalf("a full door says %v", err)
			}
			break
		}
		st := d.Stats()
		if taken == 10_000 || st.HeldBytes > st.MaxHeldBytes || st.Busy != 1 {
			t.Errorf("%d batches were taken, %d of %d bytes are held, %d refused", taken, st.HeldBytes, st.MaxHeldBytes, st.Busy)
		}
		time.Sleep(3 * time.Minute)
		if n := d.Stats().CommitErrors; n < 6 || n > 20 {
			t.Errorf("%d tries in three minutes", n)
		}
		s.fail.Store(false)
		time.Sleep(maxRetry + time.Second)
		mustSubmit(t, d, sample(table, 1, 0, 100))
		if err := d.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if st := d.Stats(); st.HeldBytes != 0 || st.LastError != nil {
			t.Errorf("in the end %+v", st)
		}
	})
}

func TestTimesDontGoBack(t *testing.T) {
	x := newWorld(t)
	now := time.Date(2026, 3, 1, 23, 59, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	x.now = clock
	x.restart()
	d := x.open(Config{Now: clock})
	var a acked
	n := int64(0)
	for _, step := range []time.Duration{0, 30 * time.Second, time.Minute, -2 * time.Hour, 49 * time.Hour, -49 * time.Hour, time.Minute} {
		now = now.Add(step)
		r := x.submit(d, sample(x.probe, 1, n, 5))
		a.add(1, n, 5, r.FirstSeq)
		n += 5
	}
	kill(t, d)
	x.restart()
	now = now.Add(-72 * time.Hour)
	d = x.open(Config{Now: clock})
	r := x.submit(d, sample(x.probe, 1, n, 5))
	a.add(1, n, 5, r.FirstSeq)
	closeDoor(t, d)
	x.restart()
	d = x.open(Config{Now: clock})
	r = x.submit(d, sample(x.probe, 1, n+5, 5))
	a.add(1, n+5, 5, r.FirstSeq)
	closeDoor(t, d)
	x.verify(&a, true) // also that _IngestedAt doesn't decrease
	x.addUp()
	days := map[int64]int{}
	for _, r := range x.rows() {
		days[r.us/(24*3600*1_000_000)]++
	}
	if len(days) != 3 {
		t.Errorf("rows lie on %d days", len(days))
	}
}

func TestHotRowsAreSeenOnce(t *testing.T) {
	x := newWorld(t)
	d := x.open(Config{HotEvery: time.Millisecond})
	var a acked
	deadline := time.Now().Add(20 * time.Second)
	hot := false
	for i := range int64(60) {
		table := x.probe
		if i%3 == 0 {
			table = x.other
		}
		r := x.submit(d, sample(table, 1, i*4, 4))
		a.add(1, i*4, 4, r.FirstSeq)
		if i == 30 {
			if err := d.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		// What is seen is a beginning of each table's rows, each once.
		last := map[string]int64{}
		for _, row := range x.rows() {
			if row.n < last[row.table] {
				t.Fatalf("row %d after %d", row.n, last[row.table])
			}
			last[row.table] = row.n + 1
			hot = hot || row.fromHot
		}
	}
	for len(x.rows()) < 240 && time.Now().Before(deadline) { // without a commit
	}
	if !hot {
		t.Error("no row was seen in a hot file")
	}
	x.verify(&a, true)
	closeDoor(t, d)
	x.verify(&a, true)
	x.addUp()
}

func TestLiveTail(t *testing.T) {
	x := newWorld(t)
	d := x.open(Config{})
	all, one, slow := d.Subscribe(0), d.Subscribe(0, x.other), d.Subscribe(2000)
	for i := range int64(10) {
		x.submit(d, sample(x.probe, 1, i*3, 3))
	}
	x.submit(d, sample(x.other, 2, 0, 1))
	rows := datafile.NewRows(x.probe)
	for seq := int64(1); seq <= 28; seq += 3 {
		a, missed, err := all.Next(t.Context())
		if err != nil || missed != 0 || a.FirstSeq != seq || a.Count != 3 || a.Table != x.probe {
			t.Fatalf("got %+v, %d missed, %v", a, missed, err)
		}
		if err := rows.Load(a.Rows, a.Table.Version); err != nil || rows.Len() != 3 {
			t.Fatalf("%d rows: %v", rows.Len(), err)
		}
	}
	if a, _, err := one.Next(t.Context()); err != nil || a.Table != x.other || a.FirstSeq != 31 {
		t.Errorf("got %+v, %v", a, err)
	}
	got, lost := int64(0), int64(0)
	for got+lost < 10 {
		_, missed, err := slow.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, lost = got+1, lost+missed
		if missed == 0 && lost == 0 && got > 9 {
			break
		}
		if len(slow.queue) == 0 {
			x.submit(d, sample(x.probe, 1, 100, 1)) // tells what was missed
		}
	}
	if lost == 0 || d.Stats().TailDropped == 0 {
		t.Errorf("a slow reader got %d and missed %d", got, lost)
	}
	all.Close()
	if _, _, err := all.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	closeDoor(t, d)
	for err := error(nil); !errors.Is(err, ErrClosed); {
		if _, _, err = one.Next(t.Context()); err != nil && !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	}
}

func TestFollowers(t *testing.T) {
	x := newWorld(t)
	d := x.open(Config{
		WAL: wal.Options{SegmentBytes: 4 << 10, MaxBytes: 1 << 20}, PartBytes: 16 << 10,
		Followers: []FollowerConfig{{Name: "detect", Holds: true, Bound: wal.Bound{Bytes: 64 << 10}}, {Name: "deliver"}},
	})
	detect, deliver := d.Follower("detect"), d.Follower("deliver")
	if detect == nil || deliver == nil || d.Follower("nobody") != nil {
		t.Fatal("followers are not found")
	}
	fill := func(first, batches int64) {
		for i := range batches {
			x.submit(d, sample(x.probe, 1, (first+i)*10, 10))
		}
		if err := d.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fill(0, 40)
	if st := d.Stats().WAL; st.FirstPosition != 1 {
		t.Errorf("the log begins at %d although a consumer holds it", st.FirstPosition)
	}
	read := func(f *Follower, to int64) {
		t.Helper()
		for {
			a, err := f.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f.Ack(a.Position); a.Position == to {
				return
			}
		}
	}
	read(detect, 40)
	if st := d.Stats().WAL; st.FirstPosition < 30 {
		t.Errorf("the log begins at %d: a delivery holds it", st.FirstPosition)
	}
	var behind *BehindError
	if _, err := deliver.Next(t.Context()); !errors.As(err, &behind) || behind.From != 1 || behind.To < 29 {
		t.Errorf("a delivery that fell behind gets %v", err)
	}
	if a, err := deliver.Next(t.Context()); err != nil || a.Position != behind.To+1 {
		t.Errorf("then it goes on with %d, %v", a.Position, err)
	}
	fill(40, 300) // beyond the bound
	if st := d.Stats().WAL; st.FirstPosition <= 41 || st.HoldsLost == 0 {
		t.Errorf("the log begins at %d: the bound of a hold doesn't hold", st.FirstPosition)
	}
	if _, err := detect.Next(t.Context()); !errors.As(err, &behind) || behind.From != 41 || behind.AfterSeq != 400 {
		t.Errorf("detection that fell behind gets %v", err)
	}
	closeDoor(t, d)
	x.addUp()
}

func TestATableThatIsAlteredMeanwhile(t *testing.T) {
	x := newWorld(t)
	d := x.open(Config{})
	var a acked
	older := x.probe
	r := x.submit(d, sample(older, 1, 0, 5))
	a.add(1, 0, 5, r.FirstSeq)
	if _, err := x.w.AlterTable(t.Context(), "probe_cl", "more:string"); err != nil {
		t.Fatal(err)
	}
	x.reload()
	if x.probe.Version == older.Version {
		t.Fatal("the table has no new version")
	}
	for i, table := range []*schema.Table{x.probe, older, x.probe, older} { // decoders change over one by one
		first := int64(i+1) * 5
		r := x.submit(d, sample(table, 1, first, 5))
		a.add(1, first, 5, r.FirstSeq)
	}
	kill(t, d)
	x.restart()
	d = x.open(Config{})
	x.verify(&a, true)
	closeDoor(t, d)
	x.addUp()
}
