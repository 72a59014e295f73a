//go:build cgo

package query

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// gcol is a column of a generated relation.
type gcol struct{ name, typ string }

// grel is a relation under generation.
type grel struct {
	cols []gcol
	// total tells that the rows are sorted by all columns, so that take is defined.
	total bool
}

// gtable is a datatable.
type gtable struct {
	name string
	cols []gcol
	rows [][]string
}

// gquery is a generated question: tables by let, and a pipeline.
type gquery struct {
	tables []gtable
	lets   []string
	source string
	ops    []string
	// joined tells that T2 is used up: its columns' names would clash.
	joined bool
	// last is an operator that stays when the question is made smaller.
	last string
}

// text writes the question.
func (q *gquery) text() string {
	var b strings.Builder
	for _, t := range q.tables {
		if !strings.Contains(q.source+strings.Join(q.ops, " ")+strings.Join(q.lets, " "), t.name) {
			continue
		}
		var cols, values []string
		for _, c := range t.cols {
			cols = append(cols, c.name+":"+c.typ)
		}
		for _, r := range t.rows {
			values = append(values, strings.Join(r, ","))
		}
		fmt.Fprintf(&b, "let %s = datatable(%s)[%s];\n", t.name, strings.Join(cols, ", "), strings.Join(values, ",\n  "))
	}
	for _, l := range q.lets {
		if strings.Contains(q.source+strings.Join(q.ops, " "), "M") {
			b.WriteString(l + ";\n")
		}
	}
	b.WriteString(q.source)
	for _, op := range q.ops {
		b.WriteString("\n| " + op)
	}
	if q.last != "" {
		b.WriteString("\n| " + q.last)
	}
	return b.String()
}

// generator makes questions that bind (nearly always) and whose answer is defined.
type generator struct {
	r     *rand.Rand
	names int
	// unique is a column whose values tell the rows apart, "" for none.
	unique string
}

// interesting are the literals of each type: ends, nulls, odd texts. Reals are
// halves and powers of two, whose sums are exact in any order.
var interesting = map[string][]string{
	"bool":     {"true", "false", "bool(null)"},
	"int":      {"int(0)", "int(1)", "int(-1)", "int(7)", "int(-8)", "int(2147483647)", "int(-2147483648)", "int(null)", "int(3)"},
	"long":     {"0", "1", "-1", "7", "-8", "9223372036854775807", "long(-9223372036854775808)", "long(null)", "4625", "3000000000", "10"},
	"real":     {"0.0", "1.0", "-1.0", "0.5", "-2.5", "1099511627776.0", "real(nan)", "real(+inf)", "real(-inf)", "real(null)", "1e-7", "3.0"},
	"string":   {`""`, `"a"`, `"A"`, `"abc"`, `"ABC"`, `"a_b"`, `"foo bar"`, `"Foo.Bar"`, `"foobar"`, `"é"`, `"É"`, `"straße"`, `"_"`, `" x "`, `"12"`, `"-3.5"`, `"日本 語"`, `"a-b-c"`, `"Ω4"`, `"\\d+"`, `"it's"`, `"%"`, `"foo_bar"`},
	"datetime": {"datetime(0001-01-01)", "datetime(9999-12-31T23:59:59.9999999Z)", "datetime(1970-01-01)", "datetime(1969-12-31T23:59:59.9999999Z)", "datetime(2024-02-29T12:34:56.7890123Z)", "datetime(2026-03-01)", "datetime(null)", "datetime(2024-12-31T23:00:00Z)"},
	"timespan": {"0s", "1d", "-1d", "1h", "90m", "timespan(1.02:03:04.5678901)", "-1tick", "timespan(null)", "10s"},
	"guid":     {"guid(null)", "guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(00000000-0000-0000-0000-000000000001)"},
}

var gtypes = []string{"bool", "int", "long", "real", "string", "datetime", "timespan"}

func pickOf[T any](g *generator, items []T) T { return items[g.r.IntN(len(items))] }

// one picks one of some texts.
func (g *generator) one(items ...string) string { return items[g.r.IntN(len(items))] }

func (g *generator) name() string {
	g.names++
	return fmt.Sprintf("x%d", g.names)
}

// table makes one whose columns' names begin with a letter of its own.
func (g *generator) table(name, letter string) gtable {
	t := gtable{name: name}
	for _, typ := range append([]string{"long", "string"}, g.someTypes(1+g.r.IntN(5))...) {
		t.cols = append(t.cols, gcol{fmt.Sprintf("%s%d%s", letter, len(t.cols), typ[:1]), typ})
	}
	t.cols = append(t.cols, gcol{letter + "id", "long"}) // tells the rows apart
	for i := range g.r.IntN(9) {
		var row []string
		for _, c := range t.cols[:len(t.cols)-1] {
			row = append(row, pickOf(g, interesting[c.typ]))
		}
		row = append(row, fmt.Sprint((i*7+3)%11))
		t.rows = append(t.rows, row)
	}
	return t
}

func (g *generator) someTypes(n int) []string {
	var out []string
	for range n {
		out = append(out, pickOf(g, gtypes))
	}
	return out
}

