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
// An [Import] is a log of its own (a UUID). It works in parts. For each part a
// pipeline (package pipe) runs until the part is full or the input ends:
//
//	read ─► digest (parallel) ─► sequence (one, in order) ─► encode (parallel) ─► count
//
// Digest finds the records of an EVTX chunk and hashes them. Sequence decides,
// in the order of arrival, which records are duplicates and gives the others
// their _Seq. Encode renders them as XML, parses that into columns, checks that
// what will be stored gives the XML back byte for byte, and puts the rows into
// the sorter of their table. The part is then written as sorted Parquet and
// committed (commit.go); only then do its counts reach the summary. A chunk is
// never split over two parts.
//
// # Crash protocol
//
// A state row "prepared" for each (log, part, table) with the counts and the
// de-duplication keys, an Iceberg commit that carries "log/part" in its summary,
// then "done". [Settle], called before an import begins, finds prepared rows of
// a process that died, asks the lake whether their commit happened, and keeps or
// drops them; rows of sources and ledger follow from the state and name their
// log, so they are written once.
//
// # De-duplication
//
// docs/formats/import.md has the rules. Keys are looked up within one case.
//
// # Limits and trade-offs
//
// Every limit is in limits.go. A text log is parsed by one goroutine, because
// its directives give lines their meaning; its rows are encoded in parallel. A
// text log that is a shortened copy of a known one is stored again: only whole
// prefixes are known.
//
// Sources: facts of the store (keys, parts, crash protocol), [MS-EVEN6].
package bulk
