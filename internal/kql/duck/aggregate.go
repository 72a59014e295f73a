package duck

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

func (e *emitter) aggregate(n *plan.Aggregate) string {
	from := e.node(n.From)
	inOrder := literalRows(n.From)
	keys, scaled := e.groupKeys(n.Keys)
	var b strings.Builder
	b.WriteString("SELECT " + keys)
	shares := percentiles(n)
	for i, a := range n.Aggs {
		if i > 0 || len(n.Keys) > 0 {
			b.WriteString(", ")
		}
		sql := ""
		list := shares[percentileOf(&a)]
		switch {
		case len(list) > 1:
			sql = e.percentile(&a, list)
		case a.Op == fn.MakeSet && len(a.Args) == 2 && !inOrder:
			// DuckDB finds the distinct values faster than Go does; they lose an order
			// that stored rows don't have.
			sql = strings.Replace(e.agg(&a), "(", "(DISTINCT ", 1)
		default:
			sql = e.agg(&a)
		}
		b.WriteString(sql + " AS " + column(a.ID))
	}
	b.WriteString(groups(from, len(n.Keys), inOrder))
	if len(scaled) > 0 {
		return "SELECT * REPLACE (" + strings.Join(scaled, ", ") + ") FROM (" + b.String() + ")"
	}
	return b.String()
}

// groupKeys writes the keys of groups. A stored time in steps is grouped by the
// number of its step, a small number for which DuckDB needs no hash table, and
// scaled is what makes it a time again, of the groups that are left.
func (e *emitter) groupKeys(keys []plan.Assign) (sql string, scaled []string) {
	parts := make([]string, len(keys))
	for i, k := range keys {
		name := column(k.ID)
		number, step := e.stepNumber(k.Expr)
		if step == 0 {
			parts[i] = e.value(k.Expr) + " AS " + name
			continue
		}
		parts[i] = number + " AS " + name
		scaled = append(scaled, name+" * "+strconv.FormatInt(step, 10)+" AS "+name)
	}
	return strings.Join(parts, ", "), scaled
}

// stepNumber writes the number of the step that bin gives a stored time; step is the
// step in ticks, 0 for other expressions.
func (e *emitter) stepNumber(x plan.Expr) (number string, step int64) {
	c, ok := x.(*plan.Call)
	if !ok || c.Op != fn.Bin {
		return "", 0
	}
	stored, ok := c.Args[0].(*plan.Call)
	k, isConst := c.Args[1].(*plan.Const)
	if !ok || !isConst || stored.Op != fn.StoredTicks {
		return "", 0
	}
	n, _ := k.V.(int64)
	if n <= 0 || n%10 != 0 {
		return "", 0
	}
	return "((epoch_us(" + e.value(stored.Args[0]) + ") + " + epochUS + ") // " + strconv.FormatInt(n/10, 10) + ")", n
}

// percentileOf names what a percentile is of, "" for other aggregates.
func percentileOf(a *plan.Agg) string {
	switch {
	case a.Op != fn.Percentile:
		return ""
	case a.Filter != nil:
		return a.Args[0].String() + " if " + a.Filter.String()
	}
	return a.Args[0].String()
}

// percentiles gathers the shares of the percentiles of one value: DuckDB keeps and
// sorts the values once when it is asked for all of them at once.
func percentiles(n *plan.Aggregate) map[string][]string {
	shares := map[string][]string{}
	for i := range n.Aggs {
		if of := percentileOf(&n.Aggs[i]); of != "" {
			shares[of] = append(shares[of], real(share(n.Aggs[i].Args[1])))
		}
	}
	return shares
}

// percentile writes one of several percentiles of one value. All of them write the
// same aggregate, which DuckDB computes once, and take their element.
func (e *emitter) percentile(a *plan.Agg, shares []string) string {
	filter := ""
	if a.Filter != nil {
		filter = " FILTER (WHERE " + e.cond(a.Filter) + ")"
	}
	at := slices.Index(shares, real(share(a.Args[1]))) + 1
	return "(quantile_disc(" + e.value(a.Args[0]) + ", [" + strings.Join(shares, ", ") + "])" + filter + ")[" + strconv.Itoa(at) + "]"
}

