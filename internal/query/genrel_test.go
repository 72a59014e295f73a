//go:build cgo

package query

import (
	"fmt"
	"slices"
	"strings"
)

// relational makes an operator that reads a second relation; "" when there is none
// that fits.
func (g *generator) relational(q *gquery, rel *grel, n int) string {
	switch n {
	case 0, 1:
		if !q.joined {
			q.joined = true
			return g.join(q, rel)
		}
	case 2:
		return g.union(q, rel)
	case 3:
		right, text := g.pipeline(q, "T3", 1)
		c := pickOf(g, right.cols)
		if c.typ == "real" || c.typ == "bool" || c.typ == inexact {
			return ""
		}
		return "where " + g.expr(rel, c.typ, 1) + g.one(" in ", " !in ") + "((" + text + " | project " + c.name + "))"
	}
	right, text := g.pipeline(q, "T3", 1)
	c := gcol{g.name(), "long"}
	out := "extend " + c.name + " = toscalar(" + text + " | summarize " + g.one("sum", "max", "min") + "(" + g.column(right, "long") + "))"
	rel.cols = append(rel.cols, c)
	return out
}

var joinKinds = []string{"", "inner", "innerunique", "leftouter", "rightouter", "fullouter", "leftsemi", "leftanti", "rightsemi", "rightanti", "anti"}

// join joins on one or two pairs of columns; literals are made columns first.
func (g *generator) join(q *gquery, rel *grel) string {
	g.unique = ""
	right, text := g.pipeline(q, "T2", 2)
	kind := pickOf(g, joinKinds)
	if kind == "" || kind == "innerunique" { // which row is the first is only defined at the source
		if len(q.ops) > 0 || q.source != "T1" {
			kind = "inner"
		}
	}
	var on, made []string
	for range 1 + g.r.IntN(2) {
		r := pickOf(g, right.cols)
		var same []string
		for _, c := range rel.cols {
			if c.typ == r.typ && c.typ != inexact {
				same = append(same, c.name)
			}
		}
		if len(same) > 0 {
			on = append(on, "$left."+pickOf(g, same)+" == $right."+r.name)
		}
	}
	if len(on) == 0 { // every table has a long
		c := gcol{g.name(), "long"}
		made = append(made, "extend "+c.name+" = "+g.expr(rel, "long", 1))
		rel.cols = append(rel.cols, c)
		d := gcol{g.name(), "long"}
		text += " | extend " + d.name + " = " + g.expr(right, "long", 1)
		right.cols = append(right.cols, d)
		on = append(on, "$left."+c.name+" == $right."+d.name)
	}
	switch {
	case strings.HasPrefix(kind, "right") && kind != "rightouter":
		rel.cols = right.cols
	case kind == "leftsemi" || kind == "leftanti" || kind == "anti":
	default:
		rel.cols = append(slices.Clone(rel.cols), right.cols...)
	}
	out := "join "
	if kind != "" {
		out += "kind=" + kind + " "
	}
	return strings.Join(append(made, out+"("+text+") on "+strings.Join(on, ", ")), "\n| ")
}

// union adds rows of the same columns, without some of them or with one more.
func (g *generator) union(q *gquery, rel *grel) string {
	g.unique = ""
	right, text := g.pipeline(q, "T3", 1)
	var parts []string
	for _, c := range rel.exact() {
		if g.r.IntN(6) > 0 {
			parts = append(parts, c.name+" = "+g.expr(right, c.typ, 1))
		}
	}
	if g.r.IntN(3) == 0 || len(parts) == 0 {
		c := gcol{g.name(), pickOf(g, gtypes)}
		parts = append(parts, c.name+" = "+g.expr(right, c.typ, 1))
		rel.cols = append(rel.cols, c)
	}
	return fmt.Sprintf("union (%s | project %s)", text, strings.Join(parts, ", "))
}
