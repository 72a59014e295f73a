package lake

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// streamLake makes a lake with parts of a bulk log and of a stream log, whose
// position in windows_events is 4.
func streamLake(t *testing.T, dir string, o Options) (*Writer, *Log, *theStream) {
	t.Helper()
	w := openTestWriter(t, dir, o)
	importRows(t, w, "", 2, 6)
	s := newStream(schema.WindowsEvents, o.Now())
	g, err := s.open(t.Context(), w)
	if err == nil {
		err = errors.Join(s.commit(t, t.Context(), g, 0, 2), s.commit(t, t.Context(), g, 2, 4))
	}
	if err != nil {
		t.Fatal(err)
	}
	importRows(t, w, "", 2, 6)
	return w, g, s
}

// unset takes the position out of a table, as another program may.
func unset(t *testing.T, w *Writer, name *schema.Table) {
	t.Helper()
	c := store.Change{Table: name, Unset: []string{store.PositionKey + theLog}}
	if err := w.store.Commit(t.Context(), w.opts.Now(), []store.Change{c}); err != nil {
		t.Fatal(err)
	}
}

func TestRowsWithoutAPositionRefuse(t *testing.T) {
	refused := func(t *testing.T, g *Log) {
		t.Helper()
		var own *folder.Error
		if _, err := g.Positions(t.Context()); !errors.As(err, &own) || own.ExitCode() != 3 || !strings.Contains(err.Error(), "windows_events") {
			t.Errorf("positions: %v", err)
		}
	}
	t.Run("by the names of files", func(t *testing.T) {
		w, g, _ := streamLake(t, t.TempDir(), testOptions())
		unset(t, w, schema.WindowsEvents)
		refused(t, g)
	})
	t.Run("by the sources in a merged file", func(t *testing.T) {
		w, g, _ := streamLake(t, t.TempDir(), testOptions())
		if _, err := w.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		unset(t, w, schema.WindowsEvents)
		refused(t, g)
	})
	t.Run("but not for sources on both sides", func(t *testing.T) {
		w, g, s := streamLake(t, t.TempDir(), testOptions())
		if _, err := w.Delete(t.Context(), schema.WindowsEvents, func(source int32, _ int64) bool { return source == s.source }, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Compact(t.Context()); err != nil { // sources below and above the stream's are in one file
			t.Fatal(err)
		}
		unset(t, w, schema.WindowsEvents)
		if positions, err := g.Positions(t.Context()); err != nil || len(positions) != 0 {
			t.Errorf("positions: %v, %v", positions, err)
		}
	})
}

// TestPositionsStay changes the tables in every way that isn't the stream's.
func TestPositionsStay(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, w *Writer) error{
		"compaction": func(t *testing.T, w *Writer) error { _, err := w.Compact(t.Context()); return err },
		"deletion": func(t *testing.T, w *Writer) error {
			d, err := w.Delete(t.Context(), schema.WindowsEvents, func(int32, int64) bool { return true }, "all")
			if d.Rows != 39 {
				t.Errorf("%d rows are deleted", d.Rows)
			}
			return err
		},
		"retention": func(t *testing.T, w *Writer) error {
			if err := w.SetRetention(t.Context(), schema.WindowsEvents.Name, 1); err != nil {
				return err
			}
			w.opts.Now = clockAt(testTime, 100*24*time.Hour)
			e, err := w.Expire(t.Context())
			if e.Rows != 39 {
				t.Errorf("%d rows are expired", e.Rows)
			}
			return err
		},
		"upkeep": func(t *testing.T, w *Writer) error {
			w.opts.Now = clockAt(testTime, time.Hour)
			return w.Upkeep(t.Context())
		},
		"another program's commit": func(t *testing.T, w *Writer) error { foreignCommit(t, w.dir, 4); return nil },
		"another program's rewrite": func(t *testing.T, w *Writer) error {
			tables, err := w.store.Load(t.Context())
			if err != nil {
				return err
			}
			files, err := w.store.Files(tables["windows_events"])
			if err != nil {
				return err
			}
			c := changeOf(files)
			return w.store.Commit(t.Context(), w.opts.Now(), []store.Change{*c})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, g, s := streamLake(t, t.TempDir(), testOptions())
			if err := change(t, w); err != nil {
				t.Fatal(err)
			}
			positions, err := g.Positions(t.Context())
			if diff := cmp.Diff(map[string]int64{"windows_events": 4}, positions); diff != "" || err != nil {
				t.Errorf("positions (-want +got):\n%s%v", diff, err)
			}
			if err := s.commit(t, t.Context(), g, 2, 3); err == nil {
				t.Error("a table goes back to an older position")
			}
		})
	}
}

