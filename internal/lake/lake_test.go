package lake

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// clock is the time of a test lake.
var testTime = time.Date(2026, 11, 25, 4, 0, 0, 0, time.UTC)

func testOptions() Options {
	return Options{Now: func() time.Time { return testTime }, Actor: "tester", MemoryBytes: 4 << 20, Workers: 1}
}

func openTestWriter(t *testing.T, dir string, o Options) *Writer {
	t.Helper()
	w, err := OpenWriter(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// rowsOf makes n rows of a table for a source, with _Seq from first.
func rowsOf(t *testing.T, table *schema.Table, source int32, first, us int64, n int) *datafile.Rows {
	t.Helper()
	b := datafile.NewRows(table)
	for i := range n {
		b.Begin()
		for c := range table.Columns {
			col := &table.Columns[c]
			switch {
			case col.Name == "_IngestedAt":
				b.Int(c, us)
			case col.Name == "_Source":
				b.Int(c, int64(source))
			case col.Name == "_Seq":
				b.Int(c, first+int64(i))
			case col.Name == "TimeGenerated":
				b.Int(c, us-int64(n-i)*1_000_000)
			case col.Name == "Channel":
				b.String(c, "Security")
			case col.Name == "EventID":
				b.Int(c, int64(4624+i%3))
			case !col.Required:
			case col.Disk == schema.DiskString:
				b.String(c, "text")
			case col.Disk == schema.DiskBoolean:
				b.Bool(c, true)
			case col.Disk == schema.DiskDouble:
				b.Real(c, 1)
			default:
				b.Int(c, 0)
			}
		}
		b.End()
	}
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return b
}

// fillPart begins a part with n rows of windows_events from a new source.
func fillPart(t *testing.T, g *Log, n int) (*Part, PartResult) {
	t.Helper()
	id, err := g.AddSource(t.Context(), SourceInfo{Kind: "evtx", Host: "dc1", File: "Security.evtx"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Sorter(schema.WindowsEvents).Add(t.Context(), rowsOf(t, schema.WindowsEvents, id, (p.Number-1)*1000+1, p.IngestedAtUS, n)); err != nil {
		t.Fatal(err)
	}
	at := event.FromUnixMicros(p.IngestedAtUS)
	key := [32]byte{byte(p.Number), byte(id), 1}
	return p, PartResult{
		Sources: []SourceTally{{Source: id, Received: int64(n) + 2, Stored: int64(n), Duplicate: 2, FirstTime: at, LastTime: at}},
		Keys:    []KeyEntry{{Kind: KeyEVTX, Key: key, KeyValue: KeyValue{Count: int64(n), Prefix: [32]byte{9}, Source: id, FirstSeq: (p.Number-1)*1000 + 1}}},
	}
}

// importRows makes a log and commits parts of n rows each.
func importRows(t *testing.T, w *Writer, case_ string, parts, n int) *Log {
	t.Helper()
	g, err := w.BeginLog(t.Context(), LogInfo{Door: "bulk", Case: case_})
	if err != nil {
		t.Fatal(err)
	}
	for range parts {
		p, res := fillPart(t, g, n)
		if err := p.Commit(t.Context(), res); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// count gives the rows of a table as a reader sees them.
func count(t *testing.T, dir string, table *schema.Table) int64 {
	t.Helper()
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Pin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	files, err := r.Table(table)
	if err != nil {
		t.Fatal(err)
	}
	rows := int64(0)
	for _, f := range files.Files {
		cols := []int{table.Index("_Seq")}
		if err := datafile.Read(t.Context(), datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, table, cols, datafile.Filter{}, func(datafile.Row) error {
			rows++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if rows != files.Rows {
		t.Errorf("%s: manifests say %d rows, files hold %d", table.Name, files.Rows, rows)
	}
	if err := errors.Join(r.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	return rows
}

// copyTree copies a folder: the state that a process leaves when it dies.
func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestPartsBecomeVisibleWithTheirLedger(t *testing.T) {
	// The folder's own name may hold anything.
	dir := filepath.Join(t.TempDir(), "ein Ordner %41 ü#?&")
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 3, 10)
	if n := count(t, dir, schema.WindowsEvents); n != 30 {
		t.Errorf("windows_events: %d rows, want 30", n)
	}
	if n := count(t, dir, schema.Ledger); n != 3 {
		t.Errorf("ledger: %d rows, want 3", n)
	}
	if n := count(t, dir, schema.Sources); n != 3 {
		t.Errorf("sources: %d rows, want 3", n)
	}
	if n := count(t, dir, schema.W3CIIS); n != 0 {
		t.Errorf("w3c_iis: %d rows, want 0", n)
	}
	v, ok, err := w.Key(t.Context(), "", KeyEVTX, [32]byte{2, 2, 1})
	if err != nil || !ok || v.Count != 10 || v.Source != 2 || v.FirstSeq != 1001 {
		t.Errorf("key: %+v %v %v", v, ok, err)
	}
	if _, ok, _ := w.Key(t.Context(), "other", KeyEVTX, [32]byte{2, 2, 1}); ok {
		t.Error("a key of one case is found in another")
	}
	seqs := 0
	if err := w.ReadRows(t.Context(), schema.WindowsEvents, 2, 1003, 1005, []int{schema.WindowsEvents.Index("Channel")}, func(r datafile.Row) error {
		seqs++
		return nil
	}); err != nil || seqs != 3 {
		t.Errorf("ReadRows: %d rows, %v", seqs, err)
	}
}

func TestFieldIDsStayAsTheSchemaSays(t *testing.T) {
	w := openTestWriter(t, t.TempDir(), testOptions())
	importRows(t, w, "", 1, 5)
	tables, err := w.store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range schema.WindowsEvents.Columns {
		c := &schema.WindowsEvents.Columns[i]
		f, ok := tables["windows_events"].Meta.CurrentSchema().FindFieldByName(c.Name)
		if !ok || f.ID != c.FieldID || f.Required != c.Required {
			t.Errorf("%s: %+v", c.Name, f)
		}
	}
	r, err := w.Pin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	files, err := r.Table(schema.WindowsEvents)
	if err != nil || len(files.Files) != 1 {
		t.Fatal(files, err)
	}
	b := files.Files[0].Bounds[schema.WindowsEvents.Column("EventID").FieldID]
	if b.Min != int32(4624) || b.Max != int32(4626) || b.Nulls != 0 || files.Files[0].SchemaVersion != 1 {
		t.Errorf("bounds of EventID: %+v", b)
	}
}

func TestASecondWriterIsRefusedWithThePid(t *testing.T) {
	dir := t.TempDir()
	openTestWriter(t, dir, testOptions())
	_, err := OpenWriter(t.Context(), dir, testOptions())
	var own *folder.Error
	if !errors.As(err, &own) || own.ExitCode() != 3 || own.Hint() == "" || !strings.Contains(err.Error(), "process ") {
		t.Errorf("second writer: %v", err)
	}
	if l, err := Open(t.Context(), dir, testOptions()); err != nil {
		t.Errorf("a reader is refused: %v", err)
	} else if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestFoldersThatHoldNoLake(t *testing.T) {
	ctx := context.Background()
	if _, err := Open(ctx, filepath.Join(t.TempDir(), "none"), testOptions()); err == nil {
		t.Error("a missing folder opens")
	}
	l, err := Open(ctx, t.TempDir(), testOptions())
	if err != nil || l.Notice() == "" {
		t.Fatalf("an empty folder: %v", err)
	}
	r, err := l.Pin(ctx, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if files, err := r.Table(schema.WindowsEvents); err != nil || len(files.Files) != 0 {
		t.Error(files, err)
	}
	newer := t.TempDir()
	if err := os.WriteFile(filepath.Join(newer, "wadi-lake.json"), []byte(`{"format":99,"uuid":"x","root":"/x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() error{
		"reader": func() error { _, err := Open(ctx, newer, testOptions()); return err },
		"writer": func() error { _, err := OpenWriter(ctx, newer, testOptions()); return err },
	} {
		var own *folder.Error
		if err := open(); !errors.As(err, &own) || own.ExitCode() != 3 {
			t.Errorf("%s of a newer format: %v", name, err)
		}
	}
	if names, _ := os.ReadDir(newer); len(names) != 1 {
		t.Errorf("a refused folder was changed: %v", names)
	}
}
