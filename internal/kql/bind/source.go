package bind

import (
	"fmt"
	"path"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// tabular binds something that gives rows; nil after an error. It sees no columns
// of what is around it.
func (b *binder) tabular(x syntax.Expr) *expr.Rows {
	const deepest = 64 // lets within lets; each use is bound anew
	if b.depth++; b.depth > deepest {
		b.Fail(x.Pos(), "the query nests too many tables", "")
		return nil
	}
	savedRows, savedAggregates := b.Rows, b.Aggregates
	b.Rows, b.Aggregates = nil, nil
	defer func() {
		b.depth--
		b.Rows, b.Aggregates = savedRows, savedAggregates
	}()
	switch x := x.(type) {
	case *syntax.Paren:
		return b.tabular(x.X)
	case *syntax.Pipe:
		return b.pipe(x)
	case *syntax.Name:
		return b.namedRows(x)
	case *syntax.Datatable:
		return b.Datatable(x)
	case *syntax.RangeRows:
		r := b.rangeRows(x)
		if r != nil {
			r.Ordered = true
		}
		return r
	case *syntax.Union:
		return b.union(x, false)
	case *syntax.Search:
		return b.search(x, false)
	case *syntax.Columns: // print
		return b.Print(x)
	case *syntax.Call:
		return b.calledRows(x)
	case *syntax.Member:
		if c, outside := outsideCall(x.X); outside {
			return b.outside(c)
		}
	case *syntax.ExternalData:
		b.Fail(x.WordAt, "externaldata reads from outside the lake, which a question can't", "write the values in a datatable")
		return nil
	}
	if word, at := syntax.OperatorWord(x); word != "" {
		b.Refuse(at, "the operator '"+word+"'")
		return nil
	}
	b.Fail(x.Pos(), "a table is expected here", "begin with a table, such as SecurityEvent | take 10")
	return nil
}

// Input binds a table in a join, a union or a call.
func (b *binder) Input(x syntax.Expr) *expr.Rows {
	if !b.countOperator(x.Pos()) {
		return nil
	}
	return b.tabular(x)
}

// countOperator keeps the bound of operators.
func (b *binder) countOperator(at syntax.Span) bool {
	if b.steps++; b.steps > maxOperators {
		b.Fail(at, fmt.Sprintf("the query has more than %d operators", maxOperators), "")
		return false
	}
	return true
}

func (b *binder) namedRows(x *syntax.Name) *expr.Rows {
	if l := b.scope.find(x.Name); l != nil {
		switch {
		case l.fn != nil && l.table:
			return b.callRows(&syntax.Call{Span: x.Span, Name: x.Name, NameAt: x.Span}, l, nil)
		case l.tabular():
			return b.letRows(l)
		}
		b.Fail(x.Span, x.Name+" is a value, not a table", "")
		return nil
	}
	s := b.env.Tables(x.Name)
	if s.Table == nil && s.View == nil {
		hint := ""
		names := b.scope.names()
		if b.env.Names != nil {
			names = append(names, b.env.Names()...)
		}
		if n := syntax.Nearest(x.Name, names); n != "" {
			hint = "did you mean " + n + "?"
		}
		b.Fail(x.Span, "there is no table '"+x.Name+"'", hint)
		return nil
	}
	return b.table(s)
}

// calledRows binds a call that gives rows.
func (b *binder) calledRows(x *syntax.Call) *expr.Rows {
	if l := b.scope.find(x.Name); l != nil {
		if l.fn != nil && l.table {
			return b.callRows(x, l, nil)
		}
		b.Fail(x.NameAt, x.Name+"() gives no table", "")
		return nil
	}
	switch x.Name {
	case "materialize":
		if !b.Count(x, 1, 1) {
			return nil
		}
		return b.tabular(x.Args[0])
	case "table":
		return b.tableNamed(x)
	}
	if c, outside := outsideCall(x); outside {
		return b.outside(c)
	}
	b.Fail(x.NameAt, "there is no function "+x.Name+"() that gives a table", "")
	return nil
}

// tableNamed binds table("name"), whose name must be known now.
func (b *binder) tableNamed(x *syntax.Call) *expr.Rows {
	if !b.Count(x, 1, 2) {
		return nil
	}
	name, ok := expr.ConstText(b.Scalar(x.Args[0]))
	if !ok {
		if len(b.Diags) == 0 {
			b.Refuse(x.Args[0].Pos(), "table() of a name that is not a constant")
		}
		return nil
	}
	return b.namedRows(&syntax.Name{Span: x.Args[0].Pos(), Name: name})
}

// outsides are the functions that lead out of the lake, and what they lead to.
var outsides = map[string]string{
	"workspace": "another workspace", "cluster": "another cluster", "database": "another database", "app": "another application",
	"arg": "Azure Resource Graph", "adx": "another cluster", "external_table": "a table outside the lake", "resource": "another workspace",
	"_GetWatchlist": "a watchlist of Sentinel", "_GetWatchlistAlias": "a watchlist of Sentinel", "stored_query_result": "a stored result of another engine",
}

// outsideCall finds the call of one of outsides that an expression begins with.
func outsideCall(x syntax.Expr) (*syntax.Call, bool) {
	switch x := x.(type) {
	case *syntax.Member:
		return outsideCall(x.X)
	case *syntax.Paren:
		return outsideCall(x.X)
	case *syntax.Call:
		if strings.HasPrefix(x.Name, ".") && len(x.Args) > 0 { // cluster("x").database("y")
			return outsideCall(x.Args[0])
		}
		_, ok := outsides[x.Name]
		return x, ok
	}
	return nil, false
}

func (b *binder) outside(c *syntax.Call) *expr.Rows {
	b.Fail(c.NameAt, c.Name+"() reads "+outsides[c.Name]+", and a question reads only the lake", "")
	return nil
}

// letValue gives a name's value.
func (b *binder) letValue(l *let, x *syntax.Name) plan.Expr {
	switch {
	case l.value == nil:
		b.Fail(x.Span, x.Name+" is a table or a function, not a value", "toscalar(…) gives a table's first value")
		return expr.Bad()
	case l.row && l.depth != b.depth:
		b.Fail(x.Span, "the value of "+x.Name+" belongs to a row of another table", "")
		return expr.Bad()
	}
	return l.value
}

// tables lists the names that a pattern means: the views of the lake and those
// that let made.
func (b *binder) tables(pattern string) []string {
	var found []string
	seen := map[string]bool{}
	add := func(name string) {
		if ok, _ := path.Match(pattern, name); ok && !seen[name] {
			seen[name] = true
			found = append(found, name)
		}
	}
	if b.env.Names != nil {
		for _, name := range b.env.Names() {
			if s := b.env.Tables(name); s.View != nil {
				add(name)
			}
		}
	}
	for s := b.scope; s != nil; s = s.outer {
		if s.let.fn != nil && s.let.fn.View && s.let.table {
			add(s.name)
		}
	}
	return found
}

// as names the rows so far, for what comes behind.
func (b *binder) as(op *syntax.As) *expr.Rows {
	r := b.Rows
	if b.mentions(op.Name.Name) < 2 {
		return r
	}
	s := b.share(r)
	b.define(op.Name.Name, &let{shared: s})
	return b.use(s)
}

func (b *binder) invoke(op *syntax.Invoke) *expr.Rows {
	l := b.scope.find(op.Call.Name)
	if l == nil || l.fn == nil {
		b.Fail(op.Call.NameAt, "there is no function "+op.Call.Name+"()", "let it before")
		return nil
	}
	if !l.table {
		b.Fail(op.Call.NameAt, op.Call.Name+"() gives no table", "")
		return nil
	}
	first := b.Rows
	b.Rows = nil
	r := b.callRows(op.Call, l, first)
	b.Rows = first
	return r
}

// clrTypes are the types that getschema names.
var clrTypes = map[schema.Type]string{
	schema.Bool: "System.SByte", schema.Int: "System.Int32", schema.Long: "System.Int64", schema.Real: "System.Double",
	schema.Decimal: "System.Data.SqlTypes.SqlDecimal", schema.String: "System.String", schema.DateTime: "System.DateTime",
	schema.TimeSpan: "System.TimeSpan", schema.Guid: "System.Guid", schema.Dynamic: "System.Object",
}

// getSchema gives the columns of the rows so far as rows.
func (b *binder) getSchema() *expr.Rows {
	node := &plan.Values{}
	out := &expr.Rows{Node: node}
	for _, c := range []struct {
		name string
		typ  schema.Type
	}{{"ColumnName", schema.String}, {"ColumnOrdinal", schema.Long}, {"DataType", schema.String}, {"ColumnType", schema.String}} {
		ref := plan.Ref{ID: b.NewID(), T: c.typ, NotNull: true}
		node.Columns = append(node.Columns, ref)
		out.Cols = append(out.Cols, expr.Fixed(c.name, &ref))
	}
	for i, c := range b.Rows.Visible() {
		node.Rows = append(node.Rows, []*plan.Const{expr.Text(c.Name), {T: schema.Long, V: int64(i)}, expr.Text(clrTypes[c.Typ]), expr.Text(c.Typ.String())})
	}
	return out
}

// rangeRows binds range x from a to b step c.
func (b *binder) rangeRows(x *syntax.RangeRows) *expr.Rows {
	from, to, step := b.Scalar(x.From), b.Scalar(x.To), b.Scalar(x.Step)
	ft, tt, st := from.Type(), to.Type(), step.Type()
	if ft == 0 || tt == 0 || st == 0 {
		return nil
	}
	typ := ft
	switch {
	case expr.IsNumber(ft) && expr.IsNumber(tt) && expr.IsNumber(st):
		typ = schema.Long
		if ft == schema.Real || tt == schema.Real || st == schema.Real {
			typ = schema.Real
		}
		from, to, step = expr.Convert(from, typ), expr.Convert(to, typ), expr.Convert(step, typ)
	case (ft == schema.DateTime || ft == schema.TimeSpan) && tt == ft && st == schema.TimeSpan:
	default:
		b.Fail(x.Span, "range does not go from "+ft.String()+" to "+tt.String()+" in steps of "+st.String(), "")
		return nil
	}
	node := &plan.Range{Col: plan.Ref{ID: b.NewID(), T: typ, NotNull: true}, Start: from, End: to, Step: step}
	if n := node.Rows(); n > plan.MaxRange {
		b.Fail(x.Span, fmt.Sprintf("the range has more than %d rows", plan.MaxRange), "")
		return nil
	}
	return &expr.Rows{Node: node, Cols: []expr.Column{expr.Fixed(x.Name.Name, &node.Col)}}
}
