package refinterp

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// order compares two values of one type that are not null, as sort does: NaN is
// below all numbers, text by code point (which is the order of UTF-8's bytes).
func order(x, y any) int {
	switch a := x.(type) {
	case bool:
		b := y.(bool)
		switch {
		case a == b:
			return 0
		case b:
			return -1
		}
		return 1
	case int64:
		return cmp.Compare(a, y.(int64))
	case float64:
		return cmp.Compare(a, y.(float64)) // NaN first
	case string:
		return strings.Compare(a, y.(string))
	}
	panic(fmt.Sprintf("order of %T", x))
}

// equal compares two values that are not null: NaN equals nothing.
func equal(x, y any) bool { return x == y }

// keyOf makes a value comparable as a group's key or a join's: null equals null,
// NaN equals NaN.
func keyOf(x any) any {
	if f, ok := x.(float64); ok {
		if math.IsNaN(f) {
			return "NaN"
		}
		if f == 0 {
			return 0.0 // -0.0 too
		}
	}
	return x
}

// keysOf makes a comparable key of several values.
func keysOf(values []any) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "%T:%q;", v, fmt.Sprint(keyOf(v)))
	}
	return b.String()
}
