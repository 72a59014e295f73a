// Package store is the Iceberg tables of a data folder: metadata, manifests, the
// catalog's pointers, and the hot files beside them. It reads one state of all tables,
// and changes several of them in one commit. What a change means (a part, a
// compaction, a deletion) is package lake's business.
//
// # A commit
//
// [Store.Commit] builds the next metadata of every table that changes: files are
// written and synced first, then all pointers move in one transaction of the catalog.
// A lost race is built anew from what is current then; properties that another program
// set stay. What a caller must know afterwards is whether it happened: an error that
// wraps [ErrUnknown] leaves it open.
//
// # Positions and hot files
//
// A table says in a property ([PositionKey]) up to which position of a stream's log it
// has the rows. [Store.HotFiles] gives the unbroken chain of hot files from there:
// a file whose rows are in the table already, or one behind a gap, is not in it.
//
// # Caches
//
// Metadata files and manifests never change, so what they say is kept by their names.
//
// Sources: Iceberg table spec v2 (metadata, manifests, appendices A, D, F).
package store
