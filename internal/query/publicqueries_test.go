//go:build cgo

package query

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/schema"
)

// TestPublicQueries runs every public query over an empty lake: it is understood,
// planned and run by DuckDB, or refused by name. Those that Microsoft's parser
// rejects for a fault of their own are left out (exclusions.tsv).
func TestPublicQueries(t *testing.T) {
	queries, excluded := kqltest.Queries(t), kqltest.Excluded(t)
	all := newTally(t, "public")
	for _, id := range slices.Sorted(maps.Keys(queries)) {
		text := queries[id]
		if excluded[id] || !all.wanted(id, text, nil) {
			continue
		}
		c := judged{id: id, query: text, want: "an answer"}
		switch got, err := answerTo(t, text); {
		case err != nil:
			c.verdict = verdictOf(err)
		case len(got.columns) == 0:
			c.verdict = verdict{outcome: wrong, reason: "the result has no columns"}
		}
		all.add(c)
	}
	all.finish()
}

// TestPublicSchemas checks that every documented column of the tables which public
// queries ask is one that Wadi knows, of the same type: else a query is refused
// for the wrong reason.
func TestPublicSchemas(t *testing.T) {
	for name, columns := range kqltest.Schemas(t) {
		v := schema.LookupView(name)
		if v == nil {
			t.Errorf("there is no view %s", name)
			continue
		}
		have := map[string]schema.Type{}
		for _, c := range v.Columns {
			have[c.Name] = c.KQL
		}
		var missing []string
		for _, c := range columns {
			if typ, ok := have[c.Name]; !ok || typ.String() != c.Type {
				missing = append(missing, c.Name+":"+c.Type)
			}
		}
		if len(missing) > 0 {
			t.Errorf("%s lacks %s", name, strings.Join(missing, " "))
		}
	}
}
