package bind

import (
	"slices"
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// column is a column a query sees. Its expression is x, or made by of when it is
// first used.
type column struct {
	name   string
	typ    schema.Type
	hidden bool // not in *
	at     int32
	x      plan.Expr
	of     columns
}

// columns makes the expressions of columns by their position; it makes each once.
type columns interface {
	column(at int) plan.Expr
}

// get gives the column's expression. It may be called often.
func (c column) get() plan.Expr {
	if c.x != nil {
		return c.x
	}
	return c.of.column(int(c.at))
}

// derived are columns made by a function.
type derived struct {
	made []plan.Expr
	make func(at int) plan.Expr
}

// column makes a column at its first use.
func (d *derived) column(at int) plan.Expr {
	if d.made[at] == nil {
		d.made[at] = d.make(at)
	}
	return d.made[at]
}

// derive gives cols anew, each made from its old expression when it is used.
func derive(cols []column, change func(at int, x plan.Expr) plan.Expr) []column {
	d := &derived{made: make([]plan.Expr, len(cols))}
	d.make = func(at int) plan.Expr {
		x := cols[at].get()
		if x.Type() == 0 {
			return x
		}
		return change(at, x)
	}
	out := slices.Clone(cols)
	for i := range out {
		out[i].x, out[i].of, out[i].at = nil, d, int32(i)
	}
	return out
}

// lazy is a column that is made when it is used.
func lazy(name string, typ schema.Type, bind func() plan.Expr) column {
	return column{name: name, typ: typ, of: &derived{made: make([]plan.Expr, 1), make: func(int) plan.Expr { return bind() }}}
}

// rows is a relation under construction: a node and what a query sees of it.
type rows struct {
	node plan.Node
	cols []column
	// ordered tells that the rows have an order that later operators may use.
	ordered bool
	// stored finds the columns within the definition of a view; cols are nil then.
	stored storedNames
}

// storedNames finds stored columns by their name, nil for none.
type storedNames interface {
	storedColumn(name string) *column
}

// find gives the column of a name, nil when there is none.
func (r *rows) find(name string) *column {
	if r.stored != nil {
		return r.stored.storedColumn(name)
	}
	for i := range r.cols {
		if r.cols[i].name == name {
			return &r.cols[i]
		}
	}
	return nil
}

// names lists the columns' names.
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
	return column{name: name, typ: x.Type(), x: x}
}

// materialise gives relations whose columns stand as numbered columns of their own
// above r: for operators that must copy values (the side of an outer join without
// a partner, an unnest). A column is computed once it is used.
func (b *scalars) materialise(r *rows) *rows {
	node := &plan.Extend{From: r.node}
	return &rows{node: node, cols: derive(r.cols, func(_ int, x plan.Expr) plan.Expr {
		if _, isRef := x.(*plan.Ref); isRef {
			return x
		}
		id := b.newID()
		node.Cols = append(node.Cols, plan.Assign{ID: id, Expr: x})
		return &plan.Ref{ID: id, T: x.Type(), NotNull: plan.NotNull(x)}
	})}
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
