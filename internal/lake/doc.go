// Package lake keeps rows: an Iceberg table for each table of the schema, in one
// data folder, written by one process at a time and read by any number. It is the
// only home of Iceberg; anything that reads Iceberg reads the folder without Wadi.
// docs/formats/lake.md and state.md describe what lies there.
//
// # Way of a row
//
// An importer takes the writer's lock ([OpenWriter]), begins a [Log], and works in
// parts. The rows of a [Part] go into one sorter a table (package datafile).
// [Part.Commit] then
//
//  1. writes and syncs the data files of all tables, with the part's own rows of
//     sources and ledger,
//  2. notes in state.db that the part is prepared, with its counts and keys,
//  3. writes and syncs manifests, lists and metadata of all tables, whose
//     snapshots carry "<log>/<part>", and moves the pointers of all tables in one
//     transaction of catalog.db,
//  4. applies keys, sources and checksums to state.db and forgets the part.
//
// A process may die anywhere: the next OpenWriter looks for the id of a prepared
// part in the snapshots and does step 4, or removes the part's files by their
// names. So a part is there wholly, in every table and in the books, or not at all.
//
// # Streams
//
// A stream log ([Writer.OpenLog]) goes on for ever. Its rows are durable in a write-ahead
// log before they come here, so a part that is lost comes again: what matters is to know
// what the tables have. [PartResult].Positions go into properties of the tables in
// the same transaction as the rows, and [Log.Positions] reads them back. Before a commit,
// [Log.WriteHot] makes rows visible as small files that a reader takes as an unbroken
// chain from the position that the table has at its read point; [Writer.RetireHot]
// removes them when no reader from before the commit is left.
//
// # Why Wadi commits itself
//
// iceberg-go gives the formats (schemas, metadata, manifests); transactions and
// catalog are Wadi's own. That makes several tables change at once, keeps the
// field ids of package schema (the library numbers them anew), lets data folders
// have any name (the library percent-decodes paths, which other readers don't),
// syncs every file and folder, and takes the statistics from the writer of a file
// instead of opening it again.
//
// # Reading
//
// [Lake.Pin] reads the pointers in one transaction and all manifests, then only
// data files are needed. A pin is a file in tmp/pins that keeps the writer from
// removing them; where it can't be written, the deletion delay alone protects.
// Manifests don't change, so what they say is cached by their name.
//
// Hot files are listed after the pointers. A commit in between moves rows from files
// that the pin keeps into files that the reader doesn't look at, so each row is seen once.
//
// # Removing
//
// Rows leave the tables by Expire (retention) and Delete (a person's data), never
// otherwise; a legal hold wins over both. Files leave the disk when no metadata
// names them, the deletion delay has passed, and no older pin is left.
//
// Rewriting files (compaction, deletion, expiry) goes on beside commits of new rows: it
// holds only other rewrites up, and is refused at its commit when a file has gone.
//
// # Limits and trade-offs
//
// One writer: flock, which the kernel gives back whatever happens. Another program
// may commit too; its rows are kept and read, a lost race is repeated, and delete
// files (merge-on-read) are refused, because DuckDB would not apply them.
// Checksums, cases and keys are in state.db only: without it the rows are all
// there, but an import may be stored twice.
//
// Sources: Iceberg table spec v2 (metadata, manifests, appendices A, D, F), SQLite's
// documentation of WAL mode.
package lake
