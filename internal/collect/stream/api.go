package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/wal"
)

// Config sets a door up. Only Writer is required; zero limits are the package's
// defaults.
type Config struct {
	// Writer is the lake that the rows go to. It stays the caller's.
	Writer *lake.Writer
	// Log gets what an operator may want to know; nil discards it.
	Log *slog.Logger
	// Now is the clock that _IngestedAt comes from; nil is time.Now.
	Now func() time.Time
	// WAL configures the write-ahead log: its bounds, Salvage, its file system.
	WAL wal.Options

	// Followers are those who read the log from a position of their own. They are
	// registered here, so that nothing they need goes before.
	Followers []FollowerConfig

	// MemoryBytes bounds the rows between log and lake, in encoded form.
	MemoryBytes int64
	// PartBytes is the size at which a generation is committed, in encoded form.
	PartBytes int64
	// PartAge is the age of its oldest row at which a generation is committed.
	PartAge time.Duration
	// FastAge takes the place of PartAge when rows come at more than HotRows a
	// second: then there are no hot files.
	FastAge time.Duration
	// HotRows is that rate, rows a second.
	HotRows int
	// HotEvery is how long a row waits for a hot file at most.
	HotEvery time.Duration
	// BusyAfter is how long Submit waits for room before it gives ErrBusy.
	BusyAfter time.Duration
	// UpkeepEvery is how often the lake's upkeep runs while rows come.
	UpkeepEvery time.Duration
}

// SourceName names a live source. It is the source's identity in its log: equal
// names are one source.
type SourceName struct {
	// Kind is the protocol: logs-ingestion, ingest, forward and others.
	Kind string
	// Host is the computer that sends, where the protocol names it.
	Host string
	// Name is the {id} of the request, or the subscription.
	Name string
}

// Batch is what one request brings: rows of one table from one source.
type Batch struct {
	// Table is the table of all rows; nil with Rows for none.
	Table *schema.Table
	// Source is where they come from.
	Source SourceName
	// Rows are the rows, begun with BeginNumbered; Submit numbers them. They are
	// the caller's again when Submit returns. Nil or empty for a batch that has
	// counts only.
	Rows *datafile.Rows
	// Tallies are the counts by channel, Source and the skews unset:
	// Received = Stored + Duplicate + Filtered + Damaged, and the sum of Stored is
	// the number of rows. They are not changed.
	Tallies []lake.SourceTally
	// Request, unless nil, is what a repetition of the request has again: known for
	// an hour.
	Request *[32]byte
	// Log, unless empty, is the UUID of the log that the client keeps of its
	// own, and N the number of the batch in it, from 1 without gaps (Wadi-Batch).
	// Both are known for as long as the source lives, per Kind and Name of it.
	Log string
	N   int64
}

// Receipt says what became of a batch.
type Receipt struct {
	// Position is that of the frame that made the batch durable.
	Position int64
	// FirstSeq is _Seq of its first row; the others follow without gap.
	FirstSeq int64
	// Duplicate tells that the batch is stored already; nothing was stored.
	Duplicate bool
	// Gap is how many batches of the client's log are missing before this one; they
	// are counted as lost.
	Gap int64
}

// ErrClosed refuses a batch because the door is closing; nothing was stored.
var ErrClosed = errors.New("the stream door is closing")

// ErrBusy refuses a batch because there is no room; nothing was stored. The
// source has to send it again.
type ErrBusy struct {
	// RetryAfter is when to try again.
	RetryAfter time.Duration
	// Reason is what is full: one line for an operator.
	Reason string
}

// Error gives one line.
func (e *ErrBusy) Error() string {
	return fmt.Sprintf("%s; try again in %v", e.Reason, e.RetryAfter)
}

// Stats is the door's state for metrics. Counters begin at Open.
type Stats struct {
	// Rows, Bytes and Batches were stored in the log; Duplicates are batches that
	// were known, Busy batches that were refused for want of room, Gaps batches
	// that clients' logs skipped.
	Rows, Bytes, Batches, Duplicates, Busy, Gaps int64
	// Replayed are rows that Open found in the log and not in the lake.
	Replayed int64
	// Commits are the generations in the lake, CommitErrors failed tries,
	// CommitTime their time in all, LastCommit and SlowestCommit the time of one.
	Commits, CommitErrors                 int64
	CommitTime, LastCommit, SlowestCommit time.Duration
	// LastError is why the last commit failed, nil when it didn't.
	LastError error
	// HotFiles are the hot files that were written, HotErrors failed ones, Fast
	// whether rows come too quickly for them now.
	HotFiles, HotErrors int64
	Fast                bool
	// HeldBytes are the rows between log and lake, MaxHeldBytes their bound.
	HeldBytes, MaxHeldBytes int64
	// OpenRows and OpenAge are of the generations that are not in the lake.
	OpenRows int64
	OpenAge  time.Duration
	// RequestKeys are known requests, ForgottenKeys those that left before their
	// hour for want of room.
	RequestKeys   int
	ForgottenKeys int64
	// Subscribers are live tails, TailDropped batches that slow ones missed.
	Subscribers int
	TailDropped int64
	// Reopened is how often the log had to be opened again.
	Reopened int64
	// WAL is the write-ahead log's own state.
	WAL wal.Stats
}
