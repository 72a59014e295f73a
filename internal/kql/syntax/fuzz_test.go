package syntax

import (
	"strings"
	"testing"
	"time"
)

// seeds are texts that once mattered, or that hurt parsers.
var seeds = []string{
	`SecurityEvent | where EventID == 4625 and Account has "x" | summarize count() by bin(TimeGenerated, 1h) | render timechart with (title="a", ycolumns=a, b)`,
	`let f = (a:int) { a + 1 }; let t = datatable(a:int, ['b c']:string)[1, "x", 2, 'y']; t | project-away b*, ['b c'] | sort by a asc nulls last`,
	`print a = dynamic({"a":[1,2]}), b = datetime(2020-01-01), 1.5h, 0x1F, @"c:\x", h"secret", ` + "```long\ntext```",
	`T | join kind=inner (U | where a in~ ("x", "y")) on $left.a == $right.b | mv-expand x to typeof(string)`,
	`set notruncation; union withsource=x A*, B | top 5 by a desc, b | where x !between (1 .. 2) and y matches regex "a.*" // end`,
	`T | where a.b[0].["c d"] == -(-1) | parse x with * "a" y:int | evaluate bag_unpack(z)`,
	`let f = (T:(a:long, *), n:int = 5) { let x = n; T | take x }; union withsource=s isfuzzy=true (T | as X), U*, f(T) | lookup kind=leftouter V on a, $left.b == $right.c`,
	`T | make-series n=count() default=0, m=max(a) on t from datetime(2020) to now() step 1d by b | parse-kv s as (x:long) with (pair_delimiter=",") | parse kind=regex flags=i s with * "a" x:long "b" y *`,
	`T | mv-expand with_itemindex=i x = d to typeof(long), e limit 5 | mv-apply y = f to typeof(string) limit 2 on (where y > 1 | top 1 by y) | serialize n = row_number()`,
	`T | scan with_match_id=m declare (x:long=0) with (step s1 output=last: a == 1 => x = s1.x + 1; step s2 optional: true;) | top-nested 3 of a with others="o" by count() desc, top-nested of b by sum(c)`,
	`declare query_parameters(a:long = 1); set q; alias database d = cluster("c").database("d"); restrict access to (T, U*); find in (T, U) where a == 1 project a, b:long`,
	`search kind=case_sensitive in (T, U*) "a" and b:"c" | evaluate hint.x=y pivot(a, count()) : (*, a:long) | partition by a { T | take 1 } | partition by a (take 1) | fork x=(count) (take 1) | facet by a with (take 1)`,
	`externaldata(a:long, ['b c']:string)["x", h@"y"] with (format="csv", ignoreFirstRecord=true) | reduce by a with threshold=0.1 | top-hitters 5 of a by b | sample-distinct 5 of a | project-reorder a granny-asc, *`,
	`)`, `(`, `| |`, `"`, `datetime(`, "T | where \xff", `a = b = c`, `x ! has`, `T|take 1 2`, `['`, `a..b`, `1..2`, `not(`, `T | order by`,
	strings.Repeat("§", 30), strings.Repeat(`'\q' `, 30), strings.Repeat("1.5x ", 30), strings.Repeat("\"\n", 30),
	strings.Repeat("(", 1000), strings.Repeat("-", 1000), strings.Repeat("a or ", 3000) + "b", strings.Repeat("a[", 500),
}

// FuzzParse checks that no text makes the parser panic, take long, or print what
// it doesn't read back.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		start := time.Now()
		q, diags := Parse(text)
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("took %v for %d bytes", took, len(text))
		}
		for _, d := range diags {
			if d.Start < 0 || d.End < d.Start || d.End > len(text) || d.Line < 1 || d.Column < 1 || d.Message == "" {
				t.Fatalf("a diagnostic out of place: %+v", d)
			}
		}
		spans(t, q)
		printed := Print(q) // of a broken tree too
		if len(diags) == 0 && len(printed) < MaxText {
			roundTrip(t, q)
		}
	})
}

func TestSeeds(t *testing.T) {
	for _, s := range seeds {
		if q, diags := Parse(s); len(diags) == 0 {
			roundTrip(t, q)
		}
	}
}

// TestLinearTime holds texts that made an earlier parser look ahead again and
// again.
func TestLinearTime(t *testing.T) {
	for _, unit := range []string{
		"(;", "(a|", "int(", "'", "[", "a.", "x=", "| as ", "``", "print ", "h@", "let f=(", "(a,", "T|mv-apply a on(", "union(", "x in(", "(int(", "```", "a=(", "|fork(", "|parse a with ", "f({", "|x", "x y",
		"|where a=b", "dynamic(", "search in(", "let a=1 ", "a b;", "/* ", "(a:", "|project-", "|summarize a by ", "datatable(a:int)[", "T|scan with (step a:", "=(", "a==b==",
	} {
		start := time.Now()
		Parse(strings.Repeat(unit, MaxText/4/len(unit)))
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%q repeated takes %v", unit, took)
		}
	}
}

func TestDiagnostics(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"T | where a == ", "an expression is expected, not the end of the query at 1:16"},
		{"T\n| where (a == 1\n| take 5", "')' is expected, not the end of the query at 3:9"},
		{`T | where a == "x`, "the string has no end at 1:16"},
		{"T | take 1 take 2", "'|' or the end of the query is expected, not 'take' at 1:12"},
		{"T | where a ~ 1", "'|' or the end of the query is expected, not '~' at 1:13"},
		{"T | sort a", "'by' is expected, not 'a' at 1:10"},
		{"T | where x == 'a\\qb'", "unknown escape in a string at 1:18"},
		{"T | where é == 1 §", "unexpected character '§' at 1:18"},
		{"T | where datetime(2020", "the literal datetime(…) has no end at 1:11"},
		{strings.Repeat("(", 300), "the query nests deeper than 400 levels at 1:"},
		{"T | where " + strings.Repeat("a or ", 3000) + "b", "a chain of more than 2000 operators at 1:"},
		{strings.Repeat(" ", MaxText+1), "the query is 1048577 bytes long; the limit is 1048576 at 1:1"},
		{"T | where \xff", "the query is not UTF-8 at 1:11"},
	} {
		_, diags := Parse(c.text)
		if len(diags) == 0 || !strings.HasPrefix(diags[0].Error(), c.want) {
			t.Errorf("%.40q: %v, not %s", c.text, diags, c.want)
		}
	}
}

// TestAllErrors checks that one query tells all its errors.
func TestAllErrors(t *testing.T) {
	_, diags := Parse("T | where a == | extend = 5 | take 3; print )")
	if len(diags) < 3 {
		t.Errorf("only %d errors: %v", len(diags), diags)
	}
}
