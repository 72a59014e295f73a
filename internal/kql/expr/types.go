package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/decimal"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// Bad stands for an expression that has been complained about.
func Bad() plan.Expr { return &plan.Const{} }

// Null is the null of a type; a string's is "".
func Null(t schema.Type) plan.Expr {
	if t == schema.String {
		return &plan.Const{T: t, V: ""}
	}
	return &plan.Const{T: t}
}

// Boolean is a literal of type bool.
func Boolean(v bool) plan.Expr { return &plan.Const{T: schema.Bool, V: v} }

// Long is a literal of type long.
func Long(v int64) plan.Expr { return &plan.Const{T: schema.Long, V: v} }

// Text is a literal of type string.
func Text(v string) *plan.Const { return &plan.Const{T: schema.String, V: v} }

// IsWhole tells whether a type is int or long.
func IsWhole(t schema.Type) bool { return t == schema.Int || t == schema.Long }

// IsNumber tells whether a type is int, long or real.
func IsNumber(t schema.Type) bool { return IsWhole(t) || t == schema.Real }

// Constant gives a literal, nil for any other expression.
func Constant(x plan.Expr) *plan.Const {
	c, _ := x.(*plan.Const)
	return c
}

// ConstText gives the text of a string literal.
func ConstText(x plan.Expr) (string, bool) {
	if c := Constant(x); c != nil && c.T == schema.String {
		s, ok := c.V.(string)
		return s, ok
	}
	return "", false
}

// ConstLong gives the value of a literal of whole numbers, times or spans.
func ConstLong(x plan.Expr) (int64, bool) {
	if c := Constant(x); c != nil {
		n, ok := c.V.(int64)
		return n, ok
	}
	return 0, false
}

// Call applies an operation, folded when its operands are literals.
func Call(op fn.Op, t schema.Type, args ...plan.Expr) plan.Expr {
	return fold(&plan.Call{Op: op, Args: args, T: t})
}

// Convert gives x as another type, null where it doesn't fit.
func Convert(x plan.Expr, to schema.Type) plan.Expr {
	if x.Type() == to {
		return x
	}
	if c := Constant(x); c != nil && c.V == nil {
		return Null(to)
	}
	if x.Type() == schema.Dynamic {
		return FromDynamic(x, to)
	}
	if to == schema.Dynamic {
		return ToDynamic(x)
	}
	name, ok := goConversions[conversion{x.Type(), to}]
	if sameInSQL := x.Type() == schema.String && (to == schema.Long || to == schema.Int || to == schema.Real); ok && (!sameInSQL || Constant(x) != nil) {
		return GoCall(name, x)
	}
	switch {
	case x.Type() == schema.Decimal && to == schema.Int:
		return Convert(Convert(x, schema.Long), to)
	case x.Type() == schema.Decimal && to == schema.Bool:
		return Convert(Convert(x, schema.Real), to)
	case x.Type() == schema.Int && to == schema.Decimal:
		return Convert(Convert(x, schema.Long), to)
	case x.Type() == schema.Bool && to == schema.Decimal:
		return Convert(Convert(x, schema.Long), to)
	case IsNumber(x.Type()) && x.Type() != schema.Long && (to == schema.DateTime || to == schema.TimeSpan):
		x = Convert(x, schema.Long) // ticks
	}
	ops := map[schema.Type]fn.Op{
		schema.String: fn.ToString, schema.Int: fn.ToInt, schema.Long: fn.ToLong, schema.Real: fn.ToReal, schema.Bool: fn.ToBool,
		schema.DateTime: fn.ToDateTime, schema.TimeSpan: fn.ToTimeSpan, schema.Guid: fn.ToGuid,
	}
	return Call(ops[to], to, x)
}

// conversion is a pair of types.
type conversion struct{ from, to schema.Type }

// goConversions are the conversions that functions in Go do. What SQL can do of them
// as well it does for columns, faster.
var goConversions = map[conversion]string{
	{schema.String, schema.Long}: "text_to_long", {schema.String, schema.Int}: "text_to_int", {schema.String, schema.Real}: "text_to_real",
	{schema.String, schema.Bool}: "text_to_bool", {schema.String, schema.DateTime}: "text_to_time", {schema.String, schema.TimeSpan}: "text_to_span",
	{schema.String, schema.Guid}: "text_to_guid", {schema.String, schema.Decimal}: "text_to_decimal", {schema.Long, schema.Decimal}: "long_to_decimal",
	{schema.Real, schema.Decimal}: "real_to_decimal", {schema.Decimal, schema.Long}: "decimal_to_long", {schema.Decimal, schema.Real}: "decimal_to_real",
}

