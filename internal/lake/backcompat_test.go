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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"
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
	if err != nil || len(archives) != folder.Format {
		t.Fatalf("%d archives for %d formats, %v", len(archives), folder.Format, err)
	}
	for _, a := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(a), ".tar.gz"), func(t *testing.T) {
			dir := unpack(t, a)
			streams := int64(0)
			if filepath.Base(a) != "lake-1.tar.gz" { // the format before streams
				oldStream(t, dir)
				streams = 1
			}
			oldLake(t, dir, streams)
		})
	}
}

// oldStreamLog is the stream log of lakes of format 2 and later.
const oldStreamLog = "6f1d2c3b-4a59-4687-9d0e-1f2a3b4c5d6e"

// oldStream checks the stream of a lake that addOldStream made: 6 rows of w3c_iis in
// the table, 5 in hot files; then the stream goes on and all of it is deleted again.
func oldStream(t *testing.T, dir string) {
	if diff := cmp.Diff(upTo(11), streamSeen(t, dir)); diff != "" {
		t.Errorf("rows of the stream (-want +got):\n%s", diff)
	}
	w := openTestWriter(t, dir, testOptions())
	g := openStream(t, w, oldStreamLog)
	positions, err := g.Positions(t.Context())
	if diff := cmp.Diff(map[string]int64{"w3c_iis": 2, "windows_events": 2}, positions); diff != "" || err != nil {
		t.Errorf("positions (-want +got):\n%s%v", diff, err)
	}
	keys, err := w.KeysOf(t.Context(), KeySource)
	if err != nil || len(keys) != 1 {
		t.Fatalf("sources of the stream: %v, %v", keys, err)
	}
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := streamRows(t, schema.W3CIIS, keys[0].Source, 7, 5, p.IngestedAtUS)
	if err := p.Sorter(schema.W3CIIS).Add(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	err = errors.Join(p.Commit(t.Context(), PartResult{Positions: map[*schema.Table]int64{schema.W3CIIS: 3}}), g.ClearHot(t.Context()), g.Drained())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(upTo(11), streamSeen(t, dir)); diff != "" {
		t.Errorf("rows of the stream when it went on (-want +got):\n%s", diff)
	}
	d, err := w.Delete(t.Context(), schema.W3CIIS, func(source int32, _ int64) bool { return source == keys[0].Source }, "the stream")
	if err := errors.Join(err, w.Close()); err != nil || d.Rows != 11 {
		t.Errorf("%+v, %v", d, err)
	}
}

// streamSeen gives the _Seq of the rows of w3c_iis that came by the stream.
func streamSeen(t *testing.T, dir string) map[int64]int {
	t.Helper()
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Pin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var stream int64
	if err := r.sourcesOf(t.Context(), oldStreamLog, func(id int32) error { stream = int64(id); return nil }); err != nil {
		t.Fatal(err)
	}
	return seenOf(t, r, schema.W3CIIS, func(source int64) bool { return source == stream })
}

// TestMakeOldStream adds a stream to the lake that WADI_FIXTURE names, for the archive
// of a new format (testdata/backcompat/README.md).
func TestMakeOldStream(t *testing.T) {
	dir := os.Getenv("WADI_FIXTURE")
	if dir == "" {
		t.Skip("WADI_FIXTURE names no lake to add a stream to")
	}
	w := openTestWriter(t, dir, testOptions())
	g := openStream(t, w, oldStreamLog)
	source, err := g.AddSource(t.Context(), SourceInfo{Kind: "ingest", Subscription: "probe"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Sorter(schema.W3CIIS).Add(t.Context(), streamRows(t, schema.W3CIIS, source, 1, 6, p.IngestedAtUS)); err != nil {
		t.Fatal(err)
	}
	err = errors.Join(p.Commit(t.Context(), PartResult{
		Keys:      []KeyEntry{{Kind: KeySource, Key: [32]byte{1}, KeyValue: KeyValue{Source: source}}},
		Positions: map[*schema.Table]int64{schema.W3CIIS: 2, schema.WindowsEvents: 2},
	}), g.WriteHot(t.Context(), schema.W3CIIS, []*datafile.Rows{streamRows(t, schema.W3CIIS, source, 7, 5, p.IngestedAtUS)}, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
}

// oldLake checks a lake made by the commands in testdata/backcompat/README.md, and
// perhaps oldStream.
func oldLake(t *testing.T, dir string, streams int64) {
	want := map[string]int64{"windows_events": 88, "w3c_iis": 312, "sources": 4 + streams, "ledger": 4, "wadi_audit": 4 + streams}
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
	if err := errors.Join(err, l.Close()); err != nil || len(accounts) != 4+int(streams) || accounts[3].Case != "inquiry" || accounts[3].Stored != 32 {
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
