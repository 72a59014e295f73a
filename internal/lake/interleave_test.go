package lake

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// heldPoint is a read point of a test reader, with the rows it must see.
type heldPoint struct {
	r        *ReadPoint
	least    int64 // rows that were visible when it was taken
	most     int64 // rows that existed
	place    string
	closesAt int
}

// interleaving is a stream that goes on while readers pin before every change of
// files and databases, keep their read points for a while and then read.
type interleaving struct {
	t       *testing.T
	rng     *rand.Rand
	now     time.Time
	w       *Writer
	g       *Log
	reader  *Lake
	source  int32
	table   *schema.Table
	rows    []int64 // by position: rows before and in it
	hot     int     // position of the last hot file or commit
	at      int     // position of the table
	visible int64
	steps   int
	held    []heldPoint
	pinned  int
}

// step is called before every change.
func (x *interleaving) step(op string) {
	if x.reader == nil || x.rng.IntN(6) > 0 || len(x.held) > 4 {
		return
	}
	r, err := x.reader.Pin(x.t.Context(), time.Hour)
	if err != nil {
		x.t.Fatalf("step %d (%s): %v", x.steps, op, err)
	}
	x.pinned++
	x.held = append(x.held, heldPoint{r, x.visible, x.rows[len(x.rows)-1], fmt.Sprintf("step %d (%s)", x.steps, op), x.steps + x.rng.IntN(8)})
}

// read lets the readers whose time has come see their rows.
func (x *interleaving) read(all bool) {
	left := x.held[:0]
	for _, h := range x.held {
		if !all && h.closesAt > x.steps {
			left = append(left, h)
			continue
		}
		got := seenAt(x.t, h.r, x.table)
		for i := range int64(len(got)) {
			if got[i+1] != 1 {
				x.t.Errorf("%s: row %d is seen %d times of %d", h.place, i+1, got[i+1], len(got))
			}
		}
		if n := int64(len(got)); n < h.least || n > h.most {
			x.t.Errorf("%s: %d rows are seen, %d were visible of %d", h.place, n, h.least, h.most)
		}
		if err := h.r.Close(); err != nil {
			x.t.Error(err)
		}
	}
	x.held = left
}

// act does one thing that a stream or its upkeep does.
func (x *interleaving) act() {
	t, ctx := x.t, x.t.Context()
	last := len(x.rows) - 1
	var err error
	switch pick := x.rng.IntN(10); {
	case pick < 4: // frames arrive
		for range 1 + x.rng.IntN(3) {
			x.rows = append(x.rows, x.rows[len(x.rows)-1]+int64(1+x.rng.IntN(4)))
		}
	case pick < 6: // and are shown
		if x.hot < last {
			err = x.g.WriteHot(ctx, x.table, []*datafile.Rows{x.part(x.hot, last)}, int64(x.hot), int64(last))
			x.hot, x.visible = last, x.rows[last]
		}
	case pick < 8: // or committed: up to a hot file or beyond all of them
		chain, e := x.g.chain(x.table.Name)
		if e != nil {
			t.Fatal(e)
		}
		to := last
		if n := len(chain.cuts); n > 0 && x.rng.IntN(2) == 0 {
			to = int(chain.cuts[x.rng.IntN(n)])
		}
		if to > x.at {
			p, e := x.g.BeginPart(ctx)
			if e != nil {
				t.Fatal(e)
			}
			if e := p.Sorter(x.table).Add(ctx, x.part(x.at, to)); e != nil {
				t.Fatal(e)
			}
			err = p.Commit(ctx, PartResult{Positions: map[*schema.Table]int64{x.table: int64(to)}})
			x.at, x.hot = to, max(x.hot, to)
			x.visible = max(x.visible, x.rows[to])
		}
	case pick == 8:
		err = x.w.RetireHot(x.table, int64(x.at))
	default:
		x.now = x.now.Add(time.Duration(x.rng.IntN(900)-60) * time.Second) // also back
		err = x.w.Upkeep(ctx)
		if err == nil && x.rng.IntN(3) == 0 {
			_, err = x.w.Compact(ctx)
		}
	}
	if err != nil {
		t.Fatalf("step %d: %v", x.steps, err)
	}
}