// changeOf takes files out of a table without a word, as another program does.
func changeOf(files []store.Listed) *store.Change {
	c := &store.Change{Table: schema.WindowsEvents, Op: table.OpDelete, Remove: map[string]bool{}}
	for _, f := range files {
		c.Remove[f.Loc] = true
	}
	return c
}

// TestAMovedLakeGoesOn relocates a lake: it is the same lake elsewhere, its log too.
func TestAMovedLakeGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	w, g, s := streamLake(t, dir, testOptions())
	rows := streamRows(t, s.table, s.source, 16, 3, s.us)
	if err := errors.Join(g.WriteHot(t.Context(), s.table, []*datafile.Rows{rows}, 4, 5), w.Close()); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	w = openTestWriter(t, moved, testOptions())
	if _, ok, err := w.Relocate(t.Context()); !ok || err != nil {
		t.Fatal(ok, err)
	}
	g, err := s.open(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	positions, err := g.Positions(t.Context())
	if diff := cmp.Diff(map[string]int64{"windows_events": 4}, positions); diff != "" || err != nil {
		t.Errorf("positions (-want +got):\n%s%v", diff, err)
	}
	if n := count(t, moved, s.table); n != 24+15+3 {
		t.Errorf("%d rows, hot ones too", n)
	}
	if end, err := g.HotEnd(s.table); err != nil || end != 5 {
		t.Errorf("hot rows end at %d, %v", end, err)
	}
}

