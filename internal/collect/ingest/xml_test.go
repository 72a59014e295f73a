//go:build cgo

package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/collect/windowsrow"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// storedEvents gives all events of a lake as text, sorted: every column but those
// that name the row.
func storedEvents(t testing.TB, dir string) (rows, texts []string) {
	t.Helper()
	l, err := lake.Open(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	point, err := l.Pin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer point.Close()
	files, err := point.Table(schema.WindowsEvents)
	if err != nil {
		t.Fatal(err)
	}
	cols := windowsrow.FindColumns()
	for _, f := range files.Files {
		if err := datafile.Read(t.Context(), datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, schema.WindowsEvents, nil, datafile.Filter{}, func(r datafile.Row) error {
			var b strings.Builder
			for i, c := range schema.WindowsEvents.Columns {
				if r.Null(i) || c.Name == "_Source" || c.Name == "_Seq" || c.Name == "_IngestedAt" {
					continue
				}
				if c.Disk == schema.DiskString {
					fmt.Fprintf(&b, "%s=%s\n", c.Name, r.Bytes(i))
				} else {
					n, _ := r.Int(i)
					fmt.Fprintf(&b, "%s=%d\n", c.Name, n)
				}
			}
			rows = append(rows, b.String())
			texts = append(texts, string(cols.AppendXML(nil, r)))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(rows)
	slices.Sort(texts)
	return rows, texts
}

// xmlRows renders a log's events as rows with _Xml, as a sender of Wadi does.
func xmlRows(t testing.TB, log []byte) (rows, texts []string) {
	t.Helper()
	file, err := evtx.Open(bytes.NewReader(log), int64(len(log)))
	if err != nil {
		return nil, nil
	}
	d, buf := evtx.NewDecoder(), make([]byte, evtx.ChunkSize)
	for _, c := range file.Chunks() {
		data, err := file.ReadChunk(c, buf)
		if err != nil {
			t.Fatal(err)
		}
		d.Open(c, data)
		var r evtx.Record
		for d.Next(&r) {
			xml, err := d.AppendXML(nil, &r)
			if err != nil {
				continue // damaged, and not stored by an import either
			}
			row := fmt.Appendf(nil, `{"_Xml":%s,"_RecordTime":%d`, dyn.AppendString(nil, xml), event.FromFiletime(r.Filetime))
			if r.Damage != "" {
				row = append(append(row, `,"_Damage":`...), dyn.AppendString(nil, []byte(r.Damage))...)
			}
			rows, texts = append(rows, string(append(row, '}'))), append(texts, string(xml))
		}
	}
	return rows, texts
}

// TestXMLAsImported sends the events of real logs as _Xml and imports the logs:
// the rows are the same in every column, and the texts are those sent, byte for
// byte.
func TestXMLAsImported(t *testing.T) {
	corpus := os.Getenv("WADI_CORPUS")
	if corpus == "" {
		t.Skip("WADI_CORPUS is not set: no real events to send")
	}
	paths, err := evtxtest.SortedFiles(filepath.Join(corpus, "evtx"))
	if err != nil || len(paths) == 0 {
		t.Fatal(err, len(paths))
	}
	target, d := testTarget(t, "Event"), newTestDecoder()
	var all []*datafile.Rows
	var sentTexts []string
	for _, path := range paths {
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rows, texts := xmlRows(t, log)
		for i := 0; i < len(rows); {
			out := &Result{}
			n := min(500, len(rows)-i)
			err := d.Decode(target, JSON, []byte(strings.Join(rows[i:i+n], "\n")), out)
			if e, ok := errors.AsType[*Error](err); ok && e.Row > 0 { // without System: an import counts it as damaged
				rows, texts = slices.Delete(rows, i+e.Row-1, i+e.Row), slices.Delete(texts, i+e.Row-1, i+e.Row)
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, out.Rows)
			i += n
		}
		sentTexts = append(sentTexts, texts...)
	}
	sent, imported := t.TempDir(), t.TempDir()
	store(t, sent, all...)
	w, err := lake.OpenWriter(t.Context(), imported, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bulk.Import(t.Context(), bulk.Config{Writer: w, Paths: paths, KeepDuplicates: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, gotTexts := storedEvents(t, sent)
	want, _ := storedEvents(t, imported)
	slices.Sort(sentTexts)
	if !slices.Equal(gotTexts, sentTexts) {
		t.Errorf("the texts of %d events differ from the %d sent", len(gotTexts), len(sentTexts))
	}
	if len(got) != len(want) || len(got) < 1000 {
		t.Fatalf("%d events are stored, %d imported", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("event %d of %d:\nsent     %s\nimported %s", i, len(got), got[i], want[i])
		}
	}
	t.Logf("%d events of %d logs", len(got), len(paths))
}

// TestComposedReadsBack holds that a composed event's text, read as an event's
// text, gives the columns that were composed.
func TestComposedReadsBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SecurityEvent", "Event", "WindowsEvent"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, d, out := testTarget(t, name), newTestDecoder(), &Result{}
			var body []byte
			for _, row := range viewRows(t, target) {
				body = append(append(body, mustJSON(t, row)...), '\n')
			}
			if err := d.Decode(target, JSON, body, out); err != nil {
				t.Fatal(err)
			}
			composed, again := t.TempDir(), t.TempDir()
			store(t, composed, out.Rows)
			rows, texts := storedEvents(t, composed)
			body = body[:0]
			for _, text := range texts {
				body = append(append(append(body, `{"_Xml":`...), dyn.AppendString(nil, []byte(text))...), "}\n"...)
			}
			if err := d.Decode(target, JSON, body, out); err != nil {
				t.Fatal(err)
			}
			store(t, again, out.Rows)
			rows2, texts2 := storedEvents(t, again)
			if !slices.Equal(texts, texts2) {
				t.Error("texts differ")
			}
			plain := func(rows []string) []string {
				for i, r := range rows {
					var keep []string
					for line := range strings.Lines(r) {
						// What the text doesn't say: how it was made, the view, the resource.
						if !strings.HasPrefix(line, "_SystemForm=") && !strings.HasPrefix(line, "_Table=") && !strings.HasPrefix(line, "_ResourceId=") {
							keep = append(keep, line)
						}
					}
					rows[i] = strings.Join(keep, "")
				}
				slices.Sort(rows)
				return rows
			}
			rows, rows2 = plain(rows), plain(rows2)
			if diff := cmp.Diff(rows, rows2); diff != "" {
				t.Errorf("the columns differ (-composed +read back):\n%s", diff)
			}
		})
	}
}
