package operator

import (
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// maxPatternColumns bounds the columns that basket and autocluster search.
const maxPatternColumns = 64

// patterns binds basket() and autocluster(): equal rows are counted first, a Go
// operator searches the groups, and its texts become values of the columns' types.
func (b *Binder) patterns(op *syntax.Evaluate) *expr.Rows {
	c := op.Call
	args, weight, ok := b.patternOptions(c)
	if !ok {
		return nil
	}
	r := b.Rows
	var cols []expr.Column
	for _, k := range r.Visible() {
		if weight != nil && k.Name == weight.Name {
			continue
		}
		if k.Typ == schema.Dynamic || k.Typ == schema.Decimal {
			b.Refuse(c.Span, c.Name+"() over a column of type "+k.Typ.String())
			return nil
		}
		cols = append(cols, k)
	}
	if len(cols) == 0 || len(cols) > maxPatternColumns {
		b.Fail(c.Span, c.Name+"() searches 1 to "+expr.Long(maxPatternColumns).String()+" columns", "project those that matter")
		return nil
	}
	groups := &plan.Aggregate{From: r.Node}
	stage := &plan.Stage{From: groups, Op: c.Name, Args: args}
	above := &plan.Extend{From: stage}
	out := &expr.Rows{Node: above}
	for _, k := range []openColumn{{"SegmentId", schema.Long}, {"Count", schema.Long}, {"Percent", schema.Real}} {
		ref := plan.Ref{ID: b.NewID(), T: k.typ, NotNull: true}
		stage.Out = append(stage.Out, ref)
		out.Cols = append(out.Cols, expr.Fixed(expr.Unique(k.name, func(n string) bool { return out.Find(n) != nil }), &ref))
	}
	for _, k := range cols {
		x := expr.Convert(expr.TextOfSplit(k.Get()), schema.String)
		key := plan.Assign{ID: b.NewID(), Expr: x}
		groups.Keys = append(groups.Keys, key)
		stage.In = append(stage.In, &plan.Ref{ID: key.ID, T: schema.String, NotNull: true})
		text := plan.Ref{ID: b.NewID(), T: schema.String, NotNull: true}
		stage.Out = append(stage.Out, text)
		name := expr.Unique(k.Name, func(n string) bool { return out.Find(n) != nil })
		out.Cols = append(out.Cols, expr.Fixed(name, b.add(above, expr.Convert(&text, k.Typ))))
	}
	count := plan.Agg{ID: b.NewID(), Op: fn.Count, T: schema.Long}
	if weight != nil {
		count.Op, count.Args = fn.Sum, []plan.Expr{expr.Convert(weight.Get(), schema.Long)}
	}
	groups.Aggs = []plan.Agg{count}
	stage.In = append(stage.In, &plan.Ref{ID: count.ID, T: schema.Long, NotNull: true})
	return out
}

// patternOptions reads the options: of basket the threshold, a column of weights and
// the most dimensions, of autocluster the weight of size, a column of weights and the
// number of seeds. '~' stands for the default.
func (b *Binder) patternOptions(c *syntax.Call) (args []*plan.Const, weight *expr.Column, ok bool) {
	share, count := 0.05, int64(5)
	least, most := 0.015, 1.0
	if c.Name == "autocluster" {
		share, least = 0.5, 0
	}
	if len(c.Args) > 3 {
		b.Refuse(c.Args[3].Pos(), "a wildcard of one's own")
		return nil, nil, false
	}
	for i, x := range c.Args {
		if n, isName := x.(*syntax.Name); isName && i == 1 {
			if weight = b.columnArg(n); weight == nil {
				return nil, nil, false
			}
			if !expr.IsWhole(weight.Typ) {
				b.Refuse(x.Pos(), "weights of type "+weight.Typ.String())
				return nil, nil, false
			}
			continue
		}
		v := expr.Constant(b.Scalar(x))
		if s, isText := expr.ConstText(v); v != nil && isText && s == "~" {
			continue
		}
		f, isNumber := constReal(v)
		switch {
		case i == 0 && isNumber && f > least && f < most:
			share = f
		case i == 2 && isNumber && f >= 1 && f <= 64 && expr.IsWhole(v.T):
			count = int64(f)
		default:
			b.Fail(x.Pos(), "this option of "+c.Name+"() is out of range", "'~' stands for the default")
			return nil, nil, false
		}
	}
	return []*plan.Const{{T: schema.Real, V: share}, {T: schema.Long, V: count}}, weight, true
}
