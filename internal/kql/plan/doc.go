// Package plan holds a bound query as a typed tree: relational nodes over
// expressions whose operations are those of package fn.
//
// Columns have numbers, not names; names are attached to the result only. A node
// passes the columns of its input on, so that an operator which only chooses or
// renames columns needs no node. That makes one rewrite enough: [Prune] drops
// what nobody reads down to the columns of the scans.
//
// A plan prints (String) for golden tests and for --explain. Later stages (a Go
// operator between two SQL fragments) are further Nodes.
package plan
