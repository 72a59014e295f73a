package proof

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/wadi-project/wadi/internal/lake"
)

// expect runs wadi and holds the exit code, and that errors are one line with,
// at most, one hint.
func expect(t *testing.T, want int, says string, args ...string) {
	t.Helper()
	code, _, errs := wadi(t, args...)
	lines := strings.Split(strings.TrimSuffix(errs, "\n"), "\n")
	if code != want || !strings.Contains(errs, says) {
		t.Errorf("wadi %s: exit %d, want %d with %q:\n%s", strings.Join(args, " "), code, want, says, errs)
	}
	if code != 0 && (len(lines) > 2 && !strings.Contains(strings.Join(args, " "), "query") || !strings.HasPrefix(errs, "wadi: cannot ")) {
		t.Errorf("wadi %s: the error is not one line with a hint:\n%s", strings.Join(args, " "), errs)
	}
}

// sampleLake gives a lake that holds the sample.
func sampleLake(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "lake")
	got := importJSON(t, "--data", data, "import", "--json", sampleDir)
	if got.Files != 4 || got.Stored == 0 || got.Stored != got.Read {
		t.Fatalf("the sample's import: %+v", got)
	}
	return data
}

func count(t *testing.T, data, table string) string {
	t.Helper()
	return must(t, "--data", data, "query", "--format", "csv", table+" | count")
}

func TestExitCodes(t *testing.T) {
	slow(t)
	data := sampleLake(t)
	expect(t, 0, "", "--data", data, "query", "SecurityEvent | take 1")
	expect(t, 2, "", "--data", data, "query", "SecurityEvent | where NoSuchColumn == 1")
	expect(t, 2, "", "--data", data, "query", "SecurityEvent |")
	expect(t, 2, "", "--data", data, "query", "SecurityEvent | make-series count()")
	expect(t, 2, "", "import", "--no-such-flag")
	expect(t, 1, "no-such-file", "--data", data, "import", filepath.Join(t.TempDir(), "no-such-file.evtx"))
	expect(t, 0, "", "--data", data, "lake", "verify")

	missing := filepath.Join(t.TempDir(), "nothing")
	expect(t, 1, "nothing", "--data", missing, "query", "SecurityEvent | count")
	if _, err := os.Stat(missing); err == nil {
		t.Error("a question made the missing folder")
	}
	empty := t.TempDir()
	if got := count(t, empty, "SecurityEvent"); got != "Count\n0\n" {
		t.Errorf("a folder without a lake counts %q", got)
	}
}

func TestLockHeldEndsWithThree(t *testing.T) {
	slow(t)
	data := sampleLake(t)
	w, err := lake.OpenWriter(t.Context(), data, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, 3, strconv.Itoa(os.Getpid()), "--data", data, "import", sampleDir)
	expect(t, 3, strconv.Itoa(os.Getpid()), "--data", data, "lake", "expire")
	expect(t, 0, "", "--data", data, "query", "SecurityEvent | count")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, 0, "", "--data", data, "import", sampleDir)
}

func TestNewerFormatEndsWithThree(t *testing.T) {
	slow(t)
	data := sampleLake(t)
	path := filepath.Join(data, "wadi-lake.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(text), fmt.Sprintf(`"format": %d`, lake.Format), `"format": 99`, 1)
	if newer == string(text) {
		t.Fatalf("no format in %s", text)
	}
	if err := os.WriteFile(path, []byte(newer), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, 3, "newer", "--data", data, "import", sampleDir)
	expect(t, 3, "newer", "--data", data, "query", "SecurityEvent | count")
}

// TestReadOnlyFolder runs as a user who may only read: questions work, writing
// ends with 3.
func TestReadOnlyFolder(t *testing.T) {
	slow(t)
	if os.Getuid() != 0 {
		t.Skip("needs root, to become a user who may not write")
	}
	const nobody = 65534
	path, err := wadiBinary()
	if err != nil {
		t.Fatal(err)
	}
	data := sampleLake(t)
	// His are the files, but without the right to write; he gets to them from /.
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o444)
		if d.IsDir() {
			mode = 0o555
		}
		return errors.Join(os.Chown(path, nobody, nobody), os.Chmod(path, mode))
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(data); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	as := func(args ...string) (int, string) {
		cmd := exec.CommandContext(t.Context(), path, append([]string{"--data", data}, args...)...)
		cmd.Env = []string{"HOME=/nonexistent", "TMPDIR=" + os.TempDir(), "PATH=" + os.Getenv("PATH")}
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, _ := cmd.CombinedOutput() // the exit code tells
		return cmd.ProcessState.ExitCode(), string(out)
	}
	for _, args := range [][]string{{"query", "SecurityEvent | count"}, {"tables"}, {"lake", "stats"}, {"lake", "verify"}} {
		if code, out := as(args...); code != 0 {
			t.Errorf("%v: exit %d\n%s", args, code, out)
		}
	}
	sample, err := filepath.Abs(sampleDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"import", sample}, {"lake", "expire"}, {"demo", "--events", "2000"}} {
		if code, out := as(args...); code != 3 {
			t.Errorf("%v: exit %d, want 3\n%s", args, code, out)
		}
	}
}

// TestFullDisk imports into a file system of a few megabytes: one line, 3, and
// what was stored before is whole.
func TestFullDisk(t *testing.T) {
	slow(t)
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("needs root on Linux, to mount a small file system")
	}
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("needs the right to mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, 0); err != nil {
			t.Error(err)
		}
	})
	data := filepath.Join(small, "lake")
	importJSON(t, "--data", data, "import", "--json", filepath.Join(sampleDir, "security.evtx"))
	before := count(t, data, "windows_events")
	expect(t, 3, "space", "--data", data, "demo", "--events", "400000", "--until", "2026-11-01")
	if after := count(t, data, "windows_events"); after != before {
		t.Errorf("%q before, %q after the full disk", before, after)
	}
	expect(t, 0, "", "--data", data, "lake", "verify")
}

// TestInterruptKeepsWhatIsCommitted sends SIGINT to an import that waits for its
// standard input.
func TestInterruptKeepsWhatIsCommitted(t *testing.T) {
	slow(t)
	data := sampleLake(t)
	before := count(t, data, "windows_events")
	path, err := wadiBinary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--data", data, "import", "-")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// An event log and more than a pipe holds, so that when Write returns the
	// import has begun.
	log, err := os.ReadFile(filepath.Join(sampleDir, "security.evtx"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stdin.Write(append(log, make([]byte, 1<<20)...)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = stdin.Close() // the process may be gone
	_ = cmd.Wait()    // any exit code will do
	if after := count(t, data, "windows_events"); after != before {
		t.Errorf("%q before, %q after the interrupt", before, after)
	}
	expect(t, 0, "", "--data", data, "lake", "verify")
}
