//go:build !cgo

package engine

import "errors"

const hasDuckDB = false

var errNoDuckDB = errors.New("cannot run questions: this build has no DuckDB (it was made without cgo)")

func openDatabase(*workerConfig) (database, error) { return nil, errNoDuckDB }