// TestARestoredLakeBeginsANewLog restores a backup that was taken beside the stream.
func TestARestoredLakeBeginsANewLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	w, g, s := streamLake(t, dir, testOptions())
	rows := streamRows(t, s.table, s.source, 16, 3, s.us)
	if err := g.WriteHot(t.Context(), s.table, []*datafile.Rows{rows}, 4, 5); err != nil {
		t.Fatal(err)
	}
	backup, restored := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	if _, err := w.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), backup, restored, testOptions()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, restored, s.table); n != 24+15 {
		t.Errorf("%d rows are restored", n)
	}
	r := openTestWriter(t, restored, testOptions())
	old, err := r.OpenLog(t.Context(), theLog, LogInfo{Door: "stream"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Positions(t.Context()); err == nil {
		t.Error("the old log goes on in the restored lake")
	}
	if err := old.Drained(); err != nil {
		t.Fatal(err)
	}
	next := openStream(t, r, "11111111-2222-4333-8444-555555555555")
	if keys, err := r.KeysOf(t.Context(), KeySource); err != nil || len(keys) != 0 {
		t.Errorf("the new log takes the old one's sources: %v, %v", keys, err)
	}
	if err := next.RestoreSource(t.Context(), s.source, theSource); err == nil {
		t.Error("the new log takes a source of the old one")
	}
	id, err := next.AddSource(t.Context(), theSource)
	if err != nil || id <= s.source {
		t.Errorf("source %d, %v", id, err)
	}
	if positions, err := next.Positions(t.Context()); err != nil || len(positions) != 0 {
		t.Errorf("positions of the new log: %v, %v", positions, err)
	}
	logs, err := r.StreamLogs(t.Context())
	if diff := cmp.Diff([]string{theLog, next.UUID()}, logs); diff != "" || err != nil {
		t.Errorf("logs (-want +got):\n%s%v", diff, err)
	}
}

// TestALostStateIsMadeAnew removes state.db: the log goes on, and no number comes twice.
func TestALostStateIsMadeAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	w, _, s := streamLake(t, dir, testOptions())
	highest, err := w.state.NextSource(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	row, err := w.state.NextRow(t.Context())
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{folder.StateName, folder.StateName + "-wal", folder.StateName + "-shm"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w = openTestWriter(t, dir, testOptions())
	if n, err := w.state.NextRow(t.Context()); err != nil || n < row {
		t.Errorf("the next row is %d, it was %d: %v", n, row, err)
	}
	logs, err := w.StreamLogs(t.Context())
	if diff := cmp.Diff([]string{theLog}, logs); diff != "" || err != nil {
		t.Errorf("logs (-want +got):\n%s%v", diff, err)
	}
	g := openStream(t, w, theLog)
	if g.LastIngestedUS() < s.us || g.parts < 2 {
		t.Errorf("the log goes on at part %d, %d", g.parts, g.LastIngestedUS())
	}
	id, err := g.AddSource(t.Context(), theSource)
	if err != nil || int64(id) < highest {
		t.Errorf("source %d, the next was %d: %v", id, highest, err)
	}
	s.source, s.ends = id, append(s.ends, 20)
	if err := s.commit(t, t.Context(), g, 4, 5); err != nil {
		t.Fatal(err)
	}
	if n := count(t, dir, s.table); n != 24+20 {
		t.Errorf("%d rows", n)
	}
	unset(t, w, s.table)
	if _, err := g.Positions(t.Context()); err == nil {
		t.Error("rows without a position are overlooked")
	}
}

// TestPositionsWithoutRows moves a table that got no rows, and settles such a part.
func TestPositionsWithoutRows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	o := testOptions()
	fail := false
	o.fault = func(op string) error {
		if fail && op == "finish part" {
			return errFault
		}
		return nil
	}
	w, err := OpenWriter(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	g := openStream(t, w, theLog)
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fail = true
	err = p.Commit(t.Context(), PartResult{
		Keys:      []KeyEntry{{Kind: KeyBatch, Key: [32]byte{1}, KeyValue: KeyValue{Count: 9}, US: 77}},
		Positions: map[*schema.Table]int64{schema.W3CIIS: 9, schema.WindowsEvents: 9},
	})
	if err == nil {
		t.Fatal("a part that didn't reach the state is said to be committed")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = openTestWriter(t, dir, testOptions())
	keys, err := w.KeysOf(t.Context(), KeyBatch)
	if diff := cmp.Diff([]KeyEntry{{Kind: KeyBatch, Key: [32]byte{1}, KeyValue: KeyValue{Count: 9}, US: 77}}, keys); diff != "" || err != nil {
		t.Errorf("keys of a settled part (-want +got):\n%s%v", diff, err)
	}
	positions, err := openStream(t, w, theLog).Positions(t.Context())
	if diff := cmp.Diff(map[string]int64{"windows_events": 9, "w3c_iis": 9}, positions); diff != "" || err != nil {
		t.Errorf("positions (-want +got):\n%s%v", diff, err)
	}
	if n := count(t, dir, schema.W3CIIS); n != 0 {
		t.Errorf("%d rows", n)
	}
	verifyClean(t, dir)
}

// TestHotRowsOfADeadServer looks at a lake whose server died: readers see the hot rows
// and are told that there may be more; a person's data isn't deleted half.
func TestHotRowsOfADeadServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	w, g, s := streamLake(t, dir, testOptions())
	rows := streamRows(t, s.table, s.source, 16, 3, s.us)
	if err := errors.Join(g.WriteHot(t.Context(), s.table, []*datafile.Rows{rows}, 4, 5), w.Close()); err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(l.Notice(), "may wait in its log until 'wadi serve' runs") || l.Close() != nil {
		t.Errorf("notice: %q", l.Notice())
	}
	if n := count(t, dir, s.table); n != 24+15+3 {
		t.Errorf("%d rows", n)
	}
	w = openTestWriter(t, dir, testOptions())
	var own *folder.Error
	all := func(int32, int64) bool { return true }
	if _, err := w.Delete(t.Context(), s.table, all, "x"); !errors.As(err, &own) || own.ExitCode() != 3 {
		t.Errorf("deletion of rows of which some wait: %v", err)
	}
	if g, err = s.open(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := g.ClearHot(t.Context()); err == nil {
		t.Error("hot rows are cleared that aren't in the table")
	}
	s.ends = append(s.ends, 18)
	if err := errors.Join(s.commit(t, t.Context(), g, 4, 5), g.ClearHot(t.Context()), g.Drained()); err != nil {
		t.Fatal(err)
	}
	if d, err := w.Delete(t.Context(), s.table, all, "x"); err != nil || d.Rows != 24+18 {
		t.Errorf("%+v, %v", d, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(t.Context(), dir, testOptions()); err != nil {
		t.Fatal(err)
	}
	if l.Notice() != "" || l.Close() != nil {
		t.Errorf("notice after the server has ended: %q", l.Notice())
	}
}

// TestHotFilesAreAChain writes what doesn't fit.
func TestHotFilesAreAChain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	_, g, s := streamLake(t, dir, testOptions())
	rows := []*datafile.Rows{streamRows(t, s.table, s.source, 16, 3, s.us)}
	for name, at := range map[string][2]int64{"a gap": {5, 6}, "rows that are in the table": {3, 6}, "nothing": {4, 4}} {
		if err := g.WriteHot(t.Context(), s.table, rows, at[0], at[1]); err == nil {
			t.Errorf("%s is written", name)
		}
	}
	if err := g.WriteHot(t.Context(), s.table, nil, 4, 6); err == nil {
		t.Error("no rows are written")
	}
	if err := g.WriteHot(t.Context(), s.table, rows, 4, 8); err != nil {
		t.Fatal(err)
	}
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Commit(t.Context(), PartResult{Positions: map[*schema.Table]int64{s.table: 6}}); err == nil {
		t.Error("a commit ends within a hot file")
	}
	// A file that was given up, and one of another log, are not in the chain.
	for _, name := range []string{"_9_12_5_v1.parquet", "_4_7_1_v1.parquet"} {
		if err := os.WriteFile(filepath.Join(dir, folder.HotName, s.table.Name, g.hex()+name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, dir, s.table); n != 24+15+3 {
		t.Errorf("%d rows", n)
	}
}

// TestRequestsAreForgotten keeps the keys of requests for an hour, a bounded number.
func TestRequestsAreForgotten(t *testing.T) {
	o := testOptions()
	w := openTestWriter(t, t.TempDir(), o)
	g := openStream(t, w, theLog)
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var keys []KeyEntry
	for i := range 10 {
		keys = append(keys, KeyEntry{Kind: KeyRequest, Key: [32]byte{byte(i)}, US: testTime.Add(time.Duration(i-9) * 10 * time.Minute).UnixMicro()})
	}
	keys = append(keys, KeyEntry{Kind: KeyBatch, Key: [32]byte{1}, US: 1})
	if err := p.Commit(t.Context(), PartResult{Keys: keys, Positions: map[*schema.Table]int64{schema.W3CIIS: 1}}); err != nil {
		t.Fatal(err)
	}
	left := func() map[byte]bool {
		all, err := w.KeysOf(t.Context(), KeyRequest)
		if err != nil {
			t.Fatal(err)
		}
		m := map[byte]bool{}
		for _, k := range all {
			m[k.Key[0]] = true
		}
		return m
	}
	if err := w.Upkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := left(); !maps.Equal(got, map[byte]bool{3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true}) {
		t.Errorf("after an hour: %v", got)
	}
	if err := w.state.DropRequests(t.Context(), 0, 2); err != nil {
		t.Fatal(err)
	}
	if got := left(); !maps.Equal(got, map[byte]bool{8: true, 9: true}) {
		t.Errorf("two at most: %v", got)
	}
	if batches, err := w.KeysOf(t.Context(), KeyBatch); err != nil || len(batches) != 1 {
		t.Errorf("batches: %v, %v", batches, err)
	}
	if _, err := w.state.DropKeys(t.Context(), []catalog.KeyCut{{Kind: KeyEVTX, BeforeUS: 1 << 60}}, nil); err != nil {
		t.Fatal(err)
	}
	if got := left(); len(got) != 2 {
		t.Errorf("retention takes the requests: %v", got)
	}
}

// TestAClockSetBack goes on with a stream after the machine's clock was set back by a
// day: commits, a position alone, a new column, upkeep, a restored copy.
func TestAClockSetBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	o := testOptions()
	ahead := time.Now().Add(24 * time.Hour)
	o.Now = func() time.Time { return ahead }
	w, g, s := streamLake(t, dir, o)
	if err := w.CreateTable(t.Context(), custom(t, "Probe_CL", "TimeGenerated:datetime, n:long")); err != nil {
		t.Fatal(err)
	}
	w.opts.Now = time.Now
	s.ends = append(s.ends, 20)
	if err := s.commit(t, t.Context(), g, 4, 5); err != nil {
		t.Fatal(err)
	}
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.IngestedAtUS < ahead.UnixMicro() {
		t.Errorf("_IngestedAt goes back by %v", ahead.Sub(time.UnixMicro(p.IngestedAtUS)))
	}
	if err := p.Commit(t.Context(), PartResult{Positions: map[*schema.Table]int64{s.table: 6, schema.W3CIIS: 6}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AlterTable(t.Context(), "Probe_CL", "more:string"); err != nil {
		t.Fatal(err)
	}
	if err := w.Upkeep(t.Context()); err != nil {
		t.Fatal(err)
	}
	positions, err := g.Positions(t.Context())
	if diff := cmp.Diff(map[string]int64{"windows_events": 6, "w3c_iis": 6}, positions); diff != "" || err != nil {
		t.Errorf("positions (-want +got):\n%s%v", diff, err)
	}
	if n := count(t, dir, s.table); n != 24+20 {
		t.Errorf("%d rows", n)
	}
	backup, restored := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	if _, err := w.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	o.Now = time.Now
	if _, err := Restore(t.Context(), backup, restored, o); err != nil {
		t.Fatal(err)
	}
	if n := count(t, restored, s.table); n != 24+20 {
		t.Errorf("%d rows are restored", n)
	}
}

// TestWaitingRowsAreBroughtIn backs a lake up and deletes rows while a stream has rows
// that aren't committed.
func TestWaitingRowsAreBroughtIn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	w, g, s := streamLake(t, dir, testOptions())
	at := 4
	hot := func() {
		s.ends = append(s.ends, s.ends[len(s.ends)-1]+3)
		at++
		if err := g.WriteHot(t.Context(), s.table, []*datafile.Rows{s.rows(t, at-1, at)}, int64(at-1), int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	flushes := 0
	g.OnFlush(func(ctx context.Context) error {
		flushes++
		return errors.Join(s.commit(t, ctx, g, at-1, at), w.RetireHot(s.table, int64(at)))
	})
	hot()
	backup := filepath.Join(t.TempDir(), "backup")
	if _, err := w.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if n := count(t, backup, s.table); n != 24+18 {
		t.Errorf("%d rows are backed up", n)
	}
	hot()
	d, err := w.Delete(t.Context(), s.table, func(source int32, _ int64) bool { return source == s.source }, "the stream")
	if err != nil || d.Rows != 21 || flushes != 2 {
		t.Errorf("%+v, %d flushes, %v", d, flushes, err)
	}
	if n := count(t, dir, s.table); n != 24 {
		t.Errorf("%d rows are left", n)
	}
	fault := errors.New("the log is broken")
	g.OnFlush(func(context.Context) error { return fault })
	if _, err := w.Delete(t.Context(), s.table, func(int32, int64) bool { return true }, "x"); !errors.Is(err, fault) {
		t.Errorf("deletion beside a broken log: %v", err)
	}
	if err := g.Drained(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Delete(t.Context(), s.table, func(int32, int64) bool { return true }, "x"); err != nil {
		t.Error(err)
	}
}
