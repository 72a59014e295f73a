package syntax

// Evaluate is evaluate, an operator or (without rows before it) a source. Schema
// is the declared result `: (a:long, *)`, nil for none.
type Evaluate struct {
	Span
	WordAt Span
	Params []Param
	Call   *Call
	Schema *RowType
}

// Invoke is `invoke f(args)`: f gets the rows as its first argument.
type Invoke struct {
	Span
	WordAt Span
	Call   *Call
}

// GetSchema is getschema.
type GetSchema struct{ Span }

// Consume is consume.
type Consume struct {
	Span
	WordAt Span
	Params []Param
}

// AssertSchema is `assert-schema (a:long, *)`.
type AssertSchema struct {
	Span
	WordAt Span
	Schema *RowType
}

// ExternalData is `externaldata (Columns) [URIs] with (Properties)`.
type ExternalData struct {
	Span
	WordAt     Span
	Columns    []*ColumnDecl
	URIs       []Expr
	Properties []Param
}

// callHere reads a call that must be there: a plugin or a function.
func (p *parser) callHere() *Call {
	at := p.tok.span
	x := p.postfix()
	if c, ok := x.(*Call); ok {
		return c
	}
	if n, ok := x.(*Name); ok && n.Name != "" {
		p.unexpected("'(' with the arguments")
		return &Call{Span: n.Span, Name: n.Name, NameAt: n.Span}
	}
	if !p.panicking {
		p.report(p.from(at.Start), "a call is expected here: name(…)", "")
		p.panicking = true
	}
	return &Call{Span: p.from(at.Start), NameAt: p.nothing()}
}

func (p *parser) evaluate(at Span) Operator {
	e := &Evaluate{WordAt: at, Params: p.params()}
	e.Call = p.callHere()
	if p.take(":") {
		e.Schema = p.rowType()
	}
	e.Span = p.from(at.Start)
	return e
}

func (p *parser) invoke(at Span) Operator {
	call := p.callHere()
	return &Invoke{Span: p.from(at.Start), WordAt: at, Call: call}
}

func (p *parser) externalData(at Span) Expr {
	e := &ExternalData{WordAt: at}
	t := p.rowType()
	e.Columns = t.Columns
	open := p.tok.span
	if !p.expect("[") {
		p.skipTo("|", ";")
		e.Span = p.from(at.Start)
		return e
	}
	for !p.is("]") && p.tok.kind != tokEOF {
		e.URIs = append(e.URIs, p.expr())
		if !p.take(",") {
			break
		}
	}
	p.expectClose("]", open)
	if p.isWord("with") {
		e.Properties = p.properties()
	}
	e.Span = p.from(at.Start)
	return e
}

func (w *printer) evaluate(e *Evaluate) {
	w.put("evaluate ")
	w.params(e.Params)
	w.call(e.Call)
	if e.Schema != nil {
		w.put(" : ")
		w.rowType(e.Schema)
	}
}

func (w *printer) externalData(e *ExternalData) {
	w.put("externaldata ")
	w.columnDecls(e.Columns)
	w.put(" [")
	w.list(e.URIs)
	w.put("]")
	w.properties(e.Properties)
}
