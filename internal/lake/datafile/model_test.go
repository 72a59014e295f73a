package datafile

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

// record is a row as the tests see it: by column nil, int64, string, float64 or bool.
type record []any

// testTable has every type, required and not, and n further text columns.
func testTable(n int) *schema.Table {
	t := &schema.Table{Name: "every_type", Version: 7, Sort: []string{"Channel", "EventID", "TimeGenerated"}}
	add := func(id int, name string, disk schema.Disk, required bool) {
		t.Columns = append(t.Columns, schema.Column{Name: name, Disk: disk, FieldID: id, Required: required, Stats: id < 100})
	}
	add(1, "TimeGenerated", schema.DiskTimestamptz, true)
	add(2, "_TimeSub", schema.DiskInt, true)
	add(4, "_Source", schema.DiskInt, true)
	add(5, "_Seq", schema.DiskLong, true)
	add(13, "Channel", schema.DiskString, false)
	add(17, "EventID", schema.DiskInt, false)
	add(18, "Ratio", schema.DiskDouble, false)
	add(19, "Elevated", schema.DiskBoolean, false)
	add(20, "Keywords", schema.DiskLong, false)
	add(21, "Text", schema.DiskString, false)
	add(22, "Other", schema.DiskTimestamptz, false)
	for i := range n {
		add(100+i, fmt.Sprintf("Data%03d", i), schema.DiskString, false)
	}
	return t
}

// put writes a record as a row.
func put(b *Rows, r record) {
	b.Begin()
	for c, v := range r {
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

// get reads a row as a record.
func get(t *schema.Table, row Row) record {
	r := make(record, len(t.Columns))
	for c := range t.Columns {
		if row.Null(c) {
			continue
		}
		switch t.Columns[c].Disk {
		case schema.DiskString:
			r[c] = string(row.Bytes(c))
		case schema.DiskDouble:
			r[c], _ = row.Real(c)
		case schema.DiskBoolean:
			r[c], _ = row.Bool(c)
		default:
			r[c], _ = row.Int(c)
		}
	}
	return r
}

// show prints a record so that equal prints mean equal values (NaN too).
func (r record) show() string {
	var b strings.Builder
	for c, v := range r {
		switch v := v.(type) {
		case nil:
		case float64:
			fmt.Fprintf(&b, "%d=%x ", c, math.Float64bits(v))
		default:
			fmt.Fprintf(&b, "%d=%q ", c, fmt.Sprint(v))
		}
	}
	return b.String()
}

// order compares records of testTable as doc.go defines it, by values.
func order(a, b record) int {
	hour := func(r record) int64 { return int64(math.Floor(float64(r[0].(int64)) / microsPerHour)) }
	c := cmp.Compare(hour(a), hour(b))
	for _, col := range []int{4, 5, 0, 1, 2, 3} { // Channel, EventID, TimeGenerated, _TimeSub, _Source, _Seq
		if c != 0 {
			return c
		}
		switch x, y := a[col], b[col]; {
		case x == nil && y == nil:
		case x == nil:
			c = -1
		case y == nil:
			c = 1
		default:
			if s, ok := x.(string); ok {
				c = strings.Compare(s, y.(string))
			} else {
				c = cmp.Compare(x.(int64), y.(int64))
			}
		}
	}
	return c
}

// randomRecord makes a record with values that are likely to be trouble.
func randomRecord(rng *rand.Rand, t *schema.Table, seq int) record {
	r := make(record, len(t.Columns))
	texts := []string{"", "a", "a\x00", "a\x00b", "A", "Security", "System", "ä𐍈", strings.Repeat("x", 300), "\uffff"}
	longs := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 4624, math.MaxInt32 + 1}
	reals := []float64{0, math.Copysign(0, -1), 1.5, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}
	times := []int64{1_700_000_000_000_000, 1_700_000_000_000_001, 1_700_003_600_000_000, -1, 0, -microsPerHour, -11_644_473_600_000_000, 253_402_300_799_999_999}
	pick := func(n int) int { return rng.IntN(n) }
	r[0] = times[pick(len(times))]
	r[1] = int64(pick(10))
	r[2] = int64(pick(3))
	r[3] = int64(seq)
	for c := 4; c < len(t.Columns); c++ {
		if pick(4) == 0 || c > 12 && pick(8) != 0 {
			continue
		}
		switch t.Columns[c].Disk {
		case schema.DiskString:
			r[c] = texts[pick(len(texts))]
		case schema.DiskDouble:
			r[c] = reals[pick(len(reals))]
		case schema.DiskBoolean:
			r[c] = pick(2) == 0
		case schema.DiskLong:
			r[c] = longs[pick(len(longs))]
		case schema.DiskInt:
			r[c] = []int64{0, 4624, math.MaxInt32, math.MinInt32, -1}[pick(5)]
		default:
			r[c] = times[pick(len(times))]
		}
	}
	return r
}

// patchyRecords are records in order whose optional columns occur in some stretches
// of rows only: never, in all rows, in one, or here and there.
func patchyRecords(seed uint64, t *schema.Table, n, stretch int) []record {
	rng := rand.New(rand.NewPCG(seed, 2))
	pool := randomRecords(seed, t, 200)
	out := make([]record, n)
	how := make([]int, len(t.Columns))
	for i := range out {
		if i%stretch == 0 {
			for c := range how {
				how[c] = rng.IntN(5)
			}
		}
		r := slices.Clone(pool[rng.IntN(len(pool))])
		r[0], r[3] = int64(i)*microsPerHour, int64(i)
		for c := 4; c < len(r); c++ {
			full := r[c]
			for full == nil && how[c] != 0 {
				full = pool[rng.IntN(len(pool))][c]
			}
			switch {
			case how[c] == 0, how[c] == 2 && i%stretch != 5, how[c] == 3 && rng.IntN(20) > 0:
				full = nil
			case how[c] == 4 && t.Columns[c].Disk == schema.DiskString:
				full = fmt.Sprint("all different ", i)
			}
			r[c] = full
		}
		out[i] = r
	}
	return out
}

func randomRecords(seed uint64, t *schema.Table, n int) []record {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]record, n)
	for i := range out {
		out[i] = randomRecord(rng, t, i)
	}
	return out
}

