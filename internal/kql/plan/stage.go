package plan

import (
	"fmt"
	"slices"
	"strings"
)

// Stage runs a Go operator of package series over the rows of From, in their order.
// Of the columns below only those of Keep are there above it, besides Out.
type Stage struct {
	From Node
	// Op is the operator's name.
	Op string
	// Args are its constant arguments, In the columns it takes, Out those it gives.
	Args []*Const
	In   []Expr
	Out  []Ref
	// Keep are columns that pass by the operator. Prune drops what nobody reads.
	Keep []Ref
}

// Inputs is the relation the operator reads.
func (n *Stage) Inputs() []Node { return []Node{n.From} }

func (n *Stage) print(b *strings.Builder) {
	fmt.Fprintf(b, "stage %s", n.Op)
	for i, a := range n.Args {
		fmt.Fprintf(b, "%s%s", pick(i == 0, " with ", ", "), a)
	}
	for i, x := range n.In {
		fmt.Fprintf(b, "%s%s", pick(i == 0, " of ", ", "), x)
	}
	for i := range n.Out {
		fmt.Fprintf(b, "%s%s:%s", pick(i == 0, " gives ", ", "), &n.Out[i], n.Out[i].T)
	}
	for i := range n.Keep {
		fmt.Fprintf(b, "%s%s", pick(i == 0, " keeps ", ", "), &n.Keep[i])
	}
}

func (x *Stage) prune(n *needs) Node {
	x.Keep = slices.DeleteFunc(x.Keep, func(r Ref) bool { return !n.has(r.ID) })
	below := n.fresh()
	for i := range x.Keep {
		below.add(&x.Keep[i])
	}
	for _, in := range x.In {
		below.add(in)
	}
	x.From = x.From.prune(below)
	return x
}

func (n *Stage) exprs() []Expr { return n.In }

func (n *Stage) rewrite(f func(Node) Node) { n.From = f(n.From) }

func (n *Stage) own() []ID { return refIDs(n.Out) }
