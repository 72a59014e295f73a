package udf

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

const (
	// maxText bounds a text that a function builds; a question has no use for a
	// longer one, and functions that repeat or replace would else take all memory.
	maxText = 16 << 20
	// maxRegexes bounds the compiled expressions that one evaluator keeps: a
	// pattern from a column may be another one on each row.
	maxRegexes = 32
)

var errTooLong = errors.New("a text grows longer than 16 MiB")

// Short names for the tables of functions.
const (
	tBool = schema.Bool
	tInt  = schema.Int
	tLong = schema.Long
	tReal = schema.Real
	tText = schema.String
	tTime = schema.DateTime
	tSpan = schema.TimeSpan
	tGuid = schema.Guid
	tDec  = schema.Decimal
	tBag  = schema.Dynamic
)

// plain makes a function without scratch. A null argument makes the result null.
func plain(name string, result schema.Type, f Eval, params ...schema.Type) Func {
	return Func{Name: name, Params: params, Min: len(params), Result: result, New: func() Eval { return strict(f) }}
}

// scratched makes a function whose evaluators have scratch memory.
func scratched(name string, result schema.Type, newEval func() Eval, params ...schema.Type) Func {
	return Func{Name: name, Params: params, Min: len(params), Result: result, New: func() Eval { return strict(newEval()) }}
}

// shorter lets the last n parameters be left out.
func shorter(n int, f Func) Func {
	f.Min -= n
	return f
}

// repeating lets the last parameter repeat.
func repeating(f Func) Func {
	f.Variadic = true
	return f
}

// strict answers null for a null argument.
func strict(f Eval) Eval {
	return func(args []Value, out *Value) error {
		for i := range args {
			if args[i].Null {
				out.Null = true
				return nil
			}
		}
		return f(args, out)
	}
}

// searching makes a function of regular expressions with scratch memory.
func searching(name string, result schema.Type, newEval func() Eval, params ...schema.Type) Func {
	f := scratched(name, result, newEval, params...)
	f.Regex = true
	return f
}

// textFunc makes a function of a text to a text; f appends the result to dst.
func textFunc(name string, f func(dst, s []byte) []byte) Func {
	return scratched(name, tText, func() Eval {
		var scratch []byte
		return func(args []Value, out *Value) error {
			scratch = f(scratch[:0], args[0].S)
			out.S = scratch
			return nil
		}
	}, tText)
}

// truth makes 0 or 1.
func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// valid makes a text UTF-8, as all texts in the engine must be.
func valid(s []byte) []byte {
	if utf8.Valid(s) {
		return s
	}
	return bytes.ToValidUTF8(s, []byte("\uFFFD"))
}

// regexes are the compiled expressions of one evaluator.
type regexes struct {
	known map[string]*regexp.Regexp
	last  *regexp.Regexp
	text  []byte
}

// get compiles a pattern of Kusto's.
func (r *regexes) get(pattern []byte) (*regexp.Regexp, error) {
	if r.last != nil && bytes.Equal(r.text, pattern) {
		return r.last, nil
	}
	re, ok := r.known[string(pattern)]
	if !ok {
		text, err := fn.Regex(string(pattern))
		if err != nil {
			return nil, err
		}
		if re, err = regexp.Compile(text); err != nil {
			return nil, err
		}
		if r.known == nil || len(r.known) >= maxRegexes {
			r.known = make(map[string]*regexp.Regexp)
		}
		r.known[string(pattern)] = re
	}
	r.last, r.text = re, append(r.text[:0], pattern...)
	return re, nil
}

// elements are the elements of a dynamic array as texts; it keeps those of the
// last array, which is the same on most rows.
type elements struct {
	raw   []byte
	texts [][]byte
	nulls []bool
	kinds []byte // the first byte of each element's JSON
	ok    bool
}

// read gives the elements; false when the value is no array.
func (e *elements) read(raw []byte) bool {
	if e.raw != nil && bytes.Equal(e.raw, raw) {
		return e.ok
	}
	e.raw = append(make([]byte, 0, len(raw)), raw...)
	e.texts, e.nulls, e.kinds, e.ok = nil, nil, nil, false
	if dyn.KindOf(raw) != dyn.Array {
		return false
	}
	for _, item := range dyn.Elements(nil, e.raw) {
		e.kinds = append(e.kinds, item[0])
		e.nulls = append(e.nulls, item[0] == 'n')
		e.texts = append(e.texts, dyn.Text(nil, item))
	}
	e.ok = true
	return true
}

// appendStrings writes an array of texts as JSON.
func appendStrings[T ~string | ~[]byte](dst []byte, list []T) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = dyn.AppendString(dst, []byte(s))
	}
	return append(dst, ']')
}

// appendPair writes a member of a bag, behind a comma but for the first.
func appendPair(dst []byte, key string, value []byte) []byte {
	if n := len(dst); n > 0 && dst[n-1] != '{' {
		dst = append(dst, ',')
	}
	dst = dyn.AppendString(dst, []byte(key))
	dst = append(dst, ':')
	return dyn.AppendString(dst, value)
}

func appendInts(dst []byte, list []int64) []byte {
	dst = append(dst, '[')
	for i, n := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, n, 10)
	}
	return append(dst, ']')
}

// anyOf tells whether f holds for one of the texts in args, or for one element
// when there is one argument that is an array.
func anyOf(args []Value, list *elements, f func(s []byte) bool) bool {
	if len(args) == 1 && len(args[0].S) > 0 && args[0].S[0] == '[' && list.read(args[0].S) {
		return slices.ContainsFunc(list.texts, f)
	}
	return slices.ContainsFunc(args, func(v Value) bool { return f(v.S) })
}
