package refinterp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

var (
	wholeText = regexp.MustCompile(`^[+-]?[0-9]+$`)
	hexText   = regexp.MustCompile(`^0[xX][0-9a-fA-F]{1,16}$`)
	realText  = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	guidText  = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// convert is the to…() functions; what does not fit is null.
func convert(op fn.Op, v any, from schema.Type) any {
	if v == nil {
		if op == fn.ToString {
			return ""
		}
		return nil
	}
	switch op {
	case fn.ToString:
		return printed(v, from)
	case fn.ToLong, fn.ToInt:
		n := whole(v, op)
		if n != nil && op == fn.ToInt && from == schema.Real {
			return max(min(n.(int64), math.MaxInt32), math.MinInt32)
		}
		if n != nil && op == fn.ToInt && from != schema.String {
			return int64(int32(n.(int64))) // the low half
		}
		return n
	case fn.ToReal:
		return realOf(v)
	case fn.ToBool:
		if s, ok := v.(string); ok {
			switch strings.ToLower(strings.TrimSpace(s)) {
			case "true":
				return true
			case "false":
				return false
			}
			n := whole(v, fn.ToLong)
			if n == nil {
				return nil
			}
			return n != int64(0)
		}
		if f, ok := v.(float64); ok {
			return f != 0
		}
		return v != int64(0)
	case fn.ToDateTime:
		if s, ok := v.(string); ok {
			t, err := fn.ParseTime(s)
			if err != nil {
				return nil
			}
			return int64(t)
		}
	case fn.ToGuid:
		s := strings.ReplaceAll(strings.Trim(strings.ToLower(v.(string)), "{}"), "-", "")
		if !guidText.MatchString(s) {
			return nil
		}
		return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
	}
	return unsupported("%s of a %s", op, from)
}

// whole reads a whole number: reals are cut and stop at the ends.
func whole(v any, op fn.Op) any {
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case int64:
		return v
	case float64:
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return nil
		case v >= 1<<63:
			return int64(math.MaxInt64)
		case v < -1<<63:
			return int64(math.MinInt64)
		}
		return int64(v)
	}
	s := strings.TrimSpace(v.(string))
	bits := 64
	if op == fn.ToInt {
		bits = 32
	}
	switch {
	case wholeText.MatchString(s):
		n, err := strconv.ParseInt(s, 10, bits)
		if err != nil {
			return nil
		}
		return n
	case hexText.MatchString(s):
		u, err := strconv.ParseUint(s[2:], 16, 64)
		if err != nil || bits == 32 && u > math.MaxInt32 {
			return nil
		}
		return int64(u) // 16 digits are two's complement
	}
	return nil
}

func realOf(v any) any {
	switch v := v.(type) {
	case bool:
		if v {
			return 1.0
		}
		return 0.0
	case int64:
		return float64(v)
	case float64:
		return v
	}
	s := strings.ToLower(strings.TrimSpace(v.(string)))
	switch {
	case realText.MatchString(s):
		f, _ := strconv.ParseFloat(s, 64)
		return f
	case s == "nan":
		return math.NaN()
	case s == "inf" || s == "+inf" || s == "infinity":
		return math.Inf(1)
	case s == "-inf" || s == "-infinity":
		return math.Inf(-1)
	}
	return nil
}

func printed(v any, t schema.Type) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		return fn.FormatReal(v)
	case int64:
		switch t {
		case schema.DateTime:
			return event.Ticks(v).String()
		case schema.TimeSpan:
			return fn.FormatSpan(v)
		}
		return strconv.FormatInt(v, 10)
	case string:
		return v
	}
	panic(fmt.Sprintf("print a %T", v))
}

// dynamicOf gives a scalar as a dynamic.
func dynamicOf(v any, t schema.Type) any {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		return strconv.FormatBool(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return quoted(fn.FormatReal(v))
		}
		return fn.FormatReal(v)
	case int64:
		if t == schema.DateTime || t == schema.TimeSpan {
			return quoted(printed(v, t))
		}
		return strconv.FormatInt(v, 10)
	}
	return quoted(v.(string))
}

func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// storedTicks makes ticks of microseconds since 1970 and a seventh digit.
func storedTicks(args []any) any {
	if args[0] == nil {
		return nil
	}
	ticks := new(big.Int).Mul(big.NewInt(args[0].(int64)), big.NewInt(10))
	if len(args) > 1 && args[1] != nil {
		ticks.Add(ticks, big.NewInt(args[1].(int64)))
	}
	return ticks.Add(ticks, big.NewInt(621355968000000000)).Int64()
}
