package plan

import (
	"fmt"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// Best keeps one row of each group, the one with the greatest (least) value of By;
// any of those where all are null. It reads few columns to find the rows and the
// others of those rows only, which an Aggregate can't; so it stands for one whose
// aggregates are all arg_max or arg_min of one value: see [Aggregate.Identity].
type Best struct {
	From Node
	// Keys are the groups.
	Keys  []Expr
	By    Expr
	Least bool
	// Identity are columns that together name a row of From.
	Identity []Ref
}

// bestColumns is how many columns of a row make a Best worth its second look at
// the table.
const bestColumns = 3

// Inputs is the relation whose rows are kept.
func (n *Best) Inputs() []Node { return []Node{n.From} }

func (n *Best) print(b *strings.Builder) {
	fmt.Fprintf(b, "keep the row with the %s %s of each", pick(n.Least, "least", "greatest"), n.By)
	for i, k := range n.Keys {
		fmt.Fprintf(b, "%s%s", pick(i == 0, " ", ", "), k)
	}
}

func (n *Best) exprs() []Expr { return append(n.Keys[:len(n.Keys):len(n.Keys)], n.By) }

func (n *Best) own() []ID { return nil }

func (n *Best) rewrite(f func(Node) Node) { n.From = f(n.From) }

func (n *Best) prune(need *needs) Node {
	read := map[ID]bool{}
	for _, x := range n.exprs() {
		addRefs(read, x)
	}
	for i := range n.Identity {
		read[n.Identity[i].ID] = true
	}
	if above := hoist(n, n.From, read); above != nil {
		return above.prune(need)
	}
	for _, x := range n.exprs() {
		need.add(x)
	}
	for i := range n.Identity {
		need.add(&n.Identity[i])
	}
	n.From = n.From.prune(need)
	return n
}

// best gives what stands for an Aggregate all of whose aggregates ask for columns of
// the same row; nil when they don't, or are too few.
func (x *Aggregate) best() Node {
	if len(x.Identity) == 0 || len(x.Keys) == 0 || len(x.Aggs) < bestColumns {
		return nil
	}
	first := &x.Aggs[0]
	if first.Op != fn.ArgMax && first.Op != fn.ArgMin {
		return nil
	}
	by := first.Args[1]
	switch by.Type() {
	case schema.Int, schema.Long, schema.DateTime, schema.TimeSpan, schema.String:
	default:
		return nil
	}
	above := &Extend{}
	keep := &Best{From: unsorted(x.From), By: by, Least: first.Op == fn.ArgMin, Identity: x.Identity}
	for _, k := range x.Keys {
		keep.Keys = append(keep.Keys, k.Expr)
		above.Cols = append(above.Cols, k)
	}
	for i := range x.Aggs {
		a := &x.Aggs[i]
		if a.Op != first.Op || a.Filter != nil || len(a.Args) != 2 || a.Args[1].String() != by.String() {
			return nil
		}
		above.Cols = append(above.Cols, Assign{ID: a.ID, Expr: a.Args[0]})
	}
	above.From = keep
	return above
}
