// Package catalog keeps what the lake must remember beside its files, in two
// SQLite databases.
//
// # catalog.db
//
// [Pointers] is Iceberg's JDBC catalog: for each table the location of its current
// metadata. Other readers open it (PyIceberg, Trino). It changes by
// [Pointers.Swap] only, for all tables of a commit at once and only when none of
// them was changed by another program meanwhile.
//
// # state.db
//
// [State] holds what would be too slow or too private to keep in tables:
// de-duplication keys, parts on their way, checksums and cases of data files,
// retention, legal holds, garbage. docs/formats/state.md describes it table by
// table.
//
// # Crash protocol
//
// The databases can't change together. A part is written to state.db as prepared,
// then catalog.db changes, then [State.FinishPart] applies the part; package lake
// settles what is left of a process that died. Settings (retention, holds) change
// with such a part too, so that they and their row of wadi_audit come together.
//
// # Limits and trade-offs
//
// Both run in WAL mode with synchronous=FULL: a commit is durable when it returns,
// and readers never wait for the writer. Readers need the WAL's index file; in a
// folder that can't be written they read a private copy. One connection a process
// writes. Nothing here knows Iceberg's formats.
package catalog
