package duck

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// Late reading. DuckDB decides row by row what else it decodes only for conditions
// that its Parquet reader knows: a column against constants. Before any other (has,
// a computed account …) it decodes all columns of all rows, and the text of an event
// is most of a table. So such a filter is written twice over: once over the columns it
// reads, for the names of the rows it keeps, once over all columns, for those rows.
// The second scan then gets what the first one found pushed into it.

// Limits of late reading.
const (
	// lateColumns is how many columns that the filter doesn't read make a second
	// scan worth its cost, if none of them is long.
	lateColumns = 8
	// lateTake is up to how many rows top and take are worth one.
	lateTake = 100_000
)

// lateChain is a filter over one scan, with what is between them.
type lateChain struct {
	scan *plan.Scan
	// computed are the columns made in the chain, preds its conditions one by one.
	computed map[plan.ID]plan.Expr
	preds    []plan.Expr
	volatile bool
}

// chainOf takes a chain of filters, computed columns and lookups apart; nil when
// node is none over a table whose rows have names.
func chainOf(node plan.Node) *lateChain {
	c := &lateChain{computed: map[plan.ID]plan.Expr{}}
	for {
		switch n := node.(type) {
		case *plan.Filter:
			c.preds = append(c.preds, conjuncts(n.Pred)...)
			node = n.From
		case *plan.Extend:
			for _, a := range n.Cols {
				c.computed[a.ID] = a.Expr
				c.volatile = c.volatile || isVolatile(a.Expr)
			}
			node = n.From
		case *plan.Lookup:
			c.computed[n.Result] = n.Match
			node = n.From
		case *plan.Scan:
			for _, name := range plan.RowNames() {
				if i := n.Table.Index(name); i < 0 || !n.Table.Columns[i].Required {
					return nil
				}
			}
			c.scan = n
			return c
		default:
			return nil
		}
	}
}

func conjuncts(x plan.Expr) []plan.Expr {
	if c, ok := x.(*plan.Call); ok && c.Op == fn.And {
		var all []plan.Expr
		for _, a := range c.Args {
			all = append(all, conjuncts(a)...)
		}
		return all
	}
	return []plan.Expr{x}
}

func isVolatile(x plan.Expr) bool {
	found := false
	plan.Walk(x, func(x plan.Expr) {
		if c, ok := x.(*plan.Call); ok {
			found = found || c.Op == fn.Random || c.Op == fn.NewGuid
			if c.Op == fn.Go {
				f := udf.Lookup(c.Name)
				found = found || f == nil || f.Volatile
			}
		}
	})
	return found
}

// worthIt tells whether the rows of a chain should be read late: most is how many
// are wanted (0: all), and also what else decides on them.
func (c *lateChain) worthIt(most int64, also []plan.Expr) bool {
	if c.volatile || most > lateTake {
		return false
	}
	hard, choosy := false, false
	for _, p := range c.preds {
		if isVolatile(p) {
			return false
		}
		if !c.pushable(p) {
			hard = true
			choosy = choosy || isChoosy(p) && c.varied(p)
		}
	}
	if !hard || !choosy && (most == 0 || len(also) == 0) {
		return false
	}
	read := map[plan.ID]bool{}
	for _, x := range append(slices.Clip(c.preds), also...) {
		c.reads(read, x)
	}
	others, long := 0, false
	for _, col := range c.scan.Columns {
		if !read[col.ID] {
			others++
			long = long || plan.IsLong(&c.scan.Table.Columns[col.Index])
		}
	}
	return long || others >= lateColumns
}

// fewValues are text columns in which a value stands in many rows.
var fewValues = []string{"Channel", "Provider", "ProviderGuid", "EventSourceName", "Computer", "_Table"}

// varied tells a condition on a text that differs from row to row.
func (c *lateChain) varied(x plan.Expr) bool {
	read := map[plan.ID]bool{}
	c.reads(read, x)
	return slices.ContainsFunc(c.scan.Columns, func(col plan.ScanColumn) bool {
		column := &c.scan.Table.Columns[col.Index]
		return read[col.ID] && column.KQL == schema.String && !slices.Contains(fewValues, column.Name)
	})
}

// reads notes the stored columns that an expression reads.
func (c *lateChain) reads(into map[plan.ID]bool, x plan.Expr) {
	plan.Walk(x, func(x plan.Expr) {
		if r, ok := x.(*plan.Ref); ok && !into[r.ID] {
			into[r.ID] = true
			if made, ok := c.computed[r.ID]; ok {
				c.reads(into, made)
			}
		}
	})
}

// pushable tells a condition that DuckDB's reader decides on: a stored column
// against constants.
func (c *lateChain) pushable(x plan.Expr) bool {
	call, ok := x.(*plan.Call)
	if !ok || !slices.Contains([]fn.Op{fn.Eq, fn.Lt, fn.Le, fn.Gt, fn.Ge, fn.In}, call.Op) {
		return false
	}
	left := call.Args[0]
	if s, ok := left.(*plan.Call); ok && (s.Op == fn.StoredText || s.Op == fn.StoredTicks) {
		left = s.Args[0]
	}
	r, ok := left.(*plan.Ref)
	if !ok || c.computed[r.ID] != nil {
		return false
	}
	for _, a := range call.Args[1:] {
		if _, isConst := a.(*plan.Const); !isConst {
			return false
		}
	}
	return true
}

