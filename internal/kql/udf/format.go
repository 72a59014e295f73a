package udf

import (
	"fmt"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
)

// token is a part of a format: a unit in so many digits, or the text between.
type token struct {
	unit  byte // 0 for text
	width int
	text  string
}

// separators may stand between the units of a format.
const separators = " /-:,._[]"

// ParseFormat reads the format of format_datetime, or of format_timespan. A run of
// one letter longer than Kusto knows is taken as several units, as Kusto does.
func ParseFormat(format string, datetime bool) error {
	_, err := parseFormat(format, datetime)
	return err
}

func parseFormat(format string, datetime bool) ([]token, error) {
	longest := map[byte]int{'d': 2, 'M': 2, 'y': 4, 'h': 2, 'H': 2, 'm': 2, 's': 2, 'f': 7, 'F': 7, 't': 2}
	name := "format_datetime"
	if !datetime {
		name = "format_timespan"
		longest = map[byte]int{'d': 8, 'h': 2, 'H': 2, 'm': 2, 's': 2, 'f': 7, 'F': 7}
	}
	var out []token
	for i := 0; i < len(format); {
		c := format[i]
		if strings.IndexByte(separators, c) >= 0 {
			out = append(out, token{text: format[i : i+1]})
			i++
			continue
		}
		most, ok := longest[c]
		if !ok {
			return nil, fmt.Errorf("%s() knows no %q in a format", name, c)
		}
		n := 1
		for i+n < len(format) && format[i+n] == c && n < most {
			n++
		}
		if c == 'y' && n%2 == 1 && n > 1 || c == 't' && n == 1 {
			return nil, fmt.Errorf("cannot tell what Kusto's %s() writes for %q", name, format[i:i+n])
		}
		out = append(out, token{unit: c, width: n})
		i += n
	}
	return out, nil
}

// newFormat prints datetimes or timespans.
func newFormat(datetime bool) Eval {
	var tokens []token
	var known string
	var scratch []byte
	return func(a []Value, out *Value) error {
		if tokens == nil || known != string(a[1].S) {
			t, err := parseFormat(string(a[1].S), datetime)
			if err != nil {
				return err
			}
			tokens, known = t, string(a[1].S)
		}
		scratch = scratch[:0]
		if datetime {
			scratch = appendTime(scratch, tokens, event.Ticks(a[0].I))
		} else {
			scratch = appendSpan(scratch, tokens, a[0].I)
		}
		out.S = scratch
		return nil
	}
}

func appendTime(dst []byte, tokens []token, t event.Ticks) []byte {
	date := t.Time()
	clock := uint64(t) % uint64(ticksPerDay)
	hour := clock / 36_000_000_000
	for _, k := range tokens {
		n := uint64(0)
		switch k.unit {
		case 0:
			dst = append(dst, k.text...)
			continue
		case 't':
			dst = append(dst, map[bool]string{true: "AM", false: "PM"}[hour < 12]...)
			continue
		case 'f', 'F':
			dst = appendFraction(dst, clock, k)
			continue
		case 'y':
			if n = uint64(date.Year()); k.width < 4 {
				n %= 100
			}
		case 'M':
			n = uint64(date.Month())
		case 'd':
			n = uint64(date.Day())
		case 'H':
			n = hour
		case 'h':
			n = (hour+11)%12 + 1
		case 'm':
			n = clock / 600_000_000 % 60
		case 's':
			n = clock / 10_000_000 % 60
		}
		dst = fmt.Appendf(dst, "%0*d", k.width, n)
	}
	return dst
}

func appendSpan(dst []byte, tokens []token, ticks int64) []byte {
	u := uint64(ticks)
	if ticks < 0 {
		dst, u = append(dst, '-'), -u
	}
	for _, k := range tokens {
		n := uint64(0)
		switch k.unit {
		case 0:
			dst = append(dst, k.text...)
			continue
		case 'f', 'F':
			dst = appendFraction(dst, u, k)
			continue
		case 'd':
			n = u / uint64(ticksPerDay)
		case 'h', 'H':
			n = u / 36_000_000_000 % 24
		case 'm':
			n = u / 600_000_000 % 60
		case 's':
			n = u / 10_000_000 % 60
		}
		dst = fmt.Appendf(dst, "%0*d", k.width, n)
	}
	return dst
}

// appendFraction writes digits of the second's fraction; F leaves zeros at the end
// out.
func appendFraction(dst []byte, ticks uint64, k token) []byte {
	digits := fmt.Sprintf("%07d", ticks%10_000_000)[:k.width]
	if k.unit == 'F' {
		digits = strings.TrimRight(digits, "0")
	}
	return append(dst, digits...)
}
