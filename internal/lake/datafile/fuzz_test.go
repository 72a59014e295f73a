package datafile

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

func contextWithCause(t *testing.T) (context.Context, context.CancelCauseFunc) {
	return context.WithCancelCause(t.Context())
}

// fuzzSeed is a small data file with every type, nulls and dictionaries.
func fuzzSeed(tb testing.TB, rows int) []byte {
	table := testTable(2)
	m := newFolder()
	s := SorterConfig{Table: table}
	return m.files[write(tb, s, m.output(), randomRecords(13, table, rows))[0].Path].Bytes()
}

// FuzzRead reads any bytes as a data file: rows or an error, never a panic.
func FuzzRead(f *testing.F) {
	for _, n := range []int{1, 3, 100} {
		f.Add(fuzzSeed(f, n))
	}
	f.Add([]byte("PAR1PAR1"))
	table := testTable(2)
	f.Fuzz(func(t *testing.T, data []byte) { readGarbled(t, table, data) })
}

func readGarbled(t *testing.T, table *schema.Table, data []byte) {
	t.Helper()
	in := Input{Path: "garbled", R: bytes.NewReader(data), SizeBytes: int64(len(data))}
	limit := 1_000_000
	err := Read(t.Context(), in, table, nil, Filter{}, func(row Row) error {
		get(table, row)
		if limit--; limit == 0 {
			return ErrStop
		}
		return nil
	})
	_ = err // either is fine
	m := newFolder()
	files, _, err := Merge(t.Context(), SorterConfig{Table: table, TempDir: t.TempDir(), MemoryBytes: 1 << 20}, []Input{in}, m.output(), nil)
	if err != nil && (files != nil || len(m.files) > 0) {
		t.Errorf("a failed merge leaves files: %v", err)
	}
}

// TestGarbledFiles changes bytes of a data file at random: the library that reads
// it panics on some of them.
func TestGarbledFiles(t *testing.T) {
	seed := fuzzSeed(t, 50)
	rng := rand.New(rand.NewPCG(1, 2))
	table := testTable(2)
	for range 500 {
		data := bytes.Clone(seed)
		for range 1 + rng.IntN(3) {
			data[rng.IntN(len(data))] = byte(rng.Uint32())
		}
		readGarbled(t, table, data)
	}
	for n := range seed {
		if n%29 == 0 {
			readGarbled(t, table, seed[:n])
		}
	}
}
