package syntax

// Sample is `sample N`.
type Sample struct {
	Span
	WordAt Span
	N      Expr
}

// SampleDistinct is `sample-distinct N of X`.
type SampleDistinct struct {
	Span
	WordAt Span
	N, X   Expr
}

// TopHitters is `top-hitters N of X by By`; By is nil for none.
type TopHitters struct {
	Span
	WordAt Span
	N, X   Expr
	By     Expr
}

// TopNested is top-nested.
type TopNested struct {
	Span
	WordAt Span
	Levels []*NestedLevel
}

// NestedLevel is `N of X with others = Others by By`; N and Others may be nil, X
// and By.X may be a *Named.
type NestedLevel struct {
	Span
	N, X   Expr
	Others Expr
	By     *Ordered
}

// Partition is `partition by By (…)`. Sub is a *Pipe without Source for round
// brackets; in braces (Braces) it is a query with its own source.
type Partition struct {
	Span
	WordAt Span
	Params []Param
	By     Expr
	Sub    Expr
	Braces bool
}

// Reduce is `reduce by X with Properties`.
type Reduce struct {
	Span
	WordAt     Span
	Params     []Param
	X          Expr
	Properties []Param
}

// Fork is fork; each branch is a pipeline over the rows before.
type Fork struct {
	Span
	WordAt   Span
	Branches []*ForkBranch
}

// ForkBranch is one branch of fork. Name is nil for none.
type ForkBranch struct {
	Span
	Name *Name
	Sub  *Pipe
}

// Facet is `facet by By with (…)`; Sub is nil for none.
type Facet struct {
	Span
	WordAt Span
	By     []Expr
	Sub    *Pipe
}

// nestedOperator reads an operator of this file.
func (p *parser) nestedOperator(word string, at Span) Operator {
	switch word {
	case "sample":
		n := p.expr()
		return &Sample{Span: p.from(at.Start), WordAt: at, N: n}
	case "sample-distinct":
		s := &SampleDistinct{WordAt: at, N: p.expr()}
		p.keyword("of")
		s.X = p.named()
		s.Span = p.from(at.Start)
		return s
	case "top-hitters":
		t := &TopHitters{WordAt: at, N: p.expr()}
		p.keyword("of")
		t.X = p.named()
		if p.isWord("by") {
			p.advance()
			t.By = p.named()
		}
		t.Span = p.from(at.Start)
		return t
	case "top-nested":
		return p.topNested(at)
	case "partition":
		return p.partition(at)
	case "reduce":
		r := &Reduce{WordAt: at, Params: p.params("kind")}
		p.keyword("by")
		r.X = p.named()
		if p.isWord("with") {
			r.Properties = p.reduceProperties()
		}
		r.Span = p.from(at.Start)
		return r
	case "fork":
		return p.fork(at)
	}
	return p.facet(at)
}

func (p *parser) topNested(at Span) Operator {
	t := &TopNested{WordAt: at}
	for {
		start := p.tok.span.Start
		l := &NestedLevel{}
		if !p.isWord("of") {
			l.N = p.expr()
		}
		p.keyword("of")
		l.X = p.named()
		if p.isWord("with") {
			p.advance()
			p.keyword("others")
			p.expect("=")
			l.Others = p.expr()
		}
		p.keyword("by")
		l.By = p.orderedKey()
		l.Span = p.from(start)
		t.Levels = append(t.Levels, l)
		if !p.take(",") {
			break
		}
		if p.isWord("top-nested") || p.isWord("top") && p.ahead(2)[1].text == "nested" {
			p.operatorWord()
		}
	}
	t.Span = p.from(at.Start)
	return t
}

func (p *parser) partition(at Span) Operator {
	o := &Partition{WordAt: at, Params: p.params()}
	p.keyword("by")
	// A call's brackets would take the subquery: only a path of names stands here.
	o.By = p.path()
	if p.is("{") {
		o.Braces = true
		p.advance()
		o.Sub = p.pipeline()
		p.expect("}")
	} else {
		o.Sub = p.subquery()
	}
	o.Span = p.from(at.Start)
	return o
}

// path reads a.b.c.
func (p *parser) path() Expr {
	start := p.tok.span.Start
	var x Expr = p.name()
	for p.take(".") {
		name := p.name().Name
		x = &Member{Span: p.from(start), X: x, Name: name}
	}
	return x
}

// reduceProperties reads with threshold=0.1, characters='…', without brackets.
func (p *parser) reduceProperties() []Param {
	if p.ahead(1)[0].punct("(") {
		return p.properties()
	}
	var list []Param
	p.keyword("with")
	for {
		list = append(list, p.param())
		if !p.take(",") {
			return list
		}
	}
}

func (p *parser) fork(at Span) Operator {
	f := &Fork{WordAt: at}
	for p.is("(") || p.tok.kind == tokWord || p.is("[") {
		start := p.tok.span.Start
		b := &ForkBranch{}
		if !p.is("(") {
			b.Name = p.name()
			p.expect("=")
		}
		b.Sub = p.subquery()
		b.Span = p.from(start)
		f.Branches = append(f.Branches, b)
	}
	if len(f.Branches) == 0 {
		p.unexpected("'(' with a query")
	}
	f.Span = p.from(at.Start)
	return f
}

func (p *parser) facet(at Span) Operator {
	f := &Facet{WordAt: at}
	p.keyword("by")
	f.By = p.exprs()
	if p.isWord("with") {
		p.advance()
		f.Sub = p.subquery()
	}
	f.Span = p.from(at.Start)
	return f
}

func (w *printer) nestedOperator(op Operator) {
	switch op := op.(type) {
	case *Sample:
		w.put("sample ")
		w.expr(op.N)
	case *SampleDistinct:
		w.put("sample-distinct ")
		w.expr(op.N)
		w.clause(" of ", op.X)
	case *TopHitters:
		w.put("top-hitters ")
		w.expr(op.N)
		w.clause(" of ", op.X)
		w.clause(" by ", op.By)
	case *TopNested:
		w.put("top-nested ")
		for i, l := range op.Levels {
			w.comma(i)
			w.clause("", l.N)
			w.clause(" of ", l.X)
			w.clause(" with others = ", l.Others)
			w.put(" by ")
			w.keys([]*Ordered{l.By})
		}
	case *Partition:
		w.partition(op)
	case *Reduce:
		w.put("reduce ")
		w.params(op.Params)
		w.clause("by ", op.X)
		w.properties(op.Properties)
	case *Fork:
		w.put("fork")
		for _, b := range op.Branches {
			w.put(" ")
			if b.Name != nil {
				w.name(b.Name.Name)
				w.put(" = ")
			}
			w.subquery(b.Sub)
		}
	case *Facet:
		w.put("facet by ")
		w.list(op.By)
		if op.Sub != nil {
			w.put(" with ")
			w.subquery(op.Sub)
		}
	}
}

func (w *printer) partition(op *Partition) {
	w.put("partition ")
	w.params(op.Params)
	w.clause("by ", op.By)
	w.put(" ")
	switch sub, bare := op.Sub.(*Pipe); {
	case op.Braces:
		w.put("{ ")
		w.expr(op.Sub)
		w.put(" }")
	case bare:
		w.subquery(sub)
	}
}
