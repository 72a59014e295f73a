package syntax

// Scan is scan. Params are kind and with_match_id; Declare are the state's values
// with their defaults.
type Scan struct {
	Span
	WordAt      Span
	Params      []Param
	OrderBy     []*Ordered
	PartitionBy []Expr
	Declare     []*FuncParam
	Steps       []*ScanStep
}

// ScanStep is `step Name optional output=all: Cond => Assign`. Assign are *Named.
type ScanStep struct {
	Span
	Name     *Name
	Optional bool
	Output   string
	Cond     Expr
	Assign   []Expr
}

func (p *parser) scanOperator(at Span) Operator {
	s := &Scan{WordAt: at, Params: p.params("kind", "with_match_id")}
	for {
		switch {
		case p.isWord("order") && s.OrderBy == nil:
			p.advance()
			p.keyword("by")
			s.OrderBy = p.ordered()
			continue
		case p.isWord("partition") && s.PartitionBy == nil:
			p.advance()
			p.keyword("by")
			s.PartitionBy = p.exprs()
			continue
		case p.isWord("declare") && s.Declare == nil:
			p.advance()
			s.Declare = p.funcParams()
			continue
		}
		break
	}
	p.keyword("with")
	p.expect("(")
	for p.isWord("step") {
		s.Steps = append(s.Steps, p.scanStep())
		if !p.expect(";") {
			break
		}
	}
	p.expect(")")
	s.Span = p.from(at.Start)
	return s
}

func (p *parser) scanStep() *ScanStep {
	start := p.advance().span.Start
	s := &ScanStep{Name: p.name()}
	if p.isWord("optional") {
		p.advance()
		s.Optional = true
	}
	if p.isWord("output") {
		p.advance()
		p.expect("=")
		s.Output = p.name().Name
	}
	p.expect(":")
	s.Cond = p.expr()
	if p.take("=>") {
		s.Assign = p.exprs()
	}
	s.Span = p.from(start)
	return s
}

func (w *printer) scanOperator(s *Scan) {
	w.put("scan ")
	w.params(s.Params)
	if len(s.OrderBy) > 0 {
		w.put("order by ")
		w.keys(s.OrderBy)
		w.put(" ")
	}
	if len(s.PartitionBy) > 0 {
		w.put("partition by ")
		w.list(s.PartitionBy)
		w.put(" ")
	}
	if len(s.Declare) > 0 {
		w.put("declare ")
		w.funcParams(s.Declare)
		w.put(" ")
	}
	w.put("with (")
	for _, step := range s.Steps {
		w.put("\n step ")
		w.name(step.Name.Name)
		if step.Optional {
			w.put(" optional")
		}
		if step.Output != "" {
			w.put(" output=", step.Output)
		}
		w.put(": ")
		w.expr(step.Cond)
		if len(step.Assign) > 0 {
			w.put(" => ")
			w.list(step.Assign)
		}
		w.put(";")
	}
	w.put(")")
}
