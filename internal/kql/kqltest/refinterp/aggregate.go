package refinterp

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

func (in *interp) aggregate(n *plan.Aggregate) []row {
	rows := in.node(n.From)
	type group struct {
		keys row
		rows []row
	}
	groups := map[string]*group{}
	var found []*group // in the order of their first rows
	for _, r := range rows {
		keys, values := row{}, []any{}
		for _, k := range n.Keys {
			v := in.eval(k.Expr, r)
			keys[k.ID] = v
			values = append(values, v)
		}
		name := keysOf(values)
		g := groups[name]
		if g == nil {
			g = &group{keys: keys}
			groups[name] = g
			found = append(found, g)
		}
		g.rows = append(g.rows, r)
	}
	if len(n.Keys) == 0 && len(found) == 0 {
		found = append(found, &group{keys: row{}})
	}
	var out []row
	for _, g := range found {
		for i := range n.Aggs {
			g.keys[n.Aggs[i].ID] = in.agg(&n.Aggs[i], g.rows)
		}
		out = append(out, g.keys)
	}
	return out
}

// agg computes one aggregate over a group's rows.
func (in *interp) agg(a *plan.Agg, rows []row) any {
	if a.Filter != nil {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return in.eval(a.Filter, r) != true })
	}
	if a.Op == fn.Count {
		return int64(len(rows))
	}
	if len(a.Args) == 0 {
		return unsupported("the aggregate %s without arguments", a.Op)
	}
	var values []any // those that are not null
	for _, r := range rows {
		if v := in.eval(a.Args[0], r); v != nil {
			values = append(values, v)
		}
	}
	t := a.Args[0].Type()
	switch a.Op {
	case fn.DCount:
		seen := map[any]bool{}
		for _, v := range values {
			seen[keyOf(v)] = true
		}
		return int64(len(seen))
	case fn.Sum:
		return sum(values, t)
	case fn.Avg:
		return avg(values, t)
	case fn.Min, fn.Max:
		return extreme(values, t, a.Op == fn.Max)
	case fn.Stdev, fn.StdevP, fn.Variance, fn.VarianceP:
		return spread(values, a.Op)
	case fn.ArgMax, fn.ArgMin:
		return in.argBest(a, rows)
	case fn.Percentile:
		return percentile(values, in.eval(a.Args[1], nil).(float64))
	case fn.MakeList, fn.MakeSet:
		return collected(values, t, a.Op == fn.MakeSet, in.eval(a.Args[1], nil).(int64))
	}
	return unsupported("the aggregate %s", a.Op)
}

// sum of nothing is 0; whole sums wrap.
func sum(values []any, t schema.Type) any {
	if t == schema.Real {
		total := 0.0
		for _, v := range values {
			total += v.(float64)
		}
		return total
	}
	var total int64
	for _, v := range values {
		total += v.(int64)
	}
	return total
}

// avg of nothing is NaN, of no times null; that of times is cut.
func avg(values []any, t schema.Type) any {
	n := len(values)
	switch {
	case t == schema.DateTime || t == schema.TimeSpan:
		if n == 0 {
			return nil
		}
		total := new(big.Int)
		for _, v := range values {
			total.Add(total, big.NewInt(v.(int64)))
		}
		return total.Quo(total, big.NewInt(int64(n))).Int64()
	case n == 0:
		return math.NaN()
	case t == schema.Real:
		return sum(values, t).(float64) / float64(n)
	}
	total := new(big.Int)
	for _, v := range values {
		total.Add(total, big.NewInt(v.(int64)))
	}
	f, _ := new(big.Rat).SetFrac(total, big.NewInt(int64(n))).Float64()
	return f
}

// extreme of nothing is null, of no texts "". NaN wins.
func extreme(values []any, t schema.Type, largest bool) any {
	if len(values) == 0 {
		if t == schema.String {
			return ""
		}
		return nil
	}
	best := values[0]
	for _, v := range values {
		if f, ok := v.(float64); ok && math.IsNaN(f) {
			return math.NaN()
		}
		if c := order(v, best); largest && c > 0 || !largest && c < 0 {
			best = v
		}
	}
	return best
}

// spread is 0 of one value and of none, NaN with any that is not finite.
func spread(values []any, op fn.Aggregate) any {
	n := float64(len(values))
	mean := 0.0
	for _, v := range values {
		f := v.(float64)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return math.NaN()
		}
		mean += f
	}
	mean /= n
	squares := 0.0
	for _, v := range values {
		d := v.(float64) - mean
		squares += d * d
	}
	if op == fn.Stdev || op == fn.Variance {
		n--
	}
	if n <= 0 {
		return 0.0
	}
	if op == fn.Stdev || op == fn.StdevP {
		return math.Sqrt(squares / n)
	}
	return squares / n
}

// argBest is the first argument in the first row where the second is greatest, in
// the first row where all are null. NaN counts as greatest and as least.
func (in *interp) argBest(a *plan.Agg, rows []row) any {
	var best row
	var most any
	for _, r := range rows {
		by := in.eval(a.Args[1], r)
		switch {
		case best == nil, by != nil && most == nil:
		case by == nil || isNaN(most):
			continue
		case isNaN(by):
		case a.Op == fn.ArgMax && order(by, most) <= 0, a.Op == fn.ArgMin && order(by, most) >= 0:
			continue
		}
		best, most = r, by
	}
	if best == nil {
		return constant(&plan.Const{T: a.T})
	}
	return in.eval(a.Args[0], best)
}

// percentile is the value of the nearest rank, the lower one.
func percentile(values []any, percent float64) any {
	if len(values) == 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(values), order)
	rank := new(big.Rat).SetFloat64(percent)
	rank.Mul(rank, big.NewRat(int64(len(values)), 100))
	n := new(big.Int).Quo(rank.Num(), rank.Denom()).Int64()
	if !rank.IsInt() {
		n++
	}
	return sorted[max(n, 1)-1]
}

// collected is the array of values as a dynamic, for a set each once.
func collected(values []any, t schema.Type, set bool, most int64) any {
	seen := map[any]bool{}
	var parts []string
	for _, v := range values {
		if set && seen[keyOf(v)] || int64(len(parts)) >= most {
			continue
		}
		seen[keyOf(v)] = true
		parts = append(parts, dynamicOf(v, t).(string))
	}
	return "[" + strings.Join(parts, ",") + "]"
}
