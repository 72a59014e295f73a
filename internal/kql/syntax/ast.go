package syntax

import "github.com/wadi-project/wadi/internal/schema"

// Query is a parsed query. Nodes are not changed after Parse.
type Query struct {
	// Text is what was parsed.
	Text       string
	Statements []Statement
}

// Statement is one of the parts of a query that semicolons separate: *Let, *Set,
// *QueryParameters, *Alias, *Restrict, *Run or *OpaqueStatement.
type Statement interface{ Node }

// Let is `let Name = Value`; Value is a *Func for a function, else what a pipeline
// is.
type Let struct {
	Span
	Name  *Name
	Value Expr
}

// Set is `set Name` or `set Name = Value`.
type Set struct {
	Span
	Name  string
	Value Expr // nil, or a literal or name
}

// Run is the statement that gives the rows.
type Run struct {
	Span
	X Expr
}

// OpaqueStatement is a statement known by its first word only (declare pattern,
// declare entity_group).
type OpaqueStatement struct {
	Span
	Word   string
	Tokens []string
}

// Expr is an expression. What gives rows is one too: *Pipe, *Datatable,
// *ExternalData, *RangeRows, and as sources the operators *Union, *Search, *Find,
// *Evaluate and *Columns (print). An argument of a call (materialize, toscalar, in,
// a let's function) can be any of them.
type Expr interface{ Node }

// Name is a column, table or variable.
type Name struct {
	Span
	Name string
}

// Pattern is a name with * in it (project-away a*).
type Pattern struct {
	Span
	Pattern string
}

// Star is * as an argument.
type Star struct{ Span }

// Literal is a constant.
type Literal struct {
	Span
	Type schema.Type
	// Text is the literal as written: for a typed literal what stands in its
	// brackets, for a string its decoded value.
	Text string
	// Typed tells that the type's name was written: datetime(…).
	Typed bool
}

// Paren is an expression in brackets.
type Paren struct {
	Span
	X Expr
}

// Unary is -x or +x.
type Unary struct {
	Span
	Op string
	X  Expr
}

// Binary is an operator between two expressions: arithmetic, comparisons, and,
// or, has …, in, between. R is a *List for in and has_any, a *Range for between.
type Binary struct {
	Span
	Op   string
	L, R Expr
	// OpAt is the operator's place.
	OpAt Span
}

// List is what follows in.
type List struct {
	Span
	Items []Expr
}

// Range is what follows between.
type Range struct {
	Span
	Lo, Hi Expr
}

// Member is x.name or x["name"] after a dot.
type Member struct {
	Span
	X    Expr
	Name string
}

// Index is x[i].
type Index struct {
	Span
	X, I Expr
}

// Call is name(args).
type Call struct {
	Span
	Name   string
	NameAt Span
	Args   []Expr
}

// Named is Name = X; (A, B) = X has several names and Tuple set.
type Named struct {
	Span
	Names []*Name
	Tuple bool
	X     Expr
}

// ColumnDecl is name:type.
type ColumnDecl struct {
	Span
	Name   string
	Type   string
	TypeAt Span
}

// Datatable is a table of literals.
type Datatable struct {
	Span
	Columns []*ColumnDecl
	Values  []Expr
}

// Pipe is a source and the operators behind it. Source is nil for a subquery
// that begins with an operator, as mv-apply has.
type Pipe struct {
	Span
	Source Expr
	Ops    []Operator
}

// Opaque is an operator known by its first word only: one of the graph operators,
// or a word that is none. It prints back token by token.
type Opaque struct {
	Span
	Word   string
	WordAt Span
	Tokens []string
}

// Operator is a part of a pipeline: *Where, *Columns, *Summarize, *Sort, *Top,
// *Take, *Count, *Render, *As, *Join, *Union, *Search, *ParseOp, *ParseKV,
// *MvExpand, *MvApply, *MakeSeries, *Evaluate, *Invoke, *GetSchema, *Consume,
// *AssertSchema, *Sample, *SampleDistinct, *TopNested, *TopHitters, *Partition,
// *Scan, *Reduce, *Fork, *Facet or *Opaque.
type Operator interface{ Node }

// Where keeps rows. Word is where or filter.
type Where struct {
	Span
	Word string
	Pred Expr
}

// Columns is an operator with a list of columns: project, project-away,
// project-keep, project-rename, project-reorder, project-by-names, extend,
// distinct, serialize, and the source print. Only distinct has Params.
type Columns struct {
	Span
	Word   string
	Params []Param
	Items  []Expr
}

// Param is hint.x=y, kind=y or the like behind an operator's word, or a property in
// with (…). Value is a *Name or a *Literal.
type Param struct {
	Span
	Name  string
	Value Expr
}

// Text gives the value's name or literal as text.
func (p Param) Text() string {
	switch x := p.Value.(type) {
	case *Name:
		return x.Name
	case *Literal:
		return x.Text
	}
	return ""
}

// Summarize groups. HasBy tells apart no by clause.
type Summarize struct {
	Span
	Params []Param
	Aggs   []Expr
	By     []Expr
	HasBy  bool
}

// Ordered is an expression with its order. Order is "", asc or desc; Nulls is
// "", first or last.
type Ordered struct {
	Span
	X     Expr
	Order string
	Nulls string
}

// Sort orders. Word is sort or order.
type Sort struct {
	Span
	Word   string
	Params []Param
	Keys   []*Ordered
}

// Top is sort and take in one.
type Top struct {
	Span
	Params []Param
	N      Expr
	Keys   []*Ordered
}

// Take keeps some rows. Word is take or limit.
type Take struct {
	Span
	Word string
	N    Expr
}

// Count counts the rows. As is nil, or the name of `count as Name`.
type Count struct {
	Span
	As *Name
}

// Property is name = value in render … with (…).
type Property struct {
	Name  string
	Value string
	// Quoted tells that Value was a string.
	Quoted bool
}

// Render says how to draw the result.
type Render struct {
	Span
	Kind       string
	Properties []Property
}

// As names the rows so far. Params are hint.*.
type As struct {
	Span
	Params []Param
	Name   *Name
}
