package query

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/schema"
)

// AppendText appends a value of the current row as Kusto shows it: datetimes with
// seven digits, timespans as d.hh:mm:ss.fffffff with the parts that are zero left
// out, dynamics as JSON, but a text in one without its quotes; nothing for null.
func AppendText(dst []byte, rows *engine.Rows, column int) []byte {
	if rows.Null(column) {
		return dst
	}
	switch rows.Columns()[column].Type {
	case schema.Bool:
		return strconv.AppendBool(dst, rows.Bool(column))
	case schema.Int, schema.Long:
		return strconv.AppendInt(dst, rows.Int(column), 10)
	case schema.Real:
		return appendReal(dst, rows.Real(column))
	case schema.DateTime:
		return event.Ticks(rows.Int(column)).AppendISO(dst, 7)
	case schema.TimeSpan:
		return appendTimeSpan(dst, rows.Int(column))
	case schema.Dynamic:
		return appendDynamic(dst, rows.Text(column))
	default:
		return append(dst, rows.Text(column)...)
	}
}

// appendDynamic appends the text of a JSON string, and other JSON as it is.
func appendDynamic(dst, text []byte) []byte {
	var s string
	if len(text) > 0 && text[0] == '"' && json.Unmarshal(text, &s) == nil {
		return append(dst, s...)
	}
	return append(dst, text...)
}

// appendJSON appends a value of the current row as JSON: null, true and false,
// numbers as numbers but for NaN, Infinity and -Infinity, dynamic as the JSON it
// is, everything else as a string.
func appendJSON(dst []byte, rows *engine.Rows, column int) []byte {
	if rows.Null(column) {
		return append(dst, "null"...)
	}
	switch rows.Columns()[column].Type {
	case schema.Bool, schema.Int, schema.Long:
		return AppendText(dst, rows, column)
	case schema.Real:
		if v := rows.Real(column); math.IsNaN(v) || math.IsInf(v, 0) {
			return append(appendReal(append(dst, '"'), v), '"')
		}
		return appendReal(dst, rows.Real(column))
	case schema.DateTime, schema.TimeSpan:
		return append(AppendText(append(dst, '"'), rows, column), '"')
	case schema.Dynamic:
		if text := rows.Text(column); json.Valid(text) {
			return appendRawJSON(dst, text)
		}
		return appendJSONString(dst, rows.Text(column))
	default:
		return appendJSONString(dst, rows.Text(column))
	}
}

// appendRawJSON appends JSON, in whose strings it escapes what [appendJSONString]
// does beyond JSON's demands.
func appendRawJSON(dst, text []byte) []byte {
	start := 0
	for i := 0; i < len(text); {
		if text[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 || r < 0xa0 || r == '\u2028' || r == '\u2029' {
			dst = append(append(dst, text[start:i]...), '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			start = i + size
		}
		i += size
	}
	return append(dst, text[start:]...)
}

// appendReal appends v in the fewest digits that read back as v; NaN, Infinity
// and -Infinity as Kusto names them.
func appendReal(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	}
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e' // as JSON writers do
	}
	return strconv.AppendFloat(dst, v, format, -1, 64)
}

// appendTimeSpan appends ticks of 100 ns as [-][d.]hh:mm:ss[.fffffff].
func appendTimeSpan(dst []byte, ticks int64) []byte {
	rest := uint64(ticks)
	if ticks < 0 {
		dst = append(dst, '-')
		rest = -rest
	}
	const second, day = uint64(event.TicksPerSecond), uint64(event.TicksPerDay)
	if days := rest / day; days > 0 {
		dst = append(strconv.AppendUint(dst, days, 10), '.')
	}
	rest %= day
	seconds := rest / second
	for i, part := range [...]uint64{seconds / 3600, seconds / 60 % 60, seconds % 60} {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, byte('0'+part/10), byte('0'+part%10))
	}
	if fraction := rest % second; fraction > 0 {
		dst = append(dst, '.')
		for scale := second / 10; scale > 0; scale /= 10 {
			dst = append(dst, byte('0'+fraction/scale%10))
		}
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendJSONString appends s as a JSON string. Bytes that are no UTF-8 become
// U+FFFD. Besides what JSON demands, DEL, the C1 controls and the line separators
// of JavaScript are escaped, so that JSON may be shown on a terminal.
func appendJSONString(dst []byte, s []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, `\n`...)
			case '\r':
				dst = append(dst, `\r`...)
			case '\t':
				dst = append(dst, `\t`...)
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && size == 1 || r < 0xa0 || r == '\u2028' || r == '\u2029' {
			dst = append(dst, s[start:i]...)
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			start = i + size
		}
		i += size
	}
	return append(append(dst, s[start:]...), '"')
}
