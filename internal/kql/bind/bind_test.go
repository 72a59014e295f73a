package bind_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

func env() bind.Env {
	return bind.Env{
		Now: event.UnixEpoch,
		Tables: func(name string) bind.Source {
			if v := schema.LookupView(name); v != nil {
				return bind.Source{Table: v.Table, View: v}
			}
			return bind.Source{Table: schema.LookupTable(name)}
		},
	}
}

func bound(text string) (*plan.Plan, []syntax.Diagnostic) {
	q, diags := syntax.Parse(text)
	if len(diags) > 0 {
		return nil, diags
	}
	return bind.Bind(q, env())
}

// TestNames checks names and types of results.
func TestNames(t *testing.T) {
	const table = `datatable(a:int, b:long, s:string, t:datetime, x:real, ok:bool, d:timespan)[] | `
	for _, c := range []struct{ query, want string }{
		{"summarize count(), sum(a), sum(x), dcount(s), min(t), avg(b), countif(ok), max(a + 1)", "count_:long sum_a:long sum_x:real dcount_s:long min_t:datetime avg_b:real countif_ok:long max_:long"},
		{"summarize count(), count() by bin(t, 1h), s", "t:datetime s:string count_:long count_1:long"},
		{"summarize n = count() by day = startofday(t)", "day:datetime n:long"},
		{"summarize by a + 1, s", "Column1:long s:string"},
		{"summarize r = 1.0 * sum(a) / count()", "r:real"},
		{"summarize 2 * count(), round(avg(a), 2), tostring(max(a)), count() / 2 by a + 1", "Column1:long Column2:long avg_a:real max_a:string Column3:long"},
		{"summarize min(bin(t, 1h)), take_any(s), take_any(tolower(s)), avg(tolong(s)), count(ok), min(ok)", "min_t:datetime s:string any_arg0:string avg_s:real count_ok:long min_ok:bool"},
		{"project startofday(t), startofweek(t), strlen(s), abs(x), sqrt(x)", "t:datetime Column1:datetime strlen_s:long x:real x1:real"},
		{"extend tostring(a), bin(t, 1h) | project a, t", "a:string t:datetime"},
		{"project a, a + b, strcat(s, s), tostring(a)", "a:int Column1:long Column2:string a1:string"},
		{"extend a = x, tolower(s) | project-away b, d", "a:real s:string t:datetime x:real ok:bool Column1:string"},
		{"extend a + b, b - 1 | project-keep Column*", "Column1:long Column2:long"},
		{"project-rename z = a | project-reorder x, s", "x:real s:string z:int b:long t:datetime ok:bool d:timespan"},
		{"project-reorder * desc | take 1", "x:real t:datetime s:string ok:bool d:timespan b:long a:int"},
		{"distinct s, a", "s:string a:int"},
		{"count", "Count:long"},
		{"project t - t, t - d, d / d, d * 2, a % 2, -a, a / 2, x + a", "Column1:timespan Column2:datetime Column3:real Column4:timespan Column5:long Column6:long Column7:long Column8:real"},
		{"project iff(ok, a, b), case(ok, 1, 2.5), coalesce(a, b), bin(a, 2), bin(x, 1)", "Column1:long Column2:real Column3:long a:long x:real"},
	} {
		p, diags := bound(table + c.query)
		if len(diags) > 0 {
			t.Errorf("%s: %v", c.query, diags)
			continue
		}
		var got []string
		for _, o := range p.Output {
			got = append(got, o.Name+":"+o.Expr.Type().String())
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", c.query, diff)
		}
	}
}

