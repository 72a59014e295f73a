package expr

import (
	"math"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// scalarCall binds the functions of fn.Scalar.
func (b *Binder) scalarCall(x *syntax.Call) plan.Expr {
	switch x.Name {
	case "extract":
		return b.extract(x)
	case "estimate_data_size":
		return b.estimateSize(x)
	}
	args, ok := b.Arguments(x)
	if !ok {
		return Bad()
	}
	switch x.Name {
	case "extract_all", "replace", "replace_regex", "trim", "trim_start", "trim_end":
		return b.regexCall(x, args)
	case "countof", "indexof", "split", "strrep", "has_any_index", "isutf8", "make_string", "unicode_codepoints_to_string":
		return b.textCall(x, args)
	case "startofday", "startofweek", "startofmonth", "startofyear", "endofday", "endofweek", "endofmonth", "endofyear":
		return b.startOf(x, args)
	case "datetime_add", "datetime_diff", "datetime_part", "datetime_local_to_utc", "datetime_utc_to_local", "format_datetime", "format_timespan",
		"make_datetime", "make_timespan", "around", "ingestion_time":
		return b.timeCall(x, args)
	}
	if strings.HasPrefix(x.Name, "unixtime_") {
		return b.unixTime(x, args)
	}
	return b.numberCall(x, args)
}

// take checks the types of arguments and converts them to those of a function;
// text takes what prints, real any number. Missing arguments are not checked.
func (b *Binder) take(x *syntax.Call, args []plan.Expr, want ...schema.Type) bool {
	for i := range args {
		args[i] = TextOfSplit(args[i])
		t, w := args[i].Type(), want[min(i, len(want)-1)]
		switch {
		case t == w:
		case w == schema.String && t != schema.Decimal, w == schema.Long && (t == schema.Int || t == schema.Dynamic), w == schema.Real && (IsNumber(t) || t == schema.Dynamic):
			args[i] = Convert(args[i], w)
		case t == schema.Dynamic:
			args[i] = Convert(args[i], w)
		default:
			b.WrongType(x, i, t)
			return false
		}
	}
	return true
}

// extract is extract(regex, group, text[, type]).
func (b *Binder) extract(x *syntax.Call) plan.Expr {
	if !b.Count(x, 3, 4) {
		return Bad()
	}
	to := schema.String
	if len(x.Args) == 4 {
		var ok bool
		if to, ok = b.TypeArgument(x.Args[3]); !ok {
			return Bad()
		}
		x = &syntax.Call{Span: x.Span, Name: x.Name, NameAt: x.NameAt, Args: x.Args[:3]}
	}
	args, ok := b.Arguments(x)
	if !ok || !b.take(x, args, schema.String, schema.Long, schema.String) {
		return Bad()
	}
	if _, isConst := ConstText(args[0]); !isConst {
		return Convert(GoCall("extract", args...), to)
	}
	re, ok := b.regex(args[0], x.Args[0].Pos())
	if !ok {
		return Bad()
	}
	group, ok := ConstLong(args[1])
	if !ok || group < 0 || group > int64(fn.Groups(re)) {
		b.Fail(x.Args[1].Pos(), "the regular expression has no such group", "")
		return Bad()
	}
	if Constant(args[2]) != nil {
		return Convert(GoCall("extract", args...), to)
	}
	return Convert(&plan.Call{Op: fn.Extract, Args: []plan.Expr{args[2], Text(re), Long(group)}, T: schema.String}, to)
}

// regexCall binds functions of regular expressions. With a literal expression the
// database's own do where they can.
func (b *Binder) regexCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "extract_all":
		return b.extractAll(x, args)
	case "replace", "replace_regex":
		if !b.Count(x, 3, 3) || !b.take(x, args, schema.String) {
			return Bad()
		}
		if x.Name == "replace" { // the older one, replace(regex, rewrite, text)
			args = []plan.Expr{args[2], args[0], args[1]}
			x = &syntax.Call{Span: x.Span, Name: x.Name, NameAt: x.NameAt, Args: []syntax.Expr{x.Args[2], x.Args[0], x.Args[1]}}
		}
		re, ok := b.literalRegex(args[1], x.Args[1])
		rewrite, isConst := ConstText(args[2])
		if ok && isConst {
			if err := udf.CheckRewrite(rewrite, fn.Groups(re)); err != nil {
				b.Fail(x.Args[2].Pos(), err.Error(), `\1 is the first group, \\ a backslash`)
				return Bad()
			}
		}
		if re == "" && ok { // an error was told
			return Bad()
		}
		if !ok || !isConst || Constant(args[0]) != nil {
			return GoCall("replace_regex", args...)
		}
		return &plan.Call{Op: fn.ReplaceRegex, Args: []plan.Expr{args[0], Text(re), args[2]}, T: schema.String}
	}
	if !b.Count(x, 2, 2) || !b.take(x, args, schema.String) {
		return Bad()
	}
	re, ok := b.literalRegex(args[0], x.Args[0])
	if !ok || Constant(args[1]) != nil {
		return GoCall(x.Name, args...)
	}
	if re == "" {
		return Bad()
	}
	out := args[1]
	if x.Name != "trim_end" {
		out = &plan.Call{Op: fn.ReplaceFirst, Args: []plan.Expr{out, Text(`\A(?:` + re + `)`), Text("")}, T: schema.String}
	}
	if x.Name != "trim_start" {
		out = &plan.Call{Op: fn.ReplaceFirst, Args: []plan.Expr{out, Text(`(?:` + re + `)\z`), Text("")}, T: schema.String}
	}
	return out
}

