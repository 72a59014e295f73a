package expr

import (
	"slices"
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// Column is a column a query sees. Its expression is x, or made by of when it is
// first used.
type Column struct {
	Name   string
	Typ    schema.Type
	Hidden bool // not in *
	At     int32
	X      plan.Expr
	Of     columns
}

// columns makes the expressions of columns by their position; it makes each once.
type columns interface {
	Column(at int) plan.Expr
}

// Get gives the column's expression. It may be called often.
func (c Column) Get() plan.Expr {
	if c.X != nil {
		return c.X
	}
	return c.Of.Column(int(c.At))
}

// derived are columns made by a function.
type derived struct {
	made []plan.Expr
	make func(at int) plan.Expr
}

// Column makes a column at its first use.
func (d *derived) Column(at int) plan.Expr {
	if d.made[at] == nil {
		d.made[at] = d.make(at)
	}
	return d.made[at]
}

// Derive gives cols anew, each made from its old expression when it is used.
func Derive(cols []Column, change func(at int, x plan.Expr) plan.Expr) []Column {
	d := &derived{made: make([]plan.Expr, len(cols))}
	d.make = func(at int) plan.Expr {
		x := cols[at].Get()
		if x.Type() == 0 {
			return x
		}
		return change(at, x)
	}
	out := slices.Clone(cols)
	for i := range out {
		out[i].X, out[i].Of, out[i].At = nil, d, int32(i)
	}
	return out
}

// Lazy is a column that is made when it is used.
func Lazy(name string, typ schema.Type, bind func() plan.Expr) Column {
	return Column{Name: name, Typ: typ, Of: &derived{made: make([]plan.Expr, 1), make: func(int) plan.Expr { return bind() }}}
}

// Rows is a relation under construction: a node and what a query sees of it.
type Rows struct {
	Node plan.Node
	Cols []Column
	// ordered tells that the rows have an order that later operators may use.
	Ordered bool
	// stored finds the columns within the definition of a view; cols are nil then.
	Stored storedNames
}

// storedNames finds stored columns by their name, nil for none.
type storedNames interface {
	StoredColumn(name string) *Column
}

// Find gives the column of a name, nil when there is none.
func (r *Rows) Find(name string) *Column {
	if r.Stored != nil {
		return r.Stored.StoredColumn(name)
	}
	for i := range r.Cols {
		if r.Cols[i].Name == name {
			return &r.Cols[i]
		}
	}
	return nil
}

// Names lists the columns' names.
func (r *Rows) Names() []string {
	names := make([]string, len(r.Cols))
	for i := range r.Cols {
		names[i] = r.Cols[i].Name
	}
	return names
}

// Visible are the columns of *.
func (r *Rows) Visible() []Column {
	return slices.DeleteFunc(slices.Clone(r.Cols), func(c Column) bool { return c.Hidden })
}

// Fixed is a column whose expression is known.
func Fixed(name string, x plan.Expr) Column {
	return Column{Name: name, Typ: x.Type(), X: x}
}

// Materialise gives relations whose columns stand as numbered columns of their own
// above r: for operators that must copy values (the side of an outer join without
// a partner, an unnest). A column is computed once it is used.
func (b *Binder) Materialise(r *Rows) *Rows {
	node := &plan.Extend{From: r.Node}
	return &Rows{Node: node, Cols: Derive(r.Cols, func(_ int, x plan.Expr) plan.Expr {
		if _, isRef := x.(*plan.Ref); isRef {
			return x
		}
		id := b.NewID()
		node.Cols = append(node.Cols, plan.Assign{ID: id, Expr: x})
		return &plan.Ref{ID: id, T: x.Type(), NotNull: plan.NotNull(x)}
	})}
}

// Unique gives name, or name with the first number behind it that is free.
func Unique(name string, taken func(string) bool) string {
	if !taken(name) {
		return name
	}
	for i := 1; ; i++ {
		if n := name + strconv.Itoa(i); !taken(n) {
			return n
		}
	}
}
