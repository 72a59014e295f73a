package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// custom makes the form of a custom table.
func custom(t *testing.T, name, columns string) *schema.Table {
	t.Helper()
	table, _, err := schema.ParseCustom(name, columns)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// addRows commits a part of n rows of a table from a new log.
func addRows(t *testing.T, w *Writer, label string, tables map[*schema.Table]int) {
	t.Helper()
	g, err := w.BeginLog(t.Context(), LogInfo{Door: "bulk", Case: label})
	if err != nil {
		t.Fatal(err)
	}
	id, err := g.AddSource(t.Context(), SourceInfo{Kind: "ingest"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, stored := int64(1), int64(0)
	for table, n := range tables {
		if err := p.Sorter(table).Add(t.Context(), rowsOf(t, table, id, first, p.IngestedAtUS, n)); err != nil {
			t.Fatal(err)
		}
		first, stored = first+int64(n), stored+int64(n)
	}
	if err := p.Commit(t.Context(), PartResult{Sources: []SourceTally{{Source: id, Received: stored, Stored: stored}}}); err != nil {
		t.Fatal(err)
	}
}

// current gives the present form of a custom table, as another process reads it.
func current(t *testing.T, dir, name string) *schema.Table {
	t.Helper()
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	set, err := l.Schema(t.Context())
	if err = errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	return set.Find(name)
}

func TestCustomTable(t *testing.T) {
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	if set, err := w.Schema(t.Context()); err != nil || set != schema.Builtin() {
		t.Fatal(set, err)
	}
	if err := w.CreateTable(t.Context(), custom(t, "Probe_CL", "client:int, n:long")); err != nil {
		t.Fatal(err)
	}
	set, err := w.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one := set.Find("Probe_CL")
	if again, err := w.Schema(t.Context()); err != nil || again != set || one == nil {
		t.Fatal(again, err)
	}
	addRows(t, w, "", map[*schema.Table]int{one: 5})
	if again, err := w.Schema(t.Context()); err != nil || again.Find("probe_cl") != one {
		t.Error("rows changed the table's form", err)
	}
	two, err := w.AlterTable(t.Context(), "Probe_CL", "x:int")
	if err != nil {
		t.Fatal(err)
	}
	// A part that was begun before goes on with the form it knows, in one commit.
	addRows(t, w, "", map[*schema.Table]int{one: 3, two: 4})
	now := current(t, dir, "Probe_CL")
	if now == nil || now.Version != 2 || now.Column("x").FieldID != 22 {
		t.Fatalf("%+v", now)
	}
	if n := count(t, dir, now); n != 12 {
		t.Errorf("%d rows, want 12", n)
	}
	_, files := tableRows(t, w.Lake, now)
	versions := map[int]int64{}
	for _, f := range files {
		versions[f.SchemaVersion] += f.Rows
	}
	if versions[1] != 8 || versions[2] != 4 {
		t.Errorf("rows by version: %v", versions)
	}
	three, err := w.AlterTable(t.Context(), "probe_cl", "y:string")
	if err != nil || three.Column("y").FieldID != 23 || three.Version != 3 {
		t.Error(three, err)
	}
	// The definition is in the table: without its state the lake still has it.
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{folder.StateName, folder.StateName + "-wal", folder.StateName + "-shm"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if again := current(t, dir, "Probe_CL"); again == nil || again.Definition() != three.Definition() {
		t.Errorf("without state: %v", again)
	}
}

func TestCustomTableRefused(t *testing.T) {
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	if err := w.CreateTable(t.Context(), custom(t, "Probe_CL", "client:int")); err != nil {
		t.Fatal(err)
	}
	check := func(what string, err error, want string, code int) {
		t.Helper()
		var own *folder.Error
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &own) || own.ExitCode() != code {
			t.Errorf("%s: %v, want %q and exit code %d", what, err, want, code)
		}
	}
	check("again", w.CreateTable(t.Context(), custom(t, "Probe_CL", "client:int")), "there is a table Probe_CL already", folder.CodeNothingDone)
	check("by case", w.CreateTable(t.Context(), custom(t, "PROBE_CL", "client:int")), "differ only by case", folder.CodeNothingDone)
	check("built in", w.CreateTable(t.Context(), schema.W3CIIS), "no custom table", folder.CodeUsage)
	_, err := w.AlterTable(t.Context(), "Probe_CL", "Client:int")
	check("column", err, "differ only by case", folder.CodeUsage)
	_, err = w.AlterTable(t.Context(), "None_CL", "x:int")
	check("no table", err, "there is no such table", folder.CodeUsage)
	_, err = w.AlterTable(t.Context(), "windows_events", "x:int")
	check("built in", err, "built in", folder.CodeUsage)
	if got := current(t, dir, "Probe_CL"); got.Version != 1 || len(got.Columns) != 7 {
		t.Errorf("what was refused changed the table: %+v", got)
	}
}

// TestCustomTableOnce holds that of many who make or alter a table at once each
// either does or is told, and no column is lost.
func TestCustomTableOnce(t *testing.T) {
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	var made, altered int
	var mu sync.Mutex
	all := func(n int, count *int, fn func(i int) error) {
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if err := fn(i); err == nil {
					mu.Lock()
					*count++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	}
	probe := custom(t, "Probe_CL", "client:int")
	all(4, &made, func(int) error { return w.CreateTable(t.Context(), probe) })
	all(6, &altered, func(i int) error {
		_, err := w.AlterTable(t.Context(), "Probe_CL", fmt.Sprintf("c%d:int", i))
		return err
	})
	if made != 1 || altered == 0 {
		t.Errorf("made %d times, altered %d times", made, altered)
	}
	if got := current(t, dir, "Probe_CL"); got.Version != 1+altered || len(got.Columns) != 7+altered {
		t.Errorf("version %d with %d columns after %d changes", got.Version, len(got.Columns), altered)
	}
}

// TestCustomTableIsKept takes a custom table through everything that keeps tables.
func TestCustomTableIsKept(t *testing.T) {
	dir := t.TempDir()
	now := testTime
	o := testOptions()
	o.Now = func() time.Time { return now }
	w := openTestWriter(t, dir, o)
	ctx := t.Context()
	if err := w.CreateTable(ctx, custom(t, "Probe_CL", "client:int")); err != nil {
		t.Fatal(err)
	}
	probe := current(t, dir, "Probe_CL")
	for range 3 {
		addRows(t, w, "", map[*schema.Table]int{probe: 10})
	}
	two, err := w.AlterTable(ctx, "Probe_CL", "x:int")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		addRows(t, w, "", map[*schema.Table]int{two: 10})
	}
	done, err := w.Compact(ctx)
	at := slices.IndexFunc(done, func(c Compacted) bool { return c.Table == "probe_cl" })
	if err != nil || at < 0 || done[at].FilesBefore != 5 || done[at].FilesAfter != 2 || done[at].Rows != 50 {
		t.Errorf("compact: %+v, %v", done, err)
	}
	stats, err := w.Stats(ctx)
	if i := slices.IndexFunc(stats.Tables, func(s TableStats) bool { return s.Table == "probe_cl" }); err != nil || i < 0 || stats.Tables[i].Rows != 50 {
		t.Errorf("stats: %+v, %v", stats, err)
	}
	d, err := w.Delete(ctx, two, func(_ int32, seq int64) bool { return seq <= 2 }, "n <= 2")
	if err != nil || d.Rows != 10 || d.FilesRewritten != 2 {
		t.Errorf("delete: %+v, %v", d, err)
	}
	faults := 0
	v, err := w.Verify(ctx, func(f Fault) {
		if !f.Orphan {
			t.Errorf("%+v", f)
			faults++
		}
	})
	if err != nil || v.Rows < 40 || faults > 0 {
		t.Errorf("verify: %+v, %v", v, err)
	}
	saved, moved := filepath.Join(t.TempDir(), "saved"), filepath.Join(t.TempDir(), "moved")
	if _, err := w.Backup(ctx, saved); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(ctx, saved, moved, o); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{saved, moved} {
		if got := current(t, folder, "Probe_CL"); got == nil || got.Version != 2 || count(t, folder, got) != 40 {
			t.Errorf("%s: %+v", filepath.Base(folder), got)
		}
	}
	keepCustom(ctx, t, w, dir, &now)
}

// keepCustom takes the table through retention and holds.
func keepCustom(ctx context.Context, t *testing.T, w *Writer, dir string, now *time.Time) {
	if err := w.SetRetention(ctx, "Probe_CL", 5); err != nil {
		t.Fatal(err)
	}
	hold, err := w.AddHold(ctx, "Probe_CL", nil, "because")
	if err != nil {
		t.Fatal(err)
	}
	*now = now.AddDate(0, 0, 10)
	if e, err := w.Expire(ctx); err != nil || e.Held != 2 || e.Rows != 0 {
		t.Errorf("expire under a hold: %+v, %v", e, err)
	}
	if err := w.RemoveHold(ctx, hold); err != nil {
		t.Fatal(err)
	}
	if e, err := w.Expire(ctx); err != nil || e.ByTable["probe_cl"] != 40 {
		t.Errorf("expire: %+v, %v", e, err)
	}
	if got := current(t, dir, "Probe_CL"); got == nil || count(t, dir, got) != 0 {
		t.Error("the empty table is not there any more")
	}
}

// TestCustomTableDeath leaves the process dead at every file and database change of
// making and altering a table (at every seventh unless WADI_SLOW is set): it is as
// before or as after.
func TestCustomTableDeath(t *testing.T) {
	step := 7
	if os.Getenv("WADI_SLOW") != "" {
		step = 1
	}
	for n := 1; ; n += step {
		dir := t.TempDir()
		w := openTestWriter(t, dir, testOptions())
		if err := w.CreateTable(t.Context(), custom(t, "Old_CL", "a:int")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f := &faultFS{forever: true}
		o := testOptions()
		o.fs, o.fault = f, f.hit
		w, err := OpenWriter(t.Context(), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		f.n = f.calls + n
		_, altered := w.AlterTable(t.Context(), "Old_CL", "b:int")
		created := w.CreateTable(t.Context(), custom(t, "New_CL", "a:int"))
		hit := f.calls >= f.n
		dead := copyTree(t, dir)
		_ = w.Close() // it may be broken
		if !hit {
			if altered != nil || created != nil || n < 8 {
				t.Errorf("after %d changes: %v, %v", n, altered, created)
			}
			return
		}
		w = openTestWriter(t, dead, testOptions())
		set, err := w.Schema(t.Context())
		if err != nil {
			t.Fatalf("change %d: %v", n, err)
		}
		old, fresh := set.Find("Old_CL"), set.Find("New_CL")
		if altered == nil && old.Version != 2 || created == nil && fresh == nil {
			t.Errorf("change %d: what was said to be done is not there", n)
		}
		for _, table := range set.Custom() {
			addRows(t, w, "", map[*schema.Table]int{table: 2})
			if got := count(t, dead, table); got != 2 {
				t.Errorf("change %d: %d rows in %s", n, got, table.Custom)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestForgedDefinition holds that a definition that another program wrote is
// checked, and named when it is wrong.
func TestForgedDefinition(t *testing.T) {
	s := &store.Store{}
	for text, want := range map[string]string{
		`{`: "probe_cl", `{"name":"Other_CL","version":1,"columns":[{"id":20,"name":"a","type":"int","born":1}]}`: "defines other_cl",
		`{"name":"windows_events","version":1,"columns":[]}`: "_CL",
	} {
		if _, err := s.Defined(map[string]string{"probe_cl": text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestOlderFilesOfCustomTable reads a column that a file is too old for as null.
func TestOlderFilesOfCustomTable(t *testing.T) {
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	one := custom(t, "Probe_CL", "client:int")
	if err := w.CreateTable(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	addRows(t, w, "", map[*schema.Table]int{one: 3})
	two, err := w.AlterTable(t.Context(), "Probe_CL", "x:int")
	if err != nil {
		t.Fatal(err)
	}
	_, files := tableRows(t, w.Lake, two)
	x, seen := two.Index("x"), 0
	for _, f := range files {
		err := datafile.Read(t.Context(), datafile.Input{Path: f.Path}, two, []int{x}, datafile.Filter{}, func(r datafile.Row) error {
			if _, ok := r.Int(x); ok {
				t.Error("a row stored before has a value")
			}
			seen++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen != 3 {
		t.Errorf("%d rows", seen)
	}
}
