package cli

import (
	"bytes"
	"strings"
)

// indentWidth is what a level of SQL is indented by, up to maxIndents levels.
const (
	indentWidth = 2
	maxIndents  = 40
)

// layOut breaks generated SQL into lines for reading: one for each subquery, and
// one for each of its clauses. It changes blanks only, outside of literals.
func layOut(sql string) string {
	var b []byte
	var nested []bool // for each open bracket: is it a subquery?
	depth := 0
	line := func() {
		b = append(bytes.TrimRight(b, " "), '\n')
		b = append(b, strings.Repeat(" ", min(depth, maxIndents)*indentWidth)...)
	}
	for i := 0; i < len(sql); {
		rest := sql[i:]
		switch {
		case rest[0] == '\'' || rest[0] == '"':
			n := literalEnd(rest)
			b = append(b, rest[:n]...)
			i += n
			continue
		case strings.HasPrefix(rest, "(SELECT "):
			nested = append(nested, true)
			depth++
			b = append(b, '(')
			line()
			i++
			continue
		case rest[0] == '(':
			nested = append(nested, false)
		case rest[0] == ')' && len(nested) > 0:
			if nested[len(nested)-1] {
				depth--
				line()
			}
			nested = nested[:len(nested)-1]
		case rest[0] == ' ' && (len(nested) == 0 || nested[len(nested)-1]) && startsClause(b, rest[1:]):
			line()
			i++
			continue
		}
		b = append(b, rest[0])
		i++
	}
	return string(b)
}

// clauses begin a line of their own.
var clauses = []string{
	"FROM ", "WHERE ", "GROUP BY ", "ORDER BY ", "LIMIT ", "UNION ALL ", "QUALIFY ",
	"JOIN ", "LEFT JOIN ", "INNER JOIN ", "FULL JOIN ", "SEMI JOIN ", "ANTI JOIN ", "SELECT ",
}

// startsClause tells whether text begins a clause behind what is written; the word
// JOIN doesn't, where another says which join it is.
func startsClause(written []byte, text string) bool {
	if last := written[bytes.LastIndexAny(written, " \n")+1:]; strings.HasPrefix(text, "JOIN ") && bytes.Equal(last, bytes.ToUpper(last)) {
		return false
	}
	for _, c := range clauses {
		if strings.HasPrefix(text, c) {
			return true
		}
	}
	return false
}

// literalEnd gives the length of the literal or quoted name that text begins with:
// a doubled quote within is part of it, which two literals in a row look like too.
func literalEnd(text string) int {
	if n := strings.IndexByte(text[1:], text[0]); n >= 0 {
		return n + 2
	}
	return len(text)
}
