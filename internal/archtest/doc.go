// Package archtest holds the house rules of Wadi as tests: which package may
// import which, where a heavy library has its home, how long a function, file
// or package may be, and a few words and constructs that are not used here.
//
// It reads `go list -deps -json ./...` and parses the sources; a broken rule
// fails with the file, the rule and the reason of the rule. The tables are in
// rules.go, exceptions in exceptions.go, each with its reason; an exception that
// is no longer needed fails too, so the list can't grow old.
//
// It exists because compile-time walls between packages stop at "may import";
// the direction of imports and the size of things erode one commit at a time
// (tailscale's deptest and pebble's internal/lint show the habit).
package archtest
