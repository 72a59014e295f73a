package bind

import (
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// Source is what a table's name stands for: a view, or else a table under its
// own name; both nil when the name is unknown.
type Source struct {
	Table *schema.Table
	View  *schema.View
}

// Env is what a query is bound against. It is read only.
type Env struct {
	// Now is what now() gives, once for the whole query.
	Now event.Ticks
	// Tables resolves a name, exact case.
	Tables func(name string) Source
	// Names lists the known names for "did you mean"; it may be nil.
	Names func() []string
}

// Bind gives a query its meaning: names, types, plan. Without diagnostics the
// plan is whole; with any it is nil.
func Bind(q *syntax.Query, env Env) (*plan.Plan, []syntax.Diagnostic) {
	return nil, []syntax.Diagnostic{syntax.At(q.Text, syntax.Span{}, "cannot bind: not built yet", "")}
}
