// Package query answers KQL over a lake: it is the way from a question's text to
// typed rows, used by the command line and, later, by every server.
//
// # How it works
//
// [Run] parses and binds the text, plans it and writes it as SQL (packages below
// kql), pins one state of the lake, picks the data files that can matter, and runs
// the SQL in the engine's worker. The read point is let go with the rows.
//
// # Which files are read
//
// A file is left out only when its statistics prove that no row of it can meet a
// condition that every row of the answer must meet: the condition's range lies
// outside of the column's minimum and maximum, or the column is null in every row
// (a null meets no range). Where statistics are missing or of another type the
// file is read. `take n` with nothing above or below it that filters, sorts or
// groups needs only as many files as hold n rows. Statistics come with the read
// point, so this costs no I/O, and is linear in files: 2,000 take about 1 ms.
//
// # Limits and trade-offs
//
// A result ends at 500,000 rows or 64 MB as Sentinel's does, and says so, unless
// the question begins with `set notruncation`. A mistake in the question is an
// [Error] with all diagnostics, each with its place.
package query
