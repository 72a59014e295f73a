// Package agg holds the aggregate functions of KQL that run as Go code, because the
// database has none that answers exactly as Kusto does: sets in order of first
// appearance, lists and bags as dynamic values, weighted percentiles.
//
// An aggregate is a State a group: it takes rows, states of one group met by
// different threads are merged, and one result comes out. The engine registers each
// [Func] as the SQL aggregate wadi_<name>, so that DuckDB does the grouping,
// filtering and ordering. States are pure values: nothing here is shared.
//
// What a state holds is bounded: elements by Kusto's own limit ([MaxElements]), text
// by [MaxText]; the engine bounds the sum over all states by [State.Size].
package agg
