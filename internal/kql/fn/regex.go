package fn

import (
	"fmt"
	"regexp/syntax"
	"strings"
)

// maxRegex bounds a regular expression: RE2 compiles it to a program that is
// several times as long.
const maxRegex = 4096

// classes are Perl's classes as Kusto reads them (over Unicode) in RE2's words,
// for use within a bracket expression.
var classes = map[byte]string{
	'd': `\p{Nd}`,
	'w': `\p{L}\p{Mn}\p{Nd}\p{Pc}`,
	's': `\s\x0b\x{85}\p{Z}`,
}

// Regex checks a regular expression and rewrites it for RE2 so that \d, \w and \s
// mean Unicode's classes, as in Kusto. RE2 knows no look-around and no back
// references; they are errors.
func Regex(pattern string) (string, error) {
	if len(pattern) > maxRegex {
		return "", fmt.Errorf("the regular expression is longer than %d bytes", maxRegex)
	}
	var b strings.Builder
	class := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern):
			i++
			if err := escapeClass(&b, pattern[i], class); err != nil {
				return "", err
			}
			if pattern[i] == 'Q' {
				return "", fmt.Errorf(`the regular expression uses \Q, which is not supported`)
			}
		case c == '[' && !class:
			class = true
			b.WriteByte(c)
			if i+1 < len(pattern) && pattern[i+1] == '^' {
				i++
				b.WriteByte('^')
			}
			if i+1 < len(pattern) && pattern[i+1] == ']' {
				i++
				b.WriteString(`\]`)
			}
		case c == '[' && class && !strings.HasPrefix(pattern[i:], "[:"):
			b.WriteString(`\[`)
		case c == ']' && class:
			class = false
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	re := b.String()
	// Go's syntax is RE2's; what Go reads, RE2 does.
	if _, err := syntax.Parse(re, syntax.Perl); err != nil {
		return "", fmt.Errorf("cannot read the regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

func escapeClass(b *strings.Builder, c byte, inClass bool) error {
	lower := c | 0x20
	set, ok := classes[lower]
	switch {
	case !ok || c >= '0' && c <= '9':
		b.WriteByte('\\')
		b.WriteByte(c)
	case c == lower && inClass:
		b.WriteString(set)
	case c == lower:
		b.WriteString("[" + set + "]")
	case inClass:
		return fmt.Errorf(`the regular expression uses \%c within brackets, which is not supported`, c)
	default:
		b.WriteString("[^" + set + "]")
	}
	return nil
}

// Groups counts the capture groups of an expression that Regex gave.
func Groups(re string) int {
	r, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return 0
	}
	return r.MaxCap()
}
