package forward

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/deliver/logsingestion"
)

// receiver is a server that takes batches as a Wadi does: by log and number once.
// It listens on TLS.
type receiver struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	last   map[string]int64 // n by log
	rows   map[string][]string
	gaps   int64
	again  int
	refuse func(row map[string]any) string
	// trouble is asked before (false) and after a batch is stored; true breaks the
	// connection.
	trouble func(stored bool) bool
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, last: map[string]int64{}, rows: map[string][]string{}}
	r.Server = httptest.NewUnstartedServer(r)
	r.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	z, err := gzip.NewReader(req.Body)
	if err != nil {
		r.t.Error(err)
		return
	}
	body, err := io.ReadAll(z)
	if err != nil {
		r.t.Error(err)
	}
	if len(body) > 1<<20 {
		r.t.Errorf("a body of %d bytes", len(body))
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(body, &rows); err != nil {
		r.t.Errorf("%v: %.100s", err, body)
	}
	if r.trouble != nil && r.trouble(false) {
		panic(http.ErrAbortHandler)
	}
	id, number, _ := strings.Cut(req.Header.Get(logsingestion.BatchHeader), ";")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		r.t.Error(err)
	}
	if n <= r.last[id] {
		r.again++
		w.WriteHeader(http.StatusNoContent)
		return
	}
	for i, row := range rows {
		var values map[string]any
		if err := json.Unmarshal(row, &values); err != nil {
			r.t.Errorf("row %s: %v", row, err)
		}
		if r.refuse != nil {
			if why := r.refuse(values); why != "" {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"detail":"row %d: %s"}`, i+1, why)
				return
			}
		}
	}
	r.gaps += n - r.last[id] - 1
	r.last[id] = n
	stream := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
	for _, row := range rows {
		r.rows[stream] = append(r.rows[stream], string(row))
	}
	if r.trouble != nil && r.trouble(true) {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(http.StatusNoContent)
}

// got gives the rows of a stream.
func (r *receiver) got(stream string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.rows[stream])
}

// config is for a Run that ends when all is sent.
func (r *receiver) config(dir string, paths ...string) Config {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
	tls, err := logsingestion.TLSConfig(ca, "")
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := logsingestion.New(logsingestion.Config{URL: r.URL, Rule: "test", TLS: tls, Token: func() (string, error) { return "secret", nil }})
	if err != nil {
		r.t.Fatal(err)
	}
	return Config{Paths: paths, Sender: c, To: r.URL, Dir: dir, JSONStream: "Custom-Probe_CL", Once: true}
}

func send(t *testing.T, cfg Config) Summary {
	t.Helper()
	sum, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func write(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// lines gives JSON lines numbered from lo to hi.
func lines(lo, hi int) string {
	var b strings.Builder
	for i := lo; i <= hi; i++ {
		fmt.Fprintf(&b, "{\"n\":%d,\"text\":\"<a> & b\"}\n", i)
	}
	return b.String()
}

func wantNumbers(t *testing.T, rows []string, n int) {
	t.Helper()
	if len(rows) != n {
		t.Errorf("%d rows, want %d", len(rows), n)
	}
	for i, row := range rows {
		if want := fmt.Sprintf(`{"n":%d,"text":"<a> & b"}`, i+1); row != want {
			t.Fatalf("row %d is %s, want %s", i+1, row, want)
		}
	}
}

// TestJSONLines: what comes is sent once, whole lines only, also over restarts.
func TestJSONLines(t *testing.T) {
	r := newReceiver(t)
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "app.log")
	write(t, log, "\ufeff"+lines(1, 3)+"\n  \n"+`{"n":4,"te`)
	sum := send(t, r.config(dir, log))
	wantNumbers(t, r.got("Custom-Probe_CL"), 3)
	if sum.Rows != 3 || sum.Batches != 1 || sum.Files != 1 {
		t.Errorf("%+v", sum)
	}
	write(t, log, "xt\":\"<a> & b\"}\n"+lines(5, 30000))
	send(t, r.config(dir, log))
	send(t, r.config(dir, log))
	wantNumbers(t, r.got("Custom-Probe_CL"), 30000)
	if r.gaps != 0 || r.again != 0 || len(r.last) != 1 {
		t.Errorf("gaps %d, again %d, logs %v", r.gaps, r.again, r.last)
	}
}

// TestRotation: a renamed log goes on, a copied one adds nothing, a new one under
// the old name is read from its start.
func TestRotation(t *testing.T) {
	r := newReceiver(t)
	dir, logs := t.TempDir(), t.TempDir()
	log := filepath.Join(logs, "app.log")
	write(t, log, lines(1, 100))
	send(t, r.config(dir, logs))
	write(t, log, lines(101, 105))
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, log, lines(106, 110))
	send(t, r.config(dir, logs))
	got := r.got("Custom-Probe_CL")
	slices.SortFunc(got, func(a, b string) int { return len(a) - len(b) })
	if len(got) != 110 {
		t.Errorf("%d rows, want 110", len(got))
	}
	// Copied and cut.
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	write(t, log+".2", string(b))
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	write(t, log, lines(111, 112))
	send(t, r.config(dir, logs))
	if got := r.got("Custom-Probe_CL"); len(got) != 112 {
		t.Errorf("%d rows, want 112", len(got))
	}
	if slices.Sort(got); len(slices.Compact(got)) != 110 {
		t.Error("a row came twice")
	}
}

// TestCopies: copies add nothing, also those that are there from the beginning and
// those that were made before the log grew on.
func TestCopies(t *testing.T) {
	r := newReceiver(t)
	dir, logs := t.TempDir(), t.TempDir()
	head := "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time cs-method\n"
	rows := func(n int) string { return strings.Repeat("2026-05-01 10:00:01 GET\n", n) }
	for _, c := range []struct{ name, text string }{
		{"a.json", lines(1, 100)},
		{"b.json", lines(1, 100)},
		{"c.json", lines(1, 3)},
		{"d.json", lines(1, 50) + lines(200, 210)},
		{"a.log", head + rows(5)},
		{"b.log", head + rows(3)},
	} {
		write(t, filepath.Join(logs, c.name), c.text)
	}
	send(t, r.config(dir, logs))
	if got, iis := len(r.got("Custom-Probe_CL")), len(r.got(DefaultIISStream)); got != 100+58 || iis != 5 { // d.json goes on where c.json, its beginning, was sent
		t.Errorf("%d and %d rows, want 158 and 5", got, iis)
	}
	write(t, filepath.Join(logs, "b.log"), "2026-05-01 10:00:02 PUT\n")
	write(t, filepath.Join(logs, "c.json"), lines(300, 301))
	write(t, filepath.Join(logs, "a.json"), lines(101, 110))
	write(t, filepath.Join(logs, "e.json"), lines(1, 110))
	send(t, r.config(dir, logs))
	if got, iis := len(r.got("Custom-Probe_CL")), len(r.got(DefaultIISStream)); got != 158+12 || iis != 6 {
		t.Errorf("%d and %d rows, want 170 and 6", got, iis)
	}
}

// TestRefused: the rows that the receiver refuses are found and kept, the others
// are sent, with numbers that rise by one.
func TestRefused(t *testing.T) {
	r := newReceiver(t)
	r.refuse = func(row map[string]any) string {
		if n := int(row["n"].(float64)); n == 1 || n == 700 || n == 701 || n == 1000 {
			return "column n: wrong"
		}
		return ""
	}
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "app.log")
	write(t, log, lines(1, 1000)+"no JSON\n[1]\n{\"n\":\n"+strings.Repeat("x", maxLine+1)+"\n"+`{"n":2000}`+"\n")
	sum := send(t, r.config(dir, log))
	if got := r.got("Custom-Probe_CL"); len(got) != 997 || sum.Rows != 997 || sum.Refused != 8 || r.gaps != 0 {
		t.Errorf("%d rows, gaps %d, %+v", len(got), r.gaps, sum)
	}
	b, err := os.ReadFile(filepath.Join(dir, refusedFile))
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for line := range strings.Lines(string(b)) {
		var x refusal
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, fmt.Sprintf("%.20s %d %s", x.Row, x.Line, x.Reason))
	}
	want := []string{
		`"no JSON" 1001 the line is no JSON object`, `"[1]" 1002 the line is no JSON object`, `"{\"n\":" 1003 the line is no JSON object`,
		`"xxxxxxxxxxxxxxxxxxx 1004 the line is longer than 1 MiB`,
	}
	for _, n := range []int{1, 700, 701, 1000} {
		want = append(want, fmt.Sprintf("%.20s 0 the receiver refuses: 400 Bad Request: row 1: column n: wrong", fmt.Sprintf(`{"n":%d,"text":"<a> & b"}`, n)))
	}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Error(diff)
	}
	// A receiver that takes nothing ends the run, and little is passed over.
	write(t, log, lines(3001, 4000))
	r.refuse = func(map[string]any) string { return "no" }
	if _, err := Run(t.Context(), r.config(dir, log)); err == nil || !strings.Contains(err.Error(), "one row after the other") {
		t.Errorf("got %v", err)
	}
	r.refuse = nil
	send(t, r.config(dir, log))
	if got := r.got("Custom-Probe_CL"); len(got) != 997+1000-(maxRefusedRun-1) {
		t.Errorf("%d rows", len(got))
	}
}

