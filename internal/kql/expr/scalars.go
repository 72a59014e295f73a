package expr

import (
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// maxErrors ends the list of diagnostics.
const maxErrors = 20

// Binder binds expressions of one value, over the columns of rows.
type Binder struct {
	// Clock is the time of now().
	Clock  event.Ticks
	Text   string // the query's
	Diags  []syntax.Diagnostic
	Ids    *plan.ID
	Around Around
	// Rows is the scope of names; nil outside a pipeline.
	Rows *Rows
	// compared is the right side of the last operator, for hints.
	compared syntax.Expr
}

// Around is what expressions ask of the query around them.
type Around interface {
	// Named gives the value of a name that is no column; false when it means
	// nothing.
	Named(x *syntax.Name) (plan.Expr, bool)
	// Known lists such names, for "did you mean".
	Known() []string
	// Called binds a call that is more than a function of its arguments; false when
	// it is none.
	Called(x *syntax.Call) (plan.Expr, bool)
	// IsTabular tells whether an expression gives rows.
	IsTabular(x syntax.Expr) bool
	// Listed gives the values of the first column of rows as an array.
	Listed(rows syntax.Expr) plan.Expr
	// InRows binds x in (rows).
	InRows(x *syntax.Binary, items syntax.Expr, fold bool) plan.Expr
	// Field gives the value of a key of a bag where there is a shorter way to it than
	// through the whole bag, else nil.
	Field(of plan.Expr, name string) plan.Expr
}

// NewID numbers a column.
func (b *Binder) NewID() plan.ID {
	*b.Ids++
	return *b.Ids
}

// Fail adds an error at a place of the text; hint may be "".
func (b *Binder) Fail(span syntax.Span, message, hint string) {
	if len(b.Diags) < maxErrors {
		b.Diags = append(b.Diags, syntax.At(b.Text, span, message, hint))
	}
}

// Refuse says that something of the language doesn't run.
func (b *Binder) Refuse(span syntax.Span, what string) {
	b.Fail(span, what+" is not supported yet", "")
}
