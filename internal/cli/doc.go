// Package cli is Wadi's command line: it turns flags into the configuration of
// the packages that do the work, shows their progress and results, and maps
// their errors to one line, a hint and an exit code.
//
// # Rules of the terminal
//
// Results go to standard output, everything else to standard error. Colours and
// progress are shown on a terminal only. An error is one line, "wadi: cannot …",
// and where a person can do something about it a second line, "hint: …". The
// exit codes are fixed (see [Code]).
//
// Text that comes from logs, questions or errors is escaped before it meets a
// terminal: a log line that a stranger wrote must not move the cursor. A table
// fits the terminal; where its columns don't, rows are shown as records. Charts
// are text, and their colours say nothing that the text doesn't.
//
// Package chart draws, package shell holds the interactive mode's prompt, input and
// history; this package gives both their data.
//
// A command is one file, named after it, with its test beside it. Commands hold
// no logic that another edge (the server) would need too.
package cli
