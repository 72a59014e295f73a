package bind

import (
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// maxPatternColumns bounds the columns that basket and autocluster search.
const maxPatternColumns = 64

// patterns binds basket() and autocluster(): equal rows are counted first, a Go
// operator searches the groups, and its texts become values of the columns' types.
func (b *operators) patterns(op *syntax.Evaluate) *rows {
	c := op.Call
	args, weight, ok := b.patternOptions(c)
	if !ok {
		return nil
	}
	r := b.rows
	var cols []column
	for _, k := range r.visible() {
		if weight != nil && k.name == weight.name {
			continue
		}
		if k.typ == schema.Dynamic || k.typ == schema.Decimal {
			b.refuse(c.Span, c.Name+"() over a column of type "+k.typ.String())
			return nil
		}
		cols = append(cols, k)
	}
	if len(cols) == 0 || len(cols) > maxPatternColumns {
		b.fail(c.Span, c.Name+"() searches 1 to "+long(maxPatternColumns).String()+" columns", "project those that matter")
		return nil
	}
	groups := &plan.Aggregate{From: r.node}
	stage := &plan.Stage{From: groups, Op: c.Name, Args: args}
	above := &plan.Extend{From: stage}
	out := &rows{node: above}
	for _, k := range []openColumn{{"SegmentId", schema.Long}, {"Count", schema.Long}, {"Percent", schema.Real}} {
		ref := plan.Ref{ID: b.newID(), T: k.typ, NotNull: true}
		stage.Out = append(stage.Out, ref)
		out.cols = append(out.cols, fixed(unique(k.name, func(n string) bool { return out.find(n) != nil }), &ref))
	}
	for _, k := range cols {
		x := convert(textOfSplit(k.get()), schema.String)
		key := plan.Assign{ID: b.newID(), Expr: x}
		groups.Keys = append(groups.Keys, key)
		stage.In = append(stage.In, &plan.Ref{ID: key.ID, T: schema.String, NotNull: true})
		text := plan.Ref{ID: b.newID(), T: schema.String, NotNull: true}
		stage.Out = append(stage.Out, text)
		name := unique(k.name, func(n string) bool { return out.find(n) != nil })
		out.cols = append(out.cols, fixed(name, b.add(above, convert(&text, k.typ))))
	}
	count := plan.Agg{ID: b.newID(), Op: fn.Count, T: schema.Long}
	if weight != nil {
		count.Op, count.Args = fn.Sum, []plan.Expr{convert(weight.get(), schema.Long)}
	}
	groups.Aggs = []plan.Agg{count}
	stage.In = append(stage.In, &plan.Ref{ID: count.ID, T: schema.Long, NotNull: true})
	return out
}

// patternOptions reads the options: of basket the threshold, a column of weights and
// the most dimensions, of autocluster the weight of size, a column of weights and the
// number of seeds. '~' stands for the default.
func (b *operators) patternOptions(c *syntax.Call) (args []*plan.Const, weight *column, ok bool) {
	share, count := 0.05, int64(5)
	least, most := 0.015, 1.0
	if c.Name == "autocluster" {
		share, least = 0.5, 0
	}
	if len(c.Args) > 3 {
		b.refuse(c.Args[3].Pos(), "a wildcard of one's own")
		return nil, nil, false
	}
	for i, x := range c.Args {
		if n, isName := x.(*syntax.Name); isName && i == 1 {
			if weight = b.columnArg(n); weight == nil {
				return nil, nil, false
			}
			if !isWhole(weight.typ) {
				b.refuse(x.Pos(), "weights of type "+weight.typ.String())
				return nil, nil, false
			}
			continue
		}
		v := constant(b.scalar(x))
		if s, isText := constText(v); v != nil && isText && s == "~" {
			continue
		}
		f, isNumber := constReal(v)
		switch {
		case i == 0 && isNumber && f > least && f < most:
			share = f
		case i == 2 && isNumber && f >= 1 && f <= 64 && isWhole(v.T):
			count = int64(f)
		default:
			b.fail(x.Pos(), "this option of "+c.Name+"() is out of range", "'~' stands for the default")
			return nil, nil, false
		}
	}
	return []*plan.Const{{T: schema.Real, V: share}, {T: schema.Long, V: count}}, weight, true
}
