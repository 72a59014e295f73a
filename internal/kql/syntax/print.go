package syntax

import (
	"strings"

	"github.com/wadi-project/wadi/internal/schema"
)

// Print writes a query as text that parses to the same tree.
func Print(q *Query) string {
	var w printer
	for i, s := range q.Statements {
		if i > 0 {
			w.put(";\n")
		}
		w.statement(s)
	}
	return w.String()
}

// PrintExpr writes one expression.
func PrintExpr(x Expr) string {
	var w printer
	w.expr(x)
	return w.String()
}

type printer struct{ strings.Builder }

func (w *printer) put(parts ...string) {
	for _, s := range parts {
		w.WriteString(s)
	}
}

// tokens prints tokens as they were, on lines of their own where one of them is
// followed by a comment's begin; a blank between all keeps them apart.
func (w *printer) tokens(tokens []string) {
	for _, t := range tokens {
		w.put(" ", t)
	}
}

func (w *printer) statement(s Statement) {
	switch s := s.(type) {
	case *Let:
		w.put("let ")
		w.name(s.Name.Name)
		w.put(" = ")
		w.expr(s.Value)
	case *Set:
		w.put("set ")
		w.name(s.Name)
		if s.Value != nil {
			w.put(" = ")
			w.expr(s.Value)
		}
	case *Run:
		w.expr(s.X)
	default:
		w.declaration(s)
	}
}

// plainName tells whether a name reads as a name without brackets anywhere.
func plainName(name string) bool {
	for i, r := range name {
		if i == 0 && !isWordStart(r) || i > 0 && !isWordPart(r) {
			return false
		}
	}
	_, typed := typedLiterals[name]
	return name != "" && !typed && !reserved[name] && !notDeclared[name] && !notReferred[name]
}

// reserved are words that a name in brackets must not be printed as beyond those
// of notDeclared and notReferred, because somewhere they begin something else.
var reserved = map[string]bool{
	"matches": true, "nulls": true, "true": true, "false": true, "True": true, "False": true, "TRUE": true, "FALSE": true,
	"typeof": true, "range": true, "evaluate": true, "let": true, "declare": true, "alias": true, "restrict": true, "access": true,
	"with": true, "hint": true, "view": true, "h": true, "H": true, "from": true, "step": true, "on": true, "limit": true, "default": true,
	"optional": true, "output": true, "order": true, "partition": true, "top": true, "select": true, "SELECT": true,
}

func (w *printer) name(name string) {
	if plainName(name) {
		w.put(name)
		return
	}
	w.put("[", Quote(name), "]")
}

func (w *printer) list(items []Expr) {
	for i, x := range items {
		w.comma(i)
		w.expr(x)
	}
}

// comma separates item i of a list from the one before.
func (w *printer) comma(i int) {
	if i > 0 {
		w.put(", ")
	}
}

func (w *printer) expr(x Expr) {
	switch x := x.(type) {
	case *Name:
		w.name(x.Name)
	case *Pattern:
		w.put(x.Pattern)
	case *Star:
		w.put("*")
	case *Literal:
		w.literal(x)
	case *Paren:
		w.put("(")
		w.expr(x.X)
		w.put(")")
	case *Unary:
		w.put(x.Op)
		w.expr(x.X)
	case *Binary:
		w.expr(x.L)
		w.put(" ", x.Op, " ")
		w.expr(x.R)
	case *List:
		w.put("(")
		w.list(x.Items)
		w.put(")")
	case *Range:
		w.put("(")
		w.expr(x.Lo)
		w.put(" .. ")
		w.expr(x.Hi)
		w.put(")")
	case *Member:
		w.expr(x.X)
		w.put(".")
		w.member(x.Name)
	case *Index:
		w.expr(x.X)
		w.put("[")
		w.expr(x.I)
		w.put("]")
	case *Call:
		w.call(x)
	case *Named:
		w.named(x)
	default:
		w.source(x)
	}
}

// member prints a name behind a dot, where brackets would be an index.
func (w *printer) member(name string) { w.put(name) }

func (w *printer) call(x *Call) {
	args := x.Args
	if strings.HasPrefix(x.Name, ".") {
		w.expr(args[0])
		args = args[1:]
	}
	w.put(x.Name, "(")
	w.list(args)
	w.put(")")
}

func (w *printer) named(x *Named) {
	if x.Tuple {
		w.put("(")
	}
	for i, n := range x.Names {
		if i > 0 {
			w.put(", ")
		}
		w.name(n.Name)
	}
	if x.Tuple {
		w.put(")")
	}
	w.put(" = ")
	w.expr(x.X)
}