// folder is an Output that keeps files in memory and knows which are whole.
type folder struct {
	files     map[string]*bytes.Buffer
	open      map[string]bool
	discarded []string
	fail      func(op string) error // asked before every create, write, close
}

func newFolder() *folder {
	return &folder{files: map[string]*bytes.Buffer{}, open: map[string]bool{}}
}

func (m *folder) output() Output {
	return Output{
		Create: func(n int) (io.WriteCloser, string, error) {
			if err := m.ask("create"); err != nil {
				return nil, "", err
			}
			path := fmt.Sprintf("f%03d", n)
			if m.files[path] != nil {
				panic("file " + path + " was made twice")
			}
			m.files[path] = &bytes.Buffer{}
			m.open[path] = true
			return &folderFile{m, path}, path, nil
		},
		Discard: func(path string) { m.discarded = append(m.discarded, path); delete(m.files, path) },
	}
}

func (m *folder) ask(op string) error {
	if m.fail == nil {
		return nil
	}
	return m.fail(op)
}

func (m *folder) input(f File) Input {
	b := m.files[f.Path]
	return Input{Path: f.Path, R: bytes.NewReader(b.Bytes()), SizeBytes: int64(b.Len())}
}

func (m *folder) inputs(files []File) (out []Input) {
	for _, f := range files {
		out = append(out, m.input(f))
	}
	return out
}

type folderFile struct {
	m    *folder
	path string
}

func (f *folderFile) Write(p []byte) (int, error) {
	if err := f.m.ask("write"); err != nil {
		return 0, err
	}
	return f.m.files[f.path].Write(p)
}

func (f *folderFile) Close() error {
	if !f.m.open[f.path] {
		panic("file " + f.path + " was closed twice")
	}
	f.m.open[f.path] = false
	return f.m.ask("close")
}

// add gives records to a sorter in blocks of some rows.
func add(ctx context.Context, s *Sorter, t *schema.Table, records []record, block int) error {
	b := NewRows(t)
	for part := range slices.Chunk(records, block) {
		b.Reset()
		for _, r := range part {
			put(b, r)
		}
		if err := s.Add(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// write sorts records into files.
func write(tb testing.TB, cfg SorterConfig, out Output, records []record) []File {
	tb.Helper()
	s := NewSorter(cfg)
	err := add(tb.Context(), s, cfg.Table, records, 100)
	var files []File
	if err == nil {
		files, err = s.Finish(tb.Context(), out)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		tb.Fatal(err)
	}
	return files
}

// readAll reads inputs one behind the other.
func readAll(tb testing.TB, t *schema.Table, inputs []Input) (out []record) {
	tb.Helper()
	for _, in := range inputs {
		err := Read(tb.Context(), in, t, nil, Filter{}, func(row Row) error {
			out = append(out, get(t, row))
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// same compares rows and their order.
func same(tb testing.TB, got, want []record) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if g, w := got[i].show(), want[i].show(); g != w {
			tb.Fatalf("row %d is\n %s\nwant\n %s", i, g, w)
		}
	}
}
