package lake

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/store"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// TestDeathBeforeEveryStep copies the folder before every change of a commit, as
// a process leaves it that dies there, and opens each copy.
func TestDeathBeforeEveryStep(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "lake")
	o := testOptions()
	w := openTestWriter(t, dir, o)
	importRows(t, w, "", 1, 10)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var copies []string
	step := func(string) error {
		to := filepath.Join(top, "dead", itoa(len(copies)))
		copies = append(copies, to)
		return os.CopyFS(to, os.DirFS(dir))
	}
	o.fs, o.fault = &stepFS{step: step}, step
	w = openTestWriter(t, dir, o)
	g, err := w.BeginLog(t.Context(), LogInfo{Door: "bulk"})
	if err != nil {
		t.Fatal(err)
	}
	first := len(copies)
	p, res := fillPart(t, g, 7)
	if err := p.Commit(t.Context(), res); err != nil {
		t.Fatal(err)
	}
	_ = step("after")
	var before, after int
	for i, dead := range copies[first:] {
		w := openTestWriter(t, dead, testOptions())
		rows, sources, entries := count(t, dead, schema.WindowsEvents), count(t, dead, schema.Sources), count(t, dead, schema.Ledger)
		_, known, err := w.Key(t.Context(), "", KeyEVTX, [32]byte{1, 2, 1})
		switch {
		case err != nil:
			t.Errorf("step %d: %v", i, err)
		case rows == 10 && sources == 1 && entries == 1 && !known:
			before++
		case rows == 17 && sources == 2 && entries == 2 && known:
			after++
		default:
			t.Errorf("step %d: %d rows, %d sources, %d ledger rows, key %v: neither before nor after", i, rows, sources, entries, known)
		}
		if n := dataFiles(t, dead); int64(n) != rows/7 { // one file each
			t.Errorf("step %d: %d data files for %d rows", i, n, rows)
		}
		importRows(t, w, "", 1, 5)
		if n := count(t, dead, schema.WindowsEvents); n != rows+5 {
			t.Errorf("step %d: %d rows after another import, want %d", i, n, rows+5)
		}
		if err := w.Close(); err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if before == 0 || after < 2 {
		t.Errorf("%d copies are before, %d after: the commit isn't in between", before, after)
	}
}

// stepFS calls step before each change.
type stepFS struct {
	folder.OS
	step func(string) error
}

func (f *stepFS) Create(name string) (folder.File, error) {
	if err := f.step(name); err != nil {
		return nil, err
	}
	return f.OS.Create(name)
}

func (f *stepFS) Rename(from, to string) error {
	if err := f.step(to); err != nil {
		return err
	}
	return f.OS.Rename(from, to)
}

func (f *stepFS) SyncDir(name string) error {
	return errors.Join(f.step(name), f.OS.SyncDir(name))
}

func (f *stepFS) Remove(name string) error {
	return errors.Join(f.step(name), f.OS.Remove(name))
}

// foreignCommit adds a file of n rows to windows_events as another program would:
// without Wadi's mark in the snapshot.
func foreignCommit(t *testing.T, dir string, n int) {
	t.Helper()
	p, err := catalog.OpenPointers(t.Context(), filepath.Join(dir, folder.CatalogName), catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &store.Store{FS: folder.OS{}, Dir: dir, Root: dir, Pointers: p}
	us := testTime.UnixMicro()
	sorter := datafile.NewSorter(datafile.SorterConfig{Table: schema.WindowsEvents, MemoryBytes: 1 << 20, Workers: 1})
	defer sorter.Close()
	if err := sorter.Add(t.Context(), rowsOf(t, schema.WindowsEvents, 900, 1, us, n)); err != nil {
		t.Fatal(err)
	}
	w := &Writer{Lake: &Lake{dir: dir, opts: testOptions().withDefaults(), store: s}}
	j := &job{w: w, id: "foreign-" + itoa(n)}
	files, err := sorter.Finish(t.Context(), j.output(schema.WindowsEvents, us))
	if err != nil {
		t.Fatal(err)
	}
	c := store.Change{Table: schema.WindowsEvents, Op: table.OpAppend}
	for _, f := range files {
		c.Add = append(c.Add, store.Added{File: f, US: us})
	}
	if err := errors.Join(s.Commit(t.Context(), testTime, []store.Change{c}), p.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAForeignCommitIsKeptAndSaid(t *testing.T) {
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 1, 10)
	foreignCommit(t, dir, 4)
	importRows(t, w, "", 1, 10)
	if n := count(t, dir, schema.WindowsEvents); n != 24 {
		t.Errorf("%d rows, want 24", n)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = openTestWriter(t, dir, testOptions())
	if !strings.Contains(w.Notice(), "another program committed to windows_events") || strings.Contains(w.Notice(), "\n") {
		t.Errorf("notice: %q", w.Notice())
	}
	if v, err := w.Verify(t.Context(), func(Fault) {}); err != nil || v.Faults != 0 || v.Unsummed != 1 {
		t.Errorf("verify: %+v %v", v, err)
	}
}

func TestACommitThatLosesTheRaceIsBuiltAnew(t *testing.T) {
	dir := t.TempDir()
	raced := false
	o := testOptions()
	o.fault = func(op string) error {
		if op == "swap" && !raced {
			raced = true
			foreignCommit(t, dir, 4)
		}
		return nil
	}
	w := openTestWriter(t, dir, o)
	importRows(t, w, "", 1, 10)
	if n := count(t, dir, schema.WindowsEvents); n != 14 || !raced {
		t.Errorf("%d rows, want 14", n)
	}
	if v, err := w.Verify(t.Context(), func(Fault) {}); err != nil || v.Faults != 0 || v.Orphans != 0 {
		t.Errorf("verify: %+v %v", v, err)
	}
}

func TestAFullDiskIsOneClearLine(t *testing.T) {
	for _, err := range []error{errors.Join(errors.New("x"), syscall.ENOSPC)} {
		var own *folder.Error
		if err := folder.Explain(err); !errors.As(err, &own) || own.ExitCode() != 3 || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("%v", err)
		}
	}
}

func TestAReadOnlyFolderAnswers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 2, 10)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ro := readOnly(t, dir)
	if n := count(t, ro, schema.WindowsEvents); n != 20 {
		t.Errorf("%d rows, want 20", n)
	}
	verifyClean(t, ro)
	var own *folder.Error
	if _, err := OpenWriter(t.Context(), ro, testOptions()); !errors.As(err, &own) || own.ExitCode() != 3 {
		t.Errorf("a writer on a read-only folder: %v", err)
	}
}

