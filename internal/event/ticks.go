package event

import (
	"errors"
	"fmt"
	"time"
)

// Ticks is a moment in 100 ns units since 0001-01-01T00:00:00Z, UTC. It is the
// representation of Kusto's datetime; a timespan is a difference of two Ticks.
type Ticks int64

// Epochs and units of the clocks that Windows, Unix and Kusto use.
const (
	// TicksPerSecond is the number of 100 ns units in a second.
	TicksPerSecond Ticks = 10_000_000
	// TicksPerMicrosecond is the number of 100 ns units in a microsecond.
	TicksPerMicrosecond Ticks = 10
	// TicksPerHour is the number of 100 ns units in an hour.
	TicksPerHour = 3600 * TicksPerSecond
	// TicksPerDay is the number of 100 ns units in a day.
	TicksPerDay = 24 * TicksPerHour
	// UnixEpoch is 1970-01-01T00:00:00Z.
	UnixEpoch Ticks = 621_355_968_000_000_000
	// FiletimeEpoch is 1601-01-01T00:00:00Z, where FILETIME counts from.
	FiletimeEpoch Ticks = 504_911_232_000_000_000
	// MinTicks is 0001-01-01T00:00:00Z, the smallest datetime of Kusto.
	MinTicks Ticks = 0
	// MaxTicks is 9999-12-31T23:59:59.9999999Z, the largest datetime of Kusto.
	MaxTicks Ticks = 3_155_378_975_999_999_999
)

// FromFiletime converts a Windows FILETIME. Values beyond the year 9999 are
// clipped to [MaxTicks].
func FromFiletime(ft uint64) Ticks {
	if ft > uint64(MaxTicks-FiletimeEpoch) {
		return MaxTicks
	}
	return FiletimeEpoch + Ticks(ft)
}

// FromTime converts t, dropping what is below 100 ns (towards minus infinity).
func FromTime(t time.Time) Ticks {
	return UnixEpoch + Ticks(t.Unix())*TicksPerSecond + Ticks(t.Nanosecond()/100)
}

// FromUnixMicros converts microseconds since 1970.
func FromUnixMicros(us int64) Ticks { return UnixEpoch + Ticks(us)*TicksPerMicrosecond }

// UnixMicros gives microseconds since 1970, floored, and the digit that the
// floor dropped (0–9): the pair that the lake stores as TimeGenerated and
// _TimeSub.
func (t Ticks) UnixMicros() (us int64, sub int32) {
	d := int64(t - UnixEpoch)
	us, sub64 := d/10, d%10
	if sub64 < 0 {
		us, sub64 = us-1, sub64+10
	}
	return us, int32(sub64)
}

// Time converts to a time.Time in UTC without loss.
func (t Ticks) Time() time.Time {
	d := int64(t - UnixEpoch)
	sec, rest := d/int64(TicksPerSecond), d%int64(TicksPerSecond)
	if rest < 0 {
		sec, rest = sec-1, rest+int64(TicksPerSecond)
	}
	return time.Unix(sec, rest*100).UTC()
}

// String prints the moment as KQL does: 2006-01-02T15:04:05.0000000Z.
func (t Ticks) String() string { return string(t.AppendISO(nil, 7)) }

// AppendISO appends t as ISO 8601 in UTC with the given number of fractional
// digits (0 to 9; more than 7 are padded with zeros) and a closing Z.
func (t Ticks) AppendISO(dst []byte, digits int) []byte {
	d := int64(t)
	days, rest := d/int64(TicksPerDay), d%int64(TicksPerDay)
	if rest < 0 {
		days, rest = days-1, rest+int64(TicksPerDay)
	}
	y, m, day := civil(days)
	dst = appendPadded(dst, y, 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, m, 2)
	dst = append(dst, '-')
	dst = appendPadded(dst, day, 2)
	dst = append(dst, 'T')
	sec, frac := rest/int64(TicksPerSecond), rest%int64(TicksPerSecond)
	dst = appendPadded(dst, int(sec/3600), 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, int(sec/60%60), 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, int(sec%60), 2)
	if digits > 0 {
		dst = append(dst, '.')
		scale := int64(1_000_000)
		for range digits {
			if scale == 0 {
				dst = append(dst, '0')
				continue
			}
			dst = append(dst, byte('0'+frac/scale%10))
			scale /= 10
		}
	}
	return append(dst, 'Z')
}

// errTime is returned for text that is not a time in EvtRender's form.
var errTime = errors.New("not an ISO 8601 UTC time")

// ParseISO reads 2006-01-02T15:04:05[.fraction]Z, the form of SystemTime, and
// tells how many fractional digits it had. Digits behind the seventh must be
// zero, as EvtRender's nine-digit form has them; anything else is an error, so
// that no time loses precision unseen.
func ParseISO(s []byte) (t Ticks, digits int, err error) {
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[len(s)-1] != 'Z' {
		return 0, 0, errTime
	}
	y, ok1 := number(s[0:4])
	mo, ok2 := number(s[5:7])
	d, ok3 := number(s[8:10])
	h, ok4 := number(s[11:13])
	mi, ok5 := number(s[14:16])
	se, ok6 := number(s[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || y < 1 || mo < 1 || mo > 12 || d < 1 || d > daysIn(y, mo) || h > 23 || mi > 59 || se > 59 {
		return 0, 0, errTime
	}
	var frac int64
	if rest := s[19 : len(s)-1]; len(rest) > 0 {
		if rest[0] != '.' || len(rest) == 1 || len(rest) > 10 {
			return 0, 0, errTime
		}
		rest = rest[1:]
		digits = len(rest)
		for i := 0; i < 7 || i < len(rest); i++ {
			var c byte = '0'
			if i < len(rest) {
				c = rest[i]
			}
			switch {
			case c < '0' || c > '9':
				return 0, 0, errTime
			case i < 7:
				frac = frac*10 + int64(c-'0')
			case c != '0':
				return 0, 0, fmt.Errorf("cannot keep a time finer than 100 ns: %q", s)
			}
		}
	}
	days := daysBefore(y, mo, d)
	return Ticks(days)*TicksPerDay + Ticks(h)*TicksPerHour + Ticks(mi*60+se)*TicksPerSecond + Ticks(frac), digits, nil
}

func number(s []byte) (n int, ok bool) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func appendPadded(dst []byte, n, width int) []byte {
	var b [8]byte
	i := len(b)
	for n > 0 || width > 0 {
		i--
		b[i] = byte('0' + n%10)
		n /= 10
		width--
	}
	return append(dst, b[i:]...)
}

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if leap(y) {
			return 29
		}
		return 28
	}
	return 31
}

// daysBefore counts the days from 0001-01-01 to y-m-d in the proleptic
// Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
// Algorithms", days_from_civil, shifted to year 1).
func daysBefore(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 306
}

// civil is the inverse of daysBefore (same source, civil_from_days).
func civil(days int64) (y, m, d int) {
	z := days + 306
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	y = int(yoe + era*400)
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = int(doy - (153*mp+2)/5 + 1)
	m = int(mp + 3)
	if m > 12 {
		m -= 12
		y++
	}
	return y, m, d
}
