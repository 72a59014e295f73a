// Package schema defines every table and column of Wadi once: for importers,
// the lake, KQL's binder, completion, documentation and exports (DESIGN.md,
// point 8).
//
// # How it works
//
// A [Table] is what the lake stores: columns with fixed Iceberg field ids, the
// version they were born in, and what readers need to know of them. A [View] is
// a name under which KQL sees a table's rows: Sentinel's tables (SecurityEvent,
// Event, W3CIISLog …) are disjoint views, so that a union never counts a row
// twice, and each view column is stored, computed (a KQL expression over the
// table's columns), constant or not available.
//
// # Limits and trade-offs
//
// A column is never removed, renamed or given another type; a new one is
// appended with the next free field id and a higher birth version. Files hold
// only the columns that occur in them, so a missing column reads as null. Two
// columns of a table never differ only by letter case, because other engines
// fold case.
//
// The definitions are Go tables; nothing is read at build time or at start. go
// generate writes docs/tables.md and the golden list of field ids from them; a
// changed line of that list is a broken lake.
// Sources: facts of the field named column by column in Origin, and Microsoft's
// table reference (see NOTICE).
package schema
