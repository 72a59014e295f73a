package udf

import (
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/schema"
)

// Value is one value of a row. Of its fields the one that the type says holds:
// I for bool (0 or 1), int, long, datetime and timespan (ticks of 100 ns), F for
// real, S for string, guid (lower case), decimal (canonical text) and dynamic
// (compact JSON). Strings are never null.
type Value struct {
	Null bool
	I    int64
	F    float64
	// S of an argument is the caller's memory and must not be kept or changed.
	S []byte
}

// Constant gives a plan's constant as functions and operators take it: v is a bool,
// an int64, a float64 or a string; anything else, nil among it, is null.
func Constant(v any) Value {
	switch v := v.(type) {
	case bool:
		if v {
			return Value{I: 1}
		}
		return Value{}
	case int64:
		return Value{I: v}
	case float64:
		return Value{F: v}
	case string:
		return Value{S: []byte(v)}
	}
	return Value{Null: true}
}

// Eval computes one row: it gets the arguments, of the types of Func.Params, and
// writes the result to out, which comes in zeroed. out.S may point into an argument
// or into scratch that the next call overwrites. An error ends the query with it.
type Eval func(args []Value, out *Value) error

// Func is a scalar function in Go.
type Func struct {
	// Name is the function's name, in SQL behind wadi_: small letters, digits, "_".
	Name string
	// Params are the types of the parameters; Min of them must be given. When
	// Variadic, the last one repeats.
	Params   []schema.Type
	Variadic bool
	Min      int
	Result   schema.Type
	// Volatile functions give another value at each call (new_guid, rand): calls
	// are neither folded nor shared between equal expressions.
	Volatile bool
	// Regex functions run regular expressions, which take their time even on short
	// texts.
	Regex bool
	// New makes an evaluator for one thread. Evaluators don't share memory.
	New func() Eval
}

// Param is the type of the i-th argument.
func (f *Func) Param(i int) schema.Type { return f.Params[min(i, len(f.Params)-1)] }

// families are the tables of functions, one a file.
var families = [][]Func{
	urls, base64s, ips, stringFuncs, splits, terms, patterns, hashes, times, numbers, decimals, conversions, paths, agents, parses,
	dynamics, comparisons, dynamicArrays, dynamicBags, eventData,
}

var all, byName = gather()

func gather() ([]Func, map[string]*Func) {
	list := slices.Concat(families...)
	slices.SortFunc(list, func(a, b Func) int { return strings.Compare(a.Name, b.Name) })
	names := make(map[string]*Func, len(list))
	for i := range list {
		names[list[i].Name] = &list[i]
	}
	return list, names
}

// All gives every function, sorted by name. The caller must not change them.
func All() []Func { return all }

// Lookup finds a function by name; nil when there is none.
func Lookup(name string) *Func { return byName[name] }
