package udf

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// Types of parameters, short for the tables below.
const (
	dynamicT = schema.Dynamic
	stringT  = schema.String
	longT    = schema.Long
	boolT    = schema.Bool
)

// dynFunc makes a function whose result is text that f appends to scratch; false
// is null.
func dynFunc(name string, result schema.Type, f func(dst []byte, args []Value) ([]byte, bool), params ...schema.Type) Func {
	return Func{Name: name, Params: params, Min: len(params), Result: result, New: func() Eval {
		var scratch []byte
		return func(args []Value, out *Value) error {
			text, ok := f(scratch[:0], args)
			scratch = text[:0]
			if !ok {
				out.Null = result != schema.String
				return nil
			}
			out.S = text
			return nil
		}
	}}
}

// reader is a way from a value to a result: what tostring(), tolong() … of a
// dynamic are. v is nil for null.
type reader struct {
	name   string
	result schema.Type
	read   func(scratch *[]byte, v []byte, out *Value)
}

// readers are the conversions, each of a value and of a value at a path within.
var readers = []reader{
	{"get", dynamicT, func(scratch *[]byte, v []byte, out *Value) {
		if out.Null = len(v) == 0; out.Null {
			return
		}
		*scratch = dyn.Compact((*scratch)[:0], v)
		out.S = *scratch
	}},
	{"text", stringT, func(scratch *[]byte, v []byte, out *Value) {
		if len(v) > 1 && v[0] == '"' && bytes.IndexByte(v, '\\') < 0 {
			out.S = v[1 : len(v)-1]
			return
		}
		*scratch = dyn.Text((*scratch)[:0], v)
		out.S = *scratch
	}},
	// The elements of a value a line each (dyn.Expand), null for none. Null can't be told
	// from no rows in a string, so that the type is dynamic.
	{"expand", dynamicT, expander(false)},
	{"pairs", dynamicT, expander(true)},
	{"bool", boolT, func(_ *[]byte, v []byte, out *Value) {
		b, ok := dyn.ToBool(v)
		out.Null = !ok
		if b {
			out.I = 1
		}
	}},
	{"int", schema.Int, func(_ *[]byte, v []byte, out *Value) { out.set(dyn.ToInt(v)) }},
	{"long", longT, func(_ *[]byte, v []byte, out *Value) { out.set(dyn.ToLong(v)) }},
	{"datetime", schema.DateTime, func(_ *[]byte, v []byte, out *Value) { out.set(dyn.ToTicks(v)) }},
	{"timespan", schema.TimeSpan, func(_ *[]byte, v []byte, out *Value) { out.set(dyn.ToSpan(v)) }},
	{"real", schema.Real, func(_ *[]byte, v []byte, out *Value) {
		f, ok := dyn.ToReal(v)
		out.F, out.Null = f, !ok
	}},
	{"guid", schema.Guid, func(scratch *[]byte, v []byte, out *Value) {
		text, ok := dyn.ToGUID((*scratch)[:0], v)
		*scratch = text
		out.S, out.Null = text, !ok
	}},
}

func expander(pairs bool) func(scratch *[]byte, v []byte, out *Value) {
	return func(scratch *[]byte, v []byte, out *Value) {
		lines, ok := dyn.Expand((*scratch)[:0], v, pairs)
		*scratch = lines
		out.S, out.Null = lines, !ok
	}
}

func (v *Value) set(n int64, ok bool) { v.I, v.Null = n, !ok }

// dynamicReaders are dyn_<reader> of a dynamic and json_<reader> of text that may be
// JSON, both with a path (dyn.Path) that is nearly always the same: it is read once.
func dynamicReaders() []Func {
	var list []Func
	for _, r := range readers {
		list = append(list,
			Func{Name: "dyn_" + r.name, Params: []schema.Type{dynamicT, stringT}, Min: 2, Result: r.result, New: func() Eval {
				return readPath(r, func(v []byte, p dyn.Path, _ *[]byte) []byte { return dyn.Find(v, p) })
			}},
			Func{Name: "json_" + r.name, Params: []schema.Type{stringT, stringT}, Min: 2, Result: r.result, New: func() Eval {
				return readPath(r, func(v []byte, p dyn.Path, scratch *[]byte) []byte {
					found, ok := dyn.FindText(bytes.TrimSpace(v), p)
					if ok || len(found) == 0 {
						return found
					}
					*scratch = dyn.AppendString((*scratch)[:0], found)
					return *scratch
				})
			}})
	}
	return list
}

func readPath(r reader, find func(v []byte, p dyn.Path, scratch *[]byte) []byte) Eval {
	var text, scratch, quoted []byte
	var path dyn.Path
	known := false
	return func(args []Value, out *Value) error {
		if !known || !bytes.Equal(text, args[1].S) {
			p, ok := dyn.ParsePath(args[1].S)
			if !ok {
				return fmt.Errorf("BUG: %q is no path", args[1].S)
			}
			text, path, known = bytes.Clone(args[1].S), p, true
		}
		var v []byte
		if !args[0].Null {
			v = find(args[0].S, path, &quoted)
		}
		r.read(&scratch, v, out)
		return nil
	}
}

