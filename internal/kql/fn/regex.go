package fn

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxRegex bounds a regular expression: RE2 compiles it to a program that is
// several times as long.
const maxRegex = 32 << 10

// classes are Perl's classes as Kusto reads them (over Unicode) in RE2's words,
// for use within a bracket expression.
var classes = map[byte]string{
	'd': `\p{Nd}`,
	'w': `\p{L}\p{Mn}\p{Nd}\p{Pc}`,
	's': `\s\x0b\x{85}\p{Z}`,
}

// others are the complements of classes, for use within a bracket expression:
// everything that is assigned and not in the class.
var others = map[byte]string{
	'd': `\P{Nd}`,
	'w': `\p{Mc}\p{Me}\p{Nl}\p{No}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{S}\p{Z}\p{C}`,
	's': `\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\x00-\x08\x0e-\x1f\x7f-\x{84}\x{86}-\x{9f}`,
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
			escapeClass(&b, pattern[i], class)
			if pattern[i] == 'Q' {
				return "", fmt.Errorf(`the regular expression uses \Q, which is not supported`)
			}
		case c == '(' && !class && namedGroup(pattern[i:]): // RE2 has the longer form only
			b.WriteString("(?P<")
			i += len("(?<") - 1
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

func escapeClass(b *strings.Builder, c byte, inClass bool) {
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
		b.WriteString(others[lower])
	default:
		b.WriteString("[^" + set + "]")
	}
}

// namedGroup tells whether (?<name> begins here, which (?<= and (?<! don't.
func namedGroup(s string) bool {
	return strings.HasPrefix(s, "(?<") && len(s) > 3 && s[3] != '=' && s[3] != '!'
}

// Groups counts the capture groups of an expression that Regex gave.
func Groups(re string) int {
	r, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return 0
	}
	return r.MaxCap()
}

// MatchesEmpty tells whether an expression that Regex gave may match no text at
// all, where engines differ in how they go on. It may say so of one that can't.
func MatchesEmpty(re string) bool {
	r, err := syntax.Parse(re, syntax.Perl)
	return err != nil || empty(r)
}

func empty(r *syntax.Regexp) bool {
	switch r.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return len(r.Rune) == 0 && r.Op == syntax.OpLiteral
	case syntax.OpCapture, syntax.OpPlus:
		return empty(r.Sub[0])
	case syntax.OpRepeat:
		return r.Min == 0 || empty(r.Sub[0])
	case syntax.OpConcat:
		for _, sub := range r.Sub {
			if !empty(sub) {
				return false
			}
		}
	case syntax.OpAlternate:
		return slices.ContainsFunc(r.Sub, empty)
	}
	return true
}