// literalRegex gives a literal expression in RE2's form, "" after an error (and for
// an empty expression); false for what is no literal.
func (b *Binder) literalRegex(pattern plan.Expr, at syntax.Expr) (string, bool) {
	if _, ok := ConstText(pattern); !ok {
		return "", false
	}
	re, _ := b.regex(pattern, at.Pos())
	return re, true
}

// extractAll is extract_all(regex, [groups,] text). The number of groups makes the
// shape of the result, so the expression must be a literal, as in Kusto.
func (b *Binder) extractAll(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 2, 3) {
		return Bad()
	}
	groups := plan.Expr(&plan.Const{T: schema.Dynamic, V: "[]"})
	if len(args) == 3 {
		if _, ok := ConstDynamic(args[1]); !ok {
			b.Refuse(x.Args[1].Pos(), "extract_all() with groups that are not a dynamic literal")
			return Bad()
		}
		groups = args[1]
	}
	re, ok := b.regex(args[0], x.Args[0].Pos())
	if !ok {
		return Bad()
	}
	const mostGroups = 16 // Kusto's limit
	if n := fn.Groups(re); n < 1 || n > mostGroups {
		b.Fail(x.Args[0].Pos(), "extract_all() needs a regular expression with 1 to 16 groups in round brackets", "")
		return Bad()
	}
	source := []plan.Expr{args[len(args)-1]}
	if !b.take(&syntax.Call{Name: x.Name, Args: x.Args[len(args)-1:]}, source, schema.String) {
		return Bad()
	}
	if fn.Groups(re) == 1 && len(args) == 2 && Constant(source[0]) == nil && !fn.MatchesEmpty(re) {
		return &plan.Call{Op: fn.ExtractAll, Args: []plan.Expr{source[0], Text(re)}, T: schema.Dynamic}
	}
	return GoCall("extract_all", args[0], groups, source[0])
}

// textCall binds functions of strings.
func (b *Binder) textCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "countof":
		if !b.Count(x, 2, 3) || !b.take(x, args, schema.String) {
			return Bad()
		}
		if len(args) == 3 {
			switch kind, _ := ConstText(args[2]); kind {
			case "regex":
				if _, ok := b.literalRegex(args[1], x.Args[1]); ok && len(b.Diags) > 0 {
					return Bad()
				}
				return GoCall("countof_regex", args[:2]...)
			case "normal":
			default:
				b.Fail(x.Args[2].Pos(), `countof() counts "normal" or "regex"`, "")
				return Bad()
			}
		}
		return GoCall("countof", args[:2]...)
	case "indexof":
		if !b.Count(x, 2, 5) || !b.take(x, args, schema.String, schema.String, schema.Long) {
			return Bad()
		}
		if len(args) == 2 && Constant(args[0]) == nil {
			return Call(fn.IndexOf, schema.Long, args...)
		}
		return GoCall("indexof", args...)
	case "split":
		return b.split(x, args)
	case "strrep":
		if !b.Count(x, 2, 3) || !b.take(x, args, schema.String, schema.Long, schema.String) {
			return Bad()
		}
		return GoCall("strrep", args...)
	case "has_any_index":
		if !b.Count(x, 2, 2) || !b.take(x, args, schema.String, schema.Dynamic) {
			return Bad()
		}
		return GoCall("has_any_index", args...)
	case "isutf8":
		if b.Count(x, 1, 1) && b.take(x, args, schema.String) {
			return Boolean(true) // all texts here are
		}
		return Bad()
	}
	if !b.Count(x, 1, MaxVariadic) {
		return Bad()
	}
	for i := range args { // numbers and arrays of numbers, as text
		if t := args[i].Type(); !IsWhole(t) && t != schema.Dynamic {
			b.WrongType(x, i, t)
			return Bad()
		}
	}
	return GoCall("unicode_codepoints_to_string", args...)
}

func (b *Binder) split(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 2, 3) || !b.take(x, args, schema.String, schema.String, schema.Long) {
		return Bad()
	}
	separator, isConst := ConstText(args[1])
	switch {
	case isConst && separator == "":
		b.Refuse(x.Args[1].Pos(), "split() at an empty text")
		return Bad()
	case len(args) == 3:
		return GoCall("split_at", args...)
	case !isConst || Constant(args[0]) != nil:
		return GoCall("split", args...)
	}
	return &plan.Call{Op: fn.Split, Args: args, T: schema.Dynamic}
}

