package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/schema"
)

type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokWord
	tokString
	tokNumber  // long
	tokReal    // real
	tokSpan    // timespan: 1d, 5m
	tokTyped   // datetime(…), dynamic(…): a type's name and raw text in brackets
	tokPunct   // operators and brackets
	tokInvalid // a character no token begins with
)

type token struct {
	kind tokenKind
	span Span
	text string // as written
	// value is the decoded text of a string, the inside of a typed literal.
	value string
	typ   schema.Type // of a typed literal
}

// typedLiterals are the words that make a literal of what follows in brackets.
var typedLiterals = map[string]schema.Type{
	"bool": schema.Bool, "boolean": schema.Bool,
	"int": schema.Int, "int32": schema.Int,
	"long": schema.Long, "int64": schema.Long,
	"real": schema.Real, "double": schema.Real,
	"decimal":  schema.Decimal,
	"datetime": schema.DateTime, "date": schema.DateTime,
	"timespan": schema.TimeSpan, "time": schema.TimeSpan,
	"guid": schema.Guid, "uuid": schema.Guid, "uniqueid": schema.Guid,
	"dynamic": schema.Dynamic,
}

// spanSuffixes are the units a number may carry to be a timespan.
var spanSuffixes = map[string]bool{
	"d": true, "day": true, "days": true,
	"h": true, "hr": true, "hrs": true, "hour": true, "hours": true,
	"m": true, "min": true, "minute": true, "minutes": true,
	"s": true, "sec": true, "second": true, "seconds": true,
	"ms": true, "milli": true, "millis": true, "millisecond": true, "milliseconds": true,
	"micro": true, "micros": true, "microsecond": true, "microseconds": true,
	"nano": true, "nanos": true, "nanosecond": true, "nanoseconds": true,
	"tick": true, "ticks": true,
}

// punctuation are the operators and brackets of one byte; those of two bytes have
// one of them first.
const punctuation = "<>=+-*/%()[]{},.|;:!@?~&^#$"

// punctuationLength tells how many bytes the operator that begins text has, 0 for
// none.
func punctuationLength(text string) int {
	if strings.IndexByte(punctuation, text[0]) < 0 {
		return 0
	}
	if len(text) > 1 {
		switch text[:2] {
		case "!=", "==", "=~", "!~", "<=", ">=", "<>", "=>", "..":
			return 2
		}
	}
	return 1
}

type lexer struct {
	text  string
	at    int
	fault func(span Span, message, hint string)
}

func isWordStart(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }
func isWordPart(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) peek(n int) byte {
	if l.at+n < len(l.text) {
		return l.text[l.at+n]
	}
	return 0
}

func (l *lexer) skipSpace() {
	for l.at < len(l.text) {
		r, n := utf8.DecodeRuneInString(l.text[l.at:])
		switch {
		case unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b':
			l.at += n
		case strings.HasPrefix(l.text[l.at:], "//"):
			end := strings.IndexByte(l.text[l.at:], '\n')
			if end < 0 {
				l.at = len(l.text)
				return
			}
			l.at += end
		case strings.HasPrefix(l.text[l.at:], "/*"):
			l.blockComment()
		default:
			return
		}
	}
}

// blockComment leaves out a comment as C has it, which is an error.
func (l *lexer) blockComment() {
	start := l.at
	end := strings.Index(l.text[l.at+2:], "*/")
	if end < 0 {
		l.at = len(l.text)
	} else {
		l.at += end + 4
	}
	l.fault(Span{start, start + 2}, "KQL has no comments of the form /* … */", "begin each line of the comment with //")
}

// next gives the next token; at the end tokEOF for ever.
func (l *lexer) next() token {
	l.skipSpace()
	start := l.at
	if start >= len(l.text) {
		return token{kind: tokEOF, span: Span{start, start}}
	}
	t := l.scan()
	l.at = min(l.at, len(l.text)) // the parser may have ended the text meanwhile
	t.span = Span{start, l.at}
	t.text = l.text[start:l.at]
	return t
}

