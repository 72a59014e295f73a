package udf

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"github.com/wadi-project/wadi/internal/schema"
)

// numbers are functions of numbers that the database has not, or has otherwise.
var numbers = []Func{
	shorter(1, scratched("tohex", tText, func() Eval {
		var scratch []byte
		return func(a []Value, out *Value) error {
			scratch = fmt.Appendf(scratch[:0], "%0*x", width(a), uint64(a[0].I))
			out.S = scratch
			return nil
		}
	}, tLong, tLong)),
	shorter(1, scratched("tohex_int", tText, func() Eval {
		var scratch []byte
		return func(a []Value, out *Value) error {
			scratch = fmt.Appendf(scratch[:0], "%0*x", width(a), uint32(a[0].I))
			out.S = scratch
			return nil
		}
	}, tInt, tLong)),
	plain("bitset_count_ones", tLong, func(a []Value, out *Value) error {
		out.I = int64(bits.OnesCount64(uint64(a[0].I)))
		return nil
	}, tLong),
	plain("binary_shift_left", tLong, func(a []Value, out *Value) error {
		if out.Null = a[1].I < 0; !out.Null {
			out.I = int64(uint64(a[0].I) << (uint(a[1].I) % 64))
		}
		return nil
	}, tLong, tLong),
	plain("binary_shift_right", tLong, func(a []Value, out *Value) error {
		switch {
		case a[1].I < 0:
			out.Null = true
		case a[0].I < 0 && a[1].I%64 != 0:
			return errors.New("cannot tell how Kusto shifts a negative number to the right")
		default:
			out.I = a[0].I >> (uint(a[1].I) % 64)
		}
		return nil
	}, tLong, tLong),
	repeating(extreme("min_of_real", func(a, b float64) bool { return a < b })),
	repeating(extreme("max_of_real", func(a, b float64) bool { return a > b })),
	real1("exp2", math.Exp2),
	real1("exp10", func(x float64) float64 { return math.Pow(10, x) }),
	real1("gamma", math.Gamma),
	real1("loggamma", func(x float64) float64 { y, _ := math.Lgamma(x); return y }),
	real1("erf", math.Erf),
	real1("erfc", math.Erfc),
	real1("degrees", func(x float64) float64 { return x * (180 / math.Pi) }),
	real1("radians", func(x float64) float64 { return x * (math.Pi / 180) }),
	real1("cot", func(x float64) float64 { return 1 / math.Tan(x) }),
	plain("atan2", tReal, func(a []Value, out *Value) error {
		out.F = math.Atan2(a[0].F, a[1].F)
		return nil
	}, tReal, tReal),
	plain("beta_cdf", tReal, beta(func(x, a, b float64) (float64, bool) { return betaCDF(x, a, b), true }), tReal, tReal, tReal),
	plain("beta_pdf", tReal, beta(func(x, a, b float64) (float64, bool) { return betaPDF(x, a, b), true }), tReal, tReal, tReal),
	plain("beta_inv", tReal, beta(betaInv), tReal, tReal, tReal),
	shorter(2, scratched("format_bytes", tText, newFormatBytes, tReal, tLong, tText)),
}

func width(a []Value) int {
	if len(a) > 1 {
		return int(min(max(a[1].I, 0), 16))
	}
	return 0
}

// extreme makes min_of and max_of of reals; nulls are left out.
func extreme(name string, better func(a, b float64) bool) Func {
	return Func{Name: name, Params: []schema.Type{tReal}, Min: 1, Result: tReal, New: func() Eval {
		return func(a []Value, out *Value) error {
			out.Null = true
			for _, v := range a {
				if v.Null {
					continue
				}
				if math.IsNaN(v.F) {
					return errors.New("cannot tell what Kusto's min_of() and max_of() answer beside NaN")
				}
				if out.Null || better(v.F, out.F) {
					out.F, out.Null = v.F, false
				}
			}
			return nil
		}
	}}
}

func real1(name string, f func(float64) float64) Func {
	return plain(name, tReal, func(a []Value, out *Value) error {
		out.F = f(a[0].F)
		return nil
	}, tReal)
}

// beta wraps a function of the beta distribution: parameters that are not positive
// give NaN.
func beta(f func(x, a, b float64) (float64, bool)) Eval {
	return func(v []Value, out *Value) error {
		x, a, b := v[0].F, v[1].F, v[2].F
		if !(a > 0) || !(b > 0) || math.IsNaN(x) {
			out.F = math.NaN()
			return nil
		}
		y, ok := f(x, a, b)
		out.F, out.Null = y, !ok
		return nil
	}
}

func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}

func betaPDF(x, a, b float64) float64 {
	if x < 0 || x > 1 {
		return math.NaN()
	}
	return math.Exp((a-1)*math.Log(x) + (b-1)*math.Log1p(-x) - logBeta(a, b))
}

// betaCDF is the regularised incomplete beta function, by its continued fraction.
func betaCDF(x, a, b float64) float64 {
	switch {
	case x < 0 || x > 1:
		return math.NaN()
	case x == 0 || x == 1:
		return x
	case x > (a+1)/(a+b+2):
		return 1 - betaCDF(1-x, b, a)
	}
	const tiny, enough = 1e-300, 1e-16
	front := math.Exp(a*math.Log(x)+b*math.Log1p(-x)-logBeta(a, b)) / a
	f, c, d := 1.0, 1.0, 0.0
	for i := range 500 {
		m := float64(i / 2)
		var term float64
		switch {
		case i == 0:
			term = 1
		case i%2 == 0:
			term = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			term = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		if d = 1 + term*d; math.Abs(d) < tiny {
			d = tiny
		}
		d = 1 / d
		if c = 1 + term/c; math.Abs(c) < tiny {
			c = tiny
		}
		f *= c * d
		if math.Abs(1-c*d) < enough {
			break
		}
	}
	return front * (f - 1)
}

// betaInv finds x by halving, to the last bit; null where p is no probability.
func betaInv(p, a, b float64) (float64, bool) {
	if p < 0 || p > 1 {
		return 0, false
	}
	lo, hi := 0.0, 1.0
	for range 2000 {
		mid := lo + (hi-lo)/2
		if mid == lo || mid == hi {
			break
		}
		if betaCDF(mid, a, b) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi, true
}

// newFormatBytes is format_bytes(n, precision, unit): units of 1024, with so many
// digits behind the point at most.
func newFormatBytes() Eval {
	var scratch []byte
	units := []string{"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"}
	return func(a []Value, out *Value) error {
		n, u, digits := a[0].F, 0, 0
		if len(a) > 1 {
			digits = int(min(max(a[1].I, 0), 15))
		}
		if len(a) > 2 && len(a[2].S) > 0 {
			if u = slices.Index(units, string(a[2].S)); u < 0 {
				return fmt.Errorf("format_bytes() knows no unit %q", a[2].S)
			}
			n /= math.Pow(1024, float64(u))
		} else {
			for math.Abs(n) >= 1024 && u < len(units)-1 {
				n, u = n/1024, u+1
			}
		}
		p := math.Pow(10, float64(digits))
		scratch = strconv.AppendFloat(scratch[:0], math.Round(n*p)/p, 'f', -1, 64)
		scratch = append(append(scratch, ' '), units[u]...)
		out.S = scratch
		return nil
	}
}
