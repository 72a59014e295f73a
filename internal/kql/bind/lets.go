package bind

import (
	"slices"
	"strings"
	"unicode"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// let is what a name means besides a column: a let statement's, a function's
// parameter's, or a name given by as.
type let struct {
	// value is a scalar's. It is copied where the name stands.
	value plan.Expr
	// row is set when value reads columns; depth is then that of the relation
	// they are of.
	row   bool
	depth int
	// rows are bound anew at each use, in the scope in.
	rows syntax.Expr
	// shared are rows that are bound and computed once. While it is nil, often
	// tells that rows stands in the query more than once, so that costly ones are
	// to be shared, and once that they must be (materialize).
	shared      *shared
	often, once bool
	// fn is a function, its body bound anew at each call in the scope in; table
	// tells that it gives rows.
	fn    *syntax.Func
	table bool
	in    *scope
}

func (l *let) tabular() bool { return l.rows != nil || l.shared != nil || l.fn != nil && l.table }

// scope is a chain of names, the latest first. What was defined before a name
// never sees it, so nothing can name itself.
type scope struct {
	outer *scope
	name  string
	let   *let
	// level counts the bodies of functions around it.
	level int
}

// find gives the latest meaning of a name, nil when it has none.
func (s *scope) find(name string) *let {
	for ; s != nil; s = s.outer {
		if s.name == name {
			return s.let
		}
	}
	return nil
}

// names lists what is in scope.
func (s *scope) names() []string {
	var names []string
	for ; s != nil; s = s.outer {
		names = append(names, s.name)
	}
	return names
}

// define adds a name to the current level.
func (b *binder) define(name string, l *let) {
	b.scope = &scope{outer: b.scope, name: name, let: l, level: b.level}
}

// definedHere tells that the current level has the name already.
func (b *binder) definedHere(name string) bool {
	for s := b.scope; s != nil && s.level == b.level; s = s.outer {
		if s.name == name {
			return true
		}
	}
	return false
}

// mentions counts how often a name stands in the query's text. One in quotes that is
// no word is not counted and taken for frequent.
func (b *binder) mentions(name string) int {
	const frequent = 3
	if strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		return frequent
	}
	if b.words == nil {
		b.words = map[string]int{}
		start := -1
		for i, r := range b.Text + " " {
			switch word := r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r); {
			case word && start < 0:
				start = i
			case !word && start >= 0:
				b.words[b.Text[start:i]]++
				start = -1
			}
		}
	}
	return b.words[name]
}

// let defines what a let statement names.
func (b *binder) let(s *syntax.Let) {
	name := s.Name.Name
	if b.definedHere(name) {
		b.Fail(s.Name.Span, "the name "+name+" is let twice", "")
		return
	}
	if f, ok := s.Value.(*syntax.Func); ok {
		b.define(name, &let{fn: f, in: b.scope, table: b.givesRows(f, b.scope)})
		return
	}
	if b.IsTabular(s.Value) {
		b.define(name, &let{rows: s.Value, in: b.scope, often: b.mentions(name) > 2, once: isMaterialize(s.Value)})
		return
	}
	saved := b.Rows
	b.Rows = nil
	value := b.Scalar(s.Value)
	b.Rows = saved
	if nodes := plan.Size(value, maxLet); nodes > maxLet {
		b.Fail(s.Span, "the value of "+name+" is too complex", "")
		value = expr.Bad()
	}
	l := &let{value: value}
	l.note(b)
	b.define(name, l)
}

// note finds out whether the value belongs to a row.
func (l *let) note(b *binder) {
	plan.Walk(l.value, func(x plan.Expr) {
		if _, ok := x.(*plan.Ref); ok {
			l.row, l.depth = true, b.depth
		}
	})
}

func isMaterialize(x syntax.Expr) bool {
	switch x := x.(type) {
	case *syntax.Paren:
		return isMaterialize(x.X)
	case *syntax.Call:
		return x.Name == "materialize"
	}
	return false
}

// IsTabular tells whether an expression gives rows.
func (b *binder) IsTabular(x syntax.Expr) bool {
	switch x := x.(type) {
	case *syntax.Pipe, *syntax.Datatable, *syntax.Columns, *syntax.ExternalData, *syntax.RangeRows, *syntax.Union, *syntax.Search, *syntax.Find, *syntax.Evaluate:
		return true
	case *syntax.Paren:
		return b.IsTabular(x.X)
	case *syntax.Member:
		_, outside := outsideCall(x.X)
		return outside
	case *syntax.Call:
		if l := b.scope.find(x.Name); l != nil {
			return l.fn != nil && l.table
		}
		_, outside := outsideCall(x)
		return x.Name == "materialize" || x.Name == "table" || outside
	case *syntax.Name:
		if b.Rows != nil && b.Rows.Find(x.Name) != nil {
			return false
		}
		if l := b.scope.find(x.Name); l != nil {
			return l.tabular()
		}
		s := b.env.Tables(x.Name)
		return s.Table != nil || s.View != nil
	}
	return false
}

