package lake

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// tableRows gives the rows of a table, printed and sorted, and the number of its
// files.
func tableRows(t *testing.T, l *Lake, table *schema.Table) (rows []string, files []store.DataFile) {
	t.Helper()
	r, err := l.Pin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	all, err := r.Table(table)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all.Files {
		n := int64(0)
		err := datafile.Read(t.Context(), datafile.Input{Path: f.Path}, table, nil, datafile.Filter{}, func(row datafile.Row) error {
			n++
			rows = append(rows, printRow(table, row))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n != f.Rows {
			t.Errorf("%s holds %d rows, the table says %d", f.Path, n, f.Rows)
		}
	}
	slices.Sort(rows)
	return rows, all.Files
}

func printRow(table *schema.Table, row datafile.Row) string {
	var b strings.Builder
	for c := range table.Columns {
		if row.Null(c) {
			continue
		}
		switch table.Columns[c].Disk {
		case schema.DiskString:
			fmt.Fprintf(&b, "%s=%q ", table.Columns[c].Name, row.Bytes(c))
		case schema.DiskDouble:
			v, _ := row.Real(c)
			fmt.Fprintf(&b, "%s=%v ", table.Columns[c].Name, v)
		case schema.DiskBoolean:
			v, _ := row.Bool(c)
			fmt.Fprintf(&b, "%s=%v ", table.Columns[c].Name, v)
		default:
			v, _ := row.Int(c)
			fmt.Fprintf(&b, "%s=%d ", table.Columns[c].Name, v)
		}
	}
	return b.String()
}

// actions gives the actions in wadi_audit, in order.
func actions(t *testing.T, l *Lake) (all []string) {
	t.Helper()
	rows, _ := tableRows(t, l, schema.WadiAudit)
	for _, r := range rows {
		_, a, _ := strings.Cut(r, `Action="`)
		a, _, _ = strings.Cut(a, `"`)
		all = append(all, a)
	}
	return all
}

func TestCompactKeepsRowsAndCases(t *testing.T) {
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 5, 10)
	importRows(t, w, "red", 2, 7)
	importRows(t, w, "blue", 1, 3)
	importRows(t, w, "", 3, 2)
	type state struct {
		rows  []string
		files int
	}
	look := func() map[string]state {
		all := map[string]state{}
		for _, table := range []*schema.Table{schema.WindowsEvents, schema.Ledger, schema.Sources} {
			rows, files := tableRows(t, w.Lake, table)
			all[table.Name] = state{rows, len(files)}
		}
		return all
	}
	before := look()
	if before["windows_events"].files != 11 {
		t.Fatalf("%d files before", before["windows_events"].files)
	}
	done, err := w.Compact(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := look()
	for name := range before {
		if d := cmp.Diff(before[name].rows, after[name].rows); d != "" {
			t.Errorf("%s: rows changed: %s", name, d)
		}
		if after[name].files != 3 { // one by case
			t.Errorf("%s: %d files after, want 3", name, after[name].files)
		}
	}
	if len(done) < 3 || done[0].Table != "windows_events" || done[0].FilesAfter >= done[0].FilesBefore || done[0].BytesAfter >= done[0].BytesBefore {
		t.Errorf("what was done: %+v", done)
	}
	find, err := w.caseFinder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, files := tableRows(t, w.Lake, schema.WindowsEvents)
	source := schema.WindowsEvents.Index("_Source")
	for _, f := range files {
		id, ok := find.of(schema.WindowsEvents, f)
		if !ok {
			t.Errorf("the case of %s isn't known", f.Path)
		}
		err := datafile.Read(t.Context(), datafile.Input{Path: f.Path}, schema.WindowsEvents, []int{source}, datafile.Filter{}, func(r datafile.Row) error {
			src, _ := r.Int(source)
			if find.sources[int32(src)] != id {
				return fmt.Errorf("source %d of case %d lies in a file of case %d", src, find.sources[int32(src)], id)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	for _, a := range actions(t, w.Lake) {
		if a != "compact" {
			t.Errorf("wadi_audit has %q", a)
		}
	}
	if done, err := w.Compact(t.Context()); err != nil || len(done) > 1 || len(done) == 1 && done[0].Table != "wadi_audit" {
		t.Errorf("again: %+v, %v", done, err)
	}
	// De-duplication still finds its rows.
	seqs := 0
	if err := w.ReadRows(t.Context(), schema.WindowsEvents, 2, 1003, 1005, []int{}, func(datafile.Row) error { seqs++; return nil }); err != nil || seqs != 3 {
		t.Errorf("ReadRows finds %d rows, %v", seqs, err)
	}
}

func TestUpkeepCompactsWhenItIsDue(t *testing.T) {
	w := openTestWriter(t, t.TempDir(), testOptions())
	importRows(t, w, "", dueFiles-1, 5)
	files := func() int {
		if err := w.Upkeep(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, all := tableRows(t, w.Lake, schema.WindowsEvents)
		return len(all)
	}
	if n := files(); n != dueFiles-1 {
		t.Errorf("%d files before it is due", n)
	}
	importRows(t, w, "", 1, 5)
	if n := files(); n != 1 {
		t.Errorf("%d files when it is due, want 1", n)
	}
}

// TestCompactKeepsVersionsApart: a file of an older schema version may not be
// mistaken for one that has the younger columns.
func TestCompactKeepsVersionsApart(t *testing.T) {
	table := schema.WindowsEvents
	find := &cases{sources: map[int32]int64{1: 0}, store: &store.Store{Dir: "/lake", Root: "/lake"}}
	file := func(name string, version int, bytes int64) store.DataFile {
		one := store.Bound{Min: int32(1), Max: int32(1)}
		at := store.Bound{Min: testTime.UnixMicro(), Max: testTime.UnixMicro()}
		return store.DataFile{Path: "/lake/lake/default/windows_events/" + name, SizeBytes: bytes, SchemaVersion: version, Bounds: map[int]store.Bound{
			table.Column("_Source").FieldID: one, table.Column("_IngestedAt").FieldID: at,
		}}
	}
	younger := *table
	younger.Version = 2
	younger.Columns = append(slices.Clone(table.Columns), schema.Column{Name: "New", Disk: schema.DiskString, FieldID: 9999, Required: true, Born: 2})
	sets := smallFiles(&younger, []store.DataFile{file("a", 1, 10), file("b", 2, 10), file("c", 1, 10), file("d", 2, smallFile), file("e", 3, 10), file("f", 2, 10)}, find, 2)
	if len(sets) != 2 || sets[0].version != 1 || len(sets[0].files) != 2 || sets[1].version != 2 || len(sets[1].files) != 2 {
		t.Errorf("%+v", sets)
	}
	old := versioned(&younger, 1)
	if old.Version != 1 || old.Column("New").Required || !younger.Column("New").Required || !old.Column("_Seq").Required {
		t.Error("the older version has wrong columns")
	}
}

func TestDelete(t *testing.T) {
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 3, 10)
	importRows(t, w, "red", 1, 10)
	before, old := tableRows(t, w.Lake, schema.WindowsEvents)
	// All rows of source 1, the fifth of source 2, and one that isn't there.
	match := func(source int32, seq int64) bool { return source == 1 || source == 2 && seq == 1005 || source == 99 }
	d, err := w.Delete(t.Context(), schema.WindowsEvents, match, `TargetUserName == "x"`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Deleted{Rows: 11, FilesRewritten: 1, FilesDropped: 1, Where: `TargetUserName == "x"`}, d); diff != "" {
		t.Error(diff)
	}
	after, files := tableRows(t, w.Lake, schema.WindowsEvents)
	want := slices.DeleteFunc(slices.Clone(before), func(r string) bool {
		return strings.Contains(r, "_Source=1 ") || strings.Contains(r, "_Source=2 ") && strings.Contains(r, "_Seq=1005 ")
	})
	if diff := cmp.Diff(want, after); diff != "" {
		t.Error(diff)
	}
	if len(files) != len(old)-1 {
		t.Errorf("%d files, %d before", len(files), len(old))
	}
	if _, ok, err := w.Key(t.Context(), "", KeyEVTX, [32]byte{1, 1, 1}); !ok || err != nil {
		t.Errorf("the key is gone: the rows would come back; %v", err)
	}
	if a := actions(t, w.Lake); len(a) != 1 || a[0] != "delete" {
		t.Errorf("wadi_audit: %v", a)
	}
	if d, err := w.Delete(t.Context(), schema.WindowsEvents, match, ""); err != nil || d.Rows != 0 {
		t.Errorf("again: %+v, %v", d, err)
	}
	if _, err := w.Delete(t.Context(), schema.WadiAudit, func(int32, int64) bool { return true }, ""); err == nil {
		t.Error("the audit can be deleted")
	}
	// Old files go once nobody can need them.
	now := time.Now() // Iceberg's metadata has the machine's clock in it too
	for i := range 2 {
		w.opts.Now = clockAt(now, time.Duration(i+1)*time.Hour)
		if err := w.upkeep(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range old {
		if _, err := os.Stat(f.Path); err == nil && !slices.ContainsFunc(files, func(n store.DataFile) bool { return n.Path == f.Path }) {
			t.Errorf("%s with deleted rows is still there", filepath.Base(f.Path))
		}
	}
}

func TestDeleteUnderHold(t *testing.T) {
	w := openTestWriter(t, t.TempDir(), testOptions())
	importRows(t, w, "red", 1, 10)
	importRows(t, w, "", 1, 10)
	red := "red"
	if _, err := w.AddHold(t.Context(), "", &red, "court"); err != nil {
		t.Fatal(err)
	}
	before, _ := tableRows(t, w.Lake, schema.WindowsEvents)
	if _, err := w.Delete(t.Context(), schema.WindowsEvents, func(int32, int64) bool { return true }, ""); err == nil || !strings.Contains(err.Error(), "legal hold") {
		t.Errorf("rows under a hold: %v", err)
	}
	if after, _ := tableRows(t, w.Lake, schema.WindowsEvents); !slices.Equal(before, after) {
		t.Error("a refused deletion changed rows")
	}
	if d, err := w.Delete(t.Context(), schema.WindowsEvents, func(source int32, _ int64) bool { return source == 2 }, ""); err != nil || d.Rows != 10 {
		t.Errorf("rows of another case: %+v, %v", d, err)
	}
}
