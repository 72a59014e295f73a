package wal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// group is what is written with one call and one sync.
type group struct {
	buf             []byte
	frames          int
	rows            int64
	first, firstSeq int64
	marks           []mark // of its frames, off within buf
	done            chan struct{}
	err             error // set before done is closed
}

// Append adds a frame of rows rows, whose payload fill appends to dst. It returns
// when the frame is durable; the caller may acknowledge then. fill runs under the
// log's lock, the order of calls is the order of positions; it must not call the
// log, and what it appends may be no shorter than rows bytes.
//
// When fill or Append gives an error, the position and the numbers are given to
// another frame. The error is fill's own, [ErrFull], [ErrTooLarge], [ErrBroken],
// [ErrClosed], the context's, or that of a failed write. Only after ErrBroken the
// frame may be found when the log is opened again. The context ends only the
// waiting for a place; a frame that has one is waited for.
func (l *Log) Append(ctx context.Context, rows int, fill func(position, firstSeq int64, dst []byte) ([]byte, error)) (Frame, error) {
	if rows < 0 {
		return Frame{}, fmt.Errorf("cannot append to the write-ahead log: %d rows", rows)
	}
	for {
		g, fr, room, err := l.place(ctx, rows, fill)
		switch {
		case err != nil:
			return Frame{}, fmt.Errorf("cannot append to the write-ahead log: %w", err)
		case g != nil:
			<-g.done
			if g.err != nil {
				return Frame{}, fmt.Errorf("cannot append to the write-ahead log: %w", g.err)
			}
			return fr, nil
		}
		select {
		case <-room:
		case <-ctx.Done():
		}
	}
}

// place puts a frame into the gathering group; when that is full, it returns no
// group and what to wait for.
func (l *Log) place(ctx context.Context, rows int, fill func(position, firstSeq int64, dst []byte) ([]byte, error)) (*group, Frame, chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return nil, Frame{}, nil, context.Cause(ctx)
	}
	if l.ended != nil {
		return nil, Frame{}, nil, l.ended
	}
	g := l.gathering
	if len(g.buf) >= maxGroupBytes {
		return nil, Frame{}, l.room, nil
	}
	if l.used()+frameHeader > l.o.MaxBytes {
		l.stats.Full++
		return nil, Frame{}, nil, ErrFull
	}
	start := len(g.buf)
	g.buf = append(g.buf, make([]byte, frameHeader)...)
	filled, err := fill(l.next, l.nextSeq, g.buf)
	if err == nil {
		err = l.fits(filled, start, rows)
	}
	if err != nil {
		g.buf = g.buf[:start]
		return nil, Frame{}, nil, err
	}
	g.buf = filled
	putHeader(g.buf[start:], l.seed, header{since: uint32(g.frames), position: l.next, firstSeq: l.nextSeq, rows: uint32(rows)})
	fr := Frame{Position: l.next, FirstSeq: l.nextSeq, Rows: rows}
	if n := len(g.marks); n == 0 || int64(start)-g.marks[n-1].off >= markBytes {
		g.marks = append(g.marks, mark{l.next, l.nextSeq, int64(start)})
	}
	g.frames++
	g.rows += int64(rows)
	l.next, l.nextSeq = l.next+1, l.nextSeq+int64(rows)
	select {
	case l.wake <- struct{}{}:
	default: // it is awake
	}
	return g, fr, nil, nil
}

// fits checks what fill appended to the gathering group. The caller holds mu.
func (l *Log) fits(filled []byte, start, rows int) error {
	payload := len(filled) - start - frameHeader
	switch {
	case payload < rows:
		return fmt.Errorf("%d rows in %d bytes", rows, payload)
	case payload > MaxPayload || int64(payload)+frameHeader+segmentHeader > l.o.MaxBytes/2:
		return fmt.Errorf("%d bytes: %w", payload, ErrTooLarge)
	case l.used()+frameHeader+int64(payload) > l.o.MaxBytes:
		l.stats.Full++
		return ErrFull
	case l.next >= maxNumber || l.nextSeq >= maxNumber-int64(rows):
		return errors.New("its numbers are used up")
	}
	return nil
}

// used is how many bytes are on disk or on their way, but those that a new
// segment would free. The caller holds mu.
func (l *Log) used() int64 {
	used := l.stats.Bytes + l.inFlight + int64(len(l.gathering.buf))
	if s := l.newest(); l.inFlight == 0 && s.last >= s.base && l.free(s) {
		used -= s.size - segmentHeader
	}
	return used
}

// run writes groups until the log is closed.
func (l *Log) run() {
	defer close(l.done)
	for {
		for l.commit() {
		}
		select {
		case <-l.wake:
		case <-l.quit:
			for l.commit() {
			}
			return
		}
	}
}

// commit writes the gathered group; false when there is none.
func (l *Log) commit() bool {
	l.mu.Lock()
	g := l.gathering
	if g.frames == 0 {
		l.mu.Unlock()
		return false
	}
	l.inFlight = int64(len(g.buf))
	l.gathering = &group{buf: l.spare[:0], first: l.next, firstSeq: l.nextSeq, done: make(chan struct{})}
	l.spare = nil
	close(l.room)
	l.room = make(chan struct{})
	ended := l.ended
	l.mu.Unlock()

	start := time.Now()
	var err error
	if errors.Is(ended, ErrBroken) {
		err = ended
	} else {
		err = l.write(g)
	}
	took := time.Since(start)

	l.mu.Lock()
	l.inFlight = 0
	if err != nil {
		g.err = err
		l.undo(g)
	} else {
		l.written(g, took)
	}
	if cap(g.buf) <= maxSpare {
		l.spare = g.buf
	}
	l.mu.Unlock()
	close(g.done)
	return true
}

