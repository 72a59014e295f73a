package dyn

import (
	"bytes"
	"math"
	"slices"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
)

// AppendTime appends a datetime (ticks) as it stands in a value.
func AppendTime(dst []byte, ticks int64) []byte {
	return append(event.Ticks(ticks).AppendISO(append(dst, '"'), 7), '"')
}

// AppendSpan appends a timespan (ticks) as it stands in a value.
func AppendSpan(dst []byte, ticks int64) []byte {
	return append(append(append(dst, '"'), fn.FormatSpan(ticks)...), '"')
}

// RangeTicks is range() of whole numbers that add prints, cut at [MaxElements] as
// Kusto does. step is not 0.
func RangeTicks(dst []byte, from, to, step int64, add func(dst []byte, n int64) []byte) []byte {
	a := Begin(dst)
	for n := from; a.n < MaxElements && (step > 0 && n <= to || step < 0 && n >= to); {
		a.comma()
		a.b = add(a.b, n)
		next := n + step
		if (step > 0) != (next > n) { // past the ends of long
			break
		}
		n = next
	}
	return a.End()
}

// RangeLong is range() of whole numbers.
func RangeLong(dst []byte, from, to, step int64) []byte {
	return RangeTicks(dst, from, to, step, AppendLong)
}

// RangeReal is range() of reals.
func RangeReal(dst []byte, from, to, step float64) []byte {
	a := Begin(dst)
	for i := range MaxElements {
		f := from + float64(i)*step
		if math.IsNaN(f) || step > 0 && f > to || step < 0 && f < to {
			break
		}
		a.comma()
		a.b = AppendReal(a.b, f)
	}
	return a.End()
}

// SortedJSON is dynamic_to_json(): the JSON with the keys of all bags in order.
func SortedJSON(dst, v []byte) []byte {
	switch KindOf(v) {
	case Null:
		return append(dst, "null"...)
	case Array:
		a := Begin(dst)
		for it := Walk(v); it.Next(); {
			a.comma()
			a.b = SortedJSON(a.b, it.Value)
		}
		return a.End()
	case Bag:
		type item struct{ key, value []byte }
		var items []item
		for it := Walk(v); it.Next(); {
			items = append(items, item{it.Key, it.Value})
		}
		slices.SortStableFunc(items, func(a, b item) int {
			return bytes.Compare(a.key[:len(a.key)-1], b.key[:len(b.key)-1])
		})
		dst = append(dst, '{')
		for i, it := range items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = SortedJSON(append(append(dst, it.key...), ':'), it.value)
		}
		return append(dst, '}')
	}
	return Compact(dst, v)
}
