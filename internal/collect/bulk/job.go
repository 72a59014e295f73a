package bulk

import (
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/lake"
)

// jobKind says what a job's work is.
type jobKind uint8

const (
	jobEnd   jobKind = iota // the end of a log: only counts
	jobChunk                // records of an EVTX chunk
	jobText                 // lines of a text log
	jobFeed                 // a block of a feed
)

// job is one piece of work: what is read at once, stored in one part, and counted
// together.
type job struct {
	kind   jobKind
	file   *logFile
	source int32
	// seq is _Seq of the first record that is not a duplicate.
	seq  int64
	keys []lake.KeyEntry
	// size is how many bytes of input the job stands for.
	size int64
	// counts are what the reader has counted already, for the log's own channel,
	// with its findings.
	counts   Counts
	findings []string
	ends     bool // the log ends with this job

	// A chunk: the first skip records are duplicates.
	chunk evtx.ChunkInfo
	data  []byte
	skip  int

	// Lines, and the directives in force in front of them; line is the number of
	// the first one.
	head, text []byte
	line       int64

	// A block of a feed; its lines are a source of their own.
	index       int
	block       *Block
	linesSource int32
	linesSeq    int64

	// What encoding counted, by channel: of source, and of linesSource.
	result, linesResult tallies
}

// logFile is one log of the import.
type logFile struct {
	summary FileSummary
	// channel is that of the log's first record: what was not stored is counted
	// there.
	channel string
	entry   *entrySize
	// ended tells that the job with its end is committed.
	ended bool
}

// newBlock gives an empty block.
func newBlock() *Block { return &Block{Events: &event.Batch{}} }
