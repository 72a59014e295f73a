package bind_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRelations checks names and types of what binds more than one relation; they are
// those that Kusto's engine answered with.
func TestRelations(t *testing.T) {
	const tables = `let L = datatable(k:long, v:string)[1, "a"]; let R = datatable(k:long, v:long, w:real)[1, 2, 3.0];
		let f = (T:(k:long), n:long = 1) { T | where k > n | summarize c = count() by k }; let one = view () { print x = 1 }; let two = view () { print x = toint(2) }; `
	for _, c := range []struct{ query, want string }{
		{"L | join R on k", "k:long v:string k1:long v1:long w:real"},
		{"L | join kind=inner R on k | join kind=inner L on k", "k:long v:string k1:long v1:long w:real k2:long v2:string"},
		{"L | join kind=rightanti R on k", "k:long v:long w:real"},
		{"L | join kind=leftsemi R on $left.k == $right.v", "k:long v:string"},
		{"L | lookup R on k", "k:long v:string v1:long w:real"},
		{"L | lookup kind=inner R on $left.k == $right.v", "k:long v:string k1:long w:real"},
		{"union L, R", "k:long v_string:string v_long:long w:real"},
		{"union kind=inner withsource=s L, R", "s:string k:long"},
		{"union withsource=s one, two", "s:string x_long:long x_int:int"},
		{"union isfuzzy=true Nothing, (Nothing | where y > 1), L", "k:long v:string"},
		{"L | as A | union (A | project k)", "k:long v:string"},
		{"L | invoke f(2)", "k:long c:long"},
		{"f(L) | extend n = toscalar(R | summarize max(w)), there = k in (R)", "k:long c:long n:real there:bool"},
		{"range t from datetime(2026-01-01) to datetime(2026-01-02) step 1h", "t:datetime"},
		{"range r from 1 to 2 step 0.5", "r:real"},
		{`L | search "a"`, "$table:string k:long v:string"},
		{"L | getschema", "ColumnName:string ColumnOrdinal:long DataType:string ColumnType:string"},
		{`R | project-by-names "v", "k*", "nothing"`, "v:long k:long"},
		{`L | extend x = column_ifexists("w", 1.5), y = column_ifexists("v", "")`, "k:long v:string x:real y:string"},
		{"let m = materialize(L | summarize n = count() by v); m | join kind=inner m on v", "v:string n:long v1:string n1:long"},
	} {
		p, diags := bound(tables + c.query)
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
