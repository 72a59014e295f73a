package syntax

// Union is union, a source or an operator. Params are kind, withsource, isfuzzy
// and hint.*; an input is a *Name, a *Pattern (Sec*, or * alone), a *Paren with a
// pipeline, a *Call (a view's or function's) or a *Member (database("x").T).
type Union struct {
	Span
	WordAt Span
	Params []Param
	Inputs []Expr
}

// RangeRows is the source `range Name from From to To step Step`.
type RangeRows struct {
	Span
	WordAt         Span
	Name           *Name
	From, To, Step Expr
}

// Search is search, a source or an operator: Params are kind and hint.*, In the
// tables of `in (…)` as in Union. In Pred a *Literal of type string means a term
// in any column, and a *Binary with Op ":" has in the column at its left.
type Search struct {
	Span
	WordAt Span
	Params []Param
	In     []Expr
	Pred   Expr
}

// Find is the source find. Project items are *Name, *ColumnDecl or *Call
// (pack_all()); Smart tells `project-smart`, Away holds `project-away`'s names.
type Find struct {
	Span
	WordAt  Span
	Params  []Param
	In      []Expr
	Where   bool // the word where was written
	Pred    Expr
	Project []Expr
	Smart   bool
	Away    []Expr
}

// input reads a table: a name or a pattern, a pipeline in brackets, a call.
func (p *parser) input() Expr {
	if p.is("*") || p.tok.kind == tokWord && p.tok.span.End < len(p.text) && p.text[p.tok.span.End] == '*' {
		return p.pattern(false)
	}
	x := p.postfix()
	// database("x").T*: a pattern behind a dot.
	if m, ok := x.(*Member); ok && p.is("*") && p.tok.span.Start == p.prevEnd {
		start := m.Start
		m.Name += p.advance().text
		m.Span = p.from(start)
	}
	return x
}

// inputs reads tables up to the end of the operator, or the bracket end.
func (p *parser) inputs(end string) []Expr {
	var list []Expr
	for !p.is(end) && !p.ends() || len(list) > 0 {
		list = append(list, p.input())
		if !p.take(",") {
			break
		}
	}
	return list
}

func (p *parser) union(at Span) Operator {
	u := &Union{WordAt: at, Params: p.params("kind", "withsource", "with_source", "isfuzzy")}
	u.Inputs = p.inputs("")
	if len(u.Inputs) == 0 {
		p.unexpected("a table")
	}
	u.Span = p.from(at.Start)
	return u
}

func (p *parser) rangeRows() Expr {
	at := p.advance().span
	r := &RangeRows{WordAt: at, Name: p.name()}
	p.keyword("from")
	r.From = p.expr()
	p.keyword("to")
	r.To = p.expr()
	p.keyword("step")
	r.Step = p.expr()
	r.Span = p.from(at.Start)
	return r
}

func (p *parser) search(at Span) Operator {
	s := &Search{WordAt: at, Params: p.params("kind", "withsource")}
	if p.isWord("in") {
		p.advance()
		p.expect("(")
		s.In = p.inputs(")")
		p.expect(")")
	}
	s.Pred = p.searchPred()
	s.Span = p.from(at.Start)
	return s
}

// searchPred reads an expression in which a colon is an operator.
func (p *parser) searchPred() Expr {
	saved := p.colon
	p.colon = true
	x := p.expr()
	p.colon = saved
	return x
}

func (p *parser) find(at Span) Operator {
	f := &Find{WordAt: at, Params: p.params("withsource", "datascope", "kind")}
	if p.isWord("in") {
		p.advance()
		p.expect("(")
		f.In = p.inputs(")")
		p.expect(")")
	}
	if p.isWord("where") {
		p.advance()
		f.Where = true
	}
	f.Pred = p.searchPred()
	for p.isWord("project") {
		word, _ := p.operatorWord()
		switch word {
		case "project-smart":
			f.Smart = true
		case "project-away":
			f.Away = p.columnPatterns()
		default:
			f.Project = p.findColumns()
		}
	}
	f.Span = p.from(at.Start)
	return f
}

func (p *parser) columnPatterns() []Expr {
	var list []Expr
	for {
		list = append(list, p.pattern(false))
		if !p.take(",") {
			return list
		}
	}
}

func (p *parser) findColumns() []Expr {
	var list []Expr
	for {
		if p.tok.kind == tokWord && p.ahead(1)[0].punct(":") {
			list = append(list, p.columnDecl())
		} else {
			list = append(list, p.named())
		}
		if !p.take(",") {
			return list
		}
	}
}

// sourceAhead tells whether a source begins here that has a word of its own; each
// needs the right thing behind it, or it is a table's or a column's name.
func (p *parser) sourceAhead() bool {
	switch p.tok.text {
	case "print":
		return true
	case "union", "search", "range", "find", "evaluate":
	default:
		return false
	}
	next := p.ahead(2)
	switch p.tok.text {
	case "union", "search":
		return next[0].kind != tokEOF && (next[0].kind != tokPunct || next[0].text == "(" || next[0].text == "*" || next[0].text == "[") && !infixWords[next[0].text]
	case "range":
		return next[0].kind == tokWord && next[1].text == "from" || next[0].punct("[")
	case "find":
		return next[0].kind == tokString || next[0].kind == tokWord && (next[0].text == "in" && next[1].punct("(") || !infixWords[next[0].text])
	}
	return next[0].kind == tokWord && (next[1].punct("(") || next[1].punct("."))
}

// infixWords stand between operands, so that a word before them is a name.
var infixWords = map[string]bool{
	"and": true, "or": true, "between": true, "matches": true, "has": true, "has_any": true, "has_all": true, "contains": true,
	"startswith": true, "endswith": true, "asc": true, "desc": true, "nulls": true, "by": true, "to": true, "on": true,
}

// sourceWord reads a source that sourceAhead saw.
func (p *parser) sourceWord() Expr {
	switch p.tok.text {
	case "print":
		return p.columnsOperator()
	case "range":
		return p.rangeRows()
	}
	t := p.advance()
	switch t.text {
	case "union":
		return p.union(t.span)
	case "search":
		return p.search(t.span)
	case "find":
		return p.find(t.span)
	}
	return p.evaluate(t.span)
}

func (w *printer) union(u *Union) {
	w.put("union ")
	w.params(u.Params)
	w.list(u.Inputs)
}

func (w *printer) rangeRows(r *RangeRows) {
	w.put("range ")
	w.name(r.Name.Name)
	w.put(" from ")
	w.expr(r.From)
	w.put(" to ")
	w.expr(r.To)
	w.put(" step ")
	w.expr(r.Step)
}

func (w *printer) in(tables []Expr) {
	if tables != nil {
		w.put("in (")
		w.list(tables)
		w.put(") ")
	}
}

func (w *printer) search(s *Search) {
	w.put("search ")
	w.params(s.Params)
	w.in(s.In)
	w.expr(s.Pred)
}

func (w *printer) find(f *Find) {
	w.put("find ")
	w.params(f.Params)
	w.in(f.In)
	if f.Where {
		w.put("where ")
	}
	w.expr(f.Pred)
	if len(f.Project) > 0 {
		w.put(" project ")
		w.list(f.Project)
	}
	if f.Smart {
		w.put(" project-smart")
	}
	if len(f.Away) > 0 {
		w.put(" project-away ")
		w.list(f.Away)
	}
}
