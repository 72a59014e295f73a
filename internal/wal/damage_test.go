package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

const memDir = "/wal/" + testID

// filled is a log in memory with frames one write each, and then one write of
// three. It gives where each frame begins, and the end.
func filled(t *testing.T, sizes ...int) (m *memFS, offs []int64) {
	t.Helper()
	m = newMemFS()
	l := open(t, memDir, Options{FS: m})
	off := int64(segmentHeader)
	add := func(f Frame, size int) {
		offs = append(offs, off)
		off += frameHeader + int64(size)
	}
	for i, size := range sizes {
		add(mustPut(t, l, i, 2, size), size)
	}
	// A first write is held in its sync, three frames gather, and are one write.
	m.block, m.blocked = make(chan struct{}), make(chan struct{}, 100)
	var wg sync.WaitGroup
	wg.Go(func() { mustPut(t, l, 50, 1, 90) })
	add(Frame{}, 90)
	<-m.blocked
	for i := range 3 {
		before, _ := l.Next()
		wg.Go(func() { mustPut(t, l, 60+i, 3, 1200) })
		for p := before; p == before; p, _ = l.Next() {
		}
		add(Frame{}, 1200)
	}
	close(m.block)
	wg.Wait()
	m.block = nil
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return m, append(offs, off)
}

func segmentFile(m *memFS, base int64) *memFile {
	return m.names[filepath.Join(memDir, segmentName(base))]
}

