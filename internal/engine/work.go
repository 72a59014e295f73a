package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
)

// database is what [Work] needs of DuckDB; the cgo file has it.
type database interface {
	version() string
	// run prepares the question, checks that it is one SELECT of the promised
	// types, runs it and gives its rows to the sender, whose error ends the run.
	run(ctx context.Context, q *request, out *sender) error
}

var (
	errRefused = errors.New("only one SELECT may run")
	errMemory  = errors.New("out of memory")
	errFull    = errors.New("the result is full")
)

// collectAt is the worker's garbage collection: none while packages initialise
// (see spawn), the usual from then on.
const collectAt = 100

// Work is the whole life of a worker process: it reads its configuration from
// stdin, restricts itself, opens DuckDB and answers questions on stdout until
// stdin ends.
func Work(stdin io.Reader, stdout io.Writer) error {
	// Ctrl-C reaches all processes of a terminal; what it means for a question is
	// the parent's to decide.
	signal.Ignore(os.Interrupt)
	debug.SetGCPercent(collectAt)
	var config workerConfig
	if err := readJSON(stdin, frameHello, &config); err != nil {
		return fmt.Errorf("cannot read the worker's configuration: %w", err)
	}
	if config.Version != protocolVersion {
		return fmt.Errorf("cannot serve: the caller speaks version %d, not %d", config.Version, protocolVersion)
	}
	reply := helloReply{Version: protocolVersion, report: restrictProcess(&config)}
	db, err := openPinned(&config, &reply.report)
	if err != nil {
		reply.Error = err.Error()
		_ = writeJSON(stdout, frameHello, &reply)
		return err
	}
	reply.DuckDB = db.version()
	if err := writeJSON(stdout, frameHello, &reply); err != nil {
		return err
	}
	return serve(db, stdin, stdout)
}

// pinned is a database whose every call comes from one thread, which is restricted
// further than the worker's others; what DuckDB starts inherits that.
type pinned struct {
	about string
	jobs  chan func(database)
}

func openPinned(config *workerConfig, holds *report) (*pinned, error) {
	p := &pinned{jobs: make(chan func(database))}
	opened := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock
		holds.add(restrictDuck(config))
		db, err := openDatabase(config)
		if err == nil {
			p.about = db.version()
		}
		opened <- err
		if err != nil {
			return
		}
		for job := range p.jobs {
			job(db)
		}
	}()
	return p, <-opened
}

func (p *pinned) version() string { return p.about }

func (p *pinned) run(ctx context.Context, q *request, out *sender) error {
	done := make(chan error)
	p.jobs <- func(db database) { done <- db.run(ctx, q, out) }
	return <-done
}

// serve answers questions one after the other. A goroutine reads all frames, so
// that a cancel is seen while a question runs; when stdin ends, the parent is gone
// and serve returns at once, whatever runs (the process ends with it).
func serve(db database, stdin io.Reader, stdout io.Writer) error {
	questions := make(chan *request, 1)
	cancels := make(chan uint64, 1)
	ended := make(chan error, 1)
	go func() { ended <- receive(stdin, questions, cancels) }()
	for {
		select {
		case err := <-ended:
			return ignoreEOF(err)
		case <-cancels: // of a question that is answered
		case q := <-questions:
			ctx, cancel := context.WithCancel(context.Background())
			answered := make(chan error, 1)
			go func() { answered <- answer(ctx, db, q, stdout) }()
			err, over := attend(q.ID, answered, cancels, ended, cancel)
			cancel()
			if over {
				return err
			}
		}
	}
}

// receive reads frames until stdin ends. It never blocks on anything but stdin
// and a parent that asks twice before it heard an answer.
func receive(stdin io.Reader, questions chan<- *request, cancels chan<- uint64) error {
	for {
		kind, payload, err := readFrame(stdin)
		if err != nil {
			return err
		}
		switch kind {
		case frameQuery:
			q := &request{}
			if err := json.Unmarshal(payload, q); err != nil {
				return fmt.Errorf("cannot read a question: %w", err)
			}
			questions <- q
		case frameCancel:
			var c cancelRequest
			if err := json.Unmarshal(payload, &c); err != nil {
				return fmt.Errorf("cannot read a cancel: %w", err)
			}
			cancels <- c.ID
		default:
			return fmt.Errorf("cannot serve a frame of kind %d", kind)
		}
	}
}

// attend waits for the answer and passes a cancel on; over means that the worker
// must end.
func attend(id uint64, answered <-chan error, cancels <-chan uint64, ended <-chan error, cancel func()) (err error, over bool) {
	for {
		select {
		case err := <-answered:
			return err, err != nil
		case which := <-cancels:
			if which == id {
				cancel()
			}
		case err := <-ended:
			return ignoreEOF(err), true
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// sender writes the rows of one question as frames and counts them.
type sender struct {
	stdout    io.Writer
	batch     *batch
	payload   []byte
	rowsLeft  int64
	bytesLeft int64
	truncated bool
	broken    error // stdout is
	times     workTimes
}

// flush sends the rows gathered.
func (s *sender) flush() error {
	if s.batch.rows == 0 {
		return nil
	}
	s.payload = s.batch.appendTo(s.payload[:0])
	s.batch.reset()
	s.broken = writeFrame(s.stdout, frameBatch, s.payload)
	return s.broken
}

// answer runs one question; its error means that stdout is broken.
func answer(ctx context.Context, db database, q *request, stdout io.Writer) error {
	out := &sender{stdout: stdout, batch: newBatch(q.Types), rowsLeft: q.MaxRows, bytesLeft: q.MaxBytes}
	if q.MaxRows <= 0 {
		out.rowsLeft = math.MaxInt64
	}
	if q.MaxBytes <= 0 {
		out.bytesLeft = math.MaxInt64
	}
	err := db.run(ctx, q, out)
	if err == nil || errors.Is(err, errFull) {
		err = out.flush()
	}
	if out.broken != nil {
		return out.broken
	}
	reply := endReply{Truncated: out.truncated, Times: out.times}
	if err != nil {
		reply.Error = err.Error()
		reply.Memory = errors.Is(err, errMemory)
		reply.Refused = errors.Is(err, errRefused)
	}
	return writeJSON(stdout, frameEnd, &reply)
}
