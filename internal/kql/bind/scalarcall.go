package bind

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
func (b *scalars) scalarCall(x *syntax.Call) plan.Expr {
	switch x.Name {
	case "extract":
		return b.extract(x)
	case "estimate_data_size":
		return b.estimateSize(x)
	}
	args, ok := b.arguments(x)
	if !ok {
		return bad()
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
func (b *scalars) take(x *syntax.Call, args []plan.Expr, want ...schema.Type) bool {
	for i := range args {
		args[i] = textOfSplit(args[i])
		t, w := args[i].Type(), want[min(i, len(want)-1)]
		switch {
		case t == w:
		case w == schema.String && t != schema.Decimal, w == schema.Long && (t == schema.Int || t == schema.Dynamic), w == schema.Real && (isNumber(t) || t == schema.Dynamic):
			args[i] = convert(args[i], w)
		case t == schema.Dynamic:
			args[i] = convert(args[i], w)
		default:
			b.wrongType(x, i, t)
			return false
		}
	}
	return true
}

// extract is extract(regex, group, text[, type]).
func (b *scalars) extract(x *syntax.Call) plan.Expr {
	if !b.count(x, 3, 4) {
		return bad()
	}
	to := schema.String
	if len(x.Args) == 4 {
		var ok bool
		if to, ok = b.typeArgument(x.Args[3]); !ok {
			return bad()
		}
		x = &syntax.Call{Span: x.Span, Name: x.Name, NameAt: x.NameAt, Args: x.Args[:3]}
	}
	args, ok := b.arguments(x)
	if !ok || !b.take(x, args, schema.String, schema.Long, schema.String) {
		return bad()
	}
	if _, isConst := constText(args[0]); !isConst {
		return convert(goCall("extract", args...), to)
	}
	re, ok := b.regex(args[0], x.Args[0].Pos())
	if !ok {
		return bad()
	}
	group, ok := constLong(args[1])
	if !ok || group < 0 || group > int64(fn.Groups(re)) {
		b.fail(x.Args[1].Pos(), "the regular expression has no such group", "")
		return bad()
	}
	if constant(args[2]) != nil {
		return convert(goCall("extract", args...), to)
	}
	return convert(&plan.Call{Op: fn.Extract, Args: []plan.Expr{args[2], text(re), long(group)}, T: schema.String}, to)
}

// regexCall binds functions of regular expressions. With a literal expression the
// database's own do where they can.
func (b *scalars) regexCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "extract_all":
		return b.extractAll(x, args)
	case "replace", "replace_regex":
		if !b.count(x, 3, 3) || !b.take(x, args, schema.String) {
			return bad()
		}
		if x.Name == "replace" { // the older one, replace(regex, rewrite, text)
			args = []plan.Expr{args[2], args[0], args[1]}
			x = &syntax.Call{Span: x.Span, Name: x.Name, NameAt: x.NameAt, Args: []syntax.Expr{x.Args[2], x.Args[0], x.Args[1]}}
		}
		re, ok := b.literalRegex(args[1], x.Args[1])
		rewrite, isConst := constText(args[2])
		if ok && isConst {
			if err := udf.CheckRewrite(rewrite, fn.Groups(re)); err != nil {
				b.fail(x.Args[2].Pos(), err.Error(), `\1 is the first group, \\ a backslash`)
				return bad()
			}
		}
		if re == "" && ok { // an error was told
			return bad()
		}
		if !ok || !isConst || constant(args[0]) != nil {
			return goCall("replace_regex", args...)
		}
		return &plan.Call{Op: fn.ReplaceRegex, Args: []plan.Expr{args[0], text(re), args[2]}, T: schema.String}
	}
	if !b.count(x, 2, 2) || !b.take(x, args, schema.String) {
		return bad()
	}
	re, ok := b.literalRegex(args[0], x.Args[0])
	if !ok || constant(args[1]) != nil {
		return goCall(x.Name, args...)
	}
	if re == "" {
		return bad()
	}
	out := args[1]
	if x.Name != "trim_end" {
		out = &plan.Call{Op: fn.ReplaceFirst, Args: []plan.Expr{out, text(`\A(?:` + re + `)`), text("")}, T: schema.String}
	}
	if x.Name != "trim_start" {
		out = &plan.Call{Op: fn.ReplaceFirst, Args: []plan.Expr{out, text(`(?:` + re + `)\z`), text("")}, T: schema.String}
	}
	return out
}

