package bind

import (
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// staged computes what only a Go operator can, below an extend or project that asks
// for it, and gives the operator with plain columns in its place.
func (b *operators) staged(op syntax.Operator, r *rows) (syntax.Operator, *rows) {
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
func (b *operators) seriesStats(c *syntax.Call, names []*syntax.Name, r *rows, which int) ([]syntax.Expr, *rows) {
	saved := b.rows
	defer func() { b.rows = saved }()
	below := b.materialise(r)
	b.rows = below
	args, ok := b.arguments(c)
	if !ok || !b.count(c, 1, 2) || !b.want(c, args, 0, schema.Dynamic) {
		return nil, nil
	}
	if len(names) > len(statNames) {
		b.fail(c.Span, "series_stats() gives 7 columns", "")
		return nil, nil
	}
	first := resultName(c.Args[0])
	if first == "" && len(names) < len(statNames) {
		b.fail(c.Span, "the argument of series_stats() has no name", "give it one before: extend a = …")
		return nil, nil
	}
	stage := &plan.Stage{From: below.node, Op: "series_stats", In: args[:1]}
	if len(args) > 1 {
		ignore := constant(args[1])
		if ignore == nil || ignore.T != schema.Bool {
			b.fail(c.Args[1].Pos(), "true or false is expected here", "")
			return nil, nil
		}
		stage.Args = []*plan.Const{ignore}
	}
	out := b.kept(stage, below)
	var items []syntax.Expr
	for i, s := range statNames {
		ref := &plan.Ref{ID: b.newID(), T: s.typ}
		stage.Out = append(stage.Out, *ref)
		inner := " series_stats " + strconv.Itoa(which) + " " + s.name // no name that anybody writes
		hidden := fixed(inner, ref)
		hidden.hidden = true
		out.cols = append(out.cols, hidden)
		name := &syntax.Name{Span: c.Span, Name: "series_stats_" + first + "_" + s.name}
		if i < len(names) {
			name = names[i]
		}
		items = append(items, &syntax.Named{Span: c.Span, Names: []*syntax.Name{name}, X: &syntax.Name{Span: c.Span, Name: inner}})
	}
	return items, out
}

// kept gives the rows above a stage: the columns below pass by it once something
// reads them.
func (b *operators) kept(stage *plan.Stage, below *rows) *rows {
	return &rows{node: stage, ordered: below.ordered, cols: derive(below.cols, func(_ int, x plan.Expr) plan.Expr {
		if ref, ok := x.(*plan.Ref); ok {
			stage.Keep = append(stage.Keep, *ref)
		}
		return x
	})}
}