// TestTrouble breaks connections before and after a batch is stored, while a file
// grows.
func TestTrouble(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for back-off of real time")
	}
	r := newReceiver(t)
	random := rand.New(rand.NewPCG(1, 1))
	r.trouble = func(bool) bool { return random.IntN(4) == 0 }
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "app.log")
	write(t, log, lines(1, 6000))
	send(t, r.config(dir, log))
	wantNumbers(t, r.got("Custom-Probe_CL"), 6000)
	if r.gaps != 0 {
		t.Errorf("gaps %d", r.gaps)
	}
}

var errKilled = errors.New("killed")

// TestKilled dies before every change of the cursor folder, and after the batch was
// stored, and starts again: every row comes once, in order.
func TestKilled(t *testing.T) {
	for n := 1; ; n++ {
		r := newReceiver(t)
		dir, log := t.TempDir(), filepath.Join(t.TempDir(), "app.log")
		r.refuse = func(row map[string]any) string {
			if row["n"].(float64) == 50 {
				return "no"
			}
			return ""
		}
		write(t, log, lines(1, 99))
		steps, died := 0, ""
		cfg := r.config(dir, log)
		cfg.step = func(what string) error {
			if steps++; steps == n {
				died = what
				return errKilled
			}
			return nil
		}
		_, err := Run(t.Context(), cfg)
		if died == "" {
			if err != nil {
				t.Fatal(err)
			}
			if n < 10 {
				t.Errorf("only %d changes", n)
			}
			return
		}
		if !errors.Is(err, errKilled) {
			t.Fatalf("%d: %v", n, err)
		}
		write(t, log, lines(100, 120))
		send(t, r.config(dir, log))
		got := r.got("Custom-Probe_CL")
		want := strings.Split(strings.TrimSpace(lines(1, 49)+lines(51, 120)), "\n")
		if diff := cmp.Diff(want, got); diff != "" || r.gaps != 0 {
			t.Errorf("died at %d, %s: gaps %d\n%s", n, died, r.gaps, diff)
		}
	}
}

