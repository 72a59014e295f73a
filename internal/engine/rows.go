package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/wadi-project/wadi/internal/schema"
)

// Rows are the rows of one question. Not safe for concurrent use.
//
//	for rows.Next() {
//		… rows.Int(0), rows.Text(1) …
//	}
//	err := rows.Close()
type Rows struct {
	engine    *Engine
	worker    *worker
	id        uint64
	columns   []Column
	types     []schema.Type
	ctx       context.Context //nolint:containedctx // the question's own life
	cancel    context.CancelFunc
	stopWatch func() bool
	deadline  time.Duration
	maxRows   int64
	maxBytes  int64
	began     time.Time
	times     Times

	batch     *batch
	row       int
	ended     bool // the worker said the end: it can take the next question
	count     int64
	truncated bool
	err       error
	closed    bool

	killMu  sync.Mutex
	killer  *time.Timer
	killing bool // the worker is killed or will be
	done    bool // no kill any more: the worker is given back
}

// Columns are the result's columns; the caller must not change them.
func (r *Rows) Columns() []Column { return r.columns }

// Next goes to the next row. After false, [Rows.Close] gives the error if any.
func (r *Rows) Next() bool {
	if r.batch != nil && r.row+1 < r.batch.rows {
		r.row++
		r.count++
		return true
	}
	if !r.nextBatch() {
		return false
	}
	r.count++
	return true
}

// nextBatch reads the next batch with rows into r.batch, nil at the end.
func (r *Rows) nextBatch() bool {
	r.batch, r.row = nil, 0
	for !r.ended && r.err == nil {
		kind, payload, err := readFrame(r.worker.stdout)
		if err != nil {
			r.fail(err)
			break
		}
		switch kind {
		case frameBatch:
			b, err := decodeBatch(payload, r.types)
			if err != nil {
				r.fail(err)
				break
			}
			if b.rows == 0 {
				continue
			}
			r.batch = b
			return true
		case frameEnd:
			r.end(payload)
		default:
			r.fail(fmt.Errorf("cannot read the answer: frame of kind %d", kind))
		}
	}
	return false
}

func (r *Rows) end(payload []byte) {
	var reply endReply
	if err := json.Unmarshal(payload, &reply); err != nil {
		r.fail(fmt.Errorf("cannot read the end of the answer: %w", err))
		return
	}
	r.ended, r.truncated = true, reply.Truncated
	r.times.Stages, r.times.Prepare, r.times.Run = reply.Times.Stages, reply.Times.Prepare, reply.Times.Run
	r.times.Total = time.Since(r.began)
	switch {
	case reply.Error == "":
	case r.ctx.Err() != nil:
		r.err = r.cause()
	case reply.Memory:
		r.err = memoryError(r.engine.config.MemoryBytes)
	case reply.Refused:
		r.err = fmt.Errorf("cannot answer: %w: %s", ErrRefused, reply.Error)
	default:
		r.err = fmt.Errorf("cannot answer: %s", reply.Error)
	}
}

func memoryError(limit int64) error {
	return fmt.Errorf("cannot answer: %w (%d MiB of address space); ask for fewer rows, columns or groups", ErrMemory, limit>>20)
}

// cause says why the question was stopped from outside.
func (r *Rows) cause() error {
	cause := context.Cause(r.ctx)
	if errors.Is(cause, ErrDeadline) {
		return fmt.Errorf("cannot answer: %w (the limit is %v)", ErrDeadline, r.deadline)
	}
	return fmt.Errorf("cannot answer: %w", cause)
}

// fail notes the error of a broken conversation; the worker is not used again.
func (r *Rows) fail(err error) {
	switch {
	case r.err != nil:
	case r.ctx.Err() != nil:
		r.err = r.cause()
	default:
		r.worker.kill()
		if r.worker.outOfMemory() {
			r.err = memoryError(r.engine.config.MemoryBytes)
			return
		}
		if errors.Is(err, io.EOF) || r.worker.exited() {
			r.err = fmt.Errorf("cannot answer: %w (%s); ask again", ErrWorker, r.worker.obituary())
			return
		}
		r.err = fmt.Errorf("cannot answer: %w", err)
	}
}

