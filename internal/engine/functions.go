//go:build cgo

package engine

import bindings "github.com/duckdb/duckdb-go-bindings"

// registerFunctions adds Wadi's SQL functions, which generated SQL calls.
func registerFunctions(bindings.Connection) error { return nil }
