package msparser

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// ownTables are the tables that the parser's own cases ask.
const ownTables = "let T = datatable(a:long, s:string, d:dynamic, t:datetime)[];\nlet U = datatable(a:long, u:string)[];\n"

// TestQueries compares with Microsoft's parser over every query there is.
func TestQueries(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("slow (about half a minute): set WADI_SLOW=1")
	}
	all := questions(t)
	for i := range all {
		if all[i].Kind == "own" {
			all[i].Query = ownTables + all[i].Query
		}
	}
	answers := ask(t, views(), all)
	t.Run("syntax", func(t *testing.T) { compareSyntax(t, all, answers) })
	t.Run("bind", func(t *testing.T) { compareBinding(t, all, answers) })
}

// compareSyntax compares what both parsers accept, by syntax alone.
func compareSyntax(t *testing.T, all []question, answers map[string]answer) {
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
			t.Errorf("%s %s: ours %s, theirs %s: %v %v\n%s", q.Kind, q.ID, ours, theirs, diags, a.Syntax, q.Query)
		}
	}
	t.Logf("%d of %d queries judged the same, %d known differences", same, len(all), len(known))
}

// TestMutations compares what both parsers say of queries with one token taken
// out, put in or exchanged: most are wrong, in ways that no corpus holds. Neither
// language says what to make of nonsense, so the floor is a share.
func TestMutations(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("slow (about half a minute): set WADI_SLOW=1")
	}
	const (
		queries = 1000
		floor   = 0.97
		longest = 1500
	)
	all := slices.DeleteFunc(questions(t), func(q question) bool { return len(q.Query) > longest || len(syntax.Tokens(q.Query)) < 4 })
	slices.SortFunc(all, func(a, b question) int { return strings.Compare(a.ID, b.ID) })
	random := rand.New(rand.NewPCG(1, 2))
	var mutants []question
	for i := range queries {
		mutants = append(mutants, question{ID: strconv.Itoa(i), Query: mutant(random, all[random.IntN(len(all))].Query)})
	}
	answers := ask(t, kqltest.Schemas(t), mutants)
	same := 0
	for _, q := range mutants {
		_, diags := syntax.Parse(q.Query)
		a := answers[q.ID]
		if (len(diags) > 0) == (len(a.Syntax) > 0) || a.Crash != "" {
			same++
			continue
		}
		if len(diags) > 0 {
			t.Logf("ours reject, theirs accept: %v\n%s", diags[0], q.Query)
		} else {
			t.Logf("ours accept, theirs reject: %v\n%s", a.Syntax[0], q.Query)
		}
	}
	t.Logf("%d of %d judged the same", same, queries)
	if float64(same) < floor*queries {
		t.Errorf("fewer than %v", floor)
	}
}

// mutant changes one token of a query.
func mutant(random *rand.Rand, text string) string {
	tokens := syntax.Tokens(text)
	at, other := tokens[random.IntN(len(tokens))], tokens[random.IntN(len(tokens))]
	switch random.IntN(3) {
	case 0:
		return text[:at.Start] + text[at.End:]
	case 1:
		return text[:at.Start] + other.Text + " " + text[at.Start:]
	}
	return text[:at.Start] + other.Text + text[at.End:]
}