// StringOf gives the text of a dynamic that is one element of a split.
func StringOf(x *plan.Call) plan.Expr {
	return &plan.Call{Op: fn.StringOfDynamic, Args: []plan.Expr{x}, T: schema.String}
}

// spacedDate gives datetime(2025, 6, 14) and datetime(2025 - 06 - 14), which Kusto
// reads as literals, as 2025-06-14; other texts as they are.
func spacedDate(s string) string {
	separator := "-"
	if strings.Contains(s, ",") {
		separator = ","
	}
	parts := strings.Split(s, separator)
	if len(parts) != 3 {
		return s
	}
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
		if strings.Trim(parts[i], "0123456789") != "" || parts[i] == "" || len(parts[i]) > 4 {
			return s
		}
		if i > 0 && len(parts[i]) == 1 {
			parts[i] = "0" + parts[i]
		}
	}
	return strings.Join(parts, "-")
}

// LiteralValue reads the text of a literal.
func LiteralValue(t schema.Type, s string) (*plan.Const, error) {
	if s == "null" && t != schema.String {
		return &plan.Const{T: t}, nil
	}
	switch t {
	case schema.String:
		return Text(s), nil
	case schema.Bool:
		switch strings.ToLower(s) {
		case "true", "1":
			return &plan.Const{T: t, V: true}, nil
		case "false", "0":
			return &plan.Const{T: t, V: false}, nil
		}
	case schema.Int, schema.Long:
		n, err := strconv.ParseInt(s, 0, 64)
		if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
			var u uint64
			u, err = strconv.ParseUint(s[2:], 16, 64)
			n = int64(u)
		} else if len(s) > 1 && s[0] == '0' {
			n, err = strconv.ParseInt(s, 10, 64)
		}
		if err == nil && !strings.Contains(s, "_") && (t == schema.Long || n >= math.MinInt32 && n <= math.MaxInt32) {
			return &plan.Const{T: t, V: n}, nil
		}
	case schema.Real:
		f, err := strconv.ParseFloat(s, 64)
		if err == nil && !strings.Contains(s, "_") {
			return &plan.Const{T: t, V: f}, nil
		}
	case schema.DateTime:
		ticks, err := fn.ParseTime(spacedDate(unquoted(s)))
		if err == nil {
			return &plan.Const{T: t, V: int64(ticks)}, nil
		}
	case schema.TimeSpan:
		n, err := fn.ParseSpan(unquoted(s))
		if err == nil {
			return &plan.Const{T: t, V: n}, nil
		}
	case schema.Decimal:
		if n, ok := decimal.Parse(unquoted(s)); ok {
			return &plan.Const{T: t, V: n.String()}, nil
		}
	case schema.Guid:
		if g, ok := guid(unquoted(s)); ok {
			return &plan.Const{T: t, V: g}, nil
		}
	}
	return nil, fmt.Errorf("cannot read %q as %s", s, t)
}

