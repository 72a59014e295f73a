package proof

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sender is a client of a server: it sends batches of Probe_CL and Other_CL, and
// each again until it is acknowledged.
type sender struct {
	client   *http.Client
	token    string
	number   int
	log      string // UUID of a log of its own; empty: it repeats requests
	size     int
	batches  int // acknowledged
	repeated int
}

// httpsClient trusts the certificate of a data folder.
func httpsClient(t *testing.T, data string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(data, "tls", "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 32}}
}

// send sends the next batch until it is acknowledged; false when ctx has ended
// before.
func (s *sender) send(ctx context.Context, url func() string) bool {
	var body bytes.Buffer
	for i := range s.size {
		n := s.batches*s.size + i + 1
		fmt.Fprintf(&body, "{\"TimeGenerated\":\"2026-05-01T10:%02d:%02dZ\",\"client\":%d,\"n\":%d}\n", n/60%60, n%60, s.number, n)
	}
	table := "Probe_CL"
	if s.batches%5 == 4 {
		table = "Other_CL"
	}
	for tries := 0; ; tries++ {
		if s.once(ctx, url()+"/api/v1/ingest/"+table, body.Bytes()) {
			s.batches++
			return true
		}
		s.repeated++
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
	}
}

func (s *sender) once(ctx context.Context, url string, body []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"?source=client-"+strconv.Itoa(s.number), bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/x-ndjson")
	if s.log != "" {
		req.Header.Set("Wadi-Batch", fmt.Sprintf("%s;%d", s.log, s.batches+1))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close() // read to its end
	return err == nil && resp.StatusCode == http.StatusNoContent
}

// rowsOf asks a lake one question and gives its rows.
func rowsOf(t *testing.T, data, question string) [][]any {
	t.Helper()
	var got struct{ Rows [][]any }
	out := must(t, "--data", data, "query", "--format", "json", question)
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return got.Rows
}

// number reads a number of an answer.
func number(t *testing.T, v any) int64 {
	t.Helper()
	n, err := strconv.ParseFloat(fmt.Sprint(v), 64)
	if err != nil {
		t.Fatalf("%v is no number", v)
	}
	return int64(n)
}

// checkStream checks what a lake holds of the senders' rows: each once, numbered
// without gap or repeat, and counted.
func checkStream(t *testing.T, data string, senders []*sender) {
	t.Helper()
	all := "union Probe_CL, Other_CL "
	total := int64(0)
	byClient := map[int64][]any{}
	for _, row := range rowsOf(t, data, all+"| summarize count(), count_distinct(n), min(n), max(n) by client") {
		byClient[number(t, row[0])] = row[1:]
	}
	for _, s := range senders {
		want := int64(s.batches * s.size)
		total += want
		row := byClient[int64(s.number)]
		if row == nil && want == 0 {
			continue
		}
		for i, w := range []int64{want, want, 1, want} {
			if row == nil || number(t, row[i]) != w {
				t.Errorf("client %d: count, different, least, most are %v, want %d, %d, 1, %d", s.number, row, want, want, want)
				break
			}
		}
	}
	seq := rowsOf(t, data, all+"| summarize count(), count_distinct(_Seq), min(_Seq), max(_Seq)")[0]
	for i, w := range []int64{total, total, 1, total} {
		if number(t, seq[i]) != w {
			t.Errorf("_Seq: count, different, least, most are %v, want %d, %d, 1, %d", seq, total, total, total)
			break
		}
	}
	sums := rowsOf(t, data, "ledger | summarize sum(Received), sum(Stored), sum(Duplicate), sum(Filtered), sum(Damaged), sum(Lost)")[0]
	var n [6]int64
	for i := range n {
		n[i] = number(t, sums[i])
	}
	if n[0] != n[1]+n[2]+n[3]+n[4] || n[1] != total || n[5] != 0 {
		t.Errorf("the ledger: received, stored, duplicate, filtered, damaged, lost are %v, %d rows are there", n, total)
	}
	must(t, "--data", data, "lake", "verify")
}

// TestKillServer kills a server under load at random, again and again, and expects
// every acknowledged row once.
func TestKillServer(t *testing.T) {
	slow(t)
	kills := 20
	if text := os.Getenv("WADI_CRASH_RUNS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("WADI_CRASH_RUNS: %v", err)
		}
	}
	data := filepath.Join(t.TempDir(), "lake")
	for _, table := range []string{"Probe_CL", "Other_CL"} {
		must(t, "--data", data, "table", "create", table, "TimeGenerated:datetime, client:int, n:long")
	}
	token := strings.TrimSpace(must(t, "--data", data, "token", "create", "load", "--scope", "ingest"))
	server := startReceiver(t, data, "127.0.0.1:0")
	client := httpsClient(t, data)
	var address atomic.Pointer[string]
	address.Store(&server.url)
	var senders []*sender
	for i := range 8 {
		s := &sender{client: client, token: token, number: i, size: 20 + 60*(i%3)}
		if i%2 == 0 {
			s.log = fmt.Sprintf("0b5c2f5e-0000-4000-8000-%012d", i)
		}
		senders = append(senders, s)
	}
	stop, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range senders {
		wg.Go(func() {
			for stop.Err() == nil {
				if !s.send(t.Context(), func() string { return *address.Load() }) {
					return
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 3))
	for range kills {
		waitFor(t, time.Duration(random.Int64N(int64(1200*time.Millisecond))))
		server.kill()
		server = startReceiver(t, data, server.address)
	}
	cancel()
	wg.Wait() // each has its last batch acknowledged
	server.stop(t)
	repeated := 0
	for _, s := range senders {
		repeated += s.repeated
	}
	t.Logf("%d kills, %d batches were sent again", kills, repeated)
	if repeated < kills {
		t.Errorf("only %d batches were disturbed by %d kills", repeated, kills)
	}
	checkStream(t, data, senders)
}
