package syntax

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/kql/kqltest"
)

// ignoreSpans compares trees without places.
var ignoreSpans = cmp.FilterPath(func(p cmp.Path) bool {
	return p.Last().Type() == reflect.TypeFor[Span]()
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

// spans checks that every node stands within its parent's place and the text.
func spans(t testing.TB, q *Query) {
	t.Helper()
	for _, s := range q.Statements {
		nested(t, q.Text, reflect.ValueOf(s), Span{0, len(q.Text)})
	}
}

func nested(t testing.TB, text string, v reflect.Value, outer Span) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			nested(t, text, v.Elem(), outer)
		}
	case reflect.Slice:
		for i := range v.Len() {
			nested(t, text, v.Index(i), outer)
		}
	case reflect.Struct:
		if s, ok := v.Interface().(Span); ok {
			if s.Start != s.End && (s.Start < outer.Start || s.End > outer.End || s.End < s.Start) {
				t.Fatalf("the place %v lies outside of %v (%s)\n%s", s, outer, v.Type(), text)
			}
			return
		}
		if f := v.FieldByName("Span"); f.IsValid() {
			at := f.Interface().(Span)
			if at.Start == at.End && at.End <= len(text) {
				at = outer // something that is missing
			}
			if at.Start < outer.Start || at.End > outer.End || at.End < at.Start {
				t.Fatalf("%s at %v lies outside of %v\n%s", v.Type(), at, outer, text)
			}
			outer = at
		}
		for _, field := range v.Fields() {
			nested(t, text, field, outer)
		}
	}
}

// corpus gives every query there is by a name: public ones, documentation
// examples and those with a recorded answer of Kusto's engine. refused tells that
// the engine refused it.
func corpus(t testing.TB, each func(kind, name, text string, refused bool)) {
	for name, text := range kqltest.Queries(t) {
		each("public", name, text, false)
	}
	for _, c := range kqltest.DocCases(t) {
		each("doc", fmt.Sprintf("%s/%d", c.Page, c.N), c.Query, false)
	}
	for _, c := range kqltest.EngineCases(t) {
		each("engine", c.ID, c.Query, c.Error != "")
	}
}

// unparsed are the queries that Kusto runs and the parser refuses, with the
// reason.
var unparsed = map[string]string{}

func TestCorpusParsesAndPrintsBack(t *testing.T) {
	parsed, all := map[string]int{}, map[string]int{}
	refusedParsed := 0
	corpus(t, func(kind, name, text string, refused bool) {
		q, diags := Parse(text)
		if len(diags) == 0 {
			roundTrip(t, q)
			spans(t, q)
		}
		if refused {
			if len(diags) == 0 {
				refusedParsed++
			}
			return
		}
		all[kind]++
		if len(diags) == 0 {
			parsed[kind]++
			if unparsed[name] != "" {
				t.Errorf("%s parses now", name)
			}
		} else if unparsed[name] == "" {
			t.Errorf("%s %s: %v\n%s", kind, name, diags[0], text)
		}
	})
	t.Logf("%v of %v queries parse; of those that Kusto refuses %d", parsed, all, refusedParsed)
	for kind, floor := range map[string]int{"public": 255, "doc": 448, "engine": 1360} {
		if parsed[kind] < floor {
			t.Errorf("%d %s queries parse, fewer than %d", parsed[kind], kind, floor)
		}
	}
}
