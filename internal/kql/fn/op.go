package fn

import "strconv"

// Op is a scalar operation of a plan, after overloads are resolved. Operations
// on numbers take operands of one type, which tells how to compute.
type Op uint16

// The operations. Strings in and out are never null.
const (
	Invalid Op = iota
	// StoredText reads a stored text column, null as "".
	StoredText
	// StoredTicks makes a datetime of a stored timestamp and its 100-ns digit
	// (second argument, absent for timestamps without one).
	StoredTicks
	// StoredCast reads a stored text as another type, null where it doesn't fit.
	StoredCast
	// StoredDynamic reads a stored text as a dynamic string, null as null.
	StoredDynamic
	Neg
	Add
	Sub
	Mul
	Div
	Mod
	Eq
	Ne
	Lt
	Le
	Gt
	Ge
	EqFold
	In
	InFold
	And
	Or
	Not
	Has
	HasCS
	HasPrefix
	HasPrefixCS
	HasSuffix
	HasSuffixCS
	Contains
	ContainsCS
	StartsWith
	StartsWithCS
	EndsWith
	EndsWithCS
	Matches
	HasAny
	HasAll
	Bin
	BinAt
	Strcat
	StrcatDelim
	ToString
	ToInt
	ToLong
	ToReal
	ToBool
	ToDateTime
	ToTimeSpan
	ToGuid
	// ToDynamic gives a scalar as a dynamic.
	ToDynamic
	IsNull
	If
	Coalesce
	ToLower
	ToUpper
	Substring
	StrLen
	IndexOf
	Extract
	ReplaceString
	Split
	SplitAt
	StringOfDynamic
	StrRep
	Reverse
	StartOfDay
	StartOfWeek
	StartOfMonth
	StartOfYear
	EndOfDay
	EndOfWeek
	EndOfMonth
	EndOfYear
	GetYear
	MonthOfYear
	DayOfMonth
	DayOfYear
	DayOfWeek
	HourOfDay
	Abs
	Ceiling
	Sign
	Sqrt
	Exp
	Log
	Log10
	Log2
	Pow
	Round
	MinOf
	MaxOf
	IsNaN
	IsInf
	IsFinite
	// SystemXML rebuilds an event's System element (wadi_system_xml).
	SystemXML
	// ItemID prints (_Source, _Seq).
	ItemID
	// Go is a function of package udf; the plan's call names it.
	Go
	// ReplaceRegex replaces all matches of a literal expression, ReplaceFirst one.
	ReplaceRegex
	ReplaceFirst
	// ExtractAll gives group 1 of all matches of a literal expression as an array.
	ExtractAll
	StringSize
	WeekOfYear
	Sin
	Cos
	Tan
	Asin
	Acos
	Atan
	IntAnd
	IntOr
	IntXor
	IntNot
	// Random is a number from 0 to 1, or a whole one below its argument.
	Random
	NewGuid
	opCount
)

var opNames = [...]string{
	"invalid", "stored_text", "stored_ticks", "stored_cast", "stored_dynamic", "neg", "add", "sub", "mul", "div", "mod", "eq", "ne", "lt", "le", "gt", "ge",
	"eq_fold", "in", "in_fold", "and", "or", "not", "has", "has_cs", "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs", "contains", "contains_cs",
	"startswith", "startswith_cs", "endswith", "endswith_cs", "matches", "has_any", "has_all", "bin", "bin_at", "strcat", "strcat_delim",
	"tostring", "toint", "tolong", "toreal", "tobool", "todatetime", "totimespan", "toguid", "todynamic", "isnull", "iff", "coalesce", "tolower", "toupper",
	"substring", "strlen", "indexof", "extract", "replace_string", "split", "split_at", "string_of_dynamic", "strrep", "reverse",
	"startofday", "startofweek", "startofmonth", "startofyear", "endofday", "endofweek", "endofmonth", "endofyear",
	"getyear", "monthofyear", "dayofmonth", "dayofyear", "dayofweek", "hourofday",
	"abs", "ceiling", "sign", "sqrt", "exp", "log", "log10", "log2", "pow", "round", "min_of", "max_of", "isnan", "isinf", "isfinite",
	"system_xml", "item_id", "go", "replace_regex", "replace_first", "extract_all", "string_size", "week_of_year", "sin", "cos", "tan", "asin", "acos", "atan",
	"int_and", "int_or", "int_xor", "int_not", "rand", "new_guid",
}

// String gives the operation's name as plans print it.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "op" + strconv.Itoa(int(o))
}
