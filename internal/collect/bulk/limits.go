package bulk

import "time"

// Limits of an import, in one place.
const (
	// partRowBytes ends a part: encoded rows become about a tenth as Parquet, so
	// this is the 512 MB of Parquet that a part may have.
	partRowBytes = 5 << 30
	// partWork ends a part: what a crash or Ctrl-C can cost.
	partWork = 60 * time.Second
	// partHashes ends a part: the records whose hashes are kept for the comparison
	// with chunks of the same part (8 bytes each): 64 MB.
	partHashes = 8 << 20
	// rowsBytes is when a worker hands its rows to the sorter.
	rowsBytes = 1 << 20
	// readAhead is how many jobs wait between reading and encoding, beside those
	// that the stages hold.
	readAhead = 4
	// depthPerWorker is how many jobs a stage holds for each of its workers: one
	// in work, one done and waiting for its turn, one ready.
	depthPerWorker = 3
	// textBlock is how many bytes of a text log make a job: some thousand lines.
	textBlock = 256 << 10
	// maxLine bounds one line of a text log. HTTP.sys takes 16 KB of URL and 64 KB
	// of headers by default; a longer line is cut off, and kept as damaged.
	maxLine = 1 << 20
	// maxHead bounds the directives that are in force; IIS writes four, of some
	// hundred bytes.
	maxHead = 256 << 10
	// maxKeySteps bounds how many known states of one chunk are tried: as often as
	// a log that still grows was imported while one chunk was the last. What
	// is beyond is stored.
	maxKeySteps = 4096
	// maxCompares bounds how many of them are compared record by record, each with
	// a look into the lake.
	maxCompares = 64
	// maxMismatches bounds how many known states of a text log that differ are tried:
	// each is read again.
	maxMismatches = 16
	// maxLost bounds how many missing identifiers one chunk may report: a hostile
	// identifier must not spoil the sums of the ledger.
	maxLost = 1 << 40
	// keptFindings bounds the losses that are kept by name for each file; all are
	// counted.
	keptFindings = 20
)
