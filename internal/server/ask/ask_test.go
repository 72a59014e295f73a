package ask

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// TestMain lets the test binary be the query worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == engine.WorkerCommand {
		if err := engine.Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lines is how many lines the log of the tests has, one a second from midnight.
const lines = 3000

// midnight is the time of the first.
var midnight = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

// site is a server of the handlers over a lake with a log.
type site struct {
	url    string
	config *query.Config
}

func open(t *testing.T, change func(*engine.Config)) *site {
	t.Helper()
	dir := t.TempDir()
	w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("#Software: Microsoft Internet Information Services 10.0\n#Fields: date time c-ip cs-uri-stem sc-status time-taken\n")
	for i := range lines {
		at := midnight.Add(time.Duration(i) * time.Second)
		fmt.Fprintf(&text, "%s 10.0.0.%d /a%%C3%%A4/%d %d %d\n", at.Format("2006-01-02 15:04:05"), i%250, i, 200+i%3*100, i)
	}
	log := filepath.Join(t.TempDir(), "u_ex.log")
	if err := os.WriteFile(log, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := bulk.Import(t.Context(), bulk.Config{Writer: w, Paths: []string{log}}); err != nil || s.Stored != lines {
		t.Fatalf("%+v %v", s, err)
	}
	config := engine.Config{ReadDirs: []string{dir}}
	if change != nil {
		change(&config)
	}
	e, err := engine.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{config: &query.Config{Lake: w.Lake, Engine: e}}
	h := New(Config{Query: s.config, Now: func() time.Time { return midnight.Add(time.Hour) }})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/query", h.Query)
	server := httptest.NewServer(mux)
	s.url = server.URL
	t.Cleanup(func() {
		server.Close()
		_ = e.Close() // never fails
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// post asks and gives the response with its whole body.
func (s *site) post(t *testing.T, body any, accept string) (*http.Response, string) {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/query", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(b)
}

// direct gives an answer as the command line writes it.
func (s *site) direct(t *testing.T, text string, write func(io.Writer, *engine.Rows) error) string {
	t.Helper()
	q, err := query.Compile(text, schema.Builtin(), midnight.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	result, err := q.Run(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := write(&out, result.Rows); err != nil {
		t.Fatal(err)
	}
	if err := result.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// endless has 10,000,000,000 rows, endlessSum makes one of them.
const (
	endless    = "range a from 1 to 100000 step 1 | extend k = 1 | join kind=inner (range b from 1 to 100000 step 1 | extend k = 1) on k"
	endlessSum = " | summarize sum(a % 7 + b)"
)

var questions = []string{
	"W3CIISLog | count",
	"W3CIISLog | sort by TimeGenerated asc",
	"W3CIISLog | where csUriStem has '7' | project TimeGenerated, csUriStem, TimeTaken, scStatus | sort by TimeGenerated asc | take 100",
	"print d = dynamic({'a':[1,2]}), t = time(1.02:03:04), r = 1.5, n = real(nan), s = 'ä\\n\"', g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), x = int(null)",
	"W3CIISLog | where false",
	"W3CIISLog | summarize n = count() by scStatus | sort by n asc, scStatus asc",
}

func TestAnswersAreTheCommandLines(t *testing.T) {
	s := open(t, nil)
	for _, question := range questions {
		want := s.direct(t, question, query.WriteJSON)
		for _, accept := range []string{"", "*/*", "application/json", "text/html, application/json;q=0.9"} {
			r, got := s.post(t, Question{Query: question}, accept)
			if r.StatusCode != http.StatusOK || got != want || r.Header.Get("Content-Type") != "application/json" || r.Trailer.Get(problemTrailer) != "" {
				t.Errorf("%s: %s %v %s", question, r.Status, r.Trailer, cmp.Diff(want, got))
			}
		}
		want = s.direct(t, question, query.WriteJSONLines)
		r, got := s.post(t, Question{Query: question, Format: "jsonl"}, "application/json")
		if r.StatusCode != http.StatusOK || got != want || r.Header.Get("Content-Type") != "application/x-ndjson" || r.Trailer.Get(rowsTrailer) != fmt.Sprint(strings.Count(want, "\n")) {
			t.Errorf("%s: %s %v %s", question, r.Status, r.Trailer, cmp.Diff(want, got))
		}
	}
}

// TestArrow reads an answer back with Arrow's own reader.
func TestArrow(t *testing.T) {
	s := open(t, nil)
	for _, question := range questions {
		r, body := s.post(t, Question{Query: question}, "application/vnd.apache.arrow.stream")
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/vnd.apache.arrow.stream" {
			t.Fatalf("%s %s", r.Status, body)
		}
		in, err := ipc.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		rows := int64(0)
		for in.Next() {
			rows += in.RecordBatch().NumRows()
		}
		if err := in.Err(); err != nil || fmt.Sprint(rows) != r.Trailer.Get(rowsTrailer) {
			t.Errorf("%s: %d rows, %v: %v", question, rows, r.Trailer, err)
		}
		in.Release()
	}
	_, body := s.post(t, Question{Query: "W3CIISLog | sort by TimeGenerated asc | project TimeTaken, csUriStem", Format: "arrow"}, "")
	in, err := ipc.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Release()
	i := 0
	for in.Next() {
		batch := in.RecordBatch()
		for row := range int(batch.NumRows()) {
			if got, want := batch.Column(1).(*array.String).Value(row), fmt.Sprintf("/a%%C3%%A4/%d", i); got != want {
				t.Fatalf("row %d: %q, want %q", i, got, want)
			}
			i++
		}
	}
	if i != lines {
		t.Errorf("%d rows", i)
	}
}

func TestWrongRequests(t *testing.T) {
	s := open(t, nil)
	for body, want := range map[string]struct {
		status int
		says   string
	}{
		``:                                                 {400, "the body is no request"},
		`[]`:                                               {400, "the body is no request"},
		`{"query":"print 1"} {}`:                           {400, "more than one JSON value"},
		`{"query":"print 1","rows":1}`:                     {400, `unknown field \"rows\"`},
		`{"query":" "}`:                                    {400, "there is no question"},
		`{"query":"print 1","now":"x"}`:                    {400, "now is no time"},
		`{"query":"print 1","format":"xml"}`:               {400, "format is none of"},
		`{"query":"print 1","maxRows":-1}`:                 {400, "maxRows"},
		`{"query":"print 1","timespan":"P1Y"}`:             {400, "is no duration"},
		`{"query":"print 1","timespan":"P1D/x"}`:           {400, "is neither a time"},
		`{"query":"W3CIISLog | where NoSuch == 1"}`:        {400, `"code":"WrongQuestion"`},
		`{"query":"W3CIISLog | where scstatus == 1"}`:      {400, "did you mean scStatus?"},
		`{"query":"W3CIISLog |"}`:                          {400, `"diagnostics":[{"message":`},
		`{"query":"` + strings.Repeat("x", maxBody) + `"}`: {413, "the body has more than"},
	} {
		r, got := s.post(t, body, "")
		if r.StatusCode != want.status || !strings.Contains(got, want.says) || r.Header.Get("Content-Type") != "application/problem+json" || !json.Valid([]byte(got)) {
			t.Errorf("%.80s: %s %s", body, r.Status, got)
		}
	}
	if r, got := s.post(t, Question{Query: "print 1"}, "text/html"); r.StatusCode != http.StatusNotAcceptable {
		t.Errorf("%s %s", r.Status, got)
	}
	r, err := http.Post(s.url+"/api/v1/query", "text/plain", strings.NewReader("print 1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusUnsupportedMediaType {
		t.Error(r.Status)
	}
}

// TestTimespan counts the lines of a time: one comes each second from midnight, and
// the server's clock is an hour later.
func TestTimespan(t *testing.T) {
	s := open(t, nil)
	for timespan, want := range map[string]int{
		"":        lines,
		"PT1H":    lines,
		"PT10M1S": 1, // 00:49:59 is the last second
		"P1D":     lines,
		"2026-01-02T00:00:10Z/2026-01-02T00:00:20Z": 10,
		"2026-01-02/PT1M":           60,
		"PT1M/2026-01-02T00:02:00Z": 60,
		"2026-01-03/P1W":            0,
	} {
		for _, question := range []string{"W3CIISLog | count", "w3c_iis | count", "W3CIISLog | summarize Count = count()", "union W3CIISLog, Event | count", "let T = W3CIISLog; T | join kind=leftsemi (T) on TimeTaken | count"} {
			r, got := s.post(t, Question{Query: question, Timespan: timespan}, "")
			if wanted := fmt.Sprintf("{\"columns\":[{\"name\":\"Count\",\"type\":\"long\"}],\"rows\":[\n[%d]]}\n", want); r.StatusCode != http.StatusOK || got != wanted {
				t.Errorf("%q, %s: %s %s, want %d", timespan, question, r.Status, got, want)
			}
		}
	}
	if _, got := s.post(t, Question{Query: "print n = now()", Now: "2025-05-05T05:05:05.5Z"}, ""); !strings.Contains(got, `["2025-05-05T05:05:05.5000000Z"]`) {
		t.Error(got)
	}
	for _, text := range []string{"", "P", "PT", "P1", "1D", "P1DT", "P1H", "PT1D", "P1D1D", "PT1S1H", "P1DT1HT1M", "P-1D", "P1.5D", "P9999999999D", "P99999W", "p1d"} {
		if d, err := duration(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
	for text, want := range map[string]time.Duration{"P2W": 14 * 24 * time.Hour, "P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second, "PT90S": 90 * time.Second, "P1W1D": 8 * 24 * time.Hour} {
		if d, err := duration(text); err != nil || d != want {
			t.Errorf("%q is %v: %v", text, d, err)
		}
	}
}

// TestCutAnswers holds how an answer that is cut says so in each form.
func TestCutAnswers(t *testing.T) {
	s := open(t, nil)
	for _, question := range []string{"W3CIISLog | project scStatus", "set notruncation; W3CIISLog | project scStatus", "W3CIISLog | project scStatus, r = dynamic([1])"} {
		for format, says := range map[string]string{"json": `],"problem":{"title":"The answer is cut"`, "jsonl": "\n" + `{"$problem":{"title":"The answer is cut"`, "arrow": ""} {
			r, got := s.post(t, Question{Query: question, MaxRows: 7, Format: format}, "")
			var p QueryProblem
			if err := json.Unmarshal([]byte(r.Trailer.Get(problemTrailer)), &p); err != nil || p.Code != "Truncated" || !strings.Contains(p.Detail, "after 7 rows") || strings.Contains(p.Detail, "000000 MB") {
				t.Errorf("%s %s: %v %v", question, format, r.Trailer, err)
			}
			if r.StatusCode != http.StatusOK || !strings.Contains(got, says) || r.Trailer.Get(rowsTrailer) != "7" {
				t.Errorf("%s %s: %s %v %s", question, format, r.Status, r.Trailer, got)
			}
			if format == "json" && !json.Valid([]byte(got)) {
				t.Errorf("no JSON: %s", got)
			}
		}
	}
}

// TestFailuresOnTheWay asks questions that fail while they run: before the first
// bytes with a status, behind them in band.
func TestFailuresOnTheWay(t *testing.T) {
	s := open(t, func(c *engine.Config) { c.Deadline = 1500 * time.Millisecond })
	for _, format := range []string{"json", "jsonl", "arrow"} {
		r, got := s.post(t, Question{Query: endless + endlessSum, Format: format}, "")
		if r.StatusCode != http.StatusGatewayTimeout || !strings.Contains(got, `"code":"DeadlineExceeded"`) || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s", format, r.Status, got)
		}
	}
	for format, end := range map[string]string{"json": "}}\n", "jsonl": "}}\n"} {
		r, got := s.post(t, Question{Query: "set notruncation; " + endless, Format: format}, "")
		var p QueryProblem
		if err := json.Unmarshal([]byte(r.Trailer.Get(problemTrailer)), &p); err != nil || p.Code != "DeadlineExceeded" || !strings.HasSuffix(got, end) || !strings.Contains(got[len(got)-1000:], `"code":"DeadlineExceeded"`) {
			t.Errorf("%s: %s %v %d bytes: …%s", format, r.Status, r.Trailer, len(got), got[max(0, len(got)-300):])
		}
	}
}

// TestAClientThatGoes holds that its question ends within 100 ms. The one worker is
// busy until then, so another question waits for it.
func TestAClientThatGoes(t *testing.T) {
	s := open(t, func(c *engine.Config) { c.Workers = 1 })
	for accept, question := range map[string]string{"application/json": "set notruncation; " + endless, "text/event-stream": endless + endlessSum} {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v1/query", strings.NewReader(`{"query":"`+question+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", accept)
		response, err := http.DefaultClient.Do(r) // rows, or the first progress: it runs
		if err != nil {
			t.Fatal(err)
		}
		gone := time.Now()
		cancel()
		_ = response.Body.Close()
		if _, got := s.post(t, Question{Query: "print 1"}, ""); !strings.Contains(got, "[1]") {
			t.Error(got)
		}
		took := time.Since(gone)
		t.Logf("%s: the next answer came %v after the client had gone", accept, took)
		if took > 2*time.Second { // a busy machine; the question itself takes minutes
			t.Errorf("%s: the next answer came %v after the client had gone", accept, took)
		}
	}
}

func TestProgress(t *testing.T) {
	s := open(t, nil)
	r, got := s.post(t, Question{Query: "W3CIISLog | sort by TimeGenerated asc | project TimeTaken"}, "text/event-stream")
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %s", r.Status, got)
	}
	var rows [][]int
	var names []string
	for block := range strings.SplitSeq(strings.TrimSuffix(got, "\n\n"), "\n\n") {
		name, data, ok := strings.Cut(strings.TrimPrefix(block, "event: "), "\ndata: ")
		if !ok || strings.Contains(data, "\n") {
			t.Fatalf("no event: %q", block)
		}
		if name == "rows" {
			var some [][]int
			if err := json.Unmarshal([]byte(data), &some); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, some...)
		}
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	if len(rows) != lines || rows[0][0] != 0 || rows[lines-1][0] != lines-1 || names[len(names)-1] != "end" || !strings.Contains(strings.Join(names, " "), "columns rows end") {
		t.Errorf("%d rows, %v", len(rows), names)
	}
	for question, want := range map[string]string{
		"W3CIISLog | where false": "event: columns\ndata: [{\"name\":\"TenantId\"",
	} {
		if _, got := s.post(t, Question{Query: question}, "text/event-stream"); !strings.Contains(got, want) || !strings.Contains(got, "\nevent: end\n") {
			t.Errorf("%s: %.300s", question, got)
		}
	}
	s = open(t, func(c *engine.Config) { c.Deadline = 1500 * time.Millisecond })
	if _, got := s.post(t, Question{Query: endless + endlessSum}, "text/event-stream"); !strings.HasPrefix(got, "event: progress\ndata: {\"seconds\":1") || !strings.Contains(got, "\nevent: problem\ndata: {\"title\":\"Gateway Timeout\"") {
		t.Errorf("%.300s", got)
	}
	if r, got := s.post(t, Question{Query: "nothing | count"}, "text/event-stream"); r.StatusCode != http.StatusBadRequest {
		t.Errorf("%s %s", r.Status, got)
	}
	if _, got := s.post(t, Question{Query: "W3CIISLog", MaxRows: 3}, "text/event-stream"); !strings.Contains(got, "event: problem\ndata: {\"title\":\"The answer is cut\"") {
		t.Errorf("%.300s", got)
	}
}

func TestTwentyClientsAtOnce(t *testing.T) {
	s := open(t, nil)
	want := s.direct(t, questions[2], query.WriteJSON)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if r, got := s.post(t, Question{Query: questions[2]}, ""); r.StatusCode != http.StatusOK || got != want {
				t.Errorf("%s, %d bytes", r.Status, len(got))
			}
		})
	}
	all.Wait()
}

// TestBusy fills the engine's queue.
func TestBusy(t *testing.T) {
	s := open(t, func(c *engine.Config) { c.Workers, c.Queue, c.Deadline = 1, 1, 3*time.Second })
	var all sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range 6 {
		all.Go(func() {
			r, _ := s.post(t, Question{Query: endless + endlessSum}, "")
			mu.Lock()
			defer mu.Unlock()
			statuses[r.StatusCode]++
			if r.StatusCode == http.StatusServiceUnavailable && r.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
	all.Wait()
	if statuses[http.StatusServiceUnavailable] != 4 || statuses[http.StatusGatewayTimeout] != 2 {
		t.Error(statuses)
	}
}

// TestASlowReader doesn't read its answer: it is cut off by its connection's end
// here, and the server goes on.
func TestASlowReader(t *testing.T) {
	s := open(t, func(c *engine.Config) { c.Workers = 1 })
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	body := `{"query":"set notruncation; " + endless}`
	fmt.Fprintf(c, "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := c.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, got := s.post(t, Question{Query: "print 1"}, ""); !strings.Contains(got, "[1]") {
		t.Error(got)
	}
}
