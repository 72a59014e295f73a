//go:build cgo && linux

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tryVariable makes the test binary, as a worker, try what a hijacked worker
// would, instead of serving.
const tryVariable = "WADI_TEST_TRY"

// attempts is what is tried, in the value of tryVariable.
type attempts struct {
	LakeFile, Outside, TCP, Unix string
	Parent                       int
}

func decode(t *testing.T, payload []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(payload, v); err != nil {
		t.Fatal(err)
	}
}

// try restricts itself as [Work] does and reports what it could still do.
func try(stdin io.Reader, stdout io.Writer) error {
	var config workerConfig
	if err := readJSON(stdin, frameHello, &config); err != nil {
		return err
	}
	restrictProcess(&config)
	runtime.LockOSThread() // as DuckDB's threads are
	if r := restrictDuck(&config); len(r.Unconfined) > 0 {
		return fmt.Errorf("cannot restrict: %v", r.Unconfined)
	}
	var a attempts
	if err := json.Unmarshal([]byte(os.Getenv(tryVariable)), &a); err != nil {
		return err
	}
	var could []string
	note := func(name string, err error) {
		if err == nil {
			could = append(could, name)
		}
	}
	open := func(name string, flags int) error {
		f, err := os.OpenFile(name, flags, 0o600)
		if err == nil {
			err = f.Close()
		}
		return err
	}
	dial := func(network, address string) error {
		c, err := net.Dial(network, address)
		if err == nil {
			err = c.Close()
		}
		return err
	}
	note("read the lake", open(a.LakeFile, os.O_RDONLY))
	note("write the temp folder", os.WriteFile(filepath.Join(config.TempDir, "x"), nil, 0o600))
	note("write the lake", open(a.LakeFile, os.O_WRONLY))
	note("truncate the lake", os.Truncate(a.LakeFile, 0))
	note("create in the lake", open(a.LakeFile+".new", os.O_CREATE|os.O_WRONLY))
	note("remove from the lake", os.Remove(a.LakeFile))
	note("rename in the lake", os.Rename(a.LakeFile, a.LakeFile+".moved"))
	note("link out of the lake", os.Link(a.LakeFile, filepath.Join(config.TempDir, "link")))
	note("read outside", open(a.Outside, os.O_RDONLY))
	note("read /etc/passwd", open("/etc/passwd", os.O_RDONLY))
	note("read the parent's environment", open("/proc/"+strconv.Itoa(a.Parent)+"/environ", os.O_RDONLY))
	threads, _ := filepath.Glob("/proc/" + strconv.Itoa(a.Parent) + "/task/*/environ")
	for _, name := range threads {
		note("read the parent's environment as "+name, open(name, os.O_RDONLY))
	}
	note("connect by TCP", dial("tcp", a.TCP))
	note("connect by UDP", dial("udp", a.TCP))
	note("connect by a socket file", dial("unix", a.Unix))
	note("trace the parent", unix.PtraceAttach(a.Parent))
	note("run a program", exec.Command("/bin/sh", "-c", "true").Run())
	note("raise the priority", unix.Setpriority(unix.PRIO_PROCESS, 0, 0))
	note("take more memory", unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}))
	return writeJSON(stdout, frameHello, &helloReply{Error: "could: " + strings.Join(could, ", ")})
}

func TestWorkerIsShutIn(t *testing.T) {
	if err := landlockVersion(); err != nil {
		t.Skipf("this kernel has no Landlock (%v)", err)
	}
	dir := t.TempDir()
	lakeFile, outside := filepath.Join(dir, "data.parquet"), filepath.Join(t.TempDir(), "outside")
	for _, name := range []string{lakeFile, outside} {
		if err := os.WriteFile(name, []byte("data"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tcp.Close() }()
	socket, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	tried, err := json.Marshal(attempts{LakeFile: lakeFile, Outside: outside, TCP: tcp.Addr().String(), Unix: socket.Addr().String(), Parent: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	_, err = Start(t.Context(), Config{ReadDirs: []string{dir}, TempDir: temp, Env: []string{tryVariable + "=" + string(tried)}})
	// Root may raise its limits (CAP_SYS_RESOURCE).
	got := strings.TrimSuffix(fmt.Sprint(err), ", take more memory")
	if want := "cannot start the query worker: could: read the lake, write the temp folder"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestConfinement asks the kernel about a running worker.
func TestConfinement(t *testing.T) {
	var log bytes.Buffer
	e := start(t, t.TempDir(), func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.MemoryBytes = 3 << 30
	})
	works(t, e)
	folder := fmt.Sprintf("/proc/%d/", e.warm.pid())
	limits, err := os.ReadFile(folder + "limits")
	if err != nil || !strings.Contains(string(limits), fmt.Sprintf("Max address space         %d", 3<<30)) {
		t.Errorf("limits: %v\n%s", err, limits)
	}
	status, err := os.ReadFile(folder + "status")
	if err != nil || !strings.Contains(string(status), "NoNewPrivs:\t1") || !strings.Contains(string(status), "Seccomp:\t2") {
		t.Errorf("status: %v\n%s", err, status)
	}
	threads, err := filepath.Glob(folder + "task/*/stat")
	if err != nil || len(threads) < 3 {
		t.Fatalf("threads: %v, %v", threads, err)
	}
	for _, name := range threads {
		stat, err := os.ReadFile(name)
		_, after, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(after)
		// proc_pid_stat(5): nice is field 19, policy 41; after holds from field 3.
		if err != nil || fields[19-3] != "19" || fields[41-3] != strconv.Itoa(schedIdle) {
			t.Errorf("%s: %v, %s", name, err, stat)
		}
	}
	environ, err := os.ReadFile(folder + "environ")
	if err != nil || bytes.Contains(environ, []byte("PATH=")) {
		t.Errorf("environment: %v, %q", err, environ)
	}
	if strings.Contains(log.String(), "level=WARN") && landlockVersion() == nil {
		t.Errorf("log: %s", log.String())
	}
}

// TestWarnsOfMissingLimits uses a folder that Landlock can't allow.
func TestWarnsOfMissingLimits(t *testing.T) {
	if err := landlockVersion(); err != nil {
		t.Skipf("this kernel has no Landlock (%v)", err)
	}
	var log bytes.Buffer
	loop := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	e := start(t, loop, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	works(t, e)
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "missing=\"landlock (cannot allow") {
		t.Errorf("log: %s", log.String())
	}
}

func landlockVersion() error {
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); errno != 0 {
		return errno
	}
	return nil
}
