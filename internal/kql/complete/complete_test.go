package complete

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

var env = bind.Env{
	Now: event.UnixEpoch,
	Tables: func(name string) bind.Source {
		if v := schema.LookupView(name); v != nil {
			return bind.Source{Table: v.Table, View: v}
		}
		return bind.Source{Table: schema.LookupTable(name)}
	},
	Names: func() []string { return []string{"SecurityEvent", "SigninLogs", "Event"} },
}

// at completes at the mark ‸.
func at(t *testing.T, text string) []Candidate {
	t.Helper()
	before, after, ok := strings.Cut(text, "‸")
	if !ok {
		t.Fatalf("no mark in %q", text)
	}
	return At(before+after, len(before), env)
}

func TestAt(t *testing.T) {
	for _, c := range []struct {
		text  string
		has   string // candidates that must be there, as kind:text
		hasNo string
	}{
		{"‸", "table:SecurityEvent word:let word:union", "column:EventID operator:where"},
		{"Sec‸", "table:SecurityEvent", "table:SigninLogs"},
		{"sec‸", "table:SecurityEvent", ""},
		{"SecurityEvent | ‸", "operator:where operator:mv-expand operator:project-away", "table:Event column:EventID"},
		{"SecurityEvent | proj‸", "operator:project operator:project-away", "operator:where"},
		{"SecurityEvent | project-a‸", "operator:project-away", "operator:project"},
		{"SecurityEvent | where ‸", "column:EventID column:Account function:strcat( function:isempty(", "operator:take table:Event"},
		{"SecurityEvent | where Event‸", "column:EventID", "column:Account"},
		{"SecurityEvent | where EventID ‸", "word:== word:in word:has word:and", "column:EventID"},
		{"SecurityEvent | where EventID == 4625 and Acc‸", "column:Account", "column:EventID"},
		{"SecurityEvent | where strcat(Acc‸", "column:Account", ""},
		{"SecurityEvent | project A = Account, EventID | where ‸", "column:A column:EventID", "column:Account"},
		{"SecurityEvent | project A = Account | where foo == 1 | where ‸", "column:A", "column:Account"},
		{"SecurityEvent | summarize ‸", "aggregate:count( aggregate:dcount( column:Account", ""},
		{"SecurityEvent | summarize count() ‸", "word:by", ""},
		{"SecurityEvent | summarize count() by Acc‸", "column:Account", "aggregate:count("},
		{"SecurityEvent | summarize n = count() by Account | where ‸", "column:n column:Account", "column:EventID"},
		{"let x = 5; let F = SecurityEvent | take 5; ‸", "variable:x variable:F table:Event", ""},
		{"let A = SecurityEvent | project B = EventID; A | where ‸", "column:B variable:A", "column:EventID"},
		{"let x = Sec‸", "table:SecurityEvent", ""},
		{"SecurityEvent | join kind=‸", "word:inner word:leftanti", "table:Event"},
		{"SecurityEvent | join ‸", "word:kind= table:SigninLogs", ""},
		{"SecurityEvent | join kind=inner (‸", "table:SigninLogs", ""},
		{"SecurityEvent | join kind=inner (SigninLogs | where ‸", "column:UserPrincipalName", "column:EventID"},
		{"SecurityEvent | join kind=inner (SigninLogs) on Acc‸", "column:Account", ""},
		{"SecurityEvent | join kind=inner (SigninLogs) ‸", "word:on", ""},
		{"union SecurityEvent, Sig‸", "table:SigninLogs", ""},
		{"SecurityEvent | render ‸", "word:timechart word:barchart", "column:EventID"},
		{"SecurityEvent | evaluate ‸", "plugin:bag_unpack(", ""},
		{"SigninLogs | mv-expand ConditionalAccessPolicies to typeof(‸", "word:string word:dynamic", ""},
		{"SecurityEvent | project-away Acc‸", "column:Account", "function:strcat("},
		{"SecurityEvent | sort by EventID ‸", "word:desc word:asc", ""},
		{"SecurityEvent | sort by ‸", "column:EventID", ""},
		{"SecurityEvent | extend x = iff(EventID > 1, ‸", "column:Account", ""},
		{"SecurityEvent | extend x = (‸", "column:Account", ""},
		{"SecurityEvent | where EventID in (‸", "column:EventID table:SigninLogs", ""},
		{"SecurityEvent | where toscalar(SigninLogs | ‸", "operator:count", "column:EventID"},
		{"print ‸", "function:strcat( function:now(", "table:Event"},
	} {
		got := map[string]bool{}
		for _, x := range at(t, c.text) {
			got[x.Kind.String()+":"+x.Text] = true
		}
		for want := range strings.FieldsSeq(c.has) {
			if !got[want] {
				t.Errorf("%s: no %s", c.text, want)
			}
		}
		for not := range strings.FieldsSeq(c.hasNo) {
			if got[not] {
				t.Errorf("%s: %s is there", c.text, not)
			}
		}
	}
}