// literalRegex gives a literal expression in RE2's form, "" after an error (and for
// an empty expression); false for what is no literal.
func (b *scalars) literalRegex(pattern plan.Expr, at syntax.Expr) (string, bool) {
	if _, ok := constText(pattern); !ok {
		return "", false
	}
	re, _ := b.regex(pattern, at.Pos())
	return re, true
}

// extractAll is extract_all(regex, [groups,] text). The number of groups makes the
// shape of the result, so the expression must be a literal, as in Kusto.
func (b *scalars) extractAll(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 2, 3) {
		return bad()
	}
	groups := plan.Expr(&plan.Const{T: schema.Dynamic, V: "[]"})
	if len(args) == 3 {
		if _, ok := constDynamic(args[1]); !ok {
			b.refuse(x.Args[1].Pos(), "extract_all() with groups that are not a dynamic literal")
			return bad()
		}
		groups = args[1]
	}
	re, ok := b.regex(args[0], x.Args[0].Pos())
	if !ok {
		return bad()
	}
	const mostGroups = 16 // Kusto's limit
	if n := fn.Groups(re); n < 1 || n > mostGroups {
		b.fail(x.Args[0].Pos(), "extract_all() needs a regular expression with 1 to 16 groups in round brackets", "")
		return bad()
	}
	source := []plan.Expr{args[len(args)-1]}
	if !b.take(&syntax.Call{Name: x.Name, Args: x.Args[len(args)-1:]}, source, schema.String) {
		return bad()
	}
	return goCall("extract_all", args[0], groups, source[0])
}

// textCall binds functions of strings.
func (b *scalars) textCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "countof":
		if !b.count(x, 2, 3) || !b.take(x, args, schema.String) {
			return bad()
		}
		if len(args) == 3 {
			switch kind, _ := constText(args[2]); kind {
			case "regex":
				if _, ok := b.literalRegex(args[1], x.Args[1]); ok && len(b.diags) > 0 {
					return bad()
				}
				return goCall("countof_regex", args[:2]...)
			case "normal":
			default:
				b.fail(x.Args[2].Pos(), `countof() counts "normal" or "regex"`, "")
				return bad()
			}
		}
		return goCall("countof", args[:2]...)
	case "indexof":
		if !b.count(x, 2, 5) || !b.take(x, args, schema.String, schema.String, schema.Long) {
			return bad()
		}
		if len(args) == 2 && constant(args[0]) == nil {
			return call(fn.IndexOf, schema.Long, args...)
		}
		return goCall("indexof", args...)
	case "split":
		return b.split(x, args)
	case "strrep":
		if !b.count(x, 2, 3) || !b.take(x, args, schema.String, schema.Long, schema.String) {
			return bad()
		}
		return goCall("strrep", args...)
	case "has_any_index":
		if !b.count(x, 2, 2) || !b.take(x, args, schema.String, schema.Dynamic) {
			return bad()
		}
		return goCall("has_any_index", args...)
	case "isutf8":
		if b.count(x, 1, 1) && b.take(x, args, schema.String) {
			return boolean(true) // all texts here are
		}
		return bad()
	}
	if !b.count(x, 1, maxVariadic) {
		return bad()
	}
	for i := range args { // numbers and arrays of numbers, as text
		if t := args[i].Type(); !isWhole(t) && t != schema.Dynamic {
			b.wrongType(x, i, t)
			return bad()
		}
	}
	return goCall("unicode_codepoints_to_string", args...)
}

func (b *scalars) split(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 2, 3) || !b.take(x, args, schema.String, schema.String, schema.Long) {
		return bad()
	}
	separator, isConst := constText(args[1])
	switch {
	case isConst && separator == "":
		b.refuse(x.Args[1].Pos(), "split() at an empty text")
		return bad()
	case len(args) == 3:
		return goCall("split_at", args...)
	case !isConst || constant(args[0]) != nil:
		return goCall("split", args...)
	}
	return &plan.Call{Op: fn.Split, Args: args, T: schema.Dynamic}
}

