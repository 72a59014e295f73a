package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/wadi-project/wadi/internal/wal"
)

// FollowerConfig registers a consumer that reads the log from a position of its
// own, each frame once.
type FollowerConfig struct {
	Name string
	// After is the position up to which it has all.
	After int64
	// Holds tells that the log keeps frames for it, up to Bound (detection).
	// Otherwise they may be gone when it falls behind (deliveries): it goes on from
	// the lake.
	Holds bool
	Bound wal.Bound
}

// Follower reads the log. Next is for one goroutine.
type Follower struct {
	d   *Door
	cfg FollowerConfig

	mu    sync.Mutex
	hold  *wal.Hold
	acked int64

	position int64 // of the last frame read
	seq      int64 // of its last row
	queue    []Arrival
}

// BehindError tells a follower that frames were trimmed before it read them: the
// rows behind _Seq AfterSeq, up to the first of the next Arrival, are in the lake.
// Next goes on behind them.
type BehindError struct {
	// From and To are the positions missed.
	From, To int64
	// AfterSeq is _Seq of the last row read before, 0 when nothing was read.
	AfterSeq int64
}

// Error gives one line.
func (e *BehindError) Error() string {
	return fmt.Sprintf("positions %d to %d of the write-ahead log are gone; their rows are in the lake", e.From, e.To)
}

// Follower gives a registered follower, nil when there is none of that name.
func (d *Door) Follower(name string) *Follower {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.following {
		if f.cfg.Name == name {
			return f
		}
	}
	return nil
}

// addFollower registers a follower. The door is being opened.
func (d *Door) addFollower(c FollowerConfig) {
	d.following = append(d.following, &Follower{d: d, cfg: c, acked: c.After, position: c.After})
}

// follow makes a newly opened log keep what the followers need.
func (d *Door) follow(l *wal.Log) {
	for _, f := range d.following {
		if !f.cfg.Holds {
			continue
		}
		f.mu.Lock()
		f.hold = l.Hold(f.cfg.Name, f.cfg.Bound)
		f.hold.Ack(f.acked)
		f.mu.Unlock()
	}
}

// Ack says that everything up to a position is done with: the log needn't keep it.
func (f *Follower) Ack(position int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acked = max(f.acked, position)
	if f.hold != nil {
		f.hold.Ack(f.acked)
	}
}

// followBytes is about how much a follower reads at once.
const followBytes = 4 << 20

// Next gives the next frame and waits for it. Its error is the context's,
// ErrClosed when the door closes, or a *BehindError, after which it goes on.
func (f *Follower) Next(ctx context.Context) (Arrival, error) {
	for {
		if len(f.queue) > 0 {
			a := f.queue[0]
			f.queue = f.queue[1:]
			return a, nil
		}
		f.d.mu.Lock()
		moved, applied := f.d.moved, f.d.applied
		f.d.mu.Unlock()
		if applied > f.position {
			if err := f.read(ctx, applied); err != nil {
				return Arrival{}, err
			}
			continue
		}
		if f.d.isClosing() {
			return Arrival{}, ErrClosed
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return Arrival{}, context.Cause(ctx)
		}
	}
}

func (d *Door) isClosing() bool {
	d.enterMu.Lock()
	defer d.enterMu.Unlock()
	return d.closing
}

// read reads some frames that are applied.
func (f *Follower) read(ctx context.Context, applied int64) error {
	f.d.logMu.RLock()
	defer f.d.logMu.RUnlock()
	if f.d.wal == nil {
		return ErrClosed
	}
	size := 0
	err := f.d.wal.Read(ctx, f.position, func(fr wal.Frame) error {
		if fr.Position > applied || size >= followBytes {
			return errEnough
		}
		e, err := f.d.load(ctx, fr)
		if err != nil {
			return err
		}
		size += len(fr.Payload)
		f.position, f.seq = fr.Position, fr.FirstSeq+int64(fr.Rows)-1
		f.queue = append(f.queue, arrival(e))
		return nil
	})
	switch {
	case err == nil || errors.Is(err, errEnough):
		return nil
	case errors.Is(err, wal.ErrTrimmed) && len(f.queue) == 0:
		from := f.position + 1
		f.position = f.d.wal.Stats().FirstPosition - 1
		return &BehindError{From: from, To: f.position, AfterSeq: f.seq}
	case errors.Is(err, wal.ErrTrimmed):
		return nil // after what was read
	}
	return err
}
