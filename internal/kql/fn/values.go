package fn

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wadi-project/wadi/internal/event"
)

// Units of a timespan in ticks.
const (
	tick   = 1
	milli  = 10_000 * tick
	second = 1000 * milli
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// spanUnits are the suffixes of a timespan literal in ticks.
var spanUnits = map[string]float64{
	"d": day, "day": day, "days": day,
	"h": hour, "hr": hour, "hrs": hour, "hour": hour, "hours": hour,
	"m": minute, "min": minute, "minute": minute, "minutes": minute,
	"s": second, "sec": second, "second": second, "seconds": second,
	"ms": milli, "milli": milli, "millis": milli, "millisecond": milli, "milliseconds": milli,
	"micro": 10, "micros": 10, "microsecond": 10, "microseconds": 10,
	"nano": 0.01, "nanos": 0.01, "nanosecond": 0.01, "nanoseconds": 0.01,
	"tick": 1, "ticks": 1,
}

// ParseSpan reads a timespan: 1d, 1.5h, d.hh:mm:ss.fffffff with its parts left
// out as Kusto allows, or a plain number of days.
func ParseSpan(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if n := strings.IndexFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' }); n > 0 && !strings.Contains(s, ":") {
		unit, ok := spanUnits[s[n:]]
		if !ok {
			return 0, fmt.Errorf("cannot read the timespan %q: unknown unit", s)
		}
		return scaled(strings.TrimSpace(s[:n]), unit)
	}
	if !strings.Contains(s, ":") {
		return scaled(s, day)
	}
	return parseClock(s)
}

func scaled(number string, unit float64) (int64, error) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && unit >= 1 {
		if n > math.MaxInt64/int64(unit) || n < math.MinInt64/int64(unit) {
			return 0, fmt.Errorf("cannot hold a timespan of %s units of %g ticks", number, unit)
		}
		return n * int64(unit), nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f*unit) >= math.MaxInt64 {
		return 0, fmt.Errorf("cannot read the timespan %q", number)
	}
	return int64(math.Round(f * unit)), nil
}

// parseClock reads [-][d.]hh:mm[:ss[.fffffff]].
func parseClock(s string) (int64, error) {
	bad := func() (int64, error) {
		return 0, fmt.Errorf("cannot read the timespan %q: the form is d.hh:mm:ss.fffffff", s)
	}
	rest, negative := strings.CutPrefix(s, "-")
	parts := strings.Split(rest, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return bad()
	}
	var days, fraction int64
	if d, h, ok := strings.Cut(parts[0], "."); ok {
		n, err := strconv.ParseUint(d, 10, 24)
		if err != nil {
			return bad()
		}
		days, parts[0] = int64(n), h
	}
	if len(parts) == 3 {
		if sec, f, ok := strings.Cut(parts[2], "."); ok {
			if f == "" || len(f) > 7 {
				return bad()
			}
			n, err := strconv.ParseUint(f+"0000000"[len(f):], 10, 32)
			if err != nil {
				return bad()
			}
			fraction, parts[2] = int64(n), sec
		}
	}
	limits := []uint64{23, 59, 59}
	units := []int64{hour, minute, second}
	total := days*day + fraction
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || n > limits[i] {
			return bad()
		}
		total += int64(n) * units[i]
	}
	if negative {
		total = -total
	}
	return total, nil
}

// FormatSpan prints ticks as Kusto prints a timespan: [-][d.]hh:mm:ss[.fffffff].
func FormatSpan(ticks int64) string {
	var b strings.Builder
	u := uint64(ticks)
	if ticks < 0 {
		b.WriteByte('-')
		u = -u
	}
	if d := u / day; d > 0 {
		fmt.Fprintf(&b, "%d.", d)
	}
	fmt.Fprintf(&b, "%02d:%02d:%02d", u/hour%24, u/minute%60, u/second%60)
	if f := u % second; f > 0 {
		fmt.Fprintf(&b, ".%07d", f)
	}
	return b.String()
}

// timeLayouts are the forms of a datetime that Kusto's engine was seen to read, or its
// documentation lists,
// and that are not ambiguous; all are UTC unless they carry an offset.
var (
	timeLayouts = []string{
		"2006-01-02", "2006-1-2", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02T15:04Z",
		"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02T15", "2006-1-2 15:04:05", "2006-1-2 15:04",
		"20060102", "2006/01/02", "2006/01/02 15:04:05", "2006-01", "2006", "01/02/2006", "1/2/2006", "01/02/2006 15:04:05", "1/2/2006 15:04:05",
		"1/2/2006 3:04:05 PM", "01-02-2006", "01-02-2006 15:04:05", "01.02.2006", "2006-1-2 15:04:05 GMT", "2006-1-2 15:04 GMT", "2006-1-2T15:04:05 GMT",
		"2006-1-2T15:04 GMT", "2006-1-2T15:04:05", "2006-1-2T15:04",
	}
	// namedLayouts have the names of months.
	namedLayouts = []string{
		time.RFC1123,
		"Mon, 02 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 06 15:04:05 GMT", "Mon, 2 Jan 06 15:04:05", "Mon, 2 Jan 06 15:04",
		"Mon, 2 Jan 06 15:04 GMT", "2 Jan 06 15:04:05 GMT", "2 Jan 06 15:04:05", "2 Jan 06 15:04", "2 Jan 06 15:04 GMT", "Monday, 02-Jan-06 15:04:05 GMT",
		"Monday, 02-Jan-06 15:04:05", "Monday, 02-Jan-06 15:04 GMT", "Monday, 02-Jan-06 15:04", "02-Jan-06 15:04:05 GMT", "02-Jan-06 15:04:05",
		"02-Jan-06 15:04 GMT", "02-Jan-06 15:04", "2 Jan 2006", "02 Jan 2006 15:04:05", "Jan 2, 2006",
	}
)

// ParseTime reads a datetime as datetime(…) and todatetime() do.
func ParseTime(s string) (event.Ticks, error) {
	s = strings.TrimSpace(s)
	if t, _, err := event.ParseISO([]byte(s)); err == nil {
		return t, nil
	}
	text := s
	var fraction int64
	if dot := strings.LastIndexByte(s, '.'); dot > 0 && strings.Contains(s[:dot], ":") {
		end := dot + 1
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		digits := s[dot+1 : end]
		if digits == "" || len(digits) > 9 {
			return 0, fmt.Errorf("cannot read the datetime %q", s)
		}
		n, _ := strconv.ParseInt((digits + "0000000")[:7], 10, 64)
		fraction, text = n, s[:dot]+s[end:]
	}
	layouts := timeLayouts
	if strings.ContainsFunc(text, func(r rune) bool { return r > 'Z' && r != 'z' }) { // few texts that are no times get further
		layouts = namedLayouts
	}
	if len(text) > 40 || !strings.ContainsAny(text, "0123456789") {
		layouts = nil
	}
	for _, layout := range layouts {
		t, err := time.ParseInLocation(layout, text, time.UTC)
		if err != nil {
			continue
		}
		ticks := event.FromTime(t.UTC()) + event.Ticks(fraction)
		if ticks < event.MinTicks || ticks > event.MaxTicks || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
			break
		}
		return ticks, nil
	}
	return 0, fmt.Errorf("cannot read the datetime %q", s)
}

// FormatReal prints a real as Kusto's tostring does: shortest digits that read
// back, at least one behind the point, an exponent from 1E+15 on and below 0.0001.
func FormatReal(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e15) {
		return strconv.FormatFloat(f, 'E', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
