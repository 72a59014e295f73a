package dyn

import "math"

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

// numbers reads an array of numbers; what is no number is NaN.
func numbers(array []byte) ([]float64, bool) {
	if KindOf(array) != Array {
		return nil, false
	}
	var values []float64
	for it := Walk(array); it.Next(); {
		f, isNumber := Number(it.Value)
		if !isNumber {
			f = math.NaN()
		}
		values = append(values, f)
	}
	return values, true
}

// AppendStats is series_stats_dynamic().
func AppendStats(dst []byte, s *Stats) []byte {
	number := func(name string, f float64) {
		dst = AppendReal(append(append(append(dst, '"'), name...), `":`...), f)
	}
	whole := func(name string, n int64) {
		dst = AppendLong(append(append(append(dst, '"'), name...), `":`...), n)
	}
	dst = append(dst, '{')
	number("min", s.Min)
	dst = append(dst, ',')
	whole("min_idx", s.MinIdx)
	dst = append(dst, ',')
	number("max", s.Max)
	dst = append(dst, ',')
	whole("max_idx", s.MaxIdx)
	dst = append(dst, ',')
	number("avg", s.Avg)
	dst = append(dst, ',')
	number("stdev", s.Stdev())
	dst = append(dst, ',')
	number("variance", s.Variance)
	dst = append(dst, ',')
	number("sum", s.Sum)
	dst = append(dst, ',')
	whole("len", s.Len)
	return append(dst, '}')
}
