// Package plan holds a bound query as a typed graph: relational nodes over
// expressions whose operations are those of package fn.
//
// Columns have numbers, not names; a number is made once in a plan, so that two
// sides of a join never clash. Names are attached to the result only. A node over
// one input passes the columns of its input on, so that an operator which only
// chooses or renames columns needs no node.
//
// Two rewrites make a plan fit to run. [Push] moves filters down to the scans whose
// columns they read, past all that they commute with: files and row groups can be
// left unread then. [Prune] drops what nobody reads, down to the columns of the
// scans. Both change nodes in place; a relation that several places read is a
// [Shared] with a [Use] each, or it is bound anew for each, never one node twice.
//
// A plan prints (String) for golden tests and for --explain. A [Stage] is a Go
// operator between two fragments of SQL.
package plan
