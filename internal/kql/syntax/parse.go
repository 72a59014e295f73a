package syntax

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse reads a query. It goes on after errors, so that all of them are told;
// the tree is whole only when there are no diagnostics.
func Parse(text string) (*Query, []Diagnostic) {
	q := &Query{Text: text}
	if len(text) > MaxText {
		return q, []Diagnostic{At("", Span{}, fmt.Sprintf("the query is %d bytes long; the limit is %d", len(text), MaxText), "")}
	}
	if at := invalidUTF8(text); at >= 0 {
		return q, []Diagnostic{At(text, Span{at, at + 1}, "the query is not UTF-8", "")}
	}
	p := newParser(text)
	for p.tok.kind != tokEOF {
		if p.is(";") {
			p.unexpected("a statement")
			p.advance()
			continue
		}
		q.Statements = append(q.Statements, p.statement())
		if p.tok.kind != tokEOF && !p.is(";") {
			p.unexpected(afterStatement)
			for p.skipTo(";"); p.tok.kind != tokEOF && !p.is(";"); p.skipTo(";") {
				p.advance() // a closing bracket that nothing opened
			}
		}
		p.take(";")
	}
	return q, p.diagnostics
}

// invalidUTF8 finds the first byte that is not UTF-8, -1 when there is none.
func invalidUTF8(text string) int {
	if utf8.ValidString(text) {
		return -1
	}
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			return i
		}
	}
	return -1
}

// ParseExpr reads one expression, as the columns of a view are written.
func ParseExpr(text string) (Expr, []Diagnostic) {
	p := newParser(text)
	x := p.expr()
	if p.tok.kind != tokEOF {
		p.unexpected("the end of the expression")
	}
	return x, p.diagnostics
}

type parser struct {
	lexer
	tok         token
	prevEnd     int
	depth       int
	tooDeep     bool
	colon       bool // a colon is an operator, as in search
	panicking   bool // an error was told and nothing understood since
	diagnostics []Diagnostic
}

func newParser(text string) *parser {
	p := &parser{lexer: lexer{text: text}}
	p.fault = p.report
	p.tok = p.lexer.next()
	return p
}

func (p *parser) report(span Span, message, hint string) {
	if len(p.diagnostics) < maxDiagnostics {
		p.diagnostics = append(p.diagnostics, At(p.text, span, message, hint))
	}
	if len(p.diagnostics) == maxDiagnostics {
		p.stop()
	}
}

// stop ends the text here: nothing behind is read.
func (p *parser) stop() {
	p.at = len(p.text)
	p.tok = token{kind: tokEOF, span: Span{len(p.text), len(p.text)}}
}

// advance takes the current token.
func (p *parser) advance() token {
	t := p.tok
	p.prevEnd = t.span.End
	p.tok = p.lexer.next()
	p.panicking = false
	return t
}

func (p *parser) is(punct string) bool { return p.tok.kind == tokPunct && p.tok.text == punct }

func (p *parser) isWord(words ...string) bool {
	return p.tok.kind == tokWord && slices.Contains(words, p.tok.text)
}

func (p *parser) take(punct string) bool {
	if p.is(punct) {
		p.advance()
		return true
	}
	return false
}

// expectClose takes the bracket that closes the one at open.
func (p *parser) expectClose(punct string, open Span) bool {
	if p.take(punct) {
		return true
	}
	if p.panicking || p.tooDeep {
		return false // nothing would be told, and a place costs a walk over the text
	}
	hint := p.hint("'" + punct + "'")
	if hint == "" && open.End > open.Start {
		at := At(p.text, open, "", "")
		hint = fmt.Sprintf("it closes the bracket at %d:%d", at.Line, at.Column)
	}
	p.hinted("'"+punct+"'", hint)
	return false
}

func (p *parser) expect(punct string) bool {
	if p.take(punct) {
		return true
	}
	p.unexpected("'" + punct + "'")
	return false
}

// unexpected reports the current token, once until something is understood.
func (p *parser) unexpected(wanted string) { p.hinted(wanted, p.hint(wanted)) }

