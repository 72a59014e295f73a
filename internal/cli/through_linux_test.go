package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/server/socket"
)

// hold makes this process the lake's server, as `wadi serve` does; the function it
// gives ends it.
func hold(t *testing.T, data string) (end func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "wr") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w, err := lake.OpenWriter(t.Context(), data, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(t.Context(), engine.Config{ReadDirs: []string{abs}})
	if err != nil {
		t.Fatal(err)
	}
	_, stop, err := NewHost(w, e, nil).Listen(t.Context(), func(name string) string { return map[string]string{"XDG_RUNTIME_DIR": dir}[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
		_ = e.Close() // never fails
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	return end
}

// times are what differs (sizes too, of files that hold their lake's name) from one run to the next.
var times = regexp.MustCompile(`\([0-9.]+ KB\)|"bytes":\d+|"skew_\w+":-?\d+|wadi_\S+|[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f-]{27}|\d\d[ T]\d\d:\d\d:\d\d| +\d+\.\d KB|\.below\.\d+|"log": "[0-9a-f-]+"|\d+\.\d+ s(, [0-9,]+ records/s)?|"seconds": [0-9.e-]+|\d+\.\d+ ms`)

// TestCommandsThroughAServer runs the same commands on two lakes, one of which a
// server holds: what is printed and the exit codes are the same.
func TestCommandsThroughAServer(t *testing.T) {
	logs := t.TempDir()
	put(t, logs, "a log ä.evtx", smallLog(5))
	put(t, logs, "b.log", []byte("#Fields: date time sc-status\n2026-01-01 00:00:00 200\n2026-01-01 00:00:00\n"))
	put(t, logs, "c\xff.txt", []byte("no log"))
	question := put(t, logs, "q.kql", []byte("Event | count"))
	out, backup := filepath.Join(t.TempDir(), "answer"), filepath.Join(t.TempDir(), "backup")
	held, free := filepath.Join(t.TempDir(), "lake"), filepath.Join(t.TempDir(), "lake")
	hold(t, held)
	clean := func(s, data string) string {
		s = strings.ReplaceAll(strings.ReplaceAll(s, data, "DATA"), "/below:", "/.below.1:")
		return times.ReplaceAllString(s, "T")
	}
	for _, c := range []struct {
		stdin string
		args  []string
	}{
		{"", []string{"import", "--verbose", logs}},
		{"", []string{"import", "--verbose", logs + "/*.evtx", filepath.Join(logs, "missing"), logs + "/no*"}},
		{"", []string{"import", "--json", logs}},
		{string(smallLog(7)), []string{"import", "-"}},
		{"", []string{"import", "--zone", "Nowhere/There", logs}},
		{"", []string{"import", "--nosuch"}},
		{"", []string{"query", "Event | summarize count() by EventID"}},
		{"Event | count", []string{"query", "-"}},
		{"", []string{"query", "--file", question, "--format", "csv"}},
		{"", []string{"query", "--format", "json", "Event | project TimeGenerated, EventID, d = dynamic({\"a\":1}) | sort by TimeGenerated asc"}},
		{"", []string{"query", "--format", "jsonl", "W3CIISLog | project scStatus | sort by scStatus"}},
		{"", []string{"query", "--out", out, "--format", "csv", "Event | count"}},
		{"", []string{"query", "--out", filepath.Join(logs, "nodir", "below"), "Event | count"}},
		{"", []string{"query", "Event | where NoSuch == 1"}},
		{"", []string{"query", "--timing", "Event | where"}},
		{"", []string{"query", "Event | summarize n = count() by EventID | render barchart"}},
		{"", []string{"tables"}},
		{"", []string{"tables", "Event"}},
		{"", []string{"tables", "Nothing"}},
		{"", []string{"lake", "stats"}},
		{"", []string{"lake", "duplicates", "--all"}},
		{"", []string{"lake", "retention", "windows_events", "30"}},
		{"", []string{"lake", "retention"}},
		{"", []string{"lake", "retention", "windows_events", "x"}},
		{"", []string{"lake", "hold", "add", "--reason", "a b"}},
		{"", []string{"lake", "hold", "remove", "12345"}},
		{"", []string{"lake", "delete", "windows_events", "--where", "EventID == 4711"}},
		{"", []string{"lake", "compact"}},
		{"", []string{"lake", "expire"}},
		{"", []string{"lake", "verify", "--json"}},
		{"", []string{"lake", "backup", backup}},
		{"", []string{"verify"}},
		{"", []string{"verify", "--heads", out}},
		{"", []string{"verify", "--heads", filepath.Join(logs, "nodir", "below")}},
		{"", []string{"ledger", "--all"}},
		{"", []string{"ledger", "--json"}},
		{"", []string{"table", "create", "Probe_CL", "TimeGenerated:datetime, n:long"}},
		{"", []string{"table", "create", "probe_cl", "TimeGenerated:datetime"}},
		{"", []string{"table", "alter", "Probe_CL", "add", "x:int"}},
		{"", []string{"table", "list"}},
		{"", []string{"query", "--format", "json", "Probe_CL | project n, x"}},
		{"", []string{"tables", "Probe_CL"}},
		{"", []string{"token", "create", "a", "--scope", "nosuch"}},
		{"", []string{"token", "create", "a", "--scope", "ingest,query", "--id", "x-1"}},
		{"", []string{"token", "list"}},
		{"", []string{"token", "revoke", "a"}},
		{"", []string{"token", "revoke", "b"}},
		{"", []string{"lake"}},
		{"", []string{"lake", "nosuch"}},
	} {
		codeHeld, outHeld, errHeld := run(t, c.stdin, append([]string{"--data", held}, c.args...)...)
		answer, _ := os.ReadFile(out)
		_ = os.Remove(out)
		_ = os.RemoveAll(backup)
		codeFree, outFree, errFree := run(t, c.stdin, append([]string{"--data", free}, c.args...)...)
		if codeHeld != codeFree || clean(outHeld, held) != clean(outFree, free) && c.args[len(c.args)-1] != "stats" || clean(errHeld, held) != clean(errFree, free) {
			t.Errorf("%v: exit %d\n%s%s\nwithout a server: exit %d\n%s%s", c.args, codeHeld, outHeld, errHeld, codeFree, outFree, errFree)
		}
		again, _ := os.ReadFile(out)
		_ = os.Remove(out)
		if !bytes.Equal(answer, again) && c.args[0] != "verify" || (len(answer) == 0) != (len(again) == 0) {
			t.Errorf("%v: the file holds %q, without a server %q", c.args, answer, again)
		}
	}
}

// TestCallsThatTheServerRefuses are commands that only another client would send.
func TestCallsThatTheServerRefuses(t *testing.T) {
	data := filepath.Join(t.TempDir(), "lake")
	hold(t, data)
	_, path := lake.Holder(data)
	for _, args := range [][]string{{"evtx", "dump", "/etc/passwd"}, {"lake", "restore", "/x"}, {"version"}, {"query", "-i"}} {
		c, err := socket.Dial(t.Context(), data, path)
		if err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code, err := c.Run(t.Context(), socket.Call{Version: SocketVersion(), Args: args}, socket.Streams{Stdout: &out, Stderr: &errs}, socket.Shown{})
		if err != nil || Code(code) != CodeUsage || out.Len() > 0 || !strings.HasPrefix(errs.String(), "wadi: cannot ") {
			t.Errorf("%v: exit %d, %v\n%s%s", args, code, err, out.String(), errs.String())
		}
	}
}

// TestImportsTakeTurns imports the same log many times at once: it is stored once.
func TestImportsTakeTurns(t *testing.T) {
	data, logs := filepath.Join(t.TempDir(), "lake"), t.TempDir()
	log := put(t, logs, "a.evtx", smallLog(50))
	hold(t, data)
	var all sync.WaitGroup
	stored := make(chan int, 20)
	for i := range 20 {
		all.Go(func() {
			var out, errs bytes.Buffer
			app := &App{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
			args := []string{"--data", data, "import", "--json", log}
			if i%2 == 1 {
				args = []string{"--data", data, "query", "--format", "csv", "Event | count"}
			}
			if code := app.Run(t.Context(), args); code != CodeDone {
				t.Errorf("exit %d\n%s%s", code, out.String(), errs.String())
			}
			var n int
			if i%2 == 0 {
				if _, rest, ok := strings.Cut(out.String(), `"stored": `); !ok {
					t.Errorf("no count in %s", out.String())
				} else if _, err := fmt.Sscan(rest, &n); err != nil {
					t.Error(err)
				}
				stored <- n
			}
		})
	}
	all.Wait()
	close(stored)
	sum := 0
	for n := range stored {
		sum += n
	}
	if _, out, _ := run(t, "", "--data", data, "query", "--format", "csv", "Event | count"); sum != 50 || out != "Count\n50\n" {
		t.Errorf("%d stored, %q", sum, out)
	}
}

// TestAfterTheServer holds that commands run by themselves again when it has ended.
func TestAfterTheServer(t *testing.T) {
	data, logs := filepath.Join(t.TempDir(), "lake"), t.TempDir()
	log := put(t, logs, "a.evtx", smallLog(3))
	end := hold(t, data)
	if code, out, errs := run(t, "", "--data", data, "import", log); code != CodeDone {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	end()
	if pid, path := lake.Holder(data); pid != 0 || path != "" {
		t.Errorf("the lock names %d %q", pid, path)
	}
	// A server that was killed leaves its socket's name behind.
	if err := os.WriteFile(filepath.Join(data, "wadi.lock"), []byte("1\n/nowhere/s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := run(t, "", "--data", data, "import", log); code != CodeDone || !strings.Contains(out, "duplicate             3") {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
}

// TestInterruptThroughAServer interrupts an import that waits for its input.
func TestInterruptThroughAServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "lake")
	hold(t, data)
	var out, errs bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	app := &App{Stdin: cancelReader{cancel}, Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	code := app.Run(ctx, []string{"--data", data, "import", "-"})
	if code != CodeFailed || !strings.HasPrefix(errs.String(), "wadi: cannot finish the import: it was interrupted\nhint: ") {
		t.Errorf("code %d, %s%s", code, out.String(), errs.String())
	}
}

// TestInteractiveThroughAServer sits at a terminal while a server holds the lake.
func TestInteractiveThroughAServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "lake")
	log := put(t, t.TempDir(), "a.evtx", smallLog(5))
	end := hold(t, data)
	if code, out, errs := run(t, "", "--data", data, "import", log); code != CodeDone {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	s := sit(t, t.TempDir(), "--data", data, "query", "--no-history")
	s.expect(prompt)
	if workers := s.children(); workers != "" {
		t.Errorf("it has workers of its own: %q", workers)
	}
	for _, c := range []struct {
		line string
		want []string
	}{
		{"Event | count;", []string{"Count", "5", "1 row in "}},
		{".tables", []string{"Event", ".tables all lists them too"}},
		{".schema Event", []string{"Column", "TimeGenerated"}},
		{".explain print 1", []string{"Plan"}},
		{".format csv", nil},
		{"range x from 1 to 3 step 1;", []string{"x\n1\n2\n3\n"}},
		{".format table", nil},
		{".now 2026-01-01T00:00:00Z", nil},
		{"print n = now();", []string{"2026-01-01T00:00:00.0000000Z"}},
		{"Event | where NoSuch == 1;", []string{"there is no column 'NoSuch'", "^^^^^^"}},
		{"range x from 1 to 1200 step 1;", []string{"(the first 1,000 rows of 1,200;"}},
	} {
		s.press(c.line + "\r")
		for _, want := range c.want {
			s.expect(want)
		}
		s.expect(prompt)
	}
	s.press(slowQuestion + "\r")
	s.expect("sum(x * y);\n")
	s.waitForSignals(true)
	s.press(keyCtrlC)
	s.expect("interrupted")
	s.expect(prompt)
	end()
	s.press("Event | count;\r")
	s.expect("cannot ask: the server has ended")
	s.expect(prompt)
	s.press(".quit\r")
	if state, err := s.command.Process.Wait(); err != nil || state.ExitCode() != 0 {
		t.Errorf("%v %v", state, err)
	}
}

// TestProgressThroughAServer watches the bar of an import on a terminal.
func TestProgressThroughAServer(t *testing.T) {
	data, logs := filepath.Join(t.TempDir(), "lake"), t.TempDir()
	var lines strings.Builder
	lines.WriteString("#Fields: date time cs-uri-stem\n")
	for i := range 300_000 {
		fmt.Fprintf(&lines, "2026-01-02 03:04:05 /%d\n", i)
	}
	put(t, logs, "a.log", []byte(lines.String()))
	hold(t, data)
	s := sit(t, t.TempDir(), "--data", data, "import", logs)
	s.expect(" records, ") // the bar
	s.expect("read 300,000 records of 1 log")
	if state, err := s.command.Process.Wait(); err != nil || state.ExitCode() != 0 {
		t.Errorf("%v %v", state, err)
	}
}
