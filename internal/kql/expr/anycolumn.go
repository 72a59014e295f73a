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
	args := []plan.Expr{}
	for _, c := range b.Rows.Cols {
		switch {
		case c.Hidden:
		case c.Typ == schema.String, c.Typ == schema.Guid, c.Typ == schema.Dynamic:
			m := test(Convert(c.Get(), schema.String))
			if m.Type() == 0 {
				return m
			}
			args = append(args, m)
		case c.Typ == schema.Bool && word, c.Typ != schema.Bool && !letters:
			b.Fail(at, "the text "+syntax.Quote(term)+" could be in a column that holds no text", "say which column: "+c.Name+" == …")
			return Bad()
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
