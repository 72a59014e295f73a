package cli

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// terminal is a person at a pseudo terminal, with the program on the other side.
type terminal struct {
	t       *testing.T
	command *exec.Cmd
	pty     *os.File
	tty     *os.File // kept open, so that its mode can be looked at

	mu     sync.Mutex
	shown  strings.Builder
	seen   int
	change chan struct{}
}

// sit starts the program with args on a pseudo terminal of 100 by 40.
func sit(t *testing.T, state string, args ...string) *terminal {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Cols: 100, Rows: 40}); err != nil {
		t.Fatal(err)
	}
	// The test binary is this program: see TestMain.
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = []string{asProgram + "=1", "TERM=xterm", "XDG_STATE_HOME=" + state, "LANG=C.UTF-8"}
	command.Stdin, command.Stdout, command.Stderr = tty, tty, tty
	command.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s := &terminal{t: t, command: command, pty: master, tty: tty, change: make(chan struct{}, 1)}
	go s.read()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_, _ = command.Process.Wait()
		_ = tty.Close()
		_ = master.Close()
	})
	return s
}

func (s *terminal) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := s.pty.Read(buffer)
		s.mu.Lock()
		s.shown.Write(buffer[:n])
		s.mu.Unlock()
		select {
		case s.change <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (s *terminal) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

var escapeSequence = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\r")

// patience is how long the program may take on a loaded machine.
const patience = 60 * time.Second

// expect waits until text is shown, behind what was expected before.
func (s *terminal) expect(text string) {
	s.t.Helper()
	late := time.After(patience)
	for {
		all := escapeSequence.ReplaceAllString(s.all(), "")
		if i := strings.Index(all[min(s.seen, len(all)):], text); i >= 0 {
			s.seen += i + len(text)
			return
		}
		select {
		case <-s.change:
		case <-late:
			s.t.Fatalf("%q is not shown; there is\n%s", text, all[min(s.seen, len(all)):])
		}
	}
}

func (s *terminal) press(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.pty, keys); err != nil {
		s.t.Fatal(err)
	}
}

// leave waits for the end of the program.
func (s *terminal) leave() (code int) {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.command.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		if err != nil {
			s.t.Fatal(err)
		}
		return 0
	case <-time.After(patience):
		s.t.Fatal("the program does not end")
		return -1
	}
}

// children gives the processes that the program started.
func (s *terminal) children() string {
	s.t.Helper()
	pid := strconv.Itoa(s.command.Process.Pid)
	lists, err := filepath.Glob("/proc/" + pid + "/task/*/children")
	if err != nil || len(lists) == 0 {
		s.t.Fatal("no list of children", err)
	}
	var all strings.Builder
	for _, list := range lists {
		text, _ := os.ReadFile(list) // a thread may end meanwhile
		all.Write(text)
	}
	return strings.TrimSpace(all.String())
}

func (s *terminal) echoes() bool {
	s.t.Helper()
	mode, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return mode.Lflag&unix.ECHO != 0 && mode.Lflag&unix.ICANON != 0
}

// dawdle is what a person does between two lines, and a paste does not.
func (s *terminal) dawdle() { <-time.After(50 * time.Millisecond) }

const (
	keyUp    = "\x1b[A"
	keyCtrlC = "\x03"
	keyCtrlD = "\x04"
	keyTab   = "\t"
	prompt   = "wadi> "
)

// slowQuestion runs for minutes: it makes 81,000,000,000 rows.
const slowQuestion = "range x from 1 to 9000000 step 1 | extend k = x % 1000 | join kind=inner (range y from 1 to 9000000 step 1 | extend k = y % 1000) on k | summarize sum(x * y);"

