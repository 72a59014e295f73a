package syntax

import "strings"

// QueryParameters is `declare query_parameters (a:long = 1, …)`.
type QueryParameters struct {
	Span
	Params []*FuncParam
}

// Alias is `alias database Name = Value`.
type Alias struct {
	Span
	Kind  string // database
	Name  *Name
	Value Expr
}

// Restrict is `restrict access to (Items)`.
type Restrict struct {
	Span
	Items []Expr
}

func (p *parser) statement() Statement {
	start := p.tok.span.Start
	switch {
	case p.isWord("let") && p.wordFollows():
		p.advance()
		name := p.name()
		if !notDeclared[name.Name] {
			p.declares(name, notReferred)
		} else {
			p.declares(name, notDeclared)
		}
		p.assign()
		var value Expr
		if p.isWord("view") && p.ahead(1)[0].punct("(") || p.lambdaAhead() {
			value = p.function()
		} else {
			value = p.pipeline()
		}
		return &Let{Span: p.from(start), Name: name, Value: value}
	case p.isWord("set") && p.wordFollows():
		p.advance()
		name := p.name()
		var value Expr
		if p.take("=") {
			value = p.primary()
		}
		return &Set{Span: p.from(start), Name: name.Name, Value: value}
	case p.isWord("declare", "alias", "restrict", "access") && p.wordFollows():
		return p.declaration(start)
	}
	if hint := p.notKQL(); hint != "" {
		p.hinted("a query", hint)
		p.skipTo(";")
		return &Run{Span: p.from(start), X: &Star{Span: p.nothing()}}
	}
	x := p.pipeline()
	return &Run{Span: p.from(start), X: x}
}

// assign takes = and is mild about ==.
func (p *parser) assign() {
	if p.is("==") {
		p.hinted("'='", "= gives a name to a value; == compares")
		p.advance()
		return
	}
	p.expect("=")
}

func (p *parser) declaration(start int) Statement {
	word := p.advance().text
	switch {
	case word == "declare" && p.isWord("query_parameters"):
		p.advance()
		params := p.funcParams()
		return &QueryParameters{Span: p.from(start), Params: params}
	case word == "alias" && p.isWord("database") && p.wordFollows():
		kind := p.advance().text
		a := &Alias{Kind: kind, Name: p.name()}
		p.expect("=")
		a.Value = p.expr()
		a.Span = p.from(start)
		return a
	case word == "restrict" && p.isWord("access"):
		p.advance()
		p.keyword("to")
		p.expect("(")
		r := &Restrict{Items: p.inputs(")")}
		p.expect(")")
		r.Span = p.from(start)
		return r
	}
	tokens := p.tokensUntil(";")
	return &OpaqueStatement{Span: p.from(start), Word: word, Tokens: tokens}
}

func (w *printer) declaration(s Statement) {
	switch s := s.(type) {
	case *QueryParameters:
		w.put("declare query_parameters")
		w.funcParams(s.Params)
	case *Alias:
		w.put("alias ", s.Kind, " ")
		w.name(s.Name.Name)
		w.put(" = ")
		w.expr(s.Value)
	case *Restrict:
		w.put("restrict access to (")
		w.list(s.Items)
		w.put(")")
	case *OpaqueStatement:
		w.put(s.Word, " ", strings.Join(s.Tokens, " "))
	}
}
