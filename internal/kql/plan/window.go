package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// WindowCol is a value that hangs on a row's place among the others. Its
// expressions read the input and the columns before it in the same node.
type WindowCol struct {
	ID ID
	Op fn.Window
	// Args are the value and, for Prev and Next, the distance and the default, both
	// constants; for RowNumber the number of the first row.
	Args []Expr
	// Restart begins anew at the rows where it is true; nil never does.
	Restart Expr
	T       schema.Type
}

// Window adds columns that are computed over the rows of From in their order.
type Window struct {
	From Node
	Cols []WindowCol
}

// Inputs is the ordered relation.
func (n *Window) Inputs() []Node { return []Node{n.From} }

func (n *Window) print(b *strings.Builder) {
	b.WriteString("window")
	for i, c := range n.Cols {
		fmt.Fprintf(b, "%s v%d = %s%v", pick(i == 0, "", ","), c.ID, c.Op, c.Args)
		if c.Restart != nil {
			fmt.Fprintf(b, " restart %s", c.Restart)
		}
	}
}

func (x *Window) prune(n *needs) Node {
	for i := len(x.Cols) - 1; i >= 0; i-- {
		c := &x.Cols[i]
		if !n.has(c.ID) {
			x.Cols = slices.Delete(x.Cols, i, i+1)
			continue
		}
		for _, e := range c.exprs() {
			n.add(e)
		}
	}
	x.From = x.From.prune(n)
	if len(x.Cols) == 0 {
		return x.From
	}
	return x
}

func (c *WindowCol) exprs() []Expr {
	if c.Restart == nil {
		return c.Args
	}
	return append(slices.Clone(c.Args), c.Restart)
}

func (n *Window) exprs() []Expr {
	var out []Expr
	for i := range n.Cols {
		out = append(out, n.Cols[i].exprs()...)
	}
	return out
}

func (n *Window) rewrite(f func(Node) Node) { n.From = f(n.From) }

func (n *Window) own() []ID {
	out := make([]ID, len(n.Cols))
	for i, c := range n.Cols {
		out[i] = c.ID
	}
	return out
}
