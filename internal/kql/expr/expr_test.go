package expr

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// alone is a query with nothing but one bag: v7, of which "stored" is a stored text,
// "either" one of some rows only, and every other field but "none" is read in a text.
type alone struct{ bag *plan.Ref }

func (alone) Named(*syntax.Name) (plan.Expr, bool)               { return nil, false }
func (alone) Known() []string                                    { return nil }
func (alone) Called(*syntax.Call) (plan.Expr, bool)              { return nil, false }
func (alone) IsTabular(syntax.Expr) bool                         { return false }
func (alone) Listed(syntax.Expr) plan.Expr                       { return Bad() }
func (alone) InRows(*syntax.Binary, syntax.Expr, bool) plan.Expr { return Bad() }
func (a alone) stored() plan.Expr {
	return &plan.Call{Op: fn.StoredDynamic, Args: []plan.Expr{&plan.Ref{ID: 8, T: schema.String}}, T: schema.Dynamic}
}

func (a alone) read(name string) plan.Expr {
	return GoCall("event_value", &plan.Ref{ID: 9, T: schema.String}, Text(name))
}

func (a alone) Field(of plan.Expr, name string) plan.Expr {
	if of != plan.Expr(a.bag) || name == "none" {
		return nil
	}
	switch name {
	case "stored":
		return a.stored()
	case "either":
		return &plan.Call{Op: fn.If, Args: []plan.Expr{&plan.Ref{ID: 3, T: schema.Bool}, a.read(name), a.stored()}, T: schema.Dynamic}
	}
	return a.read(name)
}

// binder sees the columns n, s, b, t, d and bag, v1 to v7.
func binder(text string) *Binder {
	bag := &plan.Ref{ID: 7, T: schema.Dynamic}
	ids := plan.ID(10)
	cols := []Column{Fixed("bag", bag)}
	for i, c := range []struct {
		name string
		typ  schema.Type
	}{{"n", schema.Long}, {"s", schema.String}, {"b", schema.Bool}, {"t", schema.DateTime}, {"d", schema.Dynamic}, {"i", schema.Int}} {
		cols = append(cols, Fixed(c.name, &plan.Ref{ID: plan.ID(i + 1), T: c.typ}))
	}
	return &Binder{Clock: event.UnixEpoch, Text: text, Ids: &ids, Around: alone{bag}, Rows: &Rows{Cols: cols}}
}

// bound prints what becomes of an expression, its type before it, or the error.
func bound(text string) string {
	x, diags := syntax.ParseExpr(text)
	if len(diags) == 0 {
		b := binder(text)
		out := b.Scalar(x)
		if diags = b.Diags; len(diags) == 0 {
			return out.Type().String() + " " + out.String()
		}
	}
	return "error: " + diags[0].Error() + hint(diags[0].Hint)
}

