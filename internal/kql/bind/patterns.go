package bind

import (
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// patterns binds autocluster() and basket().
func (b *binder) patterns(op *syntax.Evaluate) *rows {
	b.refuse(op.Call.NameAt, "the plugin "+op.Call.Name)
	return nil
}