// isChoosy tells a condition that few rows are expected to meet.
func isChoosy(x plan.Expr) bool {
	c, ok := x.(*plan.Call)
	if !ok {
		return false
	}
	switch c.Op {
	case fn.Eq, fn.EqFold, fn.In, fn.InFold, fn.Has, fn.HasCS, fn.HasPrefix, fn.HasPrefixCS, fn.HasSuffix, fn.HasSuffixCS, fn.Contains, fn.ContainsCS,
		fn.StartsWith, fn.StartsWithCS, fn.EndsWith, fn.EndsWithCS, fn.Matches, fn.HasAny, fn.HasAll:
		return true
	case fn.And:
		return slices.ContainsFunc(c.Args, isChoosy)
	case fn.Or:
		return !slices.ContainsFunc(c.Args, func(a plan.Expr) bool { return !isChoosy(a) })
	}
	return false
}

// wide is the scan of a chain with the conditions that its reader decides on; the
// names of the rows stand for the others.
func (c *lateChain) wide() plan.Node {
	var node plan.Node = c.scan
	for _, p := range c.preds {
		if c.pushable(p) {
			node = &plan.Filter{From: node, Pred: p}
		}
	}
	return node
}

// above writes what a chain computes over its rows again, where the filters don't
// stand any more.
func (e *emitter) above(node plan.Node, rows string) string {
	switch n := node.(type) {
	case *plan.Filter:
		return e.above(n.From, rows)
	case *plan.Extend:
		return "(SELECT *, " + e.assigns(n.Cols) + " FROM " + e.above(n.From, rows) + ")"
	case *plan.Lookup:
		return "(" + e.lookupIn(n, e.above(n.From, rows)) + ")"
	}
	return rows
}

// shownRows are the nodes whose rows the result shows, one for one. Only there is a
// filter read late: what is grouped or joined is often most of a table, and reading
// that late costs more than it saves.
func shownRows(n plan.Node) map[plan.Node]bool {
	shown := map[plan.Node]bool{}
	for {
		shown[n] = true
		switch x := n.(type) {
		case *plan.Extend:
			n = x.From
		case *plan.Sort:
			n = x.From
		case *plan.Take:
			n = x.From
		case *plan.Lookup:
			n = x.From
		case *plan.Filter:
			n = x.From
		default:
			return shown
		}
	}
}

// lateFilter writes a filter whose rows are read late; false when they aren't.
func (e *emitter) lateFilter(n *plan.Filter) (string, bool) {
	if e.late != nil || !e.shown[n] {
		return "", false
	}
	c := chainOf(n)
	if c == nil || !c.worthIt(0, nil) {
		return "", false
	}
	return e.readLate(c, n, func(from string) string { return from }), true
}

// lateTake writes a take or top whose rows are read late. The rows of a top come in
// order.
func (e *emitter) lateTake(n *plan.Take) (string, bool) {
	if e.late != nil || !e.shown[n] {
		return "", false
	}
	below, order := n.From, ""
	var also []plan.Expr
	sort, sorted := below.(*plan.Sort)
	if sorted {
		below = sort.From
		for _, k := range sort.Keys {
			also = append(also, k.Expr)
		}
	}
	c := chainOf(below)
	if c == nil || !c.worthIt(n.N, also) {
		return "", false
	}
	limit := " LIMIT " + strconv.FormatInt(n.N, 10)
	sql := e.readLate(c, below, func(from string) string {
		if sorted { // the scan is known by now
			order = " ORDER BY " + e.sortKeys(sort)
		}
		return from + order + limit
	})
	return "SELECT * FROM (" + sql + ")" + order + limit, true
}

// readLate writes the rows of a chain; ends adds order and limit to the SELECT of
// their names.
func (e *emitter) readLate(c *lateChain, node plan.Node, ends func(string) string) string {
	e.late = c.scan
	defer func() { e.late = nil }()
	rowNames := plan.RowNames()
	names := make([]string, len(rowNames))
	match := make([]string, len(rowNames))
	for i, name := range rowNames {
		names[i] = rawName(c.scan.Table, name)
		match[i] = fmt.Sprintf("l.%s = p.%s", names[i], names[i])
	}
	wide := e.node(c.wide())
	found := e.node(node)
	list := strings.Join(names, ", ")
	rows := "(SELECT l.* EXCLUDE (" + list + ") FROM " + wide + " AS l SEMI JOIN (" + ends("SELECT "+list+" FROM "+found) + ") AS p ON " + strings.Join(match, " AND ") + ")"
	return "SELECT * FROM " + e.above(node, rows)
}

// rawName is a stored column as the scan has it.
func rawName(t *schema.Table, name string) string { return "c" + strconv.Itoa(t.Column(name).FieldID) }

// addRowNames adds the columns that name a row to a scan that is read late.
func addRowNames(b *strings.Builder, t *schema.Table, columns []int) []int {
	for _, name := range plan.RowNames() {
		b.WriteString(", " + rawName(t, name))
		if i := t.Index(name); !slices.Contains(columns, i) {
			columns = append(columns, i)
		}
	}
	return columns
}
