package operator

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// Ordered tells whether the rows an operator gives have an order that functions of
// rows in order may use: serialize, sort, top and range make one, operators that
// take row by row keep it.
func Ordered(op syntax.Operator, before bool) bool {
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

// Windowed puts a node for functions of rows in order below an operator that calls
// any. The operator's rows are those above it.
func (b *Binder) Windowed(op syntax.Operator, r *expr.Rows) *expr.Rows {
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
	if slices.ContainsFunc(xs, callsWindow) {
		b.Window = &plan.Window{From: r.Node}
		out := *r
		out.Node = b.Window
		return &out
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
		if slices.ContainsFunc(x.Args, callsWindow) {
			return true
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
		if slices.ContainsFunc(x.Items, callsWindow) {
			return true
		}
	}
	return false
}

// maxPrev bounds the distance of prev() and next(): DuckDB streams up to a chunk.
const maxPrev = 1024

// WindowCall binds a call of a function of rows in order.
func (b *Binder) WindowCall(x *syntax.Call) plan.Expr {
	w := b.Window
	switch {
	case b.Rows == nil || w == nil:
		b.Fail(x.NameAt, x.Name+"() can't stand here", "it belongs in extend, project, serialize or where")
		return expr.Bad()
	case !b.Rows.Ordered:
		b.Fail(x.NameAt, x.Name+"() needs rows that have an order", "put sort, or serialize, before it")
		return expr.Bad()
	}
	args, ok := b.Arguments(x)
	if !ok {
		return expr.Bad()
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
		return expr.Bad()
	}
	c.ID = b.NewID()
	w.Cols = append(w.Cols, c)
	notNull := c.T == schema.String || c.Op != fn.Prev && c.Op != fn.Next
	return &plan.Ref{ID: c.ID, T: c.T, NotNull: notNull}
}

func (b *Binder) prev(x *syntax.Call, args []plan.Expr, c *plan.WindowCol) bool {
	if !b.Count(x, 1, 3) {
		return false
	}
	value := expr.TextOfSplit(args[0])
	if _, isName := x.Args[0].(*syntax.Name); !isName {
		b.Fail(x.Args[0].Pos(), x.Name+"() takes a column", "extend one before")
		return false
	}
	c.T = value.Type()
	distance, otherwise := expr.Long(1), expr.Null(c.T)
	if len(args) > 1 {
		n, ok := expr.ConstLong(args[1])
		if !ok || !expr.IsWhole(args[1].Type()) || n < 1 || n > maxPrev {
			b.Fail(x.Args[1].Pos(), "the distance of "+x.Name+"() is a whole number from 1 to "+expr.Long(maxPrev).String(), "")
			return false
		}
		distance = expr.Long(n)
	}
	if len(args) > 2 {
		given := expr.Constant(args[2])
		if given == nil {
			b.Fail(x.Args[2].Pos(), "the default of "+x.Name+"() is a constant", "use coalesce() or iff() behind it")
			return false
		}
		if given.T != c.T && !(expr.IsNumber(given.T) && expr.IsNumber(c.T)) {
			b.Fail(x.Args[2].Pos(), "the default is a "+given.T.String()+", the column a "+c.T.String(), "")
			return false
		}
		if otherwise = expr.Convert(given, c.T); expr.Constant(otherwise) == nil {
			b.Refuse(x.Args[2].Pos(), "a default of another type than the column")
			return false
		}
	}
	c.Args = []plan.Expr{value, distance, otherwise}
	return true
}

func (b *Binder) rowNumber(x *syntax.Call, args []plan.Expr, c *plan.WindowCol) bool {
	if !b.Count(x, 0, 2) {
		return false
	}
	c.Args = []plan.Expr{expr.Long(1)}
	if len(args) > 0 {
		n, ok := expr.ConstLong(args[0])
		if !ok || !expr.IsWhole(args[0].Type()) {
			b.Fail(x.Args[0].Pos(), "the first number is a whole number that is known before the query runs", "")
			return false
		}
		c.Args[0] = expr.Long(n)
	}
	return b.restart(x, args, c)
}

func (b *Binder) running(x *syntax.Call, args []plan.Expr, c *plan.WindowCol) bool {
	if !b.Count(x, 1, 2) {
		return false
	}
	value := expr.TextOfSplit(args[0])
	t := value.Type()
	if c.Op == fn.CumSum {
		if !expr.IsNumber(t) {
			b.WrongType(x, 0, t)
			return false
		}
		c.T = t
	} else if t == schema.Dynamic {
		b.WrongType(x, 0, t)
		return false
	}
	c.Args = []plan.Expr{value}
	return b.restart(x, args, c)
}

// restart binds the second argument: begin anew where it is true.
func (b *Binder) restart(x *syntax.Call, args []plan.Expr, c *plan.WindowCol) bool {
	if len(args) < 2 {
		return true
	}
	if t := args[1].Type(); t != schema.Bool {
		b.Fail(x.Args[1].Pos(), "a condition (bool) is expected here, not "+t.String(), "")
		return false
	}
	if k := expr.Constant(args[1]); k == nil || k.V == true {
		c.Restart = args[1]
	}
	return true
}

// place gives the number of each row of r for aggregates that keep rows in order;
// nil when the rows have none.
func (b *Binder) place(r *expr.Rows) (plan.Node, func() plan.Expr) {
	if !r.Ordered {
		return r.Node, nil
	}
	w := &plan.Window{From: r.Node}
	row := expr.Lazy("", schema.Long, func() plan.Expr {
		c := plan.WindowCol{ID: b.NewID(), Op: fn.RowNumber, Args: []plan.Expr{expr.Long(1)}, T: schema.Long}
		w.Cols = append(w.Cols, c)
		return &plan.Ref{ID: c.ID, T: c.T, NotNull: true}
	})
	return w, row.Get
}

// serialize keeps the rows' order for what comes, and adds columns as extend does.
func (b *Binder) serialize(op *syntax.Columns) *expr.Rows {
	same := *b.Rows
	same.Ordered = true
	b.Rows = &same
	if len(op.Items) == 0 {
		return b.Rows
	}
	return b.extend(op)
}
