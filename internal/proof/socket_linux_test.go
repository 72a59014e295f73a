package proof

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// nobody is a user who may read nothing that isn't for everybody.
const nobody = 65534

// site is a folder that a server may have, with the socket's folder.
type site struct {
	data, runtime string
	user          uint32
}

// newSite makes a site of a user. Its paths are short, and open to others on the
// way, which the test's own temporary folders are not.
func newSite(t *testing.T, user uint32) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "wps")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &site{data: filepath.Join(dir, "lake"), runtime: filepath.Join(dir, "run"), user: user}
	for _, d := range []string{s.data, s.runtime} {
		if err := errors.Join(os.Mkdir(d, 0o700), os.Chown(d, int(user), int(user))); err != nil {
			t.Fatal(err)
		}
	}
	path, err := wadiBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(path), 0o755)); err != nil {
		t.Fatal(err)
	}
	return s
}

// command is the binary as a user runs it.
func (s *site) command(ctx context.Context, t *testing.T, user uint32, args ...string) *exec.Cmd {
	t.Helper()
	path, err := wadiBinary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"--data", s.data}, args...)...)
	cmd.Env = []string{"HOME=/nonexistent", "PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + s.runtime, "TMPDIR=/tmp"}
	if user != uint32(os.Getuid()) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
		cmd.Dir = "/"
	}
	return cmd
}

// serve starts the site's server.
func (s *site) serve(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{cmd: s.command(context.Background(), t, s.user, "serve", "--listen", "127.0.0.1:0"), stderr: &bytes.Buffer{}}
	r.await(t)
	return r
}

