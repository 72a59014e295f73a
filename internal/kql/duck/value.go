package duck

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// epochUS is 1970 in microseconds since year 1.
const epochUS = "62135596800000000"

func ticksOf(k *plan.Const) (us int64, sub int32) {
	n, _ := k.V.(int64)
	return event.Ticks(n).UnixMicros()
}

// timestamp prints a moment as a constant of a stored timestamp's type.
func timestamp(us int64) string {
	t := event.FromUnixMicros(us)
	text := string(t.AppendISO(nil, 6))
	return "TIMESTAMPTZ '" + strings.Replace(strings.TrimSuffix(text, "Z"), "T", " ", 1) + "+00'"
}

// value writes an expression, exact also in its nulls.
func (e *emitter) value(x plan.Expr) string {
	if e.err != nil {
		return ""
	}
	switch x := x.(type) {
	case *plan.Const:
		return literal(x)
	case *plan.Ref:
		return column(x.ID)
	case *plan.Scalar:
		return e.scalarRows(x)
	case *plan.InRows:
		return "coalesce(" + e.inRows(x) + ", false)"
	case *plan.Call:
		sql := e.call(x)
		if e.size += len(sql) / 8; len(sql) > maxSQL || e.size > 16*maxSQL {
			e.tooLong()
			return ""
		}
		return sql
	}
	e.err = fmt.Errorf("cannot write SQL for a %T", x)
	return ""
}

func (e *emitter) call(c *plan.Call) string {
	switch {
	case isTextSearch(c.Op):
		return e.search(c, false)
	case c.Op >= fn.StartOfDay && c.Op <= fn.HourOfDay, c.Op == fn.WeekOfYear:
		return e.calendar(c)
	}
	switch c.Op {
	case fn.StoredText:
		return orEmpty(e.value(c.Args[0]))
	case fn.StoredTicks:
		return e.storedTicks(c)
	case fn.StoredCast:
		return "nullif(" + e.value(c.Args[0]) + ", '')"
	case fn.StoredDynamic:
		text := e.value(c.Args[0])
		return "(CASE WHEN " + text + " IS NOT NULL THEN wadi_text_value(" + text + ") END)"
	case fn.Neg, fn.Add, fn.Sub, fn.Mul, fn.Div, fn.Mod:
		return e.arithmetic(c)
	case fn.Eq, fn.Ne, fn.Lt, fn.Le, fn.Gt, fn.Ge:
		return e.compareValue(c)
	case fn.In:
		return "coalesce(" + e.cond(c) + ", false)"
	case fn.EqFold, fn.InFold:
		return e.foldCompare(c, false)
	case fn.And, fn.Or:
		word := map[fn.Op]string{fn.And: " AND ", fn.Or: " OR "}[c.Op]
		return "(" + strings.Join(e.all(c.Args), word) + ")"
	case fn.Not:
		return "(NOT " + e.value(c.Args[0]) + ")"
	case fn.Bin, fn.BinAt:
		return e.bin(c)
	case fn.If:
		return e.choice(c)
	case fn.Coalesce:
		return e.coalesce(c)
	case fn.IsNull:
		of := c.Args[0]
		if s, ok := of.(*plan.Call); ok && s.Op == fn.StoredDynamic {
			of = s.Args[0]
		}
		return "(" + e.value(of) + " IS NULL)"
	case fn.ToString, fn.ToInt, fn.ToLong, fn.ToReal, fn.ToBool, fn.ToDateTime, fn.ToGuid, fn.ToTimeSpan:
		return e.conversion(c)
	case fn.ToDynamic:
		return e.toDynamic(c.Args[0])
	case fn.Go:
		return e.goFunction(c)
	case fn.SystemXML:
		return e.systemXML(c)
	}
	return e.function(c)
}

func (e *emitter) all(args []plan.Expr) []string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = e.value(a)
	}
	return parts
}

// orEmpty writes a text, null as "". concat does what coalesce does, but lets
// DuckDB keep a column's dictionary: what is computed of it above is computed once
// for each distinct text of a row group and not for each row (3 to 10 times faster).
func orEmpty(text string) string { return "concat(" + text + ")" }

func (e *emitter) storedTicks(c *plan.Call) string {
	us := "epoch_us(" + e.value(c.Args[0]) + ")"
	if len(c.Args) == 1 {
		return "(" + us + " * 10 + 621355968000000000)"
	}
	return "(" + us + " * 10 + coalesce(" + e.value(c.Args[1]) + ", 0) + 621355968000000000)"
}

func (e *emitter) choice(c *plan.Call) string {
	var b strings.Builder
	b.WriteString("(CASE")
	last := len(c.Args) - 1
	for i := 0; i < last; i += 2 {
		b.WriteString(" WHEN " + e.cond(c.Args[i]) + " THEN " + e.value(c.Args[i+1]))
	}
	b.WriteString(" ELSE " + e.value(c.Args[last]) + " END)")
	return b.String()
}

