// Package wal is the stream door's log: what arrives is here, durable, before it
// is acknowledged, and stays until every table has it. It knows positions, rows
// and bytes, and nothing of what is in them. docs/formats/wal.md has the format.
//
// # Way of a frame
//
// [Log.Append] lets its caller write one frame into the group that is being
// gathered. One goroutine takes the group, writes it with one call, syncs, and
// wakes all who wait; meanwhile the next group gathers. So the cost of a sync is
// shared by all who come during the sync before it, nobody waits for company, and
// an acknowledgement takes two syncs at the most.
//
// Once a frame has a position, Append doesn't give up when its context ends:
// a frame that is durable and that nobody accounts for would be a hole in the lake.
//
// # What is durable
//
// Groups are written strictly one after the other, and a frame tells how many of
// its own write precede it. So all frames before a group were durable when it was
// written, which tells a torn tail (the last write, never acknowledged: cut) from
// damage (a frame that was acknowledged: refused, or with Salvage skipped and
// named). A torn write leaves a file that is too short or sectors of zeros; a last
// frame that is complete and full of bytes but wrong is damage.
//
// # Errors
//
// A failed write (disk full) is cut off again and the log goes on: the frames of
// that group and of the one gathering get the error, their positions are given
// again. A failed sync, or a failed cut, breaks the log ([ErrBroken]): what the
// kernel has on disk is unknown then, so nothing is acknowledged until the folder
// is opened anew and read back. As in a crash between sync and acknowledgement,
// frames may come back that were not acknowledged; what they carry has keys by
// which a retry is known.
//
// # Trimming
//
// Whole segments go from the old end, when the lake has all their frames
// ([Log.Committed]) and every [Hold] has let go or is beyond its bound. The newest
// segment stays, so counters survive. The log's bytes are bounded: beyond
// Options.MaxBytes Append gives [ErrFull] and the source waits.
//
// # Limits and trade-offs
//
// The package locks nothing: the writer of the data folder is one process (package
// lake). A frame is held in memory twice at most (gathering, being written). Reading
// reads whole frames and checks each. The data of one segment is lost for a hold in
// whole, so a bound is exact to a segment.
//
// Sources: PostgreSQL's notes on fsync errors (2018), "All File Systems Are Not
// Created Equal" (OSDI 2014) for torn appends, RFC 3720 appendix B.4 for CRC32C.
package wal
