package agg

import (
	"cmp"
	"math"
	"slices"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// percentiles are the weighted percentiles. Arguments are the value, its weight
// and the percentage, 0 to 100.
var percentiles = []Func{
	weightedFunc[int64]("percentilew_long", schema.Long, func(v *udf.Value) int64 { return v.I }, func(x int64, out *udf.Value) { out.I = x }),
	weightedFunc[float64]("percentilew_real", schema.Real, func(v *udf.Value) float64 { return v.F }, func(x float64, out *udf.Value) { out.F = x }),
}

// maxWeighted bounds the distinct values that one group's percentile holds.
const maxWeighted = 1 << 22

func weightedFunc[T cmp.Ordered](name string, t schema.Type, get func(*udf.Value) T, set func(T, *udf.Value)) Func {
	return Func{
		Name: name, Params: []schema.Type{t, schema.Long, schema.Real}, Result: t,
		New: func() State { return &weighted[T]{weights: map[T]int64{}, get: get, set: set} },
	}
}

// weighted holds the weight of each value.
type weighted[T cmp.Ordered] struct {
	weights map[T]int64
	share   float64
	get     func(*udf.Value) T
	set     func(T, *udf.Value)
}

func (s *weighted[T]) Add(args []udf.Value) error {
	s.share = args[2].F
	if args[0].Null || args[1].Null || args[1].I <= 0 {
		return nil
	}
	x := s.get(&args[0])
	if x != x { // NaN has no place in an order
		return nil
	}
	return s.add(x, args[1].I)
}

func (s *weighted[T]) add(x T, weight int64) error {
	if len(s.weights) >= maxWeighted {
		return ErrTooLarge
	}
	s.weights[x] += weight
	return nil
}

func (s *weighted[T]) Merge(other State) error {
	o, _ := other.(*weighted[T])
	if o == nil {
		return nil
	}
	if len(s.weights) == 0 {
		s.share = o.share
	}
	for x, w := range o.weights {
		if err := s.add(x, w); err != nil {
			return err
		}
	}
	return nil
}

// Result is the nearest rank: the least value at or below which the share of the
// weight lies.
func (s *weighted[T]) Result(out *udf.Value) error {
	out.Null = len(s.weights) == 0
	if out.Null {
		return nil
	}
	values := make([]T, 0, len(s.weights))
	total := 0.0
	for x, w := range s.weights {
		values = append(values, x)
		total += float64(w)
	}
	slices.Sort(values)
	rank := math.Max(s.share/100*total, 1)
	sum := 0.0
	for _, x := range values {
		if sum += float64(s.weights[x]); sum >= rank {
			s.set(x, out)
			return nil
		}
	}
	s.set(values[len(values)-1], out)
	return nil
}

func (s *weighted[T]) Size() int { return len(s.weights) * 24 }
