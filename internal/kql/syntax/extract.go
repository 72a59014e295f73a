package syntax

import "github.com/wadi-project/wadi/internal/schema"

// ParseOp is the operator parse or parse-where (Word): Params are kind and flags.
type ParseOp struct {
	Span
	Word   string
	WordAt Span
	Params []Param
	X      Expr
	Parts  []*ParsePart
}

// ParsePart is one part of parse's pattern: exactly one of Star, Text and Name is
// set. Type belongs to Name, "" for none written.
type ParsePart struct {
	Span
	Star bool
	Text *Literal
	Name *Name
	Type string
}

// ParseKV is `parse-kv X as (Columns) with (Properties)`.
type ParseKV struct {
	Span
	WordAt     Span
	X          Expr
	Columns    *RowType
	Properties []Param
}

func (p *parser) parseOp(word string, at Span) Operator {
	o := &ParseOp{Word: word, WordAt: at, Params: p.params("kind", "flags")}
	o.X = p.expr()
	p.keyword("with")
	for !p.ends() {
		part := p.parsePart()
		if part == nil {
			p.unexpected("*, a string or a column's name")
			break
		}
		o.Parts = append(o.Parts, part)
	}
	if len(o.Parts) == 0 {
		p.unexpected("*, a string or a column's name")
	}
	o.Span = p.from(at.Start)
	return o
}

// parsePart reads one part; nil when none begins here.
func (p *parser) parsePart() *ParsePart {
	start := p.tok.span.Start
	part := &ParsePart{}
	switch {
	case p.take("*"):
		part.Star = true
	case p.tok.kind == tokString:
		// One token: parts that stand side by side are not joined.
		t := p.advance()
		part.Text = &Literal{Span: t.span, Type: schema.String, Text: t.value}
	case p.tok.kind == tokWord || p.is("["):
		part.Name = p.name()
		p.declares(part.Name, notDeclared)
		if p.take(":") {
			part.Type = p.typeName().Name
		}
	default:
		return nil
	}
	part.Span = p.from(start)
	return part
}

func (p *parser) parseKV(at Span) Operator {
	o := &ParseKV{WordAt: at, X: p.expr()}
	p.keyword("as")
	o.Columns = p.rowType()
	if p.isWord("with") {
		o.Properties = p.properties()
	}
	o.Span = p.from(at.Start)
	return o
}

// properties reads with (name = value, …).
func (p *parser) properties() []Param {
	var list []Param
	p.keyword("with")
	p.expect("(")
	for !p.is(")") && p.tok.kind != tokEOF {
		list = append(list, p.param())
		if !p.take(",") {
			break
		}
	}
	p.expect(")")
	return list
}

func (w *printer) parseOp(o *ParseOp) {
	w.put(o.Word, " ")
	w.params(o.Params)
	w.expr(o.X)
	w.put(" with")
	for _, part := range o.Parts {
		switch {
		case part.Star:
			w.put(" *")
		case part.Text != nil:
			w.put(" ")
			w.literal(part.Text)
		case part.Name != nil:
			w.put(" ")
			w.name(part.Name.Name)
			if part.Type != "" {
				w.put(":", part.Type)
			}
		}
	}
}

func (w *printer) parseKV(o *ParseKV) {
	w.put("parse-kv ")
	w.expr(o.X)
	w.put(" as ")
	w.rowType(o.Columns)
	w.properties(o.Properties)
}

func (w *printer) properties(list []Param) {
	if len(list) == 0 {
		return
	}
	w.put(" with (")
	for i, param := range list {
		w.comma(i)
		w.param(param)
	}
	w.put(")")
}
