package bind

import (
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// maxErrors ends the list of diagnostics.
const maxErrors = 20

// scalars binds expressions of one value, over the columns of rows.
type scalars struct {
	// clock is the time of now().
	clock  event.Ticks
	text   string
	diags  []syntax.Diagnostic
	ids    *plan.ID
	around around
	// rows is the scope of names; nil outside a pipeline.
	rows *rows
}

// around is what expressions ask of the query around them.
type around interface {
	// named gives the value of a name that is no column; false when it means
	// nothing.
	named(x *syntax.Name) (plan.Expr, bool)
	// known lists such names, for "did you mean".
	known() []string
	// called binds a call that is more than a function of its arguments; false when
	// it is none.
	called(x *syntax.Call) (plan.Expr, bool)
	// isTabular tells whether an expression gives rows.
	isTabular(x syntax.Expr) bool
	// inRows binds x in (rows).
	inRows(x *syntax.Binary, items syntax.Expr, fold bool) plan.Expr
}

// newID numbers a column.
func (b *scalars) newID() plan.ID {
	*b.ids++
	return *b.ids
}

// fail adds an error at a place of the text; hint may be "".
func (b *scalars) fail(span syntax.Span, message, hint string) {
	if len(b.diags) < maxErrors {
		b.diags = append(b.diags, syntax.At(b.text, span, message, hint))
	}
}

// refuse says that something of the language doesn't run.
func (b *scalars) refuse(span syntax.Span, what string) {
	b.fail(span, what+" is not supported yet", "")
}
