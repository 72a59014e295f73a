package ingest

import (
	"bytes"
	"math"
	"strconv"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/decimal"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// kind is what a value is, in JSON or in Arrow.
type kind uint8

const (
	ofNull   kind = iota
	ofBool        // flag
	ofWhole       // n; text is the number as written, nil from Arrow
	ofNumber      // text, a JSON number
	ofReal        // f
	ofText        // text
	ofJSON        // text, an object or array, or any JSON from Arrow; not checked yet
	ofTime        // n, ticks since 0001-01-01
	ofSpan        // n, ticks
)

// value is one value as it was sent. Its text is valid until the row's end.
type value struct {
	kind kind
	flag bool
	n    int64
	f    float64
	text []byte
}

// Reasons why a value does not fit its column's type; what follows names it.
const (
	notBool    = "the column is bool: send true or false"
	notInt     = "the column is int: send a whole number from -2147483648 to 2147483647"
	notLong    = "the column is long: send a whole number of 64 bits"
	notReal    = "the column is real: send a number"
	notDecimal = "the column is decimal: send a number of at most 34 digits"
	notTime    = "the column is datetime: send ISO 8601 like 2026-01-31T12:34:56.1234567Z, from year 1 to 9999"
	notSpan    = "the column is timespan: send d.hh:mm:ss.fffffff, or a number with a unit like 90m"
	notGUID    = "the column is guid: send 32 hexadecimal digits with hyphens"
	notJSON    = "the value is no JSON, or is nested deeper than 256"
	notText    = "the column is string: this Arrow type has no text"
	notUTF8    = "the text is not UTF-8"
)

// whole gives a value of type long (or int with its range).
func (v *value) whole() (n int64, ok bool) {
	switch v.kind {
	case ofWhole:
		return v.n, true
	case ofNumber, ofText:
		text := v.text
		if dot := bytes.IndexByte(text, '.'); dot > 0 && len(bytes.Trim(text[dot+1:], "0")) == 0 && len(text) > dot+1 {
			text = text[:dot] // 5.0, as some languages write whole numbers
		}
		return parseWhole(text)
	case ofReal:
		if v.f == math.Trunc(v.f) && math.Abs(v.f) < 1<<53 {
			return int64(v.f), true
		}
	}
	return 0, false
}

// parseWhole reads an optional minus and digits.
func parseWhole(text []byte) (int64, bool) {
	if len(text) == 0 || len(text) > 20 || text[0] == '+' || bytes.IndexByte(text, '_') >= 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil
}

func (v *value) int32() (int64, bool) {
	n, ok := v.whole()
	return n, ok && int64(int32(n)) == n
}

func (v *value) real() (float64, bool) {
	switch v.kind {
	case ofWhole:
		return float64(v.n), true
	case ofNumber:
		f, err := strconv.ParseFloat(string(v.text), 64)
		return f, err == nil
	case ofText:
		f, ok := dyn.RealOfText(string(v.text))
		return f, ok && len(v.text) > 0
	case ofReal:
		return v.f, true
	}
	return 0, false
}

func (v *value) boolean() (flag, ok bool) {
	switch v.kind {
	case ofBool:
		return v.flag, true
	case ofText:
		switch {
		case bytes.EqualFold(v.text, []byte("true")):
			return true, true
		case bytes.EqualFold(v.text, []byte("false")):
			return false, true
		}
	}
	return false, false
}

func (v *value) ticks() (event.Ticks, bool) {
	switch v.kind {
	case ofTime:
		return event.Ticks(v.n), true
	case ofText:
		return parseTime(v.text)
	}
	return 0, false
}

// parseTime reads ISO 8601: a date, T or a blank, hours and minutes, perhaps
// seconds and up to nine digits of a fraction, perhaps Z or an offset. No zone is
// UTC. Digits behind the seventh are cut.
func parseTime(s []byte) (event.Ticks, bool) {
	if t, _, err := event.ParseISO(s); err == nil {
		return t, true
	}
	if len(s) < 10 || len(s) > 40 {
		return 0, false
	}
	full := [28]byte([]byte("0000-00-00T00:00:00.0000000Z"))
	copy(full[:10], s)
	rest, offset := s[10:], int64(0)
	if len(rest) > 0 {
		if len(rest) < 6 || rest[0] != 'T' && rest[0] != ' ' || rest[3] != ':' {
			return 0, false
		}
		copy(full[11:16], rest[1:])
		if rest = rest[6:]; len(rest) > 2 && rest[0] == ':' {
			copy(full[16:19], rest)
			rest = rest[3:]
			if len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
				digits := 0
				for digits+1 < len(rest) && rest[digits+1]-'0' <= 9 {
					digits++
				}
				if digits == 0 || digits > 9 {
					return 0, false
				}
				copy(full[20:27], rest[1:digits+1])
				rest = rest[digits+1:]
			}
		}
		var ok bool
		if offset, ok = parseZone(rest); !ok {
			return 0, false
		}
	}
	t, _, err := event.ParseISO(full[:])
	t -= event.Ticks(offset) * 60 * event.TicksPerSecond
	return t, err == nil && t >= event.MinTicks && t <= event.MaxTicks
}

