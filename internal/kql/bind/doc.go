// Package bind gives a parsed query its meaning: names, types, a plan.
//
// It binds relations: pipelines, tables and views, joins, unions, searches, lets and
// the query's own functions. Expressions are package expr's, operators over the rows
// so far package operator's; both ask this one what a name or a call means.
//
// A let is a name for a text: its rows are bound anew at each use, unless they are
// materialized or cost more to compute twice than to keep. Bounds on operators,
// calls and depth keep what is bound in proportion to what was written. now() and
// ago() are constants of [Env.Now].
//
// Views are written in the same language (schema.View); functions whose names
// begin with "__" exist only there.
package bind
