//go:build cgo

package query

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/schema"
)

// outcome is what became of one case.
type outcome int

const (
	passed outcome = iota
	refused
	wrong
	// bothRefuse: Kusto refuses the query, and so does Wadi. No answer is compared,
	// so it counts apart.
	bothRefuse
)

// verdict is an outcome with what a developer needs to see why.
type verdict struct {
	outcome outcome
	reason  string
	got     string
}

// judged is a case as the tally needs it.
type judged struct {
	id, query, want string
	tags            []string
	verdict
}

// tally gathers the verdicts of one runner and checks them against the floors
// (testdata/floors.txt) and the list of known differences (testdata/wrong.tsv).
// A floor is the count of a full run; whoever makes a count grow raises it.
type tally struct {
	t      *testing.T
	runner string
	filter []string
	cases  []judged
	names  *featureNames
}

func newTally(t *testing.T, runner string) *tally {
	return &tally{t: t, runner: runner, filter: caseFilter(), names: readFeatures(t)}
}

// caseFilter is WADI_CASES: ids, tags or words of the query, comma-separated.
func caseFilter() []string {
	text := os.Getenv("WADI_CASES")
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// wanted tells whether the filter lets a case in.
func (a *tally) wanted(id, query string, tags []string) bool {
	if len(a.filter) == 0 {
		return true
	}
	bare := stripped(query)
	for _, term := range a.filter {
		if strings.Contains(id, term) || slices.Contains(tags, term) {
			return true
		}
		if ok, _ := regexp.MatchString(`(^|[^\w-])`+regexp.QuoteMeta(term)+`($|[^\w-])`, bare); ok {
			return true
		}
	}
	return false
}

func (a *tally) add(c judged) { a.cases = append(a.cases, c) }

// finish prints and checks.
func (a *tally) finish() {
	known := readWrong(a.t, a.runner)
	if len(a.filter) > 0 {
		a.showAll(known)
		return
	}
	counts := map[string]int{}
	for i := range a.cases {
		c := &a.cases[i]
		group := a.names.group(c.query)
		for _, g := range []string{group, "all"} {
			counts[g+" "+c.outcome.String()]++
			if c.outcome != bothRefuse {
				counts[g+" cases"]++
			}
		}
		reason, listed := known[c.id]
		switch {
		case c.outcome == wrong && !listed:
			a.t.Errorf("%s is wrong: %s\n   %s\n   want %s\n   got  %s", c.id, c.reason, c.query, c.want, c.got)
		case c.outcome == wrong:
			a.t.Logf("%s differs (%s): %s", c.id, reason, c.reason)
		case listed && (c.outcome == passed || c.outcome == bothRefuse):
			a.t.Errorf("%s agrees now: take it off testdata/wrong.tsv", c.id)
		}
	}
	a.t.Log("refused, by reason:" + a.reasons())
	for _, g := range []string{groupNamed, groupBeyond, groupExcluded, "all"} {
		n := counts[g+" cases"]
		a.t.Logf("%-9s %4d cases: %4d passed (%.1f %%), %d refused, %d wrong; besides %d that Kusto refuses too",
			g, n, counts[g+" passed"], 100*float64(counts[g+" passed"])/float64(max(n, 1)), counts[g+" refused"], counts[g+" wrong"], counts[g+" both refuse"])
	}
	if n := counts[groupNamed+" wrong"]; 100*n > counts[groupNamed+" cases"] {
		a.t.Errorf("%d answers are wrong: more than one in a hundred", n)
	}
	if floor := readFloor(a.t, a.runner); counts["all passed"] < floor {
		a.t.Errorf("%d cases pass, %d passed before", counts["all passed"], floor)
	}
}

// showAll prints the cases of a filtered run that did not pass.
func (a *tally) showAll(known map[string]string) {
	n := map[outcome]int{}
	for i := range a.cases {
		c := &a.cases[i]
		n[c.outcome]++
		if c.outcome == passed || c.outcome == bothRefuse {
			continue
		}
		note := ""
		if reason := known[c.id]; reason != "" {
			note = " (known: " + reason + ")"
		}
		a.t.Logf("%s %s%s: %s\n   %s\n   want %s\n   got  %s", c.id, c.outcome, note, c.reason, c.query, c.want, c.got)
	}
	a.t.Logf("WADI_CASES: %d passed, %d refused, %d wrong, %d that Kusto refuses too", n[passed], n[refused], n[wrong], n[bothRefuse])
}

// reasons lists why cases are refused, the most frequent first.
func (a *tally) reasons() string {
	type entry struct {
		count int
		ids   []string
	}
	by := map[string]*entry{}
	for i := range a.cases {
		if c := &a.cases[i]; c.outcome == refused {
			e := by[c.reason]
			if e == nil {
				e = new(entry)
				by[c.reason] = e
			}
			e.count++
			if len(e.ids) < 4 {
				e.ids = append(e.ids, c.id)
			}
		}
	}
	var b strings.Builder
	for _, reason := range slices.SortedFunc(maps.Keys(by), func(x, y string) int {
		return cmp.Or(by[y].count-by[x].count, strings.Compare(x, y))
	}) {
		fmt.Fprintf(&b, "\n   %4d %s (%s)", by[reason].count, reason, strings.Join(by[reason].ids, " "))
	}
	return b.String()
}

func (o outcome) String() string { return [...]string{"passed", "refused", "wrong", "both refuse"}[o] }

// verdictOf judges an error: a refusal names what can't run, and is the way to
// say no; any other error is a defect.
func verdictOf(err error) verdict {
	var mistake *Error
	if errors.As(err, &mistake) {
		return verdict{outcome: refused, reason: mistake.Diagnostics[0].Message}
	}
	return verdict{outcome: wrong, reason: "fails: " + err.Error()}
}

// TestEngineCases compares with what Kusto's own engine answered: a query is
// refused by name, or its names, types and rows are the same.
func TestEngineCases(t *testing.T) {
	cases := kqltest.EngineCases(t)
	all := newTally(t, "engine")
	for i := range cases {
		c := &cases[i]
		if !all.wanted(c.ID, c.Query, c.Tags) {
			continue
		}
		got, err := answerTo(t, c.Query)
		all.add(judged{id: c.ID, query: c.Query, tags: c.Tags, want: wantOf(c), verdict: judge(c, got, err)})
	}
	all.finish()
}

func wantOf(c *kqltest.Case) string {
	if c.Error != "" {
		return "an error: " + c.Error
	}
	var names []string
	for _, col := range c.Columns {
		names = append(names, col.Name+":"+col.Type)
	}
	return strings.Join(names, ", ") + show(c.Rows)
}

func gotOf(a *answer) string {
	var names []string
	for _, col := range a.columns {
		names = append(names, col.Name+":"+col.Type.String())
	}
	return strings.Join(names, ", ") + show(a.rows)
}

func judge(c *kqltest.Case, got *answer, err error) verdict {
	if err != nil {
		v := verdictOf(err)
		if c.Error != "" && v.outcome == refused {
			v.outcome = bothRefuse
		}
		return v
	}
	v := verdict{outcome: wrong, got: gotOf(got)}
	switch {
	case c.Error != "":
		v.reason = "Kusto refuses it"
	case len(c.Columns) != len(got.columns):
		v.reason = fmt.Sprintf("%d columns, not %d", len(got.columns), len(c.Columns))
	default:
		for i, col := range c.Columns {
			if !sameColumn(got.columns[i], col.Name, col.Type) {
				v.reason = fmt.Sprintf("column %s:%s, not %s:%s", got.columns[i].Name, got.columns[i].Type, col.Name, col.Type)
				return v
			}
		}
		if v.reason = sameRows(got.rows, c.Rows, c.Ordered); v.reason == "" {
			v.outcome = passed
		}
	}
	return v
}

// sameColumn compares a column; the record may leave the choice of two types.
func sameColumn(got engine.Column, name, types string) bool {
	return got.Name == name && slices.Contains(strings.Split(types, "|"), got.Type.String())
}

// The groups of cases. The figures are about the first.
const (
	groupNamed    = "named"    // uses only what features.tsv counts and the language's core
	groupBeyond   = "beyond"   // uses more; counted apart, driven up all the same
	groupExcluded = "excluded" // uses what is left out on purpose, with a reason
)

// featureNames tells the groups apart.
type featureNames struct {
	named    map[string]bool
	excluded []exclusion
}

type exclusion struct {
	pattern *regexp.Regexp
	reason  string
}

// readFeatures reads the corpus' features.tsv and testdata/features.tsv: a line
// is "named <word> <reason>" or "excluded <pattern> <reason>".
func readFeatures(t testing.TB) *featureNames {
	f := &featureNames{named: map[string]bool{}}
	for _, name := range kqltest.Features(t) {
		f.named[name] = true
	}
	for _, fields := range table(t, "features.tsv", 3) {
		switch fields[0] {
		case "named":
			for name := range strings.FieldsSeq(fields[1]) {
				f.named[name] = true
			}
		case "excluded":
			f.excluded = append(f.excluded, exclusion{regexp.MustCompile("^(?:" + fields[1] + ")$"), fields[2]})
		default:
			t.Fatalf("testdata/features.tsv: %q", fields)
		}
	}
	return f
}

var (
	comments  = regexp.MustCompile(`//[^\n]*`)
	strs      = regexp.MustCompile(`@"[^"]*"|@'[^']*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'`)
	calls     = regexp.MustCompile(`([A-Za-z_]\w*)\s*\(`)
	operators = regexp.MustCompile(`\|\s*([a-z][a-z-]+)`)
	lets      = regexp.MustCompile(`\blet\s+([A-Za-z_]\w*)`)
)

// stripped is a query without comments and texts. A text may hold "//", so those
// go first.
func stripped(query string) string {
	return comments.ReplaceAllString(strs.ReplaceAllString(query, "''"), "")
}

func (f *featureNames) group(query string) string {
	query = stripped(query)
	own := map[string]bool{}
	for _, m := range lets.FindAllStringSubmatch(query, -1) {
		own[m[1]] = true
	}
	group := groupNamed
	see := func(name string) {
		if own[name] || f.named[name] {
			return
		}
		for _, x := range f.excluded {
			if x.pattern.MatchString(name) {
				group = groupExcluded
			}
		}
		if group == groupNamed {
			group = groupBeyond
		}
	}
	for _, m := range calls.FindAllStringSubmatch(query, -1) {
		see(m[1])
	}
	for _, m := range operators.FindAllStringSubmatch(query, -1) {
		see(m[1])
	}
	return group
}

// table reads a tab-separated file of testdata; lines that begin with # are
// comments.
func table(t testing.TB, name string, columns int) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != columns {
			t.Fatalf("testdata/%s: %q has %d fields, not %d", name, line, len(fields), columns)
		}
		rows = append(rows, fields)
	}
	return rows
}

