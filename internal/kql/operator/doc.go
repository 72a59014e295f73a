// Package operator binds the operators that work on one relation, the rows so far:
// project and its kin, extend, summarize, make-series, mv-expand, parse, serialize
// and the plugins.
//
// No operator but those that group makes a new set of columns in the plan: project
// and its kin just change what later operators see. Names get Kusto's forms and
// suffixes here.
//
// What an operator needs beyond the rows so far (a table by its name, rows used
// twice, a question over the data) it asks of the query it is in by [Query].
package operator
