package operator

import (
	"math"

	"github.com/wadi-project/wadi/internal/kql/expr"
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
	// aligned tells that bins are those of bin(), else they are numbered from `from`.
	aligned bool
	// last is the number of the last bin, of an axis that ends with the data.
	last plan.Expr
}

// MakeSeries groups by keys and bins first, then gathers the bins of each key into
// arrays. Where the data says how far the axis goes, the groups are computed once and
// read twice.
func (b *Binder) MakeSeries(op *syntax.MakeSeries) *expr.Rows {
	nonEmpty := false
	for _, p := range op.Params {
		if p.Name != "kind" || p.Text() != "nonempty" {
			b.Refuse(op.WordAt, "the parameter "+p.Name+" = "+p.Text())
			return nil
		}
		nonEmpty = true
	}
	axis := b.seriesAxis(op)
	if axis == nil {
		return nil
	}
	a := &aggregation{b: b, node: &plan.Aggregate{From: axis.within(b.Rows.Node)}, out: &expr.Rows{}, unnamed: numbered("Column", 1)}
	a.above = &plan.Extend{From: a.node}
	a.out.Node = a.above
	for _, x := range op.By {
		b.groupKey(a.node, a.out, b.Item(x, a.unnamed))
	}
	keys := len(a.out.Cols)
	key := axis.key()
	bin := &plan.Ref{ID: b.NewID(), T: key.Type(), NotNull: true}
	a.node.Keys = append(a.node.Keys, plan.Assign{ID: bin.ID, Expr: key})
	var empty []plan.Expr
	for _, agg := range op.Aggs {
		n := len(a.out.Cols)
		a.column(agg.X)
		if len(a.out.Cols) != n+1 {
			if len(b.Diags) == 0 {
				b.Refuse(agg.Pos(), "an aggregate of several columns in make-series")
			}
			return nil
		}
		if d := b.emptyBin(agg, a.out.Cols[n].Typ); d != nil {
			empty = append(empty, d)
		}
	}
	if len(b.Diags) > 0 {
		return nil
	}
	a.out.Cols = append(a.out.Cols, expr.Fixed("", bin))
	groups := a.out
	if axis.from == nil || axis.to == nil {
		use := b.Query.Sharing(groups)
		if axis.from == nil {
			axis.from = b.extremeBin(use(), fn.Min)
		}
		if axis.to == nil {
			axis.last = axis.number(b.extremeBin(use(), fn.Max))
		}
		groups = use()
	}
	return b.gatherBins(op, axis, groups, keys, empty, nonEmpty)
}

// seriesAxis binds the axis; nil after an error.
func (b *Binder) seriesAxis(op *syntax.MakeSeries) *seriesAxis {
	it := b.Item(op.On, func() string { return "Column1" })
	s := &seriesAxis{name: it.Name, x: expr.TextOfSplit(it.X), inclusive: op.InRange}
	t := s.x.Type()
	if t == 0 {
		return nil
	}
	if t == schema.Int {
		s.x, t = expr.Convert(s.x, schema.Long), schema.Long
	}
	stepType := t
	if t == schema.DateTime {
		stepType = schema.TimeSpan
	}
	if !expr.IsNumber(t) && t != schema.DateTime && t != schema.TimeSpan {
		b.Fail(op.On.Pos(), "the axis of make-series is a time or a number, not "+t.String(), "")
		return nil
	}
	saved := b.Rows
	b.Rows = nil
	defer func() { b.Rows = saved }()
	ok := true
	bound := func(x syntax.Expr, t schema.Type) plan.Expr {
		if x == nil {
			return nil
		}
		v := expr.TextOfSplit(b.Scalar(x))
		if v.Type() == 0 {
			ok = false
			return nil
		}
		if v.Type() != t && !(expr.IsNumber(t) && expr.IsNumber(v.Type())) {
			b.Fail(x.Pos(), "a value of type "+t.String()+" is expected here, not "+v.Type().String(), "")
			ok = false
			return nil
		}
		return expr.Convert(v, t)
	}
	s.from, s.to, s.step = bound(op.From, t), bound(op.To, t), bound(op.Step, stepType)
	if !ok || s.step == nil {
		return nil
	}
	if c := expr.Constant(s.step); c == nil || !positive(c) {
		b.Fail(op.Step.Pos(), "the step is a constant above 0", "")
		return nil
	}
	if s.inclusive { // the old form: bins as bin() has them, the last one too
		s.from, s.to = expr.Call(fn.Bin, t, s.from, s.step), expr.Call(fn.Bin, t, s.to, s.step)
	}
	s.aligned = s.from == nil || s.inclusive || multiple(s.from, s.step)
	return s
}