// dyingSender is a process that dies when its batch is stored, before it knows.
type dyingSender struct {
	Sender
	die func() bool
}

func (s dyingSender) Send(ctx context.Context, b *logsingestion.Batch) error {
	err := s.Sender.Send(ctx, b)
	if err == nil && s.die() {
		return errKilled
	}
	return err
}

// TestKilledAfterStored: the batch that was stored is known by its number, even
// when its file is gone or replaced.
func TestKilledAfterStored(t *testing.T) {
	r := newReceiver(t)
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "app.log")
	write(t, log, lines(1, 50))
	cfg := r.config(dir, log)
	cfg.Sender = dyingSender{cfg.Sender, func() bool { return true }}
	if _, err := Run(t.Context(), cfg); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	write(t, log, lines(51, 60))
	send(t, r.config(dir, log))
	wantNumbers(t, r.got("Custom-Probe_CL"), 60)
	if r.again != 1 || r.gaps != 0 {
		t.Errorf("again %d, gaps %d", r.again, r.gaps)
	}
}

// TestFollow follows while files come and grow, until it is told to end.
func TestFollow(t *testing.T) {
	r := newReceiver(t)
	dir, logs := t.TempDir(), t.TempDir()
	cfg := r.config(dir, logs)
	cfg.Once, cfg.Poll = false, time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { _, err = Run(ctx, cfg) })
	for i := range 20 {
		write(t, filepath.Join(logs, fmt.Sprintf("%d.log", i%3)), lines(i*10+1, i*10+10))
		for deadline := time.Now().Add(20 * time.Second); len(r.got("Custom-Probe_CL")) < (i+1)*10; {
			if time.Now().After(deadline) {
				t.Fatalf("%d rows after 20 s, want %d", len(r.got("Custom-Probe_CL")), (i+1)*10)
			}
			wait(t, 2*time.Millisecond)
		}
	}
	cancel()
	wg.Wait()
	if err != nil {
		t.Error(err)
	}
	wantNumbers(t, r.got("Custom-Probe_CL"), 200)
}

