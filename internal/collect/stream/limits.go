package stream

import "time"

// Limits of the door.
const (
	// DefaultMemoryBytes holds a generation that fills, one that is being written,
	// and as much again for bursts.
	DefaultMemoryBytes = 256 << 20
	// DefaultPartBytes is about 90,000 Windows events, a Parquet file of 5 MB: the
	// fixed cost of a commit (30 ms) is a few percent of the cost of its rows.
	DefaultPartBytes = 64 << 20
	// DefaultPartAge bounds how far the log grows at a low rate.
	DefaultPartAge = time.Minute
	// DefaultFastAge leaves three of the six seconds, within which a row must be
	// seen at the highest rate, for writing and committing.
	DefaultFastAge = 3 * time.Second
	// DefaultHotRows is above the 10,000 rows a second at which rows must be seen
	// within a second.
	DefaultHotRows = 15_000
	// DefaultHotEvery leaves half of that second for writing the file.
	DefaultHotEvery = 500 * time.Millisecond
	// DefaultBusyAfter rides out a commit; longer waits cost the server memory for
	// bodies that can't go on.
	DefaultBusyAfter = time.Second
	// DefaultUpkeepEvery keeps snapshots and garbage few; it costs some ms.
	DefaultUpkeepEvery = time.Minute
)

// Bounds of what is remembered.
const (
	// requestLife is how long a request is known.
	requestLife = time.Hour
	// maxRequests is an hour of 290 requests a second (150,000 rows a second in
	// batches of 500), in 60 MB; beyond it the oldest are forgotten early.
	maxRequests = 1 << 20
	// maxClientLogs bounds the clients' logs whose numbers are kept, each from a
	// client with a token; they never expire. 2^18 of them take 16 MB.
	maxClientLogs = 1 << 18
	// maxTallies closes a generation: the counts of so many sources and channels
	// are as many rows of the ledger.
	maxTallies = 4096
	// maxLosses is how many losses one row of the ledger names.
	maxLosses = 20
	// maxHotBytes ends a hot file early.
	maxHotBytes = 8 << 20
	// maxHotFiles closes a generation: a question reads every hot file.
	maxHotFiles = 60
	// maxHotWaiting is how many hot files may wait to be written; more wait when the
	// disk is slow, then the generation is committed early instead.
	maxHotWaiting = 16
	// maxTailBytes is what waits for a slow watcher by default.
	maxTailBytes = 16 << 20
	// minRetry and maxRetry bound the time between tries of what has failed.
	minRetry = time.Second
	maxRetry = 30 * time.Second
	// retryFull is when a source comes again to a full log or disk.
	retryFull = 5 * time.Second
)

const (
	// maxKeys closes a generation: its keys are written to the state in one
	// transaction.
	maxKeys = 16384
	// maxSources bounds the sources of a log: a client with a token may invent
	// names.
	maxSources = 1 << 18
)

const (
	// entryBytes is what a batch costs beside its rows: its entry, tallies and keys.
	entryBytes = 512
	// maxSourceName bounds the text that names a source, as it is in every frame.
	maxSourceName = 512
	// retryBusy is when a source comes again that found no room: a commit later.
	retryBusy = 2 * time.Second
)
