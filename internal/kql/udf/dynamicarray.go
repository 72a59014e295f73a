package udf

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// list gives the elements of an array; false for what is none.
func list(v *Value) ([][]byte, bool) {
	if v.Null || dyn.KindOf(v.S) != dyn.Array {
		return nil, false
	}
	return dyn.Elements(nil, v.S), true
}

// element gives a value as it stands in an array.
func element(v *Value) []byte {
	if v.Null {
		return []byte("null")
	}
	return v.S
}

func texts(args []Value) [][]byte {
	out := make([][]byte, len(args))
	for i := range args {
		out[i] = element(&args[i])
	}
	return out
}

// variadic makes a function of any number of dynamics.
func variadic(name string, least int, f func(dst []byte, args [][]byte) ([]byte, bool)) Func {
	d := dynFunc(name, dynamicT, func(dst []byte, a []Value) ([]byte, bool) { return f(dst, texts(a)) }, dynamicT)
	for len(d.Params) < least {
		d.Params = append(d.Params, dynamicT)
	}
	d.Variadic, d.Min = true, least
	return d
}

// optional lets a function be called with fewer arguments.
func optional(f Func, least int) Func {
	f.Min = least
	return f
}

// scalar makes a function of values that are not text.
func scalar(name string, result schema.Type, f func(a []Value, out *Value), params ...schema.Type) Func {
	return Func{Name: name, Params: params, Min: len(params), Result: result, New: func() Eval {
		return func(args []Value, out *Value) error {
			f(args, out)
			return nil
		}
	}}
}

// long gives argument i, or a default where it is not there or null.
func long(a []Value, i int, otherwise int64) int64 {
	if i < len(a) && !a[i].Null {
		return a[i].I
	}
	return otherwise
}

// dynamicArrays are the functions of arrays.
var dynamicArrays = []Func{
	scalar("array_length", longT, func(a []Value, out *Value) {
		if a[0].Null {
			out.Null = true
			return
		}
		out.set(dyn.ArrayLength(a[0].S))
	}, dynamicT),
	scalar("array_sum", schema.Real, func(a []Value, out *Value) {
		items, _ := list(&a[0])
		f, ok := dyn.Sum(items)
		out.F, out.Null = f, !ok
	}, dynamicT),
	optional(scalar("array_index_of", longT, func(a []Value, out *Value) {
		items, ok := list(&a[0])
		if !ok {
			out.Null = true
			return
		}
		out.I = dyn.IndexOf(items, element(&a[1]), long(a, 2, 0), long(a, 3, -1), long(a, 4, 1))
	}, dynamicT, dynamicT, longT, longT, longT), 2),
	variadic("array_concat", 1, dyn.Concat),
	variadic("zip", 2, func(dst []byte, a [][]byte) ([]byte, bool) { return dyn.Zip(dst, a), true }),
	variadic("set_union", 1, dyn.Union),
	variadic("set_intersect", 1, dyn.Intersect),
	variadic("set_difference", 1, dyn.Difference),
	variadic("pack_array", 0, func(dst []byte, a [][]byte) ([]byte, bool) {
		l := dyn.Begin(dst)
		for _, v := range a {
			l.Add(v)
		}
		return l.End(), true
	}),
	scalar("set_has_element", boolT, func(a []Value, out *Value) {
		has, ok := dyn.HasElement(element(&a[0]), element(&a[1]))
		out.Null = !ok
		if has {
			out.I = 1
		}
	}, dynamicT, dynamicT),
	scalar("jaccard_index", schema.Real, func(a []Value, out *Value) {
		f, ok := dyn.Jaccard(element(&a[0]), element(&a[1]))
		out.F, out.Null = f, !ok
	}, dynamicT, dynamicT),
	ofArray("array_slice", func(dst []byte, items [][]byte, a []Value) []byte {
		return dyn.Slice(dst, items, long(a, 1, 0), long(a, 2, -1))
	}, longT, longT),
	ofArray("array_reverse", func(dst []byte, items [][]byte, _ []Value) []byte { return dyn.Reverse(dst, items) }),
	ofArray("array_rotate_left", func(dst []byte, items [][]byte, a []Value) []byte { return dyn.Rotate(dst, items, long(a, 1, 0)) }, longT),
	ofArray("array_rotate_right", func(dst []byte, items [][]byte, a []Value) []byte { return dyn.Rotate(dst, items, -long(a, 1, 0)) }, longT),
	optional(ofArray("array_shift_left", func(dst []byte, items [][]byte, a []Value) []byte {
		return dyn.Shift(dst, items, long(a, 1, 0), fill(a))
	}, longT, dynamicT), 2),
	optional(ofArray("array_shift_right", func(dst []byte, items [][]byte, a []Value) []byte {
		return dyn.Shift(dst, items, -long(a, 1, 0), fill(a))
	}, longT, dynamicT), 2),
	ofArray("array_iff", func(dst []byte, items [][]byte, a []Value) []byte {
		return dyn.Iff(dst, items, element(&a[1]), element(&a[2]))
	}, dynamicT, dynamicT),
	dynFunc("array_split", dynamicT, arraySplit, dynamicT, dynamicT),
	dynFunc("array_sort", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		return dyn.Sort(dst, element(&a[0]), a[1].I != 0, a[2].I != 0)
	}, dynamicT, boolT, boolT),
	dynFunc("array_sort_with", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		return dyn.SortWith(dst, element(&a[0]), element(&a[1]), a[2].I != 0, a[3].I != 0)
	}, dynamicT, dynamicT, boolT, boolT),
	dynFunc("strcat_array", stringT, func(dst []byte, a []Value) ([]byte, bool) {
		return dyn.Join(dst, element(&a[0]), a[1].S)
	}, dynamicT, stringT),
	optional(dynFunc("series_stats_dynamic", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		if a[0].Null {
			return dst, false
		}
		s, ok := dyn.StatsOf(a[0].S, len(a) > 1 && a[1].I != 0)
		if !ok {
			return dst, false
		}
		return dyn.AppendStats(dst, &s), true
	}, dynamicT, boolT), 1),
	failing("repeat", dynamicT, func(dst []byte, a []Value) ([]byte, bool, error) {
		if a[1].Null || a[1].I < 0 {
			return dst, false, nil
		}
		out, err := dyn.Repeat(dst, element(&a[0]), a[1].I)
		return out, true, err
	}, dynamicT, longT),
	failing("range_long", dynamicT, func(dst []byte, a []Value) ([]byte, bool, error) {
		if a[0].Null || a[1].Null || a[2].Null || a[2].I == 0 {
			return dst, false, nil
		}
		return dyn.RangeLong(dst, a[0].I, a[1].I, a[2].I), true, nil
	}, longT, longT, longT),
	failing("range_real", dynamicT, func(dst []byte, a []Value) ([]byte, bool, error) {
		if a[0].Null || a[1].Null || a[2].Null || a[2].F == 0 {
			return dst, false, nil
		}
		return dyn.RangeReal(dst, a[0].F, a[1].F, a[2].F), true, nil
	}, schema.Real, schema.Real, schema.Real),
	failing("range_datetime", dynamicT, rangeOf(dyn.AppendTime), schema.DateTime, schema.DateTime, schema.TimeSpan),
	failing("range_timespan", dynamicT, rangeOf(dyn.AppendSpan), schema.TimeSpan, schema.TimeSpan, schema.TimeSpan),
}

