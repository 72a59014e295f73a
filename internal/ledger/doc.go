// Package ledger composes the rows by which the lake accounts for itself, and
// reads them back: where rows came from (table sources), what became of every
// record that was received (table ledger), and what was done to the lake (table
// wadi_audit).
//
// # How it works
//
// The rows of sources and ledger are made from what a part tells when it is
// complete, and they are committed with the part's rows, in one step: a gap
// between what is stored and what is accounted for can't arise. The invariant is
//
//	Received = Stored + Duplicate + Filtered + Damaged
//
// for each row; Lost counts what the source itself reports as missing. A tally
// that doesn't add up is refused, because a ledger that may be wrong is worth
// nothing.
//
// # Limits and trade-offs
//
// Detail holds the first losses of a part and source only, and never text of an
// event. _Seq of these rows is a counter of the lake, so that (_Source, _Seq) names
// a row within its table.
package ledger
