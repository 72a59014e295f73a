//go:build cgo

package engine

import "database/sql"

// registerFunctions adds Wadi's SQL functions, which generated SQL calls.
func registerFunctions(*sql.Conn) error { return nil }
