package operator

import (
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// Binder binds operators over the rows so far.
type Binder struct {
	*expr.Binder
	Query Query
	// Window gets the functions of rows in order of the operator that is bound; nil
	// in operators that can't have any.
	Window *plan.Window
	// Aggregates is set within an expression over aggregates.
	Aggregates *within
}

// Query is what operators ask of the query they are in.
type Query interface {
	// Input binds a table, nil after an error.
	Input(x syntax.Expr) *expr.Rows
	// Sharing makes rows usable more than once, by a function that gives them anew.
	Sharing(r *expr.Rows) func() *expr.Rows
	// Ask runs a question of one value over the data, while the query is bound.
	Ask(p *plan.Plan, at syntax.Span) ([]byte, bool)
}

// RowCount binds the number of take and top.
func (b *Binder) RowCount(x syntax.Expr) (int64, bool) {
	saved := b.Rows
	b.Rows = nil
	bound := b.Scalar(x)
	b.Rows = saved
	if bound.Type() == 0 {
		return 0, false
	}
	n, ok := expr.ConstLong(bound)
	if !ok || !expr.IsWhole(bound.Type()) || n < 0 {
		b.Fail(x.Pos(), "a number of rows is expected here", "")
		return 0, false
	}
	return n, true
}
