package operator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// pivotAggregates are those that pivot() takes.
var pivotAggregates = map[string]bool{
	"min": true, "max": true, "take_any": true, "any": true, "sum": true, "dcount": true, "avg": true, "stdev": true, "variance": true,
	"make_list": true, "make_bag": true, "make_set": true, "count": true,
}

// pivot makes a column of each value of a column: groups by the other columns and
// the value first, then each group's values stand side by side.
func (b *Binder) pivot(op *syntax.Evaluate) *expr.Rows {
	c := op.Call
	if len(c.Args) < 1 {
		b.Fail(c.Span, "pivot() takes a column, an aggregate and the columns to keep", "")
		return nil
	}
	r := b.Rows
	by := b.columnArg(c.Args[0])
	if by == nil {
		return nil
	}
	aggCall := &syntax.Call{Span: c.Span, Name: "count", NameAt: c.NameAt}
	rest := c.Args[1:]
	if len(rest) > 0 {
		if call := callIn(rest[0]); call != nil {
			if !pivotAggregates[call.Name] {
				b.Fail(call.NameAt, "pivot() does not take "+call.Name+"()", "")
				return nil
			}
			aggCall, rest = call, rest[1:]
		}
	}
	keep, ok := b.pivotKeys(by, aggCall, rest)
	if !ok {
		return nil
	}
	a := &aggregation{b: b, node: &plan.Aggregate{From: r.Node}, out: &expr.Rows{}, unnamed: numbered("Column", 1)}
	a.above = &plan.Extend{From: a.node}
	value := expr.Convert(expr.TextOfSplit(by.Get()), schema.String)
	names, ok := b.pivotNames(op, value)
	if !ok {
		return nil
	}
	for _, k := range keep {
		b.groupKey(a.node, a.out, expr.Item{Name: k.Name, X: k.Get(), Span: c.Span})
	}
	key := &plan.Ref{ID: b.NewID(), T: schema.String, NotNull: true}
	a.node.Keys = append(a.node.Keys, plan.Assign{ID: key.ID, Expr: value})
	inner, ok := a.aggregate(aggCall)
	if !ok || len(b.Diags) > 0 {
		return nil
	}
	return b.sideBySide(op, a, key, inner, names)
}

// pivotKeys are the columns that stay: those that are named, else all that pivot()
// doesn't use itself.
func (b *Binder) pivotKeys(by *expr.Column, agg *syntax.Call, named []syntax.Expr) ([]expr.Column, bool) {
	if len(named) > 0 {
		var keep []expr.Column
		for _, x := range named {
			c := b.columnArg(x)
			if c == nil {
				return nil, false
			}
			keep = append(keep, *c)
		}
		return keep, true
	}
	used := []string{by.Name}
	for _, x := range agg.Args {
		if n, ok := x.(*syntax.Name); ok {
			used = append(used, n.Name)
		}
	}
	return slices.DeleteFunc(b.Rows.Visible(), func(c expr.Column) bool { return slices.Contains(used, c.Name) }), true
}

// pivotNames asks which values there are, or takes the columns that are promised.
func (b *Binder) pivotNames(op *syntax.Evaluate, value plan.Expr) ([]openColumn, bool) {
	if op.Schema != nil {
		return b.declared(op.Schema)
	}
	at := op.Call.Span
	list, ok := b.askOne(b.Rows, plan.Agg{Op: fn.MakeSet, Args: []plan.Expr{value, expr.Long(maxOpenColumns + 1)}, T: schema.Dynamic}, at)
	if !ok {
		return nil, false
	}
	var names []openColumn
	for it := dyn.Walk(list); it.Next(); {
		name := string(dyn.Text(nil, it.Value))
		if name == "" {
			b.Fail(at, "the column to pivot by has empty values, which can't be a column's name", "leave them out before: where isnotempty(…)")
			return nil, false
		}
		names = append(names, openColumn{name: name})
	}
	if len(names) > maxOpenColumns {
		b.Fail(at, fmt.Sprintf("the column to pivot by has more than %d values", maxOpenColumns), "keep fewer of them")
		return nil, false
	}
	slices.SortFunc(names, func(x, y openColumn) int { return strings.Compare(x.name, y.name) })
	return names, true
}

// sideBySide spreads the values of the groups over columns.
func (b *Binder) sideBySide(op *syntax.Evaluate, a *aggregation, key *plan.Ref, inner plan.Expr, names []openColumn) *expr.Rows {
	node := &plan.Aggregate{From: a.node}
	out := &expr.Rows{}
	for _, k := range a.out.Cols {
		b.groupKey(node, out, expr.Item{Name: k.Name, X: k.Get()})
	}
	above := &plan.Extend{From: node}
	groups := out.Cols
	if op.Schema != nil && !op.Schema.Rest {
		out.Cols = nil
	}
	for _, n := range names {
		if at := slices.IndexFunc(groups, func(c expr.Column) bool { return c.Name == n.name }); at >= 0 {
			if op.Schema != nil && !op.Schema.Rest {
				out.Cols = append(out.Cols, groups[at])
				continue
			}
			b.Fail(op.Call.Span, "the value '"+n.name+"' is also a column's name", "project-rename the column before")
			return nil
		}
		agg := plan.Agg{
			ID: b.NewID(), Op: fn.TakeAny, Args: []plan.Expr{inner}, T: inner.Type(),
			Filter: &plan.Call{Op: fn.Eq, Args: []plan.Expr{key, expr.Text(n.name)}, T: schema.Bool},
		}
		node.Aggs = append(node.Aggs, agg)
		var x plan.Expr = &plan.Ref{ID: agg.ID, T: agg.T, NotNull: agg.T == schema.String}
		if z := ofNothing(inner); z != nil {
			x = &plan.Call{Op: fn.Coalesce, Args: []plan.Expr{x, z}, T: agg.T}
		}
		if op.Schema != nil && n.typ != x.Type() {
			x = expr.Convert(x, n.typ)
		}
		out.Cols = append(out.Cols, expr.Fixed(n.name, b.add(above, x)))
	}
	out.Node = above
	return out
}

// ofNothing is the value of a cell without rows; nil is null.
func ofNothing(x plan.Expr) plan.Expr {
	if !plan.NotNull(x) {
		return nil
	}
	switch x.Type() {
	case schema.Long:
		return expr.Long(0)
	case schema.Real:
		return &plan.Const{T: schema.Real, V: 0.0}
	case schema.TimeSpan:
		return &plan.Const{T: schema.TimeSpan, V: int64(0)}
	}
	return nil
}
