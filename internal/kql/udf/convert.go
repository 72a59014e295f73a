package udf

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/fn"
)

// conversions read texts as values of other types; what is none is null.
var conversions = []Func{
	plain("text_to_long", tLong, func(a []Value, out *Value) error {
		n, ok := dyn.WholeOfText(string(a[0].S))
		out.I, out.Null = n, !ok
		return nil
	}, tText),
	plain("text_to_int", tInt, func(a []Value, out *Value) error {
		n, ok := dyn.IntOfText(string(a[0].S))
		out.I, out.Null = n, !ok
		return nil
	}, tText),
	plain("text_to_real", tReal, func(a []Value, out *Value) error {
		f, ok := dyn.RealOfText(string(a[0].S))
		out.F, out.Null = f, !ok
		return nil
	}, tText),
	plain("text_to_bool", tBool, func(a []Value, out *Value) error {
		s := bytes.TrimSpace(a[0].S)
		switch {
		case bytes.EqualFold(s, []byte("true")):
			out.I = 1
		case bytes.EqualFold(s, []byte("false")):
		default:
			n, ok := dyn.WholeOfText(string(s))
			out.I, out.Null = truth(n != 0), !ok
		}
		return nil
	}, tText),
	plain("text_to_time", tTime, func(a []Value, out *Value) error {
		if t, _, err := event.ParseISO(bytes.TrimSpace(a[0].S)); err == nil {
			out.I = int64(t)
			return nil
		}
		t, err := fn.ParseTime(string(a[0].S))
		out.I, out.Null = int64(t), err != nil
		return nil
	}, tText),
	plain("text_to_span", tSpan, func(a []Value, out *Value) error {
		n, err := fn.ParseSpan(string(a[0].S))
		out.I, out.Null = n, err != nil || !bytes.ContainsAny(a[0].S, ":dhms")
		return nil
	}, tText),
	scratched("text_to_guid", tGuid, func() Eval {
		var scratch []byte
		return func(a []Value, out *Value) error {
			text, ok := dyn.GUIDOfText(scratch[:0], a[0].S)
			if out.Null = !ok; ok {
				scratch = text
				out.S = text
			}
			return nil
		}
	}, tText),
}

func long10(n int64) string { return strconv.FormatInt(n, 10) }

// versionDigits puts one to four parts of a version, each of eight digits at most,
// into a number of 32 digits.
func versionDigits(s []byte) (string, bool) {
	parts := strings.Split(string(bytes.TrimSpace(s)), ".")
	if len(parts) > 4 {
		return "", false
	}
	var b strings.Builder
	for i := range 4 {
		part := "0"
		if i < len(parts) {
			part = parts[i]
		}
		if len(part) > 8 || !isDigits([]byte(part)) {
			return "", false
		}
		b.WriteString(strings.Repeat("0", 8-len(part)) + part)
	}
	return b.String(), true
}
