package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// ScanColumn is a stored column as it lies on disk: text may be null.
type ScanColumn struct {
	ID ID
	// Index is the position in Table.Columns.
	Index int
}

// Scan reads columns of a stored table.
type Scan struct {
	Table   *schema.Table
	Columns []ScanColumn
}

// Values is a relation of literals (print, datatable). Rows hold one Const a
// column.
type Values struct {
	Columns []Ref
	Rows    [][]*Const
}

// Assign computes a column.
type Assign struct {
	ID   ID
	Expr Expr
}

// Filter keeps the rows for which Pred is true.
type Filter struct {
	From Node
	Pred Expr
}

// Extend adds columns; its expressions read the input only, not each other.
type Extend struct {
	From Node
	Cols []Assign
}

// Agg is one aggregate function of an Aggregate node. Filter is nil or a
// condition a row must meet.
type Agg struct {
	ID     ID
	Op     fn.Aggregate
	Args   []Expr
	Filter Expr
	T      schema.Type
}

// Aggregate groups by Keys. Without keys it gives one row. Its output is the
// keys and the aggregates only.
type Aggregate struct {
	From Node
	Keys []Assign
	Aggs []Agg
	// Identity are columns that together name a row of From; none where that isn't
	// known. With them Prune may make a [Best] of the node.
	Identity []Ref
}

// SortKey orders by one expression.
type SortKey struct {
	Expr       Expr
	Desc       bool
	NullsFirst bool
}

// Sort orders rows; the order holds until the next Aggregate.
type Sort struct {
	From Node
	Keys []SortKey
	// Again tells that a Use in From loses the order that the shared rows have.
	Again bool
}

// Take keeps N rows, the first ones below a Sort.
type Take struct {
	From Node
	N    int64
}

// Lookup adds, to each row, the value Value of the one row of Table whose Key
// equals the expression Match; null where there is none.
type Lookup struct {
	From  Node
	Table *Scan
	// Match is over From, Key and Value are columns of Table.
	Match      Expr
	Key, Value Ref
	// Result is the added column.
	Result ID
}

// Inputs is empty: a scan is a source.
func (*Scan) Inputs() []Node { return nil }

// Inputs is empty: literals are a source.
func (*Values) Inputs() []Node { return nil }

// Inputs is the filtered relation.
func (n *Filter) Inputs() []Node { return []Node{n.From} }

// Inputs is the extended relation.
func (n *Extend) Inputs() []Node { return []Node{n.From} }

// Inputs is the grouped relation.
func (n *Aggregate) Inputs() []Node { return []Node{n.From} }

// Inputs is the sorted relation.
func (n *Sort) Inputs() []Node { return []Node{n.From} }

// Inputs is the cut relation.
func (n *Take) Inputs() []Node { return []Node{n.From} }

// Inputs is the relation that gets a column.
func (n *Lookup) Inputs() []Node { return []Node{n.From} }

func (n *Scan) print(b *strings.Builder) {
	fmt.Fprintf(b, "scan %s", n.Table.Name)
	for i, c := range n.Columns {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " v%d = %s", c.ID, n.Table.Columns[c.Index].Name)
	}
}

func (n *Values) print(b *strings.Builder) {
	fmt.Fprintf(b, "values %d rows", len(n.Rows))
	for _, c := range n.Columns {
		fmt.Fprintf(b, " v%d:%s", c.ID, c.T)
	}
}

func (n *Filter) print(b *strings.Builder) { fmt.Fprintf(b, "filter %s", n.Pred) }

func (n *Extend) print(b *strings.Builder) {
	b.WriteString("extend")
	printAssigns(b, n.Cols)
}

func (n *Aggregate) print(b *strings.Builder) {
	b.WriteString("aggregate")
	printAggs(b, n.Aggs)
	if len(n.Keys) > 0 {
		b.WriteString(" by")
		printAssigns(b, n.Keys)
	}
}

func printAggs(b *strings.Builder, aggs []Agg) {
	for i, a := range aggs {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " v%d = %s%v", a.ID, a.Op, a.Args)
		if a.Filter != nil {
			fmt.Fprintf(b, " if %s", a.Filter)
		}
	}
}

func (n *Sort) print(b *strings.Builder) {
	b.WriteString("sort")
	for i, k := range n.Keys {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " %s%s%s", k.Expr, pick(k.Desc, " desc", " asc"), pick(k.NullsFirst, " nulls first", " nulls last"))
	}
}

func (n *Take) print(b *strings.Builder) { fmt.Fprintf(b, "take %d", n.N) }

func (n *Lookup) print(b *strings.Builder) {
	fmt.Fprintf(b, "lookup v%d = %s of %s where %s = %s", n.Result, &n.Value, n.Table.Table.Name, &n.Key, n.Match)
}

func (x *Scan) prune(n *needs) Node {
	x.Columns = slices.DeleteFunc(x.Columns, func(c ScanColumn) bool { return !n.has(c.ID) })
	slices.SortFunc(x.Columns, func(a, b ScanColumn) int { return a.Index - b.Index })
	return x
}

func (x *Values) prune(n *needs) Node {
	var keep []int
	for i := range x.Columns {
		if n.has(x.Columns[i].ID) {
			keep = append(keep, i)
		}
	}
	if len(keep) == len(x.Columns) {
		return x
	}
	pruned := &Values{Columns: make([]Ref, len(keep)), Rows: make([][]*Const, len(x.Rows))}
	for i, k := range keep {
		pruned.Columns[i] = x.Columns[k]
		for j, row := range x.Rows {
			pruned.Rows[j] = append(pruned.Rows[j], row[k])
		}
	}
	return pruned
}

func (x *Filter) prune(n *needs) Node {
	n.add(x.Pred)
	x.From = x.From.prune(n)
	return x
}

func (x *Extend) prune(n *needs) Node {
	x.Cols = slices.DeleteFunc(x.Cols, func(a Assign) bool { return !n.has(a.ID) })
	for _, a := range x.Cols {
		n.add(a.Expr)
	}
	x.From = x.From.prune(n)
	if len(x.Cols) == 0 {
		return x.From
	}
	return x
}

func (x *Sort) prune(n *needs) Node {
	for _, k := range x.Keys {
		n.add(k.Expr)
	}
	x.From = x.From.prune(n)
	return x
}

func (x *Take) prune(n *needs) Node {
	if above := x.hoist(); above != nil {
		return above.prune(n)
	}
	x.From = x.From.prune(n)
	return x
}

func (x *Lookup) prune(n *needs) Node {
	if !n.has(x.Result) {
		return x.From.prune(n)
	}
	n.add(x.Match)
	x.From = x.From.prune(n)
	return x
}

func (x *Aggregate) prune(n *needs) Node {
	x.Aggs = slices.DeleteFunc(x.Aggs, func(a Agg) bool { return !n.has(a.ID) })
	if len(x.Keys) == 0 && len(x.Aggs) == 0 { // one row still
		x.Aggs = append(x.Aggs, Agg{Op: fn.Count, T: schema.Long})
	}
	if kept := x.best(); kept != nil {
		return kept.prune(n)
	}
	below := n.fresh()
	for _, k := range x.Keys {
		below.add(k.Expr)
	}
	for _, a := range x.Aggs {
		for _, arg := range a.Args {
			below.add(arg)
		}
		if a.Filter != nil {
			below.add(a.Filter)
		}
	}
	x.From = unsorted(x.From).prune(below)
	return x
}
