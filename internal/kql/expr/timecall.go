package expr

import (
	"math"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// borders are the operations of startofday and its kin.
var borders = map[string]fn.Op{
	"startofday": fn.StartOfDay, "startofweek": fn.StartOfWeek, "startofmonth": fn.StartOfMonth, "startofyear": fn.StartOfYear,
	"endofday": fn.EndOfDay, "endofweek": fn.EndOfWeek, "endofmonth": fn.EndOfMonth, "endofyear": fn.EndOfYear,
}

func (b *Binder) startOf(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 1, 2) || !b.take(x, args, schema.DateTime, schema.Long) {
		return Bad()
	}
	if len(args) == 1 {
		return Call(borders[x.Name], schema.DateTime, args...)
	}
	return GoCall(x.Name, args...)
}

// units are the parts of a datetime that are a fixed number of ticks.
var units = map[string]int64{
	"week": 7 * int64(event.TicksPerDay), "day": int64(event.TicksPerDay), "hour": int64(event.TicksPerHour), "minute": 600_000_000, "second": 10_000_000,
	"millisecond": 10_000, "microsecond": 10,
}

// partName gives the part of a datetime that an argument names, in lower case.
func (b *Binder) partName(x *syntax.Call, args []plan.Expr) string {
	s, ok := ConstText(args[0])
	if !ok {
		b.Refuse(x.Args[0].Pos(), x.Name+"() of a part that is not a string literal")
	}
	return strings.ToLower(s)
}

func span(ticks int64) plan.Expr { return &plan.Const{T: schema.TimeSpan, V: ticks} }

// timeCall binds functions of datetimes and timespans.
func (b *Binder) timeCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "datetime_add":
		return b.datetimeAdd(x, args)
	case "datetime_diff":
		return b.datetimeDiff(x, args)
	case "datetime_part":
		return b.datetimePart(x, args)
	case "datetime_local_to_utc", "datetime_utc_to_local":
		if !b.Count(x, 2, 2) || !b.take(x, args, schema.DateTime, schema.String) {
			return Bad()
		}
		if name, ok := ConstText(args[1]); ok {
			if _, err := udf.Zone(name); err != nil {
				b.Fail(x.Args[1].Pos(), err.Error(), `a name such as "Europe/Paris" is expected`)
				return Bad()
			}
		}
		return GoCall(x.Name, args...)
	case "format_datetime", "format_timespan":
		of := schema.DateTime
		if x.Name == "format_timespan" {
			of = schema.TimeSpan
		}
		if !b.Count(x, 2, 2) || !b.take(x, args, of, schema.String) {
			return Bad()
		}
		if format, ok := ConstText(args[1]); ok {
			if err := udf.ParseFormat(format, of == schema.DateTime); err != nil {
				b.Fail(x.Args[1].Pos(), err.Error(), "")
				return Bad()
			}
		}
		return GoCall(x.Name, args...)
	case "make_datetime", "make_timespan":
		return b.makeTime(x, args)
	case "around":
		if !b.Count(x, 3, 3) {
			return Bad()
		}
		lo, hi := b.sum(fn.Sub, args[1], args[2]), b.sum(fn.Add, args[1], args[2])
		if lo.Type() == 0 || hi.Type() == 0 {
			if args[0].Type() != 0 && args[1].Type() != 0 && args[2].Type() != 0 {
				b.Fail(x.Span, "around() does not take "+args[1].Type().String()+" and a distance of type "+args[2].Type().String(), "")
			}
			return Bad()
		}
		from, to := b.compare(fn.Ge, args[0], lo, x.Span), b.compare(fn.Le, args[0], hi, x.Span)
		if from.Type() == 0 || to.Type() == 0 {
			return Bad()
		}
		return &plan.Call{Op: fn.And, Args: []plan.Expr{from, to}, T: schema.Bool}
	}
	// ingestion_time(): when the row came into the lake.
	if b.Rows != nil && b.Count(x, 0, 0) {
		if c := b.Rows.Find("_IngestedAt"); c != nil {
			return c.Get()
		}
	}
	b.Refuse(x.Span, "ingestion_time() of rows that no table stores")
	return Bad()
}

// sum computes l op r where the types go together; else the result has no type and
// nothing is told.
func (b *Binder) sum(op fn.Op, l, r plan.Expr) plan.Expr {
	t := arithmeticType(op, l.Type(), r.Type())
	if t == 0 {
		return Bad()
	}
	if IsNumber(t) {
		l, r = Convert(l, t), Convert(r, t)
	}
	return Call(op, t, l, r)
}

func (b *Binder) datetimeAdd(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 3, 3) || !b.take(x, args, schema.String, schema.Long, schema.DateTime) {
		return Bad()
	}
	part := b.partName(x, args)
	unit, fixed := units[part]
	n, isConst := ConstLong(args[1])
	switch {
	case fixed && isConst && n < math.MaxInt64/unit && n > math.MinInt64/unit:
		return Call(fn.Add, schema.DateTime, args[2], span(n*unit))
	case fixed, part == "nanosecond", part == "year", part == "quarter", part == "month":
		return GoCall("datetime_add", Text(part), args[1], args[2])
	}
	b.Fail(x.Args[0].Pos(), "a datetime has no part '"+part+"'", "year, quarter, month, week, day, hour, minute, second, millisecond, microsecond or nanosecond is expected")
	return Bad()
}

