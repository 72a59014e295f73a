// Package bind gives a parsed query its meaning: it resolves names, checks
// types and builds a plan.
package bind
