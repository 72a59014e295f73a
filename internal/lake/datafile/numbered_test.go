package datafile

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

// streamTable is testTable with _IngestedAt.
func streamTable(n int) *schema.Table {
	t := testTable(n)
	t.Columns = append(t.Columns, schema.Column{Name: "_IngestedAt", Disk: schema.DiskTimestamptz, FieldID: 90, Required: true, Born: 1})
	for i := range t.Columns {
		t.Columns[i].Born = 1
	}
	return t
}

// numbers are what Number takes.
type numbers struct {
	source     int32
	first, now int64
}

var someNumbers = []numbers{{0, 1, 0}, {1, 1, 1_790_000_000_000_000}, {math.MaxInt32, math.MaxInt64 - 100, math.MaxInt64}, {math.MinInt32, -7, math.MinInt64}}

// putNumbered writes records as numbered rows.
func putNumbered(b *Rows, t *schema.Table, records []record) {
	for _, r := range records {
		b.BeginNumbered()
		for c, v := range r {
			if c == t.Index("_Source") || c == t.Index("_Seq") {
				continue // set twice: the first counts
			}
			switch v := v.(type) {
			case int64:
				b.Int(c, v)
			case string:
				b.String(c, v)
			case float64:
				b.Real(c, v)
			case bool:
				b.Bool(c, v)
			}
		}
		b.End()
	}
}

// numbered gives records the numbers.
func numbered(t *schema.Table, records []record, n numbers) []record {
	out := make([]record, len(records))
	for i, r := range records {
		out[i] = append(record(nil), r...)
		out[i] = append(out[i], nil)
		out[i][t.Index("_Source")], out[i][t.Index("_Seq")], out[i][t.Index("_IngestedAt")] = int64(n.source), n.first+int64(i), n.now
	}
	return out
}

// TestNumberedRows writes rows numbered later, loaded and numbered again: the files
// are those of rows that had their numbers at once, byte for byte.
func TestNumberedRows(t *testing.T) {
	table := streamTable(5)
	base := testTable(5)
	records := randomRecords(21, base, 300)
	for _, compression := range []Compression{Zstd, LZ4} {
		for _, n := range someNumbers {
			want := numbered(table, records, n)
			b := NewRows(table)
			putNumbered(b, table, records)
			if b.Err() != nil || !b.Numbered() {
				t.Fatal(b.Err())
			}
			b.Number(5, 77, 99)
			loaded := NewRows(table)
			if err := loaded.Load(b.Encoded(), table.Version); err != nil || loaded.Len() != len(records) || !loaded.Numbered() {
				t.Fatalf("%d rows, %v", loaded.Len(), err)
			}
			if !bytes.Equal(loaded.Encoded(), b.Encoded()) {
				t.Fatal("loaded rows are encoded otherwise")
			}
			loaded.Number(n.source, n.first, n.now)
			b.Number(n.source, n.first, n.now)
			plain := NewRows(table)
			for _, r := range want {
				put(plain, r)
			}
			var files [3][]byte
			for i, rows := range []*Rows{plain, b, loaded} {
				m := newFolder()
				s := NewSorter(SorterConfig{Table: table})
				if err := s.Add(t.Context(), rows); err != nil {
					t.Fatal(err)
				}
				out := m.output()
				out.Compression = compression
				made, err := s.Finish(t.Context(), out)
				if err != nil {
					t.Fatal(err)
				}
				files[i] = m.files[made[0].Path].Bytes()
				if i == 0 {
					got := readAll(t, table, m.inputs(made))
					sortRecords(got)
					sortRecords(want)
					same(t, got, want)
				}
			}
			if !bytes.Equal(files[0], files[1]) || !bytes.Equal(files[0], files[2]) {
				t.Errorf("numbers %+v: files differ", n)
			}
		}
	}
}

func sortRecords(rs []record) {
	for i := range rs { // by _Seq: small enough for an insertion sort
		for k := i; k > 0 && rs[k][3].(int64) < rs[k-1][3].(int64); k-- {
			rs[k], rs[k-1] = rs[k-1], rs[k]
		}
	}
}

