package operator

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// callIn gives the call that an expression is, through brackets; nil for others.
func callIn(x syntax.Expr) *syntax.Call {
	for {
		p, ok := x.(*syntax.Paren)
		if !ok {
			break
		}
		x = p.X
	}
	c, _ := x.(*syntax.Call)
	return c
}

// givesSeveral tells that a call makes more than one column.
func givesSeveral(c *syntax.Call) bool {
	switch c.Name {
	case "arg_max", "arg_min", "argmax", "argmin", "percentiles", "percentilesw":
		return true
	case "take_any", "any":
		return len(c.Args) != 1 || expr.IsStar(c.Args[0])
	}
	return false
}

// several binds an aggregate of several columns. Names in the query go to the first
// ones.
func (a *aggregation) several(c *syntax.Call, names []*syntax.Name) {
	switch c.Name {
	case "arg_max", "arg_min", "argmax", "argmin":
		a.argMax(c, names)
	case "percentiles", "percentilesw":
		a.percentiles(c, names)
	default:
		a.takeAny(c, names)
	}
}

// argMax binds arg_max(by, value, …): the greatest value first, then the others of
// its row.
func (a *aggregation) argMax(c *syntax.Call, names []*syntax.Name) {
	b := a.b
	if !b.Count(c, 1, expr.MaxVariadic) {
		return
	}
	by := expr.TextOfSplit(b.Scalar(c.Args[0]))
	if by.Type() == 0 {
		return
	}
	if f := fn.Aggregates[c.Name]; !f.Param.Has(by.Type()) || by.Type() == schema.Guid {
		b.wrongAggregate(c, c.Args[0], by.Type())
		return
	}
	op := fn.Aggregates[c.Name].Op
	for i, arg := range c.Args {
		if expr.IsStar(arg) {
			a.star(starName(c), c.Args, func(x plan.Expr) plan.Expr { return a.add(plan.Agg{Op: op, Args: []plan.Expr{x, by}, T: x.Type()}) })
			continue
		}
		value := by
		if i > 0 {
			if value = expr.TextOfSplit(b.Scalar(arg)); value.Type() == 0 {
				return
			}
		}
		a.result(names, i, argMaxName(c, i), arg.Pos(), value.Type(), func() plan.Expr {
			return a.add(plan.Agg{Op: op, Args: []plan.Expr{value, by}, T: value.Type()})
		})
	}
}

// argMaxName is Kusto's name of argument i of arg_max(); the old argmax() named all
// columns by what is compared.
func argMaxName(c *syntax.Call, i int) string {
	prefix := "max_"
	if strings.HasSuffix(c.Name, "min") {
		prefix = "min_"
	}
	first, own := expr.ResultName(c.Args[0]), expr.ResultName(c.Args[i])
	old := c.Name == "argmax" || c.Name == "argmin"
	switch {
	case i == 0 && (old || own == ""):
		return prefix + first
	case own == "":
		return prefix + first + "_arg" + strconv.Itoa(i)
	case old:
		return prefix + first + "_" + own
	}
	return own
}

// starName gives what is before the names of the columns that * stands for.
func starName(c *syntax.Call) string {
	switch c.Name {
	case "any":
		return "any_"
	case "argmax", "argmin":
		return argMaxName(c, 0) + "_"
	}
	return ""
}

// star adds all columns that are neither keys nor among the named ones; each is
// computed when something reads it.
func (a *aggregation) star(prefix string, named []syntax.Expr, agg func(plan.Expr) plan.Expr) {
	skip := slices.Clone(a.keys)
	for _, x := range named {
		if n, ok := x.(*syntax.Name); ok {
			skip = append(skip, n.Name)
		}
	}
	for _, c := range a.b.Rows.Visible() {
		if slices.Contains(skip, c.Name) {
			continue
		}
		a.result(nil, 0, prefix+c.Name, syntax.Span{}, c.Typ, func() plan.Expr { return agg(c.Get()) })
	}
}

// takeAny binds take_any(a, b, …) and take_any(*).
func (a *aggregation) takeAny(c *syntax.Call, names []*syntax.Name) {
	b := a.b
	if !b.Count(c, 1, expr.MaxVariadic) {
		return
	}
	take := func(x plan.Expr) plan.Expr { return a.add(plan.Agg{Op: fn.First, Args: []plan.Expr{x}, T: x.Type()}) }
	for i, arg := range c.Args {
		if expr.IsStar(arg) {
			a.star(starName(c), c.Args, take)
			continue
		}
		x := expr.TextOfSplit(b.Scalar(arg))
		if x.Type() == 0 {
			return
		}
		name := expr.ResultName(arg)
		switch {
		case c.Name == "any":
			name = "any_" + name
		case name == "":
			name = "any_arg" + strconv.Itoa(i)
		}
		a.result(names, i, name, arg.Pos(), x.Type(), func() plan.Expr { return take(x) })
	}
}

