package bulk

import (
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/wadi-project/wadi/internal/collect/files"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
)

// Config is one import.
type Config struct {
	// Writer is the lake; the import does not close it.
	Writer *lake.Writer
	// Paths are files, folders, globs and "-" for Stdin; unused by ImportFeed.
	Paths []string
	// FS is the file system that Paths lead to; nil is the process's own.
	FS files.FS
	// Case is the label of the case that the logs belong to, empty for none.
	Case string
	// KeepDuplicates stores records that the case has already.
	KeepDuplicates bool
	// Zone is the zone of text logs that were written in local time; nil is UTC.
	Zone *time.Location
	// TempDir is where copies of pipes and of compressed logs lie; empty is the
	// lake's own folder for temporary files.
	TempDir string
	// Workers is the number of goroutines that read events; 0 is one for each
	// core.
	Workers int
	// Stdin is read for the path "-".
	Stdin io.Reader
	// Progress, when set, is told how far the import is: often, from one
	// goroutine at a time. It must return quickly.
	Progress func(Progress)
	// Log gets what an operator may want to know, never text of an event; nil
	// discards it.
	Log *slog.Logger

	// partWork, when not 0, replaces the limit of that name in tests.
	partWork time.Duration
	// partRowBytes, when not 0, replaces the limit of that name in tests.
	partRowBytes int64
	// noUpkeep leaves the lake's upkeep out, in tests of many small imports.
	noUpkeep bool
}

func (c Config) withDefaults() Config {
	if c.TempDir == "" {
		c.TempDir = c.Writer.TempDir()
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.partWork == 0 {
		c.partWork = partWork
	}
	if c.partRowBytes == 0 {
		c.partRowBytes = partRowBytes
	}
	return c
}

// Progress is how far an import is.
type Progress struct {
	// Files and Bytes count what has been read, of FilesTotal and BytesTotal; the
	// totals are 0 when they are not known. Compressed logs count with the size
	// of their file.
	Files, FilesTotal int
	Bytes, BytesTotal int64
	// Records counts the records read.
	Records int64
	// Committing tells that the rows of a part are being written.
	Committing bool
}

// Feed makes records, in blocks that are always the same for the same number:
// the demo's data. Methods may be called from many goroutines at once.
type Feed interface {
	// Blocks is the number of blocks.
	Blocks() int
	// Kind is the kind of its sources in the table sources, for example demo.
	Kind() string
	// Key names block i and everything that decides what is in it; a block whose
	// key is known is not made again.
	Key(i int) [32]byte
	// Fill makes block i. b and the batch in it are empty and may be reused by
	// the caller once the block is stored.
	Fill(i int, b *Block) error
}

// Block is some records of one host.
type Block struct {
	// Host is the computer that wrote them.
	Host string
	// Events are events of which only XML is set (and RecordTime and
	// RecordNumber, where there is one); Fill appends to it.
	Events *event.Batch
	// Lines are the lines of a W3C log with its directives; a source of its own.
	Lines []byte
}
