package bind

import (
	"slices"
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// column is a column a query sees. get may be called often; it binds once.
type column struct {
	name   string
	typ    schema.Type
	hidden bool // not in *
	get    func() plan.Expr
}

// rows is a relation under construction: a node and what a query sees of it.
type rows struct {
	node plan.Node
	cols []column
	// ordered tells that the rows have an order that later operators may use.
	ordered bool
	// table is set while the relation is a stored table, for "__" functions.
	table *tableRows
}

func (r *rows) find(name string) *column {
	for i := range r.cols {
		if r.cols[i].name == name {
			return &r.cols[i]
		}
	}
	return nil
}

func (r *rows) names() []string {
	names := make([]string, len(r.cols))
	for i := range r.cols {
		names[i] = r.cols[i].name
	}
	return names
}

// visible are the columns of *.
func (r *rows) visible() []column {
	return slices.DeleteFunc(slices.Clone(r.cols), func(c column) bool { return c.hidden })
}

// fixed is a column whose expression is known.
func fixed(name string, x plan.Expr) column {
	return column{name: name, typ: x.Type(), get: func() plan.Expr { return x }}
}

// materialise gives relations whose columns stand as numbered columns of their own
// above r: for operators that must copy values (the side of an outer join without
// a partner, an unnest). A column is computed once it is used.
func (b *binder) materialise(r *rows) *rows {
	node := &plan.Extend{From: r.node}
	out := &rows{node: node, cols: slices.Clone(r.cols)}
	for i := range out.cols {
		get := out.cols[i].get
		out.cols[i].get = once(func() plan.Expr {
			x := get()
			if _, isRef := x.(*plan.Ref); isRef || x.Type() == 0 {
				return x
			}
			id := b.newID()
			node.Cols = append(node.Cols, plan.Assign{ID: id, Expr: x})
			return &plan.Ref{ID: id, T: x.Type(), NotNull: plan.NotNull(x)}
		})
	}
	return out
}

// unique gives name, or name with the first number behind it that is free.
func unique(name string, taken func(string) bool) string {
	if !taken(name) {
		return name
	}
	for i := 1; ; i++ {
		if n := name + strconv.Itoa(i); !taken(n) {
			return n
		}
	}
}