// datetimeDiff counts the borders of a part between two datetimes; weeks begin on
// Sundays.
func (b *Binder) datetimeDiff(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 3, 3) || !b.take(x, args, schema.String, schema.DateTime) {
		return Bad()
	}
	part := b.partName(x, args)
	of := func(count func(t plan.Expr) plan.Expr) plan.Expr {
		return Call(fn.Sub, schema.Long, count(args[1]), count(args[2]))
	}
	ticks := func(t plan.Expr) plan.Expr { return Convert(t, schema.Long) }
	months := func(t plan.Expr) plan.Expr {
		year := Call(fn.Mul, schema.Long, Convert(Call(fn.GetYear, schema.Int, t), schema.Long), Long(12))
		return Call(fn.Add, schema.Long, year, Convert(Call(fn.MonthOfYear, schema.Int, t), schema.Long))
	}
	unit, fixed := units[part]
	switch {
	case part == "week":
		return Convert(of(func(t plan.Expr) plan.Expr {
			return Call(fn.Div, schema.Long, Call(fn.Add, schema.Long, ticks(t), Long(int64(event.TicksPerDay))), Long(unit))
		}), schema.Real)
	case fixed:
		return of(func(t plan.Expr) plan.Expr { return Call(fn.Div, schema.Long, ticks(t), Long(unit)) })
	case part == "nanosecond":
		return Call(fn.Mul, schema.Long, of(ticks), Long(100))
	case part == "month":
		return of(months)
	case part == "quarter": // months count from 1, so that 3 of them end a quarter
		return of(func(t plan.Expr) plan.Expr {
			return Call(fn.Div, schema.Long, Call(fn.Sub, schema.Long, months(t), Long(1)), Long(3))
		})
	case part == "year":
		return of(func(t plan.Expr) plan.Expr { return Convert(Call(fn.GetYear, schema.Int, t), schema.Long) })
	}
	b.Fail(x.Args[0].Pos(), "a datetime has no part '"+part+"'", "year, quarter, month, week, day, hour, minute, second, millisecond, microsecond or nanosecond is expected")
	return Bad()
}

func (b *Binder) datetimePart(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 2, 2) || !b.take(x, args, schema.String, schema.DateTime) {
		return Bad()
	}
	part, t := b.partName(x, args), args[1]
	calendar := map[string]fn.Op{
		"year": fn.GetYear, "month": fn.MonthOfYear, "day": fn.DayOfMonth, "dayofyear": fn.DayOfYear, "hour": fn.HourOfDay,
		"week_of_year": fn.WeekOfYear,
	}
	if op := calendar[part]; op != 0 {
		return Call(op, schema.Int, t)
	}
	ticks := Convert(t, schema.Long)
	of := func(unit, modulus, times int64) plan.Expr {
		n := Call(fn.Mod, schema.Long, Call(fn.Div, schema.Long, ticks, Long(unit)), Long(modulus))
		return Convert(Call(fn.Mul, schema.Long, n, Long(times)), schema.Int)
	}
	switch part {
	case "quarter":
		month := Convert(Call(fn.MonthOfYear, schema.Int, t), schema.Long)
		return Convert(Call(fn.Div, schema.Long, Call(fn.Add, schema.Long, month, Long(2)), Long(3)), schema.Int)
	case "minute":
		return of(600_000_000, 60, 1)
	case "second":
		return of(10_000_000, 60, 1)
	case "millisecond":
		return of(10_000, 1000, 1)
	case "microsecond":
		return of(10, 1_000_000, 1)
	case "nanosecond":
		return of(1, 10_000_000, 100)
	}
	b.Fail(x.Args[0].Pos(), "a datetime has no part '"+part+"'", "")
	return Bad()
}

// makeTime binds make_datetime(year, month, day[, hour, minute[, second]]) and
// make_timespan([day,] hour, minute[, second]).
func (b *Binder) makeTime(x *syntax.Call, args []plan.Expr) plan.Expr {
	whole, most := 5, 6
	if x.Name == "make_timespan" {
		whole, most = 3, 4
	}
	n := len(args)
	if !b.Count(x, 2, most) {
		return Bad()
	}
	if x.Name == "make_datetime" && (n == 2 || n == 4) {
		b.Count(x, most+1, most)
		return Bad()
	}
	if x.Name == "make_timespan" && n < 4 {
		args = append([]plan.Expr{Long(0)}, args...)
	}
	for len(args) < most {
		args = append(args, Long(0))
	}
	want := make([]schema.Type, most)
	for i := range want {
		if want[i] = schema.Long; i >= whole {
			want[i] = schema.Real
		}
	}
	for i := range args {
		if t := args[i].Type(); !IsWhole(t) && t != schema.Dynamic && !(i >= whole && t == schema.Real) {
			b.Refuse(x.Span, x.Name+"() of a value of type "+t.String())
			return Bad()
		}
		args[i] = Convert(args[i], want[i])
	}
	return GoCall(x.Name, args...)
}

// unixTime binds unixtime_seconds_todatetime() and its kin.
func (b *Binder) unixTime(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 1, 1) {
		return Bad()
	}
	v := TextOfSplit(args[0])
	if v.Type() == schema.Dynamic {
		v = Convert(v, schema.Long)
	}
	if !IsNumber(v.Type()) {
		b.WrongType(x, 0, v.Type())
		return Bad()
	}
	if v.Type() == schema.Int {
		v = Convert(v, schema.Long)
	}
	part := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(x.Name, "unixtime_"), "_todatetime"), "s")
	if v.Type() == schema.Real {
		return GoCall("unixtime_real", Text(part), v)
	}
	return GoCall("unixtime", Text(part), v)
}