// TestErrors checks what is said, and where, about what can't run.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ query, want, hint string }{
		{"Security | take 1", "there is no table 'Security' at 1:1", ""},
		{"SecurityEvent | where Account has sqladmin", "there is no column 'sqladmin' at 1:35", "a text stands in quotes: \"sqladmin\""},
		{"SecurityEvent | where Account in ('x', sqladmin)", "there is no column 'sqladmin' at 1:40", "a text stands in quotes: \"sqladmin\""},
		{"SecurityEvent | where TimeGenerated > '2026-01-31'", "cannot compare datetime with string at 1:37", "a time is written datetime(2026-01-31), a column becomes one with todatetime()"},
		{"SecurityEvent | where eventid == 1", "there is no column 'eventid' at 1:23", "did you mean EventID?"},
		{"SecurityEvent | where EventID == 1\n| join (SigninLogs) on Account", "the right side of the join has no column 'Account' at 2:24", ""},
		{"SecurityEvent | join kind=iner (SigninLogs) on Computer", "there is no kind of join 'iner' at 1:17", "did you mean inner?"},
		{"SecurityEvent | join (SigninLogs) on $left.EventID == $right.Identity", "a join cannot compare int with string at 1:38", "convert one of them before: extend k = tostring(…)"},
		{"SecurityEvent | join (SigninLogs)", "'on' is expected, not the end of the query at 1:34", "join needs the columns that must be equal: on a, or on $left.a == $right.b"},
		{"SecurityEvent | join (SigninLogs) on $left.Computer > $right.Identity", "only == can stand between the sides of a join at 1:53", "write a column that both sides have, or $left.a == $right.b"},
		{"union SecurityEvent, Signin", "there is no table 'Signin' at 1:22", ""},
		{"union Foo*", "no table is named Foo* at 1:7", ""},
		{"let f = (x:int) { f(x) }; print f(1)", "f() can't call itself at 1:19", ""},
		{"let f = (x:int, y:int) { x }; print f(1)", "f() misses the argument y at 1:37", ""},
		{"let f = (x:int) { x }; print f('a')", "the parameter x takes a value of type int, not string at 1:32", ""},
		{"let f = (T:(a:long)) { T | count }; SecurityEvent | invoke f()", "the table has no column 'a', which the parameter T needs at 1:60", ""},
		{"let f = (x:long) { toscalar(range a from 1 to x step 1 | count) }; range i from 1 to 3 step 1 | extend n = f(i)", "the value of x belongs to a row of another table at 1:47", ""},
		{"workspace('x').SecurityEvent | take 1", "workspace() reads another workspace, and a question reads only the lake at 1:1", ""},
		{"range x from 1 to 1000000000000 step 1", "the range has more than 100000000 rows at 1:1", ""},
		{"range x from 1 to datetime(2020-01-01) step 1", "range does not go from long to datetime in steps of long at 1:1", ""},
		{"SecurityEvent | mv-expand Account", "a dynamic value is expected here, not string at 1:27", "parse it: parse_json(…)"},
		{"SecurityEvent | foo", "there is no operator 'foo' at 1:17", ""},
		{"SecurityEvent | where EventID", "a condition (bool) is expected here, not int at 1:23", ""},
		{"SecurityEvent | where EventID > Account", "cannot compare int with string at 1:31", "convert one of them, as with tostring() or tolong()"},
		{"SecurityEvent | extend a = TimeGenerated + TimeGenerated", "cannot compute datetime + datetime at 1:42", ""},
		{"SecurityEvent | extend a = __xml()", "there is no function '__xml' at 1:28", ""},
		{"SecurityEvent | extend a = __case()", "there is no function '__case' at 1:28", ""},
		{"SecurityEvent | where count() > 1", "the aggregate count() belongs in summarize at 1:23", ""},
		{"SecurityEvent | where EventID has '4'", "'has' needs a string, not int at 1:23", "convert it: tostring(…)"},
		{"SecurityEvent | where EventID == '04625'", "cannot compare int with the text \"04625\" at 1:31", "write the number without quotes"},
		{"SecurityEvent | where Account > 'a'", "values of type string have no order to compare by at 1:31", ""},
		{"SecurityEvent | summarize n = EventID + count()", "there is no column 'EventID' at 1:31", ""},
		{"SecurityEvent | project Account, Account", "the column 'Account' is there twice at 1:34", ""},
		{"SecurityEvent | take -1", "a number of rows is expected here at 1:22", ""},
		{"SecurityEvent | where around(EventID, true, true)", "around() does not take bool and a distance of type bool at 1:23", ""},
		{"SecurityEvent | take EventID", "there is no column 'EventID' at 1:22", ""},
		{"SecurityEvent | where Account matches regex @'(?=x)'", "cannot read the regular expression: invalid or unsupported Perl syntax: `(?=` at 1:45", ""},
		{"SecurityEvent | render timechart | take 1", "render must be the last operator at 1:17", ""},
		{"let a = 1; let a = 2; SecurityEvent | take a", "the name a is let twice at 1:16", ""},
		{"set foo; SecurityEvent", "set foo is not supported at 1:1", ""},
		{"let a = 1;", "there is no query at 1:11", "begin with a table, such as SecurityEvent | take 10"},
		{"let a = a; SecurityEvent | take a", "there is no column 'a' at 1:9", ""},
		{"print datetime(2020-13-01)", `cannot read "2020-13-01" as datetime at 1:7`, ""},
		{"print 9223372036854775808", `cannot read "9223372036854775808" as long at 1:7`, ""},
	} {
		_, diags := bound(c.query)
		if len(diags) == 0 {
			t.Errorf("%s: no error", c.query)
			continue
		}
		if got := diags[0].Error(); got != c.want || c.hint != "" && diags[0].Hint != c.hint {
			t.Errorf("%s:\n got %s (%s)\nwant %s (%s)", c.query, got, diags[0].Hint, c.want, c.hint)
		}
	}
}

