package syntax

import (
	"slices"
	"strings"
)

// operatorWord reads the word of an operator; words joined by a hyphen without
// white space are one (project-away).
func (p *parser) operatorWord() (string, Span) {
	if p.tok.kind != tokWord {
		p.noOperator()
		return "", p.nothing()
	}
	start := p.tok.span.Start
	for p.tok.kind == tokWord {
		p.advance()
		if !p.is("-") || p.tok.span.Start != p.prevEnd || p.at >= len(p.text) || !isWordStart(rune(p.text[p.at])) {
			break
		}
		p.advance()
	}
	span := p.from(start)
	return p.text[span.Start:span.End], span
}

// columnsWords are the operators that are a list of columns.
var columnsWords = map[string]bool{
	"project": true, "project-away": true, "project-keep": true, "project-rename": true, "project-reorder": true,
	"extend": true, "distinct": true, "serialize": true, "project-by-names": true,
}

func (p *parser) operator() Operator {
	word, at := p.operatorWord()
	start := at.Start
	switch word {
	case "where", "filter":
		pred := p.expr()
		return &Where{Span: p.from(start), Word: word, Pred: pred}
	case "summarize":
		return p.summarize(start)
	case "sort", "order":
		s := &Sort{Word: word, Params: p.params()}
		p.by()
		s.Keys = p.ordered()
		s.Span = p.from(start)
		return s
	case "top":
		t := &Top{Params: p.params(), N: p.expr()}
		p.by()
		t.Keys = []*Ordered{p.orderedKey()}
		if p.is(",") {
			p.hinted(afterOperator, "top sorts by one value; write sort by … | take …")
			p.skipTo("|", ";")
		}
		t.Span = p.from(start)
		return t
	case "take", "limit":
		n := p.expr()
		return &Take{Span: p.from(start), Word: word, N: n}
	case "count":
		c := &Count{}
		if p.isWord("as") {
			p.advance()
			c.As = p.name()
		}
		c.Span = p.from(start)
		return c
	case "render":
		return p.render(start)
	case "as":
		a := &As{Params: p.params(), Name: p.name()}
		a.Span = p.from(start)
		return a
	}
	if columnsWords[word] {
		return p.columnsList(word, start)
	}
	if op := p.rowsOperator(word, at); op != nil {
		return op
	}
	if word == "" {
		p.skipTo("|", ";")
	} else if !slices.Contains(operatorNames, word) {
		p.unknownOperator(word, at)
	}
	tokens := p.tokensUntil("|", ";")
	return &Opaque{Span: p.from(start), Word: word, WordAt: at, Tokens: tokens}
}

// rowsOperator reads the operators that have a file of their own; nil for others.
func (p *parser) rowsOperator(word string, at Span) Operator {
	switch word {
	case "join", "lookup":
		return p.join(word, at)
	case "union":
		return p.union(at)
	case "search":
		return p.search(at)
	case "parse", "parse-where":
		return p.parseOp(word, at)
	case "parse-kv":
		return p.parseKV(at)
	case "mv-expand", "mvexpand":
		return p.mvExpand(word, at)
	case "mv-apply", "mvapply":
		return p.mvApply(word, at)
	case "make-series":
		return p.makeSeries(at)
	case "evaluate":
		return p.evaluate(at)
	case "invoke":
		return p.invoke(at)
	case "getschema":
		return &GetSchema{Span: at}
	case "consume":
		params := p.params("decodeblocks")
		return &Consume{Span: p.from(at.Start), WordAt: at, Params: params}
	case "assert-schema":
		schema := p.rowType()
		return &AssertSchema{Span: p.from(at.Start), WordAt: at, Schema: schema}
	case "scan":
		return p.scanOperator(at)
	case "sample", "sample-distinct", "top-hitters", "top-nested", "partition", "reduce", "fork", "facet":
		return p.nestedOperator(word, at)
	}
	return nil
}

// mayBeEmpty are the lists of columns that may have none.
var mayBeEmpty = map[string]bool{"serialize": true, "project": true, "project-reorder": true, "project-by-names": true}

// by takes the word by.
func (p *parser) by() {
	if p.isWord("by") {
		p.advance()
		return
	}
	p.unexpected("'by'")
}

func (p *parser) columnsOperator() Operator {
	word, at := p.operatorWord()
	return p.columnsList(word, at.Start)
}

func (p *parser) columnsList(word string, start int) Operator {
	c := &Columns{Word: word}
	patterns := word == "project-away" || word == "project-keep" || word == "project-reorder" || word == "project-by-names"
	if word == "distinct" {
		c.Params = p.params()
	}
	if p.ends() && !mayBeEmpty[word] {
		p.unexpected("an expression")
	}
	for !p.ends() || len(c.Items) > 0 {
		if patterns && (word != "project-by-names" || p.tok.kind == tokWord && !p.ahead(1)[0].punct("(")) {
			c.Items = append(c.Items, p.pattern(word == "project-reorder"))
		} else {
			c.Items = append(c.Items, p.named())
		}
		if !p.take(",") {
			break
		}
	}
	c.Span = p.from(start)
	return c
}

