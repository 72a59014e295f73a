package server

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSaysWhatToDo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a lake")
	in := start(t, dir, nil, nil)
	for _, want := range []string{"serves " + in.url, dir, "fingerprint  SHA-256 ", "token create NAME --scope ingest,query"} {
		if !strings.Contains(in.out.String(), want) {
			t.Errorf("no %q in\n%s", want, in.out.String())
		}
	}
	for name, mode := range map[string]os.FileMode{"tls/key.pem": 0o600, "tls/cert.pem": 0o644, "tls": 0o700} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", name, st, err)
		}
	}
}

// exits runs a server that can't start and gives its error's exit code.
func exits(t *testing.T, dir, listen string) (code int, text string) {
	t.Helper()
	err := Run(t.Context(), Config{
		Sources: Sources{Flags: map[string]string{"listen": listen}, DataDir: dir}, Stdout: io.Discard, Stderr: io.Discard,
	})
	var coder interface{ ExitCode() int }
	if !errors.As(err, &coder) {
		t.Fatalf("%v", err)
	}
	return coder.ExitCode(), err.Error()
}

func TestSecondStart(t *testing.T) {
	in := start(t, t.TempDir(), nil, nil)
	pid := strconv.Itoa(os.Getpid())
	if code, text := exits(t, in.dir, "127.0.0.1:0"); code != 3 || !strings.Contains(text, pid) || strings.Contains(text, "\n") {
		t.Errorf("%d: %s", code, text)
	}
	if code, text := exits(t, t.TempDir(), in.address); code != 3 || !strings.Contains(text, "process "+pid) || strings.Contains(text, "\n") {
		t.Errorf("%d: %s", code, text)
	}
}

