package bind

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

func (b *binder) summarize(op *syntax.Summarize) *rows {
	for _, p := range op.Params {
		if p.Name != "hint.strategy" && p.Name != "hint.shufflekey" && p.Name != "hint.num_partitions" {
			b.refuse(op.Span, "the parameter "+p.Name)
		}
	}
	a := &aggregation{b: b, node: &plan.Aggregate{From: b.rows.node}, out: &rows{}, unnamed: numbered("Column", 1)}
	a.out.node = a.node
	for _, x := range op.By {
		b.groupKey(a.node, a.out, b.item(x, a.unnamed))
	}
	if len(op.Aggs) == 0 && len(op.By) == 0 {
		b.fail(op.Span, "summarize needs an aggregate or by", "")
		return nil
	}
	a.above = &plan.Extend{From: a.node}
	for _, x := range op.Aggs {
		a.column(x)
	}
	if len(a.above.Cols) > 0 {
		a.out.node = a.above
	}
	return a.out
}

// aggregation binds the aggregates of one summarize. An expression over
// aggregates (sum(a) / count()) is computed above the Aggregate node.
type aggregation struct {
	b     *binder
	node  *plan.Aggregate
	above *plan.Extend
	out   *rows
	// unnamed numbers the columns that have no name of their own.
	unnamed func() string
}

func (a *aggregation) column(x syntax.Expr) {
	b := a.b
	name, explicit := "", false
	value := x
	if n, ok := x.(*syntax.Named); ok {
		if n.Tuple {
			b.refuse(n.Span, "a list of names for one aggregate")
			return
		}
		name, explicit, value = n.Names[0].Name, true, n.X
	}
	agg, ok := a.value(value)
	if !ok {
		return
	}
	if name == "" {
		name = aggregateName(value)
	}
	if name == "" {
		name = a.unnamed()
	}
	free := unique(name, func(n string) bool { return a.out.find(n) != nil })
	if explicit && free != name {
		b.fail(x.Pos(), "the column '"+name+"' is there twice", "")
		return
	}
	a.out.cols = append(a.out.cols, fixed(free, agg))
}

// value binds a column of summarize: an aggregate, or an expression over
// aggregates and constants.
func (a *aggregation) value(x syntax.Expr) (plan.Expr, bool) {
	b := a.b
	if p, ok := x.(*syntax.Paren); ok {
		return a.value(p.X)
	}
	if c, ok := x.(*syntax.Call); ok {
		if _, scalar := fn.Functions[c.Name]; !scalar && !slices.Contains(fn.Special, c.Name) {
			return a.aggregate(c)
		}
	}
	saved := b.rows
	b.rows, b.aggregates = &rows{}, &within{a: a, rows: saved}
	bound := b.scalar(x)
	b.rows, b.aggregates = saved, nil
	if bound.Type() == 0 {
		return nil, false
	}
	return b.add(a.above, bound), true
}

// within is set while an expression over aggregates is bound: its calls of
// aggregates see rows, it sees none itself.
type within struct {
	a    *aggregation
	rows *rows
}

// call binds an aggregate within an expression.
func (w *within) call(x *syntax.Call) plan.Expr {
	b := w.a.b
	outer := b.rows
	b.rows, b.aggregates = w.rows, nil
	bound, ok := w.a.aggregate(x)
	b.rows, b.aggregates = outer, w
	if !ok {
		return bad()
	}
	return bound
}

// aggregateName is Kusto's name of a column of summarize: the aggregate, and its
// first argument where that has a name; "" for an expression without one.
func aggregateName(x syntax.Expr) string {
	if p, ok := x.(*syntax.Paren); ok {
		return aggregateName(p.X)
	}
	c, ok := x.(*syntax.Call)
	if !ok {
		return ""
	}
	first := ""
	if len(c.Args) > 0 {
		first = resultName(c.Args[0])
	}
	if _, known := fn.Aggregates[c.Name]; !known {
		if len(c.Args) == 0 {
			return ""
		}
		first = aggregateName(c.Args[0])
		switch {
		case namedByArgument[c.Name]:
			return first
		case c.Name == "strlen" && first != "":
			return "strlen_" + first
		}
		return ""
	}
	if c.Name == "take_any" || c.Name == "take_anyif" {
		if first == "" {
			return "any_arg0"
		}
		return first
	}
	return c.Name + "_" + first
}

// aggregate binds one aggregate function call.
func (a *aggregation) aggregate(c *syntax.Call) (plan.Expr, bool) {
	b := a.b
	f, known := fn.Aggregates[c.Name]
	if !known {
		b.fail(c.NameAt, "the aggregate '"+c.Name+"' is not supported yet", "")
		return nil, false
	}
	agg := plan.Agg{ID: b.newID(), Op: f.Op, T: f.Result}
	args := c.Args
	if c.Name == "dcount" || c.Name == "dcountif" {
		args = dropAccuracy(args, f.If)
	}
	least, most := 1, 1
	switch {
	case c.Name == "count":
		least = 0 // count(x) counts all rows
	case f.If && c.Name != "countif":
		least, most = 2, 2
	}
	if !b.count(&syntax.Call{Span: c.Span, Name: c.Name, Args: args}, least, most) {
		return nil, false
	}
	if f.If {
		agg.Filter = b.condition(args[len(args)-1])
		args = args[:len(args)-1]
		if agg.Filter.Type() == 0 {
			return nil, false
		}
	}
	for _, arg := range args {
		if !a.argument(&agg, f, c, arg) {
			return nil, false
		}
	}
	a.node.Aggs = append(a.node.Aggs, agg)
	notNull := agg.T == schema.String || agg.Op == fn.Count || agg.Op == fn.DCount || agg.Op == fn.Sum
	return &plan.Ref{ID: agg.ID, T: agg.T, NotNull: notNull}, true
}

// dropAccuracy leaves out dcount's accuracy: counts here are exact.
func dropAccuracy(args []syntax.Expr, condition bool) []syntax.Expr {
	keep := 1
	if condition {
		keep = 2
	}
	if len(args) == keep+1 {
		return args[:keep]
	}
	return args
}

func (a *aggregation) argument(agg *plan.Agg, f fn.AggregateFunction, c *syntax.Call, arg syntax.Expr) bool {
	b := a.b
	if _, ok := arg.(*syntax.Star); ok {
		b.refuse(arg.Pos(), "'*' in "+c.Name+"()")
		return false
	}
	v := textOfSplit(b.scalar(arg))
	t := v.Type()
	if t == 0 {
		return false
	}
	if f.Op == fn.Count {
		return true // count(x) is count()
	}
	if !f.Param.Has(t) {
		b.wrongAggregate(c, arg, t)
		return false
	}
	switch f.Op {
	case fn.Avg:
		agg.T = t
		if isNumber(t) {
			agg.T = schema.Real
		}
	case fn.Sum:
		agg.T = t
		if t == schema.Int {
			agg.T = schema.Long
		}
	case fn.Min, fn.Max:
		if t == schema.Guid {
			b.wrongAggregate(c, arg, t)
			return false
		}
		agg.T = t
	case fn.TakeAny:
		agg.T = t
	case fn.Stdev, fn.StdevP, fn.Variance, fn.VarianceP:
		v = convert(v, schema.Real)
	}
	agg.Args = append(agg.Args, v)
	return true
}

func (b *binder) wrongAggregate(c *syntax.Call, arg syntax.Expr, t schema.Type) {
	b.refuse(arg.Pos(), c.Name+"() of a value of type "+t.String())
}
