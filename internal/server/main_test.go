package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestMain lets the test binary be the query worker, as cmd/wadi is.
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

// golden holds a file to what it should be.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Errorf("%s (go generate ./internal/server rewrites it):\n%s", path, d)
	}
}

// safeBuffer is a log that a test reads while it is written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// instance is a server that runs for a test.
type instance struct {
	t        *testing.T
	dir, url string
	address  string
	local    Local
	server   atomic.Pointer[Server]
	reload   chan os.Signal
	out, log safeBuffer
	stop     func() error
	client   *http.Client
}

// start runs a server on a data folder; flags are settings by key.
func start(t *testing.T, dir string, flags map[string]string, change func(*Config)) *instance {
	t.Helper()
	in := &instance{t: t, dir: dir, reload: make(chan os.Signal)}
	all := map[string]string{"listen": "127.0.0.1:0"}
	maps.Copy(all, flags)
	ready, ended := make(chan string, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	config := Config{
		Sources: Sources{Flags: all, DataDir: dir}, Version: "test", Stdout: &in.out, Stderr: &in.log, Reload: in.reload,
		opened: func(s *Server) { in.server.Store(s) },
		Ready:  func(address string) { ready <- address },
		Local: func(_ context.Context, l Local) (string, func() error, error) {
			in.local = l
			return "", func() error { return nil }, nil
		},
	}
	if change != nil {
		change(&config)
	}
	go func() { ended <- Run(ctx, config) }()
	in.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	select {
	case in.address = <-ready:
	case err := <-ended:
		cancel()
		t.Fatalf("%v\n%s", err, in.log.String())
	}
	in.url = "https://" + in.address
	in.client = in.newClient()
	t.Cleanup(func() {
		in.client.CloseIdleConnections()
		if err := in.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(in.log.String())
		}
	})
	return in
}

// roots trusts the server's certificate.
func (in *instance) roots() *x509.CertPool {
	in.t.Helper()
	text, err := os.ReadFile(filepath.Join(in.dir, "tls", "cert.pem"))
	if err != nil {
		in.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

func (in *instance) newClient(certificates ...tls.Certificate) *http.Client {
	in.t.Helper()
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: in.roots(), Certificates: certificates}, ForceAttemptHTTP2: true,
	}}
}

// token makes a token.
func (in *instance) token(name string, change func(*lake.Token), scopes ...string) string {
	in.t.Helper()
	text, sum := NewToken()
	token := &lake.Token{Name: name, SHA256: sum[:], Scopes: scopes, CreatedUS: 1}
	if change != nil {
		change(token)
	}
	if err := in.local.Writer.AddToken(in.t.Context(), token); err != nil {
		in.t.Fatal(err)
	}
	return text
}

// table makes the table Probe_CL.
func (in *instance) table() {
	in.t.Helper()
	table, _, err := schema.ParseCustom("Probe_CL", "TimeGenerated:datetime, client:int, n:long, note:string")
	if err != nil {
		in.t.Fatal(err)
	}
	if err := in.local.Writer.CreateTable(in.t.Context(), table); err != nil {
		in.t.Fatal(err)
	}
}

// answer is what a request got.
type answer struct {
	status  int
	header  http.Header
	body    string
	problem Problem
}

// send sends a request; header is pairs.
func (in *instance) send(method, path, token string, body io.Reader, header ...string) answer {
	in.t.Helper()
	a, err := in.try(method, path, token, body, header...)
	if err != nil {
		in.t.Fatal(err)
	}
	return a
}

func (in *instance) try(method, path, token string, body io.Reader, header ...string) (answer, error) {
	r, err := http.NewRequestWithContext(in.t.Context(), method, in.url+path, body)
	if err != nil {
		return answer{}, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := in.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
		err = json.Unmarshal(text, &a.problem)
		if err == nil && (a.problem.Status != resp.StatusCode || a.problem.Title == "" || a.problem.Code == "" || a.problem.Detail == "") {
			err = fmt.Errorf("an incomplete problem: %s", text)
		}
	}
	return a, err
}

// count asks for the number of rows.
func (in *instance) count(table string) string {
	in.t.Helper()
	ctx := in.t.Context()
	if err := in.local.Flush(ctx); err != nil {
		in.t.Fatal(err)
	}
	result, err := query.Run(ctx, &query.Config{Lake: in.local.Writer.Lake, Engine: in.local.Engine}, table+" | count")
	if err != nil {
		in.t.Fatal(err)
	}
	var b bytes.Buffer
	if err := query.WriteCSV(&b, result.Rows); err != nil {
		in.t.Fatal(err)
	}
	if err := result.Close(); err != nil {
		in.t.Fatal(err)
	}
	_, rows, _ := strings.Cut(strings.TrimSpace(b.String()), "\n")
	return strings.TrimSpace(rows)
}
