package syntax

import (
	"fmt"
	"strings"

	"github.com/wadi-project/wadi/internal/schema"
)

// stringOperators bind tighter than arithmetic.
var stringOperators = map[string]bool{
	"=~": true, "!~": true,
	"has": true, "has_cs": true, "hasprefix": true, "hasprefix_cs": true, "hassuffix": true, "hassuffix_cs": true,
	"contains": true, "contains_cs": true, "containscs": true, "notcontains": true, "notcontainscs": true,
	"startswith": true, "startswith_cs": true, "endswith": true, "endswith_cs": true, "like": true, "notlike": true, "likecs": true, "notlikecs": true,
}

// listOperators take a list in brackets.
var listOperators = map[string]bool{"in": true, "has_any": true, "has_all": true}

// operatorHere tells which operator stands at the current token ("" for none)
// and how many tokens it has; `! has`, `in ~` and `matches regex` have two.
func (p *parser) operatorHere() (op string, tokens int) {
	switch {
	case p.tok.kind == tokPunct && p.tok.text == "!":
		rest := p.text[p.at:]
		n := 0
		for n < len(rest) && (rest[n] == '_' || rest[n] >= 'a' && rest[n] <= 'z') {
			n++
		}
		word := rest[:n]
		if word == "in" && strings.HasPrefix(rest[n:], "~") {
			return "!in~", 3
		}
		if stringOperators[word] || word == "in" || word == "between" {
			return "!" + word, 2
		}
		return "", 0
	case p.tok.kind == tokWord:
		word := p.tok.text
		if word == "in" && p.at < len(p.text) && p.text[p.at] == '~' {
			return "in~", 2
		}
		if word == "matches" && strings.HasPrefix(p.after(), "regex") {
			return "matches regex", 2
		}
		if stringOperators[word] || listOperators[word] || word == "between" || word == "and" || word == "or" {
			return word, 1
		}
		return "", 0
	case p.tok.kind == tokPunct:
		return p.tok.text, 1
	}
	return "", 0
}

// aboveIn is the lowest precedence that takes no in.
const aboveIn = 4

// precedence of binary operators; higher binds tighter, 0 is no operator.
func precedence(op string) int {
	switch op {
	case "or":
		return 1
	case "and":
		return 2
	case "==", "!=", "<>", "in", "!in", "in~", "!in~", "has_any", "has_all", "between", "!between":
		return 3
	case "<", ">", "<=", ">=":
		return 4
	case "+", "-":
		return 5
	case "*", "/", "%":
		return 6
	case "matches regex":
		return 7
	case ":":
		return 8
	}
	if stringOperators[strings.TrimPrefix(op, "!")] || op == "!~" {
		return 7
	}
	return 0
}

// named reads an expression that may have a name: name = x, (a, b) = x.
func (p *parser) named() Expr {
	start := p.tok.span.Start
	if p.is("(") && p.tupleAhead() {
		return p.tuple(start)
	}
	if p.tok.kind == tokWord && notReferred[p.tok.text] && p.ahead(1)[0].punct("=") {
		name := p.name()
		p.declares(name, notDeclared)
		p.advance()
		value := p.expr()
		return &Named{Span: p.from(start), Names: []*Name{name}, X: value}
	}
	x := p.expr()
	name, ok := x.(*Name)
	if !ok || !p.is("=") {
		return x
	}
	p.declares(name, notDeclared)
	p.advance()
	value := p.expr()
	return &Named{Span: p.from(start), Names: []*Name{name}, X: value}
}

// tupleAhead tells whether the bracket here is the left side of (a, b) = x.
func (p *parser) tupleAhead() bool {
	saved, fault := p.at, p.fault
	p.fault = func(Span, string, string) {}
	defer func() { p.at, p.fault = saved, fault }()
	for range maxTuple {
		t := p.lexer.next()
		if t.punct("[") {
			if t = p.lexer.next(); t.kind != tokString {
				return false
			}
			if t = p.lexer.next(); !t.punct("]") {
				return false
			}
		} else if t.kind != tokWord {
			return false
		}
		t = p.lexer.next()
		if t.punct(")") {
			t = p.lexer.next()
			return t.punct("=")
		}
		if !t.punct(",") {
			return false
		}
	}
	return false
}