// groups writes FROM and GROUP BY the first columns. Groups of rows that the query
// itself wrote come in the order of their first rows, which are few; stored rows have
// no order, as in Kusto.
func groups(from string, keys int, inOrder bool) string {
	if keys == 0 {
		return " FROM " + from
	}
	numbers := make([]string, keys)
	for i := range numbers {
		numbers[i] = strconv.Itoa(i + 1)
	}
	by := " GROUP BY " + strings.Join(numbers, ", ")
	if !inOrder {
		return " FROM " + from + by
	}
	return " FROM (SELECT *, row_number() OVER () AS ordinal FROM " + from + ")" + by + " ORDER BY min(ordinal)"
}

// shortRange is how many rows of a range count as written: numbering rows takes them
// one after the other.
const shortRange = 10_000

// short tells that a range is known to have few rows.
func short(n *plan.Range) bool {
	var bounds [3]int64
	for i, x := range []plan.Expr{n.Start, n.End, n.Step} {
		c, ok := x.(*plan.Const)
		if !ok {
			return false
		}
		if bounds[i], ok = c.V.(int64); !ok {
			return false
		}
	}
	return bounds[2] != 0 && (float64(bounds[1])-float64(bounds[0]))/float64(bounds[2]) < shortRange
}

// literalRows tells that all rows below come from the query's own text.
func literalRows(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Values:
		return true
	case *plan.Range:
		return short(n)
	case *plan.Scan, *plan.Use, *plan.Stage:
		return false
	default:
		inputs := n.Inputs()
		for _, in := range inputs {
			if !literalRows(in) {
				return false
			}
		}
		return len(inputs) > 0
	}
}

// aggNames are aggregates that DuckDB has with Kusto's meaning but for nulls.
var aggNames = map[fn.Aggregate]string{
	fn.Stdev: "stddev_samp", fn.StdevP: "stddev_pop", fn.Variance: "var_samp", fn.VarianceP: "var_pop", fn.Covariance: "covar_samp", fn.CovarianceP: "covar_pop",
	fn.BitAnd: "bit_and", fn.BitOr: "bit_or", fn.BitXor: "bit_xor",
	fn.MakeList: "make_list_", fn.MakeListNulls: "make_list_with_nulls_", fn.MakeSet: "make_set_", fn.MakeBag: "make_bag",
}

// agg writes an aggregate function.
func (e *emitter) agg(a *plan.Agg) string {
	filter := ""
	if a.Filter != nil {
		filter = " FILTER (WHERE " + e.cond(a.Filter) + ")"
	}
	if a.Op == fn.Count {
		return "count(*)" + filter
	}
	args := e.all(a.Args)
	x, t := args[0], a.Args[0].Type()
	f := func(name string) string { return name + "(" + x + ")" + filter }
	if t == schema.Decimal && (a.Op == fn.Sum || a.Op == fn.Avg || a.Op == fn.Min || a.Op == fn.Max) {
		return f("wadi_" + a.Op.String() + "_decimal")
	}
	switch a.Op {
	case fn.DCount:
		return "count(DISTINCT " + x + ")" + filter
	case fn.Sum:
		return sum(t, f("sum"))
	case fn.Avg:
		if t == schema.DateTime || t == schema.TimeSpan {
			return "CAST(" + f("sum") + " // nullif(" + f("count") + ", 0) AS BIGINT)"
		}
		return "coalesce(" + f("avg") + ", CAST('NaN' AS DOUBLE))"
	case fn.Min:
		if t == schema.Real { // NaN wins, as in Kusto; DuckDB takes it for the largest
			return "CASE WHEN bool_or(isnan(" + x + "))" + filter + " THEN CAST('NaN' AS DOUBLE) ELSE " + f("min") + " END"
		}
		return e.textOr(t, f("min"))
	case fn.Max:
		return e.textOr(t, f("max"))
	case fn.TakeAny:
		return e.textOr(t, f("any_value"))
	case fn.First:
		return e.textOr(t, f("first"))
	case fn.Stdev, fn.StdevP, fn.Variance, fn.VarianceP, fn.Covariance, fn.CovarianceP:
		return finite(aggNames[a.Op], args, filter)
	case fn.BitAnd, fn.BitOr, fn.BitXor:
		return f(aggNames[a.Op])
	case fn.ArgMax, fn.ArgMin:
		return e.textOr(a.T, e.argMax(a, args, filter))
	case fn.Percentile:
		return "quantile_disc(" + x + ", " + real(share(a.Args[1])) + ")" + filter
	case fn.PercentileW:
		name := "wadi_percentilew_long"
		if t == schema.Real {
			name = "wadi_percentilew_real"
		}
		return "CAST(" + name + "(" + strings.Join(args, ", ") + ")" + filter + " AS " + sqlTypes[a.T] + ")"
	case fn.MakeList, fn.MakeListNulls, fn.MakeSet:
		return collection("wadi_"+aggNames[a.Op]+t.String(), args) + filter
	case fn.MakeSeries:
		return "wadi_make_series_" + t.String() + "(" + strings.Join(args, ", ") + ")" + filter
	case fn.BuildSchema:
		return f("wadi_buildschema")
	case fn.BagShape:
		return "wadi_bag_shape(" + strings.Join(args, ", ") + ")" + filter
	case fn.MakeBag:
		return collection("wadi_"+aggNames[a.Op], args) + filter
	}
	e.err = fmt.Errorf("cannot write SQL for the aggregate %s", a.Op)
	return ""
}

