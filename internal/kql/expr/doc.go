// Package expr binds expressions of one value: it gives a parsed expression its
// types, names and operation in a plan.
//
// What an expression sees of the relation it is evaluated over is a list of columns
// ([Rows]). A column makes its own expression when it is first asked for, so that of
// a view with 200 computed columns only those in use are bound, and only their
// stored columns are read.
//
// Kusto's rules that differ from SQL's are made explicit here, so that a plan needs
// no more knowledge of KQL: operands are converted to one type, string columns read
// null as "", int arithmetic is long. Constants are folded, which is what file
// pruning lives on. What means more than its arguments (a let's name, a function of
// the query, rows in place of a value) is asked of the query around by [Around].
//
// A binder collects mistakes and goes on; an expression that has been complained
// about has the type 0.
package expr
