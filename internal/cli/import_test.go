package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
	"github.com/wadi-project/wadi/internal/lake"
)

// smallLog is an event log of n records.
func smallLog(n int) []byte {
	b := evtxtest.NewBuilder()
	c := b.Chunk()
	for id := range n {
		c.Record(uint64(id+1), 134_116_992_000_000_000, func(x *evtxtest.XML) {
			x.Fragment()
			x.Element("Event", func() {
				x.Element("System", func() {
					x.Element("EventID", func() { x.Text("1") })
					x.OpenAttrs("TimeCreated")
					x.Attr("SystemTime", false)
					x.Text("2026-01-01T00:00:00.0000000Z")
					x.CloseEmpty()
				})
			})
			x.EOF()
		})
	}
	return b.Bytes()
}

func put(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImportSaysWhatBecameOfEverything(t *testing.T) {
	data, dir := filepath.Join(t.TempDir(), "lake"), t.TempDir()
	put(t, dir, "a.evtx", smallLog(3))
	put(t, dir, "b.log", []byte("#Fields: date time sc-status\n2026-01-01 00:00:00 200\n2026-01-01 00:00:00\n"))
	put(t, dir, "c.txt", []byte("no log"))
	code, out, errs := run(t, "", "--data", data, "import", dir, "--verbose")
	for _, want := range []string{
		"a.evtx: evtx, read 3, stored 3, duplicate 0, damaged 0\n", "b.log: w3c, read 2, stored 2, duplicate 0, damaged 0\n  line 3: ",
		"read 5 records of 2 logs in ", "\n  stored                5, 1 of them with damage", "\n  duplicate             0\n  damaged               0\n", "\nskipped 1 file that is no log\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code != CodeDone || errs != "" {
		t.Errorf("code %d, %s", code, errs)
	}
	code, out, errs = run(t, "", "--data", data, "import", dir, "--json", "--verbose")
	var got struct {
		Files, Skipped, Failed, Read, Stored, Duplicate, Damaged int
		Seconds                                                  float64
		PerFile                                                  []struct {
			Name                             string
			Read, Stored, Duplicate, Damaged int
		} `json:"per_file"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != CodeDone {
		t.Fatalf("%v, code %d, %s%s", err, code, out, errs)
	}
	if got.Files != 2 || got.Skipped != 1 || got.Read != 5 || got.Duplicate != 5 || got.Stored != 0 || got.Seconds <= 0 || len(got.PerFile) != 2 || got.PerFile[0].Duplicate != 3 {
		t.Errorf("%+v", got)
	}
	code, out, _ = run(t, string(smallLog(4)), "--data", data, "import", "-", "--case", "x", "--keep-duplicates", "--zone", "+02:00")
	if code != CodeDone || !strings.Contains(out, "read 4 records of 1 log in ") {
		t.Errorf("code %d, %s", code, out)
	}
}

func TestImportExitCodes(t *testing.T) {
	data, dir := filepath.Join(t.TempDir(), "lake"), t.TempDir()
	path := put(t, dir, "a.evtx", smallLog(2))
	code, out, errs := run(t, "", "--data", data, "import", path, filepath.Join(dir, "missing.evtx"))
	if code != CodeFailed || !strings.Contains(out, "read 2 records") || !strings.HasPrefix(errs, "wadi: cannot read ") || !strings.Contains(errs, "missing.evtx: no such file") {
		t.Errorf("a missing file: code %d\n%s\n%s", code, out, errs)
	}
	for _, args := range [][]string{{}, {path, "--zone", "Nowhere/There"}, {path, "--zone", "Local"}} {
		if code, _, errs := run(t, "", append([]string{"--data", data, "import"}, args...)...); code != CodeUsage || !strings.Contains(errs, "\nhint: ") {
			t.Errorf("%v: code %d, %s", args, code, errs)
		}
	}
	w, err := lake.OpenWriter(t.Context(), data, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs = run(t, "", "--data", data, "import", path)
	if code != CodeNothingDone || out != "" || !strings.HasPrefix(errs, "wadi: cannot ") {
		t.Errorf("a locked lake: code %d, %s%s", code, out, errs)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestInterruptedImportSaysSo(t *testing.T) {
	var out, errs bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	app := &App{Stdin: cancelReader{cancel}, Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	code := app.Run(ctx, []string{"--data", filepath.Join(t.TempDir(), "lake"), "import", "-"})
	if code != CodeFailed || !strings.HasPrefix(errs.String(), "wadi: cannot finish the import: it was interrupted\nhint: ") {
		t.Errorf("code %d, %s%s", code, out.String(), errs.String())
	}
}

// cancelReader is a pipe during which somebody presses Ctrl-C.
type cancelReader struct{ cancel func() }

func (r cancelReader) Read(p []byte) (int, error) {
	r.cancel()
	return copy(p, "#Fields: date time\n"), io.EOF
}

func TestProgressLine(t *testing.T) {
	p := bulk.Progress{Files: 1, FilesTotal: 3, Bytes: 250, BytesTotal: 1000, Records: 12345}
	if got, want := progressLine(p, 10*time.Second), " 12,345 records, 1,234/s, file 2 of 3, 30s left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.Committing = true
	if got := progressLine(p, time.Second); !strings.HasSuffix(got, ", writing") {
		t.Error(got)
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := count(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestTheBarMovesAndEnds(t *testing.T) {
	var out bytes.Buffer
	move, end := showProgress(&out)
	for i := range int64(1000) {
		move(bulk.Progress{Bytes: i, BytesTotal: 1000, Records: i})
	}
	move(bulk.Progress{Bytes: 1000, BytesTotal: 1000, Committing: true})
	end()
}
