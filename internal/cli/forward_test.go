package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runWith runs a command with WADI_TOKEN set to token.
func runWith(t *testing.T, token string, args ...string) (code Code, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	app := &App{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(name string) string {
		if name == "WADI_TOKEN" {
			return token
		}
		return ""
	}}
	code = app.Run(t.Context(), args)
	return code, out.String(), errs.String()
}

// TestForward sends to a TLS receiver of its own certificate.
func TestForward(t *testing.T) {
	status := http.StatusNoContent
	var paths []string
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		paths = append(paths, r.URL.Path)
		w.WriteHeader(status)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	sum := sha256.Sum256(srv.Certificate().Raw)
	pin := hex.EncodeToString(sum[:])
	dir := t.TempDir()
	ca := put(t, dir, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
	tokenFile := put(t, dir, "token", []byte("secret\n"))
	wrong := put(t, dir, "wrong", []byte("other"))
	events := put(t, dir, "a.evtx", smallLog(3))
	lines := put(t, dir, "b.json", []byte("{\"n\":1}\nno JSON\n"))
	n, env := 0, ""
	forward := func(want Code, text string, args ...string) {
		t.Helper()
		n++
		cursors := filepath.Join(dir, "cursors", string(rune('a'+n)))
		args = append([]string{"forward", "--to", srv.URL, "--once", "--cursors", cursors}, args...)
		code, out, errs := runWith(t, env, args...)
		if code != want || !strings.Contains(out+errs, text) {
			t.Errorf("%v: code %d, want %d and %q\n%s%s", args[6:], code, want, text, out, errs)
		}
	}
	forward(CodeDone, "sent 3 rows of 1 file in 1 request; refused 0", events, "--ca", ca, "--token-file", tokenFile, "--rule", "dc1")
	forward(CodeDone, `"rows": 3`, events, "--fingerprint", pin, "--token-file", tokenFile, "--json", "--rule", "dc1")
	forward(CodeFailed, "refused.jsonl", lines, "--ca", ca, "--token-file", tokenFile, "--json-stream", "Custom-Probe_CL", "--rule", "dc1")
	env = "secret"
	forward(CodeDone, "each row is stored once", events, "--ca", ca)
	forward(CodeFailed, "the token is unknown", events, "--ca", ca, "--token-file", wrong)
	forward(CodeFailed, "--fingerprint", events)
	forward(CodeFailed, "not the one that is pinned", events, "--fingerprint", strings.Repeat("ab", 32))
	forward(CodeUsage, "64 hexadecimal digits", events, "--fingerprint", "ab")
	forward(CodeUsage, "letters, digits", events, "--ca", ca, "--rule", "a/b")
	forward(CodeUsage, "cannot understand", "--ca", ca)
	status = http.StatusNotFound
	forward(CodeFailed, "name the streams", events, "--ca", ca)
	status = http.StatusForbidden
	forward(CodeFailed, "scope ingest", events, "--ca", ca)
	env = ""
	forward(CodeUsage, "WADI_TOKEN", events, "--ca", ca)
	want := []string{"/dataCollectionRules/dc1/streams/Microsoft-Event", "/dataCollectionRules/dc1/streams/Microsoft-Event", "/dataCollectionRules/dc1/streams/Custom-Probe_CL"}
	if strings.Join(paths[:3], " ") != strings.Join(want, " ") {
		t.Errorf("requests %v", paths)
	}
}

func TestForwardUsage(t *testing.T) {
	for _, c := range []struct{ want, args string }{
		{"--to", "forward x"},
		{"dcr-", "forward x --to https://my-dce.westeurope-1.ingest.monitor.azure.com"},
		{"without TLS", "forward x --to http://wadi.example:9443"},
		{"not an address", "forward x --to wadi.example"},
		{"--poll", "forward x --to https://wadi.example --poll -1s"},
	} {
		if code, out, errs := runWith(t, "secret", strings.Fields(c.args)...); code != CodeUsage || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: code %d\n%s%s", c.args, code, out, errs)
		}
	}
}

// TestCursorFolder: each receiver has its own, in the user's state folder.
func TestCursorFolder(t *testing.T) {
	env := map[string]string{"HOME": "/home/u"}
	a := &App{Getenv: func(name string) string { return env[name] }}
	one, err := a.cursorFolder("https://a:1/dataCollectionRules/x")
	two, err2 := a.cursorFolder("https://a:1/dataCollectionRules/y")
	if err != nil || err2 != nil || one == two || !strings.HasPrefix(one, filepath.FromSlash("/home/u/.local/state/wadi/forward/a-")) {
		t.Error(one, two, err, err2)
	}
	env["XDG_STATE_HOME"] = "/state"
	if one, err = a.cursorFolder("https://[::1]:1/x"); err != nil || !strings.HasPrefix(one, filepath.FromSlash("/state/wadi/forward/--1-")) {
		t.Error(one, err)
	}
	clear(env)
	if _, err := a.cursorFolder("https://a:1/x"); err == nil {
		t.Error("without a home there is a folder")
	}
	if rule := ownRule(); rule == "" || len(rule) > 64 || strings.ContainsAny(rule, "._ ") {
		t.Errorf("rule %q", rule)
	}
	if _, err := os.Hostname(); err != nil {
		t.Log("this host has no name")
	}
}
