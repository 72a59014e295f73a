package files

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	evtxBytes = append([]byte("ElfFile\x00"), bytes.Repeat([]byte{7}, 9000)...)
	w3cBytes  = []byte("#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time\r\n2020-01-01 00:00:00\r\n")
)

func gz(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func zipOf(members ...any) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		f, err := w.Create(members[i].(string))
		if err != nil {
			panic(err)
		}
		f.Write(members[i+1].([]byte))
	}
	w.Close()
	return b.Bytes()
}

// openAll lists and opens paths and prints what was given.
func openAll(t *testing.T, cfg Config, paths ...string) (given []string) {
	t.Helper()
	entries, failures, err := List(t.Context(), nil, paths)
	if err != nil {
		t.Fatal(err)
	}
	failed := func(f *Failure) { given = append(given, "FAIL "+f.Error()) }
	for _, f := range failures {
		failed(f)
	}
	for _, e := range entries {
		err := e.Open(t.Context(), cfg, func(in *Input) error {
			line := fmt.Sprintf("%s %s %d", in.Name, in.Kind, in.SizeBytes)
			if in.Kind != NotALog {
				data, err := io.ReadAll(io.NewSectionReader(in.Content, 0, in.SizeBytes))
				if err != nil {
					t.Error(err)
				}
				switch {
				case bytes.Equal(data, evtxBytes), bytes.Equal(data, w3cBytes):
				case in.Damage != "":
					line += " damage: " + in.Damage
				default:
					t.Errorf("%s: other content", in.Name)
				}
			} else if in.SizeBytes == 0 {
				line = in.Name + " skipped"
			}
			given = append(given, line)
			return nil
		}, failed)
		if err != nil {
			t.Fatal(err)
		}
	}
	return given
}

func TestEveryWayToNameALog(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a/wrong-name.txt", evtxBytes)
	write("a/u_ex.log", w3cBytes)
	write("a/picture.evtx", []byte("\x89PNG"))
	write("a/lake/wadi-lake.json", []byte("{}"))
	write("a/lake/inside.evtx", evtxBytes)
	write("b/x.evtx.gz", gz(evtxBytes))
	write("b/y.zip", zipOf("readme.md", []byte("hi"), "in/z.log", w3cBytes, "deep.zip", zipOf("w.gz", gz(evtxBytes))))
	write("b/broken.zip", []byte("PK\x03\x04 and nothing"))
	write("empty", nil)
	cfg := Config{TempDir: t.TempDir(), Stdin: bytes.NewReader(gz(w3cBytes))}
	t.Chdir(dir)
	got := openAll(t, cfg, "a", "b/*", "a/u_ex.log", "-", "empty", "nosuch", "no*such")
	want := []string{
		"FAIL nosuch: no such file or directory",
		"FAIL no*such: no file matches",
		"a/picture.evtx  4",
		"a/u_ex.log w3c 98",
		"a/wrong-name.txt evtx 9008",
		"FAIL b/broken.zip: cannot read: zip: not a valid zip file",
		"b/x.evtx.gz evtx 9008",
		"b/y.zip!readme.md skipped",
		"b/y.zip!in/z.log w3c 98",
		"b/y.zip!deep.zip!w.gz evtx 9008",
		"- w3c 98",
		"empty skipped",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("inputs (-want +got):\n%s", d)
	}
	left, err := os.ReadDir(cfg.TempDir)
	if err != nil || len(left) != 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

func TestWhatArchivesMayCost(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("zeros.gz", gz(make([]byte, 50<<20)))
	write("big.gz", gz(evtxBytes))
	deep := evtxBytes
	for range MaxDepth + 1 {
		deep = gz(deep)
	}
	write("deep.gz", deep)
	write("cut.gz", gz(append(append([]byte{}, evtxBytes...), []byte(strings.Repeat("0123456789", 20000))...))[:200])
	got := openAll(t, Config{TempDir: dir, MaxSpoolBytes: 9007}, "zeros.gz", "big.gz", "deep.gz")
	want := []string{"zeros.gz skipped", "FAIL big.gz: cannot read: unpacked it is larger than 9007 bytes", "FAIL deep.gz: archives are nested deeper than 3"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("inputs (-want +got):\n%s", d)
	}
	got = openAll(t, Config{TempDir: dir}, "cut.gz")
	if len(got) != 1 || !strings.HasPrefix(got[0], "cut.gz evtx ") || !strings.Contains(got[0], "damage: cut off at byte ") {
		t.Errorf("cut: %q", got)
	}
}

func TestTheVisitorsErrorAndCancelEndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.zip")
	if err := os.WriteFile(path, zipOf("a", evtxBytes, "b", evtxBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	n := 0
	err := Entry{Path: path}.Open(t.Context(), Config{TempDir: t.TempDir()}, func(*Input) error { n++; return boom }, func(f *Failure) { t.Error(f) })
	if !errors.Is(err, boom) || n != 1 {
		t.Errorf("visited %d, %v", n, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	err = Entry{Path: path}.Open(ctx, Config{TempDir: t.TempDir()}, func(*Input) error { cancel(boom); return nil }, func(f *Failure) { t.Error(f) })
	if !errors.Is(err, boom) {
		t.Errorf("after cancel: %v", err)
	}
}

func TestSniffTheCorpus(t *testing.T) {
	corpus := os.Getenv("WADI_CORPUS")
	if corpus == "" {
		t.Skip("WADI_CORPUS is not set: no real logs to look at")
	}
	for folder, want := range map[string]Kind{"evtx": EVTX, "iis": W3C} {
		entries, failures, err := List(t.Context(), nil, []string{filepath.Join(corpus, folder)})
		if err != nil || len(failures) != 0 {
			t.Fatal(failures, err)
		}
		n := 0
		for _, e := range entries {
			err := e.Open(t.Context(), Config{TempDir: t.TempDir()}, func(in *Input) error {
				if in.Kind == want {
					n++
				} else if strings.HasSuffix(e.Path, "."+want.String()) || strings.HasSuffix(e.Path, ".log") {
					t.Logf("%s (%d bytes) is no %s", in.Name, in.SizeBytes, want)
				}
				return nil
			}, func(f *Failure) { t.Error(f) })
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s: %d of %d files are logs", folder, n, len(entries))
		if n < len(entries)*9/10 {
			t.Errorf("%s: only %d of %d files are %s", folder, n, len(entries), want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, seed := range [][]byte{evtxBytes, w3cBytes, gz(w3cBytes), zipOf("a", w3cBytes), gz(zipOf("a", gz(evtxBytes)))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg := Config{TempDir: t.TempDir(), Stdin: bytes.NewReader(data), MaxSpoolBytes: 1 << 20}
		err := Entry{Path: "-"}.Open(t.Context(), cfg, func(in *Input) error {
			if in.Kind == NotALog {
				return nil
			}
			n, err := io.Copy(io.Discard, io.NewSectionReader(in.Content, 0, in.SizeBytes))
			if err != nil || n != in.SizeBytes || n > cfg.MaxSpoolBytes {
				t.Errorf("%s: %d of %d bytes, %v", in.Name, n, in.SizeBytes, err)
			}
			return nil
		}, func(*Failure) {})
		if err != nil {
			t.Error(err)
		}
	})
}
