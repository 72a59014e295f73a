package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is what a command prints while a test reads it.
type output struct {
	mu   sync.Mutex
	b    bytes.Buffer
	line chan struct{} // has a value when something was printed
}

func newOutput() *output { return &output{line: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.line <- struct{}{}:
	default:
	}
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// serve runs `wadi serve` until end is called, which gives its exit code.
func serve(t *testing.T, data string, env map[string]string, args ...string) (out *output, end func() Code) {
	t.Helper()
	runtime, err := os.MkdirTemp("", "ws") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	out = newOutput()
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan Code, 1)
	app := &App{Stdin: strings.NewReader(""), Stdout: out, Stderr: out, Getenv: func(name string) string {
		if name == "XDG_RUNTIME_DIR" {
			return runtime
		}
		return env[name]
	}}
	go func() { code <- app.Run(ctx, append([]string{"--data", data, "serve"}, args...)) }()
	end = sync.OnceValue(func() Code {
		cancel()
		return <-code
	})
	t.Cleanup(func() { end() })
	for !strings.Contains(out.String(), "make a token") {
		select {
		case <-out.line:
		case c := <-code:
			t.Fatalf("it ended with %d: %s", c, out.String())
		case <-time.After(time.Minute):
			t.Fatalf("it doesn't start: %s", out.String())
		}
	}
	return out, end
}

// TestTokenCommands makes, lists and revokes tokens, with the server down and up.
func TestTokenCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "lake")
	tokens := func(up string) {
		for _, c := range []struct {
			args string
			code Code
			want string
		}{
			{"token create " + up + "-a --scope ingest,query --id dcr-1 --expires 90d", CodeDone, "wadi_"},
			{"token create " + up + "-a --scope ingest", CodeUsage, "there is one named " + up + "-a"},
			{"token create " + up + "-b", CodeUsage, "it has no scope"},
			{"token create " + up + "-b --scope root", CodeUsage, "no scope \"root\""},
			{"token create " + up + "/b --scope ingest", CodeUsage, "cannot make a token named"},
			{"token create " + up + "-b --scope ingest --id a_b", CodeUsage, "is no id"},
			{"token create " + up + "-b --scope ingest --expires 2001-01-01", CodeUsage, "later than now"},
			{"token create " + up + "-b --scope ingest --expires -5d", CodeUsage, "later than now"},
			{"token list", CodeDone, "dcr-1"},
			{"token revoke " + up + "-a", CodeDone, ""},
			{"token revoke " + up + "-a", CodeDone, ""},
			{"token revoke nobody", CodeUsage, "no such token"},
			{"token list", CodeDone, "revoked"},
			{"token list --json", CodeDone, `"state":"revoked"`},
		} {
			code, out, errs := run(t, "", append([]string{"--data", data}, strings.Fields(c.args)...)...)
			if code != c.code || !strings.Contains(out+errs, c.want) {
				t.Errorf("%s: %d %s%s", c.args, code, out, errs)
			}
			if strings.HasPrefix(c.args, "token create") && code == CodeDone && (len(strings.TrimSpace(out)) != len("wadi_")+43 || errs != "") {
				t.Errorf("%s prints %q and %q, not the token alone", c.args, out, errs)
			}
		}
	}
	tokens("down")
	_, end := serve(t, data, nil, "--listen", "127.0.0.1:0")
	tokens("up")
	if code := end(); code != CodeDone {
		t.Errorf("serve ends with %d", code)
	}
	// Each making and revoking is in the audit.
	code, out, errs := run(t, "", "--data", data, "query", "wadi_audit | where Action == 'token' | summarize count()", "--format", "csv")
	if code != CodeDone || !strings.Contains(out, "4") {
		t.Errorf("%d %s%s", code, out, errs)
	}
}

// TestServeCommand looks at what keeps a server from starting, and at where its
// settings come from.
func TestServeCommand(t *testing.T) {
	data := filepath.Join(t.TempDir(), "lake")
	out, _ := serve(t, data, map[string]string{"WADI_LISTEN": "127.0.0.1:0"})
	_, after, _ := strings.Cut(out.String(), "serves https://")
	address, _, _ := strings.Cut(after, "\n")
	if code, _, errs := run(t, "", "--data", data, "serve", "--listen", "127.0.0.1:0"); code != CodeNothingDone || !strings.Contains(errs, "process ") {
		t.Errorf("a second start: %d %s", code, errs)
	}
	other := filepath.Join(t.TempDir(), "other")
	if code, _, errs := run(t, "", "--data", other, "serve", "--listen", address); code != CodeNothingDone || !strings.Contains(errs, "process ") || strings.Contains(errs, "panic") {
		t.Errorf("a taken port: %d %s", code, errs)
	}
	if err := os.WriteFile(filepath.Join(other, "wadi.yaml"), []byte("\nlisten: 127.0.0.1:0\nlimit:\n  drain: 1s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, "", "--data", other, "serve"); code != CodeUsage || !strings.Contains(errs, "wadi.yaml:3: there is no key \"limit\"") {
		t.Errorf("a wrong key: %d %s", code, errs)
	}
	if code, _, errs := run(t, "", "--data", other, "serve", "--config", "nosuch.yaml"); code != CodeUsage || !strings.Contains(errs, "nosuch.yaml") {
		t.Errorf("a missing file: %d %s", code, errs)
	}
	if code, _, errs := run(t, "", "--data", data, "query", "print x = 5", "--format", "csv"); code != CodeDone {
		t.Errorf("a question through the server: %d %s", code, errs)
	}
}
