package bind

import (
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// firstColumn binds rows and gives the first column of theirs.
func (b *binder) firstColumn(x syntax.Expr) (*expr.Rows, plan.Expr) {
	r := b.Input(x)
	if r == nil {
		return nil, expr.Bad()
	}
	for _, c := range r.Cols {
		if !c.Hidden {
			return r, c.Get()
		}
	}
	b.Fail(x.Pos(), "the table has no columns", "")
	return nil, expr.Bad()
}

// toScalar binds toscalar(rows or value).
func (b *binder) toScalar(x *syntax.Call) plan.Expr {
	if !b.Count(x, 1, 1) {
		return expr.Bad()
	}
	if !b.IsTabular(x.Args[0]) {
		return b.Scalar(x.Args[0])
	}
	r, value := b.firstColumn(x.Args[0])
	if r == nil || value.Type() == 0 {
		return expr.Bad()
	}
	if expr.Constant(value) != nil && oneRow(r.Node) {
		return value
	}
	return &plan.Scalar{ID: b.NewID(), Root: r.Node, Value: value, T: value.Type()}
}

// oneRow tells that a node is that of a print.
func oneRow(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Extend:
		return oneRow(n.From)
	case *plan.Values:
		return len(n.Rows) == 1
	}
	return false
}

// maxListed bounds the values that rows give as an array, as make_set does.
const maxListed = 1_048_576

// Listed gives the distinct values of the first column of rows as an array.
func (b *binder) Listed(x syntax.Expr) plan.Expr {
	r, value := b.firstColumn(x)
	if r == nil || value.Type() == 0 {
		return expr.Bad()
	}
	value = expr.TextOfSplit(value)
	if value.Type() == schema.Dynamic {
		b.Refuse(x.Pos(), "rows of dynamics in place of a list")
		return expr.Bad()
	}
	agg := plan.Agg{ID: b.NewID(), Op: fn.MakeSet, Args: []plan.Expr{value, expr.Long(maxListed)}, T: schema.Dynamic}
	root := &plan.Aggregate{From: r.Node, Aggs: []plan.Agg{agg}}
	return &plan.Scalar{ID: b.NewID(), Root: root, Value: &plan.Ref{ID: agg.ID, T: agg.T}, T: agg.T}
}

// InRows binds x in (rows): the first column counts.
func (b *binder) InRows(x *syntax.Binary, items syntax.Expr, fold bool) plan.Expr {
	v := expr.TextOfSplit(b.Scalar(x.L))
	r, value := b.firstColumn(items)
	if v.Type() == 0 || r == nil || value.Type() == 0 {
		return expr.Bad()
	}
	value = expr.TextOfSplit(value)
	if value.Type() == schema.Dynamic {
		r, value = b.Expanded(r, value)
	}
	if v.Type() == schema.Dynamic {
		v = expr.Convert(v, value.Type())
	}
	l, value, ok := b.Unify(v, value, true, x.OpAt)
	if !ok {
		return expr.Bad()
	}
	if fold && l.Type() != schema.String {
		b.Fail(x.OpAt, "in~ needs a string, not "+l.Type().String(), "use in")
		return expr.Bad()
	}
	return &plan.InRows{ID: b.NewID(), X: l, Root: r.Node, Value: value, Fold: fold}
}

// columnIfExists binds column_ifexists("name", else).
func (b *binder) columnIfExists(x *syntax.Call) plan.Expr {
	if !b.Count(x, 2, 2) {
		return expr.Bad()
	}
	name, ok := expr.ConstText(b.Scalar(x.Args[0]))
	if !ok {
		if len(b.Diags) == 0 {
			b.Fail(x.Args[0].Pos(), "column_ifexists() takes a column's name as a constant string", "")
		}
		return expr.Bad()
	}
	if b.Rows != nil {
		if c := b.Rows.Find(name); c != nil {
			return c.Get()
		}
	}
	return b.Scalar(x.Args[1])
}
