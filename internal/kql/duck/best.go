package duck

import (
	"fmt"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/plan"
)

// best writes a Best: its input twice, once to find the rows by few columns, once to
// read the others of the rows that were found. DuckDB pushes what the inner one finds
// into the outer one's scan, so that columns of other rows are not decoded.
func (e *emitter) best(n *plan.Best) string {
	wide, c := n.From, chainOf(n.From)
	if c != nil && c.volatile {
		c = nil
	}
	if c != nil { // the rows it finds meet all conditions
		wide = c.wide()
	}
	from := e.node(wide)
	again := e.node(n.From)
	var identity, match, names []string
	for i := range n.Identity {
		name := column(n.Identity[i].ID)
		names = append(names, fmt.Sprintf("r.i%d AS i%d", i, i))
		identity = append(identity, fmt.Sprintf("'i%d': %s", i, name))
		match = append(match, fmt.Sprintf("l.%s = p.i%d", name, i))
	}
	var keys []string
	for _, k := range n.Keys {
		keys = append(keys, e.value(k))
	}
	row, by := "{"+strings.Join(identity, ", ")+"}", e.value(n.By)
	name := "arg_max"
	if n.Least {
		name = "arg_min"
	}
	found := name + "(" + row + ", " + by + ")"
	if !plan.NotNull(n.By) { // a group of nulls has a row, too
		found = "coalesce(" + found + ", any_value(" + row + "))"
	}
	kind, inner, added := "SEMI", []string{found + " AS r"}, ""
	for i := range n.Aggs {
		name := column(n.Aggs[i].ID)
		kind, added = "INNER", added+", p."+name
		inner = append(inner, e.agg(&n.Aggs[i])+" AS "+name)
		names = append(names, name)
	}
	rows := "SELECT l.*" + added + " FROM " + from + " AS l " + kind + " JOIN (SELECT " + strings.Join(names, ", ") + " FROM (SELECT " + strings.Join(inner, ", ") + " FROM " + again +
		" GROUP BY " + strings.Join(keys, ", ") + ")) AS p ON " + strings.Join(match, " AND ")
	if c == nil {
		return rows
	}
	return "SELECT * FROM " + e.above(n.From, "("+rows+")")
}