// TestDrain ends a server while a request is on its way: it is answered, and what it
// brought is there.
func TestDrain(t *testing.T) {
	dir := t.TempDir()
	in := start(t, dir, nil, nil)
	in.table()
	token := in.token("x", nil, "ingest")
	c, err := tls.Dial("tcp", in.address, &tls.Config{RootCAs: in.roots(), NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	head := "POST " + ingestPath + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 9\r\n\r\n"
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	// The server has begun to read the body when it says so.
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q %v", line, err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- in.stop() }()
	<-in.server.Load().Done()
	if _, err := io.WriteString(c, `[{"n":7}]`); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if !strings.Contains(string(text), "HTTP/1.1 204") {
		t.Errorf("%q %v", text, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", in.address); err == nil {
		t.Error("it still listens")
	}
	again := start(t, dir, nil, nil)
	if n := again.count("Probe_CL"); n != "1" {
		t.Errorf("%s rows", n)
	}
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	settings := filepath.Join(dir, "wadi.yaml")
	write := func(text string) {
		if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log:\n  level: warn\n")
	in := start(t, dir, nil, nil)
	s := in.server.Load()
	shown := func() string {
		c, err := tls.Dial("tcp", in.address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	reload := func() {
		in.reload <- syscall.SIGHUP
		in.reload <- syscall.SIGHUP // taken when the one before is done
	}
	first := shown()
	cert, key := certificate(t, dir, "own", nil)
	write("log:\n  level: debug\ntls:\n  cert: " + cert + "\n  key: " + key + "\nlimits:\n  connections: 77\n  body_memory: 100MB\n")
	reload()
	s.conns.mu.Lock()
	most := s.conns.max
	s.conns.mu.Unlock()
	s.bodies.mu.Lock()
	memory := s.bodies.max
	s.bodies.mu.Unlock()
	if now := s.settings.Load(); now.Connections != 77 || most != 77 || memory != 50<<20 || shown() == first {
		t.Errorf("%+v %d %d", now, most, memory)
	}
	if !strings.Contains(in.log.String(), "level=DEBUG") && !strings.Contains(in.log.String(), "read again") {
		t.Errorf("no line of the new level in %s", in.log.String())
	}
	write("colour: red\n")
	reload()
	if s.settings.Load().Connections != 77 || !strings.Contains(in.log.String(), "wadi.yaml:1") {
		t.Error("a wrong file changes something, or nobody is told")
	}
}

// certificate makes a certificate and its key as files; ca signs it, nil makes it an
// authority of its own.
func certificate(t *testing.T, dir, name string, ca *tls.Certificate) (cert, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	parent, signer := c, any(own)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &own.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestClientCertificates sends with a certificate in place of a token.
func TestClientCertificates(t *testing.T) {
	dir := t.TempDir()
	caCert, caKey := certificate(t, dir, "ca", nil)
	ca, err := tls.LoadX509KeyPair(caCert, caKey)
	if err != nil {
		t.Fatal(err)
	}
	pair := func(name string, by *tls.Certificate) tls.Certificate {
		p, err := tls.LoadX509KeyPair(certificate(t, dir, name, by))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	in := start(t, filepath.Join(dir, "lake"), map[string]string{"tls.client_ca": caCert}, nil)
	in.table()
	try := func(row string, certificates ...tls.Certificate) (answer, error) {
		in.client = in.newClient(certificates...)
		defer in.client.CloseIdleConnections()
		return in.try("POST", ingestPath, "", strings.NewReader(row))
	}
	if a, err := try(`[{"n":1}]`, pair("agent", &ca)); err != nil || a.status != 204 {
		t.Errorf("%d %s %v", a.status, a.body, err)
	}
	if a, err := try(`[{"n":2}]`); err != nil || a.status != 401 {
		t.Errorf("without one: %d %s %v", a.status, a.body, err)
	}
	if a, err := try(`[{"n":3}]`, pair("stranger", nil)); err == nil && a.status != 401 {
		t.Errorf("of another authority: %d %s", a.status, a.body)
	}
	if n := in.count("Probe_CL"); n != "1" {
		t.Errorf("%s rows", n)
	}
}

// TestCertificateIsRenewed moves the clock to the certificate's end.
func TestCertificateIsRenewed(t *testing.T) {
	now := time.Now()
	dir := t.TempDir()
	c := &certificates{now: func() time.Time { return now }, dataDir: dir}
	s := &Settings{Hosts: []string{"wadi.example", "10.1.2.3"}}
	load := func(want bool) string {
		t.Helper()
		made, err := c.load(s)
		if err != nil || made != want {
			t.Fatalf("%v %v", made, err)
		}
		return c.fingerprint()
	}
	first := load(true)
	leaf := c.leaf.Load()
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "wadi.example", "10.1.2.3"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if leaf.IsCA || leaf.NotAfter.Sub(leaf.NotBefore) > certDays*24*time.Hour {
		t.Errorf("%v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	now = now.AddDate(0, 0, certDays-renewDays-3)
	if load(false) != first {
		t.Error("made anew too early")
	}
	now = now.AddDate(0, 0, 3)
	if load(true) == first {
		t.Error("not made anew")
	}
	if key := c.leaf.Load().PublicKey.(*ecdsa.PublicKey); !key.Equal(leaf.PublicKey) {
		t.Error("with another key")
	}

	// What the operator put there is never touched.
	cert, key := certificate(t, dir, "own", nil)
	for from, to := range map[string]string{cert: "cert.pem", key: "key.pem"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tls", to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now = now.AddDate(10, 0, 0)
	load(false)

	// A key without a certificate is a crash between the two: both are made.
	if err := os.Remove(filepath.Join(dir, "tls", "cert.pem")); err != nil {
		t.Fatal(err)
	}
	load(true)
	// A certificate whose key is missing is a mistake that a person has to look at.
	if err := os.Remove(filepath.Join(dir, "tls", "key.pem")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.load(s); err == nil {
		t.Error("a missing key is no error")
	}
}

var sample = regexp.MustCompile(`^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+0-9.eE]+(Inf)?$`)

func TestMetrics(t *testing.T) {
	in := start(t, t.TempDir(), nil, nil)
	in.table()
	in.send("POST", ingestPath, in.token("x", nil, "ingest"), strings.NewReader(`[{"n":1}]`))
	for i := range 50 {
		in.send("GET", "/no/"+strconv.Itoa(i), "", nil)
	}
	a := in.send("GET", "/metrics", "", nil)
	types := map[string]bool{}
	lines := 0
	for line := range strings.Lines(a.body) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ := strings.Cut(rest, " ")
			if types[name] {
				t.Errorf("%s is declared twice", name)
			}
			types[name] = true
			continue
		}
		if strings.HasPrefix(line, "# ") {
			continue
		}
		lines++
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "{")
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && types[base] {
				name = base
			}
		}
		if !sample.MatchString(line) || !types[name] {
			t.Errorf("%s", line)
		}
	}
	for _, want := range []string{
		`wadi_http_requests_total{route="ingest",status="204"} 1`, `wadi_http_requests_total{route="none",status="404"} 50`,
		`wadi_ingest_rows_total{route="ingest"} 1`, "wadi_stream_rows_total 1", `wadi_build_info{version="test"} 1`,
	} {
		if !strings.Contains(a.body, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if lines > 300 {
		t.Errorf("%d lines: labels are not bounded", lines)
	}
	if a := in.send("GET", "/readyz", "", nil); a.status != 200 || !strings.Contains(a.body, "ready") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := in.send("GET", "/api/v1/openapi.json", "", nil); a.status != 200 || a.body != string(OpenAPI()) {
		t.Errorf("%d", a.status)
	}
}

// TestFaultEndsOneRequest lets a handler panic.
func TestFaultEndsOneRequest(t *testing.T) {
	in := start(t, t.TempDir(), nil, func(c *Config) {
		c.more = []Route{{Method: "GET", Path: "/fault", Name: "fault", Handle: func(*Server, http.ResponseWriter, *Request) error { panic("a secret") }}}
	})
	if a := in.send("GET", "/fault", "", nil); a.status != 500 || a.problem.Code != "InternalError" || strings.Contains(a.body, "secret") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := in.send("GET", "/healthz", "", nil); a.status != 200 {
		t.Errorf("%d", a.status)
	}
	if !strings.Contains(in.log.String(), "secret") {
		t.Error("the log says nothing")
	}
}
