// Package dump writes event logs out as text and tells what is in them.
//
// # Why it exists
//
// Responders want the events of a file at once, without a lake, on any system;
// and whoever imports logs wants to see the very text that the lake stores. The
// package does both jobs behind `wadi evtx`: [Dumper] prints records, [Inspect]
// summarises a file.
//
// # How it works
//
// A log's chunks stand alone, so they are rendered in parallel by workers that
// own a decoder and a buffer each; package pipe brings the results back into
// record order. One write goes out for each chunk. Memory is (workers + 2) ×
// (64 KiB + the chunk's text), whatever the size of the file.
//
// Records are ordered by the identifier of their chunk's first record and by
// place within the chunk, which is the order they were written in.
//
// What was lost is reported through [Config].Lost in the order of the output, and
// never stops a dump.
package dump
