package plan

import (
	"fmt"
	"math"
	"strings"

	"github.com/wadi-project/wadi/internal/schema"
)

// MaxRange bounds the rows of one range. They take time though no memory, and
// nobody reads more.
const MaxRange = 100_000_000

// Range is the rows Start, Start+Step … up to End. The three have the column's
// type but for datetimes, whose Step is a timespan; they read no columns. No row
// comes of a null.
type Range struct {
	Col              Ref
	Start, End, Step Expr
}

// Inputs is empty: a range is a source.
func (*Range) Inputs() []Node { return nil }

func (n *Range) print(b *strings.Builder) {
	fmt.Fprintf(b, "range %s from %s to %s step %s", &n.Col, n.Start, n.End, n.Step)
}

func (n *Range) prune(need *needs) Node {
	for _, x := range n.exprs() {
		need.add(x)
	}
	return n
}

// Rows counts the rows when the ends are constants, else it is -1. It may be more
// than MaxRange and is then only roughly right.
func (n *Range) Rows() int64 {
	var v [3]float64
	for i, x := range []Expr{n.Start, n.End, n.Step} {
		k, ok := x.(*Const)
		if !ok {
			return -1
		}
		switch value := k.V.(type) {
		case int64:
			v[i] = float64(value)
		case float64:
			v[i] = value
		default:
			return 0
		}
	}
	steps := math.Floor((v[1] - v[0]) / v[2])
	switch {
	case v[2] == 0 || !(steps >= 0): // NaN too
		return 0
	case steps > 2*MaxRange:
		return 2 * MaxRange
	}
	if n.Col.T == schema.Real {
		return int64(steps) + 1
	}
	i := func(x Expr) int64 { return x.(*Const).V.(int64) }
	diff := i(n.End) - i(n.Start)
	if (diff < 0) != (v[1] < v[0]) {
		return -1 // too far apart for int64, though in few steps
	}
	return diff/i(n.Step) + 1
}
