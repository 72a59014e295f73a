package datafile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet/file"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/schema"
)

func TestRoundTrip(t *testing.T) {
	table := testTable(300)
	records := randomRecords(1, table, 3000)
	want := slices.Clone(records)
	slices.SortStableFunc(want, order)
	for name, memory := range map[string]int64{"in memory": 0, "spilled": 1, "spilled in a second pass": -1} {
		t.Run(name, func(t *testing.T) {
			m := newFolder()
			cfg := SorterConfig{Table: table, TempDir: t.TempDir(), MemoryBytes: max(memory, 0)}
			s := NewSorter(cfg)
			if memory != 0 {
				s.runBytes = 12 << 10
			}
			if memory < 0 {
				s.runBytes = 1
			}
			if err := add(t.Context(), s, table, records, 7); err != nil {
				t.Fatal(err)
			}
			if memory < 0 && len(s.runs) <= maxFanIn {
				t.Fatalf("only %d runs: no second pass", len(s.runs))
			}
			if s.Rows() != 3000 || s.SizeBytes() == 0 {
				t.Errorf("sorter has %d rows, %d bytes", s.Rows(), s.SizeBytes())
			}
			files, err := s.Finish(t.Context(), m.output())
			if err := errors.Join(err, s.Close(), s.Close()); err != nil {
				t.Fatal(err)
			}
			same(t, readAll(t, table, m.inputs(files)), want)
			if left, _ := os.ReadDir(cfg.TempDir); len(left) > 0 {
				t.Errorf("%d temporary files are left", len(left))
			}
			checkFiles(t, table, m, files, want)
		})
	}
}

// TestPatchyColumns has columns that occur in some row groups only.
func TestPatchyColumns(t *testing.T) {
	table := testTable(30)
	for _, stretch := range []int{8, 64, 100, 1000} {
		records := patchyRecords(uint64(stretch), table, 10*stretch, stretch)
		m := newFolder()
		s := NewSorter(SorterConfig{Table: table})
		s.groupRows = stretch
		if err := add(t.Context(), s, table, records, 100); err != nil {
			t.Fatal(err)
		}
		files, err := s.Finish(t.Context(), m.output())
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		same(t, readAll(t, table, m.inputs(files)), records)
		checkFiles(t, table, m, files, records)
	}
}

// checkFiles compares what File says with the file and the rows.
func checkFiles(t *testing.T, table *schema.Table, m *folder, files []File, rows []record) {
	t.Helper()
	for _, f := range files {
		data := m.files[f.Path].Bytes()
		if f.SizeBytes != int64(len(data)) || f.SHA256 != sha256.Sum256(data) || f.SchemaVersion != table.Version {
			t.Errorf("%s: size, checksum or version is wrong", f.Path)
		}
		mine := rows[:f.Rows]
		rows = rows[f.Rows:]
		var ids []int
		var want []ColumnStats
		for c := range table.Columns {
			if s := wantStats(&table.Columns[c], c, mine); s.Values > s.Nulls || table.Columns[c].Required {
				ids = append(ids, s.FieldID)
				want = append(want, s)
			}
		}
		got := slices.Clone(f.Stats)
		size := int64(0)
		for i := range got {
			size += got[i].SizeBytes
			got[i].SizeBytes = 0
		}
		if d := gocmp.Diff(ids, f.Columns); d != "" {
			t.Errorf("%s: columns: %s", f.Path, d)
		}
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("%s: statistics: %s", f.Path, d)
		}
		if size <= 0 || size >= f.SizeBytes {
			t.Errorf("%s: columns take %d of %d bytes", f.Path, size, f.SizeBytes)
		}
		checkLayout(t, table, f, data)
	}
	if len(rows) > 0 {
		t.Errorf("%d rows are in no file", len(rows))
	}
}

// wantStats computes a column's figures from the rows.
func wantStats(col *schema.Column, c int, rows []record) ColumnStats {
	s := ColumnStats{FieldID: col.FieldID, Values: int64(len(rows))}
	var lo, hi any
	for _, r := range rows {
		v := r[c]
		if v == nil {
			s.Nulls++
			continue
		}
		if x, ok := v.(float64); ok && math.IsNaN(x) {
			s.NaNs++
			continue
		}
		if lo == nil || below(v, lo) {
			lo = v
		}
		if hi == nil || below(hi, v) {
			hi = v
		}
	}
	if !col.Stats || lo == nil {
		return s
	}
	s.Min, s.Max = lo, hi
	switch col.Disk {
	case schema.DiskInt:
		s.Min, s.Max = int32(lo.(int64)), int32(hi.(int64))
	case schema.DiskString:
		if len(lo.(string)) > maxBoundBytes {
			s.Min = lo.(string)[:maxBoundBytes]
		}
		if x := hi.(string); len(x) > maxBoundBytes { // the tests' long texts are all x
			s.Max = x[:maxBoundBytes-1] + "y"
		}
	}
	return s
}

