package bind

import (
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// ordered tells whether the rows an operator gives have an order that functions of
// rows in order may use: serialize, sort, top and range make one, operators that
// take row by row keep it.
func ordered(op syntax.Operator, before bool) bool {
	switch op := op.(type) {
	case *syntax.Sort, *syntax.Top:
		return true
	case *syntax.Columns:
		return op.Word == "serialize" || before && op.Word != "distinct"
	case *syntax.Where, *syntax.Take, *syntax.As, *syntax.Render, *syntax.ParseOp, *syntax.ParseKV, *syntax.MvExpand:
		return before
	}
	return false
}

// windowed puts a node for functions of rows in order below an operator that calls
// any. The operator's rows are those above it.
func (b *operators) windowed(op syntax.Operator, r *rows) *rows {
	var xs []syntax.Expr
	switch op := op.(type) {
	case *syntax.Columns:
		xs = op.Items
	case *syntax.Where:
		xs = []syntax.Expr{op.Pred}
	case *syntax.Sort:
		for _, k := range op.Keys {
			xs = append(xs, k.X)
		}
	}
	for _, x := range xs {
		if callsWindow(x) {
			b.window = &plan.Window{From: r.node}
			out := *r
			out.node = b.window
			return &out
		}
	}
	return r
}

// callsWindow tells whether an expression calls a function of rows in order.
func callsWindow(x syntax.Expr) bool {
	switch x := x.(type) {
	case *syntax.Call:
		if fn.Windows[x.Name] != 0 {
			return true
		}
		for _, a := range x.Args {
			if callsWindow(a) {
				return true
			}
		}
	case *syntax.Named:
		return callsWindow(x.X)
	case *syntax.Paren:
		return callsWindow(x.X)
	case *syntax.Unary:
		return callsWindow(x.X)
	case *syntax.Binary:
		return callsWindow(x.L) || callsWindow(x.R)
	case *syntax.Member:
		return callsWindow(x.X)
	case *syntax.Index:
		return callsWindow(x.X) || callsWindow(x.I)
	case *syntax.Range:
		return callsWindow(x.Lo) || callsWindow(x.Hi)
	case *syntax.List:
		for _, i := range x.Items {
			if callsWindow(i) {
				return true
			}
		}
	}
	return false
}

// maxPrev bounds the distance of prev() and next(): DuckDB streams up to a chunk.
const maxPrev = 1024

// windowCall binds a call of a function of rows in order.
func (b *operators) windowCall(x *syntax.Call) plan.Expr {
	w := b.window
	switch {
	case b.rows == nil || w == nil:
		b.fail(x.NameAt, x.Name+"() can't stand here", "it belongs in extend, project, serialize or where")
		return bad()
	case !b.rows.ordered:
		b.fail(x.NameAt, x.Name+"() needs rows that have an order", "put sort, or serialize, before it")
		return bad()
	}
	args, ok := b.arguments(x)
	if !ok {
		return bad()
	}
	c := plan.WindowCol{Op: fn.Windows[x.Name], T: schema.Long}
	switch c.Op {
	case fn.Prev, fn.Next:
		ok = b.prev(x, args, &c)
	case fn.RowNumber:
		ok = b.rowNumber(x, args, &c)
	default:
		ok = b.running(x, args, &c)
	}
	if !ok {
		return bad()
	}
	c.ID = b.newID()
	w.Cols = append(w.Cols, c)
	notNull := c.T == schema.String || c.Op != fn.Prev && c.Op != fn.Next
	return &plan.Ref{ID: c.ID, T: c.T, NotNull: notNull}
}

func (b *operators) prev(x *syntax.Call, args []plan.Expr, c *plan.WindowCol) bool {
	if !b.count(x, 1, 3) {
		return false
	}
	value := textOfSplit(args[0])
	if constant(value) != nil {
		b.fail(x.Args[0].Pos(), x.Name+"() takes a column", "")
		return false
	}
	c.T = value.Type()
	distance, otherwise := long(1), null(c.T)
	if len(args) > 1 {
		n, ok := constLong(args[1])
		if !ok || !isWhole(args[1].Type()) || n < 1 || n > maxPrev {
			b.fail(x.Args[1].Pos(), "the distance of "+x.Name+"() is a whole number from 1 to "+long(maxPrev).String(), "")
			return false
		}
		distance = long(n)
	}
	if len(args) > 2 {
		given := constant(args[2])
		if given == nil {
			b.fail(x.Args[2].Pos(), "the default of "+x.Name+"() is a constant", "use coalesce() or iff() behind it")
			return false
		}
		if given.T != c.T && !(isNumber(given.T) && isNumber(c.T)) {
			b.fail(x.Args[2].Pos(), "the default is a "+given.T.String()+", the column a "+c.T.String(), "")
			return false
		}
		if otherwise = convert(given, c.T); constant(otherwise) == nil {
			b.refuse(x.Args[2].Pos(), "a default of another type than the column")
			return false
		}
	}
	c.Args = []plan.Expr{value, distance, otherwise}
	return true
}

func (b *operators) rowNumber(x *syntax.Call, args []plan.Expr, c *plan.WindowCol) bool {
	if !b.count(x, 0, 2) {
		return false
	}
	c.Args = []plan.Expr{long(1)}
	if len(args) > 0 {
		n, ok := constLong(args[0])
		if !ok || !isWhole(args[0].Type()) {
			b.fail(x.Args[0].Pos(), "the first number is a whole number that is known before the query runs", "")
			return false
		}
		c.Args[0] = long(n)
	}
	return b.restart(x, args, c)
}

func (b *operators) running(x *syntax.Call, args []plan.Expr, c *plan.WindowCol) bool {
	if !b.count(x, 1, 2) {
		return false
	}
	value := textOfSplit(args[0])
	t := value.Type()
	if c.Op == fn.CumSum {
		if !isNumber(t) && t != schema.TimeSpan {
			b.wrongType(x, 0, t)
			return false
		}
		if c.T = t; t == schema.Int {
			c.T = schema.Long
		}
	} else if t == schema.Dynamic {
		b.wrongType(x, 0, t)
		return false
	}
	c.Args = []plan.Expr{value}
	return b.restart(x, args, c)
}

// restart binds the second argument: begin anew where it is true.
func (b *operators) restart(x *syntax.Call, args []plan.Expr, c *plan.WindowCol) bool {
	if len(args) < 2 {
		return true
	}
	if t := args[1].Type(); t != schema.Bool {
		b.fail(x.Args[1].Pos(), "a condition (bool) is expected here, not "+t.String(), "")
		return false
	}
	if k := constant(args[1]); k == nil || k.V == true {
		c.Restart = args[1]
	}
	return true
}

// place gives the number of each row of r for aggregates that keep rows in order;
// nil when the rows have none.
func (b *operators) place(r *rows) (plan.Node, func() plan.Expr) {
	if !r.ordered {
		return r.node, nil
	}
	w := &plan.Window{From: r.node}
	row := lazy("", schema.Long, func() plan.Expr {
		c := plan.WindowCol{ID: b.newID(), Op: fn.RowNumber, Args: []plan.Expr{long(1)}, T: schema.Long}
		w.Cols = append(w.Cols, c)
		return &plan.Ref{ID: c.ID, T: c.T, NotNull: true}
	})
	return w, row.get
}

// serialize keeps the rows' order for what comes, and adds columns as extend does.
func (b *operators) serialize(op *syntax.Columns) *rows {
	same := *b.rows
	same.ordered = true
	b.rows = &same
	if len(op.Items) == 0 {
		return b.rows
	}
	return b.extend(op)
}
