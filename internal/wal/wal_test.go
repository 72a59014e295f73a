package wal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const testID = "0192f0c1-7a3b-7c11-9d1e-3f2a5b6c7d8e"

// open opens the log in dir and closes it with the test.
func open(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func newDir(t testing.TB) string { return filepath.Join(t.TempDir(), "wal", testID) }

// put appends a frame of rows rows whose payload names what it was given, and n.
func put(ctx context.Context, l *Log, n, rows, size int) (Frame, error) {
	return l.Append(ctx, rows, func(position, firstSeq int64, dst []byte) ([]byte, error) {
		return append(dst, payload(position, firstSeq, n, size)...), nil
	})
}

func mustPut(t testing.TB, l *Log, n, rows, size int) Frame {
	t.Helper()
	f, err := put(t.Context(), l, n, rows, size)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func payload(position, firstSeq int64, n, size int) []byte {
	p := binary.LittleEndian.AppendUint64(nil, uint64(position))
	p = binary.LittleEndian.AppendUint64(p, uint64(firstSeq))
	p = binary.LittleEndian.AppendUint64(p, uint64(n))
	for len(p) < size {
		p = append(p, byte(n+len(p))|1)
	}
	return p
}

// all reads what the log has behind a position, and checks that each payload
// agrees with its frame.
func all(t testing.TB, l *Log, after int64) []Frame {
	t.Helper()
	var got []Frame
	err := l.Read(t.Context(), after, func(f Frame) error {
		if p := int64(binary.LittleEndian.Uint64(f.Payload)); p != f.Position {
			t.Errorf("frame %d has the payload of %d", f.Position, p)
		}
		f.Payload = bytes.Clone(f.Payload)
		got = append(got, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// numbers fails when positions and row numbers aren't without gap from the first.
func numbers(t testing.TB, frames []Frame, position, seq int64) {
	t.Helper()
	for _, f := range frames {
		if f.Position != position || f.FirstSeq != seq {
			t.Fatalf("frame %d with row %d, want %d with %d", f.Position, f.FirstSeq, position, seq)
		}
		position, seq = position+1, seq+int64(f.Rows)
	}
}

func TestAppendReadReopen(t *testing.T) {
	dir := newDir(t)
	l := open(t, dir, Options{SegmentBytes: 8 << 10})
	var mu sync.Mutex
	var acked []Frame
	var wg sync.WaitGroup
	for w := range 20 {
		wg.Go(func() {
			for i := range 20 {
				f, err := put(t.Context(), l, w*100+i, i%4, 100+w)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				acked = append(acked, f)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	got := all(t, l, 0)
	numbers(t, got, 1, 1)
	if len(got) != 400 || len(acked) != 400 {
		t.Fatalf("%d frames, %d acknowledged, want 400", len(got), len(acked))
	}
	for _, f := range acked {
		if g := got[f.Position-1]; g.FirstSeq != f.FirstSeq || g.Rows != f.Rows {
			t.Errorf("acknowledged %v, read %v", f, g)
		}
	}
	st := l.Stats()
	if st.Segments < 5 || st.Frames != 400 || st.Syncs > 400 || st.Rows != 600 {
		t.Errorf("stats %+v", st)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := put(t.Context(), l, 0, 1, 10); !errors.Is(err, ErrClosed) {
		t.Errorf("append to a closed log: %v", err)
	}

	l = open(t, dir, Options{SegmentBytes: 8 << 10})
	if diff := cmp.Diff(got, all(t, l, 0)); diff != "" {
		t.Error(diff)
	}
	for _, after := range []int64{1, 7, 200, 398, 399, 400, 500} {
		want := got[min(after, 400):]
		if read := all(t, l, after); len(read) != len(want) || len(read) > 0 && read[0].Position != after+1 {
			t.Errorf("behind %d: %d frames, want %d", after, len(read), len(want))
		}
	}
	if p, s := l.Next(); p != 401 || s != 601 {
		t.Errorf("next %d, %d", p, s)
	}
	if f := mustPut(t, l, 1, 5, 100); f.Position != 401 || f.FirstSeq != 601 {
		t.Errorf("%v", f)
	}
}

func TestFillErrorUsesNothing(t *testing.T) {
	l := open(t, newDir(t), Options{})
	bad := errors.New("no")
	if _, err := l.Append(t.Context(), 3, func(_, _ int64, dst []byte) ([]byte, error) { return append(dst, 1, 2, 3), bad }); !errors.Is(err, bad) {
		t.Errorf("got %v", err)
	}
	if _, err := l.Append(t.Context(), 3, func(_, _ int64, dst []byte) ([]byte, error) { return append(dst, 1, 2), nil }); err == nil {
		t.Error("3 rows in 2 bytes were taken")
	}
	if _, err := l.Append(t.Context(), 3, func(_, _ int64, dst []byte) ([]byte, error) { return nil, nil }); err == nil {
		t.Error("a fill that lost what was there was taken")
	}
	if f := mustPut(t, l, 1, 1, 10); f.Position != 1 || f.FirstSeq != 1 {
		t.Errorf("%v", f)
	}
	numbers(t, all(t, l, 0), 1, 1)
}

func TestOpenRefuses(t *testing.T) {
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "wal"), Options{}); err == nil || !strings.Contains(err.Error(), "UUID") {
		t.Errorf("a folder without UUID: %v", err)
	}
	dir := newDir(t)
	l := open(t, dir, Options{})
	mustPut(t, l, 1, 1, 10)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(filepath.Dir(dir), "0192f0c1-7a3b-7c11-9d1e-3f2a5b6c7d8f")
	if err := os.Rename(dir, other); err != nil {
		t.Fatal(err)
	}
	for _, salvage := range []bool{false, true} {
		if _, err := Open(t.Context(), other, Options{Salvage: salvage}); err == nil || !strings.Contains(err.Error(), testID) {
			t.Errorf("the segments of another log: %v", err)
		}
	}
	if err := os.Rename(other, dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, segmentName(1)), filepath.Join(dir, segmentName(7))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{Salvage: true}); err == nil || !strings.Contains(err.Error(), "renamed") {
		t.Errorf("a renamed segment: %v", err)
	}
}

func ExampleDamageError() {
	fmt.Println(&DamageError{File: "wal/1.wal", Offset: 48, Position: 1, Reason: "the frame's checksum is wrong"})
	// Output: the write-ahead log is damaged: wal/1.wal, byte 48 (position 1): the frame's checksum is wrong
}