func below(a, b any) bool {
	switch a := a.(type) {
	case int64:
		return a < b.(int64)
	case string:
		return a < b.(string)
	case float64:
		return a < b.(float64) || a == b.(float64) && math.Signbit(a) && !math.Signbit(b.(float64))
	default:
		return !a.(bool) && b.(bool)
	}
}

// checkLayout looks into the Parquet footer.
func checkLayout(t *testing.T, table *schema.Table, f File, data []byte) {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	sc := r.MetaData().Schema
	if sc.NumColumns() != len(f.Columns) || r.NumRows() != f.Rows {
		t.Errorf("%s: %d columns and %d rows in the footer", f.Path, sc.NumColumns(), r.NumRows())
	}
	for i := range sc.NumColumns() {
		c := table.Column(sc.Column(i).Name())
		if c == nil || int(sc.Column(i).SchemaNode().FieldID()) != c.FieldID || c.FieldID != f.Columns[i] {
			t.Errorf("%s: column %s has field id %d", f.Path, sc.Column(i).Name(), sc.Column(i).SchemaNode().FieldID())
		}
	}
	var offsets []int64
	for i := range r.NumRowGroups() {
		cc, err := r.MetaData().RowGroup(i).ColumnChunk(0)
		if err != nil {
			t.Fatal(err)
		}
		if cc.HasDictionaryPage() {
			offsets = append(offsets, cc.DictionaryPageOffset())
		} else {
			offsets = append(offsets, cc.DataPageOffset())
		}
	}
	if d := gocmp.Diff(offsets, f.SplitOffsets); d != "" || !slices.IsSorted(offsets) || offsets[0] != 4 {
		t.Errorf("%s: split offsets %v: %s", f.Path, f.SplitOffsets, d)
	}
	if v := r.MetaData().KeyValueMetadata().FindValue(schemaVersionKey); v == nil || *v != "7" {
		t.Errorf("%s: no schema version in the footer", f.Path)
	}
}

func TestFilesDependOnRowsAlone(t *testing.T) {
	table := testTable(20)
	records := randomRecords(2, table, 2000)
	want := newFolder()
	files := write(t, SorterConfig{Table: table, TempDir: t.TempDir(), Workers: 1}, want.output(), records)
	slices.Reverse(records)
	got := newFolder()
	s := NewSorter(SorterConfig{Table: table, TempDir: t.TempDir(), Workers: 3})
	s.runBytes = 20 << 10
	if err := add(t.Context(), s, table, records, 13); err != nil {
		t.Fatal(err)
	}
	again, err := s.Finish(t.Context(), got.output())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(files, again); d != "" {
		t.Error(d)
	}
}

func TestFileSizes(t *testing.T) {
	table := testTable(0)
	// 12 row groups of random text: each about 100 KB.
	const n = 12 * 2048
	var records []record
	for i := range n {
		r := make(record, len(table.Columns))
		r[0], r[1], r[2], r[3] = int64(i)*1_000_000, int64(0), int64(1), int64(i)
		r[9] = strings.Repeat(string(rune('a'+i%26)), i%40) + string(rune(0x400+i*7919%20000))
		records = append(records, r)
	}
	total := int64(0)
	for _, test := range []struct {
		target int64
		max    int
		files  int
	}{{1 << 30, 8, 1}, {0, 0, 1}, {1, 1, 1}, {1, 4, 4}, {1, 100, 12}, {-4, 8, 3}} {
		m := newFolder()
		s := NewSorter(SorterConfig{Table: table, TempDir: t.TempDir()})
		if err := add(t.Context(), s, table, records, 100); err != nil {
			t.Fatal(err)
		}
		out := m.output()
		out.TargetBytes, out.MaxFiles = test.target, test.max
		if test.target < 0 {
			out.TargetBytes = total / -test.target
		}
		s.groupRows = 2048
		files, err := s.Finish(t.Context(), out)
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if len(files) != test.files {
			t.Errorf("target %d, at most %d files: %d files, want %d", test.target, test.max, len(files), test.files)
		}
		total = 0
		for _, f := range files {
			total += f.SizeBytes
		}
		same(t, readAll(t, table, m.inputs(files)), records)
		checkFiles(t, table, m, files, records)
	}
}

