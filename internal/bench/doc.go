// Package bench prints the figures that Wadi promises: each as the median of
// several runs of the real binary (or of a warm worker), with CPU seconds and
// peak memory from the operating system's own accounting, the data named, and a
// ratio against a peer where one can be had.
//
// Machines are noisy: what to compare is figures of one run, CPU seconds before
// wall time, ratios before absolute figures. The inputs are made from the
// corpus of real files by evtxtest's rewriter (record ids, times and
// same-length values changed, checksums right), because repeated chunks would
// rightly be dropped as duplicates. Big lakes are made once and cached by
// generator version under the given folder.
//
// It is a program for developers; nothing of the product imports it.
package bench
