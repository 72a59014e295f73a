package cli

import (
	"strings"

	"github.com/wadi-project/wadi/internal/query"
)

// complete gives the words that may follow at a place of what is typed: commands of
// the shell, names of tables behind .schema, and else what KQL takes there.
func (s *session) complete(text string, at int) (start int, words []string) {
	if strings.HasPrefix(text, ".") {
		name, _, hasArgument := strings.Cut(text[:at], " ")
		switch {
		case !hasArgument:
			names := []string{".help", ".quit"}
			for _, c := range s.commands() {
				names = append(names, c.Name)
			}
			return 0, beginning(names, text[:at])
		case name == ".schema":
			start = strings.LastIndexByte(text[:at], ' ') + 1
			return start, beginning(query.Names(), text[start:at])
		case name != ".explain":
			return at, nil
		}
		// The question behind .explain is completed as one.
		from := len(name) + 1
		start, words = s.complete(text[from:], at-from)
		return start + from, words
	}
	start = at
	for _, c := range query.Complete(text, at) {
		start = c.Span.Start
		words = append(words, c.Text)
	}
	return start, words
}

// beginning gives the names that begin as a word does, whatever its case.
func beginning(names []string, word string) (found []string) {
	for _, name := range names {
		if len(name) >= len(word) && strings.EqualFold(name[:len(word)], word) {
			found = append(found, name)
		}
	}
	return found
}
