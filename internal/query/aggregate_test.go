//go:build cgo

package query

import "testing"

// TestAggregates runs the questions of testdata/aggregates.txt, about what no recorded
// answer covers: plugins, edges of make-series, and choices that docs/guide/kql.md
// tells. The form of the file is that of TestDynamics.
func TestAggregates(t *testing.T) { checkQuestions(t, "testdata/aggregates.txt", 40) }