// undo takes back the positions of a group that was not written and of the one
// gathered behind it. The caller holds mu.
func (l *Log) undo(g *group) {
	l.next, l.nextSeq = g.first, g.firstSeq
	behind := l.gathering
	behind.err = g.err
	l.gathering = &group{buf: behind.buf[:0], first: l.next, firstSeq: l.nextSeq, done: make(chan struct{})}
	close(l.room)
	l.room = make(chan struct{})
	close(behind.done)
}

// written counts a durable group. The caller holds mu.
func (l *Log) written(g *group, took time.Duration) {
	s := l.newest()
	for _, m := range g.marks {
		s.noted(m.position, m.seq, s.size+m.off)
	}
	l.durable = g.first + int64(g.frames) - 1
	s.last, s.at = l.durable, l.o.Now()
	s.size += int64(len(g.buf))
	l.stats.Bytes += int64(len(g.buf))
	l.stats.Frames += int64(g.frames)
	l.stats.Rows += g.rows
	l.stats.Written += int64(len(g.buf))
	l.stats.Syncs++
	l.stats.SyncTime += took
	l.stats.SlowestSync = max(l.stats.SlowestSync, took)
}

// write makes a group durable, or leaves the log as it was, or breaks it. Only
// this goroutine changes the newest segment.
func (l *Log) write(g *group) error {
	if err := l.makeRoom(int64(len(g.buf)), g.first, g.firstSeq); err != nil {
		return err
	}
	size := l.sizeOfNewest()
	if _, err := l.file.WriteAt(g.buf, size); err != nil {
		if undo := errors.Join(l.file.Truncate(size), l.file.Sync()); undo != nil {
			return l.breakWith(errors.Join(err, undo))
		}
		return asFull(err)
	}
	if err := l.file.Sync(); err != nil {
		return l.breakWith(err)
	}
	return nil
}

func (l *Log) sizeOfNewest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest().size
}

// asFull makes an error of a full disk an ErrFull, and keeps others.
func asFull(err error) error {
	if isFull(err) {
		return fmt.Errorf("%w (the disk is full: %w)", ErrFull, err)
	}
	return err
}

// breakWith refuses all that comes until the log is opened again.
func (l *Log) breakWith(err error) error {
	err = fmt.Errorf("%w: %w", ErrBroken, err)
	l.mu.Lock()
	l.ended = err
	l.mu.Unlock()
	l.o.Log.Error("the write-ahead log can't be written; nothing is acknowledged until it is opened again", "error", err)
	return err
}

// makeRoom begins a new segment when the newest is full, or when that lets the
// newest be trimmed and the log needs the room.
func (l *Log) makeRoom(n, next, nextSeq int64) error {
	l.mu.Lock()
	s := l.newest()
	over := l.stats.Bytes+n > l.o.MaxBytes
	begin := s.size > segmentHeader && (s.size+n > l.o.SegmentBytes || over && l.free(s))
	l.mu.Unlock()
	if begin {
		if err := l.begin(next, nextSeq); err != nil {
			return err
		}
		l.trim()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stats.Bytes+n > l.o.MaxBytes {
		l.stats.Full++
		return ErrFull
	}
	return nil
}

// begin makes a new segment the newest. Its header is durable before it has its
// name, so a segment with a bad header is a damaged one.
func (l *Log) begin(base, baseSeq int64) (err error) {
	name := filepath.Join(l.dir, segmentName(base))
	temp := name + tempSuffix
	f, err := l.o.FS.Create(temp)
	if err != nil {
		return asFull(err)
	}
	h := appendSegmentHeader(nil, l.id, base, baseSeq)
	if _, err = f.WriteAt(h, 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.o.FS.Rename(temp, name)
	}
	if err != nil {
		return asFull(errors.Join(err, f.Close(), l.o.FS.Remove(temp)))
	}
	if err := l.o.FS.SyncDir(l.dir); err != nil {
		return l.breakWith(errors.Join(err, f.Close()))
	}
	if l.file != nil { // all of it is synced
		if err := l.file.Close(); err != nil {
			l.o.Log.Warn("a full segment of the write-ahead log could not be closed", "error", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file = f
	l.segs = append(l.segs, &segment{path: name, base: base, baseSeq: baseSeq, last: base - 1, size: segmentHeader, at: l.o.Now()})
	l.stats.Bytes += segmentHeader
	l.stats.SegmentsMade++
	return nil
}

// Next tells what the next frame gets.
func (l *Log) Next() (position, firstSeq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next, l.nextSeq
}

// Close writes what was placed, and ends the log. Append then gives ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	if errors.Is(l.ended, ErrClosed) {
		l.mu.Unlock()
		<-l.done
		return nil
	}
	if l.ended == nil {
		l.ended = ErrClosed
	} else {
		l.ended = fmt.Errorf("%w: %w", ErrClosed, l.ended)
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	close(l.quit)
	<-l.done
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("cannot close the write-ahead log: %w", err)
	}
	return nil
}