// percentiles binds percentiles(x, 5, 50 …): one column for each percentage.
func (a *aggregation) percentiles(c *syntax.Call, names []*syntax.Name) {
	f := fn.Aggregates[c.Name]
	values, shares, ok := a.ranks(c, f)
	if !ok {
		return
	}
	first := expr.ResultName(c.Args[0])
	for i, share := range shares {
		agg := a.percentile(f, values, share)
		a.result(names, i, percentileName(first, share), c.Span, agg.Type(), func() plan.Expr { return agg })
	}
}

// percentileName is percentile_x_50, percentile_x_99_9.
func percentileName(first string, share float64) string {
	return "percentile_" + first + "_" + strings.ReplaceAll(strconv.FormatFloat(share, 'f', -1, 64), ".", "_")
}

// ranks binds the values and percentages of a percentile function.
func (a *aggregation) ranks(c *syntax.Call, f fn.AggregateFunction) (values []plan.Expr, shares []float64, ok bool) {
	b := a.b
	if !b.Count(c, f.Values+1, expr.MaxVariadic) {
		return nil, nil, false
	}
	for i, arg := range c.Args[:f.Values] {
		x := expr.TextOfSplit(b.Scalar(arg))
		if x.Type() == 0 {
			return nil, nil, false
		}
		switch x.Type() {
		case schema.Int:
			x = expr.Convert(x, schema.Long)
		case schema.Decimal:
			x = expr.Convert(x, schema.Real)
		}
		if i == 0 && !f.Param.Has(x.Type()) || i > 0 && !expr.IsWhole(x.Type()) {
			b.wrongAggregate(c, arg, x.Type())
			return nil, nil, false
		}
		values = append(values, x)
	}
	for _, arg := range c.Args[f.Values:] {
		x := expr.Constant(b.Scalar(arg))
		if x != nil && x.T == schema.Dynamic {
			more, isList := numbersOf(x)
			if !isList {
				b.Fail(arg.Pos(), "percentages are numbers from 0 to 100", "")
				return nil, nil, false
			}
			shares = append(shares, more...)
			continue
		}
		share, isNumber := constReal(x)
		if !isNumber {
			b.Fail(arg.Pos(), "a percentage is a number from 0 to 100 that is known before the query runs", "")
			return nil, nil, false
		}
		shares = append(shares, share)
	}
	for _, s := range shares {
		if !(s >= 0 && s <= 100) {
			b.Fail(c.Span, "percentages are numbers from 0 to 100", "")
			return nil, nil, false
		}
	}
	return values, shares, len(shares) > 0
}

// constReal gives a constant number as real.
func constReal(c *plan.Const) (float64, bool) {
	if c == nil {
		return 0, false
	}
	switch v := c.V.(type) {
	case int64:
		return float64(v), expr.IsWhole(c.T)
	case float64:
		return v, true
	}
	return 0, false
}

func (a *aggregation) percentile(f fn.AggregateFunction, values []plan.Expr, share float64) plan.Expr {
	args := append(slices.Clone(values), &plan.Const{T: schema.Real, V: share})
	return a.add(plan.Agg{Op: f.Op, Args: args, T: values[0].Type()})
}

// add puts an aggregate into the plan.
func (a *aggregation) add(agg plan.Agg) plan.Expr {
	agg.ID = a.b.NewID()
	a.node.Aggs = append(a.node.Aggs, agg)
	notNull := agg.T == schema.String
	switch agg.Op {
	case fn.Count, fn.DCount, fn.Sum, fn.MakeBag, fn.MakeList, fn.MakeListNulls, fn.MakeSet:
		notNull = true
	}
	return &plan.Ref{ID: agg.ID, T: agg.T, NotNull: notNull}
}

// aggregateName is Kusto's name of a column of summarize: the aggregate, and its
// first argument where that has a name; "" for an expression without one.
func aggregateName(x syntax.Expr) string {
	c := callIn(x)
	if c == nil {
		return ""
	}
	first := ""
	if len(c.Args) > 0 {
		first = expr.ResultName(c.Args[0])
	}
	f, known := fn.Aggregates[c.Name]
	if !known {
		if len(c.Args) == 0 {
			return ""
		}
		first = aggregateName(c.Args[0])
		switch {
		case expr.NamedByArgument[c.Name]:
			return first
		case c.Name == "strlen" && first != "":
			return "strlen_" + first
		}
		return ""
	}
	switch {
	case c.Name == "take_any" || c.Name == "take_anyif":
		if first == "" {
			return "any_arg0"
		}
		return first
	case strings.HasPrefix(c.Name, "binary_all_"):
		return first
	case strings.HasPrefix(c.Name, "covariance") && len(c.Args) > 1:
		return c.Name + "_" + first + "_" + expr.ResultName(c.Args[1])
	case c.Name == "percentile" || c.Name == "percentilew":
		if share, ok := syntaxNumber(c.Args[len(c.Args)-1]); ok {
			return percentileName(first, share)
		}
		return "percentile_" + first + "_"
	case f.Prefix != "":
		return f.Prefix + "_" + first
	}
	return c.Name + "_" + first
}

