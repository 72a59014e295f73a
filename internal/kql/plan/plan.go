package plan

import (
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// ID names a column within one plan. SQL sees it as v<ID>, never the name.
type ID int

// Expr is a typed expression over the columns of the node below. Values of
// string type are never null; all others may be.
type Expr interface {
	// Type is the KQL type of the value.
	Type() schema.Type
	String() string
}

// Const is a literal. V is nil for null, else bool, int64 (int, long, datetime
// and timespan in ticks of 100 ns), float64 (real), or string (string, guid,
// decimal, dynamic as JSON).
type Const struct {
	T schema.Type
	V any
}

// Ref reads a column.
type Ref struct {
	ID ID
	T  schema.Type
	// NotNull tells that the column is never null.
	NotNull bool
}

// Call applies a function of the catalogue in package fn.
type Call struct {
	Op fn.Op
	// Name is the function of package udf when Op is fn.Go.
	Name string
	Args []Expr
	T    schema.Type
}

// Type gives the literal's type.
func (e *Const) Type() schema.Type { return e.T }

// Type gives the column's type.
func (e *Ref) Type() schema.Type { return e.T }

// Type gives the type of the result.
func (e *Call) Type() schema.Type { return e.T }

// Node is a relation. Every node but Aggregate passes the columns of its input
// on and may add some; what nobody reads is dropped by Prune.
type Node interface {
	// Input is the node below, nil for a source.
	Input() Node
}

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

// Input is nil: a scan is a source.
func (*Scan) Input() Node { return nil }

// Input is nil: literals are a source.
func (*Values) Input() Node { return nil }

// Input is the filtered relation.
func (n *Filter) Input() Node { return n.From }

// Input is the extended relation.
func (n *Extend) Input() Node { return n.From }

// Input is the grouped relation.
func (n *Aggregate) Input() Node { return n.From }

// Input is the sorted relation.
func (n *Sort) Input() Node { return n.From }

// Input is the cut relation.
func (n *Take) Input() Node { return n.From }

// Input is the relation that gets a column.
func (n *Lookup) Input() Node { return n.From }

// Output is a column of the result.
type Output struct {
	Name string
	Expr Expr
}

// Render is what `render` asked for; the terminal or a client draws it.
type Render struct {
	// Kind is table, timechart, barchart, columnchart, piechart, linechart …
	Kind string
	// Properties are those of `with (…)`, by their lower-case names.
	Properties map[string]string
}

// Plan is a bound query. It is not changed after bind.
type Plan struct {
	Root   Node
	Output []Output
	// Render is nil unless the query ends in render.
	Render *Render
	// NoTruncation tells that `set notruncation` lifts the limits on results.
	NoTruncation bool
}