// pattern reads a column's name that may hold *, and in project-reorder an order.
func (p *parser) pattern(order bool) Expr {
	start := p.tok.span.Start
	var x Expr
	if p.is("[") {
		x = p.name()
	} else {
		var b strings.Builder
		end := start
		for (p.tok.kind == tokWord || p.is("*")) && (b.Len() == 0 || p.tok.span.Start == end) {
			end = p.tok.span.End
			b.WriteString(p.advance().text)
		}
		if b.Len() == 0 {
			p.unexpected("a column's name")
		}
		if strings.Contains(b.String(), "*") {
			x = &Pattern{Span: p.from(start), Pattern: b.String()}
		} else {
			x = &Name{Span: p.from(start), Name: b.String()}
		}
	}
	if order && p.isWord("asc", "desc", "granny") {
		dir, _ := p.operatorWord() // granny-asc too
		return &Ordered{Span: p.from(start), X: x, Order: dir}
	}
	return x
}

// params reads hint.name = value, and name = value for the given names, in front of
// an operator's operands.
func (p *parser) params(names ...string) []Param {
	var params []Param
	for p.tok.kind == tokWord {
		hint := p.tok.text == "hint"
		if !hint && !slices.Contains(names, p.tok.text) {
			break
		}
		if next := p.ahead(1)[0]; hint && !next.punct(".") || !hint && !next.punct("=") {
			break
		}
		params = append(params, p.param())
	}
	return params
}

// param reads name = value.
func (p *parser) param() Param {
	start := p.tok.span.Start
	var name strings.Builder
	name.WriteString(p.name().Name)
	for p.take(".") {
		name.WriteString("." + p.name().Name)
	}
	p.expect("=")
	var value Expr
	switch {
	case p.tok.kind == tokWord && p.tok.text != "true" && p.tok.text != "false", p.is("["):
		value = p.name()
	default:
		value = p.unary()
	}
	return Param{Span: p.from(start), Name: name.String(), Value: value}
}

func (p *parser) summarize(start int) Operator {
	s := &Summarize{Params: p.params()}
	for !p.isWord("by") && !p.ends() || len(s.Aggs) > 0 {
		s.Aggs = append(s.Aggs, p.named())
		if !p.take(",") {
			break
		}
	}
	if p.isWord("by") {
		p.advance()
		s.HasBy = true
		for {
			s.By = append(s.By, p.named())
			if !p.take(",") {
				break
			}
		}
	}
	s.Span = p.from(start)
	return s
}

func (p *parser) ordered() []*Ordered {
	var keys []*Ordered
	for {
		keys = append(keys, p.orderedKey())
		if !p.take(",") {
			return keys
		}
	}
}

func (p *parser) orderedKey() *Ordered {
	start := p.tok.span.Start
	o := &Ordered{X: p.named()}
	if p.tok.kind == tokWord && !p.isWord("asc", "desc") {
		if n := Nearest(p.tok.text, []string{"asc", "desc"}); n != "" && Distance(n, p.tok.text, 3) <= 3 {
			p.hinted("'asc' or 'desc'", "did you mean "+n+"?")
			p.advance()
		}
	}
	if p.isWord("asc", "desc") {
		o.Order = p.advance().text
	}
	if p.isWord("nulls") {
		p.advance()
		if p.isWord("first", "last") {
			o.Nulls = p.advance().text
		} else {
			p.unexpected("'first' or 'last'")
		}
	}
	o.Span = p.from(start)
	return o
}

func (p *parser) render(start int) Operator {
	r := &Render{Kind: p.name().Name}
	switch {
	case p.isWord("with"):
		p.advance()
		r.Properties = p.renderProperties()
	case p.tok.kind == tokWord:
		r.Properties = p.bareProperties()
	}
	r.Span = p.from(start)
	return r
}

func (p *parser) renderProperties() []Property {
	var list []Property
	open := p.tok.span
	if !p.expect("(") {
		p.skipTo("|", ";")
		return nil
	}
	for !p.is(")") && p.tok.kind != tokEOF {
		name := p.name()
		p.expect("=")
		prop := Property{Name: name.Name}
		if p.tok.kind == tokString {
			prop.Value, prop.Quoted = p.advance().value, true
		} else {
			prop.Value = p.propertyValue()
		}
		list = append(list, prop)
		if !p.take(",") {
			break
		}
	}
	p.expectClose(")", open)
	return list
}

// bareProperties reads the old form kind=stacked title="x", without brackets.
func (p *parser) bareProperties() []Property {
	var list []Property
	for p.tok.kind == tokWord && p.ahead(1)[0].punct("=") {
		prop := Property{Name: p.name().Name}
		p.advance()
		switch {
		case p.tok.kind == tokString:
			prop.Value, prop.Quoted = p.advance().value, true
		case p.ends():
			p.unexpected("a value")
		default:
			prop.Value = p.advance().text
		}
		list = append(list, prop)
		p.take(",")
	}
	return list
}

// propertyValue reads an unquoted value, also a list of names: ycolumns = a, b
// ends at the name of the next property.
func (p *parser) propertyValue() string {
	var b strings.Builder
	for p.tok.kind != tokEOF && !p.is(")") {
		if p.is(",") && p.propertyAhead() {
			break
		}
		b.WriteString(p.advance().text)
	}
	return b.String()
}

// propertyAhead tells whether name = follows the comma here.
func (p *parser) propertyAhead() bool {
	rest := p.after()
	n := 0
	for n < len(rest) && (rest[n] == '_' || rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= 'A' && rest[n] <= 'Z') {
		n++
	}
	return n > 0 && strings.HasPrefix(strings.TrimSpace(rest[n:]), "=")
}