// TestAllErrors checks that one query tells all its errors.
func TestAllErrors(t *testing.T) {
	_, diags := bound("SecurityEvent | where foo == 1 and bar == 2 | extend x = nofn(1), y = baz")
	if len(diags) != 4 {
		t.Errorf("%d errors, not 4: %v", len(diags), diags)
	}
}

// TestTooBig checks that what grows by being used twice ends in an error.
func TestTooBig(t *testing.T) {
	var b strings.Builder
	b.WriteString("let t0 = SecurityEvent | take 1;\n")
	for i := 1; i < 100; i++ {
		b.WriteString("let t" + strings.Repeat("x", i) + " = t" + strings.Repeat("x", i-1))
		if i == 1 {
			b.WriteString("0")
		}
		b.WriteString(" | where true;\n")
	}
	b.WriteString("t" + strings.Repeat("x", 99) + " | count")
	if _, diags := bound(b.String()); len(diags) == 0 || diags[0].Message != "the query nests too many tables" {
		t.Errorf("%v", diags)
	}
}

// TestDoubling checks that lets which double end in an error at once.
func TestDoubling(t *testing.T) {
	var b strings.Builder
	b.WriteString(`let a0 = strcat("x", "y");`)
	for i := range 40 {
		fmt.Fprintf(&b, "let a%d = strcat(a%d, a%d);", i+1, i, i)
	}
	b.WriteString("print a40")
	if _, diags := bound(b.String()); len(diags) == 0 || !strings.Contains(diags[0].Message, "too complex") {
		t.Errorf("%v", diags)
	}
	many := "SecurityEvent" + strings.Repeat(" | where EventID == 1", 2400)
	if _, diags := bound(many); len(diags) != 1 || !strings.Contains(diags[0].Message, "more than 2000 operators") {
		t.Errorf("%v", diags)
	}
}

// TestCorpus binds every public query: each has a plan or a diagnostic with a
// place. What they answer is package query's test.
func TestCorpus(t *testing.T) {
	for name, text := range kqltest.Queries(t) {
		p, diags := bound(text)
		if len(diags) == 0 && (p == nil || p.String() == "") {
			t.Errorf("%s: no plan", name)
		}
		for _, d := range diags {
			if d.Line < 1 || d.Message == "" || strings.HasPrefix(d.Message, "cannot bind the definition") {
				t.Errorf("%s: %+v", name, d)
			}
		}
	}
}
