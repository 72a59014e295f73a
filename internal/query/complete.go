package query

import (
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/complete"
)

// Complete gives what may stand at a place (in bytes) of a question that is being
// written, best first. It needs no lake.
func Complete(text string, at int) []complete.Candidate {
	return complete.At(text, at, bind.Env{Now: event.FromTime(time.Now()), Tables: source, Names: sourceNames})
}
