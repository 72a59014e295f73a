// Package dyn computes on Kusto's dynamic values in the form they have in SQL:
// compact JSON text.
//
// The form. Objects (Kusto's property bags) keep their keys in the order they
// first appeared, and each key once; there is no white space outside of strings;
// whole numbers that fit a long have no point, all other numbers are reals and
// have a point or an exponent ("1.0", "1E+20"); strings escape only what JSON
// demands. Null is no text (nil) at the top and null within. Text of that form is
// what [Parse] gives and what every function here appends; functions that take a
// value read any valid JSON, so that text made by DuckDB's own JSON functions is
// understood too.
//
// A datetime, timespan or guid within a dynamic is a string in Kusto's print form:
// JSON has no others, and the engine's own answers print them so.
//
// Values are slices of the caller's text. Functions that make text append it to
// dst and never keep their arguments. Nothing here holds state; everything is safe
// for concurrent use on different dst. Sizes are bounded by [MaxElements] and
// [MaxText]; what would be larger is [ErrTooLarge].
package dyn
