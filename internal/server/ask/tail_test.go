package ask

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/collect/ingest"
	"github.com/wadi-project/wadi/internal/collect/stream"
	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// live is a lake with a stream door, a custom table, and the handlers over both.
type live struct {
	t    *testing.T
	url  string
	door *stream.Door
	w    *lake.Writer
	sent int
}

func openLive(t *testing.T) *live {
	t.Helper()
	dir := t.TempDir()
	w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := schema.ParseCustom("Probe_CL", "TimeGenerated:datetime, client:int, n:long")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CreateTable(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(t.Context(), engine.Config{ReadDirs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	door, err := stream.Open(t.Context(), stream.Config{Writer: w})
	if err != nil {
		t.Fatal(err)
	}
	h := New(Config{
		Query: &query.Config{Lake: w.Lake, Engine: e},
		Watch: func(t *schema.Table) Watcher { return door.Subscribe(1<<20, t) },
	})
	server := httptest.NewServer(http.HandlerFunc(h.Tail))
	t.Cleanup(func() {
		server.Close()
		_ = e.Close() // never fails
		if err := errors.Join(door.Close(context.Background()), w.Close()); err != nil {
			t.Error(err)
		}
	})
	return &live{t: t, url: server.URL, door: door, w: w}
}

// send submits a batch of rows whose n goes on.
func (l *live) send(client, rows int) {
	l.t.Helper()
	set, err := l.w.Schema(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	target, err := ingest.NewStreams(set).Stream("Custom-Probe_CL")
	if err != nil {
		l.t.Fatal(err)
	}
	var body strings.Builder
	for range rows {
		fmt.Fprintf(&body, `{"TimeGenerated":"2026-01-02T03:04:05Z","client":%d,"n":%d}`+"\n", client, l.sent)
		l.sent++
	}
	var out ingest.Result
	if err := ingest.NewDecoder(time.Now).Decode(target, ingest.JSON, []byte(body.String()), &out); err != nil {
		l.t.Fatal(err)
	}
	batch := &stream.Batch{Table: target.Table, Source: stream.SourceName{Kind: "ingest", Name: fmt.Sprint("client-", client)}, Rows: out.Rows, Tallies: out.Tallies}
	if _, err := l.door.Submit(l.t.Context(), batch); err != nil {
		l.t.Fatal(err)
	}
}

// events reads server-sent events.
type events struct {
	body *http.Response
	in   *bufio.Scanner
	n    int // where the column n is
}

func (l *live) tail(ctx context.Context, table, where string) *events {
	l.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+"?"+url.Values{"table": {table}, "where": {where}}.Encode(), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = response.Body.Close() })
	return &events{body: response, in: bufio.NewScanner(response.Body)}
}

// next gives the next event that is no comment.
func (e *events) next() (name, data string) {
	for e.in.Scan() {
		line := e.in.Text()
		if v, ok := strings.CutPrefix(line, "event: "); ok {
			name = v
		}
		if v, ok := strings.CutPrefix(line, "data: "); ok {
			data = v
		}
		if line == "" && name != "" {
			return name, data
		}
	}
	return "", ""
}

// numbers gives the n of the next rows, count of them.
func (e *events) numbers(t *testing.T, count int) (all []int) {
	t.Helper()
	for len(all) < count {
		name, data := e.next()
		switch name {
		case "columns":
			var columns []Column
			if err := json.Unmarshal([]byte(data), &columns); err != nil {
				t.Fatal(err)
			}
			e.n = slices.IndexFunc(columns, func(c Column) bool { return c.Name == "n" })
		case "rows":
			var rows [][]any
			if err := json.Unmarshal([]byte(data), &rows); err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				all = append(all, int(row[e.n].(float64)))
			}
		default:
			t.Fatalf("event %q: %s", name, data)
		}
	}
	return all
}

func TestTailTellsWhatArrives(t *testing.T) {
	l := openLive(t)
	l.send(1, 10) // before anybody watches
	all, some := l.tail(t.Context(), "Probe_CL", ""), l.tail(t.Context(), "probe_cl", "client == 2 // | x")
	for _, e := range []*events{all, some} {
		if name, _ := e.next(); name != "ready" {
			t.Fatalf("the first event is %q", name)
		}
	}
	var want, wantSome []int
	for round := range 4 {
		for client := 1; client <= 2; client++ {
			from := l.sent
			l.send(client, 7+round)
			for n := from; n < l.sent; n++ {
				want = append(want, n)
				if client == 2 {
					wantSome = append(wantSome, n)
				}
			}
		}
		if round == 1 { // rows that come from the lake's files
			if err := l.door.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(want, all.numbers(t, len(want))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(wantSome, some.numbers(t, len(wantSome))); diff != "" {
		t.Error(diff)
	}
	// And again, after a pause.
	from := l.sent
	l.send(2, 1)
	if got := some.numbers(t, 1); got[0] != from {
		t.Errorf("%v, want %d", got, from)
	}
}

func TestTailRefuses(t *testing.T) {
	l := openLive(t)
	for _, c := range []struct{ table, where, says string }{
		{"", "", "there is no table"},
		{"Probe_cl", "", "did you mean "},
		{"Probe_CL", "nosuch == 1", `"start":0,"end":6`},
		{"Probe_CL", "client == 1) | where (true", "the condition is wrong"},
		{"Probe_CL", "client == 1 | take 1", "the condition is wrong"},
		{"Probe_CL", "client", "the condition is wrong"},
	} {
		e := l.tail(t.Context(), c.table, c.where)
		var text strings.Builder
		for e.in.Scan() {
			text.WriteString(e.in.Text())
		}
		if e.body.StatusCode != http.StatusBadRequest || !strings.Contains(text.String(), c.says) {
			t.Errorf("%q where %q: %s %s", c.table, c.where, e.body.Status, text.String())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	for range maxTails {
		if name, _ := l.tail(ctx, "Probe_CL", "").next(); name != "ready" {
			t.Fatal(name)
		}
	}
	if e := l.tail(t.Context(), "Probe_CL", ""); e.body.StatusCode != http.StatusServiceUnavailable {
		t.Error(e.body.Status)
	}
	cancel()
}

// TestTailEndsWithTheDoor holds that a tail says the end when the server goes down.
func TestTailEndsWithTheDoor(t *testing.T) {
	l := openLive(t)
	e := l.tail(t.Context(), "Probe_CL", "")
	if name, _ := e.next(); name != "ready" {
		t.Fatal(name)
	}
	if err := l.door.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if name, _ := e.next(); name != "end" {
		t.Errorf("the last event is %q", name)
	}
}

// TestATailThatCannotKeepUp drops the oldest rows and counts them.
func TestATailThatCannotKeepUp(t *testing.T) {
	tail := &tail{}
	add := func(n int64) {
		first := int64(1)
		if len(tail.waiting) > 0 {
			first = tail.waiting[len(tail.waiting)-1].to
		}
		tail.waiting = append(tail.waiting, span{1, first, first + n})
		tail.rows += n
	}
	add(10)
	add(maxBehind - 5)
	add(100)
	if dropped := tail.shorten(); dropped != 10+maxBehind-5 || tail.rows != 100 || tail.last != 10+maxBehind-5 {
		t.Errorf("%d dropped, %d are left behind %d", dropped, tail.rows, tail.last)
	}
	for range maxSpans + 5 {
		add(1)
	}
	if dropped := tail.shorten(); dropped != 105 || len(tail.waiting) != maxSpans {
		t.Errorf("%d dropped, %d spans", dropped, len(tail.waiting))
	}
}
