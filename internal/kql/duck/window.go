package duck

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// window writes the functions of rows in order. All of them are windows without
// partitions and order, which DuckDB streams over the rows as a subselect gives
// them; what restarts subtracts its value at the last restart. Only a sum that
// restarts needs partitions, and then the rows are put in order again.
func (e *emitter) window(n *plan.Window) string {
	w := windows{e: e, from: e.node(n.From)}
	made := map[plan.ID]bool{}
	for i := range n.Cols {
		c := &n.Cols[i]
		for _, x := range append([]plan.Expr{c.Restart}, c.Args...) {
			if x != nil && reads(x, made) {
				w.pass()
				clear(made)
			}
		}
		made[c.ID] = true
		w.column(c)
	}
	w.pass()
	return strings.TrimSuffix(strings.TrimPrefix(w.from, "("), ")")
}

func reads(x plan.Expr, ids map[plan.ID]bool) bool {
	found := false
	plan.Walk(x, func(x plan.Expr) {
		if r, ok := x.(*plan.Ref); ok && ids[r.ID] {
			found = true
		}
	})
	return found
}

// windows gathers the columns of one pass over the rows, in layers: a column of a
// layer reads those of the layers below.
type windows struct {
	e      *emitter
	from   string
	layers [4][]string
	// placed tells that the rows of this pass are numbered, sorted that they must be
	// put in order.
	placed, sorted bool
}

const (
	running = " OVER (ROWS UNBOUNDED PRECEDING)"
	// place is the number of the row within a pass.
	place = "place"
)

// pass ends a pass: the columns so far become those of the relation.
func (w *windows) pass() {
	for i, layer := range w.layers {
		if len(layer) > 0 {
			w.from = "(SELECT *, " + strings.Join(layer, ", ") + " FROM " + w.from + ")"
		}
		w.layers[i] = nil
	}
	if w.sorted {
		w.from = "(SELECT * FROM " + w.from + " ORDER BY " + place + ")"
		w.sorted = false
	}
	if w.placed { // further passes count anew
		w.from = "(SELECT * EXCLUDE (" + place + ") FROM " + w.from + ")"
		w.placed = false
	}
}

func (w *windows) add(layer int, sql, name string) {
	column := sql + " AS " + name
	if slices.Contains(w.layers[layer], column) {
		return
	}
	w.layers[layer] = append(w.layers[layer], column)
}

// number numbers the rows of the pass.
func (w *windows) number() {
	w.placed = true
	w.add(0, "row_number() OVER ()", place)
}

func (w *windows) column(c *plan.WindowCol) {
	e, name := w.e, column(c.ID)
	// aside names a column that column c is made of and that nobody else reads.
	aside := func(suffix string) string { return "w" + strconv.Itoa(int(c.ID)) + suffix }
	restart, cond := "", ""
	if c.Restart != nil || c.Op == fn.RowNumber || c.Op == fn.RankMin {
		w.number()
	}
	if c.Restart != nil {
		cond = e.cond(c.Restart)
		restart = aside("r")
		w.add(1, "max(CASE WHEN "+cond+" THEN "+place+" END)"+running, restart)
	}
	switch c.Op {
	case fn.Prev, fn.Next:
		word := map[fn.Window]string{fn.Prev: "lag", fn.Next: "lead"}[c.Op]
		a := e.all(c.Args)
		offset, _ := c.Args[1].(*plan.Const)
		w.add(0, word+"("+a[0]+", "+bare(offset)+", "+a[2]+") OVER ()", name)
	case fn.RowNumber:
		sql := e.value(c.Args[0]) + " + " + place
		if restart == "" {
			w.add(1, "("+sql+" - 1)", name)
		} else {
			w.add(2, "("+sql+" - coalesce("+restart+", 1))", name)
		}
	case fn.CumSum:
		x := "sum(" + e.value(c.Args[0]) + ")"
		if restart == "" {
			w.add(0, cumulative(c.T, x+running), name)
		} else {
			w.add(2, cumulative(c.T, x+" OVER (PARTITION BY "+restart+" ORDER BY "+place+" ROWS UNBOUNDED PRECEDING)"), name)
			w.sorted = true
		}
	default:
		w.rank(c, aside, restart, cond)
	}
}

// cumulative is a running sum in its type; an int wraps as one.
func cumulative(t schema.Type, sql string) string {
	if t == schema.Int {
		return "CAST((coalesce(" + sql + ", 0) + 2147483648) % 4294967296 - CASE WHEN (coalesce(" + sql + ", 0) + 2147483648) % 4294967296 < 0 THEN -2147483648 ELSE 2147483648 END AS INTEGER)"
	}
	return sum(t, sql)
}

// rank writes the ranks: a change is the first row, another value than in the row
// before, or a restart.
func (w *windows) rank(c *plan.WindowCol, aside func(string) string, restart, cond string) {
	x, name := w.e.value(c.Args[0]), column(c.ID)
	w.number()
	before := aside("p")
	w.add(0, "lag("+x+") OVER ()", before)
	change := place + " = 1 OR " + x + " IS DISTINCT FROM " + before
	if restart != "" {
		change += " OR " + cond
	}
	if c.Op == fn.RankMin {
		last := aside("l")
		w.add(1, "max(CASE WHEN "+change+" THEN "+place+" END)"+running, last)
		if restart == "" {
			w.add(2, "CAST("+last+" AS BIGINT)", name)
		} else {
			w.add(2, "("+last+" - coalesce("+restart+", 1) + 1)", name)
		}
		return
	}
	count := aside("c")
	w.add(1, "CAST(count(CASE WHEN "+change+" THEN 1 END)"+running+" AS BIGINT)", count)
	if restart == "" {
		w.add(2, count, name)
		return
	}
	w.add(2, "max(CASE WHEN "+place+" = "+restart+" THEN "+count+" END)"+running, aside("s"))
	w.add(3, "("+count+" - coalesce("+aside("s")+", 1) + 1)", name)
}
