package wal

import (
	"slices"
	"time"
)

// Bound is how long a hold may keep frames that the lake has already: up to Bytes
// of log or up to Age, whichever ends first. Zero means the default.
type Bound struct {
	Bytes int64
	Age   time.Duration
}

// Hold keeps frames for a consumer that reads the log behind the lake, up to a
// bound. Beyond it the log is trimmed, and the consumer goes on from the lake.
// Methods may be called concurrently.
type Hold struct {
	l     *Log
	name  string
	bound Bound
	acked int64 // guarded by l.mu, as the following
	lost  int64
}

// Hold registers a consumer. It holds from the oldest frame that is kept now, so a
// consumer that has its position says so with Ack at once; at start before
// Committed is called, so that nothing it needs goes. Deliveries don't hold: they
// read the lake.
func (l *Log) Hold(name string, bound Bound) *Hold {
	if bound.Bytes <= 0 {
		bound.Bytes = DefaultHoldBytes
	}
	if bound.Age <= 0 {
		bound.Age = DefaultHoldAge
	}
	bound.Bytes = min(bound.Bytes, l.o.MaxBytes/2) // so that it never stops the sources
	l.mu.Lock()
	defer l.mu.Unlock()
	h := &Hold{l: l, name: name, bound: bound, acked: l.segs[0].base - 1}
	l.holds = append(l.holds, h)
	return h
}

// Ack lets go of all frames up to position. It never goes back.
func (h *Hold) Ack(position int64) {
	h.l.mu.Lock()
	h.acked = max(h.acked, min(position, h.l.durable))
	h.l.mu.Unlock()
	h.l.trim()
}

// Position is the highest that is acknowledged, or lost.
func (h *Hold) Position() int64 {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	return max(h.acked, h.lost)
}

// Lost is the highest position that was trimmed before it was acknowledged: the
// consumer has to take the frames up to there from the lake. 0 when there is none
// that it didn't acknowledge since.
func (h *Hold) Lost() int64 {
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	if h.lost > h.acked {
		return h.lost
	}
	return 0
}

// Close ends the hold.
func (h *Hold) Close() {
	h.l.mu.Lock()
	h.l.holds = slices.DeleteFunc(h.l.holds, func(x *Hold) bool { return x == h })
	h.l.mu.Unlock()
	h.l.trim()
}

// Committed says that the lake has all frames up to position, in every table. It
// never goes back. The log is trimmed by it.
func (l *Log) Committed(position int64) {
	l.mu.Lock()
	l.committed = max(l.committed, min(position, l.durable))
	l.mu.Unlock()
	l.trim()
}

// free tells whether a segment is needed no more. The caller holds mu.
func (l *Log) free(s *segment) bool {
	if s.last > l.committed {
		return false
	}
	for _, h := range l.holds {
		if s.last > h.acked && !l.beyond(h, s) {
			return false
		}
	}
	return true
}

// beyond tells whether a hold's bound is passed by a segment and what follows it.
func (l *Log) beyond(h *Hold, s *segment) bool {
	var behind int64
	for _, x := range slices.Backward(l.segs) {
		behind += x.size
		if x == s {
			break
		}
	}
	return behind > h.bound.Bytes || l.age(s) >= h.bound.Age
}

// age is how old a segment's youngest frame is. It begins anew when the clock was
// set back, so that a hold doesn't last until that time comes again. The caller
// holds mu.
func (l *Log) age(s *segment) time.Duration {
	now := l.o.Now()
	if now.Before(s.at) {
		for _, x := range l.segs {
			if now.Before(x.at) {
				x.at = now
			}
		}
	}
	return now.Sub(s.at)
}

// trim removes the segments that are needed no more, oldest first and each durably
// before the next, so that a crash leaves no gap. What can't be removed stays and
// is tried again.
func (l *Log) trim() {
	l.trimming.Lock()
	defer l.trimming.Unlock()
	for {
		l.mu.Lock()
		s := l.segs[0]
		if len(l.segs) == 1 || !l.free(s) {
			l.wakeAtAge()
			l.mu.Unlock()
			return
		}
		for _, h := range l.holds {
			if s.last > max(h.acked, h.lost) {
				h.lost = s.last
				l.stats.HoldsLost++
				l.o.Log.Warn("the write-ahead log was trimmed beyond what its consumer has read; it goes on from the lake", "consumer", h.name, "position", s.last)
			}
		}
		l.mu.Unlock()
		err := l.o.FS.Remove(s.path)
		if err == nil {
			err = l.o.FS.SyncDir(l.dir)
		}
		if err != nil {
			l.o.Log.Warn("a segment of the write-ahead log could not be removed; it is tried again", "file", s.path, "error", err)
			return
		}
		l.mu.Lock()
		l.segs = l.segs[1:]
		l.stats.Bytes -= s.size
		l.stats.SegmentsTrimmed++
		l.mu.Unlock()
	}
}

// wakeAtAge trims again when the first hold that keeps the oldest segment comes to
// its age. The caller holds mu.
func (l *Log) wakeAtAge() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	s := l.segs[0]
	if len(l.segs) == 1 || s.last > l.committed || l.ended != nil {
		return
	}
	wait := time.Duration(-1)
	for _, h := range l.holds {
		if s.last > h.acked {
			wait = max(wait, h.bound.Age-l.age(s))
		}
	}
	if wait >= 0 {
		l.timer = time.AfterFunc(wait, l.trim)
	}
}

// Size is how many bytes the log has on disk.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats.Bytes
}

// Stats is the log's state now.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.stats
	st.Segments, st.MaxBytes = len(l.segs), l.o.MaxBytes
	st.FirstPosition = l.segs[0].base
	st.Next, st.NextSeq = l.next, l.nextSeq
	st.Committed, st.Holds = l.committed, len(l.holds)
	return st
}
