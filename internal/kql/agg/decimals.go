package agg

import (
	"errors"

	"github.com/wadi-project/wadi/internal/kql/decimal"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// decimals are the aggregates of decimals, exact in all their digits. Nulls are left
// out; of nothing the sum is 0 and the others are null.
var decimals = []Func{
	decimalFunc("sum_decimal", sumDecimal, func(n decimal.Number, _ int64) (decimal.Number, bool) { return n, true }),
	decimalFunc("avg_decimal", sumDecimal, func(n decimal.Number, count int64) (decimal.Number, bool) {
		by, _ := decimal.Parse(string(appendValue(nil, schema.Long, &udf.Value{I: count})))
		return decimal.Div(n, by)
	}),
	decimalFunc("min_decimal", lesser, func(n decimal.Number, _ int64) (decimal.Number, bool) { return n, true }),
	decimalFunc("max_decimal", greater, func(n decimal.Number, _ int64) (decimal.Number, bool) { return n, true }),
}

func sumDecimal(a, b decimal.Number) (decimal.Number, bool) { return decimal.Add(a, b) }

func lesser(a, b decimal.Number) (decimal.Number, bool) {
	if decimal.Compare(b, a) < 0 {
		return b, true
	}
	return a, true
}

func greater(a, b decimal.Number) (decimal.Number, bool) {
	if decimal.Compare(b, a) > 0 {
		return b, true
	}
	return a, true
}

var errDecimal = errors.New("the sum of the decimals is too large")

func decimalFunc(name string, join func(a, b decimal.Number) (decimal.Number, bool), end func(n decimal.Number, count int64) (decimal.Number, bool)) Func {
	return Func{
		Name: name, Params: []schema.Type{schema.Decimal}, Result: schema.Decimal,
		New: func() State { return &decimalState{join: join, end: end, zero: name == "sum_decimal"} },
	}
}

type decimalState struct {
	join  func(a, b decimal.Number) (decimal.Number, bool)
	end   func(n decimal.Number, count int64) (decimal.Number, bool)
	zero  bool
	value decimal.Number
	count int64
	text  []byte
}

func (s *decimalState) Add(args []udf.Value) error {
	if args[0].Null {
		return nil
	}
	n, ok := decimal.Parse(string(args[0].S))
	if !ok {
		return nil // no value of a decimal column
	}
	return s.add(n, 1)
}

func (s *decimalState) add(n decimal.Number, count int64) error {
	if s.count > 0 {
		var ok bool
		if n, ok = s.join(s.value, n); !ok {
			return errDecimal
		}
	}
	s.value = n
	s.count += count
	return nil
}

func (s *decimalState) Merge(other State) error {
	o, _ := other.(*decimalState)
	if o == nil || o.count == 0 {
		return nil
	}
	return s.add(o.value, o.count)
}

func (s *decimalState) Result(out *udf.Value) error {
	if s.count == 0 {
		if out.Null = !s.zero; s.zero {
			out.S = []byte("0")
		}
		return nil
	}
	n, ok := s.end(s.value, s.count)
	if !ok {
		return errDecimal
	}
	s.text = append(s.text[:0], n.String()...)
	out.S = s.text
	return nil
}

// decimalBytes is about what one number holds.
const decimalBytes = 64

func (s *decimalState) Size() int { return decimalBytes }
