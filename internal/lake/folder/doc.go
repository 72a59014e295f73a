// Package folder is what lies at the top of a data folder and how it is touched: the
// file system (behind an interface, so that a test can fail the n-th change), the
// mark that makes a folder a lake, the writer's lock, the pins of readers, and errors
// that know their exit code. docs/formats/lake.md describes the files.
//
// # What is relied on
//
// A lock is flock: the kernel gives it back whatever happens to its holder; the text
// in the file is for people. A pin is a file because the writer is another process; it
// is void when its process has ended or its deadline has passed. The mark is replaced
// by a rename, so it is the old or the new one at any instant.
package folder