// coalesce takes the first value that is not null, of strings not "".
func (e *emitter) coalesce(c *plan.Call) string {
	parts := e.all(c.Args)
	if c.T == schema.String {
		for i := range parts {
			parts[i] = "nullif(" + parts[i] + ", '')"
		}
		parts = append(parts, "''")
	}
	return "coalesce(" + strings.Join(parts, ", ") + ")"
}

// span is a range of values, as wide as can't be ruled out.
type span struct{ lo, hi float64 }

// limit is what a BIGINT surely holds; the gap to 2^63 pays for float64.
const limit = 9.2e18

// rangeOf bounds a whole number, a datetime or a timespan.
func rangeOf(x plan.Expr) span {
	switch x := x.(type) {
	case *plan.Const:
		if n, ok := x.V.(int64); ok {
			return span{float64(n), float64(n)}
		}
	case *plan.Call:
		switch x.Op {
		case fn.ToLong:
			if t := x.Args[0].Type(); t == schema.Int || t == schema.Bool {
				return span{-1 << 31, 1 << 31}
			}
		case fn.StrLen, fn.IndexOf:
			return span{-1, 1 << 31}
		case fn.Bin:
			r := rangeOf(x.Args[0])
			if step, ok := x.Args[1].(*plan.Const); ok && x.T != schema.DateTime {
				n, _ := step.V.(int64)
				r.lo -= float64(n)
			}
			return within(r, x.T)
		case fn.Add, fn.Sub:
			return within(combine(x.Op, rangeOf(x.Args[0]), rangeOf(x.Args[1])), x.T)
		}
	}
	return typeRange(x.Type())
}

// within cuts a range to its type's; one beyond what a BIGINT holds wraps, so that
// it can be anything.
func within(r span, t schema.Type) span {
	all := typeRange(t)
	switch {
	case t == schema.DateTime: // beyond it is null
		return span{max(r.lo, all.lo), min(r.hi, all.hi)}
	case r.lo <= -limit || r.hi >= limit || t == schema.Int && (r.lo < all.lo || r.hi > all.hi):
		return all
	}
	return r
}

func typeRange(t schema.Type) span {
	switch t {
	case schema.Int:
		return span{-1 << 31, 1 << 31}
	case schema.DateTime:
		return span{0, 3.2e18}
	}
	return span{-9.3e18, 9.3e18}
}

func combine(op fn.Op, a, b span) span {
	switch op {
	case fn.Add:
		return span{a.lo + b.lo, a.hi + b.hi}
	case fn.Sub:
		return span{a.lo - b.hi, a.hi - b.lo}
	}
	p := []float64{a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi}
	return span{min(p[0], p[1], p[2], p[3]), max(p[0], p[1], p[2], p[3])}
}

var signs = map[fn.Op]string{fn.Add: " + ", fn.Sub: " - ", fn.Mul: " * "}

func (e *emitter) arithmetic(c *plan.Call) string {
	l := e.value(c.Args[0])
	lt := c.Args[0].Type()
	if c.Op == fn.Neg {
		if lt == schema.Real {
			return "(-" + l + ")"
		}
		if rangeOf(c.Args[0]).lo > -limit {
			return "(-" + l + ")"
		}
		return wrap("0 - CAST(" + l + " AS HUGEINT)")
	}
	r := e.value(c.Args[1])
	rt := c.Args[1].Type()
	if lt == schema.Real || rt == schema.Real {
		return e.realArithmetic(c, l, r)
	}
	switch c.Op {
	case fn.Div:
		return e.division(c, l, r)
	case fn.Mod:
		if k, ok := c.Args[1].(*plan.Const); ok {
			if n, isInt := k.V.(int64); isInt && n > 0 && n < 1<<62 {
				return fmt.Sprintf("((%s %% %d + %d) %% %d)", l, n, n, n)
			}
		}
		// Euclid's: never negative. The remainder fits, its absolute divisor too.
		return fmt.Sprintf("CAST((CAST(%s AS HUGEINT) %% abs(CAST(%s AS HUGEINT)) + abs(CAST(%s AS HUGEINT))) %% abs(CAST(%s AS HUGEINT)) AS BIGINT)", l, r, r, r)
	}
	got := combine(c.Op, rangeOf(c.Args[0]), rangeOf(c.Args[1]))
	sum := "(" + l + signs[c.Op] + r + ")"
	fits := got.lo > -limit && got.hi < limit
	if c.T == schema.DateTime { // beyond the years 1 to 9999 there is no datetime
		if !fits {
			sum = "(CAST(" + l + " AS HUGEINT)" + signs[c.Op] + r + ")"
		}
		return fmt.Sprintf("CAST(CASE WHEN %s BETWEEN 0 AND %d THEN %s END AS BIGINT)", sum, int64(event.MaxTicks), sum)
	}
	if fits {
		return sum
	}
	return wrap("CAST(" + l + " AS HUGEINT)" + signs[c.Op] + r)
}

