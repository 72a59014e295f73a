package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// markBytes is how far the places are apart at which a segment's index knows
// where a position lies: a reader that follows closely reads no more than that
// again.
const markBytes = 1 << 20

// segment is one file.
type segment struct {
	path          string
	base, baseSeq int64     // of its first frame
	last          int64     // position of its last durable frame; base-1 without one
	size          int64     // bytes that are durable
	at            time.Time // when the last frame was written
	marks         []mark
}

// mark says where a frame lies.
type mark struct{ position, seq, off int64 }

// noted adds a mark when the last is far enough.
func (s *segment) noted(position, seq, off int64) {
	if n := len(s.marks); n == 0 && off-segmentHeader >= markBytes || n > 0 && off-s.marks[n-1].off >= markBytes {
		s.marks = append(s.marks, mark{position, seq, off})
	}
}

// Log is one stream's log. Its methods may be called concurrently.
type Log struct {
	dir  string
	id   uuid.UUID
	seed uint32
	o    Options

	file File // the newest segment's; only the committing goroutine and Close touch it

	mu         sync.Mutex
	segs       []*segment // oldest first; the last one is written to
	gathering  *group
	spare      []byte // a buffer to gather in
	inFlight   int64  // bytes of the group being written
	next       int64  // position of the next frame that is placed
	nextSeq    int64
	durable    int64         // all frames up to here are
	room       chan struct{} // closed when the gathered group is taken
	ended      error         // why Append is refused for good
	committed  int64
	holds      []*Hold
	timer      *time.Timer
	stats      Stats
	trimming   sync.Mutex
	wake, quit chan struct{}
	done       chan struct{}

	skipped []Skip
}

// Open opens the log in dir, whose last element is the log's UUID, and makes it
// when there is none. All frames are read and checked; a torn tail is cut. Damage
// is a *DamageError, unless Salvage skips it ([Log.Skipped]).
//
// A log that Open has made begins at position 1: a caller who knows of later
// positions under this UUID (the lake does) must not write to it.
func Open(ctx context.Context, dir string, o Options) (*Log, error) {
	o.setDefaults()
	id, err := uuid.Parse(filepath.Base(dir))
	if err != nil || id.String() != filepath.Base(dir) {
		return nil, fmt.Errorf("cannot open the write-ahead log %s: the folder's name is not a UUID", dir)
	}
	l := &Log{
		dir: dir, id: id, seed: seedOf(id), o: o,
		next: 1, nextSeq: 1,
		gathering: &group{done: make(chan struct{})}, room: make(chan struct{}),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	if err := l.load(ctx); err != nil {
		if l.file != nil {
			err = errors.Join(err, l.file.Close())
		}
		return nil, fmt.Errorf("cannot open the write-ahead log: %w", err)
	}
	l.durable = l.next - 1
	l.gathering.first, l.gathering.firstSeq = l.next, l.nextSeq
	go l.run()
	return l, nil
}

// load reads what is in the folder and leaves a segment to write to.
func (l *Log) load(ctx context.Context) error {
	if err := l.o.FS.MkdirAll(l.dir); err != nil {
		return err
	}
	names, err := l.names()
	if err != nil {
		return err
	}
	for i, name := range names {
		if err := l.check(ctx, name, i == len(names)-1); err != nil {
			return err
		}
	}
	// Renames and removals before a crash of the process are durable from here.
	if err := l.o.FS.SyncDir(l.dir); err != nil {
		return err
	}
	if l.file != nil && len(l.skipped) == 0 {
		return nil
	}
	if l.file != nil { // so that the damaged segment goes when the lake has the rest
		err := l.file.Close()
		l.file = nil
		if err != nil {
			return err
		}
		if newest := l.newest(); newest.base == l.next { // nothing is in it: the new one takes its place by the rename
			l.segs = l.segs[:len(l.segs)-1]
			l.stats.Bytes -= newest.size
		}
	}
	return l.begin(l.next, l.nextSeq)
}

// names lists the segments, oldest first, and removes unfinished ones.
func (l *Log) names() ([]string, error) {
	entries, err := l.o.FS.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if _, ok := baseOf(name); ok && e.Type().IsRegular() {
			names = append(names, name)
			continue
		}
		if _, ok := baseOf(strings.TrimSuffix(name, tempSuffix)); ok && strings.HasSuffix(name, tempSuffix) {
			if err := l.o.FS.Remove(filepath.Join(l.dir, name)); err != nil {
				return nil, err
			}
			continue
		}
		l.o.Log.Warn("this is no segment of a write-ahead log; it is left alone", "path", filepath.Join(l.dir, name))
	}
	slices.Sort(names)
	return names, nil
}