// wait lets the other goroutines work.
func wait(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

func TestIIS(t *testing.T) {
	r := newReceiver(t)
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "u_ex.log")
	var warned strings.Builder
	cfg := r.config(dir, log)
	cfg.Log = slog.New(slog.NewTextHandler(&warned, nil))
	write(t, log, "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-05-01 10:00:00\n"+
		"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status X-Forwarded-For time-taken\n"+
		"2026-05-01 10:00:01 10.0.0.1 GET /a\"b - 443 - 192.0.2.7 Mozilla/5.0+(X;++http://x) 200 203.0.113.9 15\n"+
		"2026-05-01 10:00:02 10.0.0.1 GET /short\n")
	sum := send(t, cfg)
	write(t, log, "2026-05-01 10:00:03 10.0.0.1 POST /c q=1 443 bob 192.0.2.7 - 500 - 7\n")
	send(t, cfg)
	write(t, log, "#Fields: date time cs(Host) cs-method\n2026-05-01 10:00:04 - GET\n2026-05-01 10:00:05 www GET\n")
	send(t, cfg)
	want := []string{
		`{"TimeGenerated":"2026-05-01T10:00:01.0000000Z","sIP":"10.0.0.1","csMethod":"GET","csUriStem":"/a\"b","csUriQuery":"-","sPort":443,"csUserName":"-","cIP":"192.0.2.7","csUserAgent":"Mozilla/5.0+(X;++http://x)","scStatus":"200","TimeTaken":15}`,
		`{"TimeGenerated":"2026-05-01T10:00:03.0000000Z","sIP":"10.0.0.1","csMethod":"POST","csUriStem":"/c","csUriQuery":"q=1","sPort":443,"csUserName":"bob","cIP":"192.0.2.7","csUserAgent":"-","scStatus":"500","TimeTaken":7}`,
		`{"TimeGenerated":"2026-05-01T10:00:04.0000000Z","csHost":"-","csMethod":"GET"}`,
		`{"TimeGenerated":"2026-05-01T10:00:05.0000000Z","csHost":"www","csMethod":"GET"}`,
	}
	if diff := cmp.Diff(want, r.got(DefaultIISStream)); diff != "" {
		t.Error(diff)
	}
	if sum.Refused != 1 {
		t.Errorf("%+v", sum)
	}
	if w := warned.String(); strings.Count(w, "X-Forwarded-For") != 1 || !strings.Contains(w, "line=6") {
		t.Errorf("warnings:\n%s", w)
	}
}

func TestUnsent(t *testing.T) {
	r := newReceiver(t)
	dir, logs := t.TempDir(), t.TempDir()
	write(t, filepath.Join(logs, "text.txt"), strings.Repeat("Just text.\n", 100))
	write(t, filepath.Join(logs, "empty.log"), "")
	write(t, filepath.Join(logs, "a.json"), lines(1, 3))
	write(t, filepath.Join(logs, "httperr.log"), "#Software: Microsoft HTTP API 2.0\n#Version: 1.0\n#Fields: date time c-ip s-reason\n2026-05-01 10:00:01 192.0.2.7 Timer\n")
	cfg := r.config(dir, logs)
	cfg.JSONStream = ""
	sum := send(t, cfg)
	if sum.Unsent != 3 || sum.Rows != 0 || sum.Refused != 0 {
		t.Errorf("%+v", sum)
	}
}

func TestFolderRefuses(t *testing.T) {
	r := newReceiver(t)
	dir := t.TempDir()
	cfg := r.config(dir, t.TempDir())
	send(t, cfg)
	other := cfg
	other.To = "elsewhere"
	if _, err := Run(t.Context(), other); err == nil || !strings.Contains(err.Error(), "belong to "+r.URL) {
		t.Errorf("got %v", err)
	}
	lock, err := takeLock(filepath.Join(dir, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := Run(t.Context(), cfg); !errors.Is(err, errLocked) {
		t.Errorf("got %v", err)
	}
}
