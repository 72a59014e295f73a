package duck

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// simple are functions that DuckDB has with Kusto's meaning.
var simple = map[fn.Op]string{
	fn.ToLower: "lower", fn.StrRep: "repeat", fn.ReplaceString: "replace",
	fn.Abs: "abs", fn.Ceiling: "ceil", fn.Exp: "exp", fn.Pow: "pow", fn.Round: "round",
	fn.Sin: "sin", fn.Cos: "cos", fn.Tan: "tan", fn.Asin: "asin", fn.Acos: "acos", fn.Atan: "atan", fn.IntXor: "xor",
	fn.MinOf: "least", fn.MaxOf: "greatest", fn.IsNaN: "isnan", fn.IsInf: "isinf", fn.IsFinite: "isfinite",
}

func (e *emitter) function(c *plan.Call) string {
	a := e.all(c.Args)
	if e.err != nil {
		return ""
	}
	if c.Op == fn.Abs && c.T != schema.Real && rangeOf(c.Args[0]).lo <= -limit {
		return wrap("abs(CAST(" + a[0] + " AS HUGEINT))")
	}
	if c.Op == fn.Round && len(a) == 2 {
		return "round(" + a[0] + ", " + bare(c.Args[1].(*plan.Const)) + ")"
	}
	if sql, ok := scalarOp(c.Op, a); ok {
		return sql
	}
	if name, ok := simple[c.Op]; ok {
		return name + "(" + strings.Join(a, ", ") + ")"
	}
	switch c.Op {
	case fn.ToUpper: // DuckDB makes ß an ẞ, Kusto lets it be
		return "(CASE WHEN contains(" + a[0] + ", 'ß') THEN array_to_string(list_transform(string_split(" + a[0] + ", 'ß'), lambda p: upper(p)), 'ß') ELSE upper(" + a[0] + ") END)"
	case fn.Sign: // DuckDB's is a TINYINT
		return "CAST(sign(" + a[0] + ") AS DOUBLE)"
	case fn.StrLen:
		return "CAST(length(" + a[0] + ") AS BIGINT)"
	case fn.IndexOf:
		return "(CASE WHEN " + a[1] + " = '' THEN NULL ELSE CAST(strpos(" + a[0] + ", " + a[1] + ") - 1 AS BIGINT) END)"
	case fn.Substring:
		return e.substring(c, a)
	case fn.Extract:
		return orEmpty("regexp_extract(" + a[0] + ", " + a[1] + ", " + bare(c.Args[2].(*plan.Const)) + ")")
	case fn.Split:
		return "CAST(to_json(string_split(" + a[0] + ", " + a[1] + ")) AS VARCHAR)"
	case fn.SplitAt:
		return "CAST(to_json(" + e.element(c) + ") AS VARCHAR)"
	case fn.StringOfDynamic:
		return orEmpty(e.element(c.Args[0].(*plan.Call)))
	case fn.Strcat:
		return "(" + strings.Join(a, " || ") + ")"
	case fn.StrcatDelim:
		return "concat_ws(" + strings.Join(a, ", ") + ")"
	case fn.Sqrt:
		return "(CASE WHEN " + a[0] + " < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt(" + a[0] + ") END)"
	case fn.Log, fn.Log2, fn.Log10:
		name := map[fn.Op]string{fn.Log: "ln", fn.Log2: "log2", fn.Log10: "log10"}[c.Op]
		return "(CASE WHEN " + a[0] + " < 0 THEN CAST('NaN' AS DOUBLE) WHEN " + a[0] + " = 0 THEN CAST('-Infinity' AS DOUBLE) ELSE " + name + "(" + a[0] + ") END)"
	case fn.ItemID:
		return orEmpty("lower(to_hex(" + a[0] + ") || '-' || to_hex(" + a[1] + "))")
	}
	e.err = fmt.Errorf("cannot write SQL for the operation %s", c.Op)
	return ""
}

