//go:build cgo

package query

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/schema"
)

// TestDocCases compares with the examples of Microsoft's documentation, whose pages
// tell no types. Where a page differs, the engine's own answer to the same query
// counts if it is recorded.
func TestDocCases(t *testing.T) {
	recorded := map[string]*kqltest.Case{}
	engine := kqltest.EngineCases(t)
	for i := range engine {
		recorded[squeezed(engine[i].Query)] = &engine[i]
	}
	all := newTally(t, "doc")
	for _, c := range kqltest.DocCases(t) {
		id := fmt.Sprintf("%s/%d", c.Page, c.N)
		if !all.wanted(id, c.Query, nil) {
			continue
		}
		got, err := answerTo(t, c.Query)
		j := judged{id: id, query: c.Query, want: docWant(&c)}
		j.verdict = judgeDoc(&c, got, err)
		if r := recorded[squeezed(c.Query)]; j.outcome == wrong && r != nil && r.Error == "" {
			j.want, j.verdict = wantOf(r), judge(r, got, err)
		}
		all.add(j)
	}
	all.finish()
}

func squeezed(query string) string { return strings.Join(strings.Fields(query), " ") }

func docWant(c *kqltest.DocCase) string {
	var b strings.Builder
	b.WriteString(strings.Join(c.Expected.Columns, ", "))
	for _, r := range c.Expected.Rows {
		fmt.Fprintf(&b, "\n      %q", r)
	}
	return b.String()
}

// judgeDoc compares loosely: the pages don't tell types, print times and reals in
// many forms, and not always in the query's order.
func judgeDoc(c *kqltest.DocCase, got *answer, err error) verdict {
	if err != nil {
		return verdictOf(err)
	}
	want := c.Expected
	v := verdict{outcome: wrong, got: gotOf(got)}
	switch {
	case len(want.Columns) != len(got.columns):
		v.reason = fmt.Sprintf("%d columns, not %d", len(got.columns), len(want.Columns))
		return v
	case len(want.Rows) != len(got.rows):
		v.reason = fmt.Sprintf("%d rows, not %d", len(got.rows), len(want.Rows))
		return v
	}
	for i, name := range want.Columns {
		if unmarked(name) != got.columns[i].Name {
			v.reason = fmt.Sprintf("column %s, not %s", got.columns[i].Name, name)
			return v
		}
	}
	used := make([]bool, len(got.rows))
	for n, w := range want.Rows {
		found := false
		for i := range got.rows {
			if !used[i] && sameDocRow(got, i, w) {
				used[i], found = true, true
				break
			}
		}
		if !found {
			v.reason = fmt.Sprintf("row %d differs", n)
			return v
		}
	}
	v.outcome = passed
	return v
}

func sameDocRow(got *answer, row int, want []string) bool {
	if len(want) != len(got.columns) {
		return false
	}
	for i := range want {
		if !sameDocText(got.rows[row][i], got.columns[i].Type, want[i]) {
			return false
		}
	}
	return true
}

// unmarked takes Markdown away.
func unmarked(s string) string {
	return strings.NewReplacer("`", "", `\_`, "_", `\|`, "|", `\*`, "*", "<br>", "\n", "&nbsp;", " ").Replace(s)
}

func sameDocText(got any, typ schema.Type, want string) bool {
	want = strings.TrimSpace(unmarked(want))
	if got == nil {
		return want == "null" || want == ""
	}
	if typ == schema.Dynamic {
		if w, err := decode([]byte(want)); err == nil {
			return same(got, w)
		}
	}
	if f, ok := got.(float64); ok {
		var w float64
		if _, err := fmt.Sscan(want, &w); err == nil {
			return math.Abs(f-w) <= 1e-9*math.Max(math.Abs(f), math.Abs(w)) || rounded(f, want)
		}
	}
	text := docText(got)
	return text == want || squeeze(text, typ) == squeeze(want, typ)
}

// rounded tells whether the page prints fewer digits of f, at least four.
func rounded(f float64, want string) bool {
	_, digits, ok := strings.Cut(want, ".")
	return ok && len(digits) >= 4 && fmt.Sprintf("%.*f", len(digits), f) == want
}

// squeeze brings the forms of times and texts together.
func squeeze(s string, typ schema.Type) string {
	switch typ {
	case schema.DateTime, schema.TimeSpan:
		s = strings.NewReplacer("T", " ", "Z", "").Replace(s)
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(s, ":00"), ":00"), " 00")
	case schema.Bool:
		return strings.ToLower(s)
	default:
		return strings.Join(strings.Fields(s), " ")
	}
}

// docText prints a value as the documentation's tables do.
func docText(v any) string {
	switch v := v.(type) {
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case float64:
		return strings.TrimSuffix(fn.FormatReal(v), ".0")
	case string:
		return v
	case []any, map[string]any:
		text, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	return fmt.Sprint(v)
}

func TestSameDocText(t *testing.T) {
	for _, c := range []struct {
		got  any
		typ  schema.Type
		want string
		same bool
	}{
		{"2024-01-01T00:00:00.0000000Z", schema.DateTime, "2024-01-01 00:00:00.0000000", true},
		{"2024-01-01T00:00:00.0000000Z", schema.DateTime, "2024-01-01T00:00:00Z", true},
		{"2024-01-01T00:00:00.0000000Z", schema.DateTime, "2024-01-01 00:00", true},
		{"2024-01-01T00:00:00.0000001Z", schema.DateTime, "2024-01-01T00:00:00Z", false},
		{"2024-01-01T10:00:00.0000000Z", schema.DateTime, "2024-01-01T01:00:00Z", false},
		{"01:00:00", schema.TimeSpan, "01:00:00", true},
		{"01:00:00", schema.TimeSpan, "00:01:00", false},
		{16.4, schema.Real, "16.4", true},
		{16.44444444, schema.Real, "16.4444", true},
		{16.45, schema.Real, "16.4", false},
		{int64(1), schema.Long, "1", true},
		{int64(1), schema.Long, "10", false},
		{true, schema.Bool, "true", true},
		{true, schema.Bool, "false", false},
		{nil, schema.Long, "", true},
		{"", schema.String, "", true},
		{"a b", schema.String, "ab", false},
		{[]any{json.Number("1"), json.Number("2")}, schema.Dynamic, "[<br>  1,<br>  2<br>]", true},
		{[]any{json.Number("1")}, schema.Dynamic, "[2]", false},
	} {
		if got := sameDocText(c.got, c.typ, c.want); got != c.same {
			t.Errorf("%v and %q: same is %v", c.got, c.want, got)
		}
	}
}
