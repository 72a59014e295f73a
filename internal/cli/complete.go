package cli

import (
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/query"
)

// complete gives the words that may follow at a place of a question: operators
// behind '|', tables where a question begins, and elsewhere the columns of the
// tables that it names and functions.
func (s *session) complete(text string, at int) (start int, words []string) {
	start = at
	for start > 0 && wordByte(text[start-1]) {
		start--
	}
	word, before := text[start:at], strings.TrimRight(text[:start], " \t\n")
	var found []string
	switch {
	case before == "" && strings.HasPrefix(text, "."):
		start, word = 0, text[:at]
		for _, c := range s.commands() {
			found = append(found, c.Name)
		}
		found = append(found, ".help", ".quit")
	case strings.HasPrefix(before, ".schema"):
		found = query.Names()
	case strings.HasSuffix(before, "|"):
		found = syntax.Operators()
	case before == "" || strings.HasSuffix(before, ";"):
		found = append(query.Names(), "let", "print", "union", "set", "range", "datatable", "search")
	default:
		for _, name := range query.Names() {
			if strings.Contains(text, name) {
				for _, c := range query.Columns(name) {
					found = append(found, c.Name)
				}
			}
		}
		for name := range fn.Functions {
			found = append(found, name+"(")
		}
		for name := range fn.Aggregates {
			found = append(found, name+"(")
		}
		for _, name := range fn.Special {
			found = append(found, name+"(")
		}
		found = append(found, query.Names()...)
	}
	slices.Sort(found)
	for _, name := range slices.Compact(found) {
		if len(name) >= len(word) && strings.EqualFold(name[:len(word)], word) {
			words = append(words, name)
		}
	}
	return start, words
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
