package forward

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

const filetime = 134_116_992_000_000_000 // 2026-01-01T00:00:00Z

// record adds an event whose data is text; written is its own time, later than
// SystemTime.
func record(c *evtxtest.Chunk, id uint64, text string, later uint64) {
	at := filetime + id*10_000_000
	c.Record(id, at+later, func(x *evtxtest.XML) {
		x.Fragment()
		x.Element("Event", func() {
			x.Element("System", func() {
				x.OpenAttrs("TimeCreated")
				x.Attr("SystemTime", false)
				x.Text(event.FromFiletime(at).String())
				x.CloseEmpty()
				x.Element("Channel", func() { x.Text("Security") })
			})
			x.Element("EventData", func() { x.Element("Data", func() { x.Text(text) }) })
		})
		x.EOF()
	})
}

// eventFile writes a log whose chunks have the records that texts name; records
// are numbered from first, and a "!" is one without System.
func eventFile(t *testing.T, path string, first uint64, chunks ...[]string) {
	t.Helper()
	b := evtxtest.NewBuilder()
	id := first
	for _, texts := range chunks {
		c := b.Chunk()
		for _, text := range texts {
			if text == "!" {
				c.Record(id, filetime, func(x *evtxtest.XML) {
					x.Fragment()
					x.Element("Event", func() { x.Element("EventData", func() {}) })
					x.EOF()
				})
			} else {
				record(c, id, text, 0)
			}
			id++
		}
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// texts gives the data of the events that a receiver has.
func (r *receiver) texts() []string {
	var out []string
	for _, row := range r.got(DefaultEventStream) {
		var v struct {
			XML string `json:"_Xml"`
		}
		if err := json.Unmarshal([]byte(row), &v); err != nil {
			r.t.Error(err)
		}
		_, text, _ := strings.Cut(v.XML, "<Data>")
		text, _, _ = strings.Cut(text, "</Data>")
		out = append(out, text)
	}
	return out
}

// TestEventLog follows a log that grows, wraps around, is archived and cleared.
func TestEventLog(t *testing.T) {
	r := newReceiver(t)
	dir, logs := t.TempDir(), t.TempDir()
	path := filepath.Join(logs, "Security.evtx")
	var want []string
	step := func(name string, news ...string) {
		t.Helper()
		sum := send(t, r.config(dir, logs))
		want = append(want, news...)
		if diff := cmp.Diff(want, r.texts()); diff != "" {
			t.Fatalf("%s: %+v\n%s", name, sum, diff)
		}
	}
	eventFile(t, path, 1, []string{"a", "b"}, []string{"c"})
	eventFile(t, filepath.Join(logs, "Security-copy.evtx"), 1, []string{"a", "b"}, []string{"c"})
	step("new", "a", "b", "c")
	step("nothing new")
	eventFile(t, path, 1, []string{"a", "b"}, []string{"c", "d", "e"}, []string{"f"})
	step("grown", "d", "e", "f")
	eventFile(t, path, 3, []string{"c", "d", "e"}, []string{"f", "g"}, []string{"h"})
	step("overwritten in a circle", "g", "h")
	if err := os.Rename(path, filepath.Join(logs, "Archive-Security.evtx")); err != nil {
		t.Fatal(err)
	}
	eventFile(t, path, 1, []string{"x"})
	step("archived and begun anew", "x")
	eventFile(t, filepath.Join(logs, "Copy.evtx"), 3, []string{"c", "d", "e"}, []string{"f"})
	step("an older copy")
	eventFile(t, filepath.Join(logs, "Diverged.evtx"), 3, []string{"c", "d", "other"}, []string{"f"})
	step("a copy that differs behind a common beginning", "other")
	eventFile(t, filepath.Join(logs, "Short.evtx"), 3, []string{"c", "another"})
	step("a shorter one", "another")
	step("and again")
	eventFile(t, path, 1, []string{"x", "!", "y"})
	sum := send(t, r.config(dir, logs))
	if sum.Damaged != 1 {
		t.Errorf("%+v", sum)
	}
	want = append(want, "y")
	step("a damaged record")
	eventFile(t, path, 1, []string{"x", "!", "z"})
	step("records that changed: twice is better than not at all", "x", "z")
}

// TestEventLogKilled dies at every change in the middle of chunks that make several
// batches.
func TestEventLogKilled(t *testing.T) {
	var texts []string
	for i := range 6 {
		texts = append(texts, fmt.Sprint(i)+strings.Repeat("x", 3000))
	}
	for n := 1; ; n++ {
		r := newReceiver(t)
		dir, path := t.TempDir(), filepath.Join(t.TempDir(), "Security.evtx")
		eventFile(t, path, 1, texts[:4], texts[4:])
		steps, died := 0, false
		cfg := r.config(dir, path)
		cfg.batchRows = 3
		cfg.step = func(string) error {
			if steps++; steps == n {
				died = true
				return errKilled
			}
			return nil
		}
		_, err := Run(t.Context(), cfg)
		if !died {
			if err != nil || n < 9 {
				t.Errorf("%d changes: %v", n, err)
			}
			return
		}
		send(t, r.config(dir, path))
		if got := r.texts(); !slices.Equal(got, texts) || r.gaps != 0 {
			t.Fatalf("died at %d: %d events, gaps %d", n, len(got), r.gaps)
		}
	}
}

// TestEventRow has what a row says beside the text.
func TestEventRow(t *testing.T) {
	r := newReceiver(t)
	b := evtxtest.NewBuilder()
	record(b.Chunk(), 7, `a<"b"`, 5)
	path := filepath.Join(t.TempDir(), "x.evtx")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	send(t, r.config(t.TempDir(), path))
	want := []string{fmt.Sprintf(`{"TimeGenerated":"2026-01-01T00:00:07.0000000Z","_Xml":"<Event><System><TimeCreated SystemTime='2026-01-01T00:00:07.0000000Z'/><Channel>Security</Channel></System><EventData><Data>a&lt;\"b\"</Data></EventData></Event>","_RecordTime":%d}`, int64(event.FromFiletime(filetime+70_000_005)))}
	if diff := cmp.Diff(want, r.got(DefaultEventStream)); diff != "" {
		t.Error(diff)
	}
}

// TestLiveEventLog sees records that Windows writes without touching size or time.
func TestLiveEventLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Security.evtx")
	eventFile(t, path, 1, []string{"a"})
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	r := newReceiver(t)
	run := &run{cfg: r.config(t.TempDir(), path), cursors: map[string]*cursor{}, chunks: map[string]chunkOf{}, followers: map[string]follower{}, batches: map[string]*batch{}, events: newEventReader()}
	run.cfg.EventStream, run.cfg.batchRows = DefaultEventStream, maxBatchRows
	l := run.newEventLog(path)
	look := func(want int) {
		t.Helper()
		f, err := openLog(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := l.follow(t.Context(), run, f, st); err != nil {
			t.Fatal(err)
		}
		if got := len(run.batches[DefaultEventStream].rows); got != want {
			t.Errorf("%d rows, want %d", got, want)
		}
	}
	look(1)
	eventFile(t, path, 1, []string{"a", "b"})
	look(1)
	l.looked = time.Now().Add(-lookAnyway)
	look(2)
}
