package fn

import (
	"maps"

	"github.com/wadi-project/wadi/internal/schema"
)

// Class is a set of types that a parameter takes.
type Class uint16

// The sets in use; Of makes the set of one type.
var (
	text     = Of(schema.String)
	whole    = Of(schema.Int) | Of(schema.Long)
	number   = whole | Of(schema.Real)
	moment   = Of(schema.DateTime)
	duration = Of(schema.TimeSpan)
	// plain are the types that print and convert; dynamic and decimal aren't.
	plain = number | text | moment | duration | Of(schema.Bool) | Of(schema.Guid)
)

// Of gives the set of one type.
func Of(t schema.Type) Class { return 1 << t }

// Has tells whether the set holds t.
func (c Class) Has(t schema.Type) bool { return c&(1<<t) != 0 }

// Function is a scalar function of fixed form: its operation gets the arguments
// as they are. Functions whose type or meaning hangs on their arguments (iff,
// bin, now …) are bound by code and only named in Special.
type Function struct {
	Op Op
	// Params are the types of the parameters; Min of them must be given. When
	// Variadic, the last one repeats.
	Params   []Class
	Min      int
	Variadic bool
	Result   schema.Type
	// Go names the function of package udf that computes it; Op is then Go. Its
	// arguments are converted to that function's parameters.
	Go string
}

func unary(op Op, param Class, result schema.Type) Function {
	return Function{Op: op, Params: []Class{param}, Min: 1, Result: result}
}

// goFunc is a function computed by the one of package udf called name.
func goFunc(name string, result schema.Type, params ...Class) Function {
	return Function{Op: Go, Go: name, Params: params, Min: len(params), Result: result}
}

// Functions are the scalar functions of fixed form, by name.
var Functions = merged(fixed, scalars, dynamics)

func merged(tables ...map[string]Function) map[string]Function {
	all := map[string]Function{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

var fixed = map[string]Function{
	"tostring":       unary(ToString, plain|Of(schema.Decimal), schema.String),
	"toint":          unary(ToInt, (plain|Of(schema.Decimal))&^Of(schema.Guid), schema.Int),
	"tolong":         unary(ToLong, (plain|Of(schema.Decimal))&^Of(schema.Guid), schema.Long),
	"toreal":         unary(ToReal, number|text|duration|Of(schema.Bool)|Of(schema.Decimal), schema.Real),
	"todouble":       unary(ToReal, number|text|duration|Of(schema.Bool)|Of(schema.Decimal), schema.Real),
	"tobool":         unary(ToBool, number|text|Of(schema.Bool)|Of(schema.Decimal), schema.Bool),
	"toboolean":      unary(ToBool, number|text|Of(schema.Bool)|Of(schema.Decimal), schema.Bool),
	"todatetime":     unary(ToDateTime, moment|text|number, schema.DateTime),
	"totimespan":     unary(ToTimeSpan, duration|text|number, schema.TimeSpan),
	"toguid":         unary(ToGuid, text|Of(schema.Guid), schema.Guid),
	"tolower":        unary(ToLower, text, schema.String),
	"toupper":        unary(ToUpper, text, schema.String),
	"strlen":         unary(StrLen, text, schema.Long),
	"substring":      {Op: Substring, Params: []Class{text, whole, whole}, Min: 2, Result: schema.String},
	"replace_string": {Op: ReplaceString, Params: []Class{text, text, text}, Min: 3, Result: schema.String},
	"getyear":        unary(GetYear, moment, schema.Int),
	"monthofyear":    unary(MonthOfYear, moment, schema.Int),
	"getmonth":       unary(MonthOfYear, moment, schema.Int),
	"dayofmonth":     unary(DayOfMonth, moment, schema.Int),
	"dayofyear":      unary(DayOfYear, moment, schema.Int),
	"dayofweek":      unary(DayOfWeek, moment, schema.TimeSpan),
	"hourofday":      unary(HourOfDay, moment, schema.Int),
	"isnan":          unary(IsNaN, Of(schema.Real), schema.Bool),
	"isinf":          unary(IsInf, Of(schema.Real), schema.Bool),
	"isfinite":       unary(IsFinite, Of(schema.Real), schema.Bool),
	"sqrt":           unary(Sqrt, number, schema.Real),
	"exp":            unary(Exp, number, schema.Real),
	"log":            unary(Log, number, schema.Real),
	"log10":          unary(Log10, number, schema.Real),
	"log2":           unary(Log2, number, schema.Real),
	"pow":            {Op: Pow, Params: []Class{number, number}, Min: 2, Result: schema.Real},

	"url_decode":             goFunc("url_decode", schema.String, text),
	"base64_decode_tostring": goFunc("base64_decode_tostring", schema.String, text),
	"base64_decodestring":    goFunc("base64_decode_tostring", schema.String, text),
	"base64_encode_tostring": goFunc("base64_encode_tostring", schema.String, text),
	"base64_encodestring":    goFunc("base64_encode_tostring", schema.String, text),
}

// Special are the scalar functions bound by code.
var Special = []string{
	"abs", "ago", "bin", "bin_at", "case", "ceiling", "coalesce", "floor", "iff", "iif", "isempty", "isnotempty", "isnotnull", "isnull", "max_of", "min_of", "not", "now",
	"notempty", "notnull", "round", "sign", "strcat", "strcat_delim",
}
