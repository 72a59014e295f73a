package bind

import (
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// operators binds operators over the rows so far.
type operators struct {
	*scalars
	query query
	// window gets the functions of rows in order of the operator that is bound; nil
	// in operators that can't have any.
	window *plan.Window
	// aggregates is set within an expression over aggregates.
	aggregates *within
}

// query is what operators ask of the query they are in.
type query interface {
	// input binds a table, nil after an error.
	input(x syntax.Expr) *rows
	// sharing makes rows usable more than once, by a function that gives them anew.
	sharing(r *rows) func() *rows
	// ask runs a question of one value over the data, while the query is bound.
	ask(p *plan.Plan, at syntax.Span) ([]byte, bool)
}

// rowCount binds the number of take and top.
func (b *operators) rowCount(x syntax.Expr) (int64, bool) {
	saved := b.rows
	b.rows = nil
	bound := b.scalar(x)
	b.rows = saved
	if bound.Type() == 0 {
		return 0, false
	}
	n, ok := constLong(bound)
	if !ok || !isWhole(bound.Type()) || n < 0 {
		b.fail(x.Pos(), "a number of rows is expected here", "")
		return 0, false
	}
	return n, true
}
