// Package stream is the stream door: what arrives from live sources is durable
// before it is acknowledged, seen by questions within a second, and stored once.
//
// # Way of a batch
//
//	Submit ─► wal (durable) ─► acknowledged
//	              └─► in the order of positions ─┬─► generation: a part of the lake that fills
//	                                             ├─► hot buffers: small files, at most every half second
//	                                             └─► subscribers (live tail)
//
// [Door.Submit] gives the rows of one batch their numbers while it writes the
// batch's frame into the write-ahead log, so the order of positions is the order of
// _Seq. When the frame is durable, the rows go into the generation that is open:
// the sorters of one part of the lake, the counts for the ledger and the keys by
// which a repeated batch is known. Nobody's rows go in before those of an earlier
// position, so a generation is a stretch of the log without holes.
//
// A generation is closed at 64 MB, 60 hot files, a minute (three seconds where the
// rate is too high for hot files), and at midnight UTC, because a part lies in one
// day. One goroutine commits generations, oldest first: rows, ledger, keys and the
// position of every table in one transaction. Then hot files go and the log is
// trimmed.
//
// # Crash protocol
//
// The position that the lake has is in the lake (a property of the tables, set by
// the commit that brings the rows). [Open] reads the frames behind it and puts them
// into generations again, with the numbers and times they had. So a row is stored
// when its frame is durable, once, whatever happens in between; the same code
// rebuilds a generation whose commit failed (disk full), because a part is over
// after a failed commit.
//
// # What is a repetition
//
// A batch may carry a key (the hash of a request: known for an hour) or the number
// that its client's own log gave it (known for as long as the source lives). Keys
// live in memory, in the frames and, from the commit on, in state.db. Two equal
// batches at the same time: the second waits for the outcome of the first. A
// repetition is not stored but counted, in a frame of its own without rows.
//
// # Back-pressure
//
// All rows between log and lake are within a budget of bytes (package pipe). A
// batch that finds no room waits a second, then gets [*ErrBusy]: its source has to
// come again. The same answers a full log or disk.
//
// # Limits and trade-offs
//
// Every limit is in limits.go. All tables of a generation are committed together, so
// no table lags behind another. A row's _IngestedAt is the time of its frame and
// never decreases within the log: a clock that was set ahead by mistake keeps the
// times there until it has come back. docs/formats/stream.md has the form of a
// frame's payload.
package stream
