package refinterp

import (
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
)

// calendar evaluates the functions of dates.
func calendar(op fn.Op, v any) any {
	if v == nil {
		return nil
	}
	ticks := event.Ticks(v.(int64))
	t := ticks.Time()
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	sunday := midnight.AddDate(0, 0, -int(midnight.Weekday()))
	month := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	year := time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	from := func(t time.Time) any { return max(int64(event.FromTime(t)), 0) }
	before := func(t time.Time) any { // null beyond the year 9999
		if end := int64(event.FromTime(t)) - 1; end <= int64(event.MaxTicks) {
			return end
		}
		return nil
	}
	switch op {
	case fn.StartOfDay:
		return from(midnight)
	case fn.StartOfWeek:
		if sunday.Year() < 1 {
			return int64(0)
		}
		return from(sunday)
	case fn.StartOfMonth:
		return from(month)
	case fn.StartOfYear:
		return from(year)
	case fn.EndOfDay:
		return before(midnight.AddDate(0, 0, 1))
	case fn.EndOfWeek:
		return before(sunday.AddDate(0, 0, 7))
	case fn.EndOfMonth:
		return before(month.AddDate(0, 1, 0))
	case fn.EndOfYear:
		return before(year.AddDate(1, 0, 0))
	case fn.GetYear:
		return int64(t.Year())
	case fn.MonthOfYear:
		return int64(t.Month())
	case fn.DayOfMonth:
		return int64(t.Day())
	case fn.DayOfYear:
		return int64(t.YearDay())
	case fn.HourOfDay:
		return int64(t.Hour())
	}
	return int64(t.Weekday()) * int64(event.TicksPerDay)
}
