//go:build cgo

package duck_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
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

// shapeQueries take a text wherever a query may: TEXT stands for a string literal,
// JSON for one within a dynamic literal, NAME for a column's name.
var shapeQueries = []string{
	`SecurityEvent | where Computer == TEXT or Channel contains TEXT or Account startswith TEXT or Computer =~ TEXT or Level in (TEXT, "b")
| extend ['NAME'] = strcat(TEXT, Computer) | summarize n = count(), take_any(['NAME']) by x = replace_string(Computer, "a", TEXT) | where x != TEXT`,
	`SecurityEvent | extend d = parse_json(CommandLine), l = dynamic({JSON: [JSON, 1]}) | extend a = d[TEXT], b = d.x[TEXT].y, c = l[TEXT] | project tostring(a), b, c, e = bag_pack(TEXT, Computer)`,
	`SecurityEvent | parse CommandLine with * TEXT x:long TEXT ['NAME'] | parse-where Account with y "\\" TEXT z | project x, y, z, ['NAME']`,
	`SecurityEvent | mv-expand ['NAME'] = split(CommandLine, TEXT) to typeof(string) | where ['NAME'] in~ (TEXT, "q") | summarize make_set(['NAME']), arg_max(TimeGenerated, ['NAME']) by Computer`,
	`SecurityEvent | make-series ['NAME'] = count() on TimeGenerated from datetime(2020-01-01) to datetime(2020-01-02) step 1h by k = strcat(Computer, TEXT)`,
	`union withsource=['NAME'] (SecurityEvent | project a = Computer, b = TEXT), (Event | project a = TEXT) | join kind=leftouter (SecurityEvent | project a = TEXT, c = Account) on a | where a in ((Event | project TEXT))`,
	`let f = (x:string) { strcat(x, TEXT) }; SecurityEvent | sort by TimeGenerated asc | extend p = prev(Account, 1, TEXT), n = row_number(1, Account == TEXT) | extend f(p) | lookup (datatable(k:string, v:string)[TEXT, TEXT]) on $left.p == $right.k`,
	`SecurityEvent | extend a = extract("(x)" , 1, CommandLine), b = iff(Account has_any (TEXT, "zz1"), TEXT, tostring(split(CommandLine, "-")[1])), c = toscalar(Event | summarize max(strcat(Computer, TEXT))) | render timechart with (title=TEXT)`,
}

// FuzzShape checks that SQL made of any text has the same shape as with a harmless
// one.
func FuzzShape(f *testing.F) {
	for _, s := range []string{"x", "'", "' OR 1=1 --", `\`, "\x00", "scan_0", "c13", "v1", "r0", `"`, "a\nb", "]", "}", "$.a", "{{", "%s", "*", "(?i)", "wadi_"} {
		f.Add(s)
	}
	want := make([]string, len(shapeQueries))
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || s == "" {
			return
		}
		for i, query := range shapeQueries {
			got := shape(emitted(t, filled(t, query, s)))
			if want[i] == "" {
				want[i] = shape(emitted(t, filled(t, query, "harmless")))
			}
			if got != want[i] {
				t.Fatalf("%q changes the statement:\n%s\n%s", s, got, want[i])
			}
		}
	})
}

// emitted gives the SQL of a query over Wadi's own tables, of its stages too.
func emitted(t *testing.T, query string) string {
	q, diags := syntax.Parse(query)
	if len(diags) > 0 {
		t.Fatalf("%s: %v", query, diags[0])
	}
	p, diags := bind.Bind(q, bind.Env{Now: event.UnixEpoch, Tables: func(name string) bind.Source {
		if v := schema.LookupView(name); v != nil {
			return bind.Source{Table: v.Table, View: v}
		}
		return bind.Source{Table: schema.LookupTable(name)}
	}})
	if len(diags) > 0 {
		t.Fatalf("%s: %v", query, diags[0])
	}
	s, err := duck.Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	var sql strings.Builder
	sql.WriteString(s.SQL)
	for i := range s.Stages {
		sql.WriteString("\n" + s.Stages[i].SQL)
	}
	return sql.String()
}

// filled puts a text, made to stand between letters so that no edge of a term
// changes, into a query.
func filled(t *testing.T, query, s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("TEXT", syntax.Quote("q"+s+"q"), "JSON", string(quoted), "'NAME'", syntax.Quote("n"+s)).Replace(query)
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
