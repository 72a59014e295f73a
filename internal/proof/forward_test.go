package proof

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// receiver is a `wadi serve` that forwarded rows go to.
type receiver struct {
	cmd                      *exec.Cmd
	url, address, thumbprint string
	stderr                   *bytes.Buffer
}

var servesAt = regexp.MustCompile(`https://(127\.0\.0\.1:\d+)`)

// startReceiver starts a server and waits until it listens.
func startReceiver(t *testing.T, data, listen string) *receiver {
	t.Helper()
	path, err := wadiBinary()
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{cmd: exec.Command(path, "--data", data, "serve", "--listen", listen), stderr: &bytes.Buffer{}}
	r.await(t)
	return r
}

// await starts the server and waits until it listens.
func (r *receiver) await(t *testing.T) {
	t.Helper()
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stderr = r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := servesAt.FindStringSubmatch(lines.Text()); m != nil && r.url == "" {
			r.url, r.address = m[0], m[1]
		}
		if _, print, ok := strings.Cut(lines.Text(), "fingerprint"); ok {
			r.thumbprint = strings.TrimSpace(strings.Replace(print, "SHA-256", "", 1))
		}
		if strings.Contains(lines.Text(), "token create") {
			go func() {
				for lines.Scan() { // so that it never waits for its reader
				}
			}()
			return
		}
	}
	_ = r.cmd.Wait()
	t.Fatalf("the server ended:\n%s", r.stderr)
}

// kill ends the server without a word, once.
func (r *receiver) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // it was killed, or has ended before
}

// stop ends the server as systemd does.
func (r *receiver) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Fatalf("the server's end: %v\n%s", err, r.stderr)
	}
}

// TestForward sends real logs to a real server, both killed at random, and expects
// what an import of the same files stores: every row once.
func TestForward(t *testing.T) {
	slow(t)
	logs := filepath.Join(t.TempDir(), "logs")
	if err := os.MkdirAll(logs, 0o750); err != nil {
		t.Fatal(err)
	}
	input := []string{filepath.Join(sampleDir, "security.evtx"), filepath.Join(corpus(t), "evtx/omerbenamram"), filepath.Join(corpus(t), "evtx/velocidex")}
	imported := filepath.Join(t.TempDir(), "imported")
	importJSON(t, append([]string{"--data", imported, "import", "--json"}, input...)...)
	want := eventTexts(t, imported)

	data, cursors := filepath.Join(t.TempDir(), "lake"), filepath.Join(t.TempDir(), "cursors")
	must(t, "--data", data, "table", "create", "Probe_CL", "TimeGenerated:datetime, n:long")
	token := strings.TrimSpace(must(t, "--data", data, "token", "create", "sender", "--scope", "ingest"))
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(logs, "probe.json")
	numbers := 0
	grow := func() {
		var b strings.Builder
		for range 500 {
			numbers++
			fmt.Fprintf(&b, "{\"TimeGenerated\":\"2026-05-01T00:00:00Z\",\"n\":%d}\n", numbers)
		}
		f, err := os.OpenFile(probe, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(b.String()); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	server := startReceiver(t, data, "127.0.0.1:0")
	sender := func(more ...string) *exec.Cmd {
		path, err := wadiBinary()
		if err != nil {
			t.Fatal(err)
		}
		args := append([]string{"forward", "--to", server.url, "--fingerprint", server.thumbprint, "--token-file", tokenFile, "--cursors", cursors, "--json-stream", "Custom-Probe_CL", logs}, input...)
		return exec.CommandContext(t.Context(), path, append(args, more...)...)
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	for range 12 {
		grow()
		cmd := sender("--poll", "10ms")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, time.Duration(random.Int64N(int64(1500*time.Millisecond))))
		if random.IntN(2) == 0 {
			server.kill()
			server = startReceiver(t, data, server.address)
			waitFor(t, time.Duration(random.Int64N(int64(700*time.Millisecond))))
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	grow()
	for i := range 2 {
		out, err := sender("--once", "--json").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var sum struct{ Rows, Refused, Damaged int64 }
		if _, text, ok := bytes.Cut(out, []byte("{")); !ok || json.Unmarshal(append([]byte("{"), text...), &sum) != nil || sum.Refused != 0 || i == 1 && sum.Rows != 0 {
			t.Errorf("call %d: %s", i+1, out)
		}
	}
	server.stop(t)
	if got := strings.TrimSpace(must(t, "--data", data, "query", "--format", "csv", "Probe_CL | summarize count(), min(n), max(n)")); !strings.HasSuffix(got, fmt.Sprintf("\n%d,1,%d", numbers, numbers)) {
		t.Errorf("Probe_CL has %s, want %d rows from 1", got, numbers)
	}
	if got := strings.TrimSpace(must(t, "--data", data, "query", "--format", "csv", "Probe_CL | distinct n | count")); !strings.HasSuffix(got, fmt.Sprintf("\n%d", numbers)) {
		t.Errorf("Probe_CL has %s different rows, want %d", got, numbers)
	}
	got := eventTexts(t, data)
	for hash, n := range want {
		got[hash] -= n
	}
	if n := got.differences(); n != 0 {
		t.Errorf("%d events are lost or twice there", n)
	}
	must(t, "--data", data, "lake", "verify")
}

// waitFor lets processes work.
func waitFor(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
