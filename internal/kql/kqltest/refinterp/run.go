package refinterp

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// Unsupported is a node or an operation that the interpreter does not know.
type Unsupported struct{ What string }

// Error names what is not known.
func (e *Unsupported) Error() string { return "the reference interpreter does not know " + e.What }

// Tables gives the rows of a stored table: a value a column, nil for null, int64
// for every whole number and for timestamps (microseconds since 1970).
type Tables func(t *schema.Table) [][]any

// row is one row: nil is null; bool, int64 (int, long, datetime and timespan in
// ticks), float64, string (string, guid, decimal, dynamic as JSON).
type row map[plan.ID]any

// interp is one evaluation. A failure is a panic with *Unsupported inside of it.
type interp struct {
	tables Tables
	shared map[*plan.Shared][]row
	// rows are those of subqueries within expressions, by their numbers.
	rows map[plan.ID][]row
}

// Run evaluates a plan and gives the rows of its result.
func Run(p *plan.Plan, tables Tables) (out [][]any, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Unsupported:
			err = r
		default:
			panic(r)
		}
	}()
	in := &interp{tables: tables, shared: map[*plan.Shared][]row{}, rows: map[plan.ID][]row{}}
	out = [][]any{}
	for _, r := range in.node(p.Root) {
		line := make([]any, len(p.Output))
		for i, o := range p.Output {
			line[i] = in.eval(o.Expr, r)
		}
		out = append(out, line)
	}
	return out, nil
}

func unsupported(format string, args ...any) any {
	panic(&Unsupported{fmt.Sprintf(format, args...)})
}

func (in *interp) node(n plan.Node) []row {
	switch n := n.(type) {
	case *plan.Scan:
		return in.scan(n)
	case *plan.Values:
		return values(n)
	case *plan.Filter:
		return slices.DeleteFunc(in.node(n.From), func(r row) bool { return in.eval(n.Pred, r) != true })
	case *plan.Extend:
		return in.extend(n)
	case *plan.Aggregate:
		return in.aggregate(n)
	case *plan.Sort:
		return in.sort(n)
	case *plan.Take:
		rows := in.node(n.From)
		return rows[:min(n.N, int64(len(rows)))]
	case *plan.Lookup:
		return in.lookup(n)
	case *plan.Join:
		return in.join(n)
	case *plan.First:
		return in.first(n)
	case *plan.Union:
		return in.union(n)
	case *plan.Use:
		return in.use(n)
	case *plan.Range:
		return in.ranged(n)
	case *plan.Unnest:
		return in.unnest(n)
	case *plan.Number:
		return in.number(n)
	case *plan.TakeEach:
		return in.takeEach(n)
	case *plan.Window:
		return in.window(n)
	}
	unsupported("the node %T", n)
	return nil
}

func (in *interp) scan(n *plan.Scan) []row {
	var out []row
	for _, stored := range in.tables(n.Table) {
		r := row{}
		for _, c := range n.Columns {
			r[c.ID] = stored[c.Index]
		}
		out = append(out, r)
	}
	return out
}

func values(n *plan.Values) []row {
	out := make([]row, len(n.Rows))
	for i, consts := range n.Rows {
		out[i] = row{}
		for j, c := range consts {
			out[i][n.Columns[j].ID] = constant(c)
		}
	}
	return out
}

// extend computes all columns from the input before it adds any.
func (in *interp) extend(n *plan.Extend) []row {
	rows := in.node(n.From)
	out := make([]row, len(rows))
	for i, r := range rows {
		out[i] = maps.Clone(r)
		for _, c := range n.Cols {
			out[i][c.ID] = in.eval(c.Expr, r)
		}
	}
	return out
}

func (in *interp) sort(n *plan.Sort) []row {
	rows := slices.Clone(in.node(n.From))
	slices.SortStableFunc(rows, func(a, b row) int { return in.compareRows(n.Keys, a, b) })
	return rows
}

func (in *interp) compareRows(keys []plan.SortKey, a, b row) int {
	for _, k := range keys {
		if c := compareKey(in.eval(k.Expr, a), in.eval(k.Expr, b), k.Desc, k.NullsFirst); c != 0 {
			return c
		}
	}
	return 0
}

func compareKey(x, y any, desc, nullsFirst bool) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil || y == nil:
		if (x == nil) == nullsFirst {
			return -1
		}
		return 1
	}
	if desc {
		return order(y, x)
	}
	return order(x, y)
}

// lookup takes the value of any row of the table with the key; tests have one.
func (in *interp) lookup(n *plan.Lookup) []row {
	table := in.scan(n.Table)
	rows := in.node(n.From)
	out := make([]row, len(rows))
	for i, r := range rows {
		out[i] = maps.Clone(r)
		key := in.eval(n.Match, r)
		out[i][n.Result] = nil
		for _, t := range table {
			if key != nil && t[n.Key.ID] == key && t[n.Value.ID] != nil {
				out[i][n.Result] = t[n.Value.ID]
			}
		}
	}
	return out
}
