// Package fn is the catalogue of KQL's scalar and aggregate functions and of the
// operations a plan is made of, and the arithmetic of Kusto's values that both
// the binder (folding constants) and tests need: datetime and timespan texts,
// wrapping integers.
//
// The catalogue is data, so that binder, completion and documentation read one
// definition. A function is in it when every row it gives is what Kusto's engine
// gives; others are absent and refused by name.
package fn
