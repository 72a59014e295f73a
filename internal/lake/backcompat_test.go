package lake

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/schema"
)

// unpack unpacks an archive of testdata/backcompat to a new folder.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.Clean("/"+h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOldLakesOpen(t *testing.T) {
	archives, err := filepath.Glob("../../testdata/backcompat/lake-*.tar.gz")
	if err != nil || len(archives) != Format {
		t.Fatalf("%d archives for %d formats, %v", len(archives), Format, err)
	}
	for _, a := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(a), ".tar.gz"), func(t *testing.T) { oldLake(t, unpack(t, a)) })
	}
}

// oldLake checks a lake made by the commands in testdata/backcompat/README.md.
func oldLake(t *testing.T, dir string) {
	want := map[string]int64{"windows_events": 88, "w3c_iis": 312, "sources": 4, "ledger": 4, "wadi_audit": 4}
	got := map[string]int64{}
	for name := range want {
		got[name] = count(t, dir, schema.LookupTable(name))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if v := verifyClean(t, dir); v.Unsummed != 0 {
		t.Errorf("%d files have lost their checksum", v.Unsummed)
	}
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Settings(t.Context())
	if err != nil || s.Days["w3c_iis"] != 400 || len(s.Holds) != 1 || len(s.Cases) != 2 || s.Cases[1].Days == nil {
		t.Errorf("settings: %+v, %v", s, err)
	}
	accounts, err := l.Accounts(t.Context())
	if err := errors.Join(err, l.Close()); err != nil || len(accounts) != 4 || accounts[3].Case != "inquiry" || accounts[3].Stored != 32 {
		t.Errorf("accounts: %+v, %v", accounts, err)
	}
	w := openTestWriter(t, dir, testOptions())
	importRows(t, w, "inquiry", 1, 10)
	if _, err := w.Compact(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := w.Relocate(t.Context()); err != nil {
		t.Error(err)
	}
	if n := count(t, dir, schema.WindowsEvents); n != want["windows_events"]+10 {
		t.Errorf("%d rows of windows_events after another import", n)
	}
	verifyClean(t, dir)
	foreignReader(t, dir, "windows_events", int(want["windows_events"])+10)
}