// element is split(text, separator)[i] as text; DuckDB counts from 1, and from
// the end with negative numbers as Kusto does.
func (e *emitter) element(c *plan.Call) string {
	list := "string_split(" + e.value(c.Args[0]) + ", " + e.value(c.Args[1]) + ")"
	if k, ok := c.Args[2].(*plan.Const); ok {
		if n, isInt := k.V.(int64); isInt {
			if n >= 0 {
				n++
			}
			return list + "[" + strconv.FormatInt(n, 10) + "]"
		}
	}
	i := e.value(c.Args[2])
	return list + "[CASE WHEN " + i + " < 0 THEN " + i + " ELSE " + i + " + 1 END]"
}

// substring counts code points from 0; a negative start counts from the end, and
// before the text's start there is nothing.
func (e *emitter) substring(c *plan.Call, a []string) string {
	count := ""
	if len(a) > 2 {
		count = ", greatest(" + a[2] + ", 0)"
	}
	start, isConst := c.Args[1].(*plan.Const)
	if n, ok := any(nil), false; isConst {
		n = start.V
		if v, isInt := n.(int64); isInt && v >= 0 {
			ok = true
		}
		if ok {
			return orEmpty("substring(" + a[0] + ", " + a[1] + " + 1" + count + ")")
		}
	}
	from := "(CASE WHEN " + a[1] + " < 0 THEN length(" + a[0] + ") + " + a[1] + " ELSE " + a[1] + " END)"
	return "(CASE WHEN " + from + " < 0 THEN '' ELSE coalesce(substring(" + a[0] + ", " + from + " + 1" + count + "), '') END)"
}

// stamp turns ticks into DuckDB's TIMESTAMP, floored to microseconds.
func stamp(ticks string) string {
	return "make_timestamp((" + ticks + ") // 10 - " + epochUS + ")"
}

// ticks turns a TIMESTAMP into ticks.
func ticks(stamp string) string { return "(epoch_us(" + stamp + ") * 10 + 621355968000000000)" }

// calendar writes the functions of dates. Days and weeks are arithmetic; months
// and years need DuckDB's calendar.
func (e *emitter) calendar(c *plan.Call) string {
	const day, week = "864000000000", "6048000000000"
	v := e.value(c.Args[0])
	int32 := func(sql string) string { return "CAST(" + sql + " AS INTEGER)" }
	switch c.Op {
	case fn.StartOfDay:
		return e.bin(&plan.Call{Op: fn.Bin, Args: []plan.Expr{c.Args[0], &plan.Const{T: schema.TimeSpan, V: int64(event.TicksPerDay)}}, T: schema.DateTime})
	case fn.EndOfDay:
		return "(" + v + " // " + day + " * " + day + " + " + day + " - 1)"
	case fn.StartOfWeek: // 0001-01-01 is a Monday, weeks begin on Sundays
		start := "((" + v + " + " + day + ") // " + week + " * " + week + " - " + day + ")"
		return "(CASE WHEN " + start + " < 0 THEN 0 ELSE " + start + " END)"
	case fn.EndOfWeek:
		end := "((" + v + " + " + day + ") // " + week + " * " + week + " - " + day + " + " + week + " - 1)"
		return "(CASE WHEN " + end + " <= 3155378975999999999 THEN " + end + " END)" // the last week reaches into the year 10000
	case fn.DayOfWeek:
		return "((" + v + " // " + day + " + 1) % 7 * " + day + ")"
	case fn.StartOfMonth:
		return ticks("date_trunc('month', " + stamp(v) + ")")
	case fn.StartOfYear:
		return ticks("date_trunc('year', " + stamp(v) + ")")
	case fn.EndOfMonth:
		return "(" + ticks("date_trunc('month', "+stamp(v)+") + INTERVAL 1 MONTH") + " - 1)"
	case fn.EndOfYear:
		return "(" + ticks("date_trunc('year', "+stamp(v)+") + INTERVAL 1 YEAR") + " - 1)"
	case fn.GetYear:
		return int32("year(" + stamp(v) + ")")
	case fn.MonthOfYear:
		return int32("month(" + stamp(v) + ")")
	case fn.DayOfMonth:
		return int32("day(" + stamp(v) + ")")
	case fn.DayOfYear:
		return int32("dayofyear(" + stamp(v) + ")")
	case fn.WeekOfYear:
		return int32("week(" + stamp(v) + ")")
	}
	return int32("(" + v + ") // 36000000000 % 24") // hourofday
}
