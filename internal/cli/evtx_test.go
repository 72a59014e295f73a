package cli

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// evtxLog gives a log of n records, two in each chunk.
func evtxLog(n int) []byte {
	b := evtxtest.NewBuilder()
	var c *evtxtest.Chunk
	for id := 1; id <= n; id++ {
		if id%2 == 1 {
			c = b.Chunk()
		}
		c.Record(uint64(id), uint64(id), func(x *evtxtest.XML) {
			x.Fragment()
			x.Open("Event")
			x.Close()
			x.Element("System", func() { x.Element("Channel", func() { x.Text("Security") }) })
			x.End()
			x.EOF()
		})
	}
	return b.Bytes()
}

const evtxEvent = "<Event><System><Channel>Security</Channel></System></Event>\n"

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// runIn is run with bytes on standard input.
func runIn(t *testing.T, stdin io.Reader, args ...string) (code Code, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	app := &App{Stdin: stdin, Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	code = app.Run(t.Context(), args)
	return code, out.String(), errs.String()
}

func TestEvtxDumpOfEverythingThatFilesOpens(t *testing.T) {
	t.Chdir(t.TempDir())
	log := evtxLog(3)
	var z, g bytes.Buffer
	zw := zip.NewWriter(&z)
	f, _ := zw.Create("in/one.evtx")
	f.Write(log)
	f, _ = zw.Create("readme.txt")
	f.Write([]byte("hello"))
	zw.Close()
	gw := gzip.NewWriter(&g)
	gw.Write(log)
	gw.Close()
	writeFile(t, "d/a.evtx", log)
	writeFile(t, "d/notes.txt", []byte("no log"))
	writeFile(t, "b.zip", z.Bytes())
	writeFile(t, "c.evtx.gz", g.Bytes())
	for _, args := range [][]string{{"d"}, {"d/a.evtx"}, {"d/*.evtx"}, {"b.zip"}, {"c.evtx.gz"}, {"-"}} {
		code, out, errs := runIn(t, bytes.NewReader(log), append([]string{"evtx", "dump"}, args...)...)
		if code != CodeDone || out != strings.Repeat(evtxEvent, 3) || errs != "" {
			t.Errorf("%v: code %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
	code, out, errs := runIn(t, nil, "evtx", "dump", "--format", "json", "d", "b.zip")
	var all []any
	if err := json.Unmarshal([]byte(out), &all); code != CodeDone || err != nil || len(all) != 6 || errs != "" {
		t.Errorf("json: code %d, %v, %d objects, stderr %q", code, err, len(all), errs)
	}
	code, out, _ = runIn(t, nil, "evtx", "dump", "--flat", "d")
	if code != CodeDone || out != strings.Repeat(`{"Channel":"Security"}`+"\n", 3) {
		t.Errorf("flat: code %d, %q", code, out)
	}
	code, out, _ = runIn(t, nil, "evtx", "info", "d", "c.evtx.gz")
	if code != CodeDone || strings.Count(out, "\n  records   3, identifiers 1 to 3\n") != 2 || !strings.Contains(out, "\n\nc.evtx.gz\n") {
		t.Errorf("info: code %d, %s", code, out)
	}
}

func TestEvtxDamageIsReportedAndNoFailure(t *testing.T) {
	t.Chdir(t.TempDir())
	log := evtxLog(4)
	log[4096+512]++
	writeFile(t, "a.evtx", log)
	code, out, errs := runIn(t, nil, "evtx", "dump", "a.evtx")
	want := "a.evtx: chunk 0, offset 4096: the checksum of the chunk's records is wrong\n" +
		"a.evtx: chunk 0, offset 4608, record 1: no readable record here; reading went on at record 2\n"
	// The first record held the names that the second one refers to by offset, and
	// they are still there.
	if code != CodeDone || out != strings.Repeat(evtxEvent, 3) {
		t.Errorf("code %d, stdout %q", code, out)
	}
	if d := cmp.Diff(want, errs); d != "" {
		t.Error(d)
	}
}

func TestEvtxFilesThatCannotBeOpened(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "a.evtx", evtxLog(1))
	writeFile(t, "text", []byte("hello"))
	for _, cmd := range []string{"dump", "info"} {
		code, out, errs := runIn(t, nil, "evtx", cmd, "nosuch", "text", "a.evtx")
		want := "wadi: cannot open nosuch: no such file or directory\n" +
			"wadi: cannot open text: it is no event log\n" +
			"wadi: cannot open 2 of the named files\n"
		if code != CodeFailed || out == "" {
			t.Errorf("%s: code %d, stdout %q", cmd, code, out)
		}
		if d := cmp.Diff(want, errs); d != "" {
			t.Errorf("%s: %s", cmd, d)
		}
	}
	for _, args := range [][]string{{"dump"}, {"info"}, {"dump", "--format", "csv", "a.evtx"}, {"dump", "--flat", "--format", "xml", "a.evtx"}} {
		code, out, errs := runIn(t, nil, append([]string{"evtx"}, args...)...)
		if code != CodeUsage || out != "" || !strings.Contains(errs, "\nhint: ") {
			t.Errorf("%v: code %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
}

// TestEvtxEndsQuietly lets the reader of the output go, and Ctrl-C come.
func TestEvtxEndsQuietly(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "a.evtx", evtxLog(40))
	for _, format := range []string{"xml", "json"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		var errs bytes.Buffer
		app := &App{Stdout: w, Stderr: &errs, Getenv: func(string) string { return "" }}
		code := app.Run(t.Context(), []string{"evtx", "dump", "--format", format, "a.evtx"})
		if w.Close(); code != CodeFailed || errs.String() != "" {
			t.Errorf("closed pipe: code %d, stderr %q", code, errs.String())
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupt signal received"))
	var out, errs bytes.Buffer
	app := &App{Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	if code := app.Run(ctx, []string{"evtx", "dump", "a.evtx"}); code != CodeFailed || errs.String() != "" {
		t.Errorf("cancelled: code %d, stderr %q", code, errs.String())
	}
}
