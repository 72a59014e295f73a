package refinterp

import (
	"math"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

func isNaN(x any) bool {
	f, ok := x.(float64)
	return ok && math.IsNaN(f)
}

func hasNull(args []any) bool {
	for _, v := range args {
		if v == nil {
			return true
		}
	}
	return false
}

// arithmetic: whole numbers wrap, x/0 and x%0 are null, % is never negative;
// reals are IEEE's; a datetime outside of the years 1 to 9999 is null.
func arithmetic(c *plan.Call, args []any) any {
	if hasNull(args) {
		return nil
	}
	if c.Op == fn.Neg {
		if f, ok := args[0].(float64); ok {
			return -f
		}
		return -args[0].(int64)
	}
	x, isReal := args[0].(float64)
	y, alsoReal := args[1].(float64)
	if isReal || alsoReal {
		if !isReal {
			x = float64(args[0].(int64))
		}
		if !alsoReal {
			y = float64(args[1].(int64))
		}
		f := realOp(c.Op, x, y)
		if c.T == schema.TimeSpan {
			return cutToSpan(f)
		}
		return f
	}
	a, b := args[0].(int64), args[1].(int64)
	if c.Op == fn.Div && c.T == schema.Real { // timespan / timespan
		return float64(a) / float64(b)
	}
	v := wholeOp(c.Op, a, b)
	if c.T == schema.DateTime {
		return moment(c.Op, a, b)
	}
	return v
}

func realOp(op fn.Op, x, y float64) float64 {
	switch op {
	case fn.Add:
		return x + y
	case fn.Sub:
		return x - y
	case fn.Mul:
		return x * y
	case fn.Div:
		return x / y
	}
	if y == 0 {
		return math.NaN()
	}
	return x - math.Abs(y)*math.Floor(x/math.Abs(y))
}

func cutToSpan(f float64) any {
	f = math.Trunc(f)
	if math.IsNaN(f) || f >= 1<<63 || f < -1<<63 {
		return nil
	}
	return int64(f)
}

func wholeOp(op fn.Op, a, b int64) any {
	switch op {
	case fn.Add:
		return a + b
	case fn.Sub:
		return a - b
	case fn.Mul:
		return a * b
	}
	if b == 0 {
		return nil
	}
	if op == fn.Div {
		return a / b // Go wraps the least by -1
	}
	m := a % b
	if m < 0 {
		if b < 0 {
			m -= b
		} else {
			m += b
		}
	}
	return m
}

func moment(op fn.Op, a, b int64) any {
	if op == fn.Sub {
		if b == math.MinInt64 {
			return nil
		}
		b = -b
	}
	v := a + b
	if (v > a) != (b > 0) && b != 0 || v < 0 || v > int64(event.MaxTicks) {
		return nil
	}
	return v
}

// number evaluates the functions of numbers.
func number(c *plan.Call, args []any) any {
	if hasNull(args) {
		return nil
	}
	switch c.Op {
	case fn.Bin, fn.BinAt:
		n := bin(args)
		if whole, ok := n.(int64); ok && c.T == schema.Int {
			return int64(int32(whole)) // wraps
		}
		return n
	case fn.Abs:
		if n, ok := args[0].(int64); ok {
			return max(n, -n) // the least stays
		}
		return math.Abs(args[0].(float64))
	}
	x, ok := args[0].(float64)
	if !ok {
		return unsupported("%s of %T", c.Op, args[0])
	}
	switch c.Op {
	case fn.Ceiling:
		return math.Ceil(x)
	case fn.Sign:
		switch {
		case x > 0:
			return 1.0
		case x < 0:
			return -1.0
		}
		return 0.0
	case fn.Sqrt:
		return math.Sqrt(x)
	case fn.Exp:
		return math.Exp(x)
	case fn.Log:
		return math.Log(x)
	case fn.Log10:
		return math.Log10(x)
	case fn.Log2:
		return math.Log2(x)
	case fn.Pow:
		return math.Pow(x, args[1].(float64))
	case fn.Round:
		if len(args) == 1 {
			return math.Round(x)
		}
		scale := math.Pow(10, float64(args[1].(int64)))
		return math.Round(x*scale) / scale
	case fn.IsNaN:
		return math.IsNaN(x)
	case fn.IsInf:
		return math.IsInf(x, 0)
	case fn.IsFinite:
		return !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	return unsupported("the operation %s", c.Op)
}

// bin rounds down to a multiple of a step above 0, counted from a point.
func bin(args []any) any {
	if x, ok := args[0].(float64); ok {
		step := args[1].(float64)
		if !(step > 0) {
			return nil
		}
		return math.Floor(x/step) * step
	}
	v, step := args[0].(int64), args[1].(int64)
	if step <= 0 {
		return nil
	}
	from := int64(0)
	if len(args) > 2 {
		from = args[2].(int64)
	}
	d := v - from
	m := d % step
	if m < 0 {
		m += step
	}
	return v - m
}