func (p *parser) hinted(wanted, hint string) {
	if p.panicking || p.tooDeep {
		return
	}
	p.panicking = true
	if p.tok.kind == tokInvalid {
		return // told already
	}
	got := "the end of the query"
	if p.tok.kind != tokEOF {
		got = "'" + shorten(p.tok.text) + "'"
	}
	p.report(p.tok.span, fmt.Sprintf("%s is expected, not %s", wanted, got), hint)
}

func shorten(s string) string {
	const longest = 40
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

// skipTo leaves tokens out until one of stops at the same depth of brackets.
func (p *parser) skipTo(stops ...string) {
	panicking := p.panicking
	p.tokensUntil(stops...)
	p.panicking = panicking
}

// tokensUntil takes tokens until one of stops, or a bracket closes that was not
// opened here, or the text ends.
func (p *parser) tokensUntil(stops ...string) []string {
	var tokens []string
	depth := 0
	for p.tok.kind != tokEOF {
		if p.tok.kind == tokPunct {
			switch p.tok.text {
			case "(", "[", "{":
				depth++
			case ")", "]", "}":
				if depth == 0 {
					return tokens
				}
				depth--
			default:
				if depth == 0 && slices.Contains(stops, p.tok.text) {
					return tokens
				}
			}
		}
		tokens = append(tokens, p.advance().text)
	}
	return tokens
}

// enter counts nesting; false tells to give up.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > MaxDepth && !p.tooDeep {
		p.report(p.tok.span, fmt.Sprintf("the query nests deeper than %d levels", MaxDepth), "")
		p.tooDeep = true
		p.stop()
	}
	return !p.tooDeep
}

func (p *parser) leave() { p.depth-- }

// nothing is the place of what is missing here.
func (p *parser) nothing() Span { return Span{p.tok.span.Start, p.tok.span.Start} }

func (p *parser) from(start int) Span { return Span{start, max(p.prevEnd, start)} }

// after gives the text behind the current token and white space; the lexer stands
// right behind that token.
func (p *parser) after() string {
	saved, fault := p.at, p.fault
	p.fault = func(Span, string, string) {}
	p.skipSpace()
	rest := p.text[p.at:]
	p.at, p.fault = saved, fault
	return rest
}

func (p *parser) wordFollows() bool {
	rest := p.after()
	if rest == "" {
		return false
	}
	for _, r := range rest {
		return isWordStart(r) || r == '['
	}
	return false
}

// ahead gives the n tokens behind the current one.
func (p *parser) ahead(n int) []token {
	saved, fault := p.at, p.fault
	p.fault = func(Span, string, string) {}
	var tokens [5]token
	for i := range n {
		tokens[i] = p.lexer.next()
	}
	p.at, p.fault = saved, fault
	return tokens[:n]
}

// punct tells whether the token is this operator or bracket.
func (t token) punct(text string) bool { return t.kind == tokPunct && t.text == text }

// keyword takes a word that must be there.
func (p *parser) keyword(word string) bool {
	if p.isWord(word) {
		p.advance()
		return true
	}
	p.unexpected("'" + word + "'")
	return false
}

// ends tells whether the operator can't go on here.
func (p *parser) ends() bool {
	return p.tok.kind == tokEOF || p.tok.kind == tokPunct &&
		(p.tok.text == "|" || p.tok.text == ";" || p.tok.text == ")" || p.tok.text == "]" || p.tok.text == "}")
}

// pipeline reads a source and its operators; without operators it is just the
// expression.
func (p *parser) pipeline() Expr {
	if !p.enter() {
		return &Star{Span: p.nothing()}
	}
	defer p.leave()
	start := p.tok.span.Start
	var source Expr
	if p.tok.kind == tokWord && p.sourceAhead() {
		source = p.sourceWord()
	} else {
		source = p.expr()
	}
	if !p.is("|") {
		return source
	}
	pipe := &Pipe{Source: source}
	p.operators(pipe)
	pipe.Span = p.from(start)
	return pipe
}

// operators reads | operator | operator ….
func (p *parser) operators(pipe *Pipe) {
	for {
		if !p.ends() && !p.is(",") {
			p.unexpected(afterOperator)
			p.skipTo("|", ";")
		}
		if !p.take("|") {
			return
		}
		pipe.Ops = append(pipe.Ops, p.operator())
	}
}
