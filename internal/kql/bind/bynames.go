package bind

import (
	"path"

	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// byNames binds project-by-names: columns by constant names, which may be patterns
// and need not be there.
func (b *operators) byNames(op *syntax.Columns) *rows {
	r := b.rows
	out := &rows{node: r.node}
	for _, x := range op.Items {
		names, ok := b.constNames(x)
		if !ok {
			return nil
		}
		for _, name := range names {
			for _, c := range r.cols {
				if match, _ := path.Match(name, c.name); (match || name == c.name) && !c.hidden && out.find(c.name) == nil {
					out.cols = append(out.cols, c)
				}
			}
		}
	}
	return out
}

// constNames gives the names that an argument of project-by-names lists.
func (b *operators) constNames(x syntax.Expr) ([]string, bool) {
	if c, ok := x.(*syntax.Call); ok && c.Name == "column_names_of" {
		if !b.count(c, 1, 1) {
			return nil, false
		}
		r := b.query.input(c.Args[0])
		if r == nil {
			return nil, false
		}
		var names []string
		for _, col := range r.visible() {
			names = append(names, col.name)
		}
		return names, true
	}
	value := b.scalar(x)
	if name, ok := constText(value); ok {
		return []string{name}, true
	}
	list, ok := constDynamic(value)
	if !ok {
		if value.Type() != 0 {
			b.fail(x.Pos(), "project-by-names takes constant names: texts, arrays of texts or column_names_of(a table)", "")
		}
		return nil, false
	}
	var names []string
	for _, item := range listItems(list) {
		name, isText := constText(item)
		if !isText {
			b.fail(x.Pos(), "a name is a "+schema.String.String(), "")
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}