// sum wraps as whole numbers do in Kusto; of nothing it is 0.
func sum(t schema.Type, sql string) string {
	switch t {
	case schema.Real:
		return "coalesce(" + sql + ", 0e0)"
	case schema.Int:
		return "CAST(coalesce(" + sql + ", 0) AS BIGINT)"
	}
	return "coalesce(" + wrap(sql) + ", 0)"
}

// finite writes statistics, on which DuckDB fails where Kusto says NaN: when a value
// is not finite. Of one row and of none they are 0.
func finite(name string, args []string, filter string) string {
	bad, good := make([]string, len(args)), make([]string, len(args))
	for i, x := range args {
		bad[i] = "NOT isfinite(" + x + ")"
		good[i] = "isfinite(" + x + ")"
	}
	values := make([]string, len(args))
	for i, x := range args {
		values[i] = "CASE WHEN " + strings.Join(good, " AND ") + " THEN " + x + " END"
	}
	return "CASE WHEN bool_or(" + strings.Join(bad, " OR ") + ")" + filter + " THEN CAST('NaN' AS DOUBLE) ELSE coalesce(" +
		name + "(" + strings.Join(values, ", ") + ")" + filter + ", 0e0) END"
}

// share is a percentage as a share of 1.
func share(x plan.Expr) float64 {
	c, _ := x.(*plan.Const)
	if c == nil {
		return 0
	}
	f, _ := c.V.(float64)
	return f / 100
}

// collection calls an aggregate of package agg: value, most elements, the row's
// place.
func collection(name string, args []string) string {
	if len(args) == 2 {
		args = append(args, "0")
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// argMax gives the value of the first row with the greatest (least) key. Where all
// keys are null that is the first row; a key that is NaN wins.
func (e *emitter) argMax(a *plan.Agg, args []string, filter string) string {
	x, by := args[0], args[1]
	if x == by {
		op := map[fn.Aggregate]fn.Aggregate{fn.ArgMax: fn.Max, fn.ArgMin: fn.Min}[a.Op]
		return e.agg(&plan.Agg{Op: op, Args: a.Args[:1], T: a.T})
	}
	name := map[fn.Aggregate]string{fn.ArgMax: "arg_max_null", fn.ArgMin: "arg_min_null"}[a.Op]
	sql := name + "(" + x + ", " + by + ")" + filter
	first := "first(" + x + ")"
	if a.Args[1].Type() == schema.Real && a.Op == fn.ArgMin {
		sql = "CASE WHEN bool_or(isnan(" + by + "))" + filter + " THEN first(" + x + ") FILTER (WHERE isnan(" + by + ")) ELSE " + sql + " END"
	}
	if plan.NotNull(a.Args[1]) {
		return sql
	}
	return "CASE WHEN count(" + by + ")" + filter + " > 0 THEN " + sql + " ELSE " + first + filter + " END"
}
