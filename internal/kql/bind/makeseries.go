package bind

import (
	"math"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// maxBins bounds a series, as Kusto bounds an array.
const maxBins = 1 << 20

// seriesAxis is the axis of a make-series: bins of `step` from `from` on, to before
// `to`. from and to are nil where the data says them. All have one type.
type seriesAxis struct {
	name           string
	x              plan.Expr
	from, to, step plan.Expr
	// inclusive tells the old form in range(): the bin of `to` is part of the series.
	inclusive bool
}

// makeSeries groups by keys and bins first, then gathers the bins of each key into
// arrays. Where the data says how far the axis goes, the groups are computed once and
// read twice.
func (b *operators) makeSeries(op *syntax.MakeSeries) *rows {
	nonEmpty := false
	for _, p := range op.Params {
		if p.Name != "kind" || p.Text() != "nonempty" {
			b.refuse(op.WordAt, "the parameter "+p.Name+" = "+p.Text())
			return nil
		}
		nonEmpty = true
	}
	axis := b.seriesAxis(op)
	if axis == nil {
		return nil
	}
	a := &aggregation{b: b, node: &plan.Aggregate{From: axis.within(b.rows.node)}, out: &rows{}, unnamed: numbered("Column", 1)}
	a.above = &plan.Extend{From: a.node}
	a.out.node = a.above
	for _, x := range op.By {
		b.groupKey(a.node, a.out, b.item(x, a.unnamed))
	}
	keys := len(a.out.cols)
	bin := &plan.Ref{ID: b.newID(), T: axis.x.Type(), NotNull: true}
	a.node.Keys = append(a.node.Keys, plan.Assign{ID: bin.ID, Expr: axis.bin()})
	var empty []plan.Expr
	for _, agg := range op.Aggs {
		n := len(a.out.cols)
		a.column(agg.X)
		if len(a.out.cols) != n+1 {
			if len(b.diags) == 0 {
				b.refuse(agg.Pos(), "an aggregate of several columns in make-series")
			}
			return nil
		}
		if d := b.emptyBin(agg, a.out.cols[n].typ); d != nil {
			empty = append(empty, d)
		}
	}
	if len(b.diags) > 0 {
		return nil
	}
	a.out.cols = append(a.out.cols, fixed("", bin))
	groups := a.out
	if axis.from == nil || axis.to == nil {
		use := b.query.sharing(groups)
		if axis.from == nil {
			axis.from = b.extremeBin(use(), fn.Min)
		}
		if axis.to == nil {
			axis.to, axis.inclusive = b.extremeBin(use(), fn.Max), true
		}
		groups = use()
	}
	return b.gatherBins(op, axis, groups, keys, empty, nonEmpty)
}

// seriesAxis binds the axis; nil after an error.
func (b *operators) seriesAxis(op *syntax.MakeSeries) *seriesAxis {
	it := b.item(op.On, func() string { return "Column1" })
	s := &seriesAxis{name: it.name, x: textOfSplit(it.x), inclusive: op.InRange}
	t := s.x.Type()
	if t == 0 {
		return nil
	}
	if t == schema.Int {
		s.x, t = convert(s.x, schema.Long), schema.Long
	}
	stepType := t
	if t == schema.DateTime {
		stepType = schema.TimeSpan
	}
	if !isNumber(t) && t != schema.DateTime && t != schema.TimeSpan {
		b.fail(op.On.Pos(), "the axis of make-series is a time or a number, not "+t.String(), "")
		return nil
	}
	saved := b.rows
	b.rows = nil
	defer func() { b.rows = saved }()
	ok := true
	bound := func(x syntax.Expr, t schema.Type) plan.Expr {
		if x == nil {
			return nil
		}
		v := textOfSplit(b.scalar(x))
		if v.Type() == 0 {
			ok = false
			return nil
		}
		if v.Type() != t && !(isNumber(t) && isNumber(v.Type())) {
			b.fail(x.Pos(), "a value of type "+t.String()+" is expected here, not "+v.Type().String(), "")
			ok = false
			return nil
		}
		return convert(v, t)
	}
	s.from, s.to, s.step = bound(op.From, t), bound(op.To, t), bound(op.Step, stepType)
	if !ok || s.step == nil {
		return nil
	}
	if c := constant(s.step); c == nil || !positive(c) {
		b.fail(op.Step.Pos(), "the step is a constant above 0", "")
		return nil
	}
	if s.inclusive { // the old form: bins as bin() has them, the last one too
		s.from, s.to = call(fn.Bin, t, s.from, s.step), call(fn.Bin, t, s.to, s.step)
	}
	return s
}

func positive(c *plan.Const) bool {
	switch v := c.V.(type) {
	case int64:
		return v > 0
	case float64:
		return v > 0 && !math.IsInf(v, 0)
	}
	return false
}

// within keeps the rows that lie on the axis.
func (s *seriesAxis) within(n plan.Node) plan.Node {
	var tests []plan.Expr
	add := func(op fn.Op, limit plan.Expr) {
		tests = append(tests, &plan.Call{Op: op, Args: []plan.Expr{s.x, limit}, T: schema.Bool})
	}
	if s.from != nil {
		add(fn.Ge, s.from)
	}
	switch {
	case s.to == nil:
	case s.inclusive:
		add(fn.Lt, call(fn.Add, s.x.Type(), s.to, s.step))
	default:
		add(fn.Lt, s.to)
	}
	if len(tests) == 0 {
		tests = append(tests, not(&plan.Call{Op: fn.IsNull, Args: []plan.Expr{s.x}, T: schema.Bool}))
	}
	if len(tests) == 1 {
		return &plan.Filter{From: n, Pred: tests[0]}
	}
	return &plan.Filter{From: n, Pred: &plan.Call{Op: fn.And, Args: tests, T: schema.Bool}}
}

// span is the type of distances on the axis.
func (s *seriesAxis) span() schema.Type { return s.step.Type() }

// bin gives the beginning of a row's bin.
func (s *seriesAxis) bin() plan.Expr {
	t := s.x.Type()
	if s.from == nil || s.inclusive {
		return call(fn.Bin, t, s.x, s.step)
	}
	off := call(fn.Bin, s.span(), call(fn.Sub, s.span(), s.x, s.from), s.step)
	return call(fn.Add, t, s.from, off)
}

// steps counts the steps from the axis' beginning to x, whole ones.
func (s *seriesAxis) steps(x plan.Expr) plan.Expr {
	d := call(fn.Sub, s.span(), x, s.from)
	if s.span() == schema.Real {
		half := &plan.Const{T: schema.Real, V: 0.5} // bins are multiples but for rounding
		return convert(call(fn.Add, schema.Real, call(fn.Div, schema.Real, d, s.step), half), schema.Long)
	}
	return divide(convert(d, schema.Long), convert(s.step, schema.Long))
}

func divide(a, by plan.Expr) plan.Expr {
	n, isConst := constLong(a)
	d, _ := constLong(by)
	if isConst && d != 0 {
		return long(n / d)
	}
	return call(fn.Div, schema.Long, a, by)
}

// bins counts the axis' bins.
func (s *seriesAxis) bins() plan.Expr {
	if s.inclusive {
		return call(fn.Add, schema.Long, s.steps(s.to), long(1))
	}
	d := call(fn.Sub, s.span(), s.to, s.from)
	if s.span() == schema.Real {
		return convert(call(fn.Ceiling, schema.Real, call(fn.Div, schema.Real, d, s.step)), schema.Long)
	}
	step, _ := constLong(s.step)
	return divide(call(fn.Add, schema.Long, convert(d, schema.Long), long(step-1)), long(step))
}

// emptyBin gives the value of bins without rows.
func (b *operators) emptyBin(agg *syntax.SeriesAgg, t schema.Type) plan.Expr {
	if !isNumber(t) && t != schema.TimeSpan && t != schema.DateTime && t != schema.Bool {
		b.refuse(agg.Pos(), "a series of values of type "+t.String())
		return nil
	}
	if agg.Default == nil {
		switch t {
		case schema.Int, schema.Long, schema.TimeSpan:
			return &plan.Const{T: t, V: int64(0)}
		case schema.Real:
			return &plan.Const{T: t, V: 0.0}
		}
		b.fail(agg.Pos(), "a series of values of type "+t.String()+" needs a default", "write default = … behind the aggregate")
		return nil
	}
	saved := b.rows
	b.rows = nil
	d := b.scalar(agg.Default)
	b.rows = saved
	c := constant(d)
	switch {
	case d.Type() == 0:
		return nil
	case c == nil:
		b.fail(agg.Default.Pos(), "the default is a constant", "")
		return nil
	case c.V == nil:
		return null(t)
	case c.T == t:
		return c
	case isNumber(c.T) && isNumber(t):
		if v := constant(convert(c, t)); v != nil {
			return v
		}
	}
	b.refuse(agg.Default.Pos(), "a default of type "+c.T.String()+" for values of type "+t.String())
	return nil
}

// extremeBin reads the first or last bin that has rows.
func (b *operators) extremeBin(r *rows, op fn.Aggregate) plan.Expr {
	bin := r.cols[len(r.cols)-1].get()
	agg := plan.Agg{ID: b.newID(), Op: op, Args: []plan.Expr{bin}, T: bin.Type()}
	root := &plan.Aggregate{From: r.node, Aggs: []plan.Agg{agg}}
	return &plan.Scalar{ID: b.newID(), Root: root, Value: &plan.Ref{ID: agg.ID, T: agg.T}, T: agg.T}
}

// gatherBins makes the arrays: of the groups' columns the first are keys, the last
// is the bin. Of no rows there are no series, but for kind=nonempty.
func (b *operators) gatherBins(op *syntax.MakeSeries, axis *seriesAxis, groups *rows, keys int, empty []plan.Expr, nonEmpty bool) *rows {
	count := axis.bins()
	if n, ok := constLong(count); ok && n > maxBins {
		b.fail(op.WordAt, "the series would have more than "+long(maxBins).String()+" values", "take a longer step")
		return nil
	}
	last := len(groups.cols) - 1
	at := axis.steps(groups.cols[last].get())
	node := &plan.Aggregate{From: groups.node}
	out := &rows{}
	for _, c := range groups.cols[:keys] {
		b.groupKey(node, out, item{name: c.name, x: c.get()})
	}
	rowsIn := plan.Agg{ID: b.newID(), Op: fn.Count, T: schema.Long}
	node.Aggs = append(node.Aggs, rowsIn)
	some := &plan.Ref{ID: rowsIn.ID, T: schema.Long, NotNull: true}
	above := &plan.Extend{From: node}
	for i, c := range groups.cols[keys:last] {
		agg := plan.Agg{ID: b.newID(), Op: fn.MakeSeries, Args: []plan.Expr{c.get(), at, count, empty[i]}, T: schema.Dynamic}
		node.Aggs = append(node.Aggs, agg)
		var x plan.Expr = &plan.Ref{ID: agg.ID, T: schema.Dynamic, NotNull: true}
		if nonEmpty && keys == 0 {
			none := &plan.Call{Op: fn.Eq, Args: []plan.Expr{some, long(0)}, T: schema.Bool}
			x = b.add(above, &plan.Call{Op: fn.If, Args: []plan.Expr{none, goCall("repeat", empty[i], count), x}, T: schema.Dynamic})
		}
		out.cols = append(out.cols, fixed(c.name, x))
	}
	out.cols = append(out.cols, fixed(axis.name, b.add(above, axis.values(count))))
	if keys == 0 && !nonEmpty {
		above.From = &plan.Filter{From: node, Pred: &plan.Call{Op: fn.Gt, Args: []plan.Expr{some, long(0)}, T: schema.Bool}}
	}
	out.node = above
	return out
}

// values is the array of the bins' beginnings.
func (s *seriesAxis) values(count plan.Expr) plan.Expr {
	t := s.x.Type()
	name := map[schema.Type]string{schema.DateTime: "range_datetime", schema.TimeSpan: "range_timespan", schema.Long: "range_long", schema.Real: "range_real"}[t]
	if t == schema.Real {
		end := call(fn.Mul, t, s.step, call(fn.Sub, t, convert(count, t), &plan.Const{T: t, V: 0.5}))
		return goCall(name, s.from, call(fn.Add, t, s.from, end), s.step)
	}
	length := call(fn.Mul, schema.Long, convert(s.step, schema.Long), call(fn.Sub, schema.Long, count, long(1)))
	return goCall(name, s.from, call(fn.Add, t, s.from, convert(length, s.span())), s.step)
}