func syntaxNumber(x syntax.Expr) (float64, bool) {
	l, ok := x.(*syntax.Literal)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(l.Text, 64)
	return f, err == nil
}

// aggregate binds a call of an aggregate function that gives one value.
func (a *aggregation) aggregate(c *syntax.Call) (plan.Expr, bool) {
	b := a.b
	f, known := fn.Aggregates[c.Name]
	switch {
	case !known:
		b.Fail(c.NameAt, "the aggregate '"+c.Name+"' is not supported yet", "")
		return nil, false
	case f.Op == fn.Percentile || f.Op == fn.PercentileW:
		return a.onePercentile(c, f)
	case givesSeveral(c):
		b.Fail(c.NameAt, c.Name+"() gives several columns and can't stand in an expression", "name its result, and compute in extend behind summarize")
		return nil, false
	}
	agg := plan.Agg{Op: f.Op, T: f.Result}
	least := f.Values
	if f.If {
		least++
	}
	most := least + f.Extra
	if c.Name == "count" {
		most = 1 // count(x) counts all rows
	}
	if !b.Count(c, least, most) {
		return nil, false
	}
	if f.If {
		if agg.Filter = b.Condition(c.Args[f.Values]); agg.Filter.Type() == 0 {
			return nil, false
		}
	}
	values := f.Values
	if c.Name == "count" {
		values = len(c.Args)
	}
	for _, arg := range c.Args[:values] {
		if !a.argument(&agg, f, c, arg) {
			return nil, false
		}
	}
	extra := c.Args[min(least, len(c.Args)):]
	if f.Limit > 0 && !a.limits(&agg, f, c, extra) {
		return nil, false
	}
	if f.Op == fn.DCount && len(extra) > 0 { // counts are exact whatever the accuracy
		if n, ok := expr.ConstLong(b.Scalar(extra[0])); !ok || n < 0 || n > 4 {
			b.Fail(extra[0].Pos(), "the accuracy of "+c.Name+"() is a number from 0 to 4", "")
			return nil, false
		}
	}
	return a.add(agg), true
}

// onePercentile binds percentile() and the percentiles as an array.
func (a *aggregation) onePercentile(c *syntax.Call, f fn.AggregateFunction) (plan.Expr, bool) {
	values, shares, ok := a.ranks(c, f)
	if !ok {
		return nil, false
	}
	if f.Result != schema.Dynamic {
		if len(shares) != 1 {
			a.b.Fail(c.Span, c.Name+"() takes one percentage", "use percentiles()")
			return nil, false
		}
		return a.percentile(f, values, shares[0]), true
	}
	items := make([]plan.Expr, len(shares))
	for i, share := range shares {
		items[i] = a.percentile(f, values, share)
	}
	return expr.GoCall("pack_array", items...), true
}

// limits adds the most elements of a collection, and the place of each row where
// rows have an order.
func (a *aggregation) limits(agg *plan.Agg, f fn.AggregateFunction, c *syntax.Call, extra []syntax.Expr) bool {
	most := f.Limit
	if len(extra) > 0 {
		n, ok := expr.ConstLong(a.b.Scalar(extra[0]))
		if !ok || n < 1 {
			a.b.Fail(extra[0].Pos(), "the limit of "+c.Name+"() is a whole number from 1 on that is known before the query runs", "")
			return false
		}
		most = min(n, f.Limit)
		if f.Limit < 1<<20 {
			most = min(n, 1<<20)
		}
	}
	agg.Args = append(agg.Args, expr.Long(most))
	if a.place != nil {
		agg.Args = append(agg.Args, a.place())
	}
	return true
}

// argument binds a value of an aggregate.
func (a *aggregation) argument(agg *plan.Agg, f fn.AggregateFunction, c *syntax.Call, arg syntax.Expr) bool {
	b := a.b
	if expr.IsStar(arg) {
		b.Refuse(arg.Pos(), "'*' in "+c.Name+"()")
		return false
	}
	v := expr.TextOfSplit(b.Scalar(arg))
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
		if expr.IsNumber(t) {
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
	case fn.Stdev, fn.StdevP, fn.Variance, fn.VarianceP, fn.Covariance, fn.CovarianceP:
		v = expr.Convert(v, schema.Real)
	case fn.BitAnd, fn.BitOr, fn.BitXor:
		agg.T = t
	}
	agg.Args = append(agg.Args, v)
	return true
}

func (b *Binder) wrongAggregate(c *syntax.Call, arg syntax.Expr, t schema.Type) {
	b.Refuse(arg.Pos(), c.Name+"() of a value of type "+t.String())
}

// numbersOf gives the elements of a dynamic constant that is an array of numbers.
func numbersOf(c *plan.Const) ([]float64, bool) {
	text, ok := expr.ConstDynamic(c)
	if !ok || dyn.KindOf(text) != dyn.Array {
		return nil, false
	}
	var out []float64
	for it := dyn.Walk(text); it.Next(); {
		f, isNumber := dyn.Number(it.Value)
		if !isNumber {
			return nil, false
		}
		out = append(out, f)
	}
	return out, true
}
