//go:build !cgo

package engine

const hasDuckDB = false

func openDatabase(*workerConfig) (database, error) { return nil, ErrUnavailable }
