package plan

import (
	"strings"

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

// Node is a relation. Nodes over one input pass its columns on and may add some,
// but for Aggregate; what nobody reads is dropped by Prune. All nodes live in this
// package: each kind has its file with how it prints and what it reads.
type Node interface {
	// Inputs are the nodes below, none for a source.
	Inputs() []Node
	// print writes the node's line without its inputs and without the line's end.
	print(b *strings.Builder)
	// prune drops what n doesn't need of the node's own columns, tells n what the
	// node reads itself, prunes the inputs, and gives what stands for the node.
	prune(n *needs) Node
	// exprs are the expressions the node computes itself, in the order they print.
	exprs() []Expr
	// own are the columns the node makes, whether it passes others on or not.
	own() []ID
	// rewrite replaces each input by what f gives for it.
	rewrite(f func(Node) Node)
}

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
	// MaxRows and MaxBytes stand for the usual limits on results, TakeRows for a take
	// at the end that nothing is said about; 0 where the query doesn't set them.
	MaxRows, MaxBytes, TakeRows int64
	// Deadline is how long the query may take at most, in ticks; 0 is the usual.
	Deadline int64
}
