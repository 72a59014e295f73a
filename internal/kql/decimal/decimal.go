package decimal

import (
	"math/big"
	"strconv"
	"strings"
)

const (
	// maxDigits are the significant digits of a decimal.
	maxDigits = 34
	// maxExponent bounds the size of numbers, so that their text is short.
	maxExponent = 100
)

// Number is a decimal: coefficient × 10^exponent.
type Number struct {
	coefficient *big.Int
	exponent    int
}

var ten = big.NewInt(10)

func power(n int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil) }

// Parse reads digits with a point and an exponent as tostring prints numbers;
// white space around them is ignored. False for what is no number or too large.
func Parse(s string) (Number, bool) {
	s = strings.TrimSpace(s)
	mantissa, exp, hasExp := strings.Cut(strings.ToLower(s), "e")
	exponent := 0
	if hasExp {
		n, err := strconv.ParseInt(exp, 10, 16)
		if err != nil {
			return Number{}, false
		}
		exponent = int(n)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole, "+-") + fraction
	if digits == "" || len(digits) > 400 || len(whole)-len(strings.TrimLeft(whole, "+-")) > 1 || strings.Trim(digits, "0123456789") != "" {
		return Number{}, false
	}
	c, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return Number{}, false
	}
	if strings.HasPrefix(whole, "-") {
		c.Neg(c)
	}
	return rounded(Number{c, exponent - len(fraction)})
}

// rounded cuts a number to maxDigits, half to even, and its zeros at the end.
func rounded(n Number) (Number, bool) {
	if n.coefficient.Sign() == 0 {
		return Number{new(big.Int), 0}, true
	}
	if over := len(n.coefficient.Text(10)) - maxDigits; over > 0 {
		p := power(over)
		q, r := new(big.Int).QuoRem(n.coefficient, p, new(big.Int))
		twice := r.Abs(r).Lsh(r, 1)
		if c := twice.Cmp(p); c > 0 || c == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(int64(n.coefficient.Sign())))
		}
		n = Number{q, n.exponent + over}
	}
	text := n.coefficient.Text(10)
	if zeros := len(text) - len(strings.TrimRight(text, "0")); zeros > 0 {
		n = Number{new(big.Int).Quo(n.coefficient, power(zeros)), n.exponent + zeros}
	}
	return n, n.exponent <= maxExponent && n.exponent >= -maxExponent
}

// align gives two coefficients of one exponent.
func align(a, b Number) (x, y *big.Int, exponent int) {
	exponent = min(a.exponent, b.exponent)
	x = new(big.Int).Mul(a.coefficient, power(a.exponent-exponent))
	y = new(big.Int).Mul(b.coefficient, power(b.exponent-exponent))
	return x, y, exponent
}

// Add gives a + b; false when it is too large.
func Add(a, b Number) (Number, bool) {
	x, y, e := align(a, b)
	return rounded(Number{x.Add(x, y), e})
}

// Sub gives a - b; false when it is too large.
func Sub(a, b Number) (Number, bool) {
	x, y, e := align(a, b)
	return rounded(Number{x.Sub(x, y), e})
}

// Mul gives a × b; false when it is too large.
func Mul(a, b Number) (Number, bool) {
	return rounded(Number{new(big.Int).Mul(a.coefficient, b.coefficient), a.exponent + b.exponent})
}

// Div gives a / b; false for b = 0 or when it is too large.
func Div(a, b Number) (Number, bool) {
	if b.coefficient.Sign() == 0 {
		return Number{}, false
	}
	const guard = 2*maxDigits + 2 // digits enough to round by, also when a is one digit and b is maxDigits
	q, r := new(big.Int).QuoRem(new(big.Int).Mul(a.coefficient, power(guard)), b.coefficient, new(big.Int))
	if r.Sign() != 0 { // keeps a half apart from a bit more than a half
		sign := int64(a.coefficient.Sign() * b.coefficient.Sign())
		q.Add(q.Mul(q, ten), big.NewInt(sign))
		return rounded(Number{q, a.exponent - b.exponent - guard - 1})
	}
	return rounded(Number{q, a.exponent - b.exponent - guard})
}

// Mod gives what is left of a, never negative, as Kusto's %; false for b = 0.
func Mod(a, b Number) (Number, bool) {
	x, y, e := align(a, b)
	if y.Sign() == 0 {
		return Number{}, false
	}
	return rounded(Number{x.Mod(x, y), e})
}

// Neg gives -a.
func Neg(a Number) Number { return Number{new(big.Int).Neg(a.coefficient), a.exponent} }

// Sign is -1, 0 or 1.
func (n Number) Sign() int { return n.coefficient.Sign() }

// Compare is -1, 0 or 1 as a is less than, equal to or more than b.
func Compare(a, b Number) int {
	x, y, _ := align(a, b)
	return x.Cmp(y)
}

// Whole cuts the fraction off; false beyond the ends of int64.
func (n Number) Whole() (int64, bool) {
	c := n.coefficient
	if n.exponent >= 0 {
		c = new(big.Int).Mul(c, power(n.exponent))
	} else {
		c = new(big.Int).Quo(c, power(-n.exponent))
	}
	return c.Int64(), c.IsInt64()
}

// Real gives the nearest float64.
func (n Number) Real() float64 {
	f, _ := strconv.ParseFloat(n.coefficient.Text(10)+"e"+strconv.Itoa(n.exponent), 64)
	return f
}

// String is the one text of a number.
func (n Number) String() string {
	text := new(big.Int).Abs(n.coefficient).Text(10)
	switch {
	case n.exponent > 0 && n.coefficient.Sign() != 0:
		text += strings.Repeat("0", n.exponent)
	case n.exponent < 0:
		if short := 1 - n.exponent - len(text); short > 0 {
			text = strings.Repeat("0", short) + text
		}
		at := len(text) + n.exponent
		text = text[:at] + "." + text[at:]
	}
	if n.coefficient.Sign() < 0 {
		return "-" + text
	}
	return text
}
