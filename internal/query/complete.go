package query

import (
	"time"

	"github.com/wadi-project/wadi/internal/kql/complete"
	"github.com/wadi-project/wadi/internal/schema"
)

// Complete gives what may stand at a place (in bytes) of a question that is being
// written about the tables of a set, best first. It needs no lake.
func Complete(text string, at int, set *schema.Set) []complete.Candidate {
	return complete.At(text, at, environment(set, time.Now(), nil))
}