// realArithmetic also covers a timespan times or by a real.
func (e *emitter) realArithmetic(c *plan.Call, l, r string) string {
	sql := ""
	switch c.Op {
	case fn.Div:
		sql = "(" + l + " / " + r + ")"
	case fn.Mod:
		sql = "(CASE WHEN " + r + " = 0 THEN CAST('NaN' AS DOUBLE) + " + l + " ELSE " + l + " - abs(" + r + ") * floor(" + l + " / abs(" + r + ")) END)"
	default:
		sql = "(" + l + signs[c.Op] + r + ")"
	}
	if c.T == schema.TimeSpan {
		return "TRY_CAST(trunc(" + sql + ") AS BIGINT)"
	}
	return sql
}

func (e *emitter) division(c *plan.Call, l, r string) string {
	if c.T == schema.Real { // timespan / timespan
		return "(CAST(" + l + " AS DOUBLE) / CAST(" + r + " AS DOUBLE))"
	}
	if k, ok := c.Args[1].(*plan.Const); ok {
		if n, isInt := k.V.(int64); isInt && n != -1 {
			return "(" + l + " // " + r + ")"
		}
	}
	return wrap("CAST(" + l + " AS HUGEINT) // " + r)
}

// bin rounds down to a multiple of a step, counted from year 1 for datetimes.
func (e *emitter) bin(c *plan.Call) string {
	step, isConst := c.Args[1].(*plan.Const)
	if c.T == schema.Real {
		v, s := e.value(c.Args[0]), e.value(c.Args[1])
		if c.Op == fn.BinAt {
			at := e.value(c.Args[2])
			return "(CASE WHEN " + s + " > 0 THEN " + at + " + floor((" + v + " - " + at + ") / " + s + ") * " + s + " END)"
		}
		return "(CASE WHEN " + s + " > 0 THEN floor(" + v + " / " + s + ") * " + s + " END)"
	}
	n, _ := int64(0), false
	if isConst {
		n, _ = step.V.(int64)
	}
	if c.Op == fn.BinAt {
		v, s, at := e.value(c.Args[0]), e.value(c.Args[1]), e.value(c.Args[2])
		m := "((CAST(" + v + " AS HUGEINT) - " + at + ") % " + s + " + " + s + ") % " + s
		return "(CASE WHEN " + s + " > 0 THEN CAST(" + v + " - " + m + " AS BIGINT) END)"
	}
	if stored, ok := c.Args[0].(*plan.Call); ok && stored.Op == fn.StoredTicks && n > 0 && n%10 == 0 {
		us := strconv.FormatInt(n/10, 10)
		return "((epoch_us(" + e.value(stored.Args[0]) + ") + " + epochUS + ") // " + us + " * " + strconv.FormatInt(n, 10) + ")"
	}
	v := e.value(c.Args[0])
	if isConst && n > 0 {
		s := strconv.FormatInt(n, 10)
		if c.T == schema.DateTime {
			return "(" + v + " // " + s + " * " + s + ")"
		}
		return e.binDown(c, v, s, n)
	}
	s := e.value(c.Args[1])
	return "(CASE WHEN " + s + " > 0 THEN " + low64("CAST("+v+" AS HUGEINT) - (CAST("+v+" AS HUGEINT) % "+s+" + "+s+") % "+s, c.T) + " END)"
}

// binDown writes bin of a whole number with a constant step. The multiple below
// the least numbers wraps, as all whole arithmetic does.
func (e *emitter) binDown(c *plan.Call, v, s string, n int64) string {
	if n == 1 {
		return v
	}
	least := int64(math.MinInt64)
	if c.T == schema.Int {
		least = math.MinInt32
	}
	wide := "CAST(" + v + " AS HUGEINT)"
	wrapped := low64(wide+" - ("+wide+" % "+s+" + "+s+") % "+s, c.T)
	if n > 1<<62 { // v % s + s might not fit
		return wrapped
	}
	sql := "(" + v + " - (" + v + " % " + s + " + " + s + ") % " + s + ")"
	if c.T == schema.Int {
		sql = "CAST(" + sql + " AS INTEGER)"
	}
	if rangeOf(c.Args[0]).lo-float64(n) > max(float64(least), -limit) {
		return sql
	}
	return "(CASE WHEN " + v + " IS NULL OR " + v + " > " + strconv.FormatInt(least+n, 10) + " THEN " + sql + " ELSE " + wrapped + " END)"
}

// low64 brings a HUGEINT into the range of a type as two's complement does.
func low64(huge string, t schema.Type) string {
	if t != schema.Int {
		return wrap(huge)
	}
	return "CAST(((" + huge + " + 2147483648) % 4294967296 + 4294967296) % 4294967296 - 2147483648 AS INTEGER)"
}

// systemXML gives an event's whole text: System as kept or rebuilt, and the rest.
func (e *emitter) systemXML(c *plan.Call) string {
	parts := e.all(c.Args)
	kept, rest, system := parts[0], parts[1], parts[2:]
	system[1] = "epoch_us(" + system[1] + ")"
	return "coalesce(coalesce(" + kept + ", wadi_system_xml(" + strings.Join(system, ", ") + ")) || " + rest + ", '')"
}
