package decimal

import (
	"math"
	"strconv"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"1", "1"},
		{"-0.0", "0"},
		{"1.50", "1.5"},
		{" 0.1 ", "0.1"},
		{"1e3", "1000"},
		{"-12.5E-3", "-0.0125"},
		{"+7", "7"},
		{"100", "100"},
		{".5", "0.5"},
		{"5.", "5"},
		{"12345678901234567890123456789012345", "12345678901234567890123456789012340"},
		{"12345678901234567890123456789012346", "12345678901234567890123456789012350"},
		{"12345678901234567890123456789012355", "12345678901234567890123456789012360"},
		{"", ""},
		{"abc", ""},
		{"1.2.3", ""},
		{"--1", ""},
		{"1e", ""},
		{"1e999", ""},
		{".", ""},
		{"1_0", ""},
	} {
		n, ok := Parse(c.in)
		if ok != (c.want != "") || ok && n.String() != c.want {
			t.Errorf("%q is %v %v, not %q", c.in, n, ok, c.want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	for _, c := range []struct {
		a, b string
		op   func(a, b Number) (Number, bool)
		want string
	}{
		{"0.1", "0.2", Add, "0.3"},
		{"1e34", "1", Add, "10000000000000000000000000000000000"},
		{"0.3", "0.1", Sub, "0.2"},
		{"1.5", "-2", Mul, "-3"},
		{"10", "3", Div, "3.333333333333333333333333333333333"},
		{"2", "3", Div, "0.6666666666666666666666666666666667"},
		{"1", "8", Div, "0.125"},
		{"1", "0", Div, ""},
		{"10", "3", Mod, "1"},
		{"-7", "3", Mod, "2"},
		{"7.5", "0", Mod, ""},
		{"1e80", "1e80", Mul, ""},
	} {
		a, _ := Parse(c.a)
		b, _ := Parse(c.b)
		n, ok := c.op(a, b)
		if ok != (c.want != "") || ok && n.String() != c.want {
			t.Errorf("%s and %s give %v %v, not %q", c.a, c.b, n, ok, c.want)
		}
	}
}

func TestConversions(t *testing.T) {
	n, _ := Parse("-9.99")
	if w, ok := n.Whole(); w != -9 || !ok || n.Real() != -9.99 || n.Sign() != -1 {
		t.Error(w, ok, n.Real())
	}
	n, _ = Parse("9223372036854775808")
	if _, ok := n.Whole(); ok || n.Real() != 9223372036854775808 {
		t.Error("beyond the end of int64")
	}
	if a, b := Neg(n), n; Compare(a, b) != -1 || Compare(b, a) != 1 || Compare(a, a) != 0 {
		t.Error("the order is wrong")
	}
}

// FuzzParse checks that a number's text reads back as itself.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"1", "-0.001", "1e20", "12345678901234567890123456789012345678", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := Parse(s)
		if !ok {
			return
		}
		back, ok := Parse(n.String())
		if !ok || Compare(back, n) != 0 || back.String() != n.String() {
			t.Errorf("%q is %s, which reads as %v %v", s, n, back, ok)
		}
		if want, err := strconv.ParseFloat(n.String(), 64); err == nil && math.Float64bits(want) != math.Float64bits(n.Real()) && want != 0 {
			t.Errorf("%s as real is %g, not %g", n, n.Real(), want)
		}
	})
}