func hint(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// TestScalar binds expressions: overloads, conversions, what is computed here, and
// what is said of the rest.
func TestScalar(t *testing.T) {
	for text, want := range map[string]string{
		// Constants are computed where that helps to prune.
		"1 + 2 * 3":                              "long 7",
		"-(5)":                                   "long -5",
		"ago(1d)":                                "datetime datetime(1969-12-31T00:00:00.0000000Z)",
		"startofday(datetime(2026-02-03 04:05))": "datetime datetime(2026-02-03T00:00:00.0000000Z)",
		"tostring(1.0)":                          `string "1.0"`,
		"strcat('a', 'b', 1)":                    `string "ab1"`,
		"9223372036854775807 + 1":                "long -9223372036854775808",
		"toint(3000000000)":                      "int -1294967296",
		"tolower('ABC') == 'abc'":                `bool eq(tolower("ABC"), "abc")`,
		// Types meet as Kusto lets them.
		"n == 1.5":              "bool eq(toreal(v1), 1.5)",
		"s == 5":                `bool eq(v2, "5")`,
		"n == '5'":              "bool eq(v1, 5)",
		"n == '05'":             `error: cannot compare long with the text "05" at 1:3 (write the number without quotes)`,
		"n < 's'":               "error: cannot compare long with string at 1:3 (convert one of them, as with tostring() or tolong())",
		"s < 't'":               "error: values of type string have no order to compare by at 1:3",
		"5 < n":                 "bool gt(v1, 5)",
		"i == 5":                "bool eq(v6, 5)",
		"t > 5":                 "error: cannot compare datetime with long at 1:3 (a time is written datetime(2026-01-31), a column becomes one with todatetime())",
		"t between (t .. 1h)":   "bool and(ge(v4, v4), le(v4, add(v4, timespan(01:00:00))))",
		"not(n == 1)":           "bool ne(v1, 1)",
		"n !in (1, 2)":          "bool not(in(v1, 1, 2))",
		"b and s has 'x' and n": "error: a condition (bool) is expected here, not long at 1:21",
		"s in~ ('A', 'b')":      `bool in_fold(v2, "A", "b")`,
		"n has 'x'":             "error: 'has' needs a string, not long at 1:1 (convert it: tostring(…))",
		"isnull(s)":             "bool false",
		"isnotnull(s)":          "bool true",
		"isempty(s)":            `bool eq(v2, "")`,
		"isempty(n)":            "bool isnull(v1)",
		"nope":                  "error: there is no column 'nope' at 1:1",
		"S":                     "error: there is no column 'S' at 1:1 (did you mean s?)",
		"s.x":                   "error: a value of type string has no parts at 1:1 (parse it: parse_json(…), or parse_xml(…) for XML as in EventData)",
		// Dynamics: a chain of accesses and its conversion are one call.
		"d.a['b'][0]":                 `dynamic go:dyn_get(v5, "[\"a\",\"b\",0]")`,
		"tolong(d.a.b)":               `long go:dyn_long(v5, "[\"a\",\"b\"]")`,
		"tostring(parse_json(s).a)":   `string go:json_text(v2, "[\"a\"]")`,
		"d.a == 5":                    `bool eq(go:dyn_whole(go:dyn_get(v5, "[\"a\"]")), 5)`,
		"d.a > 5":                     `bool gt(go:dyn_order(go:dyn_get(v5, "[\"a\"]"), 5), 0)`,
		"d.a == d.b":                  "error: two dynamic values can't be compared at 1:5 (convert them: tostring(…), tolong(…))",
		"d[s]":                        "dynamic go:dyn_member(v5, v2)",
		"d[t]":                        "error: a value of type datetime can't index a dynamic at 1:3 (use a whole number or a string)",
		"split(s, '.')[1]":            `dynamic split_at(v2, ".", 1)`,
		"split(s, '.')[1] == 'x'":     `bool eq(string_of_dynamic(split_at(v2, ".", 1)), "x")`,
		"dynamic({'a': [1, 2]}).a[1]": "dynamic \"2\"",
		"hash(d)":                     "error: hash() of a value of type dynamic is not supported yet at 1:6 (tell of which text: tostring(…))",
		// Fields of a bag whose source is known.
		"bag.stored":                             "dynamic stored_dynamic(v8)",
		"bag['stored'] == 'x'":                   `bool eq(stored_text(v8), "x")`,
		"'x' == bag.stored":                      `bool eq(stored_text(v8), "x")`,
		"bag.stored in ('x', 'y')":               `bool in(stored_text(v8), "x", "y")`,
		"bag.stored has 'x'":                     `bool has(stored_text(v8), "x")`,
		"isempty(bag.stored)":                    `bool eq(stored_text(v8), "")`,
		"isnull(bag.stored)":                     "bool isnull(stored_dynamic(v8))",
		"bag.stored == 3":                        "bool eq(go:text_to_long(stored_text(v8)), 3)",
		"bag.stored >= 3":                        "bool ge(go:text_to_long(stored_text(v8)), 3)",
		"bag.stored in (3, 4)":                   "bool in(go:text_to_long(stored_text(v8)), 3, 4)",
		"toreal(bag.stored)":                     "real go:text_to_real(stored_text(v8))",
		"tobool(bag.stored)":                     `bool go:dyn_bool(stored_dynamic(v8), "[]")`,
		"bag.stored.x":                           `dynamic go:dyn_get(stored_dynamic(v8), "[\"x\"]")`,
		"bag.text":                               `dynamic go:event_value(v9, "text")`,
		"bag.text =~ 'x'":                        `bool eq_fold(go:event_field(v9, "text"), "x")`,
		"tostring(bag.Data)":                     `string go:dyn_text(go:event_value(v9, "Data"), "[]")`,
		"strcat(bag.either, '!')":                `string strcat(iff(v3, go:event_field(v9, "either"), stored_text(v8)), "!")`,
		"tostring(iff(b, bag.stored, bag.text))": `string iff(v3, stored_text(v8), go:event_field(v9, "text"))`,
		"tostring(iff(b, bag.stored, d))":        `string go:dyn_text(iff(v3, stored_dynamic(v8), v5), "[]")`,
		"extract_json('$.stored', bag)":          "string stored_text(v8)",
		"bag.none":                               `dynamic go:dyn_get(v7, "[\"none\"]")`,
		"bag[0]":                                 `dynamic go:dyn_get(v7, "[0]")`,
		"bag[s]":                                 "dynamic go:dyn_member(v7, v2)",
	} {
		if diff := cmp.Diff(want, bound(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestResultName checks the names that columns get from their expressions.
func TestResultName(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "(a)": "a", "a.b.c": "a_b_c", "a['b c']": "a_b c", "a[0]": "a_0", "a[b]": "a_", "tostring(a.b)": "a_b", "strlen(a)": "strlen_a", "gettype(a)": "type_a",
		"a + 1": "", "strcat(a, b)": "", "now()": "", "parse_json(a)": "a", "array_sort_asc(a)": "a_sorted", "f(1).x": "",
	} {
		x, diags := syntax.ParseExpr(text)
		if len(diags) > 0 {
			t.Fatal(text, diags)
		}
		if got := ResultName(x); got != want {
			t.Errorf("%s is named %q, want %q", text, got, want)
		}
	}
}

// TestLiteralValue reads literals of all types, and refuses what is none.
func TestLiteralValue(t *testing.T) {
	for _, c := range []struct {
		typ        schema.Type
		text, want string
	}{
		{schema.Bool, "TRUE", "true"},
		{schema.Bool, "maybe", ""},
		{schema.Int, "2147483647", "2147483647"},
		{schema.Int, "2147483648", ""},
		{schema.Long, "0xFFFFFFFFFFFFFFFF", "-1"},
		{schema.Long, "007", "7"},
		{schema.Long, "1_000", ""},
		{schema.Real, "1e3", "1000.0"},
		{schema.DateTime, "2025, 6, 4", "datetime(2025-06-04T00:00:00.0000000Z)"},
		{schema.DateTime, "2025 - 06 - 14", "datetime(2025-06-14T00:00:00.0000000Z)"},
		{schema.DateTime, "2025-02-30", ""},
		{schema.TimeSpan, "1.02:03:04", "timespan(1.02:03:04)"},
		{schema.Guid, "{0123ABCD-0000-0000-0000-000000000001}", `"0123abcd-0000-0000-0000-000000000001"`},
		{schema.Guid, "0123", ""},
		{schema.Decimal, "'1.50'", `"1.5"`},
		{schema.Long, "null", "long(null)"},
		{schema.String, "null", `"null"`},
	} {
		got, err := LiteralValue(c.typ, c.text)
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("%s(%s) is %v %v, want %q", c.typ, c.text, got, err, c.want)
		}
	}
}

// TestDerive checks that columns are made once, and only when they are used.
func TestDerive(t *testing.T) {
	made := 0
	cols := Derive(binder("").Rows.Cols, func(at int, x plan.Expr) plan.Expr {
		made++
		return Text(strings.Repeat("x", at))
	})
	if made != 0 {
		t.Errorf("%d columns are made before their use", made)
	}
	if a, b := cols[3].Get(), cols[3].Get(); a != b || made != 1 || a.String() != `"xxx"` {
		t.Errorf("%v %v, made %d times", a, b, made)
	}
	rows := &Rows{Cols: cols}
	rows.Cols[0].Hidden = true
	if len(rows.Visible()) != len(cols)-1 || rows.Find("bag") == nil || rows.Find("Bag") != nil {
		t.Error("a hidden column is found by its name, and not in *")
	}
	if got := Unique("a", func(n string) bool { return n == "a" || n == "a1" }); got != "a2" {
		t.Errorf("the next free name is %s", got)
	}
}