func (p *parser) tuple(start int) Expr {
	n := &Named{Tuple: true}
	p.expect("(")
	for {
		n.Names = append(n.Names, p.name())
		if !p.take(",") {
			break
		}
	}
	p.expect(")")
	p.expect("=")
	n.X = p.expr()
	n.Span = p.from(start)
	return n
}

func (p *parser) expr() Expr { return p.binary(1) }

func (p *parser) binary(lowest int) Expr {
	if !p.enter() {
		return &Star{Span: p.nothing()}
	}
	defer p.leave()
	start := p.tok.span.Start
	left := p.unary()
	for chain := 0; ; chain++ {
		op, tokens := p.operatorHere()
		prec := precedence(op)
		if prec == 0 || prec < lowest || op == ":" && !p.colon {
			return left
		}
		if chain == maxChain {
			p.report(p.tok.span, fmt.Sprintf("a chain of more than %d operators", maxChain), "write a list: in (…)")
			p.tooDeep = true
			p.stop()
			return left
		}
		at := p.tok.span
		for range tokens {
			p.advance()
		}
		at.End = p.prevEnd
		var right Expr
		switch {
		case strings.HasSuffix(op, "between"):
			right = p.rangeOperand()
		case prec == 3 && op != "==" && op != "!=" && op != "<>":
			right = p.listOperand()
		default:
			right = p.binary(prec + 1)
		}
		left = &Binary{Span: p.from(start), Op: op, L: left, R: right, OpAt: at}
		if prec == precedence("==") || prec == precedence("<") {
			if next, _ := p.operatorHere(); precedence(next) == prec {
				p.hinted(afterOperator, "write brackets: (a == b) == c")
			}
		}
	}
}

func (p *parser) rangeOperand() Expr {
	start := p.tok.span.Start
	r := &Range{}
	open := p.tok.span
	p.expect("(")
	r.Lo = p.expr()
	p.expect("..")
	r.Hi = p.expr()
	p.expectClose(")", open)
	r.Span = p.from(start)
	return r
}

func (p *parser) listOperand() Expr {
	start := p.tok.span.Start
	if !p.is("(") {
		p.unexpected(listWanted)
		x := p.binary(aboveIn)
		return &List{Span: p.from(start), Items: []Expr{x}}
	}
	open := p.advance().span
	l := &List{Items: p.arguments(")")}
	if len(l.Items) == 0 {
		p.unexpected("a value")
	}
	p.expectClose(")", open)
	l.Span = p.from(start)
	return l
}

// arguments reads expressions, pipelines among them, up to the closing bracket.
func (p *parser) arguments(end string) []Expr {
	var items []Expr
	if p.is(end) {
		return nil
	}
	for {
		start := p.tok.span.Start
		x := p.pipeline()
		if name, ok := x.(*Name); ok && p.take("=") {
			x = &Named{Names: []*Name{name}, X: p.pipeline()}
			x.(*Named).Span = p.from(start)
		}
		items = append(items, x)
		if !p.take(",") {
			return items
		}
	}
}

func (p *parser) unary() Expr {
	if !p.is("-") && !p.is("+") {
		return p.postfix()
	}
	start := p.tok.span.Start
	op := p.advance().text
	if p.is("-") || p.is("+") {
		p.hinted("an expression", "write brackets: -(-x)")
		for p.is("-") || p.is("+") {
			p.advance()
		}
	}
	x := p.postfix()
	return &Unary{Span: p.from(start), Op: op, X: x}
}

func (p *parser) postfix() Expr {
	start := p.tok.span.Start
	x := p.primary()
	for range maxChain {
		switch {
		case p.is("."):
			p.advance()
			if p.is("[") {
				continue // a.["b"] is a["b"]
			}
			name := p.name()
			x = &Member{Span: p.from(start), X: x, Name: name.Name}
			if p.is("(") { // cluster("x").database("y"): known by its form only
				p.advance()
				args := p.arguments(")")
				p.expect(")")
				x = &Call{Span: p.from(start), Name: "." + name.Name, NameAt: name.Span, Args: append([]Expr{x.(*Member).X}, args...)}
			}
		case p.is("["):
			open := p.advance().span
			i := p.expr()
			p.expectClose("]", open)
			x = &Index{Span: p.from(start), X: x, I: i}
		default:
			return x
		}
	}
	p.report(p.tok.span, fmt.Sprintf("a path of more than %d steps", maxChain), "")
	return x
}

