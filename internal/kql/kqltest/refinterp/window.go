package refinterp

import (
	"maps"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
)

// window computes the columns one after another: each reads those before it.
func (in *interp) window(n *plan.Window) []row {
	var rows []row
	for _, r := range in.node(n.From) {
		rows = append(rows, maps.Clone(r))
	}
	for i := range n.Cols {
		in.windowColumn(&n.Cols[i], rows)
	}
	return rows
}

func (in *interp) windowColumn(c *plan.WindowCol, rows []row) {
	values := make([]any, len(rows))
	var last any
	var total, place, rank int64
	var real float64
	for i, r := range rows {
		restart := i == 0 || c.Restart != nil && in.eval(c.Restart, r) == true
		switch c.Op {
		case fn.RowNumber:
			if restart {
				place = 0
			}
			values[i] = constantLong(in, c.Args, 0, 1) + place
			place++
		case fn.Prev, fn.Next:
			values[i] = in.shifted(c, rows, i)
		case fn.CumSum:
			if restart {
				total, real = 0, 0
			}
			switch v := in.eval(c.Args[0], r).(type) {
			case int64:
				total += v
			case float64:
				real += v
			}
			values[i] = any(total)
			if _, isReal := in.eval(c.Args[0], r).(float64); isReal || real != 0 {
				values[i] = real
			}
		case fn.RankDense, fn.RankMin:
			v := in.eval(c.Args[0], r)
			if restart {
				place, rank = 0, 0
			}
			place++
			if restart || keyOf(v) != keyOf(last) {
				if rank++; c.Op == fn.RankMin {
					rank = place
				}
			}
			values[i], last = rank, v
		default:
			unsupported("the window %s", c.Op)
		}
	}
	for i, r := range rows {
		r[c.ID] = values[i]
	}
}

// shifted is the value some rows before or behind, else the default.
func (in *interp) shifted(c *plan.WindowCol, rows []row, i int) any {
	n := int(constantLong(in, c.Args, 1, 1))
	if c.Op == fn.Prev {
		n = -n
	}
	if j := i + n; j >= 0 && j < len(rows) {
		return in.eval(c.Args[0], rows[j])
	}
	if len(c.Args) > 2 {
		return in.eval(c.Args[2], nil)
	}
	return constant(&plan.Const{T: c.T})
}

func constantLong(in *interp, args []plan.Expr, i int, otherwise int64) int64 {
	if i >= len(args) {
		return otherwise
	}
	n, _ := in.eval(args[i], nil).(int64)
	return n
}
