package lake

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/lake/folder"
)

func TestHolder(t *testing.T) {
	dir := t.TempDir()
	if pid, socket := folder.Holder(dir); pid != 0 || socket != "" {
		t.Errorf("no lock: %d %q", pid, socket)
	}
	w, err := OpenWriter(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if pid, socket := folder.Holder(dir); pid != os.Getpid() || socket != "" {
		t.Errorf("a lock without socket: %d %q", pid, socket)
	}
	if err := w.Announce("/run/a b/wä.sock"); err != nil {
		t.Fatal(err)
	}
	if pid, socket := folder.Holder(dir); pid != os.Getpid() || socket != "/run/a b/wä.sock" {
		t.Errorf("a lock with socket: %d %q", pid, socket)
	}
	if _, err := OpenWriter(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "process") {
		t.Errorf("a second writer: %v", err)
	}
	if err := w.Announce("two\nlines"); err == nil {
		t.Error("a path with a line break was announced")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if pid, socket := folder.Holder(dir); pid != 0 || socket != "" {
		t.Errorf("a lock let go: %d %q", pid, socket)
	}
	for _, text := range []string{"", "x", "x\n/a\n", "12\n/half", "\x00\n/a\n"} {
		if err := os.WriteFile(filepath.Join(dir, folder.LockName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, socket := folder.Holder(dir); socket != "" {
			t.Errorf("%q names the socket %q", text, socket)
		}
	}
}
