// Package pipe runs work in stages that are bounded, parallel and in order.
//
// # Why it exists
//
// Both doors of Wadi do the same thing: one collector produces pieces, many
// cores turn them into something else, one sink takes the results in the order
// of the source. Written by hand each time, this is where goroutines leak,
// queues grow without bound and errors are lost.
//
// # How it works
//
// A [Group] is one run of connected stages. [From] starts a source, [Map] a
// parallel stage, and [Each] a sink; a [Stream] connects two of them. Map gives
// its results in the order of its inputs: every item gets a slot in a bounded
// queue before a worker sees it, and the slots are emptied in order. The number
// of slots is the bound, so a slow sink stops the source (back-pressure) and the
// memory of a run is (slots of all stages) × (size of an item).
//
// The first error, or the end of the caller's context, stops every stage;
// [Group.Wait] returns only after the last goroutine has ended, so nothing is
// left behind and whatever the stages used may be reused or closed.
//
// The stream door has no run of stages: its items come from thousands of callers
// that wait for their answer. It bounds what is on its way with a [Budget] of bytes,
// which its callers take and its sink gives back, and runs its own goroutines as a
// Group.
//
// # Limits and trade-offs
//
// An item costs two channel operations a stage, about a microsecond: items are
// meant to be chunks and batches, not single events. Results wait for a slow
// predecessor (head-of-line); Depth should therefore be a small multiple of the
// number of workers.
package pipe
