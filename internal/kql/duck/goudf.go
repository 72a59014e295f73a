package duck

import (
	"strings"

	"github.com/wadi-project/wadi/internal/kql/plan"
)

// goFunction calls a function of package udf, which the engine registers. The
// arguments have its parameters' types already; its name is the binder's, never
// the user's.
func (e *emitter) goFunction(c *plan.Call) string {
	return "wadi_" + c.Name + "(" + strings.Join(e.all(c.Args), ", ") + ")"
}