func TestInteractive(t *testing.T) {
	dir, state := demoLake(t), t.TempDir()
	s := sit(t, state, "--data", dir, "query")
	s.expect("Tab completes")
	s.expect(prompt)
	worker := s.children()
	if worker == "" || strings.Contains(worker, " ") {
		t.Errorf("workers %q", worker)
	}
	s.press("print answer = 40 + 2;\r")
	s.expect("answer")
	s.expect("42")
	s.expect("1 row in ")
	s.expect(prompt)

	// Several lines, ended by an empty one.
	s.press("SecurityEvent\r")
	s.expect("   -> ")
	s.press("| count // all\r")
	s.expect("all\n   -> ")
	s.dawdle()
	s.press("\r")
	s.expect("Count")
	s.expect(prompt)

	// Pasted text: a tab completes nothing, an empty line ends nothing.
	s.press("\x1b[200~SecurityEvent\r\r\t| summarize\tPasted = count()\r\x1b[201~")
	s.expect("Pasted = count()")
	s.dawdle()
	s.press("\r")
	s.expect("Pasted\n")
	s.expect(prompt)

	// An error is shown with its place, and the session goes on.
	s.press("SecurityEvent | where EventIDD == 1;\r")
	s.expect("there is no column 'EventIDD'")
	s.expect("^^^^^^^^")
	s.expect("did you mean EventID?")
	s.expect(prompt)

	// Tab completes tables, operators, columns and functions.
	s.press("SecurityEv" + keyTab)
	s.expect("SecurityEvent")
	s.press(" | summ" + keyTab)
	s.expect("summarize")
	s.press(" dc" + "ount(Compu" + keyTab)
	s.expect("Computer")
	s.press(");\r")
	s.expect("dcount_Computer")
	s.expect(prompt)

	// The arrow brings back the question of two lines, as one.
	s.press(keyUp + keyUp + keyUp + keyUp)
	s.expect("SecurityEvent | count")
	s.press(";\r")
	s.expect("Count")
	s.expect(prompt)

	if now := s.children(); now != worker {
		t.Errorf("worker %s became %s", worker, now)
	}
	s.press(keyCtrlD)
	if code := s.leave(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !s.echoes() {
		t.Error("the terminal's mode is not restored")
	}
	path := filepath.Join(state, "wadi", "history")
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "print answer = 40 + 2;\nSecurityEvent | count\n") {
		t.Errorf("history %q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}

	// The next session knows it.
	s = sit(t, state, "--data", dir, "query", "-i")
	s.expect(prompt)
	s.press(keyUp)
	s.expect("SecurityEvent | count;")
	s.waitForSignals(false)
	s.press(keyCtrlC)
	s.expect(prompt)
	s.press(".quit\r")
	if code := s.leave(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestInteractiveStops(t *testing.T) {
	s := sit(t, t.TempDir(), "--data", demoLake(t), "query", "--no-history")
	s.expect(prompt)
	// Ctrl-C drops what is typed.
	s.press("SecurityEvent\r")
	s.expect("   -> ")
	s.waitForSignals(false)
	s.press("| nonsense" + keyCtrlC)
	s.expect(prompt)
	s.press("print left = 1;\r")
	s.expect("left")
	s.expect(prompt)
	worker := s.children()
	for range 3 {
		s.press(slowQuestion + "\r")
		s.expect("sum(x * y);\n")
		s.waitForSignals(true)
		began := time.Now()
		s.press(keyCtrlC)
		s.expect("stopped")
		s.expect(prompt)
		took := time.Since(began)
		t.Logf("stopped after %v", took)
		if took > 10*time.Second {
			t.Errorf("stopping took %v", took)
		}
	}
	s.press("print still = 'here';\r")
	s.expect("here")
	s.expect(prompt)
	if s.children() == "" {
		t.Error("no worker is left")
	}
	t.Logf("worker %s, then %s", worker, s.children())
	s.press(keyCtrlD)
	if code := s.leave(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// waitForSignals waits until the terminal takes Ctrl-C as a signal, which it does
// while a question runs, or as a key, which it does while one is typed.
func (s *terminal) waitForSignals(signals bool) {
	s.t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		mode, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
		if err != nil {
			s.t.Fatal(err)
		}
		if mode.Lflag&unix.ISIG != 0 == signals {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatal("the terminal is in the wrong mode")
		}
	}
}

func TestInteractiveCommands(t *testing.T) {
	state := t.TempDir()
	s := sit(t, state, "--data", demoLake(t), "query", "--no-history")
	s.expect(prompt)
	for _, c := range []struct {
		line string
		want []string
	}{
		{".help", []string{".tables", ".schema TABLE", ".explain", ".format", ".timing", "Ctrl-R"}},
		{".tables", []string{"SecurityEvent", "windows_events", ".tables all lists them too"}},
		{".schema Event", []string{"Column", "TimeGenerated", "datetime", "columns, "}},
		{".schema SecurityEvnt", []string{"there is no such table", "did you mean SecurityEvent?"}},
		{".explain", []string{"there was no question yet"}},
		{"print a = 7;", []string{"a", "7", "row in"}},
		{".explain", []string{"Plan", "SQL", "Time", "total"}},
		{".explain SecurityEvent | count", []string{"scan_0", "reads 1 file"}},
		{".format jsonl", nil},
		{"print a = 7;", []string{`{"a":7}`}},
		{".format xml", []string{"cannot show answers as"}},
		{".format table", nil},
		{".now 2030-01-01", nil},
		{"SecurityEvent | where TimeGenerated > ago(1d) | count;", []string{"no row of windows_events lies in the time", "hint: .now 2026-"}},
		{".now", nil},
		{".timing on", nil},
		{"print a = 8;", []string{"8", "  parse ", "  total "}},
		{".timing maybe", []string{"use on or off"}},
		{".nope", []string{"there is no such command"}},
		{"windows_events | project EventID;", []string{"(the first 1,000 rows of 2,000;", "2,000 rows in"}},
	} {
		s.press(c.line + "\r")
		for _, want := range c.want {
			s.expect(want)
		}
		s.expect(prompt)
	}
	s.press(keyCtrlD)
	if code := s.leave(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if entries, err := os.ReadDir(state); len(entries) > 0 || err != nil {
		t.Errorf("--no-history leaves %v, %v", entries, err)
	}
}

// TestInteractiveIsEnded ends the program from outside: the terminal gets its mode
// back.
func TestInteractiveIsEnded(t *testing.T) {
	s := sit(t, t.TempDir(), "--data", demoLake(t), "query", "--no-history")
	s.expect(prompt)
	s.waitForSignals(false)
	if s.echoes() {
		t.Error("the terminal echoes while a line is edited")
	}
	if err := s.command.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := s.leave(); code != -1 { // by a signal
		t.Errorf("exit code %d", code)
	}
	if !s.echoes() {
		t.Error("the terminal's mode is not restored")
	}
}

// TestQueryOnATerminal asks one question on a terminal: the table fits, errors have
// colours, Parquet is refused.
func TestQueryOnATerminal(t *testing.T) {
	dir := demoLake(t)
	s := sit(t, t.TempDir(), "--data", dir, "query", "SecurityEvent | where Nope == 1")
	s.expect("there is no column 'Nope'")
	s.expect("^^^^\n")
	if code := s.leave(); code != int(CodeUsage) {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(s.all(), inkError+"                        ^^^^"+inkNone) {
		t.Errorf("%q", s.all())
	}
	s = sit(t, t.TempDir(), "--data", dir, "query", "--format", "parquet", "print 1")
	s.expect("cannot show Parquet on a terminal")
	if code := s.leave(); code != int(CodeUsage) {
		t.Errorf("exit code %d", code)
	}
	s = sit(t, t.TempDir(), "--data", dir, "query", "SecurityEvent | project TimeGenerated, Computer, Account, Activity, EventID, Channel, Task, Level | take 3")
	s.expect("3 rows in ")
	if code := s.leave(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for line := range strings.Lines(s.all()) {
		if line = escapeSequence.ReplaceAllString(strings.TrimSuffix(line, "\n"), ""); cells(line) > 100 {
			t.Errorf("a line of %d cells: %s", cells(line), line)
		}
	}
}
