// Package duck writes plans as SQL for DuckDB 1.5.
//
// Names in the SQL are made here: relations scan_<n>, shared_<n> (what is computed once)
// and stage_<n> (what a Go operator gives), columns c<field id> and
// v<column id>. No name of a user or of a column of the lake gets in, because
// DuckDB folds case and KQL doesn't. Text gets in through [Literal] only; numbers
// are printed from Go numbers. So nothing a user or an event writes can change
// the shape of a statement, which FuzzLiteral and FuzzShape check.
//
// # Exactness and speed
//
// DuckDB's own functions are used where they give Kusto's answer, else an
// expression around them does. There are two ways to write a bool: cond, for
// places where null counts as false (where, iff, countif), and value, exact in
// three values. cond writes plain comparisons of stored columns, which DuckDB
// pushes down into Parquet; value pays for the truth.
//
// A datetime is BIGINT ticks since year 1. A stored time is a timestamp in
// microseconds and a digit; comparing it with a constant compares the timestamp
// itself, and bin() by whole microseconds computes on epoch_us, which is a
// reinterpretation: DuckDB's date functions cost ten times as much.
//
// DuckDB skips the columns of rows that fail a plain comparison, of others not. So
// where the result shows whole rows that a harder condition picks (has, a computed
// account), the rows' names (_Source, _Seq) are found first and the other columns are
// read of those rows only (late.go); arg_max of whole rows does the same (best.go).
//
// # Order
//
// Functions of rows in order are windows without partition or order, which DuckDB
// streams over an ordered subselect as its rows come (window.go). Lists, sets and bags
// are Go aggregates: they get each row's place where rows have an order, so that
// threads can gather them in any. Only groups of rows that the query itself wrote come
// in the order of their first rows; numbering stored rows would read them one by one.
//
// Whole numbers wrap in Kusto and fail in DuckDB. Where the operands' ranges
// can't rule overflow out, the computation goes over HUGEINT and wraps.
package duck