func (l *lexer) scan() token {
	c := l.text[l.at]
	if n := stringPrefix(l.text[l.at:]); n >= 0 {
		return l.scanString(n)
	}
	if isDigit(c) {
		return l.scanNumber()
	}
	r, n := utf8.DecodeRuneInString(l.text[l.at:])
	if isWordStart(r) {
		return l.scanWord()
	}
	if n := punctuationLength(l.text[l.at:]); n > 0 {
		l.at += n
		return token{kind: tokPunct}
	}
	hint := ""
	if strings.ContainsRune("“”„‘’‚«»´", r) {
		hint = "write straight quotes: \" or '"
	}
	if r == '`' {
		hint = "write such a name in brackets: ['…']"
	}
	l.fault(Span{l.at, l.at + n}, "unexpected character "+quoteRune(r), hint)
	l.at += n
	return token{kind: tokInvalid}
}

func quoteRune(r rune) string {
	if r == utf8.RuneError {
		return "(not UTF-8)"
	}
	return "'" + string(r) + "'"
}

func (l *lexer) scanWord() token {
	start := l.at
	_, n := utf8.DecodeRuneInString(l.text[l.at:])
	l.at += n
	for l.at < len(l.text) {
		r, n := utf8.DecodeRuneInString(l.text[l.at:])
		if !isWordPart(r) {
			break
		}
		l.at += n
	}
	typ, ok := typedLiterals[l.text[start:l.at]]
	if !ok {
		return token{kind: tokWord}
	}
	after := l.at
	for after < len(l.text) && (l.text[after] == ' ' || l.text[after] == '\t') {
		after++
	}
	if after >= len(l.text) || l.text[after] != '(' {
		return token{kind: tokWord}
	}
	end := closing(l.text, after)
	if end < 0 {
		l.fault(Span{start, after + 1}, "the literal "+l.text[start:after]+"(…) has no end", "add a closing bracket")
		l.at = len(l.text)
		return token{kind: tokTyped, typ: typ}
	}
	l.at = end + 1
	return token{kind: tokTyped, typ: typ, value: strings.TrimSpace(l.text[after+1 : end])}
}

// closing finds the bracket that closes the one at open; quotes are minded.
func closing(text string, open int) int {
	depth := 0
	for i := open; i < len(text); i++ {
		switch c := text[i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
			if depth == 0 {
				return i
			}
		case '"', '\'':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		}
	}
	return -1
}

func (l *lexer) scanNumber() token {
	start := l.at
	if l.peek(0) == '0' && (l.peek(1) == 'x' || l.peek(1) == 'X') {
		l.at += 2
		for isHex(l.peek(0)) {
			l.at++
		}
		return token{kind: tokNumber}
	}
	kind := tokNumber
	for isDigit(l.peek(0)) {
		l.at++
	}
	if l.peek(0) == '.' && isDigit(l.peek(1)) {
		kind = tokReal
		for l.at++; isDigit(l.peek(0)); {
			l.at++
		}
	} else if r, _ := utf8.DecodeRuneInString(l.text[min(l.at+1, len(l.text)):]); l.peek(0) == '.' && r != '.' && r != '[' && !isWordPart(r) {
		l.at++
		return token{kind: tokReal}
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		n := 1
		if s := l.peek(1); s == '+' || s == '-' {
			n = 2
		}
		if isDigit(l.peek(n)) {
			kind = tokReal
			for l.at += n; isDigit(l.peek(0)); {
				l.at++
			}
			return token{kind: kind}
		}
	}
	end := l.at
	for end < len(l.text) {
		r, n := utf8.DecodeRuneInString(l.text[end:])
		if !isWordPart(r) {
			break
		}
		end += n
	}
	if end == l.at {
		return token{kind: kind}
	}
	suffix := l.text[l.at:end]
	l.at = end
	if spanSuffixes[suffix] {
		return token{kind: tokSpan}
	}
	if kind == tokNumber {
		return token{kind: tokWord} // 7zip is a name
	}
	l.fault(Span{start, end}, "cannot read the number "+l.text[start:end], "")
	return token{kind: kind}
}

func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
