package udf

import (
	"fmt"
	"math"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/wadi-project/wadi/internal/event"
)

const ticksPerDay = int64(event.TicksPerDay)

// times are functions of datetimes and timespans.
var times = []Func{
	plain("datetime_add", tTime, func(a []Value, out *Value) error {
		return addCalendar(string(a[0].S), a[1].I, a[2].I, out)
	}, tText, tLong, tTime),
	plain("unixtime", tTime, func(a []Value, out *Value) error {
		return addUnits(string(a[0].S), a[1].I, event.FromUnixMicros(0), out)
	}, tText, tLong),
	plain("unixtime_real", tTime, func(a []Value, out *Value) error {
		unit := float64(unitTicks[string(a[0].S)])
		if string(a[0].S) == "nanosecond" {
			unit = 0.01
		}
		ticks := a[1].F * unit
		if out.Null = !(math.Abs(ticks) < float64(event.MaxTicks)); !out.Null {
			inRange(event.FromUnixMicros(0)+event.Ticks(ticks), out)
		}
		return nil
	}, tText, tReal),
	startOf("startofday", "day", 0), startOf("endofday", "day", 1),
	startOf("startofweek", "week", 0), startOf("endofweek", "week", 1),
	startOf("startofmonth", "month", 0), startOf("endofmonth", "month", 1),
	startOf("startofyear", "year", 0), startOf("endofyear", "year", 1),
	scratched("format_datetime", tText, func() Eval { return newFormat(true) }, tTime, tText),
	scratched("format_timespan", tText, func() Eval { return newFormat(false) }, tSpan, tText),
	plain("make_datetime", tTime, makeDateTime, tLong, tLong, tLong, tLong, tLong, tReal),
	plain("make_timespan", tSpan, func(a []Value, out *Value) error {
		d, h, m, s := a[0].I, a[1].I, a[2].I, a[3].F
		out.Null = d < 0 || d > 10_675_198 || h < 0 || h > 23 || m < 0 || m > 59 || !(s >= 0 && s < 60)
		if !out.Null {
			out.I = d*ticksPerDay + (h*60+m)*int64(600_000_000) + int64(math.Round(s*1e7))
		}
		return nil
	}, tLong, tLong, tLong, tReal),
	scratched("datetime_utc_to_local", tTime, func() Eval { return newZone(false) }, tTime, tText),
	scratched("datetime_local_to_utc", tTime, func() Eval { return newZone(true) }, tTime, tText),
}

// inRange gives a datetime, null outside of the years 1 to 9999.
func inRange(t event.Ticks, out *Value) {
	out.I, out.Null = int64(t), t < event.MinTicks || t > event.MaxTicks
}

// unitTicks are the parts of a datetime that are a fixed number of ticks;
// nanoseconds are a hundredth of one.
var unitTicks = map[string]int64{
	"week": 7 * ticksPerDay, "day": ticksPerDay, "hour": int64(event.TicksPerHour), "minute": 600_000_000, "second": 10_000_000,
	"millisecond": 10_000, "microsecond": 10,
}

// addUnits gives t and n units; null outside of the years 1 to 9999.
func addUnits(part string, n int64, t event.Ticks, out *Value) error {
	unit, ok := unitTicks[part]
	switch {
	case part == "nanosecond":
		inRange(t+event.Ticks(n/100), out)
	case !ok:
		return fmt.Errorf("a datetime has no part %q", part)
	case n > int64(event.MaxTicks)/unit || n < -int64(event.MaxTicks)/unit:
		out.Null = true
	default:
		inRange(t+event.Ticks(n*unit), out)
	}
	return nil
}