// multiple tells that a constant is a multiple of another, so that bin() counts from
// it.
func multiple(x, step plan.Expr) bool {
	n, ok := expr.ConstLong(x)
	d, isStep := expr.ConstLong(step)
	return ok && isStep && d > 0 && n%d == 0
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
		add(fn.Lt, expr.Call(fn.Add, s.x.Type(), s.to, s.step))
	default:
		add(fn.Lt, s.to)
	}
	if len(tests) == 0 {
		tests = append(tests, expr.Not(&plan.Call{Op: fn.IsNull, Args: []plan.Expr{s.x}, T: schema.Bool}))
	}
	if len(tests) == 1 {
		return &plan.Filter{From: n, Pred: tests[0]}
	}
	return &plan.Filter{From: n, Pred: &plan.Call{Op: fn.And, Args: tests, T: schema.Bool}}
}

// span is the type of distances on the axis.
func (s *seriesAxis) span() schema.Type { return s.step.Type() }

// key gives what tells a row's bin: its beginning, or its number.
func (s *seriesAxis) key() plan.Expr {
	if s.aligned {
		return expr.Call(fn.Bin, s.x.Type(), s.x, s.step)
	}
	d := expr.Call(fn.Sub, s.span(), s.x, s.from)
	if s.span() == schema.Real {
		return expr.Convert(expr.Call(fn.Div, schema.Real, expr.Call(fn.Bin, schema.Real, d, s.step), s.step), schema.Long)
	}
	return divide(expr.Convert(d, schema.Long), expr.Convert(s.step, schema.Long))
}

// number gives the number of a bin that key tells.
func (s *seriesAxis) number(key plan.Expr) plan.Expr {
	if s.aligned {
		return s.steps(key)
	}
	return key
}

// steps counts the steps from the axis' beginning to x, whole ones.
func (s *seriesAxis) steps(x plan.Expr) plan.Expr {
	d := expr.Call(fn.Sub, s.span(), x, s.from)
	if s.span() == schema.Real {
		half := &plan.Const{T: schema.Real, V: 0.5} // bins are multiples but for rounding
		return expr.Convert(expr.Call(fn.Add, schema.Real, expr.Call(fn.Div, schema.Real, d, s.step), half), schema.Long)
	}
	return divide(expr.Convert(d, schema.Long), expr.Convert(s.step, schema.Long))
}

func divide(a, by plan.Expr) plan.Expr {
	n, isConst := expr.ConstLong(a)
	d, _ := expr.ConstLong(by)
	if isConst && d != 0 {
		return expr.Long(n / d)
	}
	return expr.Call(fn.Div, schema.Long, a, by)
}

// bins counts the axis' bins.
func (s *seriesAxis) bins() plan.Expr {
	if s.last != nil {
		return expr.Call(fn.Add, schema.Long, s.last, expr.Long(1))
	}
	if s.inclusive {
		return expr.Call(fn.Add, schema.Long, s.steps(s.to), expr.Long(1))
	}
	d := expr.Call(fn.Sub, s.span(), s.to, s.from)
	if s.span() == schema.Real {
		return expr.Convert(expr.Call(fn.Ceiling, schema.Real, expr.Call(fn.Div, schema.Real, d, s.step)), schema.Long)
	}
	step, _ := expr.ConstLong(s.step)
	return divide(expr.Call(fn.Add, schema.Long, expr.Convert(d, schema.Long), expr.Long(step-1)), expr.Long(step))
}

// emptyBin gives the value of bins without rows.
func (b *Binder) emptyBin(agg *syntax.SeriesAgg, t schema.Type) plan.Expr {
	if !expr.IsNumber(t) && t != schema.TimeSpan && t != schema.DateTime && t != schema.Bool {
		b.Refuse(agg.Pos(), "a series of values of type "+t.String())
		return nil
	}
	if agg.Default == nil {
		switch t {
		case schema.Int, schema.Long, schema.TimeSpan:
			return &plan.Const{T: t, V: int64(0)}
		case schema.Real:
			return &plan.Const{T: t, V: 0.0}
		}
		b.Fail(agg.Pos(), "a series of values of type "+t.String()+" needs a default", "write default = … behind the aggregate")
		return nil
	}
	saved := b.Rows
	b.Rows = nil
	d := b.Scalar(agg.Default)
	b.Rows = saved
	c := expr.Constant(d)
	switch {
	case d.Type() == 0:
		return nil
	case c == nil:
		b.Fail(agg.Default.Pos(), "the default is a constant", "")
		return nil
	case c.V == nil:
		return expr.Null(t)
	case c.T == t:
		return c
	case expr.IsNumber(c.T) && expr.IsNumber(t):
		if v := expr.Constant(expr.Convert(c, t)); v != nil {
			return v
		}
	}
	b.Refuse(agg.Default.Pos(), "a default of type "+c.T.String()+" for values of type "+t.String())
	return nil
}

