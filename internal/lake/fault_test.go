package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

var errFault = errors.New("the disk is on fire")

// faultFS fails the n-th change of files or databases: once, or from there on
// (the disk is gone, or the process is as good as dead).
type faultFS struct {
	folder.OS
	n, calls int
	forever  bool
	last     string
}

func (f *faultFS) hit(op string) error {
	f.calls++
	if f.calls == f.n || f.forever && f.calls > f.n && f.n > 0 {
		if f.calls == f.n {
			f.last = op
		}
		return fmt.Errorf("%s: %w", op, errFault)
	}
	return nil
}

func (f *faultFS) Create(name string) (folder.File, error) {
	if err := f.hit("create " + filepath.Base(name)); err != nil {
		return nil, err
	}
	w, err := f.OS.Create(name)
	if err != nil {
		return nil, err
	}
	return &faultFile{w, f, filepath.Base(name)}, nil
}

func (f *faultFS) MkdirAll(name string) error {
	if _, err := os.Stat(name); err == nil {
		return nil // nothing to change
	}
	if err := f.hit("mkdir " + filepath.Base(name)); err != nil {
		return err
	}
	return f.OS.MkdirAll(name)
}

func (f *faultFS) Rename(from, to string) error {
	if err := f.hit("rename " + filepath.Base(to)); err != nil {
		return err
	}
	return f.OS.Rename(from, to)
}

func (f *faultFS) Remove(name string) error {
	if err := f.hit("remove " + filepath.Base(name)); err != nil {
		return err
	}
	return f.OS.Remove(name)
}

func (f *faultFS) Link(from, to string) error {
	if err := f.hit("link " + filepath.Base(to)); err != nil {
		return err
	}
	return f.OS.Link(from, to)
}

func (f *faultFS) SyncDir(name string) error {
	if err := f.hit("sync folder " + filepath.Base(name)); err != nil {
		return err
	}
	return nil // nothing here pulls the plug
}

type faultFile struct {
	folder.File
	fs   *faultFS
	name string
}

func (w *faultFile) Write(p []byte) (int, error) {
	if err := w.fs.hit("write " + w.name); err != nil {
		n, _ := w.File.Write(p[:len(p)/2])
		return n, err
	}
	return w.File.Write(p)
}

func (w *faultFile) Sync() error { return w.fs.hit("sync " + w.name) }

// Close closes the file in any case, as the system does.
func (w *faultFile) Close() error {
	return errors.Join(w.fs.hit("close "+w.name), w.File.Close())
}

// world is what a lake holds, to be compared: its rows, and what the audit
// names.
func world(t *testing.T, l *Lake) string {
	t.Helper()
	var b strings.Builder
	for _, table := range []*schema.Table{schema.WindowsEvents, schema.Ledger, schema.Sources} {
		rows, _ := tableRows(t, l, table)
		fmt.Fprintf(&b, "%s %d\n%s\n", table.Name, len(rows), strings.Join(rows, "\n"))
	}
	fmt.Fprintf(&b, "wadi_audit %v\n", actions(t, l))
	return logUUID.ReplaceAllString(b.String(), "Log")
}

// logUUID is different each time.
var logUUID = regexp.MustCompile(`Log="[0-9a-f-]{36}"`)

// operation is one way to change a lake.
type operation struct {
	name string
	run  func(context.Context, *Writer) error
	// adds tells that doing it again adds more.
	adds bool
}

func operations() []operation {
	return []operation{
		{name: "import", adds: true, run: func(ctx context.Context, w *Writer) error {
			g, err := w.BeginLog(ctx, LogInfo{Door: "bulk", Case: "red"})
			if err != nil {
				return err
			}
			id, err := g.AddSource(ctx, SourceInfo{Kind: "evtx", File: "new.evtx"})
			if err != nil {
				return err
			}
			p, err := g.BeginPart(ctx)
			if err != nil {
				return err
			}
			b := datafile.NewRows(schema.WindowsEvents)
			for i := range 20 {
				b.Begin()
				for c := range schema.WindowsEvents.Columns {
					col := &schema.WindowsEvents.Columns[c]
					switch {
					case col.Name == "_IngestedAt" || col.Name == "TimeGenerated":
						b.Int(c, p.IngestedAtUS)
					case col.Name == "_Source":
						b.Int(c, int64(id))
					case col.Name == "_Seq":
						b.Int(c, int64(i))
					case col.Required && col.Disk == schema.DiskString:
						b.String(c, "new")
					case col.Required:
						b.Int(c, 0)
					}
				}
				b.End()
			}
			if err := p.Sorter(schema.WindowsEvents).Add(ctx, b); err != nil {
				return errors.Join(err, p.Abort())
			}
			return p.Commit(ctx, PartResult{
				Sources: []SourceTally{{Source: id, Received: 20, Stored: 20}},
				Keys:    []KeyEntry{{Kind: KeyEVTX, Key: [32]byte{42}, KeyValue: KeyValue{Count: 20, Source: id}}},
			})
		}},
		{name: "compact", run: func(ctx context.Context, w *Writer) error { _, err := w.Compact(ctx); return err }},
		{name: "expire", run: func(ctx context.Context, w *Writer) error { _, err := w.Expire(ctx); return err }},
		{name: "delete", run: func(ctx context.Context, w *Writer) error {
			_, err := w.Delete(ctx, schema.WindowsEvents, func(source int32, seq int64) bool { return source == 1 || seq%3 == 0 }, "x")
			return err
		}},
		{name: "upkeep", run: func(ctx context.Context, w *Writer) error { return w.Upkeep(ctx) }},
	}
}