func (l *Log) newest() *segment { return l.segs[len(l.segs)-1] }

// check reads a segment. The last one stays open as l.file, its torn tail cut.
func (l *Log) check(ctx context.Context, name string, last bool) (err error) {
	path := filepath.Join(l.dir, name)
	f, err := l.o.FS.Open(path)
	if err != nil {
		return err
	}
	keep := false
	defer func() {
		if !keep {
			err = errors.Join(err, f.Close())
		}
	}()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	base, _ := baseOf(name)
	s := &segment{path: path, base: base, last: base - 1, size: st.Size(), at: st.ModTime()}
	sc := &scanner{r: f, size: s.size, seed: l.seed}
	if err := l.checkHeader(s, sc); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	l.segs = append(l.segs, s)
	if err := l.checkFrames(ctx, f, s, sc, last); err != nil {
		return err
	}
	l.next, l.nextSeq = sc.position, sc.seq
	l.stats.Bytes += s.size
	if last {
		l.file, keep = f, true
		return settle(f, sc)
	}
	return nil
}

// settle makes what could be read durable, as it counts from now on. The last
// write is written again: a kernel whose sync failed once may take the pages of a
// lost write for clean, and sync would have nothing to do.
func settle(f File, sc *scanner) error {
	if n := sc.size - sc.write; sc.write > 0 && n > 0 {
		b, err := sc.at(sc.write, int(n))
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(b, sc.write); err != nil {
			return err
		}
	}
	return f.Sync()
}

// checkHeader reads a segment's header, compares it with the end of the segment
// before and places the scanner behind it.
func (l *Log) checkHeader(s *segment, sc *scanner) error {
	b, err := sc.at(0, int(min(segmentHeader, s.size)))
	if err != nil {
		return err
	}
	baseSeq, damage, err := parseSegmentHeader(b, l.id, s.base)
	if err != nil {
		return err
	}
	sc.off, sc.position, sc.seq = min(segmentHeader, s.size), s.base, baseSeq
	first := len(l.segs) == 0
	if damage != "" {
		gone := Skip{File: s.path, Bytes: sc.off, FromPosition: s.base, ToPosition: s.base - 1, FromSeq: l.nextSeq, ToSeq: l.nextSeq - 1, Reason: damage}
		if err := l.leaveOut(gone); err != nil {
			return err
		}
		sc.seq = l.nextSeq // at least; the first frame may say more
		if b, err := sc.at(sc.off, int(min(frameHeader, s.size-sc.off))); err == nil && len(b) == frameHeader {
			if h, ok := parseHeader(b, l.seed); ok && h.position == s.base {
				sc.seq = max(sc.seq, h.firstSeq)
			}
		}
	}
	s.baseSeq = sc.seq
	if first {
		return nil
	}
	if n := len(l.skipped); n > 0 && l.skipped[n-1].Bound && l.skipped[n-1].File == l.newest().path &&
		s.base >= l.skipped[n-1].FromPosition && sc.seq >= l.skipped[n-1].FromSeq {
		gone := &l.skipped[n-1] // now it is known how much was in that stretch
		gone.ToPosition, gone.ToSeq, gone.Bound = s.base-1, sc.seq-1, false
		return nil
	}
	if s.base < l.next || sc.seq < l.nextSeq {
		return fmt.Errorf("the segment begins at position %d, row %d, but the one before it ends behind that (position %d, row %d)", s.base, sc.seq, l.next, l.nextSeq)
	}
	if s.base != l.next || sc.seq != l.nextSeq {
		return l.leaveOut(Skip{
			File: s.path, FromPosition: l.next, ToPosition: s.base - 1, FromSeq: l.nextSeq, ToSeq: sc.seq - 1,
			Reason: "the segment before this one is missing, or its end is",
		})
	}
	return nil
}

