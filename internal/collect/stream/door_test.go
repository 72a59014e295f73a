package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// world is a lake with two custom tables, and doors opened on it.
type world struct {
	t     testing.TB
	dir   string
	w     *lake.Writer
	probe *schema.Table
	other *schema.Table
	now   func() time.Time // of the lake
}

func newWorld(t testing.TB) *world {
	t.Helper()
	x := &world{t: t, dir: filepath.Join(t.TempDir(), "lake")}
	x.openLake()
	for name, to := range map[string]**schema.Table{"Probe_CL": &x.probe, "Other_CL": &x.other} {
		table, _, err := schema.ParseCustom(name, "TimeGenerated:datetime, client:int, n:long, text:string")
		if err != nil {
			t.Fatal(err)
		}
		if err := x.w.CreateTable(t.Context(), table); err != nil {
			t.Fatal(err)
		}
		*to = table
	}
	x.reload()
	t.Cleanup(func() { x.closeLake() })
	return x
}

// reload takes the tables as the lake has them.
func (x *world) reload() {
	set, err := x.w.Schema(context.Background())
	if err != nil {
		x.t.Fatal(err)
	}
	x.probe, x.other = set.LookupTable("probe_cl"), set.LookupTable("other_cl")
}

func (x *world) openLake() {
	w, err := lake.OpenWriter(context.Background(), x.dir, lake.Options{Now: x.now})
	if err != nil {
		x.t.Fatal(err)
	}
	x.w = w
}

func (x *world) closeLake() {
	if x.w == nil {
		return
	}
	if err := x.w.Close(); err != nil {
		x.t.Error(err)
	}
	x.w = nil
}

// restart opens the lake anew, as after a crash of the process.
func (x *world) restart() {
	x.closeLake()
	x.openLake()
	x.reload()
}

func (x *world) open(c Config) *Door {
	x.t.Helper()
	c.Writer = x.w
	d, err := Open(context.Background(), c)
	if err != nil {
		x.t.Fatal(err)
	}
	return d
}

// kill ends a door as a crash does: nothing more is committed.
func kill(t testing.TB, d *Door) {
	t.Helper()
	d.enterMu.Lock()
	d.closing = true
	d.enterMu.Unlock()
	d.inflight.Wait()
	if err := d.end(); err != nil {
		t.Error(err)
	}
}

// sample makes a batch of rows for one client; n counts up from first.
func sample(t *schema.Table, client int, first, count int64) *Batch {
	rows := datafile.NewRows(t)
	tally := lake.SourceTally{Received: count, Stored: count}
	for n := first; n < first+count; n++ {
		at := time.Date(2026, 3, 1, 0, 0, int(n), 0, time.UTC).UnixMicro()
		rows.BeginNumbered()
		rows.Int(t.Index("TimeGenerated"), at)
		if c := t.Index("_Table"); c >= 0 {
			rows.String(c, "Probe_CL")
		}
		rows.Int(t.Index("client"), int64(client))
		rows.Int(t.Index("n"), n)
		rows.End()
		if ticks := event.FromUnixMicros(at); n == first {
			tally.FirstTime, tally.LastTime = ticks, ticks
		} else {
			tally.LastTime = ticks
		}
	}
	return &Batch{Table: t, Source: SourceName{Kind: "ingest", Name: fmt.Sprint("client-", client)}, Rows: rows, Tallies: []lake.SourceTally{tally}}
}

// rowOf is what a test wants to know of a row.
type rowOf struct {
	table     string
	client, n int64
	source    int64
	seq, us   int64
	fromHot   bool
}

// rows reads the rows that a question sees now, in the order of _Seq.
func (x *world) rows() []rowOf {
	x.t.Helper()
	p, err := x.w.Pin(context.Background(), time.Minute)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			x.t.Error(err)
		}
	}()
	var all []rowOf
	for _, t := range []*schema.Table{x.probe, x.other} {
		files, err := p.Table(t)
		if err != nil {
			x.t.Fatal(err)
		}
		at := func(name string) int { return t.Index(name) }
		cols := []int{at("client"), at("n"), at("_Source"), at("_Seq"), at("_IngestedAt")}
		for _, f := range files.Files {
			err := datafile.Read(context.Background(), datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, t, cols, datafile.Filter{}, func(r datafile.Row) error {
				o := rowOf{table: t.Name, fromHot: filepath.Base(filepath.Dir(filepath.Dir(f.Path))) == "hot"}
				for i, v := range []*int64{&o.client, &o.n, &o.source, &o.seq, &o.us} {
					*v, _ = r.Int(cols[i])
				}
				all = append(all, o)
				return nil
			})
			if err != nil {
				x.t.Fatal(err)
			}
		}
	}
	slices.SortFunc(all, func(a, b rowOf) int { return int(a.seq - b.seq) })
	return all
}

// acked collects what was acknowledged.
type acked struct {
	mu   sync.Mutex
	rows map[[2]int64]int64 // client and n to _Seq
}

func (a *acked) add(client int, first, count, seq int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rows == nil {
		a.rows = map[[2]int64]int64{}
	}
	for i := range count {
		a.rows[[2]int64{int64(client), first + i}] = seq + i
	}
}

