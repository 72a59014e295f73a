// Package refinterp evaluates plans the slow and plain way: every relation is a
// slice of rows in memory, every expression is walked for every row, and each
// operation is written down once, by what Kusto's engine was seen to answer. It
// shares nothing with package duck, so that a difference between the two is a
// mistake in one of them.
//
// It knows no limits and no optimisation; an operation it does not know is an
// error ([Unsupported]), never a guess. It is for tests only.
package refinterp
