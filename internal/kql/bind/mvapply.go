package bind

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/operator"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// apply is a mv-apply being bound. Its subquery runs over the elements of all rows
// at once: each row has a number, which operators that see more than one row (sort,
// top, take, summarize …) group by. A row none of whose elements reaches the end is
// gone, also where summarize would give a row of nothing.
type apply struct {
	b   *binder
	row plan.Expr
	// outer are the input's columns as they are read above the last operator.
	outer []expr.Column
}

func (b *binder) mvApply(op *syntax.MvApply) *expr.Rows {
	input := b.Rows
	number := &plan.Number{From: input.Node, ID: b.NewID()}
	saved := b.Rows
	defer func() { b.Rows = saved }()
	b.Rows = &expr.Rows{Node: number, Cols: input.Cols}
	e := b.Expand(op.Word, op.Params, op.Items, op.Limit, op.Span)
	if e == nil || op.Sub == nil {
		return nil
	}
	a := &apply{b: b, row: &plan.Ref{ID: number.ID, T: schema.Long, NotNull: true}}
	r := &expr.Rows{Node: e.Root(), Ordered: true} // the elements come in their array's order
	for _, c := range input.Cols {
		if !slices.ContainsFunc(e.Added, func(x expr.Column) bool { return x.Name == c.Name }) {
			a.outer = append(a.outer, c)
		}
	}
	r.Cols = append(slices.Clone(a.outer), e.Added...)
	if e.Index != nil {
		c := *e.Index
		c.Name = expr.Unique(c.Name, func(n string) bool { return input.Find(n) != nil || r.Find(n) != nil })
		r.Cols = append(r.Cols, c)
	}
	for _, sub := range op.Sub.Ops {
		if !b.countOperator(sub.Pos()) {
			return nil
		}
		if r = a.operator(sub, r); r == nil {
			return nil
		}
	}
	return a.result(input, r, op.Items)
}

// operator binds one operator of the subquery.
func (a *apply) operator(op syntax.Operator, r *expr.Rows) *expr.Rows {
	b := a.b
	switch op.(type) {
	case *syntax.Where, *syntax.Columns, *syntax.Summarize, *syntax.Sort, *syntax.Top, *syntax.Take, *syntax.Count, *syntax.MvExpand, *syntax.MvApply, *syntax.ParseOp, *syntax.ParseKV:
	default:
		b.Refuse(op.Pos(), "this operator within mv-apply")
		return nil
	}
	b.Rows = r
	next := b.operator(op, false)
	if next == nil {
		return nil
	}
	node, ok := a.grouped(next.Node, r.Node)
	if !ok {
		b.Refuse(op.Pos(), "this form of the operator within mv-apply")
		return nil
	}
	return &expr.Rows{Node: node, Cols: next.Cols, Ordered: operator.Ordered(op, r.Ordered)}
}

// grouped makes the nodes between top and below, which one operator made, work
// within each row of the input; false where one of them can't.
func (a *apply) grouped(top, below plan.Node) (plan.Node, bool) {
	if top == below {
		return top, true
	}
	switch n := top.(type) {
	case *plan.Filter, *plan.Extend, *plan.Unnest, *plan.Number:
	case *plan.Window: // the places of all rows also order those of one
		if slices.ContainsFunc(n.Cols, func(c plan.WindowCol) bool { return c.Op != fn.RowNumber || c.Restart != nil }) {
			return nil, false
		}
	case *plan.TakeEach: // of a mv-apply within: numbered by its own rows
	case *plan.Sort:
		n.Keys = slices.Insert(n.Keys, 0, plan.SortKey{Expr: a.row})
	case *plan.Take:
		return a.takeEach(n, below)
	case *plan.Aggregate:
		from, ok := a.grouped(n.From, below)
		n.From = from
		a.aggregate(n)
		return n, ok
	default:
		return nil, false
	}
	inputs := top.Inputs()
	from, ok := a.grouped(inputs[0], below)
	if ok && from != inputs[0] {
		switch n := top.(type) {
		case *plan.Filter:
			n.From = from
		case *plan.Extend:
			n.From = from
		case *plan.Sort:
			n.From = from
		case *plan.Window:
			n.From = from
		default:
			return nil, false
		}
	}
	return top, ok
}

// takeEach cuts each row's elements, in the order of the sort below if there is one.
func (a *apply) takeEach(n *plan.Take, below plan.Node) (plan.Node, bool) {
	cut := &plan.TakeEach{From: n.From, By: []plan.Expr{a.row}, N: n.N}
	top, isTop := n.From.(*plan.Sort)
	if n.From != below && isTop { // top
		cut.From, cut.Keys = top.From, slices.Clone(top.Keys)
		if cut.From != below {
			return nil, false
		}
		return &plan.Sort{From: cut, Keys: slices.Insert(slices.Clone(top.Keys), 0, plan.SortKey{Expr: a.row})}, true
	}
	if n.From != below {
		return nil, false
	}
	for at := n.From; ; {
		switch x := at.(type) {
		case *plan.Filter:
			at = x.From
		case *plan.Extend:
			at = x.From
		case *plan.Sort: // its first key is the row
			cut.Keys = x.Keys[1:]
			return &plan.Sort{From: cut, Keys: x.Keys}, true
		default:
			return cut, true
		}
	}
}

// aggregate adds the row to a grouping, and what is read of the input above it.
func (a *apply) aggregate(n *plan.Aggregate) {
	b := a.b
	key := plan.Assign{ID: b.NewID(), Expr: a.row}
	n.Keys = append(n.Keys, key)
	a.row = &plan.Ref{ID: key.ID, T: schema.Long, NotNull: true}
	a.outer = expr.Derive(a.outer, func(_ int, x plan.Expr) plan.Expr {
		if expr.Constant(x) != nil {
			return x
		}
		id := b.NewID()
		n.Aggs = append(n.Aggs, plan.Agg{ID: id, Op: fn.TakeAny, Args: []plan.Expr{x}, T: x.Type()})
		return &plan.Ref{ID: id, T: x.Type(), NotNull: plan.NotNull(x)}
	})
}

// result joins the input's columns and those the subquery made: one of the same name
// takes the place of the input's, an expanded column that is no more leaves. A column
// expanded under its own name stands behind the input's, as Microsoft's parser has it.
func (a *apply) result(input, r *expr.Rows, items []*syntax.MvItem) *expr.Rows {
	out := &expr.Rows{Node: r.Node}
	placed := map[string]bool{}
	for _, c := range input.Cols {
		if slices.ContainsFunc(items, func(m *syntax.MvItem) bool { n, ok := m.X.(*syntax.Name); return ok && n.Name == c.Name }) {
			continue
		}
		at := slices.IndexFunc(r.Cols, func(x expr.Column) bool { return x.Name == c.Name })
		if at >= 0 {
			out.Cols = append(out.Cols, r.Cols[at])
		} else if at = slices.IndexFunc(a.outer, func(x expr.Column) bool { return x.Name == c.Name }); at >= 0 {
			out.Cols = append(out.Cols, a.outer[at])
		}
		placed[c.Name] = true
	}
	for _, c := range r.Cols {
		if !placed[c.Name] {
			out.Cols = append(out.Cols, c)
		}
	}
	return out
}
