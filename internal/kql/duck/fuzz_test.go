//go:build cgo

package duck_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
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
