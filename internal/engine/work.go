package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// database is what [Work] needs of DuckDB; the cgo file has it.
type database interface {
	version() string
	// run prepares sql, checks that it is one SELECT, runs it and gives each row
	// to add, whose error ends the run.
	run(ctx context.Context, sql string, columns int, add func(row []any) error) error
}

var (
	errRefused = errors.New("only one SELECT may run")
	errMemory  = errors.New("out of memory")
	errFull    = errors.New("the result is full")
)

// stage2 is set in the environment of a worker that has restricted itself and
// executed itself again.
const stage2 = "WADI_ENGINE_STAGE2"

// Work is the whole life of a worker process: it reads its configuration from
// stdin, restricts itself, opens DuckDB and answers questions on stdout until
// stdin ends. getenv is os.Getenv.
func Work(stdin io.Reader, stdout io.Writer, getenv func(string) string) error {
	var config workerConfig
	if err := readJSON(stdin, frameHello, &config); err != nil {
		return fmt.Errorf("cannot read the worker's configuration: %w", err)
	}
	if config.Version != protocolVersion {
		return fmt.Errorf("cannot serve: the caller speaks version %d, not %d", config.Version, protocolVersion)
	}
	state := getenv(stage2)
	if state == "" {
		// Does not return where the system can confine a process.
		report := confine(&config)
		again := workerConfig{}
		if err := readJSON(stdin, frameHello, &again); err != nil {
			return fmt.Errorf("cannot read the worker's configuration: %w", err)
		}
		state = report
	}
	reply := helloReply{Version: protocolVersion}
	reply.Confined, reply.Unconfined = splitReport(state)
	db, err := openDatabase(&config)
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

// serve answers questions one after the other. A goroutine reads all frames, so
// that a cancel is seen while a question runs; when stdin ends, the parent is gone
// and serve returns at once, whatever runs (the process ends with it).
func serve(db database, stdin io.Reader, stdout io.Writer) error {
	questions := make(chan *request)
	ended := make(chan error, 1)
	cancels := make(chan struct{}, 1)
	go func() {
		for {
			kind, payload, err := readFrame(stdin)
			if err != nil {
				ended <- err
				return
			}
			switch kind {
			case frameQuery:
				q := &request{}
				if err := json.Unmarshal(payload, q); err != nil {
					ended <- fmt.Errorf("cannot read a question: %w", err)
					return
				}
				questions <- q
			case frameCancel:
				select {
				case cancels <- struct{}{}:
				default:
				}
			default:
				ended <- fmt.Errorf("cannot serve a frame of kind %d", kind)
				return
			}
		}
	}()
	for {
		select {
		case err := <-ended:
			return ignoreEOF(err)
		case q := <-questions:
			ctx, cancel := context.WithCancel(context.Background())
			answered := make(chan error, 1)
			go func() { answered <- answer(ctx, db, q, stdout) }()
			if err, over := attend(answered, cancels, ended, cancel); over {
				cancel()
				return err
			}
			cancel()
		}
	}
}

// attend waits for the answer and passes a cancel on; over means that the worker
// must end.
func attend(answered <-chan error, cancels <-chan struct{}, ended <-chan error, cancel func()) (err error, over bool) {
	for {
		select {
		case err := <-answered:
			return err, err != nil
		case <-cancels:
			cancel()
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

// answer runs one question; its error means that stdout is broken.
func answer(ctx context.Context, db database, q *request, stdout io.Writer) error {
	b := newBatch(q.Types)
	var rows, sent int64
	var payload []byte
	var broken error
	flush := func() error {
		payload = b.appendTo(payload[:0])
		sent += int64(len(payload))
		b.reset()
		broken = writeFrame(stdout, frameBatch, payload)
		return broken
	}
	var reply endReply
	err := db.run(ctx, q.SQL, len(q.Types), func(row []any) error {
		if rows >= q.MaxRows || sent >= q.MaxBytes {
			reply.Truncated = true
			return errFull
		}
		for i, value := range row {
			if err := b.columns[i].put(b.rows, value); err != nil {
				return err
			}
		}
		b.rows++
		rows++
		// The size of a row is known only after it: look often enough that whole
		// events can't grow a batch past a frame.
		if b.rows == batchRows || b.sizeBytes() >= batchBytes {
			return flush()
		}
		return nil
	})
	if broken != nil {
		return broken
	}
	if err != nil && !errors.Is(err, errFull) {
		reply.Error = err.Error()
		reply.Memory = errors.Is(err, errMemory)
		reply.Refused = errors.Is(err, errRefused)
	} else if b.rows > 0 {
		if err := flush(); err != nil {
			return err
		}
	}
	return writeJSON(stdout, frameEnd, &reply)
}
