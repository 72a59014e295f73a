package syntax

import (
	"maps"
	"slices"
)

// Func is a function that let names: `(a:long, b:string = "x") { … }`, or with
// View set `view () { … }`. A binder binds Body anew at each use: Let (and
// *QueryParameters) statements, then at most one *Run, the value. Parameters hide
// outer names; the body sees what was let before the function's own let.
type Func struct {
	Span
	View   bool
	Params []*FuncParam
	Body   []Statement
}

// FuncParam is a parameter of a function, of declare query_parameters or a
// declared value of scan. Either Type (a scalar type's name) or Table is set.
type FuncParam struct {
	Span
	Name    *Name
	Type    string
	TypeAt  Span
	Table   *RowType
	Default Expr // nil for none
}

// RowType is the type of a table: (a:long, b:string, *). Rest tells that other
// columns may be there; (*) has no Columns.
type RowType struct {
	Span
	Columns []*ColumnDecl
	Rest    bool
}

// TypeOf is typeof(long) or typeof(a:long, *). Type is "" for a table's type.
type TypeOf struct {
	Span
	Type  string
	Table *RowType
}

// lambdaAhead tells whether the bracket here begins a function: `()` before `{`,
// or `(name:`.
func (p *parser) lambdaAhead() bool {
	if !p.is("(") {
		return false
	}
	next := p.ahead(5)
	switch {
	case next[0].punct(")"):
		return next[1].punct("{")
	case next[0].kind == tokWord:
		return next[1].punct(":")
	case next[0].punct("["):
		return next[1].kind == tokString && next[2].punct("]") && next[3].punct(":")
	}
	return false
}

func (p *parser) function() Expr {
	start := p.tok.span.Start
	f := &Func{}
	if p.isWord("view") {
		p.advance()
		f.View = true
	}
	if !p.enter() {
		return &Star{Span: p.nothing()}
	}
	defer p.leave()
	f.Params = p.funcParams()
	open := p.tok.span
	p.expect("{")
	for !p.is("}") && p.tok.kind != tokEOF {
		if p.is(";") {
			p.unexpected("a statement")
			p.advance()
			continue
		}
		s := p.statement()
		f.Body = append(f.Body, s)
		if _, ok := s.(*Run); ok && p.take(";") && !p.is("}") {
			p.unexpected("'}'")
			p.skipTo()
			break
		}
		if !p.is("}") && !p.is(";") && p.tok.kind != tokEOF {
			p.unexpected("';' or '}'")
			p.skipTo(";")
			if p.is(")") || p.is("]") {
				p.advance() // nothing opened it
			}
		}
		p.take(";")
	}
	p.expectClose("}", open)
	f.Span = p.from(start)
	return f
}

// funcParams reads (name:type = default, …).
func (p *parser) funcParams() []*FuncParam {
	var params []*FuncParam
	p.expect("(")
	for !p.is(")") && p.tok.kind != tokEOF {
		start := p.tok.span.Start
		f := &FuncParam{Name: p.name()}
		p.declares(f.Name, notDeclared)
		p.expect(":")
		if p.is("(") {
			f.Table = p.rowType()
		} else {
			typ := p.typeName()
			f.Type, f.TypeAt = typ.Name, typ.Span
		}
		if p.take("=") {
			f.Default = p.unary()
		}
		f.Span = p.from(start)
		params = append(params, f)
		if !p.take(",") {
			break
		}
	}
	p.expect(")")
	return params
}

// rowType reads (name:type, …, *).
func (p *parser) rowType() *RowType {
	start := p.tok.span.Start
	t := &RowType{}
	p.expect("(")
	p.rowTypeColumns(t)
	p.expectClose(")", Span{start, start + 1})
	t.Span = p.from(start)
	return t
}

func (p *parser) rowTypeColumns(t *RowType) {
	for !p.is(")") && p.tok.kind != tokEOF {
		if p.take("*") {
			t.Rest = true
		} else {
			t.Columns = append(t.Columns, p.columnDecl())
		}
		if !p.take(",") {
			return
		}
	}
}

// columnDecl reads name:type.
func (p *parser) columnDecl() *ColumnDecl {
	start := p.tok.span.Start
	name := p.name()
	p.declares(name, notDeclared)
	c := &ColumnDecl{Name: name.Name}
	p.expect(":")
	typ := p.typeName()
	c.Type, c.TypeAt, c.Span = typ.Name, typ.Span, p.from(start)
	return c
}

// typeName reads the name of a type.
func (p *parser) typeName() *Name {
	t := p.tok
	if t.kind != tokWord {
		p.unexpected("a type")
		return &Name{Span: p.nothing()}
	}
	p.advance()
	if !typeNames[t.text] {
		hint := ""
		if n := Nearest(t.text, slices.Sorted(maps.Keys(typeNames))); n != "" {
			hint = "did you mean " + n + "?"
		}
		p.report(t.span, "there is no type '"+shorten(t.text)+"'", hint)
	}
	return &Name{Span: t.span, Name: t.text}
}

// typeNames are the types as declarations may write them.
var typeNames = map[string]bool{
	"bool": true, "boolean": true, "int": true, "long": true, "int64": true, "real": true, "double": true, "decimal": true, "string": true,
	"datetime": true, "date": true, "timespan": true, "time": true, "guid": true, "uniqueid": true, "dynamic": true,
}

// typeOf reads what follows the word typeof.
func (p *parser) typeOf(start int) *TypeOf {
	t := &TypeOf{}
	p.expect("(")
	inner := p.tok.span.Start
	if p.is("*") || p.ahead(1)[0].punct(":") || p.is("[") {
		t.Table = &RowType{}
		p.rowTypeColumns(t.Table)
		t.Table.Span = p.from(inner)
	} else {
		t.Type = p.typeName().Name
	}
	p.expect(")")
	t.Span = p.from(start)
	return t
}

func (w *printer) function(f *Func) {
	if f.View {
		w.put("view ")
	}
	w.funcParams(f.Params)
	w.put(" {\n")
	for i, s := range f.Body {
		if i > 0 {
			w.put(";\n")
		}
		w.statement(s)
	}
	w.put("\n}")
}

func (w *printer) funcParams(params []*FuncParam) {
	w.put("(")
	for i, f := range params {
		w.comma(i)
		w.name(f.Name.Name)
		w.put(":", f.Type)
		if f.Table != nil {
			w.rowType(f.Table)
		}
		if f.Default != nil {
			w.put(" = ")
			w.expr(f.Default)
		}
	}
	w.put(")")
}

func (w *printer) rowType(t *RowType) {
	w.put("(")
	for i, c := range t.Columns {
		w.comma(i)
		w.columnDecl(c)
	}
	if t.Rest {
		w.comma(len(t.Columns))
		w.put("*")
	}
	w.put(")")
}

func (w *printer) columnDecl(c *ColumnDecl) {
	w.name(c.Name)
	w.put(":", c.Type)
}

func (w *printer) columnDecls(columns []*ColumnDecl) {
	w.put("(")
	for i, c := range columns {
		w.comma(i)
		w.columnDecl(c)
	}
	w.put(")")
}

func (w *printer) typeOf(t *TypeOf) {
	w.put("typeof")
	if t.Table != nil {
		w.rowType(t.Table)
		return
	}
	w.put("(", t.Type, ")")
}