// TestTornTail cuts the last write at every length, and zeroes every set of its
// sectors: what was durable before is all there, and the log goes on.
func TestTornTail(t *testing.T) {
	m, offs := filled(t, 100, 700, 30)
	end := offs[len(offs)-1]
	torn := offs[len(offs)-4] // where the last write begins
	check := func(name string, change func(f *memFile)) {
		t.Helper()
		m := m.killed()
		change(segmentFile(m, 1))
		l, err := Open(t.Context(), memDir, Options{FS: m})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		defer l.Close()
		got := all(t, l, 0)
		numbers(t, got, 1, 1)
		if len(got) < 4 || len(got) > 6 {
			t.Errorf("%s: %d frames", name, len(got))
		}
		next, _ := l.Next()
		if f := mustPut(t, l, 99, 1, 50); f.Position != next || int(next) != len(got)+1 {
			t.Errorf("%s: goes on with %d behind %d frames", name, f.Position, len(got))
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		l = open(t, memDir, Options{FS: m})
		if again := all(t, l, 0); len(again) != len(got)+1 {
			t.Errorf("%s: %d frames after reopening, want %d", name, len(again), len(got)+1)
		}
		if cut := l.Stats().CutBytes; cut != 0 {
			t.Errorf("%s: cut %d bytes again", name, cut)
		}
	}
	for size := torn; size < end; size++ {
		check(fmt.Sprintf("cut at %d", size), func(f *memFile) { f.data = f.data[:size] })
	}
	first, last := torn/sector, (end-1)/sector
	for set := 1; set < 1<<(last-first+1); set++ {
		check(fmt.Sprintf("sectors %b", set), func(f *memFile) {
			for s := first; s <= last; s++ {
				if set>>(s-first)&1 == 1 {
					clear(f.data[max(s*sector, torn):min((s+1)*sector, end)])
				}
			}
		})
	}
}

// TestFlippedBit turns every bit of a log: no frame is lost without a word, and
// Salvage loses the one frame only.
func TestFlippedBit(t *testing.T) {
	m, offs := filled(t, 100, 700, 30)
	whole := open(t, memDir, Options{FS: m.killed()})
	want := all(t, whole, 0)
	position, seq := whole.Next()
	step := 1
	if testing.Short() {
		step = 7
	}
	for bit := int64(0); bit < offs[len(offs)-1]*8; bit += int64(step) {
		m := m.killed()
		f := segmentFile(m, 1)
		f.data[bit/8] ^= 1 << (bit % 8)
		i := 0 // the frame concerned; none for the file's header
		for i < len(want) && offs[i+1] <= bit/8 {
			i++
		}
		at := offs[i]
		if bit/8 < segmentHeader {
			at = 0
		}
		_, err := Open(t.Context(), memDir, Options{FS: m})
		var damage *DamageError
		if bit/8 >= 8 && bit/8 < segmentHeader && err != nil && !errors.As(err, &damage) {
			t.Fatalf("bit %d of the header: %v", bit, err)
		}
		if !errors.As(err, &damage) || damage.Offset != at || damage.File != filepath.Join(memDir, segmentName(1)) {
			t.Fatalf("bit %d: %v, want damage at %d", bit, err, at)
		}
		if bit%11 == 0 {
			salvaged(t, m, want, i, at, position, seq)
		}
	}
}

// salvaged opens a log whose frame i is damaged (at 0: the file's header).
func salvaged(t *testing.T, m *memFS, want []Frame, i int, at, position, seq int64) {
	t.Helper()
	l := open(t, memDir, Options{FS: m, Salvage: true})
	defer l.Close()
	got := all(t, l, 0)
	if at > 0 {
		want = slices.Delete(slices.Clone(want), i, i+1)
	}
	if len(got) != len(want) {
		t.Fatalf("damage at %d: salvaged %d frames, want %d", at, len(got), len(want))
	}
	for i := range got {
		if got[i].Position != want[i].Position || string(got[i].Payload) != string(want[i].Payload) {
			t.Fatalf("damage at %d: frame %d is not frame %d", at, got[i].Position, want[i].Position)
		}
	}
	skipped := l.Skipped()
	if len(skipped) != 1 || skipped[0].Offset != at || skipped[0].File != filepath.Join(memDir, segmentName(1)) {
		t.Fatalf("damage at %d: skipped %+v", at, skipped)
	}
	if s := skipped[0]; at > 0 && (s.FromPosition != int64(i+1) || s.ToPosition < s.FromPosition || !s.Bound && s.ToPosition > s.FromPosition) {
		t.Fatalf("damage at %d: skipped %+v", at, skipped)
	}
	if p, s := l.Next(); p < position || s < seq {
		t.Fatalf("damage at %d: goes on with %d, %d, used before", at, p, s)
	}
	f := mustPut(t, l, 1, 1, 30)
	l.Committed(f.Position)
	if st := l.Stats(); st.Segments != 1 {
		t.Fatalf("damage at %d: the damaged segment stays: %+v", at, st)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, memDir, Options{FS: m})
	if got := all(t, l, f.Position-1); len(got) != 1 || got[0].Position != f.Position {
		t.Fatalf("damage at %d: after trimming %v", at, got)
	}
}

// TestSalvageTwice opens a log again that was salvaged, before it was trimmed.
func TestSalvageTwice(t *testing.T) {
	for _, tail := range []bool{false, true} {
		m, offs := filled(t, 100, 700, 30)
		at := offs[1] + 5
		if tail {
			at = offs[len(offs)-2] + 9
		}
		segmentFile(m, 1).data[at] ^= 4
		l := open(t, memDir, Options{FS: m, Salvage: true})
		f := mustPut(t, l, 1, 2, 40)
		want := all(t, l, 0)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		var damage *DamageError
		if _, err := Open(t.Context(), memDir, Options{FS: m}); !errors.As(err, &damage) {
			t.Errorf("without Salvage: %v", err)
		}
		l = open(t, memDir, Options{FS: m, Salvage: true})
		got := all(t, l, 0)
		if len(got) != len(want) || got[len(got)-1].Position != f.Position {
			t.Errorf("tail %t: %d frames, want %d", tail, len(got), len(want))
		}
		if s := l.Skipped(); len(s) != 1 {
			t.Errorf("tail %t: skipped %+v", tail, s)
		}
		if g := mustPut(t, l, 1, 1, 40); g.Position != f.Position+1 || g.FirstSeq != f.FirstSeq+2 {
			t.Errorf("tail %t: goes on with %+v behind %+v", tail, g, f)
		}
	}
}

func TestMissingSegment(t *testing.T) {
	m := newMemFS()
	l := open(t, memDir, Options{FS: m, SegmentBytes: minSegmentBytes})
	for i := range 40 {
		mustPut(t, l, i, 1, 500)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	entries, _ := m.ReadDir(memDir)
	gone, _ := baseOf(entries[2].Name())
	behind, _ := baseOf(entries[3].Name())
	if err := m.Remove(filepath.Join(memDir, entries[2].Name())); err != nil {
		t.Fatal(err)
	}
	var damage *DamageError
	if _, err := Open(t.Context(), memDir, Options{FS: m}); !errors.As(err, &damage) || damage.Position != gone {
		t.Errorf("a missing segment: %v", err)
	}
	l = open(t, memDir, Options{FS: m, Salvage: true})
	if got := all(t, l, 0); len(got) != 40-int(behind-gone) {
		t.Errorf("%d frames", len(got))
	}
	s := l.Skipped()
	if len(s) != 1 || s[0].FromPosition != gone || s[0].ToPosition != behind-1 || s[0].FromSeq != gone || s[0].ToSeq != behind-1 {
		t.Errorf("skipped %+v", s)
	}
}

// TestRotten finds damage that comes after opening.
func TestRotten(t *testing.T) {
	m, _ := filled(t, 100, 700, 30)
	l := open(t, memDir, Options{FS: m})
	f := segmentFile(m, 1)
	f.data[len(f.data)/2] ^= 1
	var damage *DamageError
	if err := l.Read(t.Context(), 0, func(Frame) error { return nil }); !errors.As(err, &damage) {
		t.Errorf("got %v", err)
	}
	delete(m.names, filepath.Join(memDir, segmentName(1)))
	if err := l.Read(t.Context(), 0, func(Frame) error { return nil }); !errors.Is(err, ErrTrimmed) || errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
}
