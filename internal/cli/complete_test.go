package cli

import (
	"slices"
	"testing"
)

func TestComplete(t *testing.T) {
	s := &session{}
	for _, c := range []struct {
		text  string
		start int
		want  string // one of the words
		never string
	}{
		{".sch", 0, ".schema", ".tables"},
		{".schema Secu", 8, "SecurityEvent", "Syslog"},
		{".explain SecurityE", 9, "SecurityEvent", "Event"},
		{"Secu", 0, "SecurityEvent", "windows_events"},
		{"SecurityEvent | summ", 16, "summarize", "sort"},
		{"SecurityEvent\n| where Even", 22, "EventID", "Computer"},
		{"SecurityEvent | summarize N = count() by Computer | where ", 58, "N", "EventID"},
		{"SecurityEvent | summarize dcount(Comp", 33, "Computer", "count("},
		{"SecurityEvent | extend a = tolo", 27, "tolower(", "toupper("},
		{"print '.sch", 11, "", ""},
	} {
		start, words := s.complete(c.text, len(c.text))
		if c.want != "" && (start != c.start || !slices.Contains(words, c.want)) || slices.Contains(words, c.never) && c.never != "" || c.want == "" && len(words) > 0 {
			t.Errorf("%q: from %d %q", c.text, start, words)
		}
	}
}