func (x *interleaving) part(from, to int) *datafile.Rows {
	return streamRows(x.t, x.table, x.source, x.rows[from]+1, int(x.rows[to]-x.rows[from]), testTime.UnixMicro())
}

// TestReadersSeeEachRowOnce has readers pin at every kind of moment of a stream.
func TestReadersSeeEachRowOnce(t *testing.T) {
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm")
	}
	seeds := 6
	if os.Getenv("WADI_SLOW") != "" {
		seeds = 100
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "lake")
			x := &interleaving{t: t, rng: rand.New(rand.NewPCG(uint64(seed), 9)), now: testTime, table: schema.W3CIIS, rows: []int64{0}}
			o := testOptions()
			o.Now = func() time.Time { return x.now }
			// Pins last an hour: what is void is another test.
			step := func(op string) error { x.step(op); return nil }
			o.fs, o.fault = &stepFS{step: step}, step
			x.w = openTestWriter(t, dir, o)
			x.g = openStream(t, x.w, theLog)
			var err error
			if x.source, err = x.g.AddSource(t.Context(), theSource); err != nil {
				t.Fatal(err)
			}
			read := testOptions()
			read.Now = o.Now
			if x.reader, err = Open(t.Context(), dir, read); err != nil {
				t.Fatal(err)
			}
			for x.steps = range 120 {
				x.act()
				x.read(false)
			}
			x.read(true)
			if err := x.reader.Close(); err != nil {
				t.Error(err)
			}
			x.reader = nil
			if err := x.w.RetireHot(x.table, int64(x.at)); err != nil {
				t.Error(err)
			}
			if files, err := x.w.store.ListHot(x.table.Name); err != nil || len(files) > 0 && files[0].To <= int64(x.at) {
				t.Errorf("hot files stay without readers: %v, %v", files, err)
			}
			if x.pinned < 10 {
				t.Errorf("only %d read points", x.pinned)
			}
		})
	}
}

// TestReadersBesideAStream lets readers and a stream run at once.
func TestReadersBesideAStream(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	o := testOptions()
	o.Now = time.Now
	w := openTestWriter(t, dir, o)
	g := openStream(t, w, theLog)
	source, err := g.AddSource(t.Context(), theSource)
	if err != nil {
		t.Fatal(err)
	}
	table, us := schema.W3CIIS, time.Now().UnixMicro()
	var visible, existing atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			l, err := Open(t.Context(), dir, o)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			for !stop.Load() {
				least := visible.Load()
				r, err := l.Pin(t.Context(), time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				got := seenAt(t, r, table)
				if n := int64(len(got)); n < least || n > existing.Load() || got[1] > 1 || n > 0 && got[n] != 1 {
					t.Errorf("%d rows are seen, %d were visible, %d exist", n, least, existing.Load())
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for !stop.Load() {
			if err := w.Upkeep(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range int64(60) {
		existing.Store((i + 1) * 3)
		err := g.WriteHot(t.Context(), table, []*datafile.Rows{streamRows(t, table, source, i*3+1, 3, us)}, i, i+1)
		if err != nil {
			t.Fatal(err)
		}
		visible.Store((i + 1) * 3)
		if i%4 != 3 {
			continue
		}
		p, err := g.BeginPart(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.SorterAt(table, us).Add(t.Context(), streamRows(t, table, source, (i-3)*3+1, 12, us)); err != nil {
			t.Fatal(err)
		}
		if err := p.Commit(t.Context(), PartResult{Positions: map[*schema.Table]int64{table: i + 1}}); err != nil {
			t.Fatal(err)
		}
		if err := w.RetireHot(table, i+1); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	wg.Wait()
}
