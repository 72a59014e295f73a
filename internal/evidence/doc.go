// Package evidence chains what every commit does to the lake's data files, so that
// a later change of a file, of the ledger or of the record itself is found and named.
//
// # How it works
//
// Each commit gives one [Entry]: the files it added, with their checksum and, by row
// group, a checksum and the ranges of _Seq by source; the files it took out, with
// their rows; a digest of its rows of the ledger. An entry's head is
//
//	SHA-256("wadi evidence 1\n" + head of the entry before + body)
//
// so a head stands for everything before it. [Chain] plays the entries: it holds
// each to its head, and what they leave is what the tables must name.
//
// # Limits and trade-offs
//
// There is no key: who may write to the folder can write a new chain. That is found
// by a head that was kept elsewhere (wadi verify --heads), and by the heads that the
// tables' snapshots carry. Ranges of _Seq are kept for [MaxSpans] sources in a row
// group, the others share one. Row groups carry a CRC only: it says which of them
// was changed, not whether.
//
// docs/formats/evidence.md has the bytes.
package evidence
