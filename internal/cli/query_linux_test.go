package cli

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAnswerToPipe shows that -o writes into a named pipe and doesn't put a file in
// its place: as root the same would have replaced /dev/null.
func TestAnswerToPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		text, err := os.ReadFile(pipe)
		if err != nil {
			t.Error(err)
		}
		got <- string(text)
	}()
	if code, out, errs := run(t, "", "--data", demoLake(t), "query", "--format", "csv", "-o", pipe, "print a = 1"); code != CodeDone || out != "" {
		t.Fatalf("code %d, %s%s", code, out, errs)
	}
	if st, err := os.Stat(pipe); err != nil || st.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is gone: %v, %v", st, err)
	} else if text := <-got; text != "a\n1\n" {
		t.Errorf("%q", text)
	}
}
