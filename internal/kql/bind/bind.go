package bind

import (
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// Source is what a table's name stands for: a view, or else a table under its
// own name; both nil when the name is unknown.
type Source struct {
	Table *schema.Table
	View  *schema.View
}

// Env is what a query is bound against. It is read only.
type Env struct {
	// Now is what now() gives, once for the whole query.
	Now event.Ticks
	// Tables resolves a name, exact case. It must know the table "sources", which
	// _Case is looked up in.
	Tables func(name string) Source
	// Names lists the known names for "did you mean"; it may be nil.
	Names func() []string
	// AsWritten leaves the plan as the query says it, without the rewrites that
	// make it fast, so that a test can tell whether they change the answer.
	AsWritten bool
	// Ask answers a question of one row with one dynamic value, which the columns of
	// an operator hang on (pivot, bag_unpack). The plan shares nodes with the one that
	// is being bound, so Ask must not change it (nor prune it). When Ask is nil, such
	// operators are errors.
	Ask func(p *plan.Plan) (json []byte, err error)
}

// Limits of a query. They keep what is built in proportion to what was written.
const (
	// maxOperators bounds the operators of all pipelines: each is a level of
	// nesting in SQL.
	maxOperators = 300
	// maxCalls bounds the calls of the query's own functions, those within functions
	// each time: functions that call functions twice would double at each step.
	maxCalls = 1000
	// maxLet bounds the nodes of a let's value. A value is copied where it is
	// used, so lets that use lets twice would double each time.
	maxLet = 1000
)

// Bind gives a query its meaning: names, types, plan. Without diagnostics the
// plan is whole; with any it is nil.
func Bind(q *syntax.Query, env Env) (*plan.Plan, []syntax.Diagnostic) {
	b := newBinder(env, q.Text, new(plan.ID))
	p := b.query(q)
	if len(b.diags) > 0 {
		return nil, b.diags
	}
	if !env.AsWritten {
		plan.Push(p)
		plan.Prune(p)
	}
	return p, nil
}

// newBinder makes a binder of a text, which numbers its columns on from ids.
func newBinder(env Env, text string, ids *plan.ID) *binder {
	b := &binder{env: env}
	b.operators = &operators{
		scalars: &scalars{clock: env.Now, text: text, ids: ids, around: b},
		query:   b,
	}
	return b
}

type binder struct {
	*operators
	env Env
	// scope has the names besides columns, level counts the functions' bodies that
	// are being bound, words are those of the text once they are counted.
	scope *scope
	level int
	words map[string]int
	// pipedName is the table that the rows of a piped union or search are of.
	pipedName string
	// asked counts the questions of Env.Ask.
	asked int
	// internal is set while a view's expression is bound.
	internal *tableRows
	// depth counts the relations that are being bound, each within the last.
	depth int
	// steps counts the operators bound so far, calls those of the query's own
	// functions.
	steps, calls int
	render       *plan.Render
}

func (b *binder) query(q *syntax.Query) *plan.Plan {
	p := &plan.Plan{}
	b.options(q, p)
	var run *syntax.Run
	for _, s := range q.Statements {
		switch s := s.(type) {
		case *syntax.Let:
			b.let(s)
		case *syntax.Set: // see options
		case *syntax.OpaqueStatement:
			b.refuse(s.Span, "the statement "+s.Word)
		case *syntax.QueryParameters:
			b.parameters(s)
		case *syntax.Alias:
			b.refuse(s.Span, "the statement alias")
		case *syntax.Restrict:
			b.refuse(s.Span, "the statement restrict")
		case *syntax.Run:
			if run != nil {
				b.refuse(s.Span, "more than one query in a text")
				return p
			}
			run = s
		}
	}
	if run == nil {
		b.fail(syntax.Span{Start: len(q.Text), End: len(q.Text)}, "there is no query", "begin with a table, such as SecurityEvent | take 10")
		return p
	}
	r := b.tabular(run.X)
	if r == nil || len(b.diags) > 0 {
		return p
	}
	for _, c := range r.visible() {
		p.Output = append(p.Output, plan.Output{Name: c.name, Expr: c.get()})
	}
	p.Root, p.Render = r.node, b.render
	if p.TakeRows > 0 {
		p.Root = &plan.Take{From: p.Root, N: p.TakeRows}
	}
	if len(p.Output) == 0 {
		b.fail(run.Span, "the result has no columns", "")
	}
	return p
}

func (b *binder) pipe(p *syntax.Pipe) *rows {
	r := b.tabular(p.Source)
	if r == nil {
		return nil
	}
	for i, op := range p.Ops {
		if !b.countOperator(op.Pos()) {
			return nil
		}
		saved, savedWindow := b.rows, b.window
		b.window = nil
		wasOrdered := r.ordered
		op, below := b.staged(op, r)
		if below == nil {
			b.rows, b.window = saved, savedWindow
			return nil
		}
		b.rows = b.windowed(op, below)
		switch op.(type) {
		case *syntax.Union, *syntax.Search:
			b.pipedName = b.sourceName(&syntax.Pipe{Source: p.Source, Ops: p.Ops[:i]})
		}
		next := b.operator(op, i == len(p.Ops)-1)
		b.rows, b.window = saved, savedWindow
		if next == nil {
			return nil
		}
		_, named := op.(*syntax.As) // which knows whether it keeps the order
		if r = next; !named && r.ordered != ordered(op, wasOrdered) {
			same := *r
			same.ordered = !r.ordered
			r = &same
		}
	}
	return r
}

func (b *binder) operator(op syntax.Operator, last bool) *rows {
	r := b.rows
	switch op := op.(type) {
	case *syntax.Where:
		pred := b.condition(op.Pred)
		return &rows{node: &plan.Filter{From: r.node, Pred: pred}, cols: r.cols}
	case *syntax.Columns:
		return b.columns(op)
	case *syntax.Summarize:
		return b.summarize(op)
	case *syntax.Sort:
		return b.sort(op.Keys, op.Params, op.Span)
	case *syntax.Top:
		n, ok := b.rowCount(op.N)
		sorted := b.sort(op.Keys, nil, op.Span)
		if !ok || sorted == nil {
			return nil
		}
		return &rows{node: &plan.Take{From: sorted.node, N: n}, cols: r.cols}
	case *syntax.Take:
		n, ok := b.rowCount(op.N)
		if !ok {
			return nil
		}
		return &rows{node: &plan.Take{From: r.node, N: n}, cols: r.cols}
	case *syntax.Count:
		agg := plan.Agg{ID: b.newID(), Op: countOp, T: schema.Long}
		node := &plan.Aggregate{From: r.node, Aggs: []plan.Agg{agg}}
		name := "Count"
		if op.As != nil {
			name = op.As.Name
		}
		return &rows{node: node, cols: []column{fixed(name, &plan.Ref{ID: agg.ID, T: schema.Long, NotNull: true})}}
	case *syntax.Evaluate:
		return b.evaluate(op)
	case *syntax.MakeSeries:
		return b.makeSeries(op)
	case *syntax.ParseOp:
		return b.parse(op)
	case *syntax.ParseKV:
		return b.parseKV(op)
	case *syntax.MvExpand:
		return b.mvExpand(op)
	case *syntax.MvApply:
		return b.mvApply(op)
	case *syntax.Render:
		if !last {
			b.fail(op.Span, "render must be the last operator", "")
			return nil
		}
		b.render = &plan.Render{Kind: op.Kind, Properties: map[string]string{}}
		for _, p := range op.Properties {
			b.render.Properties[strings.ToLower(p.Name)] = p.Value
		}
		return r
	case *syntax.Join:
		return b.join(op)
	case *syntax.Union:
		return b.union(op, true)
	case *syntax.Search:
		return b.search(op, true)
	case *syntax.As:
		return b.as(op)
	case *syntax.Invoke:
		return b.invoke(op)
	case *syntax.GetSchema:
		return b.getSchema()
	default:
		word, at := syntax.OperatorWord(op)
		b.refuse(at, "operator '"+word+"'")
	}
	return nil
}

func (b *binder) sort(keys []*syntax.Ordered, params []syntax.Param, span syntax.Span) *rows {
	r := b.rows
	node := &plan.Sort{From: r.node}
	for _, p := range params {
		if !strings.HasPrefix(p.Name, "hint.") {
			b.refuse(span, "the parameter "+p.Name)
		}
	}
	for _, k := range keys {
		x := k.X
		if n, ok := x.(*syntax.Named); ok {
			x = n.X
		}
		bound := b.scalar(x)
		if bound.Type() == schema.Decimal {
			b.refuse(x.Pos(), "sorting by a value of type decimal")
			continue
		}
		if bound.Type() == schema.Dynamic {
			b.fail(x.Pos(), "cannot sort by a value of type dynamic", "convert it: tostring(…)")
			continue
		}
		if c := constant(bound); c != nil {
			continue // every row is equal
		}
		desc := k.Order != "asc"
		first := !desc
		if k.Nulls != "" {
			first = k.Nulls == "first"
		}
		node.Keys = append(node.Keys, plan.SortKey{Expr: bound, Desc: desc, NullsFirst: first})
	}
	if len(node.Keys) == 0 {
		return r
	}
	return &rows{node: node, cols: r.cols}
}
