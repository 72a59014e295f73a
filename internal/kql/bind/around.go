package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// Named gives what a let, a parameter or as means by a name.
func (b *binder) Named(x *syntax.Name) (plan.Expr, bool) {
	l := b.scope.find(x.Name)
	if l == nil {
		return nil, false
	}
	return b.letValue(l, x), true
}

// Known lists the names in scope besides columns.
func (b *binder) Known() []string { return b.scope.names() }

// Called binds the calls that ask more of the query than their arguments: of its own
// functions, of rows, of aggregates and of what only views may call.
func (b *binder) Called(x *syntax.Call) (plan.Expr, bool) {
	if strings.HasPrefix(x.Name, "__") {
		if b.internal != nil {
			if bound := b.internalCall(x); bound != nil {
				return bound, true
			}
		}
		b.Fail(x.NameAt, "there is no function '"+x.Name+"'", "")
		return expr.Bad(), true
	}
	if l := b.scope.find(x.Name); l != nil && l.fn != nil {
		if l.table {
			b.Fail(x.NameAt, x.Name+"() gives a table, not a value", "toscalar(…) gives its first value")
			return expr.Bad(), true
		}
		return b.callScalar(x, l), true
	}
	if slices.Contains(b.calling, x.Name) && b.scope.find(x.Name) == nil {
		b.Fail(x.NameAt, x.Name+"() can't call itself", "")
		return expr.Bad(), true
	}
	switch x.Name {
	case "toscalar":
		return b.toScalar(x), true
	case "column_ifexists", "columnifexists":
		return b.columnIfExists(x), true
	}
	if fn.Windows[x.Name] != 0 {
		return b.WindowCall(x), true
	}
	if _, ok := fn.Aggregates[x.Name]; ok && b.Aggregates != nil {
		return b.Aggregates.Call(x), true
	}
	return nil, false
}

// Sharing makes rows usable more than once.
func (b *binder) Sharing(r *expr.Rows) func() *expr.Rows {
	s := b.share(r)
	return func() *expr.Rows { return b.use(s) }
}

// maxAsked bounds the questions that are asked to bind one query: each runs over the
// data.
const maxAsked = 8

// Ask runs a question of one value by Env.Ask.
func (b *binder) Ask(p *plan.Plan, at syntax.Span) ([]byte, bool) {
	if b.env.Ask == nil {
		b.Fail(at, "the columns depend on the data, which is not at hand here", "")
		return nil, false
	}
	if b.asked++; b.asked > maxAsked {
		b.Fail(at, fmt.Sprintf("the columns of more than %d operators depend on the data", maxAsked), "")
		return nil, false
	}
	json, err := b.env.Ask(p)
	if err != nil {
		b.Fail(at, "cannot find out the columns: "+err.Error(), "")
		return nil, false
	}
	return json, true
}
