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
		if p.take(";") {
			continue
		}
		q.Statements = append(q.Statements, p.statement())
		if p.tok.kind != tokEOF && !p.is(";") {
			p.unexpected("the end of the statement")
			p.skipTo(";")
			if !p.is(";") {
				p.advance() // a closing bracket that nothing opened
			}
		}
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

func (p *parser) expect(punct string) bool {
	if p.take(punct) {
		return true
	}
	p.unexpected("'" + punct + "'")
	return false
}

// unexpected reports the current token, once until something is understood.
func (p *parser) unexpected(wanted string) {
	if p.panicking || p.tooDeep {
		return
	}
	p.panicking = true
	got := "the end of the query"
	if p.tok.kind != tokEOF {
		got = "'" + shorten(p.tok.text) + "'"
	}
	p.report(p.tok.span, fmt.Sprintf("%s is expected, not %s", wanted, got), "")
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

func (p *parser) from(start int) Span { return Span{start, max(p.prevEnd, start)} }

func (p *parser) statement() Statement {
	start := p.tok.span.Start
	switch {
	case p.isWord("let") && p.wordFollows():
		p.advance()
		name := p.name()
		p.expect("=")
		var value Expr
		if p.isWord("view") || p.is("(") && p.lambdaAhead() {
			value = p.opaqueSource()
		} else {
			value = p.pipeline()
		}
		return &Let{Span: p.from(start), Name: name, Value: value}
	case p.isWord("set") && p.wordFollows():
		p.advance()
		name := p.name()
		var value Expr
		if p.take("=") {
			value = p.primary()
		}
		return &Set{Span: p.from(start), Name: name.Name, Value: value}
	case p.isWord("declare", "alias", "restrict") && p.wordFollows():
		word := p.advance().text
		tokens := p.tokensUntil(";")
		return &OpaqueStatement{Span: p.from(start), Word: word, Tokens: tokens}
	}
	x := p.pipeline()
	return &Run{Span: p.from(start), X: x}
}

// ahead gives the n-th byte behind white space after the current token; the
// lexer stands right behind that token.
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

// lambdaAhead tells whether the bracket here begins a function: (…) {.
func (p *parser) lambdaAhead() bool {
	return strings.HasPrefix(p.behindBracket(), "{")
}

// behindBracket gives what follows the bracket that begins here, "" where its end
// is too far.
func (p *parser) behindBracket() string {
	start := p.tok.span.Start
	text := p.text[start:min(len(p.text), start+maxLookahead)]
	end := closing(text, 0)
	if end < 0 {
		return ""
	}
	return strings.TrimSpace(text[end+1:])
}

func (p *parser) opaqueSource() Expr {
	start := p.tok.span
	word := ""
	if p.tok.kind == tokWord {
		word = p.advance().text
	}
	tokens := p.tokensUntil("|", ";")
	return &Opaque{Span: p.from(start.Start), Word: word, WordAt: start, Tokens: tokens}
}

// opaqueSources are the sources that nothing runs yet, by their first word; each
// needs another word behind it, or it is a table's name.
var opaqueSources = []string{"range", "union", "search", "find", "evaluate", "externaldata"}

// pipeline reads a source and its operators; without operators it is just the
// expression.
func (p *parser) pipeline() Expr {
	if !p.enter() {
		return &Star{}
	}
	defer p.leave()
	start := p.tok.span.Start
	var source Expr
	switch {
	case p.isWord("print") && !p.operatorFollows():
		source = p.columnsOperator()
	case p.isWord(opaqueSources...) && p.opaqueFollows():
		source = p.opaqueSource()
	default:
		source = p.named()
	}
	if !p.is("|") {
		return source
	}
	pipe := &Pipe{Source: source}
	for p.take("|") {
		pipe.Ops = append(pipe.Ops, p.operator())
		if !p.is("|") && !p.is(";") && !p.is(")") && !p.is(",") && !p.is("}") && !p.is("]") && p.tok.kind != tokEOF {
			p.unexpected("'|' or the end of the query")
			p.skipTo("|", ";")
		}
	}
	pipe.Span = p.from(start)
	return pipe
}

func (p *parser) operatorFollows() bool {
	rest := p.after()
	return rest == "" || rest[0] == '|' || rest[0] == ';'
}

func (p *parser) opaqueFollows() bool {
	rest := p.after()
	if rest == "" {
		return false
	}
	if p.tok.text == "search" || p.tok.text == "union" || p.tok.text == "externaldata" {
		return !strings.ContainsRune("|;,).=<>!", rune(rest[0]))
	}
	return p.wordFollows()
}
