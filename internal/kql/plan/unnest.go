package plan

import (
	"fmt"
	"slices"
	"strings"
)

// Unnest gives a row for each element of its columns' values (mv-expand): elements
// of several columns side by side, null where a shorter one has ended. A null gives
// one null, an empty array or bag nothing. The columns below pass on.
type Unnest struct {
	From Node
	Cols []UnnestColumn
	// Index is the column that counts a row's elements from 0, 0 for none.
	Index ID
	// Limit bounds the rows one row gives; 0 is no bound.
	Limit int64
	// Pairs makes elements of a bag [key, value] instead of {key: value}.
	Pairs bool
}

// UnnestColumn is a dynamic whose elements become rows.
type UnnestColumn struct {
	X Expr
	// List names the elements as a list, ID the element of a row: a dynamic, or with
	// Text a text that is null behind the list's end.
	List, ID ID
	// Text tells that X is a split, whose parts are wanted as the texts they are.
	Text bool
	// Typed tells that only a conversion reads the element, to which the text null is
	// null as well.
	Typed bool
}

// Inputs is the expanded relation.
func (n *Unnest) Inputs() []Node { return []Node{n.From} }

func (n *Unnest) print(b *strings.Builder) {
	b.WriteString("unnest")
	for i, c := range n.Cols {
		fmt.Fprintf(b, "%s v%d = %s%s", pick(i > 0, ",", ""), c.ID, c.X, pick(c.Text, " as text", ""))
	}
	if n.Pairs {
		b.WriteString(" pairs")
	}
	if n.Index != 0 {
		fmt.Fprintf(b, " index v%d", n.Index)
	}
	if n.Limit > 0 {
		fmt.Fprintf(b, " limit %d", n.Limit)
	}
}

// prune keeps every column: how many rows there are hangs on all.
func (x *Unnest) prune(n *needs) Node {
	if !n.has(x.Index) {
		x.Index = 0
	}
	for _, c := range x.Cols {
		n.add(c.X)
	}
	x.From = x.From.prune(n)
	return x
}

func (n *Unnest) exprs() []Expr {
	out := make([]Expr, len(n.Cols))
	for i, c := range n.Cols {
		out[i] = c.X
	}
	return out
}

func (n *Unnest) own() []ID {
	var ids []ID
	for _, c := range n.Cols {
		ids = append(ids, c.List, c.ID)
	}
	if n.Index != 0 {
		ids = append(ids, n.Index)
	}
	return ids
}

func (n *Unnest) rewrite(f func(Node) Node) { n.From = f(n.From) }

// Number gives each row a number of its own.
type Number struct {
	From Node
	ID   ID
}

// Inputs is the numbered relation.
func (n *Number) Inputs() []Node { return []Node{n.From} }

func (n *Number) print(b *strings.Builder) { fmt.Fprintf(b, "number v%d", n.ID) }

func (x *Number) prune(n *needs) Node {
	x.From = x.From.prune(n)
	if !n.has(x.ID) {
		return x.From
	}
	return x
}

func (n *Number) exprs() []Expr             { return nil }
func (n *Number) own() []ID                 { return []ID{n.ID} }
func (n *Number) rewrite(f func(Node) Node) { n.From = f(n.From) }

// TakeEach keeps the first N rows, in the order of Keys, of those whose By are equal.
type TakeEach struct {
	From Node
	By   []Expr
	Keys []SortKey
	N    int64
}

// Inputs is the cut relation.
func (n *TakeEach) Inputs() []Node { return []Node{n.From} }

func (n *TakeEach) print(b *strings.Builder) {
	fmt.Fprintf(b, "take %d of each", n.N)
	for i, x := range n.By {
		fmt.Fprintf(b, "%s %s", pick(i > 0, ",", ""), x)
	}
	for i, k := range n.Keys {
		fmt.Fprintf(b, "%s %s%s%s", pick(i > 0, ",", " by"), k.Expr, pick(k.Desc, " desc", " asc"), pick(k.NullsFirst, " nulls first", " nulls last"))
	}
}

func (x *TakeEach) prune(n *needs) Node {
	for _, e := range x.exprs() {
		n.add(e)
	}
	x.From = x.From.prune(n)
	return x
}

func (n *TakeEach) exprs() []Expr {
	out := slices.Clone(n.By)
	for _, k := range n.Keys {
		out = append(out, k.Expr)
	}
	return out
}

func (n *TakeEach) own() []ID                 { return nil }
func (n *TakeEach) rewrite(f func(Node) Node) { n.From = f(n.From) }
