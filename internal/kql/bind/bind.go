package bind

import (
	"strings"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/operator"
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
	// Within is a predicate in KQL that keeps rows of every table with TimeGenerated,
	// as if each name of one were followed by it; "" keeps all.
	Within string
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
	// maxOperators bounds the operators of all pipelines, those of lets at each use:
	// unions of long parsers have some hundreds.
	maxOperators = 2000
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
	if len(b.Diags) > 0 {
		return nil, b.Diags
	}
	if !env.AsWritten {
		plan.Push(p)
		plan.Prune(p)
	}
	return p, nil
}

// newBinder makes a binder of a text, which numbers its columns on from ids.
func newBinder(env Env, text string, ids *plan.ID) *binder {
	b := &binder{env: env, bags: map[plan.ID]func(name string) plan.Expr{}}
	b.Binder = &operator.Binder{
		Binder: &expr.Binder{Clock: env.Now, Text: text, Ids: ids, Around: b},
		Query:  b,
	}
	return b
}

type binder struct {
	*operator.Binder
	env Env
	// scope has the names besides columns, level counts the functions' bodies that
	// are being bound, words are those of the text once they are counted.
	scope *scope
	level int
	words map[string]int
	// bags give the fields of columns that are bags of a known source.
	bags map[plan.ID]func(name string) plan.Expr
	// pipedName is the table that the rows of a piped union or search are of.
	pipedName string
	// asked counts the questions of Env.Ask.
	asked int
	// internal is set while a view's expression is bound.
	internal *tableRows
	// depth counts the relations that are being bound, each within the last.
	depth int
	// calling are the functions whose bodies are being bound.
	calling []string
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
			b.Refuse(s.Span, "the statement "+s.Word)
		case *syntax.QueryParameters:
			b.parameters(s)
		case *syntax.Alias:
			b.Refuse(s.Span, "the statement alias")
		case *syntax.Restrict:
			b.Refuse(s.Span, "the statement restrict")
		case *syntax.Run:
			if run != nil {
				b.Refuse(s.Span, "more than one query in a text")
				return p
			}
			run = s
		}
	}
	if run == nil {
		b.Fail(syntax.Span{Start: len(q.Text), End: len(q.Text)}, "there is no query", "begin with a table, such as SecurityEvent | take 10")
		return p
	}
	r := b.tabular(run.X)
	if r == nil || len(b.Diags) > 0 {
		return p
	}
	for _, c := range r.Visible() {
		x := c.Get()
		if x.Type() == 0 && len(b.Diags) == 0 {
			b.Fail(run.Span, "the column '"+c.Name+"' has no meaning", "this is a fault of Wadi; write its expression in another way")
		}
		p.Output = append(p.Output, plan.Output{Name: c.Name, Expr: x})
	}
	p.Root, p.Render = r.Node, b.render
	if p.TakeRows > 0 {
		p.Root = &plan.Take{From: p.Root, N: p.TakeRows}
	}
	if len(p.Output) == 0 {
		b.Fail(run.Span, "the result has no columns", "")
	}
	return p
}

func (b *binder) pipe(p *syntax.Pipe) *expr.Rows {
	r := b.tabular(p.Source)
	if r == nil {
		return nil
	}
	for i, op := range p.Ops {
		if !b.countOperator(op.Pos()) {
			return nil
		}
		saved, savedWindow := b.Rows, b.Window
		b.Window = nil
		wasOrdered := r.Ordered
		op, below := b.Staged(op, r)
		if below == nil {
			b.Rows, b.Window = saved, savedWindow
			return nil
		}
		b.Rows = b.Windowed(op, below)
		switch op.(type) {
		case *syntax.Union, *syntax.Search:
			b.pipedName = b.sourceName(&syntax.Pipe{Source: p.Source, Ops: p.Ops[:i]})
		}
		next := b.operator(op, i == len(p.Ops)-1)
		b.Rows, b.Window = saved, savedWindow
		if next == nil {
			return nil
		}
		_, named := op.(*syntax.As) // which knows whether it keeps the order
		if r = next; !named && r.Ordered != operator.Ordered(op, wasOrdered) {
			same := *r
			same.Ordered = !r.Ordered
			r = &same
		}
	}
	return r
}

func (b *binder) operator(op syntax.Operator, last bool) *expr.Rows {
	r := b.Rows
	switch op := op.(type) {
	case *syntax.Where:
		pred := b.Condition(op.Pred)
		return &expr.Rows{Node: &plan.Filter{From: r.Node, Pred: pred}, Cols: r.Cols}
	case *syntax.Columns:
		return b.Columns(op)
	case *syntax.Summarize:
		return b.Summarize(op)
	case *syntax.Sort:
		return b.sort(op.Keys, op.Params, op.Span)
	case *syntax.Top:
		n, ok := b.RowCount(op.N)
		sorted := b.sort(op.Keys, nil, op.Span)
		if !ok || sorted == nil {
			return nil
		}
		return &expr.Rows{Node: &plan.Take{From: sorted.Node, N: n}, Cols: r.Cols}
	case *syntax.Take:
		n, ok := b.RowCount(op.N)
		if !ok {
			return nil
		}
		return &expr.Rows{Node: &plan.Take{From: r.Node, N: n}, Cols: r.Cols}
	case *syntax.Count:
		agg := plan.Agg{ID: b.NewID(), Op: operator.CountOp, T: schema.Long}
		node := &plan.Aggregate{From: r.Node, Aggs: []plan.Agg{agg}}
		name := "Count"
		if op.As != nil {
			name = op.As.Name
		}
		return &expr.Rows{Node: node, Cols: []expr.Column{expr.Fixed(name, &plan.Ref{ID: agg.ID, T: schema.Long, NotNull: true})}}
	case *syntax.Evaluate:
		return b.Evaluate(op)
	case *syntax.MakeSeries:
		return b.MakeSeries(op)
	case *syntax.ParseOp:
		return b.Parse(op)
	case *syntax.ParseKV:
		return b.ParseKV(op)
	case *syntax.MvExpand:
		return b.MvExpand(op)
	case *syntax.MvApply:
		return b.mvApply(op)
	case *syntax.Render:
		if !last {
			b.Fail(op.Span, "render must be the last operator", "")
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
		b.Refuse(at, "operator '"+word+"'")
	}
	return nil
}

func (b *binder) sort(keys []*syntax.Ordered, params []syntax.Param, span syntax.Span) *expr.Rows {
	r := b.Rows
	node := &plan.Sort{From: r.Node}
	for _, p := range params {
		if !strings.HasPrefix(p.Name, "hint.") {
			b.Refuse(span, "the parameter "+p.Name)
		}
	}
	for _, k := range keys {
		x := k.X
		if n, ok := x.(*syntax.Named); ok {
			x = n.X
		}
		bound := b.Scalar(x)
		if bound.Type() == schema.Decimal {
			b.Refuse(x.Pos(), "sorting by a value of type decimal")
			continue
		}
		if bound.Type() == schema.Dynamic {
			b.Fail(x.Pos(), "cannot sort by a value of type dynamic", "convert it: tostring(…)")
			continue
		}
		if c := expr.Constant(bound); c != nil {
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
	return &expr.Rows{Node: node, Cols: r.Cols}
}
