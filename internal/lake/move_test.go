package lake

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

// verifyClean checks that a lake has no fault and gives the counts.
func verifyClean(t *testing.T, dir string) Verified {
	t.Helper()
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	v, err := l.Verify(t.Context(), func(f Fault) {
		if !f.Orphan {
			t.Errorf("%s: %s", f.Path, f.Reason)
		}
	})
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBackupAndRestore(t *testing.T) {
	top := t.TempDir()
	dir, saved, restored := filepath.Join(top, "lake"), filepath.Join(top, "saved"), filepath.Join(top, "restored")
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 3, 10)
	got, err := w.Lake.Backup(t.Context(), saved) // while the writer is there
	if err != nil || got.Files == 0 {
		t.Fatal(got, err)
	}
	importRows(t, w, "", 1, 10)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, saved, schema.WindowsEvents); n != 30 {
		t.Errorf("the backup has %d rows, want 30", n)
	}
	if _, err := (&Lake{dir: saved, opts: testOptions().withDefaults()}).Backup(t.Context(), restored); err == nil {
		t.Error("a lake that isn't there is backed up")
	}
	var own *folder.Error
	if l, err := Open(t.Context(), saved, testOptions()); err != nil {
		t.Fatal(err)
	} else if _, err := l.Backup(t.Context(), dir); !errors.As(err, &own) || own.ExitCode() != 3 {
		t.Errorf("a backup into a folder that isn't empty: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), saved, restored, testOptions()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, restored, schema.WindowsEvents); n != 30 {
		t.Errorf("the restored lake has %d rows, want 30", n)
	}
	if n := count(t, restored, schema.WadiAudit); n != 2 { // relocate, restore
		t.Errorf("the restored lake has %d rows of wadi_audit, want 2", n)
	}
	if v := verifyClean(t, restored); v.Unsummed != 0 || v.Rows == 0 {
		t.Errorf("verify: %+v", v)
	}
	// The keys came along: importing again would be seen as a duplicate.
	r := openTestWriter(t, restored, testOptions())
	if _, ok, err := r.Key(t.Context(), "", KeyEVTX, [32]byte{3, 3, 1}); err != nil || !ok {
		t.Errorf("a key is lost: %v", err)
	}
	importRows(t, r, "", 1, 5)
	if n := count(t, restored, schema.WindowsEvents); n != 35 {
		t.Errorf("after another import: %d rows, want 35", n)
	}
}

func TestAMovedLakeIsReadAndRelocated(t *testing.T) {
	top := t.TempDir()
	dir, moved := filepath.Join(top, "here"), filepath.Join(top, "there")
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "", 2, 10)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	if n := count(t, moved, schema.WindowsEvents); n != 20 {
		t.Errorf("moved: %d rows", n)
	}
	w = openTestWriter(t, moved, testOptions())
	if !strings.Contains(w.Notice(), "relocate") {
		t.Errorf("notice: %q", w.Notice())
	}
	importRows(t, w, "", 1, 10) // writing goes on in the old terms
	from, did, err := w.Relocate(t.Context())
	if err != nil || !did || from != dir {
		t.Fatal(from, did, err)
	}
	if _, did, err := w.Relocate(t.Context()); did || err != nil {
		t.Errorf("a second time: %v %v", did, err)
	}
	importRows(t, w, "", 1, 10)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, moved, schema.WindowsEvents); n != 40 {
		t.Errorf("relocated: %d rows", n)
	}
	if v := verifyClean(t, moved); v.Unsummed != 0 {
		t.Errorf("verify: %+v", v)
	}
	foreignReader(t, moved, "windows_events", 40)
}

// foreignReader counts a table's rows with PyIceberg, where it can be had.
func foreignReader(t *testing.T, dir, name string, want int) {
	t.Helper()
	python := os.Getenv("WADI_PYTHON")
	if python == "" {
		t.Log("WADI_PYTHON is unset: not checked with PyIceberg")
		return
	}
	const script = `import sys
from pyiceberg.catalog.sql import SqlCatalog
c = SqlCatalog("wadi", uri="sqlite:///" + sys.argv[1].replace("%", "%25") + "/catalog.db")
print(c.load_table("default." + sys.argv[2]).scan().to_arrow().num_rows)`
	out, err := exec.Command(python, "-c", script, dir, name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := strings.TrimSpace(string(out)); got != itoa(want) {
		t.Errorf("PyIceberg reads %s rows, want %d", got, want)
	}
}
