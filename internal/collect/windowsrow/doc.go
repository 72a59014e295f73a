// Package windowsrow writes Windows events as rows of windows_events, the same
// from whichever door they come, and gives a row's text back.
//
// # How it works
//
// [Writer.Add] takes an event's text: it parses it, checks that System comes back
// from the columns byte for byte (package eventxml does; where it doesn't, System
// is kept as text), and sets the columns of System, of the message and of the
// values of EventData that have one. Damage behind System costs nothing that
// stands before it. [Columns.AppendXML] is the inverse.
//
// Setting a row's columns allocates nothing once memory has grown.
//
// # Limits and trade-offs
//
// System is bounded (limits.go), and texts beyond some MiB have no values in columns of
// their own ([eventxml.MaxValues]). Columns of EventData hold the first value of a name.
//
// Sources: docs/formats/eventxml.md and docs/formats/import.md.
package windowsrow