func rangeOf(add func(dst []byte, n int64) []byte) func(dst []byte, a []Value) ([]byte, bool, error) {
	return func(dst []byte, a []Value) ([]byte, bool, error) {
		if a[0].Null || a[1].Null || a[2].Null || a[2].I == 0 {
			return dst, false, nil
		}
		return dyn.RangeTicks(dst, a[0].I, a[1].I, a[2].I, add), true, nil
	}
}

// fill is what takes the free places of a shift.
func fill(a []Value) []byte {
	if len(a) < 3 {
		return nil
	}
	return element(&a[2])
}

// ofArray makes a function whose first argument must be an array, else it is null.
func ofArray(name string, f func(dst []byte, items [][]byte, a []Value) []byte, more ...schema.Type) Func {
	return dynFunc(name, dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		items, ok := list(&a[0])
		if !ok {
			return dst, false
		}
		return f(dst, items, a), true
	}, append([]schema.Type{dynamicT}, more...)...)
}

// failing makes a function that may end the query.
func failing(name string, result schema.Type, f func(dst []byte, a []Value) ([]byte, bool, error), params ...schema.Type) Func {
	return Func{Name: name, Params: params, Min: len(params), Result: result, New: func() Eval {
		var scratch []byte
		return func(args []Value, out *Value) error {
			text, ok, err := f(scratch[:0], args)
			if err != nil {
				return fmt.Errorf("cannot compute %s(): %w", name, err)
			}
			scratch = text[:0]
			out.S, out.Null = text, !ok
			return nil
		}
	}}
}

// arraySplit takes one position or an array of them.
func arraySplit(dst []byte, a []Value) ([]byte, bool) {
	items, ok := list(&a[0])
	if !ok || a[1].Null {
		return dst, false
	}
	var at []int64
	if dyn.KindOf(a[1].S) == dyn.Array {
		for it := dyn.Walk(a[1].S); it.Next(); {
			n, ok := dyn.ToLong(it.Value)
			if !ok {
				return dst, false
			}
			at = append(at, n)
		}
	} else {
		n, ok := dyn.ToLong(a[1].S)
		if !ok {
			return dst, false
		}
		at = append(at, n)
	}
	return dyn.Split(dst, items, at), true
}
