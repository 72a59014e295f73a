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