// readWrong gives the known differences of a runner, id to reason.
func readWrong(t testing.TB, runner string) map[string]string {
	known := map[string]string{}
	for _, f := range table(t, "wrong.tsv", 3) {
		if f[0] == runner {
			known[f[1]] = f[2]
		}
	}
	return known
}

func readFloor(t testing.TB, runner string) int {
	for _, f := range table(t, "floors.txt", 2) {
		if f[0] == runner {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("testdata/floors.txt has no floor of %s", runner)
	return 0
}

// TestSame checks the comparison itself.
func TestSame(t *testing.T) {
	for _, c := range []struct {
		got  any
		want string
		same bool
	}{
		{int64(9007199254740993), "9007199254740993", true},
		{int64(9007199254740992), "9007199254740993", false},
		{2.0, "2", true},
		{0.1 + 0.2, "0.3", true},
		{0.1000001, "0.1", false},
		{math.Inf(1), "1e308", false},
		{math.NaN(), "0", false},
		{math.Inf(1), `"Infinity"`, true},
		{int64(2), `"2"`, false},
		{"2", `"2"`, true},
		{nil, "null", true},
		{"", "null", false},
		{nil, `""`, false},
		{false, "null", false},
		{json.Number("1"), "true", false},
		{[]any{json.Number("1"), nil}, "[1,null]", true},
		{[]any{json.Number("1")}, "[1,null]", false},
		{map[string]any{"a": []any{}}, `{"a":[]}`, true},
		{map[string]any{"a": []any{}}, `{"b":[]}`, false},
		{map[string]any{}, `{"b":null}`, false},
	} {
		want, err := decode([]byte(c.want))
		if err != nil {
			t.Fatal(err)
		}
		if got := same(c.got, want); got != c.same {
			t.Errorf("%#v and %s: same is %v", c.got, c.want, got)
		}
	}
	rows := [][]any{{int64(1)}, {int64(2)}, {int64(1)}}
	for want, differs := range map[string]bool{"[[1],[1],[2]]": false, "[[1],[2],[2]]": true, "[[1],[2]]": true} {
		var w [][]any
		d := json.NewDecoder(strings.NewReader(want))
		d.UseNumber()
		if err := d.Decode(&w); err != nil {
			t.Fatal(err)
		}
		if got := sameRows(rows, w, false); (got != "") != differs {
			t.Errorf("%s: %q", want, got)
		}
		if got := sameRows(rows, w, true); got == "" {
			t.Errorf("%s in order: no difference", want)
		}
	}
	if !sameColumn(engine.Column{Name: "a", Type: schema.Long}, "a", "int|long") || sameColumn(engine.Column{Name: "a", Type: schema.Int}, "a", "dynamic|uint") {
		t.Error("columns compare wrongly")
	}
}
