package syntax

// Join is join or lookup. Params are kind and hint.*; Right is the bracketed
// pipeline (*Paren) or a table's name or call. On holds what follows on: a *Name
// means that the key has one name on both sides, `$left.a == $right.b` is a
// *Binary over *Member of the *Name "$left" or "$right"; an `and` of conditions
// stays one expression.
type Join struct {
	Span
	Word   string
	WordAt Span
	Params []Param
	Right  Expr
	On     []Expr
}

func (p *parser) join(word string, at Span) Operator {
	j := &Join{Word: word, WordAt: at, Params: p.params("kind", "isfuzzy")}
	if p.isWord("on") && !p.ahead(1)[0].punct("(") {
		p.unexpected("a table or a query in brackets")
	} else {
		j.Right = p.input()
	}
	if p.isWord("on") {
		p.advance()
		j.On = p.exprs()
	} else if hint := p.hint("'on'"); hint != "" {
		p.hinted("'on'", hint)
	} else {
		p.hinted("'on'", word+" needs the columns that must be equal: on a, or on $left.a == $right.b")
	}
	j.Span = p.from(at.Start)
	return j
}

// exprs reads expressions with commas between.
func (p *parser) exprs() []Expr {
	var list []Expr
	for {
		list = append(list, p.named())
		if !p.take(",") {
			return list
		}
	}
}

func (w *printer) join(j *Join) {
	w.put(j.Word, " ")
	w.params(j.Params)
	if j.Right != nil {
		w.expr(j.Right)
	}
	if len(j.On) > 0 {
		w.put(" on ")
		w.list(j.On)
	}
}
