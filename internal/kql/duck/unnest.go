package duck

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
)

// unnest expands dynamics. A Go function gives a value's elements one a line, which
// compact JSON never breaks; DuckDB splits the lines and unnests the lists side by
// side. Null is no list: no row.
func (e *emitter) unnest(n *plan.Unnest) string {
	from := e.node(n.From)
	lists, rows := make([]string, len(n.Cols)), make([]string, len(n.Cols))
	var nulls []string
	for i, c := range n.Cols {
		list := e.elements(&n.Cols[i], n.Pairs)
		if n.Limit > 0 {
			list += "[1:" + strconv.FormatInt(n.Limit, 10) + "]"
		}
		lists[i] = list + " AS " + column(c.List)
		rows[i] = "unnest(" + column(c.List) + ") AS " + column(c.ID)
		if !c.Text && !c.Typed { // nullif writes its operand twice, so it gets one that is a column already
			nulls = append(nulls, "nullif("+column(c.ID)+", 'null') AS "+column(c.ID))
		}
	}
	if n.Index != 0 {
		lengths := make([]string, len(n.Cols))
		for i, c := range n.Cols {
			lengths[i] = "coalesce(len(" + column(c.List) + "), 0)"
		}
		rows = append(rows, "unnest(range(greatest("+strings.Join(lengths, ", ")+"))) AS "+column(n.Index))
	}
	sql := "SELECT *, " + strings.Join(rows, ", ") + " FROM (SELECT *, " + strings.Join(lists, ", ") + " FROM " + from + ")"
	if len(nulls) > 0 {
		sql = "SELECT * REPLACE (" + strings.Join(nulls, ", ") + ") FROM (" + sql + ")"
	}
	return sql
}

// elements gives a column's elements as a list of texts. A value's way from the text
// it is parsed of to its elements is one call.
func (e *emitter) elements(c *plan.UnnestColumn, pairs bool) string {
	call, isCall := c.X.(*plan.Call)
	if isCall && c.Text {
		return "string_split(" + strings.Join(e.all(call.Args), ", ") + ")"
	}
	reader := "expand"
	if pairs {
		reader = "pairs"
	}
	name := ""
	if isCall && call.Op == fn.Go {
		name = call.Name
	}
	lines := ""
	switch name {
	case "dyn_get", "json_get":
		lines = "wadi_" + strings.TrimSuffix(name, "get") + reader + "(" + strings.Join(e.all(call.Args), ", ") + ")"
	case "dyn_parse":
		lines = "wadi_json_" + reader + "(" + e.value(call.Args[0]) + ", '[]')"
	default:
		lines = "wadi_dyn_" + reader + "(" + e.value(c.X) + ", '[]')"
	}
	return "string_split(" + lines + ", chr(10))"
}

func (e *emitter) number(n *plan.Number) string {
	return "SELECT *, row_number() OVER () AS " + column(n.ID) + " FROM " + e.node(n.From)
}

func (e *emitter) takeEach(n *plan.TakeEach) string {
	from := e.node(n.From)
	keys := make([]string, len(n.Keys))
	for i, k := range n.Keys {
		keys[i] = e.sortKey(k)
	}
	over := "PARTITION BY " + strings.Join(e.all(n.By), ", ")
	if len(keys) > 0 {
		over += " ORDER BY " + strings.Join(keys, ", ")
	}
	return fmt.Sprintf("SELECT * FROM %s QUALIFY row_number() OVER (%s) <= %d", from, over, n.N)
}