func TestNoRowsNoFiles(t *testing.T) {
	m := newFolder()
	if files := write(t, SorterConfig{Table: testTable(0)}, m.output(), nil); len(files) != 0 || len(m.files) != 0 {
		t.Errorf("%d files from no rows", len(files))
	}
}

func TestLongRows(t *testing.T) {
	table := testTable(1)
	var records []record
	for i := range 5 {
		r := make(record, len(table.Columns))
		r[0], r[1], r[2], r[3] = int64(0), int64(0), int64(1), int64(i)
		r[9] = strings.Repeat("ä", (i+1)<<18)
		records = append(records, r)
	}
	m := newFolder()
	files := write(t, SorterConfig{Table: table, TempDir: t.TempDir(), MemoryBytes: 1}, m.output(), records)
	same(t, readAll(t, table, m.inputs(files)), records)
}

func TestRowsRefuses(t *testing.T) {
	table := testTable(1)
	good := randomRecords(3, table, 1)[0]
	for name, bad := range map[string]func(b *Rows){
		"required column _Seq is not set": func(b *Rows) {
			b.Begin()
			b.Int(0, 1)
			b.Int(1, 1)
			b.Int(2, 1)
			b.End()
		},
		"doesn't fit 32 bits": func(b *Rows) {
			b.Begin()
			b.Int(1, 1<<40)
			b.End()
		},
		"the limit is 33554432": func(b *Rows) {
			b.Begin()
			for c, v := range good[:4] {
				b.Int(c, v.(int64))
			}
			b.String(9, strings.Repeat("x", maxRowBytes+1))
			b.End()
		},
	} {
		b := NewRows(table)
		put(b, good)
		bad(b)
		put(b, good)
		if b.Err() == nil || !strings.Contains(b.Err().Error(), name) {
			t.Errorf("error is %v, want %q", b.Err(), name)
		}
		s := NewSorter(SorterConfig{Table: table})
		if err := s.Add(t.Context(), b); err == nil {
			t.Errorf("%s: the sorter takes the rows", name)
		}
		if b.Len() != 1 {
			t.Errorf("%s: %d rows are left, want the one before", name, b.Len())
		}
		b.Reset()
		put(b, good)
		if err := errors.Join(b.Err(), s.Add(t.Context(), b), s.Close()); err != nil {
			t.Errorf("%s: after Reset: %v", name, err)
		}
	}
}

