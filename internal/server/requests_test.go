package server

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/wadi-project/wadi/internal/lake"
)

const (
	ingestPath = "/api/v1/ingest/Probe_CL"
	dcrPath    = "/dataCollectionRules/dcr-1/streams/Custom-Probe_CL?api-version=2023-01-01"
)

func gzipped(t *testing.T, text string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func zstandard(t *testing.T, text string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

// TestStores sends rows in every way that is taken; each is there once.
func TestStores(t *testing.T) {
	dir := t.TempDir()
	in := start(t, dir, nil, nil)
	in.table()
	token := in.token("sender", nil, "ingest")
	rows := `[{"TimeGenerated":"2026-11-01T10:00:00Z","client":1,"n":2},{"client":1,"n":3}]`
	sent := 0
	ok := func(a answer, rows, duplicate string) {
		t.Helper()
		if a.status != http.StatusNoContent || a.body != "" || a.header.Get(rowsHeader) != rows || a.header.Get(duplicateHeader) != duplicate {
			t.Errorf("%d %v %s", a.status, a.header, a.body)
		}
		if duplicate == "" {
			sent++
		}
	}
	ok(in.send("POST", ingestPath, token, strings.NewReader(rows)), "2", "")
	ok(in.send("POST", ingestPath, token, strings.NewReader(rows)), "2", "true")
	ok(in.send("POST", ingestPath+"?source=other", token, strings.NewReader(rows)), "2", "")
	ok(in.send("POST", dcrPath, token, gzipped(t, rows), "Content-Encoding", "gzip", "Content-Type", "application/json"), "2", "")
	// The same decoded body, encoded otherwise, is the same request.
	ok(in.send("POST", dcrPath, token, zstandard(t, rows), "Content-Encoding", "zstd"), "2", "true")
	ok(in.send("POST", strings.Replace(dcrPath, "dcr-1", "dcr-2", 1), token, strings.NewReader(rows)), "2", "")
	ok(in.send("POST", dcrPath, in.token("other", nil, "ingest"), strings.NewReader(rows)), "2", "")
	ok(in.send("POST", ingestPath, token, strings.NewReader("{\"n\":1}\n{\"n\":2}\n"), "Content-Type", "application/x-ndjson"), "2", "")
	if a := in.send("POST", ingestPath, token, strings.NewReader("[]")); a.status != http.StatusNoContent || a.header.Get(rowsHeader) != "0" {
		t.Errorf("no rows: %d %s", a.status, a.body)
	}

	// A client with a log of its own.
	const log = "4b6f1f5e-7f0c-4e5e-9b57-0d9f0a9a7c11"
	ok(in.send("POST", dcrPath, token, strings.NewReader(rows), batchHeader, log+";1"), "2", "")
	ok(in.send("POST", dcrPath, token, strings.NewReader(rows), batchHeader, log+";2"), "2", "")
	ok(in.send("POST", dcrPath, token, strings.NewReader(rows), batchHeader, log+";1"), "2", "true")
	a := in.send("POST", dcrPath, token, strings.NewReader(rows), batchHeader, log+";5")
	ok(a, "2", "")
	if a.header.Get(gapHeader) != "2" {
		t.Errorf("gap %q", a.header.Get(gapHeader))
	}
	if n := in.count("Probe_CL"); n != "18" || sent != 9 {
		t.Errorf("%s rows of %d requests", n, sent)
	}

	// All of it is known after a restart.
	in.client.CloseIdleConnections()
	if err := in.stop(); err != nil {
		t.Fatal(err)
	}
	in = start(t, dir, nil, nil)
	ok(in.send("POST", ingestPath, token, strings.NewReader(rows)), "2", "true")
	ok(in.send("POST", dcrPath, token, strings.NewReader(rows), batchHeader, log+";5"), "2", "true")
	if n := in.count("Probe_CL"); n != "18" {
		t.Errorf("%s rows after a restart", n)
	}
}

// TestRefuses sends what is wrong: each gets its status and reason, and nothing is
// stored.
func TestRefuses(t *testing.T) {
	in := start(t, t.TempDir(), nil, nil)
	in.table()
	token := in.token("sender", nil, "ingest")
	limited := in.token("limited", func(t *lake.Token) { t.IDs = []string{"dcr-7"} }, "ingest")
	for _, c := range []struct {
		name, method, path, token, body string
		header                          []string
		status                          int
		code, detail                    string
	}{
		{name: "no JSON", body: `[{"n":1},`, status: 400, code: "InvalidBody"},
		{name: "wrong type", body: `[{"n":1},{"n":"many"}]`, status: 400, code: "InvalidBody", detail: "row 2"},
		{name: "unknown column", body: `[{"n":1,"nn":2}]`, status: 400, code: "InvalidBody", detail: "nn"},
		{name: "a number", body: `5`, status: 400, code: "InvalidBody"},
		{name: "deep", body: `[{"note":` + strings.Repeat("[", 100_000), status: 400, code: "InvalidBody"},
		{name: "gzip that is none", body: `[]`, header: []string{"Content-Encoding", "gzip"}, status: 400, code: "InvalidEncoding"},
		{name: "torn gzip", body: gzipped(t, strings.Repeat(`{"n":1}`, 1000)).String()[:30], header: []string{"Content-Encoding", "gzip"}, status: 400, code: "InvalidEncoding"},
		{name: "zstd that is none", body: `[]`, header: []string{"Content-Encoding", "zstd"}, status: 400, code: "InvalidEncoding"},
		{name: "unknown encoding", body: `[]`, header: []string{"Content-Encoding", "br"}, status: 415, code: "UnsupportedEncoding"},
		{name: "two encodings", body: `[]`, header: []string{"Content-Encoding", "gzip, gzip"}, status: 415, code: "UnsupportedEncoding"},
		{name: "unknown type", body: `[]`, header: []string{"Content-Type", "text/html"}, status: 415, code: "UnsupportedType"},
		{name: "large", body: `[` + strings.Repeat(" ", 17<<20), status: 413, code: "ContentLengthLimitExceeded"},
		{name: "unknown table", path: "/api/v1/ingest/Nothing_CL", body: `[]`, status: 404, code: "TableNotFound", detail: "Nothing_CL"},
		{name: "unknown stream", path: "/dataCollectionRules/a/streams/Custom-Nothing_CL?api-version=2023-01-01", body: `[]`, status: 404, code: "StreamNotFound"},
		{name: "no version", path: "/dataCollectionRules/a/streams/Custom-Probe_CL", body: `[]`, status: 400, code: "MissingParameter", detail: "api-version"},
		{name: "other version", path: "/dataCollectionRules/a/streams/Custom-Probe_CL?api-version=1999-01-01", body: `[]`, status: 400, code: "InvalidParameter", detail: "api-version"},
		{name: "two versions", path: dcrPath + "&api-version=2023-01-01", body: `[]`, status: 400, code: "InvalidParameter"},
		{name: "unknown parameter", path: dcrPath + "&debug=1", body: `[]`, status: 400, code: "InvalidParameter", detail: "debug"},
		{name: "long id", path: "/dataCollectionRules/" + strings.Repeat("a", 65) + "/streams/Custom-Probe_CL?api-version=2023-01-01", body: `[]`, status: 400, code: "InvalidParameter"},
		{name: "wrong id", path: "/dataCollectionRules/a_b/streams/Custom-Probe_CL?api-version=2023-01-01", body: `[]`, status: 400, code: "InvalidParameter"},
		{name: "wrong batch", header: []string{batchHeader, "x;1"}, body: `[{"n":1}]`, status: 400, code: "InvalidParameter"},
		{name: "batch 0", header: []string{batchHeader, "4b6f1f5e-7f0c-4e5e-9b57-0d9f0a9a7c11;0"}, body: `[{"n":1}]`, status: 400, code: "InvalidParameter"},
		{name: "other id", token: limited, body: `[{"n":1}]`, path: dcrPath, status: 403, code: "IdNotAllowed"},
		{name: "dots", path: "/api/v1/ingest/../../metrics", body: `[]`, status: 400, code: "InvalidPath"},
		{name: "escaped dots", path: "/api/v1/ingest/%2e%2e%2fmetrics", body: `[]`, status: 400, code: "InvalidPath"},
		{name: "escaped slash", path: "/dataCollectionRules/a%2Fb/streams/x?api-version=2023-01-01", body: `[]`, status: 400, code: "InvalidPath"},
		{name: "double slash", path: "//api/v1/ingest/Probe_CL", body: `[]`, status: 400, code: "InvalidPath"},
		{name: "NUL", path: "/api/v1/ingest/Probe_CL%00", body: `[]`, status: 400, code: "InvalidPath"},
		{name: "nothing there", path: "/etc/passwd", body: `[]`, status: 404, code: "PathNotFound"},
		{name: "method", method: "PUT", body: `[]`, status: 405, code: "MethodNotAllowed"},
		{name: "strange method", method: "BREW", body: `[]`, status: 405, code: "MethodNotAllowed"},
	} {
		if c.path == "" {
			c.path = ingestPath
		}
		if c.method == "" {
			c.method = "POST"
		}
		if c.token == "" {
			c.token = token
		}
		a := in.send(c.method, c.path, c.token, strings.NewReader(c.body), c.header...)
		if a.status != c.status || a.problem.Code != c.code || !strings.Contains(a.problem.Detail, c.detail) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	if n := in.count("Probe_CL"); n != "0" {
		t.Errorf("%s rows are stored", n)
	}
}

func TestTokens(t *testing.T) {
	in := start(t, t.TempDir(), nil, nil)
	in.table()
	row := func(n string) io.Reader { return strings.NewReader(`[{"n":` + n + `}]`) }
	good := in.token("good", nil, "ingest")
	reads := in.token("reads", nil, "query")
	expired := in.token("expired", func(t *lake.Token) { t.ExpiresUS = time.Now().Add(-time.Second).UnixMicro() }, "ingest")
	revoked := in.token("revoked", nil, "ingest")
	if a := in.send("POST", ingestPath, revoked, row("1")); a.status != 204 {
		t.Errorf("before it is revoked: %d %s", a.status, a.body)
	}
	if err := in.local.Writer.RevokeToken(t.Context(), "revoked"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, token, detail string
		status              int
	}{
		{"none", "", "no token", 401},
		{"unknown", "wadi_" + strings.Repeat("A", 43), "not known", 401},
		{"short", "wadi_x", "not known", 401},
		{"expired", expired, "expired", 401},
		{"revoked", revoked, "revoked", 401},
		{"other scope", reads, "scope ingest", 403},
	} {
		a := in.send("POST", ingestPath, c.token, row("2"))
		if a.status != c.status || !strings.Contains(a.problem.Detail, c.detail) || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s %v", c.name, a.status, a.body, a.header)
		}
	}
	limited := 0
	for range 2 * wrongTokens {
		if a := in.send("POST", ingestPath, "wadi_"+strings.Repeat("B", 43), row("3")); a.status == 429 {
			limited++
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	if limited == 0 {
		t.Error("wrong tokens are never limited")
	}
	// A right token passes all the same.
	if a := in.send("POST", ingestPath, good, row("4")); a.status != 204 {
		t.Errorf("a right token: %d %s", a.status, a.body)
	}
	if n := in.count("Probe_CL"); n != "2" {
		t.Errorf("%s rows", n)
	}
}

func TestFailuresAreBounded(t *testing.T) {
	f, now := newFailures(), time.Unix(0, 0)
	for i := range 3 * wrongAddresses {
		f.count(net.IPv4(byte(i>>16), byte(i>>8), byte(i), 1).String(), now)
	}
	if len(f.seen) > wrongAddresses {
		t.Errorf("%d addresses", len(f.seen))
	}
	for range wrongTokens {
		if f.count("a", now) != 0 {
			t.Fatal("limited too early")
		}
	}
	if f.count("a", now) != wrongTokensWithin || f.count("a", now.Add(wrongTokensWithin)) != 0 {
		t.Error("the limit does not come, or does not end")
	}
}

// TestSlowSender sends its body too slowly: it is cut off, others are not.
func TestSlowSender(t *testing.T) {
	in := start(t, t.TempDir(), nil, func(c *Config) { c.grace = 300 * time.Millisecond })
	in.table()
	token := in.token("slow", nil, "ingest")
	c, err := tls.Dial("tcp", in.address, &tls.Config{RootCAs: in.roots(), NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	began := time.Now()
	_, err = io.WriteString(c, "POST "+ingestPath+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\nContent-Length: 1000\r\n\r\n[{")
	if err != nil {
		t.Fatal(err)
	}
	if a := in.send("POST", ingestPath, token, strings.NewReader(`[{"n":1}]`)); a.status != 204 {
		t.Errorf("beside it: %d %s", a.status, a.body)
	}
	text, err := io.ReadAll(c)
	if took := time.Since(began); !strings.HasPrefix(string(text), "HTTP/1.1 408 ") || took < 250*time.Millisecond || took > 20*time.Second {
		t.Errorf("after %v: %q, %v", took, text, err)
	}
	if n := in.count("Probe_CL"); n != "1" {
		t.Errorf("%s rows", n)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	in := start(t, t.TempDir(), nil, nil)
	c, err := tls.Dial("tcp", in.address, &tls.Config{RootCAs: in.roots(), NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	go func() {
		_, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("a", 1<<20)+"\r\n\r\n") // it is cut off
	}()
	first := make([]byte, 12)
	if _, err := io.ReadFull(c, first); err != nil || string(first) != "HTTP/1.1 431" {
		t.Errorf("%q %v", first, err)
	}
	if a := in.send("GET", "/healthz", "", nil); a.status != 200 {
		t.Errorf("%d", a.status)
	}
}

// TestBombs sends small bodies that grow: each is refused, memory stays bounded.
func TestBombs(t *testing.T) {
	in := start(t, t.TempDir(), nil, nil)
	in.table()
	token := in.token("bomber", nil, "ingest")
	spaces := strings.Repeat(" ", 200<<20)
	bombs := map[string][]byte{"gzip": gzipped(t, spaces).Bytes(), "zstd": zstandard(t, spaces).Bytes()}
	spaces = ""
	type result struct {
		a   answer
		err error
	}
	done := make(chan result)
	const each = 20
	for encoding, bomb := range bombs {
		t.Logf("%s: %d bytes", encoding, len(bomb))
		for range each {
			go func() {
				a, err := in.try("POST", ingestPath, token, bytes.NewReader(bomb), "Content-Encoding", encoding)
				done <- result{a, err}
			}()
		}
	}
	refused := 0
	for range each * len(bombs) {
		r := <-done
		switch {
		case r.err != nil:
			t.Error(r.err)
		case r.a.status == 413:
			refused++
		case r.a.status != 429:
			t.Errorf("%d %s", r.a.status, r.a.body)
		}
		if n := in.server.Load().bodies; n != nil {
			if arriving, work := n.held(); arriving > n.max || work > n.max+20<<20 {
				t.Errorf("%d and %d bytes are held", arriving, work)
			}
		}
	}
	if refused == 0 {
		t.Error("no bomb was refused as one")
	}
	if a := in.send("POST", ingestPath, token, strings.NewReader(`[{"n":1}]`)); a.status != 204 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
	if arriving, work := in.server.Load().bodies.held(); arriving != 0 || work != 0 {
		t.Errorf("%d and %d bytes are still held", arriving, work)
	}
	if n := in.count("Probe_CL"); n != "1" {
		t.Errorf("%s rows", n)
	}
}

// TestWindowIsBounded sends a zstd body that wants its reader to keep more than 8 MB.
func TestWindowIsBounded(t *testing.T) {
	in := start(t, t.TempDir(), nil, nil)
	in.table()
	token := in.token("x", nil, "ingest")
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(64<<20), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := w.Write(bytes.Repeat([]byte(" "), 4<<20)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if a := in.send("POST", ingestPath, token, &b, "Content-Encoding", "zstd"); a.status != 400 || a.problem.Code != "InvalidEncoding" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestBodiesAreBounded fills the memory for arriving bodies: one token can take half
// of it at most.
func TestBodiesAreBounded(t *testing.T) {
	b := newBodies(minBodyMemory)
	half := b.max / oneTokenPart
	if err := b.arrive("a", half); err != nil {
		t.Fatal(err)
	}
	if b.arrive("a", 1) == nil {
		t.Error("one token takes all")
	}
	if err := b.arrive("b", half); err != nil {
		t.Error(err)
	}
	if b.arrive("c", 1) == nil {
		t.Error("more than there is")
	}
	b.arrived("a", half)
	if err := b.arrive("c", half); err != nil {
		t.Error(err)
	}
	b.arrived("b", half)
	b.arrived("c", half)
	if arriving, _ := b.held(); arriving != 0 || len(b.byToken) != 0 {
		t.Errorf("%d bytes, %d tokens are left", arriving, len(b.byToken))
	}
}

// TestIdleConnections opens more connections than there may be: others get through.
func TestIdleConnections(t *testing.T) {
	idleConnections(t, 200, map[string]string{"limits.connections": "64"})
}

func idleConnections(t *testing.T, n int, flags map[string]string) {
	in := start(t, t.TempDir(), flags, nil)
	in.table()
	token := in.token("x", nil, "ingest")
	if a := in.send("POST", ingestPath, token, strings.NewReader(`[{"n":0}]`)); a.status != 204 {
		t.Fatalf("before: %d %s", a.status, a.body)
	}
	var idle []net.Conn
	defer func() {
		for _, c := range idle {
			_ = c.Close()
		}
	}()
	for range n {
		c, err := net.Dial("tcp", in.address)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, c)
	}
	// The connection that showed a token stays; a new one finds room.
	if a := in.send("POST", ingestPath, token, strings.NewReader(`[{"n":1}]`)); a.status != 204 {
		t.Errorf("on the old connection: %d %s", a.status, a.body)
	}
	in.client = in.newClient()
	defer in.client.CloseIdleConnections()
	if a := in.send("POST", ingestPath, token, strings.NewReader(`[{"n":2}]`)); a.status != 204 {
		t.Errorf("on a new one: %d %s", a.status, a.body)
	}
	open, dropped := in.server.Load().conns.count()
	t.Logf("%d connections are open, %d were dropped", open, dropped)
	if open > in.server.Load().conns.max {
		t.Errorf("%d connections", open)
	}
	if n := in.count("Probe_CL"); n != "3" {
		t.Errorf("%s rows", n)
	}
}
