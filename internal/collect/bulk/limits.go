package bulk

import "time"

// Limits of an import, in one place.
const (
	// partRowBytes ends a part: encoded rows become about a tenth as Parquet, so
	// this is the 512 MB of Parquet that a part may have.
	partRowBytes = 5 << 30
	// partWork ends a part: what a crash or Ctrl-C can cost.
	partWork = 60 * time.Second
	// partHashes bounds the record hashes that are kept for the comparison with
	// chunks of the same part (8 bytes each): 64 MB.
	partHashes = 8 << 20
	// sorterBytes bounds the rows in memory by table.
	sorterBytes = 192 << 20
	// rowsBytes is when a worker hands its rows to the sorter.
	rowsBytes = 1 << 20
	// readAhead is how many chunks wait between reading and digesting.
	readAhead = 4
	// depthPerWorker is how many jobs a stage holds for each of its workers: one
	// in work, one done and waiting for its turn, two ready.
	depthPerWorker = 4
	// textBlockRows is how many lines of a text log make a job.
	textBlockRows = 1000
	// keptFindings bounds the losses that are kept by name for each file; all are
	// counted.
	keptFindings = 20
)
