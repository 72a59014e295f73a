package dyn

import (
	"bytes"
	"math"
	"slices"
	"strconv"
)

// setKey gives the text that equal values of a set share: numbers by value.
func setKey(v []byte) string {
	if KindOf(v) == Real {
		if f, ok := realOf(v); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return strconv.FormatInt(int64(f), 10)
		}
	}
	if bytes.IndexByte(v, '\\') >= 0 || KindOf(v) == Bag || KindOf(v) == Array {
		return string(Compact(nil, v))
	}
	return string(v)
}

// Union is set_union(): each value once, in order of first appearance.
func Union(dst []byte, arrays [][]byte) ([]byte, bool) {
	seen := map[string]bool{}
	a := Begin(dst)
	for _, v := range arrays {
		if KindOf(v) != Array {
			return dst, false
		}
		for it := Walk(v); it.Next(); {
			if k := setKey(it.Value); !seen[k] {
				seen[k] = true
				a.Add(it.Value)
			}
		}
	}
	return a.End(), true
}

// Intersect is set_intersect().
func Intersect(dst []byte, arrays [][]byte) ([]byte, bool) {
	return compareSets(dst, arrays, func(in, others int) bool { return in == others })
}

// Difference is set_difference(): what the first has and no other.
func Difference(dst []byte, arrays [][]byte) ([]byte, bool) {
	return compareSets(dst, arrays, func(in, _ int) bool { return in == 0 })
}

// compareSets keeps the values of the first array by the number of other arrays
// that have them too.
func compareSets(dst []byte, arrays [][]byte, keep func(in, others int) bool) ([]byte, bool) {
	sets := make([]map[string]bool, 0, len(arrays))
	for _, v := range arrays {
		if KindOf(v) != Array {
			return dst, false
		}
	}
	for _, v := range arrays[1:] {
		set := map[string]bool{}
		for it := Walk(v); it.Next(); {
			set[setKey(it.Value)] = true
		}
		sets = append(sets, set)
	}
	seen := map[string]bool{}
	a := Begin(dst)
	for it := Walk(arrays[0]); it.Next(); {
		k := setKey(it.Value)
		if seen[k] {
			continue
		}
		seen[k] = true
		in := 0
		for _, s := range sets {
			if s[k] {
				in++
			}
		}
		if keep(in, len(sets)) {
			a.Add(it.Value)
		}
	}
	return a.End(), true
}

// HasElement is set_has_element(); false in ok for what is no array.
func HasElement(v, value []byte) (has, ok bool) {
	if KindOf(v) != Array {
		return false, false
	}
	for it := Walk(v); it.Next(); {
		if Equal(it.Value, value) {
			return true, true
		}
	}
	return false, true
}

// Jaccard is jaccard_index(): the share of common values; NaN of two empty sets.
func Jaccard(a, b []byte) (float64, bool) {
	if KindOf(a) != Array || KindOf(b) != Array {
		return 0, false
	}
	sets := [2]map[string]bool{{}, {}}
	for i, v := range [][]byte{a, b} {
		for it := Walk(v); it.Next(); {
			sets[i][setKey(it.Value)] = true
		}
	}
	common := 0
	for k := range sets[0] {
		if sets[1][k] {
			common++
		}
	}
	return float64(common) / float64(len(sets[0])+len(sets[1])-common), true
}

// order ranks kinds in a sorted array of mixed kinds; nulls are placed apart.
func order(k Kind) int {
	switch k {
	case Bool:
		return 1
	case Long, Real:
		return 2
	case String:
		return 3
	case Array:
		return 4
	}
	return 5
}

// compare orders two values that are not null: numbers by value, strings by code
// point, false before true; kinds among each other in a fixed order.
func compare(a, b []byte) int {
	ka, kb := KindOf(a), KindOf(b)
	if d := order(ka) - order(kb); d != 0 {
		return d
	}
	switch ka {
	case Long, Real:
		if ka == Long && kb == Long {
			x, _ := ToLong(a)
			y, _ := ToLong(b)
			return cmpOrdered(x, y)
		}
		x, _ := realOf(a)
		y, _ := realOf(b)
		return cmpOrdered(x, y)
	case String:
		return bytes.Compare(Unquote(nil, a), Unquote(nil, b))
	case Bool:
		return cmpOrdered(boolLong(a), boolLong(b))
	}
	return bytes.Compare(a, b)
}

func cmpOrdered[T int64 | float64](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// sortOrder gives the positions of an array's elements in order. Nulls go to the
// end or the front whatever the direction; equal elements keep their order.
func sortOrder(items [][]byte, desc, nullsLast bool) []int {
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int {
		ni, nj := KindOf(items[i]) == Null, KindOf(items[j]) == Null
		switch {
		case ni && nj:
			return 0
		case ni != nj:
			if ni == nullsLast {
				return 1
			}
			return -1
		}
		c := compare(items[i], items[j])
		if desc {
			return -c
		}
		return c
	})
	return at
}

// Sort is array_sort_asc() and array_sort_desc(): the first array in order; false
// for what is no array.
func Sort(dst, v []byte, desc, nullsLast bool) ([]byte, bool) {
	if KindOf(v) != Array {
		return dst, false
	}
	items := Elements(nil, v)
	return reordered(dst, items, sortOrder(items, desc, nullsLast)), true
}

func reordered(dst []byte, items [][]byte, at []int) []byte {
	a := Begin(dst)
	for _, i := range at {
		a.Add(items[i])
	}
	return a.End()
}

// SortWith gives another array in the order that sorts keys; false unless both are
// arrays of one length.
func SortWith(dst, keys, v []byte, desc, nullsLast bool) ([]byte, bool) {
	if KindOf(keys) != Array || KindOf(v) != Array {
		return dst, false
	}
	items, by := Elements(nil, v), Elements(nil, keys)
	if len(items) != len(by) {
		return dst, false
	}
	return reordered(dst, items, sortOrder(by, desc, nullsLast)), true
}
