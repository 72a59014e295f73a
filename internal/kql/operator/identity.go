package operator

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// asksForARow tells an arg_max or arg_min among the columns of summarize.
func asksForARow(x syntax.Expr) bool {
	if n, ok := x.(*syntax.Named); ok {
		x = n.X
	}
	c := callIn(x)
	return c != nil && slices.Contains([]string{"arg_max", "arg_min", "argmax", "argmin"}, c.Name)
}

// identity gives columns that name a row of node, none unless every row of it is a
// row of one stored table that has a name. The columns go as nobody reads them.
func (b *Binder) identity(node plan.Node) []plan.Ref {
	switch n := node.(type) {
	case *plan.Filter:
		return b.identity(n.From)
	case *plan.Extend:
		return b.identity(n.From)
	case *plan.Lookup:
		return b.identity(n.From)
	case *plan.Sort:
		return b.identity(n.From)
	case *plan.Scan:
		var refs []plan.Ref
		for _, name := range plan.RowNames() {
			i := n.Table.Index(name)
			if i < 0 || !n.Table.Columns[i].Required {
				return nil
			}
			at := slices.IndexFunc(n.Columns, func(c plan.ScanColumn) bool { return c.Index == i })
			if at < 0 {
				at = len(n.Columns)
				n.Columns = append(n.Columns, plan.ScanColumn{ID: b.NewID(), Index: i})
			}
			refs = append(refs, plan.Ref{ID: n.Columns[at].ID, T: n.Table.Columns[i].KQL, NotNull: true})
		}
		return refs
	}
	return nil
}