// readOnly gives a view of dir that can't be written: a read-only mount for root,
// whom permissions don't bind, else by permissions.
func readOnly(t *testing.T, dir string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("read-only folders are tried on Linux only")
	}
	if os.Getuid() != 0 {
		if out, err := exec.Command("chmod", "-R", "a-w", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("chmod", "-R", "u+w", dir).Run() })
		return dir
	}
	ro := filepath.Join(t.TempDir(), "ro")
	if err := os.Mkdir(ro, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "--bind", dir, ro).CombinedOutput(); err != nil {
		t.Skipf("root isn't bound by permissions, and a read-only mount is refused: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", ro).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	if out, err := exec.Command("mount", "-o", "remount,ro,bind", ro).CombinedOutput(); err != nil {
		t.Skipf("root isn't bound by permissions, and a read-only mount is refused: %s", out)
	}
	return ro
}

func TestUpgradeCopiesFirstAndGoesStepByStep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 1, 10)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m, _, err := folder.ReadMark(folder.OS{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Format = 0 // as if there had been one
	var own *folder.Error
	if _, err := upgrade(t.Context(), folder.OS{}, dir, m, nil); !errors.As(err, &own) || own.ExitCode() != 3 {
		t.Errorf("an unknown format: %v", err)
	}
	steps := 0
	got, err := upgrade(t.Context(), folder.OS{}, dir, m, map[int]upgradeStep{
		0: func(context.Context, folder.FS, string) error { steps++; return nil }, 1: upgrades[1],
	})
	if err != nil || got.Format != folder.Format || steps != 1 {
		t.Errorf("%+v, %d steps, %v", got, steps, err)
	}
	for _, name := range []string{"catalog.db.format-0", "state.db.format-0"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := count(t, dir, schema.WindowsEvents); n != 10 {
		t.Errorf("%d rows", n)
	}
}

func TestTheReserveIsFreedForExpiry(t *testing.T) {
	dir := t.TempDir()
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 1, 10)
	path := filepath.Join(w.TempDir(), folder.ReserveName)
	if err := w.reserve(reserveFrom); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Size() != reserveBytes {
		t.Fatalf("no reserve: %v", err)
	}
	if _, err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a small lake keeps its reserve after expiry: %v", err)
	}
	if err := w.reserve(reserveFrom - 1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a small lake has a reserve: %v", err)
	}
}

func TestPinsAreVoidAfterTheirDeadlineOrProcess(t *testing.T) {
	dir := t.TempDir()
	now := testTime
	p := folder.PlacePin(folder.OS{}, dir, now, time.Minute)
	if p == nil {
		t.Fatal("no pin")
	}
	if us, ok, err := folder.OldestPin(folder.OS{}, dir, now.Add(time.Second)); err != nil || !ok || us != now.UnixMicro() {
		t.Errorf("a valid pin: %v %v %v", us, ok, err)
	}
	if _, ok, err := folder.OldestPin(folder.OS{}, dir, now.Add(2*time.Minute)); err != nil || ok {
		t.Errorf("a void pin: %v %v", ok, err)
	}
	// 4,194,305 is above the largest process id of Linux.
	if err := os.WriteFile(filepath.Join(dir, "4194305-1"), []byte(`{"made_us":1,"until_us":9000000000000000}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := folder.OldestPin(folder.OS{}, dir, now); err != nil || ok {
		t.Errorf("the pin of a dead process: %v %v", ok, err)
	}
	if err := os.WriteFile(filepath.Join(dir, itoa(os.Getpid())+"-99"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := folder.OldestPin(folder.OS{}, dir, time.Now()); err != nil || !ok {
		t.Errorf("a half-written pin protects as long as any may: %v %v", ok, err)
	}
	if p := folder.PlacePin(folder.OS{}, filepath.Join(dir, "none"), now, time.Minute); p != nil || p.Remove() != nil {
		t.Error("a pin in a missing folder")
	}
}