// query makes a question.
func (g *generator) query() *gquery {
	q := &gquery{tables: []gtable{g.table("T1", "a"), g.table("T2", "b"), g.table("T3", "c")}, source: "T1"}
	rel := &grel{cols: slices.Clone(q.tables[0].cols)}
	g.unique = "aid"
	if g.r.IntN(8) == 0 { // a relation that is read twice, or once
		inner, ops := g.pipeline(q, "T1", 2)
		q.lets = append(q.lets, "let M = "+g.one("materialize(", "(")+ops+")")
		q.source, rel = "M", inner
	}
	for range 1 + g.r.IntN(5) {
		if op := g.operator(q, rel); op != "" {
			q.ops = append(q.ops, op)
		}
	}
	return q
}

// pipeline makes a relation for use within an operator.
func (g *generator) pipeline(q *gquery, table string, most int) (*grel, string) {
	i := slices.IndexFunc(q.tables, func(t gtable) bool { return t.name == table })
	rel := &grel{cols: slices.Clone(q.tables[i].cols)}
	var text strings.Builder
	text.WriteString(table)
	for range g.r.IntN(most + 1) {
		op := ""
		switch g.r.IntN(4) {
		case 0:
			op = g.extend(rel)
		case 1:
			op = g.summarize(rel)
		default:
			op = "where " + g.expr(rel, "bool", 2)
		}
		text.WriteString(" | " + op)
	}
	return rel, text.String()
}

// operator appends an operator and changes rel to what it gives.
func (g *generator) operator(q *gquery, rel *grel) string {
	sorted := rel.total
	rel.total = false
	if sorted && g.r.IntN(3) == 0 {
		rel.total = true
		return g.window(rel)
	}
	if g.r.IntN(10) == 0 {
		return g.expand(rel)
	}
	if n := g.r.IntN(20); n < 5 {
		if op := g.relational(q, rel, n); op != "" {
			return op
		}
	}
	switch n := g.r.IntN(16); {
	case sorted && n < 8:
		return "take " + fmt.Sprint(g.r.IntN(6))
	case n < 4:
		return "where " + g.expr(rel, "bool", 3)
	case n < 8:
		return g.extend(rel)
	case n < 9:
		return g.project(rel)
	case n < 12:
		return g.summarize(rel)
	case n < 13:
		return g.distinct(rel)
	default:
		return g.sort(rel)
	}
}

func (g *generator) extend(rel *grel) string {
	var parts []string
	before := &grel{cols: slices.Clone(rel.cols)} // columns of one extend don't see each other
	for range 1 + g.r.IntN(3) {
		c := gcol{g.name(), pickOf(g, gtypes)}
		parts = append(parts, c.name+" = "+g.expr(before, c.typ, 3))
		rel.cols = append(rel.cols, c)
	}
	return "extend " + strings.Join(parts, ", ")
}

func (g *generator) project(rel *grel) string {
	var parts []string
	var cols []gcol
	for _, c := range rel.cols {
		if g.r.IntN(3) > 0 {
			parts, cols = append(parts, c.name), append(cols, c)
		}
	}
	c := gcol{g.name(), pickOf(g, gtypes)}
	parts, cols = append(parts, c.name+" = "+g.expr(rel, c.typ, 2)), append(cols, c)
	rel.cols = cols
	return "project " + strings.Join(parts, ", ")
}

func (g *generator) distinct(rel *grel) string {
	var parts []string
	var cols []gcol
	for _, c := range rel.exact() {
		if g.r.IntN(2) == 0 || len(cols) == 0 {
			parts, cols = append(parts, c.name), append(cols, c)
		}
	}
	if len(cols) == 0 {
		return ""
	}
	rel.cols = cols
	return "distinct " + strings.Join(parts, ", ")
}

// sort orders by all columns, so that equal rows are the same.
func (g *generator) sort(rel *grel) string {
	var parts []string
	exact := rel.exact()
	if len(exact) == 0 {
		return ""
	}
	for _, i := range g.r.Perm(len(exact)) {
		parts = append(parts, exact[i].name+g.one("", " asc", " desc", " asc nulls last", " desc nulls first"))
	}
	rel.total = len(exact) == len(rel.cols)
	return "sort by " + strings.Join(parts, ", ")
}

func (g *generator) summarize(rel *grel) string {
	var keys, aggs []string
	var cols []gcol
	for range g.r.IntN(3) {
		c := gcol{g.name(), pickOf(g, gtypes)}
		keys, cols = append(keys, c.name+" = "+g.expr(rel, c.typ, 2)), append(cols, c)
	}
	for range 1 + g.r.IntN(3) {
		typ, text := g.aggregate(rel)
		c := gcol{g.name(), typ}
		aggs, cols = append(aggs, c.name+" = "+text), append(cols, c)
	}
	if slices.ContainsFunc(rel.cols, func(c gcol) bool { return c.name == g.unique }) && g.r.IntN(2) == 0 {
		of, best, value := pickOf(g, rel.cols), gcol{g.name(), "long"}, gcol{g.name(), ""}
		value.typ = of.typ
		aggs = append(aggs, "("+best.name+", "+value.name+") = "+g.one("arg_max", "arg_min")+"("+g.unique+", "+of.name+")")
		cols = append(cols, best, value)
	}
	rel.cols, g.unique = cols, ""
	out := "summarize " + strings.Join(aggs, ", ")
	if len(keys) > 0 {
		out += " by " + strings.Join(keys, ", ")
	}
	return out
}