// TestQuiet holds places where nothing is suggested.
func TestQuiet(t *testing.T) {
	for _, text := range []string{
		`SecurityEvent | where Account == "Ad‸`, "SecurityEvent // wh‸", "// ‸", "SecurityEvent | take ‸", "SecurityEvent | take 1‸", "SecurityEvent ‸", "SecurityEvent | extend x = a.‸",
		"print datetime(20‸",
	} {
		if got := at(t, text); len(got) > 0 {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestSpanAndDetail(t *testing.T) {
	got := at(t, "SecurityEvent | where eventI‸D == 1")
	if len(got) != 1 || got[0].Text != "EventID" || got[0].Detail != "int" || got[0].Span.Start != 22 || got[0].Span.End != 28 {
		t.Errorf("%+v", got)
	}
	got = at(t, "SecurityEvent | project-aw‸")
	if len(got) != 1 || got[0].Span.Start != 16 {
		t.Errorf("%+v", got)
	}
	got = at(t, "SecurityEvent | extend x = strl‸")
	if len(got) != 1 || got[0].Detail != "(string) → long" {
		t.Errorf("%+v", got)
	}
}

// examples are what may follow an operator's word.
var examples = map[string]string{
	"as": "X", "assert-schema": "(EventID:int)", "distinct": "EventID", "evaluate": "autocluster()", "execute-and-cache": "", "extend": "x = 1", "facet": "by EventID", "filter": "true",
	"find": "x", "fork": "(count)", "invoke": "f()", "join": "(SigninLogs) on TenantId", "limit": "1", "lookup": "(SigninLogs | distinct TenantId) on TenantId", "make-series": "count() on TimeGenerated step 1d",
	"mv-apply": "x = dynamic([1]) on (take 1)", "mv-expand": "x = dynamic([1])", "mvapply": "x = dynamic([1]) on (take 1)", "mvexpand": "x = dynamic([1])", "order": "by EventID",
	"parse": `Account with "a" b`, "parse-kv": "Account as (a:string)", "parse-where": `Account with "a" b`, "partition": "by Account (take 1)", "project": "EventID", "project-away": "EventID",
	"project-by-names": `"EventID"`, "project-keep": "EventID", "project-rename": "x = EventID", "project-reorder": "EventID", "reduce": "by Account", "render": "table", "sample": "1",
	"sample-distinct": "1 of Account", "scan": "with (step s: true;)", "search": `"abc"`, "sort": "by EventID", "summarize": "count()", "take": "1", "top": "1 by EventID",
	"top-hitters": "1 of Account", "top-nested": "1 of Account by count()", "union": "SigninLogs", "where": "true",
}

// TestOperators checks that what runs is suggested, and what doesn't isn't.
func TestOperators(t *testing.T) {
	unusual := []string{"filter", "mvapply", "mvexpand", "project-by-names", "consume", "assert-schema"}
	for _, o := range syntax.Operators() {
		if strings.Contains(o, "graph") || o == "macro-expand" || o == "find" {
			continue
		}
		q, diags := syntax.Parse("let f = (T:(EventID:int)) { T };\nSecurityEvent | project EventID, Account, TenantId, TimeGenerated | " + o + " " + examples[o])
		if len(diags) == 0 {
			_, diags = bind.Bind(q, env)
		}
		runs := len(diags) == 0
		if suggested := slices.Contains(operators, o); runs != suggested && !(runs && slices.Contains(unusual, o)) {
			t.Errorf("%s: runs %v, suggested %v: %v", o, runs, suggested, diags)
		}
	}
}

// FuzzAt checks that no text and no place makes a panic, takes long, or gives a
// candidate out of place.
func FuzzAt(f *testing.F) {
	for _, s := range []string{"SecurityEvent | where ", "let a = (x:int) { T | ", "T | join (U | where a in (", "union (((", "a-b-", "x | y-z | -", `T | where "`, ")|}", "let = ;"} {
		f.Add(s, len(s))
		f.Add(s, len(s)/2)
	}
	f.Fuzz(func(t *testing.T, text string, offset int) {
		if len(text) > 1<<12 {
			return
		}
		start := time.Now()
		got := At(text, offset, env)
		if took := time.Since(start); took > time.Second {
			t.Fatalf("took %v", took)
		}
		for _, c := range got {
			if c.Text == "" || c.Span.End != offset || c.Span.Start < 0 || c.Span.Start > offset {
				t.Fatalf("%+v", c)
			}
		}
	})
}

func BenchmarkAt(b *testing.B) {
	text := "let base = SecurityEvent | where TimeGenerated > ago(1d);\nbase | where EventID == 4625 | summarize n = count() by Account, Computer | where "
	for b.Loop() {
		At(text, len(text), env)
	}
}
