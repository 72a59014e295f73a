package syntax

// MvExpand is mv-expand. Params are bagexpansion or kind (array, bag),
// with_itemindex and hint.*.
type MvExpand struct {
	Span
	Word   string
	WordAt Span
	Params []Param
	Items  []*MvItem
	Limit  Expr // nil for none
}

// MvItem is what is expanded: a *Named has a column's name of its own. Type is nil
// without `to typeof(…)`.
type MvItem struct {
	Span
	X    Expr
	Type *TypeOf
}

// MvApply is mv-apply: Sub runs over the rows that each row's items give; its
// Source is nil.
type MvApply struct {
	Span
	Word   string
	WordAt Span
	Params []Param
	Items  []*MvItem
	Limit  Expr
	Sub    *Pipe
}

// mvParams are the names that are parameters in front of mv-expand's items.
var mvParams = []string{"bagexpansion", "kind", "with_itemindex"}

func (p *parser) mvExpand(word string, at Span) Operator {
	m := &MvExpand{Word: word, WordAt: at, Params: p.params(mvParams...)}
	m.Items, m.Limit = p.mvItems()
	m.Span = p.from(at.Start)
	return m
}

func (p *parser) mvApply(word string, at Span) Operator {
	m := &MvApply{Word: word, WordAt: at, Params: p.params(mvParams...)}
	m.Items, m.Limit = p.mvItems()
	p.keyword("on")
	m.Sub = p.subquery()
	m.Span = p.from(at.Start)
	return m
}

func (p *parser) mvItems() (items []*MvItem, limit Expr) {
	for {
		start := p.tok.span.Start
		m := &MvItem{X: p.named()}
		if p.isWord("to") {
			p.advance()
			at := p.tok.span.Start
			p.keyword("typeof")
			m.Type = p.typeOf(at)
		}
		m.Span = p.from(start)
		items = append(items, m)
		if !p.take(",") {
			break
		}
	}
	if p.isWord("limit") {
		p.advance()
		limit = p.expr()
	}
	return items, limit
}

// subquery reads ( operator | operator … ), a pipeline whose source is given by
// the operator around it.
func (p *parser) subquery() *Pipe {
	pipe := &Pipe{Span: p.nothing()}
	if !p.enter() {
		return pipe
	}
	defer p.leave()
	open := p.tok.span
	if !p.expect("(") {
		return pipe
	}
	start := p.tok.span.Start
	pipe.Ops = append(pipe.Ops, p.operator())
	p.operators(pipe)
	pipe.Span = p.from(start)
	p.expectClose(")", open)
	return pipe
}

func (w *printer) mvItems(items []*MvItem, limit Expr) {
	for i, m := range items {
		w.comma(i)
		w.expr(m.X)
		if m.Type != nil {
			w.put(" to ")
			w.typeOf(m.Type)
		}
	}
	if limit != nil {
		w.put(" limit ")
		w.expr(limit)
	}
}

func (w *printer) subquery(pipe *Pipe) {
	w.put("(")
	for i, op := range pipe.Ops {
		if i > 0 {
			w.put("\n| ")
		}
		w.operator(op)
	}
	w.put(")")
}
