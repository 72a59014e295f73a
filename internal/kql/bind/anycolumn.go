package bind

import (
	"strings"
	"unicode"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// anyColumn tests all columns that hold text. Kusto says that it searches all
// columns and not how it reads a number's, so a text that could be in one of those
// is refused.
func (b *scalars) anyColumn(term string, at syntax.Span, test func(plan.Expr) plan.Expr) plan.Expr {
	bare := strings.Trim(term, "*")
	word := strings.EqualFold(bare, "true") || strings.EqualFold(bare, "false")
	letters := strings.IndexFunc(bare, unicode.IsLetter) >= 0
	args := []plan.Expr{}
	for _, c := range b.rows.cols {
		switch {
		case c.hidden:
		case c.typ == schema.String, c.typ == schema.Guid, c.typ == schema.Dynamic:
			m := test(convert(c.get(), schema.String))
			if m.Type() == 0 {
				return m
			}
			args = append(args, m)
		case c.typ == schema.Bool && word, c.typ != schema.Bool && !letters:
			b.fail(at, "the text "+syntax.Quote(term)+" could be in a column that holds no text", "say which column: "+c.name+" == …")
			return bad()
		}
	}
	switch len(args) {
	case 0:
		return boolean(false)
	case 1:
		return args[0]
	}
	return &plan.Call{Op: fn.Or, Args: args, T: schema.Bool}
}

// starText binds * and an operator of two texts.
func (b *scalars) starText(x *syntax.Binary, op fn.Op) plan.Expr {
	r := b.asText(x.R, x.Op)
	k, isConst := constText(r)
	switch {
	case r.Type() == 0:
		return bad()
	case b.rows == nil || !isConst:
		b.refuse(x.OpAt, "'* "+x.Op+"' with a value that is not a string literal")
		return bad()
	}
	return b.anyColumn(k, x.R.Pos(), func(l plan.Expr) plan.Expr {
		return &plan.Call{Op: op, Args: []plan.Expr{l, r}, T: schema.Bool}
	})
}
