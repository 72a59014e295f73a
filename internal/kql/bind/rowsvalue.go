package bind

import (
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// firstColumn binds rows and gives the first column of theirs.
func (b *binder) firstColumn(x syntax.Expr) (*rows, plan.Expr) {
	r := b.input(x)
	if r == nil {
		return nil, bad()
	}
	for _, c := range r.cols {
		if !c.hidden {
			return r, c.get()
		}
	}
	b.fail(x.Pos(), "the table has no columns", "")
	return nil, bad()
}

// toScalar binds toscalar(rows or value).
func (b *binder) toScalar(x *syntax.Call) plan.Expr {
	if !b.count(x, 1, 1) {
		return bad()
	}
	if !b.isTabular(x.Args[0]) {
		return b.scalar(x.Args[0])
	}
	r, value := b.firstColumn(x.Args[0])
	if r == nil || value.Type() == 0 {
		return bad()
	}
	if constant(value) != nil && oneRow(r.node) {
		return value
	}
	return &plan.Scalar{ID: b.newID(), Root: r.node, Value: value, T: value.Type()}
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

// inRows binds x in (rows): the first column counts.
func (b *binder) inRows(x *syntax.Binary, items syntax.Expr, fold bool) plan.Expr {
	v := textOfSplit(b.scalar(x.L))
	r, value := b.firstColumn(items)
	if v.Type() == 0 || r == nil || value.Type() == 0 {
		return bad()
	}
	value = textOfSplit(value)
	if value.Type() == schema.Dynamic {
		r, value = b.expanded(r, value)
	}
	if v.Type() == schema.Dynamic {
		v = convert(v, value.Type())
	}
	l, value, ok := b.unify(v, value, true, x.OpAt)
	if !ok {
		return bad()
	}
	if fold && l.Type() != schema.String {
		b.fail(x.OpAt, "in~ needs a string, not "+l.Type().String(), "use in")
		return bad()
	}
	return &plan.InRows{ID: b.newID(), X: l, Root: r.node, Value: value, Fold: fold}
}

// columnIfExists binds column_ifexists("name", else).
func (b *binder) columnIfExists(x *syntax.Call) plan.Expr {
	if !b.count(x, 2, 2) {
		return bad()
	}
	name, ok := constText(b.scalar(x.Args[0]))
	if !ok {
		if len(b.diags) == 0 {
			b.fail(x.Args[0].Pos(), "column_ifexists() takes a column's name as a constant string", "")
		}
		return bad()
	}
	if b.rows != nil {
		if c := b.rows.find(name); c != nil {
			return c.get()
		}
	}
	return b.scalar(x.Args[1])
}