// parseZone reads nothing, Z, or ±hh, ±hhmm, ±hh:mm: minutes east of UTC.
func parseZone(s []byte) (minutes int64, ok bool) {
	if len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	if len(s) == 0 || len(s) == 1 && s[0]|0x20 == 'z' {
		return 0, true
	}
	sign := int64(1)
	switch s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	digits := s[1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = append(digits[:2:2], digits[3:]...)
	}
	if len(digits) != 2 && len(digits) != 4 {
		return 0, false
	}
	for _, c := range digits {
		if c-'0' > 9 {
			return 0, false
		}
	}
	h := int64(digits[0]-'0')*10 + int64(digits[1]-'0')
	var m int64
	if len(digits) == 4 {
		m = int64(digits[2]-'0')*10 + int64(digits[3]-'0')
	}
	return sign * (h*60 + m), h <= 14 && m <= 59
}

func (v *value) span() (int64, bool) {
	switch v.kind {
	case ofSpan:
		return v.n, true
	case ofText:
		if !bytes.ContainsAny(v.text, ":dhms") {
			return 0, false
		}
		n, err := fn.ParseSpan(string(v.text))
		return n, err == nil
	}
	return 0, false
}

// appendText appends the value as the text of a column of type string: numbers as
// they were written, objects and arrays as compact JSON.
func (v *value) appendText(dst []byte) (text []byte, reason string) {
	switch v.kind {
	case ofText, ofNumber:
		return append(dst, v.text...), ""
	case ofWhole:
		if v.text != nil {
			return append(dst, v.text...), ""
		}
		return strconv.AppendInt(dst, v.n, 10), ""
	case ofBool:
		return strconv.AppendBool(dst, v.flag), ""
	case ofReal:
		return append(dst, fn.FormatReal(v.f)...), ""
	case ofTime:
		return event.Ticks(v.n).AppendISO(dst, 7), ""
	case ofSpan:
		return append(dst, fn.FormatSpan(v.n)...), ""
	case ofJSON:
		out, ok := dyn.Parse(dst, v.text)
		if !ok {
			return dst, notJSON
		}
		return out, ""
	}
	return dst, notText
}

// appendDynamic appends the value as JSON in the form of package dyn; nothing for
// null.
func (v *value) appendDynamic(dst []byte) (text []byte, reason string) {
	switch v.kind {
	case ofText:
		return dyn.AppendString(dst, v.text), ""
	case ofJSON, ofNumber:
		out, ok := dyn.Parse(dst, v.text)
		if !ok {
			return dst, notJSON
		}
		if string(out[len(dst):]) == "null" {
			out = out[:len(dst)]
		}
		return out, ""
	case ofReal:
		return dyn.AppendReal(dst, v.f), ""
	case ofTime, ofSpan:
		lo := len(dst)
		dst, _ = v.appendText(dst)
		return dyn.AppendString(dst[:lo], bytes.Clone(dst[lo:])), ""
	}
	return v.appendText(dst)
}

func (v *value) appendDecimal(dst []byte) (text []byte, ok bool) {
	var s string
	switch v.kind {
	case ofWhole:
		s = strconv.FormatInt(v.n, 10)
	case ofNumber, ofText:
		s = string(v.text)
	case ofReal:
		s = strconv.FormatFloat(v.f, 'g', -1, 64)
	default:
		return dst, false
	}
	n, ok := decimal.Parse(s)
	if !ok {
		return dst, false
	}
	return append(dst, n.String()...), true
}

// typeNeeds says what a column of a type takes.
func typeNeeds(t schema.Type) string {
	switch t {
	case schema.Bool:
		return notBool
	case schema.Int:
		return notInt
	case schema.Long:
		return notLong
	case schema.Real:
		return notReal
	case schema.Decimal:
		return notDecimal
	case schema.DateTime:
		return notTime
	case schema.TimeSpan:
		return notSpan
	case schema.Guid:
		return notGUID
	}
	return notJSON
}
