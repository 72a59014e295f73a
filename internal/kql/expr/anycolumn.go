package expr

import (
	"strings"
	"unicode"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// AnyColumn tests all columns that hold text. Kusto says that it searches all
// columns and not how it reads a number's, so a text that could be in one of those
// is refused.
func (b *Binder) AnyColumn(term string, at syntax.Span, test func(plan.Expr) plan.Expr) plan.Expr {
	bare := strings.Trim(term, "*")
	word := strings.EqualFold(bare, "true") || strings.EqualFold(bare, "false")
	letters := strings.IndexFunc(bare, unicode.IsLetter) >= 0
	var texts, args []plan.Expr
	for _, c := range b.Rows.Cols {
		switch {
		case c.Hidden:
		case c.Typ == schema.String, c.Typ == schema.Guid, c.Typ == schema.Dynamic:
			x := Convert(c.Get(), schema.String)
			if x.Type() == 0 {
				return x
			}
			if _, isConst := ConstText(x); isConst {
				args = append(args, test(x))
			} else {
				texts = append(texts, x)
			}
		case c.Typ == schema.Bool && word, c.Typ != schema.Bool && !letters:
			b.Fail(at, "the text "+syntax.Quote(term)+" could be in a column that holds no text", "say which column: "+c.Name+" == …")
			return Bad()
		}
	}
	for _, x := range lines(texts, term, test) {
		args = append(args, test(x))
	}
	for _, m := range args {
		if m.Type() == 0 {
			return m
		}
	}
	switch len(args) {
	case 0:
		return Boolean(false)
	case 1:
		return args[0]
	}
	return &plan.Call{Op: fn.Or, Args: args, T: schema.Bool}
}

// lines joins texts to one, each a line of it, when a test that looks for a part of
// a text answers the same: a term within one line ends at the line's ends. A test of
// hundreds of columns is then one.
func lines(texts []plan.Expr, term string, test func(plan.Expr) plan.Expr) []plan.Expr {
	if len(texts) < 2 || strings.ContainsAny(term, "\n") {
		return texts
	}
	c, ok := test(texts[0]).(*plan.Call)
	if !ok {
		return texts
	}
	switch c.Op {
	case fn.Has, fn.HasCS, fn.HasPrefix, fn.HasPrefixCS, fn.HasSuffix, fn.HasSuffixCS, fn.Contains, fn.ContainsCS:
		args := []plan.Expr{Text("\n")}
		for _, x := range texts {
			if c, ok := x.(*plan.Call); ok && c.Op == fn.StoredText {
				x = c.Args[0] // null is no line, which is as good as an empty one
			}
			args = append(args, x)
		}
		return []plan.Expr{&plan.Call{Op: fn.StrcatDelim, Args: args, T: schema.String}}
	}
	return texts
}

// starText binds * and an operator of two texts.
func (b *Binder) starText(x *syntax.Binary, op fn.Op) plan.Expr {
	r := b.AsText(x.R, x.Op)
	k, isConst := ConstText(r)
	switch {
	case r.Type() == 0:
		return Bad()
	case b.Rows == nil || !isConst:
		b.Refuse(x.OpAt, "'* "+x.Op+"' with a value that is not a string literal")
		return Bad()
	}
	return b.AnyColumn(k, x.R.Pos(), func(l plan.Expr) plan.Expr {
		return &plan.Call{Op: op, Args: []plan.Expr{l, r}, T: schema.Bool}
	})
}