// TestLoadOlderRows loads rows of versions before columns came in the middle.
func TestLoadOlderRows(t *testing.T) {
	younger := streamTable(3)
	younger.Version = 3
	born := map[string]int{"Ratio": 2, "Other": 3, "Data001": 2}
	for i := range younger.Columns {
		younger.Columns[i].Born = max(born[younger.Columns[i].Name], 1)
	}
	for version := 1; version <= 3; version++ {
		older := *younger
		older.Version, older.Columns = version, nil
		for _, c := range younger.Columns {
			if c.Born <= version {
				older.Columns = append(older.Columns, c)
			}
		}
		b := NewRows(&older)
		b.BeginNumbered()
		b.Int(older.Index("TimeGenerated"), 5)
		b.Int(older.Index("_TimeSub"), 7)
		b.String(older.Index("Text"), "text")
		b.String(older.Index("Data002"), "last")
		b.End()
		b.Number(3, 4, 6)
		got := NewRows(younger)
		if err := got.Load(b.Encoded(), version); err != nil {
			t.Fatal(err)
		}
		m := newFolder()
		s := NewSorter(SorterConfig{Table: younger})
		if err := s.Add(t.Context(), got); err != nil {
			t.Fatal(err)
		}
		made, err := s.Finish(t.Context(), m.output())
		if err != nil {
			t.Fatal(err)
		}
		r := readAll(t, younger, m.inputs(made))[0]
		for name, want := range map[string]any{"Text": "text", "Data002": "last", "_Seq": int64(4), "_Source": int64(3), "_IngestedAt": int64(6), "_TimeSub": int64(7), "Ratio": nil, "Data001": nil} {
			if v := r[younger.Index(name)]; v != want {
				t.Errorf("version %d: %s is %v, want %v", version, name, v, want)
			}
		}
	}
	if err := NewRows(younger).Load(nil, 4); err == nil || !strings.Contains(err.Error(), "schema version 4") {
		t.Errorf("rows of a version to come: %v", err)
	}
}

// TestLoadRefuses gives Load rows that no Rows made.
func TestLoadRefuses(t *testing.T) {
	table := streamTable(1)
	row := func(fill func(*Rows)) []byte {
		b := NewRows(table)
		b.BeginNumbered()
		b.Int(table.Index("TimeGenerated"), 1)
		b.Int(table.Index("_TimeSub"), 1)
		fill(b)
		b.End()
		b.Number(1, 1, 1)
		return bytes.Clone(b.Encoded())
	}
	good := row(func(b *Rows) { b.String(table.Index("Text"), "abcdef") })
	if err := NewRows(table).Load(good, table.Version); err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(good, []byte("abcdef"))
	plain := NewRows(table)
	put(plain, numbered(table, randomRecords(1, testTable(1), 1), numbers{})[0])
	for name, data := range map[string][]byte{
		"no UTF-8":               append(append(bytes.Clone(good[:at]), 0xff), good[at+1:]...),
		"a text beyond its row":  append(append(bytes.Clone(good[:at-1]), 200), good[at:]...),
		"an unknown column":      append(append(bytes.Clone(good[:at-2]), 120), good[at-1:]...),
		"a column twice":         append(append(bytes.Clone(good[:at-2]), byte(table.Index("TimeGenerated"))), good[at-1:]...),
		"an int beyond 32 bits":  append(append(bytes.Clone(good[:rowHead+1]), 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x80, 0x80, 0x80, 0), good[rowHead+frontStep:]...),
		"cut":                    good[:len(good)-1],
		"one more byte":          append(bytes.Clone(good), 0),
		"only some are numbered": append(bytes.Clone(good), plain.Encoded()...),
	} {
		b := NewRows(table)
		if err := b.Load(data, table.Version); err == nil || b.Len() != 0 || len(b.Encoded()) != 0 {
			t.Errorf("%s: %v, %d rows", name, err, b.Len())
		}
	}
	own := &schema.Table{Name: "own", Version: 1, Sort: []string{"_Seq"}, Columns: table.Columns}
	b := NewRows(own)
	b.BeginNumbered()
	if b.Err() == nil {
		t.Error("rows that are sorted by _Seq can be numbered")
	}
}

// FuzzLoad loads any bytes: rows that are as if they had been written, or an error.
func FuzzLoad(f *testing.F) {
	table := streamTable(2)
	b := NewRows(table)
	putNumbered(b, table, randomRecords(3, testTable(2), 3))
	b.Number(1, 2, 3)
	f.Add(bytes.Clone(b.Encoded()))
	plain := NewRows(table)
	for _, r := range numbered(table, randomRecords(4, testTable(2), 2), numbers{1, 2, 3}) {
		put(plain, r)
	}
	f.Add(bytes.Clone(plain.Encoded()))
	f.Fuzz(func(t *testing.T, data []byte) {
		b := NewRows(table)
		if err := b.Load(data, table.Version); err != nil {
			if b.Len() != 0 {
				t.Errorf("%d rows beside %v", b.Len(), err)
			}
			return
		}
		again := NewRows(table)
		if err := again.Load(b.Encoded(), table.Version); err != nil || !bytes.Equal(again.Encoded(), b.Encoded()) {
			t.Errorf("loaded rows don't load: %v", err)
		}
		if b.Numbered() {
			b.Number(1, 1, 1)
		}
		s := NewSorter(SorterConfig{Table: table, Workers: 1})
		if err := s.Add(t.Context(), b); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestLoadGarbled changes bytes of encoded rows at random.
func TestLoadGarbled(t *testing.T) {
	table := streamTable(2)
	b := NewRows(table)
	putNumbered(b, table, randomRecords(3, testTable(2), 20))
	b.Number(1, 2, 3)
	rng := rand.New(rand.NewPCG(5, 6))
	got := NewRows(table)
	for range 2000 {
		data := bytes.Clone(b.Encoded())
		for range 1 + rng.IntN(3) {
			data[rng.IntN(len(data))] = byte(rng.Uint32())
		}
		_ = got.Load(data, table.Version) // either is fine
	}
}
