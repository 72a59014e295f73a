package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// stringPrefix tells how many bytes stand before the quote of a string literal
// that begins text (h, H, @ and both), -1 when none begins.
func stringPrefix(text string) int {
	n := 0
	if text[0] == 'h' || text[0] == 'H' {
		n++
	}
	if n < len(text) && text[n] == '@' {
		n++
	}
	if n == len(text) {
		return -1
	}
	if text[n] == '"' || text[n] == '\'' {
		return n
	}
	if strings.HasPrefix(text[n:], "```") || strings.HasPrefix(text[n:], "~~~") {
		return n
	}
	return -1
}

// scanString reads a string literal whose quote stands prefix bytes ahead.
func (l *lexer) scanString(prefix int) token {
	start := l.at
	verbatim := prefix > 0 && l.text[l.at+prefix-1] == '@'
	l.at += prefix
	quote := l.text[l.at]
	if quote == '`' || quote == '~' {
		return l.scanLong(start, l.text[l.at:l.at+3])
	}
	l.at++
	var value strings.Builder
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == quote && verbatim && l.peek(1) == quote:
			value.WriteByte(quote)
			l.at += 2
		case c == quote:
			l.at++
			return token{kind: tokString, value: value.String()}
		case c == '\n' && !verbatim:
			l.fault(Span{start, l.at}, "the string has no end on its line", "add the closing quote, or write it in ``` … ```")
			return token{kind: tokString, value: value.String()}
		case c == '\\' && !verbatim:
			l.escape(&value)
		default:
			value.WriteByte(c)
			l.at++
		}
	}
	l.fault(Span{start, l.at}, "the string has no end", "add the closing quote")
	return token{kind: tokString, value: value.String()}
}

func (l *lexer) scanLong(start int, fence string) token {
	l.at += len(fence)
	end := strings.Index(l.text[l.at:], fence)
	if end < 0 {
		l.fault(Span{start, l.at}, "the string has no end", "add the closing "+fence)
		end = len(l.text) - l.at
		fence = ""
	}
	value := l.text[l.at : l.at+end]
	l.at += end + len(fence)
	return token{kind: tokString, value: value}
}

// simpleEscapes are the one-letter escapes of C# strings, which KQL's are.
var simpleEscapes = map[byte]byte{
	'\'': '\'', '"': '"', '\\': '\\', '0': 0, 'a': 7, 'b': 8, 'f': 12, 'n': '\n', 'r': '\r', 't': '\t', 'v': 11,
}

// escape decodes the escape at l.at, which is a backslash.
func (l *lexer) escape(value *strings.Builder) {
	start := l.at
	c := l.peek(1)
	l.at += 2
	digits := 0
	switch c {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		if e, ok := simpleEscapes[c]; ok && !(c == '0' && isDigit(l.peek(0))) {
			value.WriteByte(e)
			return
		}
		if c >= '0' && c <= '7' {
			l.octal(value)
			return
		}
		l.badEscape(start)
		return
	}
	if l.at+digits > len(l.text) {
		l.badEscape(start)
		return
	}
	n, err := strconv.ParseUint(l.text[l.at:l.at+digits], 16, 32)
	if err != nil || n > utf8.MaxRune {
		l.badEscape(start)
		return
	}
	l.at += digits
	value.WriteRune(rune(n))
}

func (l *lexer) octal(value *strings.Builder) {
	l.at--
	n := rune(0)
	for i := 0; i < 3 && l.peek(0) >= '0' && l.peek(0) <= '7'; i++ {
		n = n*8 + rune(l.peek(0)-'0')
		l.at++
	}
	value.WriteRune(n)
}

func (l *lexer) badEscape(start int) {
	l.at = min(l.at, len(l.text))
	l.fault(Span{start, l.at}, "unknown escape in a string", `write \\ for a backslash, or put @ before the string`)
}

// Quote prints s as a string literal of KQL.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	b.WriteByte('"')
	return b.String()
}
