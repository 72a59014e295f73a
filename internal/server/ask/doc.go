// Package ask answers questions over HTTP: POST /api/v1/query, and the live tail
// GET /api/v1/tail. It holds the handlers; routes, tokens and TLS are package
// server's.
//
// # How an answer is written
//
// A question is compiled, admitted by the engine, and its rows are written while
// they come. Nothing is sent before the first 64 KB or the end, so that what fails
// early has its status: a mistake in the question is 400 with its place, too many
// questions 503 with Retry-After. What fails later, or is cut at the limits, is told
// in band: a member "problem" at the end of the JSON document, a last line
// {"$problem":…} of JSON lines, and for every form, Arrow too, the trailer
// Wadi-Problem. A whole answer as JSON is byte for byte what `wadi query --format
// json` prints.
//
// A client that goes away ends its question through the request's context; the
// engine takes at most its grace of 80 ms for that. A client that doesn't read is
// cut off after [writeStall].
//
// # Progress
//
// With Accept: text/event-stream the answer is a stream of server-sent events:
// progress (each second), columns, rows (arrays of rows), then end or problem.
//
// # Sources
//
// RFC 9457 (problems), RFC 9110 6.5 (trailers), the HTML standard 9.2 (server-sent
// events), Apache Arrow IPC streaming format, ISO 8601 durations.
package ask
