// Package ingest turns the bodies of requests into rows: what clients send to
// the streams of Azure Monitor's Logs Ingestion protocol and to Wadi's own
// ingest endpoint, as a JSON array, as JSON lines or as an Arrow IPC stream.
//
// # Why it exists
//
// A request is stored whole or not at all, and its answer names what is wrong
// with it. So everything that can be wrong with a row is found here, before the
// stream door makes anything durable: the door takes rows that are already in
// the lake's form.
//
// # How it works
//
// [Streams] resolves the name of a stream or table to a [Target]: the columns
// that a row may have there, each with what becomes of its value. A [Decoder]
// reads a body in one pass, value by value, straight into a [datafile.Rows]
// whose rows wait for their numbers. JSON is read by code of this package that
// never builds a tree; the order of the columns is learnt from the row before.
// Arrow columns are read by the same rules as JSON values.
//
// # Windows events
//
// A row with _Xml is an event's text and is read as the bulk door reads it
// (package windowsrow). A row without one has Sentinel's columns: System and
// EventData are composed of them, so that the views give back what was sent. A
// column whose value would come back as another has no place and is an error.
// docs/formats/ingest.md has the rules.
//
// # Hostile bytes
//
// Body, rows, text, nesting and memory are bounded (limits.go); an [*Error] names
// row, column, place and reason. Nothing of a body that is refused is kept.
//
// Sources: RFC 8259, Arrow's columnar format (IPC), Microsoft's documentation of
// the Logs Ingestion API, of its limits and of the standard columns.
package ingest
