package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The defaults of [Config], in one place.
const (
	// DefaultMemoryBytes is RLIMIT_AS of a worker: address space, see idleBytes.
	DefaultMemoryBytes = 4 << 30
	// DefaultDeadline is how long a question may take: about Kusto's four minutes,
	// and below the lake's longest, for which it keeps files that are replaced.
	DefaultDeadline = 5 * time.Minute
	// DefaultMaxRows and DefaultMaxBytes bound a result as Sentinel's own do.
	DefaultMaxRows  = 500_000
	DefaultMaxBytes = 64 << 20

	// idleBytes is the address space that Go's reservations, the binary, malloc's
	// arenas and the threads' stacks take without using the memory (1.6 GB
	// measured); half of what is left is DuckDB's memory_limit, because that is no
	// strict bound.
	idleBytes      = 2 << 30
	minMemoryBytes = 3 << 30

	defaultThreads = 2
	defaultWorkers = 2
	// defaultQueue is more than people ask at once, and few enough that a flood of
	// questions is refused rather than gathered.
	defaultQueue = 64
	// defaultGrace is what an interrupted question gets before the kill: DuckDB
	// stops within 1–23 ms where it can be interrupted at all, and a worker is
	// started in 25 ms.
	defaultGrace = 80 * time.Millisecond
	// startTimeout bounds the start of a worker (20 ms on an idle machine).
	startTimeout = 30 * time.Second
	// maxTempBytes bounds what one worker spills to disk.
	maxTempBytes = 4 << 30
	// stderrBytes is kept of a worker's stderr, to tell why it died.
	stderrBytes = 8 << 10
)

// Config says how questions run. The zero value of each field but ReadDirs takes
// the default.
type Config struct {
	// Executable is the binary to re-execute; default the running one.
	Executable string
	// Env is added to a worker's environment, which is otherwise empty.
	Env []string
	// MemoryBytes is a worker's RLIMIT_AS; at least 3 GiB. DuckDB's own
	// memory_limit follows from it.
	MemoryBytes int64
	// Threads is how many threads a question uses.
	Threads int
	// TempDir is where workers make their own folders for spilling, removed with
	// them; default os.TempDir().
	TempDir string
	// ReadDirs are the only folders (absolute) below which a worker reads data.
	ReadDirs []string
	// Deadline of a question from its start until its last row is read.
	Deadline time.Duration
	// MaxRows and MaxBytes bound a result; more is cut and said.
	MaxRows, MaxBytes int64
	// Workers is how many questions run at once, each in a worker of its own. All of
	// them together have Workers times what MemoryBytes leaves one.
	Workers int
	// Queue is how many questions may wait for a worker, within their deadlines; more
	// are refused at once with [ErrBusy].
	Queue int
	// Log takes debug and warning lines; default none.
	Log *slog.Logger

	grace time.Duration // tests shorten it
}

