package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// Best keeps one row of each group, the one with the greatest (least) value of By;
// any of those where all are null. It reads few columns to find the rows and the
// others of those rows only, which an Aggregate can't; so it stands for one whose
// arg_max or arg_min ask for many columns of one row: see [Aggregate.Identity].
type Best struct {
	From Node
	// Keys are the groups.
	Keys  []Expr
	By    Expr
	Least bool
	// Identity are columns that together name a row of From.
	Identity []Ref
	// Aggs are other aggregates of the groups, added to their rows.
	Aggs []Agg
}

// bestColumns is how many columns of a row make a Best worth its second look at
// the table, if none of them is long: measured on two million events.
const bestColumns = 6

// RowNames are the columns that together name a stored row for ever.
func RowNames() []string { return []string{"_Source", "_Seq"} }

// longColumns hold texts that are most of a table.
var longColumns = []string{"EventXml", "RenderedMessage", "_SystemXml", "ScriptBlockText"}

// IsLong tells a stored column whose texts are most of its table, so that reading it
// for few rows only is worth a second scan.
func IsLong(c *schema.Column) bool { return slices.Contains(longColumns, c.Name) }

// readsLong tells that an expression over node reads a long column.
func readsLong(node Node, x Expr) bool {
	read := map[ID]bool{}
	addRefs(read, x)
	for {
		switch n := node.(type) {
		case *Extend:
			for _, a := range n.Cols {
				if read[a.ID] {
					addRefs(read, a.Expr)
				}
			}
			node = n.From
		case *Filter:
			node = n.From
		case *Lookup:
			node = n.From
		case *Sort:
			node = n.From
		case *Scan:
			return slices.ContainsFunc(n.Columns, func(c ScanColumn) bool { return read[c.ID] && IsLong(&n.Table.Columns[c.Index]) })
		default:
			return false
		}
	}
}

// Inputs is the relation whose rows are kept.
func (n *Best) Inputs() []Node { return []Node{n.From} }

func (n *Best) print(b *strings.Builder) {
	fmt.Fprintf(b, "keep the row with the %s %s of each", pick(n.Least, "least", "greatest"), n.By)
	for i, k := range n.Keys {
		fmt.Fprintf(b, "%s%s", pick(i == 0, " ", ", "), k)
	}
	printAggs(b, n.Aggs)
}

func (n *Best) exprs() []Expr {
	all := append(n.Keys[:len(n.Keys):len(n.Keys)], n.By)
	for _, a := range n.Aggs {
		all = append(all, a.Args...)
		if a.Filter != nil {
			all = append(all, a.Filter)
		}
	}
	return all
}

func (n *Best) own() []ID {
	var ids []ID
	for _, a := range n.Aggs {
		ids = append(ids, a.ID)
	}
	return ids
}

func (n *Best) rewrite(f func(Node) Node) { n.From = f(n.From) }

func (n *Best) prune(need *needs) Node {
	read := map[ID]bool{}
	for _, x := range n.exprs() {
		addRefs(read, x)
	}
	for i := range n.Identity {
		read[n.Identity[i].ID] = true
	}
	if above := hoist(n, n.From, read); above != nil {
		return above.prune(need)
	}
	for _, x := range n.exprs() {
		need.add(x)
	}
	for i := range n.Identity {
		need.add(&n.Identity[i])
	}
	n.From = n.From.prune(need)
	return n
}

// best gives what stands for an Aggregate that asks for many columns of the same row;
// nil when it doesn't.
func (x *Aggregate) best() Node {
	if len(x.Identity) == 0 || len(x.Keys) == 0 || len(x.Aggs) == 0 {
		return nil
	}
	at := slices.IndexFunc(x.Aggs, func(a Agg) bool {
		return (a.Op == fn.ArgMax || a.Op == fn.ArgMin) && a.Filter == nil && len(a.Args) == 2
	})
	if at < 0 {
		return nil
	}
	first := &x.Aggs[at]
	by := first.Args[1]
	switch by.Type() {
	case schema.Int, schema.Long, schema.DateTime, schema.TimeSpan, schema.String:
	default:
		return nil
	}
	above := &Extend{}
	keep := &Best{From: unsorted(x.From), By: by, Least: first.Op == fn.ArgMin, Identity: x.Identity}
	for _, k := range x.Keys {
		keep.Keys = append(keep.Keys, k.Expr)
		above.Cols = append(above.Cols, k)
	}
	long, columns := false, 0
	for i := range x.Aggs {
		a := &x.Aggs[i]
		if a.Op != first.Op || a.Filter != nil || len(a.Args) != 2 || a.Args[1].String() != by.String() {
			keep.Aggs = append(keep.Aggs, *a)
			continue
		}
		columns++
		long = long || readsLong(x.From, a.Args[0])
		above.Cols = append(above.Cols, Assign{ID: a.ID, Expr: a.Args[0]})
	}
	if columns < bestColumns && !long {
		return nil
	}
	above.From = keep
	return above
}
