//go:build cgo

package query

import "testing"

// TestScalars runs the questions of testdata/scalars.txt: functions and operators
// of strings, numbers, times and decimals over rows, where the worker computes, and
// over constants, where the binder does.
func TestScalars(t *testing.T) { checkQuestions(t, "testdata/scalars.txt", 60) }