func unquoted(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// guid reads 32 hexadecimal digits, wherever hyphens stand among them, and gives
// the usual form in lower case.
func guid(s string) (string, bool) {
	s = strings.ReplaceAll(strings.ToLower(strings.Trim(s, "{}")), "-", "")
	if len(s) != 32 || strings.Trim(s, "0123456789abcdef") != "" {
		return "", false
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], true
}

// fold computes operations whose operands are constants where that helps to
// prune files or to check arguments; everything else is DuckDB's to fold.
func fold(x *plan.Call) plan.Expr {
	if x.Op == fn.ToString || x.Op == fn.ToInt {
		if c := foldConversion(x); c != nil {
			return c
		}
	}
	if x.Op == fn.ToReal || x.Op == fn.ToLong && x.Args[0].Type() == schema.Real {
		return foldReal(x)
	}
	values := make([]int64, len(x.Args))
	for i, a := range x.Args {
		v, ok := ConstLong(a)
		if !ok {
			return x
		}
		values[i] = v
	}
	v, ok := foldLong(x.Op, values)
	if !ok || !IsWhole(x.T) && x.T != schema.DateTime && x.T != schema.TimeSpan {
		return x
	}
	if x.T == schema.Int && v != int64(int32(v)) || x.T == schema.DateTime && (v < 0 || v > 3_155_378_975_999_999_999) {
		return x
	}
	return &plan.Const{T: x.T, V: v}
}

// foldConversion prints a constant, or makes an int of a real one: beyond the ends of
// int Kusto gives the smallest int for a constant.
func foldConversion(x *plan.Call) plan.Expr {
	c := Constant(x.Args[0])
	if c == nil || c.V == nil {
		return nil
	}
	switch v := c.V.(type) {
	case float64:
		if x.Op == fn.ToString {
			return Text(fn.FormatReal(v))
		}
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return Null(schema.Int)
		case v >= 1<<31 || v <= -1<<31-1:
			return &plan.Const{T: schema.Int, V: int64(math.MinInt32)}
		}
		return &plan.Const{T: schema.Int, V: int64(v)}
	case bool:
		if x.Op == fn.ToString && v {
			return Text("True")
		} else if x.Op == fn.ToString {
			return Text("False")
		}
	case string:
		if x.Op == fn.ToString {
			return Text(v)
		}
	case int64:
		switch {
		case x.Op != fn.ToString:
		case c.T == schema.DateTime:
			return Text(event.Ticks(v).String())
		case c.T == schema.TimeSpan:
			return Text(fn.FormatSpan(v))
		default:
			return Text(strconv.FormatInt(v, 10))
		}
	}
	return nil
}

// foldReal converts a constant to or from real. Beyond the ends of long Kusto gives
// the smallest long for a constant (for a column's value the nearest end).
func foldReal(x *plan.Call) plan.Expr {
	c := Constant(x.Args[0])
	if c == nil {
		return x
	}
	switch v := c.V.(type) {
	case int64:
		return &plan.Const{T: schema.Real, V: float64(v)}
	case float64:
		switch {
		case x.Op != fn.ToLong || v != v || math.IsInf(v, 0):
		case v >= 1<<63 || v < -1<<63:
			return Long(math.MinInt64)
		default:
			return Long(int64(v))
		}
	}
	return x
}

// foldCalendar computes the borders of days, weeks, months and years.
func foldCalendar(op fn.Op, t event.Ticks) (int64, bool) {
	const day, week = event.TicksPerDay, 7 * event.TicksPerDay
	border := func(months, years int) int64 {
		at := t.Time()
		month := at.Month()
		if op == fn.StartOfYear || op == fn.EndOfYear {
			month = time.January
		}
		return int64(event.FromTime(time.Date(at.Year()+years, month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)))
	}
	if t < 0 {
		return 0, false
	}
	weekStart := (t+day)/week*week - day // 0001-01-01 is a Monday
	switch op {
	case fn.StartOfDay:
		return int64(t / day * day), true
	case fn.EndOfDay:
		return int64(t/day*day + day - 1), true
	case fn.StartOfWeek:
		return int64(max(weekStart, 0)), true
	case fn.EndOfWeek:
		return int64(weekStart + week - 1), true
	case fn.StartOfMonth, fn.StartOfYear:
		return border(0, 0), true
	case fn.EndOfMonth:
		return border(1, 0) - 1, true
	case fn.EndOfYear:
		return border(0, 1) - 1, true
	}
	return 0, false
}

// foldLong computes on whole numbers; wrapping is Go's, as Kusto's.
func foldLong(op fn.Op, v []int64) (int64, bool) {
	switch {
	case op == fn.Neg && len(v) == 1:
		return -v[0], true
	case op >= fn.StartOfDay && op <= fn.EndOfYear:
		return foldCalendar(op, event.Ticks(v[0]))
	case op == fn.ToLong && len(v) == 1:
		return v[0], true
	case op == fn.ToInt && len(v) == 1: // the low half, as Kusto takes it
		return int64(int32(v[0])), true
	case len(v) != 2:
		return 0, false
	}
	switch op {
	case fn.Add:
		return v[0] + v[1], true
	case fn.Sub:
		return v[0] - v[1], true
	case fn.Mul:
		return v[0] * v[1], true
	case fn.Bin:
		if v[1] <= 0 {
			return 0, false
		}
		m := v[0] % v[1]
		if m < 0 {
			m += v[1]
		}
		return v[0] - m, true
	}
	return 0, false
}
