// Package shell is the interactive mode of questions: a prompt that gathers lines
// into a question, asks it, and keeps a history.
//
// # How it works
//
// A [Shell] reads lines from an [Editor] (package liner's on a terminal). Lines are
// gathered until the question ends: with an empty line, or with a line that ends in
// ';' when what stands before it is a question and not a let (see input). A line
// that begins with '.' is a command of the shell. Everything else, such as asking,
// printing and completing, is the caller's.
//
// Ctrl-C ends the running question through its context, or drops the lines typed so
// far; Ctrl-D leaves. While no line is read the terminal is in its usual mode with
// signals, so Ctrl-C arrives as SIGINT; while one is read, it is a key.
//
// # Trade-offs
//
// The editor knows single lines; a question of several lines comes back from the
// history as one, without its comments. Pasted text may hold tabs and empty lines:
// the terminal is asked to mark what is pasted, a tab in it completes nothing, and an
// empty line ends no question.
package shell
