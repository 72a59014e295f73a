// Package evtxtest makes event logs for tests and benchmarks; the product never
// imports it.
//
// # Why it exists
//
// No maintained writer of EVTX exists, the repository carries no third-party
// files, and repeated real chunks would rightly be dropped as duplicates. So
// tests need small logs with chosen binary XML ([Builder]) and benchmarks need
// large logs of real shape whose records all differ ([Rewrite]).
//
// # How it works
//
// A Builder assembles chunks token by token, with names and template definitions
// stored where Windows stores them: in place at first use, by offset later. A
// rewrite walks real chunks and gives their records new identifiers, times and
// values of the same length, then puts checksums right. Both are deterministic.
//
// # Limits
//
// Records without template keep their values in a rewrite, only the record's own
// header changes. The hash buckets of chunk headers are left empty by the
// Builder; readers do not need them.
package evtxtest