// dynamics are the functions of one value.
var dynamics = append(dynamicReaders(),
	dynFunc("dyn_parse", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		out := dyn.ParseOrString(dst, a[0].S)
		return out, len(out) > 0
	}, stringT),
	dynFunc("dyn_index", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		if a[0].Null || a[1].Null {
			return dst, false
		}
		return found(dst, dyn.Index(a[0].S, a[1].I))
	}, dynamicT, longT),
	dynFunc("dyn_member", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		if a[0].Null {
			return dst, false
		}
		return found(dst, dyn.Find(a[0].S, dyn.Path{dyn.Member(string(a[1].S))}))
	}, dynamicT, stringT),
	dynFunc("dyn_at", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		switch {
		case a[0].Null || a[1].Null:
			return dst, false
		case dyn.KindOf(a[1].S) == dyn.String:
			return found(dst, dyn.Find(a[0].S, dyn.Path{dyn.Member(string(dyn.Unquote(nil, a[1].S)))}))
		case dyn.KindOf(a[1].S) == dyn.Long:
			n, _ := dyn.ToLong(a[1].S)
			return found(dst, dyn.Index(a[0].S, n))
		}
		return dst, false
	}, dynamicT, dynamicT),
	dynFunc("dyn_type", stringT, func(dst []byte, a []Value) ([]byte, bool) {
		return append(dst, dyn.TypeName(a[0].S)...), true
	}, dynamicT),
	dynFunc("dyn_sorted_json", stringT, func(dst []byte, a []Value) ([]byte, bool) {
		return dyn.SortedJSON(dst, a[0].S), true
	}, dynamicT),
	dynFunc("extract_json", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		path, ok := dyn.ParseJSONPath(string(a[0].S))
		if !ok {
			return dst, false
		}
		v, isJSON := dyn.FindText(a[1].S, path)
		if !isJSON {
			return dst, false
		}
		return found(dst, v)
	}, stringT, stringT),
	dynFunc("treepath", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		return dyn.TreePath(dst, a[0].S)
	}, dynamicT),
	dynFunc("parse_xml", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		return dyn.ParseXML(dst, a[0].S)
	}, stringT),
)

func found(dst, v []byte) ([]byte, bool) {
	if len(v) == 0 {
		return dst, false
	}
	return dyn.Compact(dst, v), true
}

// comparisons are what the operators on dynamics need besides the readers.
var comparisons = []Func{
	// dyn_whole is the value as a whole number, null for what is none exactly.
	scalar("dyn_whole", longT, func(a []Value, out *Value) {
		if out.Null = a[0].Null; out.Null {
			return
		}
		if f, ok := dyn.Number(a[0].S); ok && dyn.KindOf(a[0].S) == dyn.Real {
			n := int64(f)
			out.set(n, float64(n) == f)
			return
		}
		out.set(dyn.ToLong(a[0].S))
	}, dynamicT),
	// dyn_order compares the value with a whole number: -1, 0 or 1.
	scalar("dyn_order", longT, func(a []Value, out *Value) {
		if out.Null = a[0].Null || a[1].Null; out.Null {
			return
		}
		v := a[0].S
		if f, ok := dyn.Number(v); ok && dyn.KindOf(v) == dyn.Real {
			out.I = int64(dyn.CompareReal(f, a[1].I))
			return
		}
		n, ok := dyn.ToLong(v)
		out.set(int64(cmp.Compare(n, a[1].I)), ok)
	}, dynamicT, longT),
	// dyn_has_value tells whether an array has a value.
	scalar("dyn_has_value", boolT, func(a []Value, out *Value) {
		if a[0].Null || a[1].Null {
			return
		}
		for v := range dyn.Flat(a[0].S) {
			if dyn.Equal(v, a[1].S) {
				out.I = 1
				return
			}
		}
	}, dynamicT, dynamicT),
	// dyn_flat is an array of the elements of an array and of those within it.
	dynFunc("dyn_flat", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		l := dyn.Begin(dst)
		for v := range dyn.Flat(element(&a[0])) {
			if dyn.KindOf(v) != dyn.Null { // equals nothing
				l.Add(v)
			}
		}
		return l.End(), true
	}, dynamicT),
	// dyn_has_text tells whether an array has a text, whatever the case with fold.
	{Name: "dyn_has_text", Params: []schema.Type{dynamicT, stringT, boolT}, Min: 3, Result: boolT, New: func() Eval {
		var scratch []byte
		return func(a []Value, out *Value) error {
			if a[0].Null {
				return nil
			}
			same := bytes.Equal
			if a[2].I != 0 {
				same = bytes.EqualFold
			}
			test := func(v []byte) {
				scratch = dyn.Text(scratch[:0], v)
				if dyn.KindOf(v) != dyn.Null && same(scratch, a[1].S) {
					out.I = 1
				}
			}
			for v := range dyn.Flat(a[0].S) {
				if test(v); out.I != 0 {
					break
				}
			}
			return nil
		}
	}},
}