// name reads a name: a word, or ['…'] with any text.
func (p *parser) name() *Name {
	t := p.tok
	switch {
	case t.kind == tokWord:
		p.advance()
		return &Name{Span: t.span, Name: t.text}
	case p.is("["):
		p.advance()
		if p.tok.kind == tokString {
			s := p.advance()
			p.expect("]")
			return &Name{Span: p.from(t.span.Start), Name: s.value}
		}
	}
	p.unexpected("a name")
	return &Name{Span: p.nothing()}
}

func (p *parser) primary() Expr {
	t := p.tok
	switch t.kind {
	case tokString:
		return p.stringLiteral()
	case tokNumber:
		p.advance()
		return &Literal{Span: t.span, Type: schema.Long, Text: t.text}
	case tokReal:
		p.advance()
		return &Literal{Span: t.span, Type: schema.Real, Text: t.text}
	case tokSpan:
		p.advance()
		return &Literal{Span: t.span, Type: schema.TimeSpan, Text: t.text}
	case tokTyped:
		p.advance()
		return &Literal{Span: t.span, Type: t.typ, Text: t.value, Typed: true}
	case tokWord:
		return p.word()
	}
	switch {
	case p.is("("):
		p.advance()
		x := p.pipeline()
		p.expectClose(")", t.span)
		return &Paren{Span: p.from(t.span.Start), X: x}
	case p.is("["):
		return p.name()
	case p.is("*"):
		p.advance()
		return &Star{Span: t.span}
	}
	p.unexpected("an expression")
	return &Star{Span: p.nothing()}
}

// stringLiteral joins string literals that stand side by side, as KQL does.
func (p *parser) stringLiteral() Expr {
	start := p.tok.span.Start
	var b strings.Builder
	for p.tok.kind == tokString {
		b.WriteString(p.advance().value)
	}
	return &Literal{Span: p.from(start), Type: schema.String, Text: b.String()}
}

// calledWords are of notReferred, but can be called.
var calledWords = map[string]bool{"datatable": true, "externaldata": true, "external_data": true, "materialize": true, "toscalar": true, "totable": true}

func (p *parser) word() Expr {
	if notReferred[p.tok.text] && (!calledWords[p.tok.text] || !p.ahead(1)[0].punct("(")) {
		p.hinted("an expression", "a name that is a word of the language is written ['"+p.tok.text+"']")
	}
	t := p.advance()
	called := p.is("(")
	switch t.text {
	case "true", "false", "True", "False", "TRUE", "FALSE":
		return &Literal{Span: t.span, Type: schema.Bool, Text: strings.ToLower(t.text)}
	case "datatable":
		if called {
			return p.datatable(t.span.Start)
		}
	case "typeof":
		if called {
			return p.typeOf(t.span.Start)
		}
	case "externaldata", "external_data":
		if called {
			return p.externalData(t.span)
		}
	}
	if !called {
		return &Name{Span: t.span, Name: t.text}
	}
	open := p.advance().span
	args := p.arguments(")")
	p.expectClose(")", open)
	return &Call{Span: p.from(t.span.Start), Name: t.text, NameAt: t.span, Args: args}
}

func (p *parser) datatable(start int) Expr {
	d := &Datatable{}
	d.Columns = p.rowType().Columns
	open := p.tok.span
	if !p.expect("[") {
		p.skipTo("|", ";")
		d.Span = p.from(start)
		return d
	}
	for !p.is("]") && p.tok.kind != tokEOF {
		d.Values = append(d.Values, p.cell())
		if !p.take(",") {
			break
		}
	}
	p.expectClose("]", open)
	d.Span = p.from(start)
	return d
}

// cell reads a value of a datatable: a literal, with a sign or none.
func (p *parser) cell() Expr {
	at := p.tok.span
	x := p.unary()
	inner := x
	if u, ok := x.(*Unary); ok {
		inner = u.X
	}
	if _, ok := inner.(*Literal); !ok && !p.panicking {
		p.report(p.from(at.Start), "only literals can stand in a datatable", "compute in an extend behind it; null is written int(null), dynamic(null) …")
		p.panicking = true
	}
	return x
}
