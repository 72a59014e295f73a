package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
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
func (b *operators) pivot(op *syntax.Evaluate) *rows {
	c := op.Call
	if len(c.Args) < 1 {
		b.fail(c.Span, "pivot() takes a column, an aggregate and the columns to keep", "")
		return nil
	}
	r := b.rows
	by := b.columnArg(c.Args[0])
	if by == nil {
		return nil
	}
	aggCall := &syntax.Call{Span: c.Span, Name: "count", NameAt: c.NameAt}
	rest := c.Args[1:]
	if len(rest) > 0 {
		if call := callIn(rest[0]); call != nil {
			if !pivotAggregates[call.Name] {
				b.fail(call.NameAt, "pivot() does not take "+call.Name+"()", "")
				return nil
			}
			aggCall, rest = call, rest[1:]
		}
	}
	keep, ok := b.pivotKeys(by, aggCall, rest)
	if !ok {
		return nil
	}
	a := &aggregation{b: b, node: &plan.Aggregate{From: r.node}, out: &rows{}, unnamed: numbered("Column", 1)}
	a.above = &plan.Extend{From: a.node}
	value := convert(textOfSplit(by.get()), schema.String)
	names, ok := b.pivotNames(op, value)
	if !ok {
		return nil
	}
	for _, k := range keep {
		b.groupKey(a.node, a.out, item{name: k.name, x: k.get(), span: c.Span})
	}
	key := &plan.Ref{ID: b.newID(), T: schema.String, NotNull: true}
	a.node.Keys = append(a.node.Keys, plan.Assign{ID: key.ID, Expr: value})
	inner, ok := a.aggregate(aggCall)
	if !ok || len(b.diags) > 0 {
		return nil
	}
	return b.sideBySide(op, a, key, inner, names)
}

// pivotKeys are the columns that stay: those that are named, else all that pivot()
// doesn't use itself.
func (b *operators) pivotKeys(by *column, agg *syntax.Call, named []syntax.Expr) ([]column, bool) {
	if len(named) > 0 {
		var keep []column
		for _, x := range named {
			c := b.columnArg(x)
			if c == nil {
				return nil, false
			}
			keep = append(keep, *c)
		}
		return keep, true
	}
	used := []string{by.name}
	for _, x := range agg.Args {
		if n, ok := x.(*syntax.Name); ok {
			used = append(used, n.Name)
		}
	}
	return slices.DeleteFunc(b.rows.visible(), func(c column) bool { return slices.Contains(used, c.name) }), true
}

// pivotNames asks which values there are, or takes the columns that are promised.
func (b *operators) pivotNames(op *syntax.Evaluate, value plan.Expr) ([]openColumn, bool) {
	if op.Schema != nil {
		return b.declared(op.Schema)
	}
	at := op.Call.Span
	list, ok := b.askOne(b.rows, plan.Agg{Op: fn.MakeSet, Args: []plan.Expr{value, long(maxOpenColumns + 1)}, T: schema.Dynamic}, at)
	if !ok {
		return nil, false
	}
	var names []openColumn
	for it := dyn.Walk(list); it.Next(); {
		name := string(dyn.Text(nil, it.Value))
		if name == "" {
			b.fail(at, "the column to pivot by has empty values, which can't be a column's name", "leave them out before: where isnotempty(…)")
			return nil, false
		}
		names = append(names, openColumn{name: name})
	}
	if len(names) > maxOpenColumns {
		b.fail(at, fmt.Sprintf("the column to pivot by has more than %d values", maxOpenColumns), "keep fewer of them")
		return nil, false
	}
	slices.SortFunc(names, func(x, y openColumn) int { return strings.Compare(x.name, y.name) })
	return names, true
}

// sideBySide spreads the values of the groups over columns.
func (b *operators) sideBySide(op *syntax.Evaluate, a *aggregation, key *plan.Ref, inner plan.Expr, names []openColumn) *rows {
	node := &plan.Aggregate{From: a.node}
	out := &rows{}
	for _, k := range a.out.cols {
		b.groupKey(node, out, item{name: k.name, x: k.get()})
	}
	above := &plan.Extend{From: node}
	for _, n := range names {
		if at := out.find(n.name); at != nil {
			if op.Schema != nil {
				continue
			}
			b.fail(op.Call.Span, "the value '"+n.name+"' is also a column's name", "project-rename the column before")
			return nil
		}
		agg := plan.Agg{
			ID: b.newID(), Op: fn.TakeAny, Args: []plan.Expr{inner}, T: inner.Type(),
			Filter: &plan.Call{Op: fn.Eq, Args: []plan.Expr{key, text(n.name)}, T: schema.Bool},
		}
		node.Aggs = append(node.Aggs, agg)
		var x plan.Expr = &plan.Ref{ID: agg.ID, T: agg.T, NotNull: agg.T == schema.String}
		if z := ofNothing(inner); z != nil {
			x = &plan.Call{Op: fn.Coalesce, Args: []plan.Expr{x, z}, T: agg.T}
		}
		if op.Schema != nil && n.typ != x.Type() {
			x = convert(x, n.typ)
		}
		out.cols = append(out.cols, fixed(n.name, b.add(above, x)))
	}
	out.node = above
	return out
}

// ofNothing is the value of a cell without rows; nil is null.
func ofNothing(x plan.Expr) plan.Expr {
	if !plan.NotNull(x) {
		return nil
	}
	switch x.Type() {
	case schema.Long:
		return long(0)
	case schema.Real:
		return &plan.Const{T: schema.Real, V: 0.0}
	case schema.TimeSpan:
		return &plan.Const{T: schema.TimeSpan, V: int64(0)}
	}
	return nil
}
