package wal

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Limits of a log.
const (
	// DefaultSegmentBytes is the size of a segment: small against the log, so that
	// trimming follows closely, large against a write, so that files stay few.
	DefaultSegmentBytes = 64 << 20
	// DefaultMaxBytes bounds the log on disk: a lagging table is committed early at
	// 2 GB (package stream), so this is reached only when commits fail.
	DefaultMaxBytes = 4 << 30
	// MaxPayload bounds a frame's payload: a request's decoded body is bounded far
	// below, so a larger length can only be damage.
	MaxPayload = 64 << 20
	// DefaultHoldBytes and DefaultHoldAge bound a hold (detect.hold).
	DefaultHoldBytes = 1 << 30
	// DefaultHoldAge is the other bound of a hold.
	DefaultHoldAge = 10 * time.Minute
	// maxGroupBytes is where a group counts as full and the next Append waits for it
	// to be taken: two groups are in memory at once.
	maxGroupBytes = 16 << 20
	// maxSpare bounds the buffer that is kept between groups, so that a burst doesn't
	// stay in an idle server's memory. At 100 MB/s a group has about 1 MB.
	maxSpare = 4 << 20
	// minSegmentBytes keeps the number of files bounded when the log is small.
	minSegmentBytes = 4 << 10
	// segmentsPerLog is how many segments at least make up a full log, so that
	// trimming frees a part and not all or nothing.
	segmentsPerLog = 4
)

var (
	// ErrFull is returned by Append when the log has MaxBytes, or its disk is full.
	// The source must wait; the log can be used again when it was trimmed or the disk
	// has room.
	ErrFull = errors.New("the write-ahead log is full")
	// ErrBroken is returned by Append after a failed sync, or a failed write that
	// could not be taken back: nothing is acknowledged until the log is opened again.
	ErrBroken = errors.New("the write-ahead log can't be written; it must be opened again")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the write-ahead log is closed")
	// ErrTooLarge is returned by Append for a frame that can never fit.
	ErrTooLarge = errors.New("too large for the write-ahead log")
	// ErrTrimmed is returned by Read when frames behind the asked position are gone.
	ErrTrimmed = errors.New("the write-ahead log no longer has this position")
)

// Options configure a log. The zero value is usable.
type Options struct {
	// SegmentBytes is the size at which a new segment begins; 0 is
	// DefaultSegmentBytes. It is at most a quarter of MaxBytes.
	SegmentBytes int64
	// MaxBytes bounds all segments together; 0 is DefaultMaxBytes.
	MaxBytes int64
	// Now is the clock for the age of frames; nil is time.Now.
	Now func() time.Time
	// Log gets what an operator should know; nil discards.
	Log *slog.Logger
	// Salvage skips damaged frames, which Open refuses otherwise; Log.Skipped tells.
	Salvage bool
	// FS is the file system; nil is the real one.
	FS FS
}

func (o *Options) setDefaults() {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	o.MaxBytes = max(o.MaxBytes, segmentsPerLog*minSegmentBytes)
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	o.SegmentBytes = max(min(o.SegmentBytes, o.MaxBytes/segmentsPerLog), minSegmentBytes)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.FS == nil {
		o.FS = osFS{}
	}
}

// Frame is one entry of the log: the rows of one source and one table, and
// whatever belongs to them.
type Frame struct {
	// Position counts the log's frames from 1.
	Position int64
	// FirstSeq is the number of the frame's first row; rows count from 1 over the
	// whole log. A frame without rows has the number that the next row will get.
	FirstSeq int64
	// Rows is the number of rows, ≥ 0.
	Rows int
	// Payload is what the caller of Append wrote. In Read it is valid during the
	// call only; Append returns none, its caller has it.
	Payload []byte
}

// DamageError says where bytes that were durable are wrong.
type DamageError struct {
	File     string // path of the segment
	Offset   int64  // in the file, bytes
	Position int64  // of the first frame concerned
	Reason   string
}

// Error names file, offset and position.
func (e *DamageError) Error() string {
	return fmt.Sprintf("the write-ahead log is damaged: %s, byte %d (position %d): %s", e.File, e.Offset, e.Position, e.Reason)
}

// Skip is a damaged stretch of the log that Salvage left out. Positions and
// numbers are inclusive; a range whose To is below its From is empty.
type Skip struct {
	File                     string
	Offset, Bytes            int64
	FromPosition, ToPosition int64
	FromSeq, ToSeq           int64
	// Bound says that nothing behind the stretch tells how much it held: To* are then
	// the most that fits, and the log goes on behind them so that no number is used
	// twice.
	Bound  bool
	Reason string
}

// Stats is the state of a log, for metrics. Counters begin at Open.
type Stats struct {
	Segments                      int
	Bytes                         int64 // on disk
	MaxBytes                      int64
	FirstPosition                 int64 // oldest kept; Next when empty
	Next, NextSeq                 int64
	Committed                     int64
	Frames, Rows                  int64 // acknowledged
	Written                       int64 // bytes
	Syncs                         int64
	SyncTime                      time.Duration // total of write and sync
	SlowestSync                   time.Duration
	Full                          int64 // Appends refused by ErrFull
	CutBytes                      int64 // torn tail that Open removed
	Holds                         int
	HoldsLost                     int64 // segments trimmed that a hold had not let go
	SegmentsMade, SegmentsTrimmed int64
}
