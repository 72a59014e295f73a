package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"
)

// Read gives the durable frames behind the position after, in order, up to the
// newest at the time of the call. A frame's payload is valid during fn only; fn's
// error ends the reading. [ErrTrimmed] says that frames behind after are gone,
// *DamageError that bytes went bad since Open. Frames that Salvage left out are
// missing in the order of positions.
func (l *Log) Read(ctx context.Context, after int64, fn func(Frame) error) error {
	l.mu.Lock()
	if errors.Is(l.ended, ErrClosed) {
		l.mu.Unlock()
		return fmt.Errorf("cannot read the write-ahead log: %w", ErrClosed)
	}
	first := l.segs[0].base
	var parts []part
	for _, s := range l.segs {
		if s.last > after && s.last >= s.base {
			parts = append(parts, partOf(s, after))
		}
	}
	l.mu.Unlock()
	if after < first-1 {
		return fmt.Errorf("cannot read the write-ahead log behind position %d: %w; the oldest is %d", after, ErrTrimmed, first)
	}
	for _, p := range parts {
		if err := l.readPart(ctx, p, after, fn); err != nil {
			return err
		}
	}
	return nil
}

// part is a stretch of a segment to be read.
type part struct {
	path          string
	off, size     int64
	position, seq int64 // of the frame at off
}

// partOf finds the last place that is known to be not behind the wanted frame. The
// caller holds mu.
func partOf(s *segment, after int64) part {
	p := part{s.path, segmentHeader, s.size, s.base, s.baseSeq}
	if i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].position > after+1 }); i > 0 {
		m := s.marks[i-1]
		p.off, p.position, p.seq = m.off, m.position, m.seq
	}
	return p
}

func (l *Log) readPart(ctx context.Context, p part, after int64, fn func(Frame) error) (err error) {
	f, err := l.o.FS.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot read the write-ahead log: %w", ErrTrimmed)
	}
	if err != nil {
		return fmt.Errorf("cannot read the write-ahead log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sc := &scanner{r: f, size: p.size, seed: l.seed, off: min(p.off, p.size), position: p.position, seq: p.seq}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fr, err := sc.next()
		var wrong *bad
		switch {
		case err == nil:
			if fr.Position > after {
				if err := fn(fr); err != nil {
					return err
				}
			}
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &wrong) && l.o.Salvage:
			if _, open, err := sc.skip(wrong); err != nil || open {
				return err
			}
		case errors.As(err, &wrong):
			return fmt.Errorf("cannot read the write-ahead log: %w", &DamageError{File: p.path, Offset: wrong.off, Position: sc.position, Reason: wrong.reason})
		default:
			return fmt.Errorf("cannot read the write-ahead log: %s: %w", p.path, err)
		}
	}
}