func TestFirstValueCounts(t *testing.T) {
	table := testTable(1)
	b := NewRows(table)
	b.Begin()
	b.String(9, "dropped with its row")
	b.Begin()
	for c := range 4 {
		b.Int(c, 1)
		b.Int(c, 2)
	}
	b.Bytes(9, nil)
	b.String(9, "later")
	if !b.Has(9) || b.Has(4) {
		t.Error("Has is wrong")
	}
	b.End()
	m := newFolder()
	s := NewSorter(SorterConfig{Table: table})
	if err := s.Add(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	files, err := s.Finish(t.Context(), m.output())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	want := make(record, len(table.Columns))
	want[0], want[1], want[2], want[3], want[9] = int64(1), int64(1), int64(1), int64(1), ""
	same(t, readAll(t, table, m.inputs(files)), []record{want})
}

func TestReadSome(t *testing.T) {
	table := testTable(3)
	records := randomRecords(4, table, 5000)
	m := newFolder()
	files := write(t, SorterConfig{Table: table}, m.output(), records)
	slices.SortStableFunc(records, order)
	in := m.input(files[0])

	var want, got []record
	for _, r := range records {
		if r[2] == int64(1) && r[3].(int64) >= 100 && r[3].(int64) <= 2000 {
			some := make(record, len(r))
			some[9], some[2], some[3] = r[9], r[2], r[3]
			want = append(want, some)
		}
	}
	f := Filter{On: true, Source: 1, SeqLo: 100, SeqHi: 2000}
	err := Read(t.Context(), in, table, []int{9}, f, func(row Row) error {
		got = append(got, get(table, row))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, want)

	n := 0
	if err := Read(t.Context(), in, table, []int{}, Filter{}, func(Row) error { n++; return nil }); err != nil || n != 5000 {
		t.Errorf("without columns: %d rows, %v", n, err)
	}
	n = 0
	stop := func(Row) error {
		if n++; n == 3 {
			return ErrStop
		}
		return nil
	}
	if err := Read(t.Context(), in, table, nil, Filter{}, stop); err != nil || n != 3 {
		t.Errorf("stopped after %d rows: %v", n, err)
	}
	if err := Read(t.Context(), in, table, nil, Filter{}, func(Row) error { return io.ErrClosedPipe }); err != io.ErrClosedPipe {
		t.Errorf("the function's error comes back as %v", err)
	}
	// Groups outside of the wanted range are not even read.
	f = Filter{On: true, Source: 99, SeqHi: math.MaxInt64}
	if err := Read(t.Context(), in, table, nil, f, func(Row) error { return io.ErrClosedPipe }); err != nil {
		t.Error(err)
	}
}

func TestMerge(t *testing.T) {
	table := testTable(30)
	records := randomRecords(5, table, 4000)
	m := newFolder()
	// Older files: a part of the columns, and an int where the table has a long now.
	old := &schema.Table{Name: table.Name, Version: 1, Sort: table.Sort, Columns: slices.Clone(table.Columns[:20])}
	old.Columns[8].Disk = schema.DiskInt
	var inputs []Input
	for i, part := range slices.Collect(slices.Chunk(records, 500)) {
		one, tab := newFolder(), table
		if i == 2 {
			tab = old
			for k, r := range part {
				r = slices.Clone(r[:20])
				if r[8] != nil {
					r[8] = int64(int32(r[8].(int64)))
				}
				part[k] = append(r, make(record, 21)...)
			}
		}
		trimmed := make([]record, len(part))
		for k := range part {
			trimmed[k] = part[k][:len(tab.Columns)]
		}
		files := write(t, SorterConfig{Table: tab}, one.output(), trimmed)
		inputs = append(inputs, one.inputs(files)...)
	}
	keep := func(row Row) bool { v, _ := row.Int(3); return v%7 != 3 }
	var want []record
	for _, r := range records {
		if r[3].(int64)%7 != 3 {
			want = append(want, r)
		}
	}
	slices.SortStableFunc(want, order)
	files, st, err := Merge(t.Context(), SorterConfig{Table: table, TempDir: t.TempDir()}, inputs, m.output(), keep)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(MergeStats{Read: 4000, Dropped: 4000 - int64(len(want))}, st); d != "" {
		t.Error(d)
	}
	same(t, readAll(t, table, m.inputs(files)), want)
	checkFiles(t, table, m, files, want)

	few := *table
	few.Columns = table.Columns[:20]
	_, _, err = Merge(t.Context(), SorterConfig{Table: &few, TempDir: t.TempDir()}, inputs, newFolder().output(), nil)
	if err == nil || !strings.Contains(err.Error(), "which would be lost") {
		t.Errorf("a merge that loses a column: %v", err)
	}
	files, _, err = Merge(t.Context(), SorterConfig{Table: table}, inputs, newFolder().output(), func(Row) bool { return false })
	if err != nil || len(files) > 0 {
		t.Errorf("a merge that keeps nothing: %v, %v", files, err)
	}
}

// TestMergeUnsorted merges a file in another order: as a table with other sort
// columns wrote it.
func TestMergeUnsorted(t *testing.T) {
	table := testTable(3)
	other := *table
	other.Sort = []string{"EventID"}
	records := randomRecords(6, table, 3000)
	from := newFolder()
	files := write(t, SorterConfig{Table: &other}, from.output(), records)
	m := newFolder()
	out := m.output()
	merged, st, err := Merge(t.Context(), SorterConfig{Table: table, TempDir: t.TempDir()}, from.inputs(files), out, nil)
	if err != nil || !st.Resorted || st.Read != 3000 {
		t.Fatalf("%+v, %v", st, err)
	}
	slices.SortStableFunc(records, order)
	same(t, readAll(t, table, m.inputs(merged)), records)
	if len(m.files) != len(merged) {
		t.Errorf("%d files exist, %d are in the result", len(m.files), len(merged))
	}
}

func TestGoroutinesEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	table := testTable(3)
	records := randomRecords(7, table, 500)
	for range 20 {
		write(t, SorterConfig{Table: table, TempDir: t.TempDir(), MemoryBytes: 1}, newFolder().output(), records)
	}
	goroutinesEnd(t, before)
}

// goroutinesEnd checks that no more goroutines run than before; one that is
// just returning gets its chance.
func goroutinesEnd(t *testing.T, before int) {
	t.Helper()
	n := 0
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); runtime.Gosched() {
		if n = runtime.NumGoroutine(); n <= before {
			return
		}
	}
	stacks := make([]byte, 1<<16)
	t.Fatalf("%d goroutines, %d before:\n%s", n, before, stacks[:runtime.Stack(stacks, true)])
}
