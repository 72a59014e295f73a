package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
)

// WorkerCommand is the hidden command under which the binary runs [Work].
const WorkerCommand = "engine-worker"

// worker is the parent's side of one worker process.
type worker struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	stdout  io.Reader
	stderr  *tail
	tempDir string
	lock    io.Closer     // of tempDir
	asked   uint64        // questions so far; the asking goroutine's own
	exit    chan struct{} // closed when the process is gone
	killed  sync.Once
}

// startWorker starts a process and waits until it is ready.
func startWorker(ctx context.Context, config *Config) (*worker, error) {
	temp, lock, err := makeTemp(config.TempDir)
	if err != nil {
		return nil, fmt.Errorf("cannot make the query worker's folder: %w", err)
	}
	hello := workerConfig{
		Version: protocolVersion, MemoryBytes: config.MemoryBytes, DuckDBBytes: (config.MemoryBytes - idleBytes) / 2,
		Threads: config.Threads, TempDir: temp, MaxTempBytes: maxTempBytes, ReadDirs: config.ReadDirs,
	}
	w, holds, err := spawn(config, &hello)
	if err != nil {
		_ = os.RemoveAll(temp)
		_ = lock.Close()
		return nil, fmt.Errorf("cannot start the query worker: %w", err)
	}
	w.lock = lock
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, w.signalKill)
	defer stop()
	reply, err := w.greet(&hello)
	if err != nil {
		w.kill()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("cannot start the query worker: %w", err)
	}
	holds.add(reply.report)
	if len(holds.Unconfined) > 0 {
		config.Log.Warn("this system can't confine the query worker fully", "missing", strings.Join(holds.Unconfined, ", "))
	}
	config.Log.Debug("query worker started", "pid", w.pid(), "duckdb", reply.DuckDB, "confined", strings.Join(holds.Confined, ","))
	return w, nil
}

// spawn starts the process from a thread of its own, which is restricted first and
// ends then: as long as it lived, the worker could read this process's memory
// through it, because Landlock takes both for equals.
func spawn(config *Config, hello *workerConfig) (*worker, report, error) {
	command := exec.Command(config.Executable, WorkerCommand)
	// No variable of the parent reaches the worker: it may hold secrets. Few
	// malloc arenas, because each reserves 64 MB of the address space; no garbage
	// collection while packages initialise, which halves their time.
	command.Env = append([]string{"MALLOC_ARENA_MAX=4", "GOGC=off", "GOMEMLIMIT=256MiB", "TZ=UTC", "HOME=" + hello.TempDir}, config.Env...)
	command.Dir = hello.TempDir
	command.Args[0] = "wadi"
	stdin, errIn := command.StdinPipe()
	stdout, errOut := command.StdoutPipe()
	stderr, errErr := command.StderrPipe()
	if err := errors.Join(errIn, errOut, errErr); err != nil {
		return nil, report{}, err
	}
	w := &worker{command: command, stdin: stdin, stdout: stdout, stderr: &tail{}, tempDir: hello.TempDir, exit: make(chan struct{})}
	var holds report
	var thread int
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: see restrictThread
		holds, thread = restrictThread(hello, config.Executable)
		started <- command.Start()
	}()
	if err := <-started; err != nil {
		return nil, report{}, err
	}
	hello.WatchParent = threadGone(thread)
	go func() {
		// Not command.Wait: it would close stdout under a reader.
		_, _ = io.Copy(w.stderr, stderr)
		_ = stderr.Close()
		_, _ = command.Process.Wait()
		close(w.exit)
	}()
	return w, holds, nil
}

func (w *worker) greet(hello *workerConfig) (*helloReply, error) {
	if err := writeJSON(w.stdin, frameHello, hello); err != nil {
		return nil, w.startError(err)
	}
	reply := &helloReply{}
	if err := readJSON(w.stdout, frameHello, reply); err != nil {
		return nil, w.startError(err)
	}
	if reply.Error != "" {
		return nil, fmt.Errorf("%s", reply.Error)
	}
	if reply.Version != protocolVersion {
		return nil, fmt.Errorf("it speaks version %d, not %d: the binary was replaced", reply.Version, protocolVersion)
	}
	return reply, nil
}

func (w *worker) startError(err error) error {
	w.signalKill()
	<-w.exit
	if said := w.stderr.firstLine(); said != "" {
		return fmt.Errorf("%w (%s)", err, said)
	}
	return err
}

func (w *worker) pid() int { return w.command.Process.Pid }

func (w *worker) alive() bool { return !w.exited() }

func (w *worker) exited() bool {
	select {
	case <-w.exit:
		return true
	default:
		return false
	}
}

// signalKill sends SIGKILL; safe at any time, from any goroutine.
func (w *worker) signalKill() { _ = w.command.Process.Kill() }

// kill ends the process now and removes its folder; it may be called twice.
func (w *worker) kill() {
	w.killed.Do(func() {
		w.signalKill()
		w.bury()
	})
}

// stop lets an idle worker end by itself (its stdin ends) and removes its folder.
func (w *worker) stop() {
	w.killed.Do(w.bury)
}

func (w *worker) bury() {
	_ = w.stdin.Close()
	<-w.exit
	if c, ok := w.stdout.(io.Closer); ok {
		_ = c.Close()
	}
	_ = os.RemoveAll(w.tempDir)
	_ = w.lock.Close()
}

// outOfMemory tells, of a dead worker, whether Go's or C++'s allocator gave up.
func (w *worker) outOfMemory() bool {
	said := w.stderr.String()
	for _, sign := range []string{"out of memory", "bad_alloc", "OutOfMemoryException", "cannot allocate memory", "Cannot allocate memory", "failed to create new OS thread", "pthread_create failed"} {
		if strings.Contains(said, sign) {
			return true
		}
	}
	return false
}

// obituary says in a few words how the process ended.
func (w *worker) obituary() string {
	if said := w.stderr.firstLine(); said != "" {
		return said
	}
	return "no last words"
}

// tail keeps the first stderrBytes written to it, where a crash says its reason.
type tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := stderrBytes - t.kept.Len(); room > 0 {
		t.kept.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.String()
}

func (t *tail) firstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(t.String()), "\n")
	return line
}