// addCalendar adds years, quarters or months; a day that the month has not becomes
// its last one. Other parts are addUnits'.
func addCalendar(part string, n, at int64, out *Value) error {
	months := map[string]int64{"year": 12, "quarter": 3, "month": 1}[strings.ToLower(part)]
	if months == 0 {
		return addUnits(part, n, event.Ticks(at), out)
	}
	if out.Null = n > 200_000 || n < -200_000; out.Null { // far outside of the years 1 to 9999
		return nil
	}
	t := event.Ticks(at)
	date := t.Time()
	y, m, d := date.Date()
	month := int64(y)*12 + int64(m) - 1 + n*months
	if out.Null = month < 12 || month >= 120_000; out.Null {
		return nil
	}
	first := time.Date(int(month/12), time.Month(month%12+1), 1, 0, 0, 0, 0, time.UTC)
	d = min(d, first.AddDate(0, 1, -1).Day())
	inRange(event.FromTime(first.AddDate(0, 0, d-1))+t%event.Ticks(ticksPerDay), out)
	return nil
}

// startOf makes startofday(t, offset) and its kin: the start of the offset-th unit
// from the one that t is in, or (end) the last tick of it.
func startOf(name, unit string, end int64) Func {
	return plain(name, tTime, func(a []Value, out *Value) error {
		t, n := event.Ticks(a[0].I), a[1].I
		if out.Null = n > 4_000_000 || n < -4_000_000; out.Null {
			return nil
		}
		day := event.Ticks(ticksPerDay)
		var start, next event.Ticks
		switch unit {
		case "day":
			start = t/day*day + event.Ticks(n)*day
			next = start + day
		case "week": // 0001-01-01 is a Monday, weeks begin on Sundays
			start = (t+day)/(7*day)*(7*day) - day + event.Ticks(n)*7*day
			next = start + 7*day
		default:
			date := t.Time()
			months := int64(date.Year())*12 + int64(date.Month()) - 1 + n
			step := int64(1)
			if unit == "year" {
				months, step = (int64(date.Year())+n)*12, 12
			}
			if out.Null = months < 12 || months >= 120_000; out.Null {
				return nil
			}
			first := func(m int64) event.Ticks {
				return event.FromTime(time.Date(int(m/12), time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC))
			}
			start, next = first(months), first(months+step)
		}
		if end == 1 {
			start = next - 1
		} else if start < 0 && n == 0 {
			start = 0
		}
		inRange(start, out)
		return nil
	}, tTime, tLong)
}

func makeDateTime(a []Value, out *Value) error {
	y, m, d, h, mi, s := a[0].I, a[1].I, a[2].I, a[3].I, a[4].I, a[5].F
	out.Null = y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 || mi > 59 || !(s >= 0 && s < 60)
	if out.Null {
		return nil
	}
	date := time.Date(int(y), time.Month(m), int(d), int(h), int(mi), 0, 0, time.UTC)
	if out.Null = date.Day() != int(d); !out.Null {
		inRange(event.FromTime(date)+event.Ticks(math.Round(s*1e7)), out)
	}
	return nil
}

// newZone shifts between UTC and a zone's time. A local time that a zone skips
// counts as the hour before; one that it has twice is an error.
func newZone(toUTC bool) Eval {
	zones := map[string]*time.Location{}
	return func(a []Value, out *Value) error {
		zone, ok := zones[string(a[1].S)]
		if !ok {
			var err error
			if zone, err = Zone(string(a[1].S)); err != nil {
				return err
			}
			zones[string(a[1].S)] = zone
		}
		t := event.Ticks(a[0].I)
		offset := func(at event.Ticks) event.Ticks {
			_, seconds := at.Time().In(zone).Zone()
			return event.Ticks(seconds) * event.TicksPerSecond
		}
		if !toUTC {
			inRange(t+offset(t), out)
			return nil
		}
		day := event.Ticks(ticksPerDay)
		before, after := offset(max(t-day, 0)), offset(t+day)
		early, late := t-before, t-after // what t is when the offset is the one before (after) a change nearby
		okEarly, okLate := offset(max(early, 0)) == before, offset(max(late, 0)) == after
		switch {
		case okEarly && okLate && early != late:
			return fmt.Errorf("the local time %s is twice in %s", t, zone)
		case okEarly:
			inRange(early, out)
		case okLate:
			inRange(late, out)
		default: // skipped: the wall clock goes from before to after
			inRange(early-(after-before), out)
		}
		return nil
	}
}

// Zone finds a time zone by its IANA name.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("there is no time zone %q", name)
	}
	return zone, nil
}
