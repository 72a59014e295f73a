// Package engine runs SQL over the lake's Parquet files in a worker process and
// is the only home of DuckDB (and so of cgo).
//
// Why a process: DuckDB's memory_limit is no bound (a bomb took 10.5 GB under a
// limit of 512 MB) and some functions can't be interrupted. So the same binary is
// executed again with the hidden command [WorkerCommand], from a thread that gave
// up its priority (nice 19, SCHED_IDLE), files (Landlock: lake read-only) and
// sockets (seccomp) before, so that the worker never has them; the worker itself
// sets RLIMIT_AS and dies with its parent. A question that passes its deadline is
// interrupted and, if that doesn't help within the grace, killed with its process;
// the next question gets a new one (25 ms, plus what the binary's packages take to
// initialise). One worker is kept warm.
//
// How a question runs: it waits for one of [Config.Workers] slots (the queue is
// bounded and its wait counts to the deadline). The caller gives one SELECT over
// scan_0, scan_1 …, the columns (field ids) and the Parquet files of each scan. The
// engine puts a common table expression in front for each scan (read_parquet with
// schema=MAP {field id: …}, so that files of different column sets and old names read
// right; columns that older files lack and their events' text holds are read from
// that), casts the result to the promised types and limits it. The worker prepares it,
// refuses all but exactly one SELECT, and sends the rows as columnar batches in
// length-prefixed frames over its stdout; [Rows] gives them row by row, as Arrow
// record batches, or as a Parquet file.
//
// Go code in a question: every function of package udf is the SQL function wadi_<name>,
// every aggregate of package agg an aggregate function. DuckDB calls one C function
// with a chunk of rows; values alias its memory, results are written into it, texts by
// one call a chunk (13 ns a row for a function of a number, 60 for one of two texts).
// A panic or an error in Go ends the question with it. A [Stage] is an operator of
// package series: a SELECT's rows stream through it into a table of the worker's own
// that later SQL reads, within limits of rows and bytes; only the engine makes such
// tables, on a connection of its own, and drops them with the question.
//
// Defence in depth, outermost last: the SQL is generated, never a user's text; the
// statement gate; DuckDB's own lock (no external access but below the lake's
// folder, no extensions, configuration locked); Landlock (lake read-only, no TCP);
// RLIMIT_AS; the deadline.
//
// Limits and trade-offs: results are bounded by [Config.MaxRows] and
// [Config.MaxBytes], or what the question says; more is cut and [Rows.Truncated] says
// so. A Go function can't be interrupted within one row, so the kill is the last word
// there too. A worker answers one question at a time, and at idle priority: beside an
// import that uses every core, questions wait. Without cgo [Start] refuses; on systems other than Linux the
// process has no RLIMIT_AS, no Landlock and no idle class, and the log says so.
//
// Sources: facts measured for DuckDB 1.5 (docs/decisions), landlock(7),
// setrlimit(2), sched(7), prctl(2).
package engine
