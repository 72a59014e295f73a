package operator

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// Summarize binds summarize: groups and their aggregates.
func (b *Binder) Summarize(op *syntax.Summarize) *expr.Rows {
	for _, p := range op.Params {
		if p.Name != "hint.strategy" && p.Name != "hint.shufflekey" && p.Name != "hint.num_partitions" {
			b.Refuse(op.Span, "the parameter "+p.Name)
		}
	}
	from, place := b.place(b.Rows)
	a := &aggregation{b: b, node: &plan.Aggregate{From: from}, out: &expr.Rows{}, unnamed: numbered("Column", 1), place: place}
	a.out.Node = a.node
	if slices.ContainsFunc(op.Aggs, asksForARow) {
		a.node.Identity = b.identity(from)
	}
	for _, x := range op.By {
		if n, ok := x.(*syntax.Named); ok {
			x = n.X
		}
		if n, ok := x.(*syntax.Name); ok {
			a.keys = append(a.keys, n.Name)
		}
	}
	for _, x := range op.By {
		b.groupKey(a.node, a.out, b.Item(x, a.unnamed))
	}
	if len(op.Aggs) == 0 && len(op.By) == 0 {
		b.Fail(op.Span, "summarize needs an aggregate or by", "")
		return nil
	}
	a.above = &plan.Extend{From: a.node}
	for _, x := range op.Aggs {
		a.column(x)
	}
	if len(a.above.Cols) > 0 {
		a.out.Node = a.above
	}
	return a.out
}

// aggregation binds the aggregates of one summarize. An expression over
// aggregates (sum(a) / count()) is computed above the Aggregate node.
type aggregation struct {
	b     *Binder
	node  *plan.Aggregate
	above *plan.Extend
	out   *expr.Rows
	// keys are the columns that are keys as they are.
	keys []string
	// unnamed numbers the columns that have no name of their own.
	unnamed func() string
	// place gives the place of a row; nil where rows have no order.
	place func() plan.Expr
}

func (a *aggregation) column(x syntax.Expr) {
	var names []*syntax.Name
	value := x
	if n, ok := x.(*syntax.Named); ok {
		names, value = n.Names, n.X
	}
	if c := callIn(value); c != nil && givesSeveral(c) {
		a.several(c, names)
		return
	}
	if len(names) > 1 {
		a.b.Refuse(x.Pos(), "a list of names for one aggregate")
		return
	}
	agg, ok := a.value(value)
	if !ok {
		return
	}
	name := aggregateName(value)
	if name == "" {
		name = a.unnamed()
	}
	a.result(names, 0, name, x.Pos(), agg.Type(), func() plan.Expr { return agg })
}

// result adds a column to the output, under the written name i if there is one,
// else under its default name.
func (a *aggregation) result(names []*syntax.Name, i int, name string, at syntax.Span, t schema.Type, get func() plan.Expr) {
	explicit := i < len(names)
	if explicit {
		name = names[i].Name
	}
	free := expr.Unique(name, func(n string) bool { return a.out.Find(n) != nil })
	if explicit && free != name {
		a.b.Fail(at, "the column '"+name+"' is there twice", "")
		return
	}
	a.out.Cols = append(a.out.Cols, expr.Lazy(free, t, get))
}

// value binds a column of summarize: an aggregate, or an expression over
// aggregates and constants.
func (a *aggregation) value(x syntax.Expr) (plan.Expr, bool) {
	b := a.b
	if p, ok := x.(*syntax.Paren); ok {
		return a.value(p.X)
	}
	if c, ok := x.(*syntax.Call); ok {
		if _, isAggregate := fn.Aggregates[c.Name]; isAggregate {
			return a.aggregate(c)
		}
	}
	saved := b.Rows
	b.Rows, b.Aggregates = &expr.Rows{}, &within{a: a, rows: saved}
	bound := b.Scalar(x)
	b.Rows, b.Aggregates = saved, nil
	if bound.Type() == 0 {
		return nil, false
	}
	return b.add(a.above, bound), true
}

// within is set while an expression over aggregates is bound: its calls of
// aggregates see rows, it sees none itself.
type within struct {
	a    *aggregation
	rows *expr.Rows
}

// Call binds an aggregate within an expression.
func (w *within) Call(x *syntax.Call) plan.Expr {
	b := w.a.b
	outer := b.Rows
	b.Rows, b.Aggregates = w.rows, nil
	bound, ok := w.a.aggregate(x)
	b.Rows, b.Aggregates = outer, w
	if !ok {
		return expr.Bad()
	}
	return bound
}
