// Package udf holds the scalar functions of KQL that run as Go code, because the
// database has none that answers exactly as Kusto does.
//
// A function works on one row at a time and on plain values, so that three callers
// share it: the engine registers each one as the SQL function wadi_<name>, the
// binder calls it to fold constants, and tests call it directly. The catalogue in
// package fn says which KQL function is which of these; a function needs an entry
// there and one here, nothing else.
//
// Functions are pure. New makes an evaluator with scratch memory and bounded caches
// of its own, for one thread; what it returns is overwritten by its next call.
package udf
