package query

import (
	"math"

	"github.com/wadi-project/wadi/internal/engine"
)

// limit cuts an answer after rows, 0 for where it is cut anyway. It never makes an
// answer longer.
func limit(ask *engine.Query, rows int64, e *engine.Engine) {
	switch {
	case rows <= 0:
	case ask.Unlimited:
		// Its bytes stay without a limit.
		ask.Unlimited, ask.MaxRows, ask.MaxBytes = false, rows, math.MaxInt64
	case ask.MaxRows > 0:
		ask.MaxRows = min(ask.MaxRows, rows)
	default:
		ask.MaxRows = min(e.MaxRows(), rows)
	}
}
