package syntax

// TokenKind tells what a token is, for highlighting and completion.
type TokenKind uint8

// The kinds of tokens.
const (
	WordToken   TokenKind = iota + 1 // a name or a word of the language
	StringToken                      // a string literal
	NumberToken                      // a number or a timespan
	TypedToken                       // datetime(…), dynamic(…)
	PunctToken                       // an operator or a bracket
	BadToken                         // a character that begins no token
)

// Token is a piece of a query's text. Text is as written.
type Token struct {
	Span
	Kind TokenKind
	Text string
	// Open tells that a string or typed literal has no end.
	Open bool
}

var tokenKinds = [...]TokenKind{
	tokWord: WordToken, tokString: StringToken, tokNumber: NumberToken, tokReal: NumberToken, tokSpan: NumberToken,
	tokTyped: TypedToken, tokPunct: PunctToken, tokInvalid: BadToken,
}

// Tokens splits a text, which may be of any form, into its tokens; white space and
// comments lie between them. A text longer than MaxText has none.
func Tokens(text string) []Token {
	if len(text) > MaxText {
		return nil
	}
	faults := 0
	l := lexer{text: text, fault: func(Span, string, string) { faults++ }}
	var tokens []Token
	for {
		faults = 0
		t := l.next()
		if t.kind == tokEOF {
			return tokens
		}
		open := faults > 0 && (t.kind == tokTyped || t.kind == tokString && t.span.End == len(text))
		tokens = append(tokens, Token{Span: t.span, Kind: tokenKinds[t.kind], Text: t.text, Open: open})
	}
}
