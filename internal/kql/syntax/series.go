package syntax

// MakeSeries is make-series. On may be a *Named. From and To are nil when
// not written; InRange tells the old form `on x in range(from, to, step)`.
type MakeSeries struct {
	Span
	WordAt         Span
	Params         []Param
	Aggs           []*SeriesAgg
	On             Expr
	From, To, Step Expr
	InRange        bool
	By             []Expr
	HasBy          bool
}

// SeriesAgg is one aggregate (a *Named with a name of its own) and the value of
// empty bins, nil for none written.
type SeriesAgg struct {
	Span
	X       Expr
	Default Expr
}

func (p *parser) makeSeries(at Span) Operator {
	m := &MakeSeries{WordAt: at, Params: p.params("kind")}
	for {
		start := p.tok.span.Start
		a := &SeriesAgg{X: p.named()}
		if p.isWord("default") {
			p.advance()
			p.assign()
			a.Default = p.expr()
		}
		a.Span = p.from(start)
		m.Aggs = append(m.Aggs, a)
		if !p.take(",") {
			break
		}
	}
	if !p.keyword("on") {
		p.skipTo("|", ";")
		m.On = &Star{Span: p.nothing()}
		m.Span = p.from(at.Start)
		return m
	}
	m.On = p.seriesAxis()
	if p.isWord("in") {
		p.advance()
		p.keyword("range")
		m.InRange = true
		p.expect("(")
		m.From = p.expr()
		p.expect(",")
		m.To = p.expr()
		p.expect(",")
		m.Step = p.expr()
		p.expect(")")
	} else {
		p.seriesBounds(m)
	}
	if p.isWord("by") {
		p.advance()
		m.HasBy = true
		m.By = p.exprs()
	}
	m.Span = p.from(at.Start)
	return m
}

// seriesAxis reads the expression behind on, which ends before in.
func (p *parser) seriesAxis() Expr {
	start := p.tok.span.Start
	if p.tok.kind == tokWord && p.ahead(1)[0].punct("=") {
		name := p.name()
		p.advance()
		x := p.binary(aboveIn)
		return &Named{Span: p.from(start), Names: []*Name{name}, X: x}
	}
	return p.binary(aboveIn)
}

func (p *parser) seriesBounds(m *MakeSeries) {
	if p.isWord("from") {
		p.advance()
		m.From = p.expr()
	}
	if p.isWord("to") {
		p.advance()
		m.To = p.expr()
	}
	p.keyword("step")
	m.Step = p.expr()
}

func (w *printer) makeSeries(m *MakeSeries) {
	w.put("make-series ")
	w.params(m.Params)
	for i, a := range m.Aggs {
		w.comma(i)
		w.expr(a.X)
		if a.Default != nil {
			w.put(" default = ")
			w.expr(a.Default)
		}
	}
	w.put(" on ")
	w.expr(m.On)
	if m.InRange {
		w.put(" in range(")
		w.list([]Expr{m.From, m.To, m.Step})
		w.put(")")
	} else {
		w.clause(" from ", m.From)
		w.clause(" to ", m.To)
		w.clause(" step ", m.Step)
	}
	if m.HasBy {
		w.put(" by ")
		w.list(m.By)
	}
}

// clause prints a word and an expression, nothing for nil.
func (w *printer) clause(word string, x Expr) {
	if x != nil {
		w.put(word)
		w.expr(x)
	}
}