// interrupt runs once when the question's context ends: a polite request, and a
// kill when the grace passes.
func (r *Rows) interrupt() {
	r.killMu.Lock()
	defer r.killMu.Unlock()
	if r.done {
		return
	}
	w := r.worker
	r.killer = time.AfterFunc(r.engine.config.grace, func() {
		r.killMu.Lock()
		defer r.killMu.Unlock()
		if r.done {
			return
		}
		r.killing = true
		r.engine.config.Log.Info("a query worker ignored its interruption and is killed", "pid", w.pid())
		w.signalKill()
	})
	// The pipe's buffer takes the frame at once: the worker always reads.
	if err := writeJSON(w.stdin, frameCancel, &cancelRequest{ID: r.id}); err != nil {
		r.killing = true
		w.signalKill()
	}
}

// Limits are the bounds on the result's rows and bytes, 0 for none.
func (r *Rows) Limits() (rows, bytes int64) { return r.maxRows, r.maxBytes }

// Times tells where the time of a question went.
type Times struct {
	// Wait is how long it waited for a worker, Start how long a new one took to
	// start, 0 when one was warm.
	Wait, Start time.Duration
	// Stages, Prepare and Run are the worker's: each stage, then opening files and
	// planning, then running, with the time it waited for the reader of the rows.
	Stages       []time.Duration
	Prepare, Run time.Duration
	// Total is from [Engine.Query] until the last row was read.
	Total time.Duration
}

// Times gives the times of a question that is read to its end.
func (r *Rows) Times() Times { return r.times }

// Count is the number of rows read so far.
func (r *Rows) Count() int64 { return r.count }

// Truncated tells after the last row whether rows were cut at the limits.
func (r *Rows) Truncated() bool { return r.truncated }

// Close ends the question, early or not, and gives its first error. It may be
// called twice.
func (r *Rows) Close() error {
	if r.closed {
		return r.err
	}
	r.closed = true
	if !r.ended && r.err == nil {
		// The caller leaves early: stop the question and read what is on its way.
		err := r.err
		r.cancel()
		for r.Next() {
			continue
		}
		r.err = err
	}
	r.stopWatch()
	r.killMu.Lock()
	r.done = true
	if r.killer != nil {
		r.killer.Stop()
	}
	killed := r.killing
	r.killMu.Unlock()
	r.cancel()
	// After a memory error DuckDB's state is not to be trusted.
	healthy := r.ended && !killed && !errors.Is(r.err, ErrMemory)
	r.engine.give(r.worker, healthy)
	<-r.engine.slots
	return r.err
}

func (r *Rows) vector(column int) *vector { return &r.batch.columns[column] }

// Null tells whether the value is null; the getters then give the zero value.
func (r *Rows) Null(column int) bool {
	return r.vector(column).nulls[r.row/8]&(1<<(r.row%8)) != 0
}

// Bool gives a bool value.
func (r *Rows) Bool(column int) bool { return r.vector(column).fixed[r.row] != 0 }

// Int gives an int or long value, or a datetime (100 ns ticks since the year 1)
// or timespan (ticks).
func (r *Rows) Int(column int) int64 {
	v := r.vector(column)
	if v.wire == wireInt32 {
		return int64(int32(binary.LittleEndian.Uint32(v.fixed[4*r.row:])))
	}
	return int64(binary.LittleEndian.Uint64(v.fixed[8*r.row:]))
}

// Real gives a real value.
func (r *Rows) Real(column int) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(r.vector(column).fixed[8*r.row:]))
}

// Text gives a string, decimal, guid or dynamic (JSON) value. The bytes are the
// engine's and stay valid until the next row.
func (r *Rows) Text(column int) []byte {
	v := r.vector(column)
	start := uint32(0)
	if r.row > 0 {
		start = v.ends[r.row-1]
	}
	return v.text[start:v.ends[r.row]]
}
