package syntax

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/kql/kqltest"
)

// ignoreSpans compares trees without places.
var ignoreSpans = cmp.FilterPath(func(p cmp.Path) bool {
	return p.Last().Type().String() == "syntax.Span"
}, cmp.Ignore())

func roundTrip(t testing.TB, q *Query) {
	t.Helper()
	printed := Print(q)
	again, diags := Parse(printed)
	if len(diags) > 0 {
		t.Fatalf("the printed query does not parse: %v\n%s", diags[0], printed)
	}
	if diff := cmp.Diff(q.Statements, again.Statements, ignoreSpans); diff != "" {
		t.Fatalf("the printed query is another one: %s\n%s", diff, printed)
	}
}

func TestCorpusParsesAndPrintsBack(t *testing.T) {
	failed := 0
	queries := kqltest.Queries(t)
	for name, text := range queries {
		q, diags := Parse(text)
		if len(diags) > 0 {
			failed++
			t.Logf("%s: %v", name, diags[0])
			continue
		}
		roundTrip(t, q)
	}
	t.Logf("%d of %d queries parse", len(queries)-failed, len(queries))
}
