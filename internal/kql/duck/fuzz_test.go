//go:build cgo

package duck_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// FuzzLiteral checks against DuckDB itself that any text prints as one literal
// with that value.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", "'", "''", `\`, `\'`, "\x00", "a\x00'b", "--", "/*", "$$", "é😀", "\xff", "'; DROP TABLE t; --", "\n", "E'", "\u202e", "?", ":a", "{}"} {
		f.Add(s)
	}
	db := openDB(f)
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		var columns int
		if err := db.QueryRow("SELECT "+duck.Literal(s)+", 1").Scan(&got, &columns); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); got != want {
			t.Fatalf("%q came back as %q", want, got)
		}
	})
}

var (
	literals = regexp.MustCompile(`'(?:[^']|'')*'`)
	joined   = regexp.MustCompile(`\('L'(?: \|\| chr\(0\) \|\| 'L')+\)`)
)

// shape is a statement with its literals taken out.
func shape(sql string) string {
	return joined.ReplaceAllString(literals.ReplaceAllString(sql, "'L'"), "'L'")
}

// FuzzShape puts a text wherever a query takes one, also as names, and checks
// that the SQL has the same shape as with a harmless text.
func FuzzShape(f *testing.F) {
	const query = `SecurityEvent | where Computer == TEXT or Channel contains TEXT or Account startswith TEXT or Computer =~ TEXT or Level in (TEXT, "b")
| extend ['NAME'] = strcat(TEXT, Computer) | summarize n = count(), take_any(['NAME']) by x = replace_string(Computer, "a", TEXT) | where x != TEXT`
	for _, s := range []string{"x", "'", "' OR 1=1 --", `\`, "\x00", "scan_0", "c13", "v1", "r0", `"`, "a\nb"} {
		f.Add(s)
	}
	want := ""
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || s == "" {
			return
		}
		text := strings.NewReplacer("TEXT", syntax.Quote(s), "'NAME'", syntax.Quote("n"+s)).Replace(query)
		q, diags := syntax.Parse(text)
		if len(diags) > 0 {
			t.Fatalf("%q does not parse: %v", text, diags[0])
		}
		p, diags := bind.Bind(q, env)
		if len(diags) > 0 {
			t.Fatalf("%q does not bind: %v", text, diags[0])
		}
		stmt, err := duck.Emit(p)
		if err != nil {
			t.Fatal(err)
		}
		got := shape(stmt.SQL)
		if want == "" {
			want = shape(emit(t, strings.NewReplacer("TEXT", `"harmless"`, "NAME", "nharmless").Replace(query)).SQL)
		}
		if got != want {
			t.Fatalf("%q changes the statement:\n%s\n%s", s, got, want)
		}
	})
}

// FuzzBind checks that no text makes the binder or the emitter panic, and that a
// plan prints and can be written: what can't run is refused with a place.
func FuzzBind(f *testing.F) {
	for _, text := range bindSeeds {
		f.Add(text)
	}
	if os.Getenv("WADI_CORPUS") != "" {
		for _, c := range kqltest.EngineCases(f) {
			f.Add(c.Query)
		}
		for _, text := range kqltest.Queries(f) {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return // what is long is slow, and the limits have tests of their own
		}
		q, diags := syntax.Parse(text)
		if len(diags) > 0 {
			return
		}
		p, diags := bind.Bind(q, env)
		for _, d := range diags {
			if d.Message == "" || d.Line < 1 || d.Start > len(text) {
				t.Fatalf("%q: a diagnostic without a place: %+v", text, d)
			}
		}
		if len(diags) > 0 {
			return
		}
		if p.String() == "" {
			t.Fatalf("%q: no plan", text)
		}
		if s, err := duck.Emit(p); err == nil && (s.SQL == "" || len(s.Columns) != len(p.Output)) {
			t.Fatalf("%q: %d columns of %d: %s", text, len(s.Columns), len(p.Output), s.SQL)
		}
	})
}

// bindSeeds use what is intricate, so that mutations stay near it.
var bindSeeds = []string{
	"SecurityEvent | where EventID == 4625 and Account has 'a' | summarize n = count(), dcount(Account) by bin(TimeGenerated, 1h), Computer | top 5 by n",
	"let f = (x:long, t:(a:int)) { t | extend b = x }; f(1, datatable(a:int)[1]) | join kind=leftouter (range a from 1 to 3 step 1) on a",
	"let m = materialize(SecurityEvent | take 5); union isfuzzy=true withsource=s m, (m | extend a = 1), nosuch | where s startswith 'u'",
	"print d = dynamic({'a': [1, 2.5, null, 'x']}) | mv-expand x = d.a to typeof(string) | extend y = d['a'][0], z = d.a.b",
	"datatable(t:datetime, v:real)[datetime(2020-01-01), 1.5] | make-series s = avg(v) default = 0.0 on t from datetime(2020-01-01) to datetime(2020-01-03) step 1d",
	"SecurityEvent | parse kind=regex Account with d:string '\\\\' u | parse-where CommandLine with * 'x=' x:long ' ' *",
	"SecurityEvent | sort by TimeGenerated asc | serialize n = row_number(), p = prev(Account, 1, 'x') | extend c = row_cumsum(EventID, Account != p)",
	"SecurityEvent | mv-apply x = split(CommandLine, ' ') on (where x has 'a' | summarize l = make_list(x)) | evaluate bag_unpack(pack('a', l))",
	"SecurityEvent | summarize arg_max(TimeGenerated, *), make_set_if(Account, EventID > 1, 10), percentiles(EventID, 5, 95) by Computer | getschema",
	"SecurityEvent | where EventID in ((Event | project EventID)) | extend s = toscalar(Event | count), k = iff(isempty(Account), 'a', tostring(EventID)) | render timechart",
}
