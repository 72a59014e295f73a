package operator

import (
	"path"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// byNames binds project-by-names: columns by constant names, which may be patterns
// and need not be there.
func (b *Binder) byNames(op *syntax.Columns) *expr.Rows {
	r := b.Rows
	out := &expr.Rows{Node: r.Node}
	for _, x := range op.Items {
		names, ok := b.constNames(x)
		if !ok {
			return nil
		}
		for _, name := range names {
			for _, c := range r.Cols {
				if match, _ := path.Match(name, c.Name); (match || name == c.Name) && !c.Hidden && out.Find(c.Name) == nil {
					out.Cols = append(out.Cols, c)
				}
			}
		}
	}
	return out
}

// constNames gives the names that an argument of project-by-names lists.
func (b *Binder) constNames(x syntax.Expr) ([]string, bool) {
	if c, ok := x.(*syntax.Call); ok && c.Name == "column_names_of" {
		if !b.Count(c, 1, 1) {
			return nil, false
		}
		r := b.Query.Input(c.Args[0])
		if r == nil {
			return nil, false
		}
		var names []string
		for _, col := range r.Visible() {
			names = append(names, col.Name)
		}
		return names, true
	}
	value := b.Scalar(x)
	if name, ok := expr.ConstText(value); ok {
		return []string{name}, true
	}
	list, ok := expr.ConstDynamic(value)
	if !ok {
		if value.Type() != 0 {
			b.Fail(x.Pos(), "project-by-names takes constant names: texts, arrays of texts or column_names_of(a table)", "")
		}
		return nil, false
	}
	var names []string
	for _, item := range expr.ListItems(list) {
		name, isText := expr.ConstText(item)
		if !isText {
			b.Fail(x.Pos(), "a name is a "+schema.String.String(), "")
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}
