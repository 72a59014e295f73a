// Package event is Wadi's vocabulary for one Windows event: what every
// collector produces and every sink consumes.
//
// # Why it exists
//
// An event reaches Wadi as text or as binary XML, from files, Windows Event
// Forwarding or an agent. All of them are turned into the same [Batch], so that
// the lake, detection and export are written once.
//
// # How it works
//
// The event's text is the truth and the typed fields are a cache of it
// (DESIGN.md, point 6). A Batch therefore owns one byte arena that holds the
// exact text of its events; every string of an [Event] is a [Span] into that
// arena. Spans have no pointers, so a batch of a hundred thousand events costs
// the garbage collector three slices, and the zero Span means "absent in the
// event", which is not the same as present and empty (Sigma's null needs the
// difference).
//
// # Limits and trade-offs
//
// A batch holds at most 4 GiB of text because spans are 32 bits wide; collectors
// cut batches far below that ([MaxBatchBytes]). A Batch is not safe for
// concurrent mutation; once handed on it is read-only and its owner changes.
//
// Times are 100 ns ticks since 0001-01-01T00:00:00Z, the unit and epoch of
// Kusto's datetime, because Windows keeps 100 ns and neither time.Time's
// nanoseconds since 1970 nor microseconds hold every value (FILETIME starts in
// 1601).
//
// Sources: [MS-EVEN6] (BinXml and the event schema), the Windows SDK's
// event.xsd for the order of System's elements.
package event