// verify checks that every acknowledged row is there once, that _Seq has neither gap
// nor repeat, that times don't decrease, and that the ledger counts what is there.
// Rows that were not acknowledged may be there, once.
func (x *world) verify(a *acked, exact bool) {
	x.t.Helper()
	all := x.rows()
	seen := map[[2]int64]int64{}
	last := rowOf{}
	for _, r := range all {
		if r.seq != last.seq+1 {
			x.t.Fatalf("_Seq %d follows %d (client %d row %d)", r.seq, last.seq, r.client, r.n)
		}
		if r.us < last.us {
			x.t.Fatalf("_IngestedAt goes back at _Seq %d", r.seq)
		}
		last = r
		key := [2]int64{r.client, r.n}
		if s, twice := seen[key]; twice {
			x.t.Fatalf("client %d row %d is there twice, as %d and %d", r.client, r.n, s, r.seq)
		}
		seen[key] = r.seq
	}
	for key, seq := range a.rows {
		if seen[key] != seq {
			x.t.Fatalf("client %d row %d was acknowledged as %d and is %d", key[0], key[1], seq, seen[key])
		}
	}
	if exact && len(seen) != len(a.rows) {
		x.t.Fatalf("%d rows are there, %d were acknowledged", len(seen), len(a.rows))
	}
}

// ledger sums the ledger by source.
func (x *world) ledger() map[int64]lake.SourceTally {
	x.t.Helper()
	p, err := x.w.Pin(context.Background(), time.Minute)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			x.t.Error(err)
		}
	}()
	t := schema.Ledger
	files, err := p.Table(t)
	if err != nil {
		x.t.Fatal(err)
	}
	names := []string{"_Source", "Received", "Stored", "Duplicate", "Filtered", "Damaged", "Lost"}
	var cols []int
	for _, n := range names {
		cols = append(cols, t.Index(n))
	}
	sums := map[int64]lake.SourceTally{}
	for _, f := range files.Files {
		err := datafile.Read(context.Background(), datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, t, cols, datafile.Filter{}, func(r datafile.Row) error {
			var v [7]int64
			for i, c := range cols {
				v[i], _ = r.Int(c)
			}
			s := sums[v[0]]
			for i, to := range []*int64{&s.Received, &s.Stored, &s.Duplicate, &s.Filtered, &s.Damaged, &s.Lost} {
				*to += v[i+1]
			}
			sums[v[0]] = s
			return nil
		})
		if err != nil {
			x.t.Fatal(err)
		}
	}
	return sums
}

// addUp checks the ledger against the rows.
func (x *world) addUp() {
	x.t.Helper()
	stored := map[int64]int64{}
	for _, r := range x.rows() {
		stored[r.source]++
	}
	sums := x.ledger()
	for source, s := range sums {
		if s.Received != s.Stored+s.Duplicate+s.Filtered+s.Damaged {
			x.t.Errorf("source %d doesn't add up: %+v", source, s)
		}
		if s.Stored != stored[source] {
			x.t.Errorf("the ledger has %d rows stored of source %d, there are %d", s.Stored, source, stored[source])
		}
	}
	for source := range maps.Keys(stored) {
		if _, ok := sums[source]; !ok {
			x.t.Errorf("the ledger has nothing of source %d", source)
		}
	}
}

func (x *world) submit(d *Door, b *Batch) Receipt {
	x.t.Helper()
	r, err := d.Submit(context.Background(), b)
	if err != nil {
		x.t.Fatal(err)
	}
	return r
}

func closeDoor(t testing.TB, d *Door) {
	t.Helper()
	if err := d.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestRowsArriveNumberedAndOnce(t *testing.T) {
	x := newWorld(t)
	d := x.open(Config{})
	var a acked
	for i := range int64(20) {
		table := x.probe
		if i%3 == 0 {
			table = x.other
		}
		r := x.submit(d, sample(table, int(i%4), i*10, 10))
		a.add(int(i%4), i*10, 10, r.FirstSeq)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.verify(&a, true)
	x.addUp()
	closeDoor(t, d)
	if _, err := d.Submit(t.Context(), sample(x.probe, 1, 0, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed door says %v", err)
	}
	x.restart()
	d = x.open(Config{})
	if n := d.Stats().Replayed; n != 0 {
		t.Errorf("%d rows were replayed after a clean end", n)
	}
	r := x.submit(d, sample(x.probe, 9, 0, 5))
	if r.FirstSeq != 201 {
		t.Errorf("numbers go on with %d", r.FirstSeq)
	}
	a.add(9, 0, 5, r.FirstSeq)
	closeDoor(t, d)
	x.verify(&a, true)
	x.addUp()
}

func TestARestartReplaysWhatTheLakeLacks(t *testing.T) {
	x := newWorld(t)
	var a acked
	for round := range int64(4) {
		d := x.open(Config{HotEvery: 5 * time.Millisecond})
		for i := range int64(10) {
			n := round*100 + i*10
			r := x.submit(d, sample(x.probe, 1, n, 10))
			a.add(1, n, 10, r.FirstSeq)
			if round%2 == 1 && i == 4 {
				if err := d.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		kill(t, d)
		x.restart()
	}
	d := x.open(Config{})
	x.verify(&a, true)
	if n := d.Stats().Replayed; n != 50 {
		t.Errorf("%d rows were replayed", n)
	}
	closeDoor(t, d)
	x.addUp()
}
