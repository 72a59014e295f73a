package udf

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// FuzzDynamics calls every function of dynamics with any values: none may panic, and
// what is a dynamic is in the form that package dyn tells.
func FuzzDynamics(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x"]}`, `[3,1,null,[2]]`, `"$.a.b"`, "5", "", "<a b='c'>d</a>", `["a",0,-1]`} {
		f.Add(s, `{"a":{"b":1}}`, int64(-2))
	}
	funcs := slices.Concat(dynamics, comparisons, dynamicArrays, dynamicBags)
	f.Fuzz(func(t *testing.T, a, b string, n int64) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return // texts of the engine are UTF-8
		}
		for i := range funcs {
			fuzzOne(t, &funcs[i], a, b, n)
		}
	})
}

func fuzzOne(t *testing.T, f *Func, a, b string, n int64) {
	if strings.HasPrefix(f.Name, "range_") { // up to 2^20 elements each
		n = n%1000 + 1
	}
	eval := f.New()
	for count := f.Min; count <= len(f.Params)+1; count++ {
		if count > len(f.Params) && !f.Variadic {
			break
		}
		args := make([]Value, count)
		for j := range args {
			args[j] = fuzzed(f.Param(j), [2]string{a, b}[j%2], n)
		}
		if isReader(f.Name) {
			args[1].S = []byte(`["a",0]`)
		}
		var out Value
		if err := eval(args, &out); err != nil || out.Null || f.Result != schema.Dynamic || isLines(f.Name) {
			continue
		}
		if again, ok := dyn.Parse(nil, out.S); !ok || !bytes.Equal(again, out.S) || string(out.S) == "null" {
			t.Fatalf("%s of %q and %q gives %q, which is not in form", f.Name, a, b, out.S)
		}
	}
}

// isLines tells the functions whose result is lines of JSON.
func isLines(name string) bool {
	return strings.HasSuffix(name, "_expand") || strings.HasSuffix(name, "_pairs")
}

func isReader(name string) bool {
	return slices.ContainsFunc(dynamicReaders(), func(f Func) bool { return f.Name == name })
}

// fuzzed makes an argument: a text, or a dynamic read from it, null where it is none.
func fuzzed(t schema.Type, text string, n int64) Value {
	switch t {
	case schema.String:
		return Value{S: []byte(text)}
	case schema.Dynamic:
		v := dyn.ParseOrString(nil, []byte(text))
		return Value{S: v, Null: len(v) == 0}
	case schema.Bool:
		return Value{I: n & 1}
	}
	return Value{I: n, F: float64(n) / 3}
}
