package duck

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
)

// The edges of a term: Kusto's terms are runs of letters and digits, and "_"
// separates them, unlike in \b.
const (
	termStart = `(?:^|[^\pL\pN])`
	termEnd   = `(?:$|[^\pL\pN])`
)

func isTextSearch(op fn.Op) bool { return op >= fn.Has && op <= fn.HasAll }

// search writes the operators that look into a text. null lets the result be
// null for a stored text that is null, where that is as good as false.
func (e *emitter) search(c *plan.Call, null bool) string {
	needle, isConst := constText(c.Args[1])
	raw := null && isConst && needle != "" && c.Op != fn.Matches && c.Op != fn.HasAny && c.Op != fn.HasAll
	text := e.operand(c.Args[0], raw)
	if k, ok := c.Args[0].(*plan.Const); ok {
		text = literal(k)
	}
	switch c.Op {
	case fn.Matches:
		return "regexp_matches(" + text + ", " + Literal(needle) + ")"
	case fn.HasAny, fn.HasAll:
		return e.hasList(c, text)
	}
	if isConst {
		return searchConst(c.Op, text, needle)
	}
	return e.searchDynamic(c.Op, text, e.value(c.Args[1]))
}

func constText(x plan.Expr) (string, bool) {
	if k, ok := x.(*plan.Const); ok {
		s, isText := k.V.(string)
		return s, isText
	}
	return "", false
}

// edges tells which edges an operator ties to a term's.
func edges(op fn.Op) (start, end, fold bool) {
	switch op {
	case fn.Has, fn.HasCS:
		start, end = true, true
	case fn.HasPrefix, fn.HasPrefixCS:
		start = true
	case fn.HasSuffix, fn.HasSuffixCS:
		end = true
	}
	return start, end, op == fn.Has || op == fn.HasPrefix || op == fn.HasSuffix || op == fn.Contains
}

// termPattern is the expression that finds a needle at a term's edges. An edge
// that is no letter or digit itself needs no test.
func termPattern(needle string, start, end bool) string {
	p := regexp.QuoteMeta(needle)
	first, _ := utf8.DecodeRuneInString(needle)
	last, _ := utf8.DecodeLastRuneInString(needle)
	if start && isTerm(first) {
		p = termStart + p
	}
	if end && isTerm(last) {
		p += termEnd
	}
	return p
}

func isTerm(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

func searchConst(op fn.Op, text, needle string) string {
	switch op {
	case fn.StartsWith:
		return "starts_with(lower(" + text + "), lower(" + Literal(needle) + "))"
	case fn.StartsWithCS:
		return "starts_with(" + text + ", " + Literal(needle) + ")"
	case fn.EndsWith:
		return "ends_with(lower(" + text + "), lower(" + Literal(needle) + "))"
	case fn.EndsWithCS:
		return "ends_with(" + text + ", " + Literal(needle) + ")"
	case fn.ContainsCS:
		return "contains(" + text + ", " + Literal(needle) + ")"
	}
	start, end, fold := edges(op)
	return found(text, regexp.QuoteMeta(needle), termPattern(needle, start, end), fold)
}

// found looks for a pattern; where it tests edges the plain needle is looked for
// first, which RE2 does four times as fast.
func found(text, plain, pattern string, fold bool) string {
	if fold {
		plain, pattern = "(?i)"+plain, "(?i)"+pattern
	}
	sql := "regexp_matches(" + text + ", " + Literal(pattern) + ")"
	if plain == pattern {
		return sql
	}
	return "(regexp_matches(" + text + ", " + Literal(plain) + ") AND " + sql + ")"
}

// searchDynamic writes a search for a needle that is only known by row.
func (e *emitter) searchDynamic(op fn.Op, text, needle string) string {
	lower := func(s string) string { return "lower(" + s + ")" }
	switch op {
	case fn.StartsWith:
		return "starts_with(" + lower(text) + ", " + lower(needle) + ")"
	case fn.StartsWithCS:
		return "starts_with(" + text + ", " + needle + ")"
	case fn.EndsWith:
		return "ends_with(" + lower(text) + ", " + lower(needle) + ")"
	case fn.EndsWithCS:
		return "ends_with(" + text + ", " + needle + ")"
	case fn.Contains:
		return "contains(" + lower(text) + ", " + lower(needle) + ")"
	case fn.ContainsCS:
		return "contains(" + text + ", " + needle + ")"
	}
	start, end, fold := edges(op)
	pattern := "regexp_escape(" + needle + ")"
	if start {
		pattern = "CASE WHEN regexp_matches(" + needle + ", '^[\\pL\\pN]') THEN " + Literal(termStart) + " ELSE '' END || " + pattern
	}
	if end {
		pattern += " || CASE WHEN regexp_matches(" + needle + ", '[\\pL\\pN]$') THEN " + Literal(termEnd) + " ELSE '' END"
	}
	if fold {
		pattern = "'(?i)' || " + pattern
	}
	return "regexp_matches(" + text + ", " + pattern + ")"
}

// hasList writes has_any as one expression, which is several times faster than a
// chain of or, and has_all as a chain of and.
func (e *emitter) hasList(c *plan.Call, text string) string {
	var plain, patterns []string
	for _, a := range c.Args[1:] {
		needle, _ := constText(a)
		plain = append(plain, regexp.QuoteMeta(needle))
		patterns = append(patterns, termPattern(needle, true, true))
	}
	if c.Op == fn.HasAny {
		return found(text, "(?:"+strings.Join(plain, "|")+")", "(?:"+strings.Join(patterns, "|")+")", true)
	}
	parts := make([]string, len(patterns))
	for i, p := range patterns {
		parts[i] = found(text, plain[i], p, true)
	}
	return "(" + strings.Join(parts, " AND ") + ")"
}
