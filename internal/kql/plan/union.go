package plan

import (
	"fmt"
	"slices"
	"strings"
)

// UnionInput is one part of a Union: From's rows, of which Cols are the union's
// columns by position.
type UnionInput struct {
	From Node
	Cols []Expr
}

// Union gives the rows of all parts. Cols has the union's columns; all parts have
// an expression of the same type for each.
type Union struct {
	Parts []UnionInput
	Cols  []Ref
}

// Inputs are the parts.
func (n *Union) Inputs() []Node {
	out := make([]Node, len(n.Parts))
	for i := range n.Parts {
		out[i] = n.Parts[i].From
	}
	return out
}

func (n *Union) print(b *strings.Builder) {
	b.WriteString("union")
	for i, c := range n.Cols {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " v%d =", c.ID)
		for j := range n.Parts {
			if j > 0 {
				b.WriteString(" |")
			}
			b.WriteString(" " + n.Parts[j].Cols[i].String())
		}
	}
}

func (x *Union) prune(n *needs) Node {
	for i := range x.Parts {
		p := &x.Parts[i]
		var cols []Expr
		below := n.fresh()
		for j, c := range p.Cols {
			if n.has(x.Cols[j].ID) {
				cols = append(cols, c)
				below.add(c)
			}
		}
		p.Cols = cols
		p.From = p.From.prune(below)
	}
	x.Cols = slices.DeleteFunc(x.Cols, func(c Ref) bool { return !n.has(c.ID) })
	return x
}
