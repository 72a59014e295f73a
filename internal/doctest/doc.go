// Package doctest executes the documentation: every fenced block marked "sh" in
// README.md and docs/guide is run as a newcomer would run it, in a fresh clone,
// and every path that the documentation names must exist.
//
// Blocks of one file run in their order in one shell session each, so a later
// block sees the lake that an earlier one made. A block marked "sh" that fails
// fails the test with its output. Text to read only is fenced as "text".
package doctest