func (c *Config) setDefaults() error {
	if c.Executable == "" {
		exe, err := ownBinary()
		if err != nil {
			return fmt.Errorf("cannot find the own binary for the query worker: %w", err)
		}
		c.Executable = exe
	}
	setDefault(&c.MemoryBytes, DefaultMemoryBytes)
	setDefault(&c.Threads, defaultThreads)
	setDefault(&c.TempDir, os.TempDir())
	setDefault(&c.Deadline, DefaultDeadline)
	setDefault(&c.MaxRows, DefaultMaxRows)
	setDefault(&c.MaxBytes, DefaultMaxBytes)
	setDefault(&c.Workers, defaultWorkers)
	setDefault(&c.Queue, defaultQueue)
	setDefault(&c.grace, defaultGrace)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MemoryBytes < minMemoryBytes {
		return fmt.Errorf("cannot run questions in %d bytes of address space: at least %d GiB are needed", c.MemoryBytes, minMemoryBytes>>30)
	}
	for _, dir := range c.ReadDirs {
		if !filepath.IsAbs(dir) {
			return fmt.Errorf("cannot let the query worker read %q: the path is not absolute", dir)
		}
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// The errors a caller tells apart with errors.Is.
var (
	// ErrDeadline: the question passed [Config.Deadline].
	ErrDeadline = errors.New("the question took too long")
	// ErrMemory: the question needs more memory than a worker may have.
	ErrMemory = errors.New("the question needs more memory than a query may have")
	// ErrBusy: as many questions run and wait as may.
	ErrBusy = errors.New("too many questions are asked at once")
	// ErrWorker: the worker process died; the next question gets a new one.
	ErrWorker = errors.New("the query worker died")
	// ErrRefused: the SQL is not exactly one SELECT.
	ErrRefused = errors.New("the statement is refused")
	// ErrUnavailable: this build has no DuckDB, because it was made without cgo.
	ErrUnavailable = errors.New("cannot run questions: this build has no DuckDB (it was made without cgo)")
	// ErrClosed: the engine is closed.
	ErrClosed = errors.New("the query engine is closed")
)

// Engine runs questions in worker processes. It is safe for concurrent use.
type Engine struct {
	config Config
	slots  chan struct{} // one per running question
	queue  chan struct{} // one per waiting question

	mu     sync.Mutex
	warm   *worker // nil, or idle and ready
	closed bool
}

// Start makes an engine and one warm worker. ctx bounds the start only. It fails
// in a build without cgo, which has no DuckDB.
func Start(ctx context.Context, config Config) (*Engine, error) {
	if !hasDuckDB {
		return nil, ErrUnavailable
	}
	if err := config.setDefaults(); err != nil {
		return nil, err
	}
	sweep(config.TempDir, time.Now())
	e := &Engine{config: config, slots: make(chan struct{}, config.Workers), queue: make(chan struct{}, config.Queue)}
	w, err := startWorker(ctx, &e.config)
	if err != nil {
		return nil, err
	}
	e.warm = w
	return e, nil
}

// Close ends the warm worker; questions that run are not waited for, their
// workers end with their rows.
func (e *Engine) Close() error {
	e.mu.Lock()
	w := e.warm
	e.warm, e.closed = nil, true
	e.mu.Unlock()
	if w != nil {
		w.stop()
	}
	return nil
}

// take gives a ready worker: the warm one if it lives, else a new one.
func (e *Engine) take(ctx context.Context) (w *worker, fresh bool, err error) {
	e.mu.Lock()
	w, closed := e.warm, e.closed
	e.warm = nil
	e.mu.Unlock()
	if closed {
		return nil, false, ErrClosed
	}
	if w != nil {
		if w.alive() {
			return w, false, nil
		}
		w.kill()
	}
	w, err = startWorker(ctx, &e.config)
	return w, true, err
}

// give takes a worker back after a question; it is kept when it can still be
// trusted and none is warm.
func (e *Engine) give(w *worker, healthy bool) {
	e.mu.Lock()
	keep := healthy && !e.closed && e.warm == nil
	if keep {
		e.warm = w
	}
	e.mu.Unlock()
	switch {
	case keep:
	case healthy:
		w.stop()
	default:
		w.kill()
	}
}

// Deadline is how long a question may take, from its start until its last row is
// read.
func (e *Engine) Deadline() time.Duration { return e.config.Deadline }

// MaxRows is where results are cut that have no limit of their own.
func (e *Engine) MaxRows() int64 { return e.config.MaxRows }

// Query starts a question and gives its rows, which the caller must Close. ctx
// and the deadline hold until then, for the wait, all stages and the rows. Errors
// of SQL itself may come from here or from [Rows.Next].
func (e *Engine) Query(ctx context.Context, q *Query) (*Rows, error) {
	ask, err := e.request(q)
	if err != nil {
		return nil, err
	}
	r := &Rows{engine: e, columns: q.Columns, types: ask.Types, deadline: e.config.Deadline, maxRows: ask.MaxRows, maxBytes: ask.MaxBytes, began: time.Now()}
	if q.Deadline > 0 {
		r.deadline = min(r.deadline, q.Deadline)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.deadline, ErrDeadline)
	r.ctx, r.cancel = ctx, cancel
	if err := e.admit(ctx, r); err != nil {
		cancel()
		return nil, err
	}
	r.stopWatch = context.AfterFunc(ctx, r.interrupt)
	ask.ID = r.id
	if err := writeJSON(r.worker.stdin, frameQuery, ask); err != nil {
		r.fail(err)
		return nil, r.Close()
	}
	return r, nil
}

// request is what a worker is asked.
func (e *Engine) request(q *Query) (*request, error) {
	ask := &request{MaxRows: e.config.MaxRows, MaxBytes: e.config.MaxBytes}
	if q.MaxRows > 0 {
		ask.MaxRows = q.MaxRows
	}
	if q.MaxBytes > 0 {
		ask.MaxBytes = q.MaxBytes
	}
	if q.Unlimited {
		ask.MaxRows, ask.MaxBytes = 0, 0
	}
	for _, c := range q.Columns {
		ask.Types = append(ask.Types, c.Type)
	}
	var err error
	if ask.SQL, err = statement(q, ask.MaxRows); err != nil {
		return nil, err
	}
	ask.Stages, err = stageRequests(q.Stages)
	return ask, err
}
