package cli

import (
	"context"
	"strings"

	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
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
			return start, beginning(query.Names(s.known()), text[start:at])
		case name != ".explain":
			return at, nil
		}
		// The question behind .explain is completed as one.
		from := len(name) + 1
		start, words = s.complete(text[from:], at-from)
		return start + from, words
	}
	start = at
	for _, c := range query.Complete(text, at, s.known()) {
		start = c.Span.Start
		words = append(words, c.Text)
	}
	return start, words
}

// known gives the tables that can be asked.
func (s *session) known() *schema.Set {
	switch {
	case s.config != nil:
		if set, err := s.config.Lake.Schema(context.Background()); err == nil {
			return set
		}
	case s.remote != nil:
		return s.app.lakeTables(context.Background())
	}
	return schema.Builtin()
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