func (w *printer) literal(x *Literal) {
	switch {
	case x.Typed:
		w.put(x.Type.String(), "(", x.Text, ")")
	case x.Type == schema.String:
		w.put(Quote(x.Text))
	default:
		w.put(x.Text)
	}
}

func (w *printer) source(x Expr) {
	switch x := x.(type) {
	case *Datatable:
		w.put("datatable")
		w.columnDecls(x.Columns)
		w.put("[")
		w.list(x.Values)
		w.put("]")
	case *Pipe:
		if x.Source != nil {
			w.expr(x.Source)
		}
		for _, op := range x.Ops {
			w.put("\n| ")
			w.operator(op)
		}
	case *Func:
		w.function(x)
	case *TypeOf:
		w.typeOf(x)
	case *RangeRows:
		w.rangeRows(x)
	case *Find:
		w.find(x)
	case *ExternalData:
		w.externalData(x)
	case *ColumnDecl:
		w.columnDecl(x)
	default:
		w.operator(x)
	}
}

func (w *printer) operator(op Operator) {
	switch op := op.(type) {
	case *Where:
		w.put(op.Word, " ")
		w.expr(op.Pred)
	case *Columns:
		w.put(op.Word, " ")
		w.params(op.Params)
		for i, x := range op.Items {
			if i > 0 {
				w.put(", ")
			}
			if o, ok := x.(*Ordered); ok {
				w.expr(o.X)
				w.put(" ", o.Order)
			} else {
				w.expr(x)
			}
		}
	case *Summarize:
		w.put("summarize ")
		w.params(op.Params)
		w.list(op.Aggs)
		if op.HasBy {
			w.put(" by ")
			w.list(op.By)
		}
	case *Sort:
		w.put(op.Word, " ")
		w.params(op.Params)
		w.put("by ")
		w.keys(op.Keys)
	case *Top:
		w.put("top ")
		w.params(op.Params)
		w.expr(op.N)
		w.put(" by ")
		w.keys(op.Keys)
	case *Take:
		w.put(op.Word, " ")
		w.expr(op.N)
	case *Count:
		w.put("count")
		if op.As != nil {
			w.put(" as ")
			w.name(op.As.Name)
		}
	case *Render:
		w.render(op)
	case *As:
		w.put("as ")
		w.params(op.Params)
		w.name(op.Name.Name)
	case *Opaque:
		w.put(op.Word)
		w.tokens(op.Tokens)
	default:
		w.rowsOperator(op)
	}
}

// rowsOperator prints what the parser's method of that name reads.
func (w *printer) rowsOperator(op Operator) {
	switch op := op.(type) {
	case *Join:
		w.join(op)
	case *Union:
		w.union(op)
	case *Search:
		w.search(op)
	case *ParseOp:
		w.parseOp(op)
	case *ParseKV:
		w.parseKV(op)
	case *MvExpand:
		w.put(op.Word, " ")
		w.params(op.Params)
		w.mvItems(op.Items, op.Limit)
	case *MvApply:
		w.put(op.Word, " ")
		w.params(op.Params)
		w.mvItems(op.Items, op.Limit)
		w.put(" on ")
		w.subquery(op.Sub)
	case *MakeSeries:
		w.makeSeries(op)
	case *Evaluate:
		w.evaluate(op)
	case *Invoke:
		w.put("invoke ")
		w.call(op.Call)
	case *GetSchema:
		w.put("getschema")
	case *Consume:
		w.put("consume ")
		w.params(op.Params)
	case *AssertSchema:
		w.put("assert-schema ")
		w.rowType(op.Schema)
	case *Scan:
		w.scanOperator(op)
	default:
		w.nestedOperator(op)
	}
}

func (w *printer) params(params []Param) {
	for _, p := range params {
		w.param(p)
		w.put(" ")
	}
}

func (w *printer) param(p Param) {
	w.put(p.Name, "=")
	if p.Value != nil {
		w.expr(p.Value)
	}
}

func (w *printer) keys(keys []*Ordered) {
	for i, k := range keys {
		if i > 0 {
			w.put(", ")
		}
		w.expr(k.X)
		if k.Order != "" {
			w.put(" ", k.Order)
		}
		if k.Nulls != "" {
			w.put(" nulls ", k.Nulls)
		}
	}
}

func (w *printer) render(r *Render) {
	w.put("render ", r.Kind)
	if len(r.Properties) == 0 {
		return
	}
	w.put(" with (")
	for i, p := range r.Properties {
		if i > 0 {
			w.put(", ")
		}
		w.put(p.Name, "=")
		if p.Quoted {
			w.put(Quote(p.Value))
		} else {
			w.put(p.Value)
		}
	}
	w.put(")")
}