// extremeBin reads the first or last bin that has rows.
func (b *Binder) extremeBin(r *expr.Rows, op fn.Aggregate) plan.Expr {
	bin := r.Cols[len(r.Cols)-1].Get()
	agg := plan.Agg{ID: b.NewID(), Op: op, Args: []plan.Expr{bin}, T: bin.Type()}
	root := &plan.Aggregate{From: r.Node, Aggs: []plan.Agg{agg}}
	return &plan.Scalar{ID: b.NewID(), Root: root, Value: &plan.Ref{ID: agg.ID, T: agg.T}, T: agg.T}
}

// gatherBins makes the arrays: of the groups' columns the first are keys, the last
// is the bin. Of no rows there are no series, but for kind=nonempty.
func (b *Binder) gatherBins(op *syntax.MakeSeries, axis *seriesAxis, groups *expr.Rows, keys int, empty []plan.Expr, nonEmpty bool) *expr.Rows {
	count := axis.bins()
	if n, ok := expr.ConstLong(count); ok && n > maxBins {
		b.Fail(op.WordAt, "the series would have more than "+expr.Long(maxBins).String()+" values", "take a longer step")
		return nil
	}
	last := len(groups.Cols) - 1
	at := axis.number(groups.Cols[last].Get())
	node := &plan.Aggregate{From: groups.Node}
	out := &expr.Rows{}
	for _, c := range groups.Cols[:keys] {
		b.groupKey(node, out, expr.Item{Name: c.Name, X: c.Get()})
	}
	rowsIn := plan.Agg{ID: b.NewID(), Op: fn.Count, T: schema.Long}
	node.Aggs = append(node.Aggs, rowsIn)
	some := &plan.Ref{ID: rowsIn.ID, T: schema.Long, NotNull: true}
	above := &plan.Extend{From: node}
	for i, c := range groups.Cols[keys:last] {
		agg := plan.Agg{ID: b.NewID(), Op: fn.MakeSeries, Args: []plan.Expr{c.Get(), at, count, empty[i]}, T: schema.Dynamic}
		node.Aggs = append(node.Aggs, agg)
		var x plan.Expr = &plan.Ref{ID: agg.ID, T: schema.Dynamic, NotNull: true}
		if nonEmpty && keys == 0 {
			none := &plan.Call{Op: fn.Eq, Args: []plan.Expr{some, expr.Long(0)}, T: schema.Bool}
			x = b.add(above, &plan.Call{Op: fn.If, Args: []plan.Expr{none, expr.GoCall("repeat", empty[i], count), x}, T: schema.Dynamic})
		}
		out.Cols = append(out.Cols, expr.Fixed(c.Name, x))
	}
	out.Cols = append(out.Cols, expr.Fixed(axis.name, b.add(above, axis.values(count))))
	if keys == 0 && !nonEmpty {
		above.From = &plan.Filter{From: node, Pred: &plan.Call{Op: fn.Gt, Args: []plan.Expr{some, expr.Long(0)}, T: schema.Bool}}
	}
	out.Node = above
	return out
}

// values is the array of the bins' beginnings.
func (s *seriesAxis) values(count plan.Expr) plan.Expr {
	t := s.x.Type()
	name := map[schema.Type]string{schema.DateTime: "range_datetime", schema.TimeSpan: "range_timespan", schema.Long: "range_long", schema.Real: "range_real"}[t]
	if t == schema.Real {
		end := expr.Call(fn.Mul, t, s.step, expr.Call(fn.Sub, t, expr.Convert(count, t), &plan.Const{T: t, V: 0.5}))
		return expr.GoCall(name, s.from, expr.Call(fn.Add, t, s.from, end), s.step)
	}
	length := expr.Call(fn.Mul, schema.Long, expr.Convert(s.step, schema.Long), expr.Call(fn.Sub, schema.Long, count, expr.Long(1)))
	return expr.GoCall(name, s.from, expr.Call(fn.Add, t, s.from, expr.Convert(length, s.span())), s.step)
}
