package udf

import (
	"errors"

	"github.com/wadi-project/wadi/internal/kql/decimal"
	"github.com/wadi-project/wadi/internal/kql/fn"
)

// decimals are the operations on decimals, which are texts.
var decimals = []Func{
	decimalFunc("decimal_add", decimal.Add),
	decimalFunc("decimal_sub", decimal.Sub),
	decimalFunc("decimal_mul", decimal.Mul),
	decimalFunc("decimal_div", decimal.Div),
	decimalFunc("decimal_mod", decimal.Mod),
	plain("decimal_neg", tDec, func(a []Value, out *Value) error {
		n, ok := decimal.Parse(string(a[0].S))
		if ok {
			n = decimal.Neg(n)
		}
		return setDecimal(out, n, ok)
	}, tDec),
	plain("decimal_compare", tLong, func(a []Value, out *Value) error {
		x, ok := decimal.Parse(string(a[0].S))
		y, ok2 := decimal.Parse(string(a[1].S))
		if out.Null = !ok || !ok2; !out.Null {
			out.I = int64(decimal.Compare(x, y))
		}
		return nil
	}, tDec, tDec),
	plain("decimal_to_real", tReal, func(a []Value, out *Value) error {
		n, ok := decimal.Parse(string(a[0].S))
		if out.Null = !ok; ok {
			out.F = n.Real()
		}
		return nil
	}, tDec),
	plain("decimal_to_long", tLong, func(a []Value, out *Value) error {
		n, ok := decimal.Parse(string(a[0].S))
		if out.Null = !ok; ok {
			out.I, ok = n.Whole()
			out.Null = !ok
		}
		return nil
	}, tDec),
	plain("long_to_decimal", tDec, func(a []Value, out *Value) error {
		n, ok := decimal.Parse(long10(a[0].I))
		return setDecimal(out, n, ok)
	}, tLong),
	plain("real_to_decimal", tDec, func(a []Value, out *Value) error {
		n, ok := decimal.Parse(fn.FormatReal(a[0].F))
		return setDecimal(out, n, ok)
	}, tReal),
	plain("text_to_decimal", tDec, func(a []Value, out *Value) error {
		n, ok := decimal.Parse(string(a[0].S))
		return setDecimal(out, n, ok)
	}, tText),
	plain("parse_version", tDec, func(a []Value, out *Value) error {
		text, ok := versionDigits(a[0].S)
		n, ok2 := decimal.Parse(text)
		return setDecimal(out, n, ok && ok2)
	}, tText),
}

func setDecimal(out *Value, n decimal.Number, ok bool) error {
	if out.Null = !ok; ok {
		out.S = []byte(n.String())
	}
	return nil
}

var errDecimal = errors.New("a decimal is divided by zero or grows too large, and what Kusto answers then isn't known")

func decimalFunc(name string, op func(a, b decimal.Number) (decimal.Number, bool)) Func {
	return plain(name, tDec, func(a []Value, out *Value) error {
		x, ok := decimal.Parse(string(a[0].S))
		y, ok2 := decimal.Parse(string(a[1].S))
		if out.Null = !ok || !ok2; out.Null {
			return nil
		}
		n, ok := op(x, y)
		if !ok {
			return errDecimal
		}
		return setDecimal(out, n, true)
	}, tDec, tDec)
}
