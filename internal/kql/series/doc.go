// Package series holds the operators of a pipeline that run as Go code between two
// parts in SQL, because SQL has no good form for them: statistics of a series,
// clusters, frequent sets.
//
// An operator gets rows one by one, in order, and may give rows at each of them and
// at the end. It is pure: the engine runs the SQL below it, pushes the rows through
// and lets the SQL above read what comes out, within its limits of rows and bytes.
// Columns that an operator only passes on never reach it: [New] wraps it so that each
// row it gives carries the kept columns of the row it was given.
package series