// checkFrames reads all frames of a segment.
func (l *Log) checkFrames(ctx context.Context, f File, s *segment, sc *scanner, last bool) error {
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		off := sc.off
		fr, err := sc.next()
		var wrong *bad
		switch {
		case err == nil:
			s.last = fr.Position
			s.noted(fr.Position, fr.FirstSeq, off)
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &wrong):
			if cut, err := l.cut(f, s, sc, wrong, last); cut || err != nil {
				return err
			}
			if err := l.pass(s, sc, wrong); err != nil {
				return err
			}
		default:
			return fmt.Errorf("cannot read %s: %w", s.path, err)
		}
	}
}

// cut removes a torn tail; false when wrong isn't one.
func (l *Log) cut(f File, s *segment, sc *scanner, wrong *bad, last bool) (bool, error) {
	if !last || !wrong.torn {
		return false, nil
	}
	if durable, err := sc.wasDurable(wrong); durable || err != nil {
		return false, err
	}
	gone := s.size - wrong.off
	if err := errors.Join(f.Truncate(wrong.off), f.Sync()); err != nil {
		return false, fmt.Errorf("cannot cut the torn tail of %s: %w", s.path, err)
	}
	l.o.Log.Warn("the write-ahead log ends in a write that was not finished and not acknowledged; it was cut off", "file", s.path, "offset", wrong.off, "bytes", gone)
	s.size, sc.size = wrong.off, wrong.off
	l.stats.CutBytes += gone
	return true, nil
}

// pass skips what is wrong, when that is allowed.
func (l *Log) pass(s *segment, sc *scanner, wrong *bad) error {
	if !l.o.Salvage {
		return &DamageError{File: s.path, Offset: wrong.off, Position: sc.position, Reason: wrong.reason}
	}
	gone, open, err := sc.skip(wrong)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", s.path, err)
	}
	gone.File = s.path
	if open { // no frame is shorter than its header, no row shorter than a byte
		gone.Bound = true
		gone.ToPosition = sc.position + gone.Bytes/frameHeader
		gone.ToSeq = sc.seq + gone.Bytes
		sc.position, sc.seq = gone.ToPosition+1, gone.ToSeq+1
	}
	s.last = max(s.last, sc.position-1)
	return l.leaveOut(gone)
}

// leaveOut notes a stretch that Salvage skips; without Salvage it is the error.
func (l *Log) leaveOut(gone Skip) error {
	if !l.o.Salvage {
		return &DamageError{File: gone.File, Offset: gone.Offset, Position: gone.FromPosition, Reason: gone.Reason}
	}
	l.o.Log.Error("a damaged stretch of the write-ahead log is skipped", "file", gone.File, "offset", gone.Offset, "bytes", gone.Bytes,
		"positions", fmt.Sprintf("%d to %d", gone.FromPosition, gone.ToPosition), "rows", fmt.Sprintf("%d to %d", gone.FromSeq, gone.ToSeq), "reason", gone.Reason)
	l.skipped = append(l.skipped, gone)
	return nil
}

// Skipped tells what Open left out under Salvage, in order.
func (l *Log) Skipped() []Skip { return slices.Clone(l.skipped) }

// ID is the log's UUID.
func (l *Log) ID() uuid.UUID { return l.id }