// estimateSize is estimate_data_size(columns): the bytes of their values, as far as
// Kusto's are known.
func (b *scalars) estimateSize(x *syntax.Call) plan.Expr {
	var args []plan.Expr
	if len(x.Args) == 1 && b.rows != nil {
		if _, ok := x.Args[0].(*syntax.Star); ok {
			for _, c := range b.rows.visible() {
				args = append(args, c.get())
			}
		}
	}
	if args == nil {
		var ok bool
		if args, ok = b.arguments(x); !ok || !b.count(x, 1, maxVariadic) {
			return bad()
		}
	}
	sum := long(0)
	for _, a := range args {
		var size plan.Expr
		switch a.Type() {
		case schema.String:
			size = call(fn.StringSize, schema.Long, a)
		case schema.Long, schema.Real, schema.DateTime, schema.TimeSpan:
			size = long(8)
		default:
			b.refuse(x.Span, "estimate_data_size() of a value of type "+a.Type().String())
			return bad()
		}
		sum = call(fn.Add, schema.Long, sum, size)
	}
	return sum
}

// numberCall binds functions of numbers and what is left.
func (b *scalars) numberCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "pi":
		if b.count(x, 0, 0) {
			return &plan.Const{T: schema.Real, V: math.Pi}
		}
	case "rand":
		if b.count(x, 0, 1) && b.take(x, args, schema.Long) {
			return &plan.Call{Op: fn.Random, Args: args, T: schema.Real}
		}
	case "new_guid":
		if b.count(x, 0, 0) {
			return &plan.Call{Op: fn.NewGuid, T: schema.Guid}
		}
	case "tohex":
		if b.count(x, 1, 2) && args[0].Type() == schema.Int && b.take(x, args, schema.Int, schema.Long) {
			return goCall("tohex_int", args...)
		} else if b.count(x, 1, 2) && b.take(x, args, schema.Long) {
			return goCall("tohex", args...)
		}
	case "todecimal":
		if b.count(x, 1, 1) {
			if t := args[0].Type(); t == schema.String || t == schema.Decimal || t == schema.Dynamic || isNumber(t) {
				return convert(textOfSplit(args[0]), schema.Decimal)
			}
			b.wrongType(x, 0, args[0].Type())
		}
	case "binary_and", "binary_or", "binary_xor":
		op := map[string]fn.Op{"binary_and": fn.IntAnd, "binary_or": fn.IntOr, "binary_xor": fn.IntXor}[x.Name]
		if b.count(x, 2, 2) && b.take(x, args, schema.Long) {
			return call(op, schema.Long, args...)
		}
	case "binary_not":
		if b.count(x, 1, 1) && b.take(x, args, schema.Long) {
			return call(fn.IntNot, schema.Long, args...)
		}
	case "hash", "hash_xxhash64":
		return b.hash(x, args)
	case "format_ipv4", "format_ipv4_mask":
		if b.count(x, 1, 2) && b.take(x, args, schema.String, schema.Long) {
			return goCall(x.Name, args...)
		}
	case "assert":
		if b.count(x, 2, 2) && b.want(x, args, 0, schema.Bool) && b.want(x, args, 1, schema.String) {
			return b.assert(x, args)
		}
	}
	return bad()
}

func (b *scalars) hash(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 1, 2) {
		return bad()
	}
	name, of := "hash", schema.String
	switch t := textOfSplit(args[0]).Type(); t {
	case schema.String, schema.Dynamic:
	case schema.DateTime:
		name, of = "hash_time", schema.DateTime
	default:
		b.refuse(x.Args[0].Pos(), x.Name+"() of a value of type "+t.String())
		return bad()
	}
	if !b.take(x, args, of, schema.Long) {
		return bad()
	}
	return goCall(name, args...)
}

// assert is true when its condition is; only conditions known before the question
// runs are checked.
func (b *scalars) assert(x *syntax.Call, args []plan.Expr) plan.Expr {
	c := constant(args[0])
	if k, ok := args[0].(*plan.Call); ok && c == nil {
		c = foldedCompare(k)
	}
	message, _ := constText(args[1])
	switch {
	case c == nil:
		b.refuse(x.Args[0].Pos(), "assert() of a condition that is not constant")
		return bad()
	case c.V != true:
		b.fail(x.Span, "assert() failed: "+message, "")
		return bad()
	}
	return boolean(true)
}

// foldedCompare computes a comparison of two whole numbers; nil for what is none.
func foldedCompare(c *plan.Call) *plan.Const {
	if len(c.Args) != 2 {
		return nil
	}
	l, ok := constLong(c.Args[0])
	r, ok2 := constLong(c.Args[1])
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
