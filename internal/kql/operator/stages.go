package operator

import (
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// Staged computes what only a Go operator can, below an extend or project that asks
// for it, and gives the operator with plain columns in its place.
func (b *Binder) Staged(op syntax.Operator, r *expr.Rows) (syntax.Operator, *expr.Rows) {
	columns, ok := op.(*syntax.Columns)
	if !ok || columns.Word != "extend" && columns.Word != "project" {
		return op, r
	}
	var items []syntax.Expr
	found := false
	for i, x := range columns.Items {
		var names []*syntax.Name
		value := x
		if n, ok := x.(*syntax.Named); ok {
			names, value = n.Names, n.X
		}
		c := callIn(value)
		if c == nil || c.Name != "series_stats" {
			items = append(items, x)
			continue
		}
		found = true
		more, above := b.seriesStats(c, names, r, i)
		if above == nil {
			return op, nil
		}
		items, r = append(items, more...), above
	}
	if !found {
		return op, r
	}
	same := *columns
	same.Items = items
	return &same, r
}

// statNames are the columns of series_stats, as Kusto names them behind its
// argument.
var statNames = [...]struct {
	name string
	typ  schema.Type
}{
	{"min", schema.Real},
	{"min_idx", schema.Long},
	{"max", schema.Real},
	{"max_idx", schema.Long},
	{"avg", schema.Real},
	{"stdev", schema.Real},
	{"variance", schema.Real},
}

// seriesStats puts series_stats(x [, ignore_nonfinite]) below; which tells apart
// those of one operator.
func (b *Binder) seriesStats(c *syntax.Call, names []*syntax.Name, r *expr.Rows, which int) ([]syntax.Expr, *expr.Rows) {
	saved := b.Rows
	defer func() { b.Rows = saved }()
	below := b.Materialise(r)
	b.Rows = below
	args, ok := b.Arguments(c)
	if !ok || !b.Count(c, 1, 2) || !b.Want(c, args, 0, schema.Dynamic) {
		return nil, nil
	}
	if len(names) > len(statNames) {
		b.Fail(c.Span, "series_stats() gives 7 columns", "")
		return nil, nil
	}
	first := expr.ResultName(c.Args[0])
	if first == "" && len(names) < len(statNames) {
		b.Fail(c.Span, "the argument of series_stats() has no name", "give it one before: extend a = …")
		return nil, nil
	}
	stage := &plan.Stage{From: below.Node, Op: "series_stats", In: args[:1]}
	if len(args) > 1 {
		ignore := expr.Constant(args[1])
		if ignore == nil || ignore.T != schema.Bool {
			b.Fail(c.Args[1].Pos(), "true or false is expected here", "")
			return nil, nil
		}
		stage.Args = []*plan.Const{ignore}
	}
	out := b.kept(stage, below)
	var items []syntax.Expr
	for i, s := range statNames {
		ref := &plan.Ref{ID: b.NewID(), T: s.typ}
		stage.Out = append(stage.Out, *ref)
		inner := " series_stats " + strconv.Itoa(which) + " " + s.name // no name that anybody writes
		hidden := expr.Fixed(inner, ref)
		hidden.Hidden = true
		out.Cols = append(out.Cols, hidden)
		name := &syntax.Name{Span: c.Span, Name: "series_stats_" + first + "_" + s.name}
		if i < len(names) {
			name = names[i]
		}
		items = append(items, &syntax.Named{Span: c.Span, Names: []*syntax.Name{name}, X: &syntax.Name{Span: c.Span, Name: inner}})
	}
	return items, out
}

// kept gives the rows above a stage: the columns below pass by it once something
// reads them. A dynamic gets a new number there: what its fields are of below doesn't
// pass with it.
func (b *Binder) kept(stage *plan.Stage, below *expr.Rows) *expr.Rows {
	above := &plan.Extend{From: stage}
	return &expr.Rows{Node: above, Ordered: below.Ordered, Cols: expr.Derive(below.Cols, func(_ int, x plan.Expr) plan.Expr {
		ref, ok := x.(*plan.Ref)
		if !ok {
			return x
		}
		stage.Keep = append(stage.Keep, *ref)
		if ref.T != schema.Dynamic {
			return ref
		}
		own := &plan.Ref{ID: b.NewID(), T: ref.T, NotNull: ref.NotNull}
		above.Cols = append(above.Cols, plan.Assign{ID: own.ID, Expr: ref})
		return own
	})}
}
