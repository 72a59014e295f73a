package msparser

import (
	"os"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// TestSyntax compares what both parsers accept, by syntax alone.
func TestSyntax(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("slow (about a minute): set WADI_SLOW=1")
	}
	all := questions(t)
	answers := ask(t, kqltest.Schemas(t), all)
	known := differences(t, "syntax")
	same := 0
	for _, q := range all {
		_, diags := syntax.Parse(q.Query)
		a := answers[q.ID]
		ours, theirs := verdict(len(diags) > 0), verdict(len(a.Syntax) > 0)
		want, listed := known[q.ID]
		switch {
		case ours == theirs && listed:
			t.Errorf("%s: both %s: the line in differences.tsv is old", q.ID, ours)
		case ours == theirs:
			same++
		case listed && want.ours == ours && want.theirs == theirs:
		default:
			said := any("")
			if len(diags) > 0 {
				said = diags[0]
			} else {
				said = a.Syntax[0]
			}
			t.Errorf("%s %s: ours %s, theirs %s: %v\n%s", q.Kind, q.ID, ours, theirs, said, q.Query)
		}
	}
	t.Logf("%d of %d queries judged the same, %d known differences", same, len(all), len(known))
}
