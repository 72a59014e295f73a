// Package w3c reads W3C extended log files: IIS and its FTP service, HTTP.sys's
// error log (HTTPERR), IIS Advanced Logging, and other writers of the format.
//
// # How it works
//
// A [Parser] is fed one line at a time, without the caller having to know what
// a directive is. #Fields may come again at any line and changes the meaning of
// the rows behind it; the parser maps its names to columns of schema.W3CIIS once
// and then only splits. Values that have no column are given with their field's
// name and end in the column _Extra.
//
// # What a row keeps
//
// The columns, together with the field list in effect (Row.FieldNames, column
// _Fields), give the line back byte for byte, unless Row.NeedsRaw says that they
// don't; then Row.Raw is stored in _Raw. docs/formats/w3c.md says how the line
// is written from the columns, and a test does it for the whole corpus.
//
// # Damage
//
// No line is an error. A row that doesn't fit the field list is given with a
// reason in Row.Damage, with the values that can be told, and with its line in
// Row.Raw. A time that the log doesn't hold is not guessed: the row has none.
//
// # Limits and trade-offs
//
// Whether a quote opens a quoted value can't be told from one value (IIS writes
// quotes of a request as they are), so the reading whose number of values fits
// the field list wins. Lines that are not UTF-8 are read as ISO 8859-1, which
// loses no byte, because a log doesn't say its code page.
//
// Sources: W3C Working Draft WD-logfile-960323; Microsoft's documentation of
// IIS logging and of HTTP.sys error logging; the corpus' logs.
package w3c
