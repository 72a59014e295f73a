// Package bulk is the bulk door: it brings logs that lie on a disk into the
// lake, each record once.
//
// # Why it exists
//
// A file is its own log: nothing has to be made durable before it is in the
// lake, and a crash only means that the rest is read again. So the bulk door
// needs no write-ahead log. It needs an answer to "what of this do I have
// already?" and a commit that carries the answer with it.
//
// # How it works
//
// An [Import] is a log of its own (a UUID). One goroutine reads: it finds the
// records of EVTX chunks and the lines of text logs, decides in the order of the
// input which of them are duplicates, gives the others their _Seq, and hands
// them on as jobs. A [Feed]'s blocks become jobs too. The importer takes the
// jobs in parts; for each part a pipeline (package pipe) runs until the part is
// full or the input ends:
//
//	jobs ─► encode (parallel) ─► count
//
// Encode renders records as XML, parses that into columns, checks that what will
// be stored gives the XML back byte for byte, and puts the rows into the sorter
// of their table. The part is then written as sorted Parquet and committed; only
// then do its counts reach the summary. A chunk is never split over two parts.
//
// # Crash protocol
//
// It lies in package lake: rows, counts, keys and sources of a part become
// visible together, and a process that died is settled by the next writer. What
// bulk adds is that keys travel with the part whose rows they stand for, also in
// the middle of a text log.
//
// # De-duplication
//
// docs/formats/import.md has the rules. Keys are looked up within one case, in
// the lake and among the records that are on their way into it.
//
// # Limits and trade-offs
//
// Every limit is in limits.go. Deciding on duplicates in one goroutine bounds an
// import at about a million events a second, far above what encoding reaches on
// the machines at hand. A text log that is a shortened copy of a known one is
// stored again: only whole prefixes are known. The lines of a text log are
// parsed in parallel, by giving each block the directives in force.
//
// Sources: facts of the store (keys, parts, crash protocol), [MS-EVEN6].
package bulk