// givesRows tells whether a function's body ends in rows.
func (b *binder) givesRows(f *syntax.Func, in *scope) bool {
	savedScope, savedRows := b.scope, b.Rows
	defer func() { b.scope, b.Rows = savedScope, savedRows }()
	b.scope, b.Rows = in, nil
	scalar, rows := &let{value: expr.Bad()}, &let{rows: &syntax.Datatable{}}
	kind := func(table bool) *let {
		if table {
			return rows
		}
		return scalar
	}
	for _, p := range f.Params {
		b.define(p.Name.Name, kind(p.Table != nil))
	}
	for _, s := range f.Body {
		switch s := s.(type) {
		case *syntax.Let:
			if inner, ok := s.Value.(*syntax.Func); ok {
				b.define(s.Name.Name, &let{fn: inner, table: b.givesRows(inner, b.scope)})
			} else {
				b.define(s.Name.Name, kind(b.IsTabular(s.Value)))
			}
		case *syntax.Run:
			return b.IsTabular(s.X)
		}
	}
	return false
}

// letRows gives the rows that a name stands for.
func (b *binder) letRows(l *let) *expr.Rows {
	if l.shared != nil {
		return b.use(l.shared)
	}
	saved := b.scope
	b.scope = l.in
	r := b.tabular(l.rows)
	b.scope = saved
	if r == nil || !l.once && !(l.often && costly(r.Node)) {
		return r
	}
	l.shared = b.share(r)
	return b.use(l.shared)
}

// costly tells that computing rows again costs more than reading a stored table
// with the filters of each use, which can't reach into shared rows.
func costly(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Scan, *plan.Values, *plan.Use, *plan.Range:
		return false
	case *plan.Filter, *plan.Extend, *plan.Lookup, *plan.Union, *plan.Sort:
		return slices.ContainsFunc(n.Inputs(), costly)
	}
	return true
}

// shared are rows that are computed once and used as often as wanted.
type shared struct {
	node *plan.Shared
	rows *expr.Rows
	// cols are the numbers of the columns in use, 0 for none yet.
	cols []plan.ID
	// parts are the numbers of what fields of bags are made of.
	parts map[plan.Expr]plan.ID
	// order is that of the rows, each key a number of node's columns.
	order []plan.SortKey
}

// share makes rows usable more than once.
func (b *binder) share(r *expr.Rows) *shared {
	s := &shared{node: &plan.Shared{ID: b.NewID(), From: r.Node}, rows: r, cols: make([]plan.ID, len(r.Cols))}
	for _, k := range orderOf(r.Node) {
		a := plan.Assign{ID: b.NewID(), Expr: k.Expr}
		s.node.Cols = append(s.node.Cols, a)
		k.Expr = &plan.Ref{ID: a.ID, T: k.Expr.Type(), NotNull: plan.NotNull(k.Expr)}
		s.order = append(s.order, k)
	}
	return s
}

// orderOf gives the keys by which a node's rows are in order.
func orderOf(n plan.Node) []plan.SortKey {
	switch n := n.(type) {
	case *plan.Sort:
		return n.Keys
	case *plan.Filter, *plan.Extend, *plan.Take, *plan.Lookup, *plan.Window:
		return orderOf(n.Inputs()[0])
	}
	return nil
}

// use gives the rows once more, with numbers of their own, in their order.
func (b *binder) use(s *shared) *expr.Rows {
	node := &plan.Use{Of: s.node}
	read := func(of plan.ID, x plan.Expr) *plan.Ref {
		id := b.NewID()
		node.Cols = append(node.Cols, plan.UseColumn{ID: id, Of: of})
		return &plan.Ref{ID: id, T: x.Type(), NotNull: plan.NotNull(x)}
	}
	out := &expr.Rows{Node: node, Ordered: s.rows.Ordered && len(s.order) > 0, Cols: expr.Derive(s.rows.Cols, func(at int, x plan.Expr) plan.Expr {
		if _, isConst := x.(*plan.Const); isConst {
			return x
		}
		if s.cols[at] == 0 {
			s.cols[at] = b.NewID()
			s.node.Cols = append(s.node.Cols, plan.Assign{ID: s.cols[at], Expr: x})
		}
		ref := read(s.cols[at], x)
		b.shareFields(s, x, ref, read)
		return ref
	})}
	if len(s.order) > 0 {
		sort := &plan.Sort{From: node, Keys: slices.Clone(s.order), Again: true}
		for i, k := range sort.Keys {
			sort.Keys[i].Expr = read(k.Expr.(*plan.Ref).ID, k.Expr)
		}
		out.Node = sort
	}
	return out
}
