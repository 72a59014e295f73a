package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/schema"
)

// Shared is a relation that is computed once and read by several Uses
// (materialize, a let that is costly and used often). Its columns are those some
// Use reads.
type Shared struct {
	// ID tells it apart; one that reads another has the greater ID.
	ID   ID
	From Node
	// Cols are set by Prune: what the uses read, each once.
	Cols []Assign
}

func (s *Shared) prune(read *needs) {
	below := read.fresh()
	s.Cols = slices.DeleteFunc(s.Cols, func(a Assign) bool { return !read.has(a.ID) })
	for _, a := range s.Cols {
		below.add(a.Expr)
	}
	s.From = s.From.prune(below)
}

// UseColumn gives a shared column a new number, so that two uses of one relation
// can meet in a join. Of is the ID of one of Shared.Cols.
type UseColumn struct {
	ID ID
	Of ID
}

// Use reads a Shared. It is a source.
type Use struct {
	Of   *Shared
	Cols []UseColumn
}

// Inputs is empty: what is shared is computed on its own.
func (*Use) Inputs() []Node { return nil }

func (n *Use) print(b *strings.Builder) {
	fmt.Fprintf(b, "use %d", n.Of.ID)
	for i, c := range n.Cols {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " v%d = v%d", c.ID, c.Of)
	}
}

func (x *Use) prune(n *needs) Node {
	read := n.all.shared[x.Of]
	if read == nil {
		read = n.fresh()
		n.all.shared[x.Of] = read
		n.all.order = append(n.all.order, x.Of)
	}
	x.Cols = slices.DeleteFunc(x.Cols, func(c UseColumn) bool { return !n.has(c.ID) })
	for _, c := range x.Cols {
		read.ids[c.Of] = true
	}
	return x
}

// Scalar is one value that rows give (toscalar): Value of the first row of Root,
// null where there is none ("" for a string). The rows know nothing of the row the
// value is used in, so it is computed once however often it stands in a plan.
type Scalar struct {
	ID    ID
	Root  Node
	Value Expr
	T     schema.Type
}

// Type gives the value's type.
func (e *Scalar) Type() schema.Type { return e.T }

// String prints the number under which the plan prints the rows.
func (e *Scalar) String() string { return fmt.Sprintf("scalar_%d", e.ID) }

// InRows tells whether X equals Value of some row of Root. It is never null; a
// null is in no rows. Fold compares texts without case.
type InRows struct {
	ID    ID
	X     Expr
	Root  Node
	Value Expr
	Fold  bool
}

// Type is bool.
func (e *InRows) Type() schema.Type { return schema.Bool }

// String prints the number under which the plan prints the rows.
func (e *InRows) String() string {
	return fmt.Sprintf("%s(%s, rows_%d)", pick(e.Fold, "in_fold", "in"), e.X, e.ID)
}