func (g *generator) aggregate(rel *grel) (typ, text string) {
	arg := func(types ...string) string { return g.expr(rel, g.one(types...), 1) }
	cond := func() string { return g.expr(rel, "bool", 2) }
	t := pickOf(g, gtypes)
	switch g.r.IntN(14) {
	case 12:
		return "long", "percentile(" + arg("long") + ", " + g.one("50", "5", "95", "99.9", "0", "100", "33") + ")"
	case 13:
		t = g.one("long", "string", "int")
		return "string", "tostring(array_sort_asc(" + g.one("make_set", "make_list") + "(" + arg(t) + ")))"
	case 0:
		return "long", "count()"
	case 1:
		return "long", "countif(" + cond() + ")"
	case 2:
		return "long", "dcount(" + arg(t) + ")"
	case 3:
		return "long", "dcountif(" + arg(t) + ", " + cond() + ")"
	case 4:
		return "long", "sum(" + arg("int", "long") + ")"
	case 5:
		return inexact, "sum(" + g.column(rel, "real") + ")"
	case 6:
		return inexact, "avg(" + g.column(rel, g.one("int", "real")) + ")"
	case 7:
		return inexact, g.one("stdev", "variance", "stdevp", "variancep") + "(" + g.column(rel, "int") + ")"
	case 8:
		return "long", "sumif(" + arg("int", "long") + ", " + cond() + ")"
	case 9:
		if t == "bool" {
			t = "long"
		}
		return t, g.one("min", "max") + "(" + arg(t) + ")"
	default:
		if t == "bool" {
			t = "string"
		}
		return t, g.one("minif", "maxif") + "(" + arg(t) + ", " + cond() + ")"
	}
}

// inexact is the type of sums of reals, whose last digits hang on the order in which rows
// are added: they are answered, and compared within a tolerance, but nothing is computed,
// ordered or joined by them.
const inexact = "inexact"

func (rel *grel) exact() []gcol {
	return slices.DeleteFunc(slices.Clone(rel.cols), func(c gcol) bool { return c.typ == inexact })
}

// column gives a column of a type, or a literal where there is none.
func (g *generator) column(rel *grel, typ string) string {
	var have []string
	for _, c := range rel.cols {
		if c.typ == typ {
			have = append(have, c.name)
		}
	}
	if len(have) == 0 {
		return pickOf(g, interesting[typ])
	}
	return pickOf(g, have)
}

// window adds a column that hangs on the order of rows.
func (g *generator) window(rel *grel) string {
	c := gcol{g.name(), "long"}
	restart := ""
	if g.r.IntN(2) == 0 {
		restart = ", " + g.expr(rel, "bool", 1)
	}
	text := ""
	switch g.r.IntN(4) {
	case 0:
		text = "row_number()"
		if restart != "" {
			text = "row_number(" + g.one("0", "1", "7") + restart + ")"
		}
	case 1:
		text = "row_cumsum(" + g.column(rel, "long") + restart + ")"
	default:
		c.typ = pickOf(g, gtypes)
		text = g.one("prev", "next") + "(" + g.column(rel, c.typ)
		if strings.ContainsAny(text[5:], "\"(.") || !strings.ContainsAny(text[5:6], "abcxd") {
			return "extend " + c.name + " = " + g.column(rel, c.typ) // no column of that type
		}
		text += g.one("", ", 2", ", 1, "+g.literal(c.typ)) + ")"
	}
	rel.cols = append(rel.cols, c)
	return "extend " + c.name + " = " + text
}

// expand makes rows of the elements of arrays.
func (g *generator) expand(rel *grel) string {
	g.unique = ""
	c := gcol{g.name(), g.one("long", "string", "real", "bool")}
	e := func() string { return g.column(rel, c.typ) }
	text := g.one(
		"pack_array("+e()+", "+e()+")",
		"pack_array("+e()+")",
		"dynamic([])",
		"dynamic(null)",
		`split(`+g.column(rel, "string")+`, " ")`,
		`pack_array("a", "", "null", "[]", "\n")`,
	)
	if strings.HasPrefix(text, "split") || strings.HasPrefix(text, `pack_array("a"`) {
		c.typ = "string"
	}
	rel.cols = append(rel.cols, c)
	out := "mv-expand " + c.name + " = " + text + " to typeof(" + c.typ + ")"
	if g.r.IntN(4) == 0 {
		d := gcol{g.name(), "string"}
		rel.cols = append(rel.cols, d)
		out += ", " + d.name + ` = dynamic(["x", null, "z"]) to typeof(string)`
	}
	return out
}