// estimateSize is estimate_data_size(columns): the bytes of their values, as far as
// Kusto's are known.
func (b *Binder) estimateSize(x *syntax.Call) plan.Expr {
	var args []plan.Expr
	if len(x.Args) == 1 && b.Rows != nil {
		if _, ok := x.Args[0].(*syntax.Star); ok {
			for _, c := range b.Rows.Visible() {
				args = append(args, c.Get())
			}
		}
	}
	if args == nil {
		var ok bool
		if args, ok = b.Arguments(x); !ok || !b.Count(x, 1, MaxVariadic) {
			return Bad()
		}
	}
	sum := Long(0)
	for _, a := range args {
		var size plan.Expr
		switch a.Type() {
		case schema.String:
			size = Call(fn.StringSize, schema.Long, a)
		case schema.Long, schema.Real, schema.DateTime, schema.TimeSpan:
			size = Long(8)
		default:
			b.Refuse(x.Span, "estimate_data_size() of a value of type "+a.Type().String())
			return Bad()
		}
		sum = Call(fn.Add, schema.Long, sum, size)
	}
	return sum
}

// numberCall binds functions of numbers and what is left.
func (b *Binder) numberCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "pi":
		if b.Count(x, 0, 0) {
			return &plan.Const{T: schema.Real, V: math.Pi}
		}
	case "rand":
		if b.Count(x, 0, 1) && b.take(x, args, schema.Long) {
			return &plan.Call{Op: fn.Random, Args: args, T: schema.Real}
		}
	case "new_guid":
		if b.Count(x, 0, 0) {
			return &plan.Call{Op: fn.NewGuid, T: schema.Guid}
		}
	case "tohex":
		if b.Count(x, 1, 2) && args[0].Type() == schema.Int && b.take(x, args, schema.Int, schema.Long) {
			return GoCall("tohex_int", args...)
		} else if b.Count(x, 1, 2) && b.take(x, args, schema.Long) {
			return GoCall("tohex", args...)
		}
	case "todecimal":
		if b.Count(x, 1, 1) {
			if t := args[0].Type(); t == schema.String || t == schema.Decimal || t == schema.Dynamic || IsNumber(t) {
				return Convert(TextOfSplit(args[0]), schema.Decimal)
			}
			b.WrongType(x, 0, args[0].Type())
		}
	case "binary_and", "binary_or", "binary_xor":
		op := map[string]fn.Op{"binary_and": fn.IntAnd, "binary_or": fn.IntOr, "binary_xor": fn.IntXor}[x.Name]
		if b.Count(x, 2, 2) && b.take(x, args, schema.Long) {
			return Call(op, schema.Long, args...)
		}
	case "binary_not":
		if b.Count(x, 1, 1) && b.take(x, args, schema.Long) {
			return Call(fn.IntNot, schema.Long, args...)
		}
	case "hash", "hash_xxhash64":
		return b.hash(x, args)
	case "format_ipv4", "format_ipv4_mask":
		if b.Count(x, 1, 2) && b.take(x, args, schema.String, schema.Long) {
			return GoCall(x.Name, args...)
		}
	case "assert":
		if b.Count(x, 2, 2) && b.Want(x, args, 0, schema.Bool) && b.Want(x, args, 1, schema.String) {
			return b.assert(x, args)
		}
	}
	return Bad()
}

func (b *Binder) hash(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 1, 2) {
		return Bad()
	}
	name, of := "hash", schema.String
	switch t := args[0].Type(); t {
	case schema.String:
	case schema.Dynamic: // of its text, of its JSON, or of neither: no case shows it
		b.Fail(x.Args[0].Pos(), x.Name+"() of a value of type dynamic is not supported yet", "tell of which text: tostring(…)")
		return Bad()
	case schema.DateTime:
		name, of = "hash_time", schema.DateTime
	default:
		b.Refuse(x.Args[0].Pos(), x.Name+"() of a value of type "+t.String())
		return Bad()
	}
	if !b.take(x, args, of, schema.Long) {
		return Bad()
	}
	return GoCall(name, args...)
}

// assert is true when its condition is; only conditions known before the question
// runs are checked.
func (b *Binder) assert(x *syntax.Call, args []plan.Expr) plan.Expr {
	c := Constant(args[0])
	if k, ok := args[0].(*plan.Call); ok && c == nil {
		c = foldedCompare(k)
	}
	message, _ := ConstText(args[1])
	switch {
	case c == nil:
		b.Refuse(x.Args[0].Pos(), "assert() of a condition that is not constant")
		return Bad()
	case c.V != true:
		b.Fail(x.Span, "assert() failed: "+message, "")
		return Bad()
	}
	return Boolean(true)
}

// foldedCompare computes a comparison of two whole numbers; nil for what is none.
func foldedCompare(c *plan.Call) *plan.Const {
	if len(c.Args) != 2 {
		return nil
	}
	l, ok := ConstLong(c.Args[0])
	r, ok2 := ConstLong(c.Args[1])
	if !ok || !ok2 {
		return nil
	}
	out := map[fn.Op]bool{fn.Eq: l == r, fn.Ne: l != r, fn.Lt: l < r, fn.Le: l <= r, fn.Gt: l > r, fn.Ge: l >= r}
	v, known := out[c.Op]
	if !known {
		return nil
	}
	return &plan.Const{T: schema.Bool, V: v}
}