// run runs a command as a user.
func (s *site) run(t *testing.T, user uint32, args ...string) (code int, out, errs string) {
	t.Helper()
	cmd := s.command(t.Context(), t, user, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

// lineLog is a web log of n lines that no other number has.
func lineLog(number, n int) []byte {
	var b bytes.Buffer
	b.WriteString("#Software: Microsoft Internet Information Services 10.0\n#Fields: date time cs-uri-stem\n")
	for i := range n {
		fmt.Fprintf(&b, "2026-01-02 03:04:05 /%d/%d\n", number, i)
	}
	return b.Bytes()
}

// open counts the descriptors of a process.
func open(t *testing.T, pid int) int {
	t.Helper()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// TestImportOfFilesThatTheServerMayNotRead has a server of another user, who may
// read none of the 10,000 files: the command opens them.
func TestImportOfFilesThatTheServerMayNotRead(t *testing.T) {
	slow(t)
	if os.Getuid() != 0 {
		t.Skip("needs root, to run a server as another user")
	}
	s := newSite(t, nobody)
	server := s.serve(t)
	logs := filepath.Join(t.TempDir(), "a folder ä")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	const files = 10_000
	for i := range files {
		if err := os.WriteFile(filepath.Join(logs, fmt.Sprintf("u ex%05d ж\xff.log", i)), lineLog(i, 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/nowhere", filepath.Join(logs, "gone.log")); err != nil {
		t.Fatal(err)
	}
	before := open(t, server.cmd.Process.Pid)
	code, out, errs := s.run(t, 0, "import", "--json", logs)
	var got summary
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.Stored != files || !strings.Contains(errs, "gone.log: no such file or directory") {
		t.Fatalf("exit %d, %v\n%.2000s%s", code, err, out, errs)
	}
	if code, out, _ = s.run(t, 0, "import", "--json", logs); code != 1 || !strings.Contains(out, `"stored": 0,`) {
		t.Errorf("again: exit %d\n%.500s", code, out)
	}
	if code, out, errs = s.run(t, 0, "query", "--format", "csv", "W3CIISLog | summarize n = count(), d = dcount(csUriStem)"); code != 0 || !strings.HasPrefix(out, "n,d\n10000,") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	// The server's own user may not read them, and another user may not call at all.
	if code, out, errs = s.run(t, nobody, "import", logs); code != 1 || !strings.Contains(errs, "permission denied") {
		t.Errorf("as the server's user: exit %d\n%s%s", code, out, errs)
	}
	const somebody = 65533
	if code, out, errs = s.run(t, somebody, "import", "/etc/hostname"); code == 0 {
		t.Errorf("as another user: exit %d\n%s%s", code, out, errs)
	}
	if after := open(t, server.cmd.Process.Pid); after > before+2 { // a worker's pipes may come and go
		t.Errorf("the server has %d descriptors open, %d before", after, before)
	}
	server.stop(t)
	if _, err := os.Stat(filepath.Join(s.data, "wadi.lock")); err != nil {
		t.Error(err)
	}
	if names, err := os.ReadDir(s.runtime); err != nil || len(names) > 0 {
		t.Errorf("%v is left in the runtime folder: %v", names, err)
	}
}

// TestEitherSideIsKilled kills server and command in the middle of an import: what
// the other says, and that everything is stored once in the end.
func TestEitherSideIsKilled(t *testing.T) {
	slow(t)
	s := newSite(t, uint32(os.Getuid()))
	logs := t.TempDir()
	for i := range 40 {
		if err := os.WriteFile(filepath.Join(logs, fmt.Sprintf("%d.log", i)), lineLog(i, 5000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fifo := filepath.Join(logs, "z.fifo") // the import waits here
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	begin := func() (*exec.Cmd, *bytes.Buffer, *os.File) {
		cmd := s.command(context.Background(), t, uint32(os.Getuid()), "import", logs, fifo)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(fifo, os.O_WRONLY, 0) // until the command has opened it
		if err != nil {
			t.Fatal(err)
		}
		return cmd, &errs, w
	}
	server := s.serve(t)

	cmd, _, w := begin() // the command is killed
	before := open(t, server.cmd.Process.Pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	_ = w.Close()
	if code, out, errs := s.run(t, uint32(os.Getuid()), "query", "W3CIISLog | count"); code != 0 {
		t.Errorf("after the command's death: exit %d\n%s%s", code, out, errs)
	}
	if after := open(t, server.cmd.Process.Pid); after > before {
		t.Errorf("the server has %d descriptors open, %d before", after, before)
	}

	cmd, errs, w := begin() // the server is killed
	server.kill()
	_ = cmd.Wait()
	_ = w.Close()
	want := fmt.Sprintf("wadi: cannot finish: the server (process %d) ended in the middle\nhint: ", server.cmd.Process.Pid)
	if cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(errs.String(), want) || strings.Count(errs.String(), "\n") != 2 {
		t.Errorf("exit %d\n%s", cmd.ProcessState.ExitCode(), errs)
	}

	server = s.serve(t) // Ctrl-C
	cmd, errs, w = begin()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	_ = w.Close()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit %d\n%s", cmd.ProcessState.ExitCode(), errs)
	}

	if err := os.Remove(fifo); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := s.run(t, uint32(os.Getuid()), "import", logs); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	server.stop(t)
	code, out, text := s.run(t, uint32(os.Getuid()), "query", "--format", "csv", "W3CIISLog | summarize n = count() by csUriStem | summarize rows = sum(n), different = count()")
	if code != 0 || out != "rows,different\n200000,200000\n" {
		t.Errorf("exit %d\n%s%s", code, out, text)
	}
	must(t, "--data", s.data, "lake", "verify")
}

// TestQueryOverHTTP compares the API's answers with the command line's, byte for
// byte, and asks from 20 clients at once, half of them through the socket.
func TestQueryOverHTTP(t *testing.T) {
	slow(t)
	s := newSite(t, uint32(os.Getuid()))
	must(t, "--data", s.data, "import", sampleDir)
	server := s.serve(t)
	code, token, errs := s.run(t, uint32(os.Getuid()), "token", "create", "asker", "--scope", "query")
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	pem, err := os.ReadFile(filepath.Join(s.data, "tls", "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	ask := func(question, format string) (int, string) {
		body, err := json.Marshal(map[string]string{"query": question, "format": format})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.url+"/api/v1/query", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		r.Header.Set("Content-Type", "application/json")
		response, err := client.Do(r)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Error(err)
		}
		return response.StatusCode, string(text)
	}
	questions := []string{
		"SecurityEvent | count", "Event | sort by TimeGenerated asc, EventID asc", "windows_events | project TimeGenerated, _Xml, _ItemId | sort by _ItemId asc",
		"W3CIISLog | summarize count() by scStatus | sort by scStatus asc", "SecurityEvent | where EventID == 1 and false",
	}
	for _, question := range questions {
		for _, format := range []string{"json", "jsonl"} {
			_, want, _ := s.run(t, uint32(os.Getuid()), "query", "--format", format, question)
			if status, got := ask(question, format); status != http.StatusOK || got != want {
				t.Errorf("%s as %s: %d, %d bytes, the command line gives %d", question, format, status, len(got), len(want))
			}
		}
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			question := questions[i%len(questions)]
			if i%2 == 0 {
				if status, _ := ask(question, "json"); status != http.StatusOK {
					t.Errorf("%s: %d", question, status)
				}
				return
			}
			if code, _, errs := s.run(t, uint32(os.Getuid()), "query", question); code != 0 {
				t.Errorf("%s: exit %d\n%s", question, code, errs)
			}
		})
	}
	all.Wait()
	server.stop(t)
	if _, err := os.Stat(filepath.Join(s.data, "wadi.lock")); errors.Is(err, fs.ErrNotExist) {
		t.Error("the lock's file is gone")
	}
}
