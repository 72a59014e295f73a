package dyn

import (
	"math"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
)

// TypeName is what gettype() says of a value.
func TypeName(v []byte) string {
	switch KindOf(v) {
	case Bool:
		return "bool"
	case Long:
		return "long"
	case Real:
		return "double"
	case String:
		return "string"
	case Array:
		return "array"
	case Bag:
		return "dictionary"
	}
	return "null"
}

// ToLong is tolong() of a value: reals are cut, bools are 0 and 1, strings are read
// as tolong() reads them; false for null.
func ToLong(v []byte) (int64, bool) {
	if n, ok := shortWhole(v); ok {
		return n, true
	}
	switch KindOf(v) {
	case Bool:
		return boolLong(v), true
	case Long:
		n, err := strconv.ParseInt(string(v), 10, 64)
		return n, err == nil
	case Real:
		f, ok := realOf(v)
		if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, false
		}
		return cut(f), true
	case String:
		return WholeOfText(string(Unquote(nil, v)))
	}
	return 0, false
}

// shortWhole reads a whole number of at most 18 digits, which most are.
func shortWhole(v []byte) (int64, bool) {
	digits := v
	if len(v) > 0 && v[0] == '-' {
		digits = v[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range digits {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	if len(digits) < len(v) {
		n = -n
	}
	return n, true
}

// ToInt is toint() of a value: numbers give their low 32 bits, as the engine was
// seen to do; strings that don't fit are null.
func ToInt(v []byte) (int64, bool) {
	if KindOf(v) == String {
		return IntOfText(string(Unquote(nil, v)))
	}
	n, ok := ToLong(v)
	return int64(int32(n)), ok
}

// cut brings a real into the range of long, towards zero.
func cut(f float64) int64 {
	switch {
	case f >= 1<<63:
		return math.MaxInt64
	case f <= -1<<63:
		return math.MinInt64
	}
	return int64(f)
}

func boolLong(v []byte) int64 {
	if v[0] == 't' {
		return 1
	}
	return 0
}

func realOf(v []byte) (float64, bool) {
	f, err := strconv.ParseFloat(string(v), 64)
	return f, err == nil || math.IsInf(f, 0)
}

// ToReal is toreal() of a value; false for null.
func ToReal(v []byte) (float64, bool) {
	switch KindOf(v) {
	case Bool:
		return float64(boolLong(v)), true
	case Long, Real:
		return realOf(v)
	case String:
		return RealOfText(string(Unquote(nil, v)))
	}
	return 0, false
}

// Number gives the value of a number; other kinds, strings too, have none.
func Number(v []byte) (float64, bool) {
	if k := KindOf(v); k == Long || k == Real {
		return realOf(v)
	}
	return 0, false
}

// ToBool is tobool() of a value: numbers are true unless 0.
func ToBool(v []byte) (b, ok bool) {
	switch KindOf(v) {
	case Bool:
		return v[0] == 't', true
	case Long, Real:
		f, ok := realOf(v)
		return f != 0, ok && !math.IsNaN(f)
	case String:
		s := strings.TrimSpace(string(Unquote(nil, v)))
		switch strings.ToLower(s) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
		n, ok := WholeOfText(s)
		return n != 0, ok
	}
	return false, false
}

// ToTicks is todatetime() of a value: text is read, whole numbers are ticks.
func ToTicks(v []byte) (int64, bool) {
	switch KindOf(v) {
	case String:
		t, err := fn.ParseTime(string(Unquote(nil, v)))
		return int64(t), err == nil
	case Long:
		n, ok := ToLong(v)
		return n, ok && n >= 0 && n <= int64(event.MaxTicks)
	}
	return 0, false
}

// ToSpan is totimespan() of a value: text is read, whole numbers are ticks.
func ToSpan(v []byte) (int64, bool) {
	switch KindOf(v) {
	case String:
		s := strings.TrimSpace(string(Unquote(nil, v)))
		if !strings.ContainsAny(s, ":dhms") {
			return 0, false
		}
		n, err := fn.ParseSpan(s)
		return n, err == nil
	case Long:
		return ToLong(v)
	}
	return 0, false
}

// ToGUID appends toguid() of a value; false for null.
func ToGUID(dst, v []byte) ([]byte, bool) {
	if KindOf(v) != String {
		return dst, false
	}
	return GUIDOfText(dst, Unquote(nil, v))
}

// GUIDOfText appends the usual form of a guid in lower case: 32 hexadecimal digits,
// wherever hyphens stand among them.
func GUIDOfText(dst, s []byte) ([]byte, bool) {
	start, n := len(dst), 0
	for len(s) > 0 && (s[0] == '{' || s[0] == '}') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == '{' || s[len(s)-1] == '}') {
		s = s[:len(s)-1]
	}
	for _, c := range s {
		switch {
		case c == '-':
			continue
		case c >= 'A' && c <= 'F':
			c |= 0x20
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
		default:
			return dst[:start], false
		}
		if n == 32 {
			return dst[:start], false
		}
		if n == 8 || n == 12 || n == 16 || n == 20 {
			dst = append(dst, '-')
		}
		dst = append(dst, c)
		n++
	}
	if n != 32 {
		return dst[:start], false
	}
	return dst, true
}

// WholeOfText is tolong() of text: a decimal number, or 0x and up to 16 digits in
// two's complement.
func WholeOfText(s string) (int64, bool) {
	s = strings.Trim(s, " ")
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		u, err := strconv.ParseUint(s[2:], 16, 64)
		return int64(u), err == nil && len(s) <= 18 && s[2] != '_'
	}
	if s == "" || strings.IndexByte(s, '_') >= 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// IntOfText is toint() of text: what WholeOfText reads, where it fits. Digits in two's
// complement are a long's.
func IntOfText(s string) (int64, bool) {
	n, ok := WholeOfText(s)
	if !ok || n != int64(int32(n)) || n < 0 && strings.IndexByte(s, '-') < 0 {
		return 0, false
	}
	return n, true
}

// RealOfText is toreal() of text.
func RealOfText(s string) (float64, bool) {
	s = strings.Trim(s, " ")
	switch strings.ToLower(s) {
	case "nan":
		return math.NaN(), true
	case "inf", "+inf", "infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && c != '.' && c != '+' && c != '-' && c|0x20 != 'e' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

// CompareReal orders a real and a whole number exactly.
func CompareReal(f float64, n int64) int {
	switch {
	case f >= 1<<63:
		return 1
	case f < -1<<63:
		return -1
	}
	whole := math.Floor(f)
	if c := cmpOrdered(int64(whole), n); c != 0 || whole == f {
		return c
	}
	return 1
}