// faultBase makes the lake that operations begin with: files to compact, to expire
// and to sweep.
func faultBase(t *testing.T, now time.Time) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "base")
	o := testOptions()
	o.Now = clockAt(now, -100*24*time.Hour)
	w, err := OpenWriter(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	importRows(t, w, "", 1, 4)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	o.Now = clockAt(now, 0)
	if w, err = OpenWriter(t.Context(), dir, o); err != nil {
		t.Fatal(err)
	}
	importRows(t, w, "red", 2, 4)
	if err := w.SetRetention(t.Context(), schema.WindowsEvents.Name, 30); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// clockAt gives a clock that stands still. The tests here begin at the machine's own
// time, because Iceberg's metadata has that in it too.
func clockAt(now time.Time, after time.Duration) func() time.Time {
	return func() time.Time { return now.Add(after) }
}

// lateOptions are an hour later, so that upkeep has outdated snapshots.
func lateOptions(now time.Time) Options {
	o := testOptions()
	o.Now = clockAt(now, time.Hour)
	return o
}

// TestFaults fails the n-th write, sync, rename, removal and statement of each
// operation, for every n: the lake then holds the state before or the one after,
// nothing in between, and no file that nothing names stays for ever.
func TestFaults(t *testing.T) {
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm") // a thousand lakes, each synced many times
	}
	now := time.Now()
	base := faultBase(t, now)
	slow := os.Getenv("WADI_SLOW") != ""
	if !slow {
		t.Log("WADI_SLOW is not set: some of the faults only")
	}
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			dir := copyTree(t, base)
			o := lateOptions(now)
			count := &faultFS{}
			o.fs, o.fault = count, count.hit
			w, err := OpenWriter(t.Context(), dir, o)
			if err != nil {
				t.Fatal(err)
			}
			before := world(t, w.Lake)
			if err := op.run(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			after := world(t, w.Lake)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			step := 1
			if !slow {
				step = count.calls/3 + 1
			}
			for n := 1; n <= count.calls; n += step {
				oneFault(t, now, base, op, n, n%2 == 0, before, after)
			}
			t.Logf("%d places to fail", count.calls)
		})
	}
}

func oneFault(t *testing.T, now time.Time, base string, op operation, n int, forever bool, before, after string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	f := &faultFS{n: n, forever: forever}
	o := lateOptions(now)
	o.fs, o.fault = f, f.hit
	healthy := lateOptions(now)
	healthy.fs = &faultFS{}
	w, err := OpenWriter(t.Context(), dir, o)
	if err == nil {
		err = errors.Join(op.run(t.Context(), w), w.Close())
	}
	where := fmt.Sprintf("fault %d (%s, forever %v, error %v)", n, f.last, forever, err)
	// A healthy process looks at it.
	if w, err = OpenWriter(t.Context(), dir, healthy); err != nil {
		t.Fatalf("%s: the lake doesn't open any more: %v", where, err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}()
	is := world(t, w.Lake)
	if is != before && is != after && op.name != "compact" {
		t.Errorf("%s: the lake holds\n%s\nwhich is neither before\n%s\nnor after\n%s", where, is, before, after)
	}
	if op.name == "compact" && rowsOnly(is) != rowsOnly(before) { // a commit a table
		t.Errorf("%s: compaction changed rows:\n%s", where, is)
	}
	if _, ok, err := w.Key(t.Context(), "red", KeyEVTX, [32]byte{42}); err != nil || ok != (op.adds && is == after) {
		t.Errorf("%s: the key is %v, %v", where, ok, err)
	}
	if op.adds && is == before || !op.adds {
		if err := op.run(t.Context(), w); err != nil {
			t.Errorf("%s: again: %v", where, err)
		}
	}
	if got := rowsOnly(world(t, w.Lake)); got != rowsOnly(after) {
		t.Errorf("%s: done again, the lake holds\n%s\nwant\n%s", where, got, after)
	}
	checkNoGarbage(t, now, w, where)
}

// rowsOnly leaves the audit out.
func rowsOnly(world string) string {
	rows, _, _ := strings.Cut(world, "wadi_audit")
	return rows
}

// checkNoGarbage lets time pass and looks for files that nothing names.
func checkNoGarbage(t *testing.T, now time.Time, w *Writer, where string) {
	t.Helper()
	for i := range 2 {
		w.opts.Now = clockAt(now, time.Duration(i+2)*time.Hour)
		if err := w.upkeep(t.Context(), 1); err != nil {
			t.Fatalf("%s: %v", where, err)
		}
	}
	named, err := w.store.Named(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	present, err := w.store.List()
	if err != nil {
		t.Fatal(err)
	}
	for rel := range present {
		if !named[rel] {
			t.Errorf("%s: nothing names %s", where, rel)
		}
	}
	for rel := range named {
		if !present[rel] {
			t.Errorf("%s: %s is missing", where, rel)
		}
	}
	known, err := w.state.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for rel := range present {
		if _, ok := known[rel]; !ok && strings.HasSuffix(rel, ".parquet") {
			t.Errorf("%s: the state doesn't know %s", where, rel)
		}
	}
	for rel := range known {
		if !present[rel] {
			t.Errorf("%s: the state knows %s, which is gone", where, rel)
		}
	}
	names, err := os.ReadDir(w.TempDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if slices.ContainsFunc(names, func(e fs.DirEntry) bool { return !e.IsDir() }) {
		t.Errorf("%s: temporary files stay: %v", where, names)
	}
}
