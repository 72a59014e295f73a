package series

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"

	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// Stats are the statistics of a series: an array of numbers.
type Stats struct {
	Min, Max       float64
	MinIdx, MaxIdx int64
	Avg, Sum       float64
	// Variance is that of a sample: over n-1.
	Variance float64
	// Len counts all elements, also those left out.
	Len int64
}

// Stdev is the standard deviation of a sample.
func (s *Stats) Stdev() float64 { return math.Sqrt(s.Variance) }

// StatsOf computes the statistics of a series. ok is false where there are none:
// the text is no array of numbers, is empty, or has an element that isn't finite
// (null, NaN, infinite) and ignore isn't set. Welford's recurrence keeps the
// variance exact for large values.
func StatsOf(array []byte, ignore bool) (s Stats, ok bool) {
	values, ok := numbers(array)
	if !ok {
		return s, false
	}
	n, mean, squares := 0.0, 0.0, 0.0
	for i, v := range values {
		s.Len++
		if math.IsNaN(v) || math.IsInf(v, 0) {
			if !ignore {
				return s, false
			}
			continue
		}
		if n == 0 || v < s.Min {
			s.Min, s.MinIdx = v, int64(i)
		}
		if n == 0 || v > s.Max {
			s.Max, s.MaxIdx = v, int64(i)
		}
		s.Sum += v
		n++
		d := v - mean
		mean += d / n
		squares += d * (v - mean)
	}
	if n == 0 {
		return s, false
	}
	s.Avg = s.Sum / n
	if n > 1 {
		s.Variance = squares / (n - 1)
	}
	return s, true
}

// numbers reads a JSON array of numbers; what is no number is NaN.
func numbers(array []byte) ([]float64, bool) {
	d := json.NewDecoder(bytes.NewReader(array))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, false
	}
	var values []float64
	for d.More() {
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, false
		}
		f, isNumber := v.(float64)
		if !isNumber {
			f = math.NaN()
		}
		values = append(values, f)
	}
	return values, true
}

// stats is series_stats: a series in; least, its place, greatest, its place, mean,
// deviation and variance out.
type stats struct {
	ignore bool
	out    [7]udf.Value
}

func newStats(args []udf.Value, in, out []schema.Type) (Operator, error) {
	if len(in) != 1 || in[0] != schema.Dynamic || len(out) != 7 || len(args) > 1 {
		return nil, errors.New("cannot run series_stats: its columns are not those of the operator")
	}
	return &stats{ignore: len(args) > 0 && args[0].I != 0}, nil
}

func (o *stats) Row(in []udf.Value, emit Emit) error {
	s, ok := Stats{}, false
	if !in[0].Null {
		s, ok = StatsOf(in[0].S, o.ignore)
	}
	null := !ok
	o.out = [...]udf.Value{
		{F: s.Min, Null: null},
		{I: s.MinIdx, Null: null},
		{F: s.Max, Null: null},
		{I: s.MaxIdx, Null: null},
		{F: s.Avg, Null: null},
		{F: s.Stdev(), Null: null},
		{F: s.Variance, Null: null},
	}
	return emit(o.out[:])
}

func (o *stats) End(Emit) error { return nil }
