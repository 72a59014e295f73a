package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// unionParams are the parameters of union.
type unionParams struct {
	inner, fuzzy bool
	source       string
}

func (b *binder) unionParams(op *syntax.Union) (unionParams, bool) {
	var u unionParams
	for _, p := range op.Params {
		switch {
		case p.Name == "kind" && (p.Text() == "inner" || p.Text() == "outer"):
			u.inner = p.Text() == "inner"
		case p.Name == "isfuzzy":
			u.fuzzy = p.Text() == "true"
		case p.Name == "withsource" || p.Name == "with_source":
			u.source = p.Text()
		case !strings.HasPrefix(p.Name, "hint."):
			b.Refuse(p.Span, "the parameter "+p.Name+"="+p.Text())
			return u, false
		}
	}
	return u, true
}

// part is one input of a union and the name that withsource gives it.
type part struct {
	rows *expr.Rows
	name string
}

// union binds union; piped tells that the rows so far are its first part.
func (b *binder) union(op *syntax.Union, piped bool) *expr.Rows {
	u, ok := b.unionParams(op)
	if !ok {
		return nil
	}
	var parts []part
	if piped {
		parts = append(parts, part{b.Rows, b.pipedName})
	}
	for _, x := range op.Inputs {
		more, ok := b.unionInput(x, u.fuzzy)
		if !ok {
			return nil
		}
		parts = append(parts, more...)
	}
	for i := range parts {
		if parts[i].name == "" {
			parts[i].name = fmt.Sprintf("union_arg%d", i)
		}
	}
	if len(parts) == 0 {
		b.Fail(op.WordAt, "no table of the union is known", "")
		return nil
	}
	return b.merge(parts, u)
}

// unionInput binds one input; a pattern can be many parts. In a fuzzy union what is
// not known is no part.
func (b *binder) unionInput(x syntax.Expr, fuzzy bool) ([]part, bool) {
	if p, ok := x.(*syntax.Pattern); ok {
		names := b.tables(p.Pattern)
		if len(names) == 0 && !fuzzy {
			b.Fail(p.Span, "no table is named "+p.Pattern, "")
			return nil, false
		}
		var parts []part
		for _, name := range names {
			r := b.Input(&syntax.Name{Span: p.Span, Name: name})
			if r == nil {
				return nil, false
			}
			parts = append(parts, part{r, name})
		}
		return parts, true
	}
	if fuzzy && b.missing(x, 0) {
		return nil, true
	}
	name := b.sourceName(x)
	r := b.Input(x)
	return []part{{r, name}}, r != nil
}

// missing tells that an expression reads first of all a table that is not known.
func (b *binder) missing(x syntax.Expr, depth int) bool {
	const deepest = 64
	if depth > deepest {
		return false
	}
	switch x := x.(type) {
	case *syntax.Paren:
		return b.missing(x.X, depth+1)
	case *syntax.Pipe:
		return b.missing(x.Source, depth+1)
	case *syntax.Name:
		if l := b.scope.find(x.Name); l != nil {
			if l.rows == nil {
				return false
			}
			saved := b.scope
			b.scope = l.in
			defer func() { b.scope = saved }()
			return b.missing(l.rows, depth+1)
		}
		return !b.IsTabular(x)
	case *syntax.Call:
		_, outside := outsideCall(x)
		return b.scope.find(x.Name) == nil && (outside || !b.IsTabular(x))
	case *syntax.Member:
		_, outside := outsideCall(x)
		return outside
	case *syntax.Union:
		return !slices.ContainsFunc(x.Inputs, func(in syntax.Expr) bool { return !b.missing(in, depth+1) })
	}
	return false
}

// sourceName is the name withsource gives to rows: that of their table, of a view,
// or given by as; "" for rows of no table.
func (b *binder) sourceName(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Paren:
		return b.sourceName(x.X)
	case *syntax.Call:
		if l := b.scope.find(x.Name); l != nil && l.fn != nil && l.fn.View {
			return x.Name
		}
	case *syntax.Name:
		l := b.scope.find(x.Name)
		switch {
		case l == nil, l.fn != nil && l.fn.View:
			return x.Name
		case l.rows != nil:
			saved := b.scope
			b.scope = l.in
			defer func() { b.scope = saved }()
			return b.sourceName(l.rows)
		}
	case *syntax.Pipe:
		for _, op := range slices.Backward(x.Ops) {
			switch op := op.(type) {
			case *syntax.As:
				return op.Name.Name
			case *syntax.Where, *syntax.Sort, *syntax.Top, *syntax.Take:
			case *syntax.Columns:
				if op.Word == "distinct" {
					return ""
				}
			default:
				return ""
			}
		}
		return b.sourceName(x.Source)
	}
	return ""
}

// unionColumn is a column of a union: which column of each part it is, -1 for none.
type unionColumn struct {
	name string
	typ  schema.Type
	of   []int
	// hidden tells that it is not in * of any part.
	hidden bool
}

// unionColumns finds a union's columns, in the order of their first appearance.
// Columns of one name and several types are told apart by their type.
func unionColumns(parts []part) []unionColumn {
	type key struct {
		name string
		typ  schema.Type
	}
	index := map[key]int{}
	types := map[string]int{}
	var cols []unionColumn
	for i, p := range parts {
		for j, c := range p.rows.Cols {
			k := key{c.Name, c.Typ}
			at, ok := index[k]
			if !ok {
				at = len(cols)
				index[k] = at
				types[c.Name]++
				cols = append(cols, unionColumn{name: c.Name, typ: c.Typ, of: slices.Repeat([]int{-1}, len(parts)), hidden: true})
			}
			cols[at].hidden = cols[at].hidden && c.Hidden
			cols[at].of[i] = j
		}
	}
	taken := map[string]bool{}
	for _, c := range cols {
		if types[c.name] == 1 {
			taken[c.name] = true
		}
	}
	for i := range cols {
		if c := &cols[i]; types[c.name] > 1 {
			c.name = expr.Unique(c.name+"_"+c.typ.String(), func(n string) bool { return taken[n] })
			taken[c.name] = true
		}
	}
	return cols
}

// merge makes the union of parts. A column is taken from them when it is used.
func (b *binder) merge(parts []part, u unionParams) *expr.Rows {
	node := &plan.Union{Parts: make([]plan.UnionInput, len(parts))}
	for i, p := range parts {
		node.Parts[i].From = p.rows.Node
	}
	cols := unionColumns(parts)
	if u.inner {
		cols = slices.DeleteFunc(cols, func(c unionColumn) bool { return slices.Contains(c.of, -1) })
	}
	out := &expr.Rows{Node: node}
	if u.source != "" {
		names := func(i int) plan.Expr { return expr.Text(parts[i].name) }
		out.Cols = append(out.Cols, b.unionColumn(node, u.source, schema.String, names))
	}
	for _, c := range cols {
		name := expr.Unique(c.name, func(n string) bool { return out.Find(n) != nil })
		col := b.unionColumn(node, name, c.typ, func(i int) plan.Expr {
			if c.of[i] < 0 {
				return expr.Null(c.typ)
			}
			return parts[i].rows.Cols[c.of[i]].Get()
		})
		col.Hidden = c.hidden
		out.Cols = append(out.Cols, col)
	}
	return out
}

// unionColumn is a column that each part has an expression for. Where parts read
// stored columns, the union passes those on as they lie on disk, so that what reads
// them above stays a plain operation on a stored column.
func (b *binder) unionColumn(node *plan.Union, name string, typ schema.Type, of func(part int) plan.Expr) expr.Column {
	return expr.Lazy(name, typ, func() plan.Expr {
		parts := make([]plan.Expr, len(node.Parts))
		for i := range parts {
			if parts[i] = of(i); parts[i].Type() == 0 {
				return parts[i]
			}
		}
		switch stored := storedArgs(parts); {
		case typ == schema.DateTime && stored != nil:
			args := make([]plan.Expr, len(stored[0]))
			for j := range args {
				for i := range parts {
					parts[i] = stored[i][j]
				}
				args[j] = b.addUnion(node, parts)
			}
			return &plan.Call{Op: fn.StoredTicks, Args: args, T: typ}
		case typ == schema.String && slices.ContainsFunc(parts, isStoredText):
			for i, x := range parts {
				if isStoredText(x) {
					parts[i] = x.(*plan.Call).Args[0]
				}
			}
			ref := b.addUnion(node, parts)
			ref.NotNull = false
			return &plan.Call{Op: fn.StoredText, Args: []plan.Expr{ref}, T: typ}
		}
		return b.addUnion(node, parts)
	})
}

func isStoredText(x plan.Expr) bool {
	c, ok := x.(*plan.Call)
	return ok && c.Op == fn.StoredText
}

// storedArgs gives the stored columns that times are read from, nil unless all are
// read from as many.
func storedArgs(times []plan.Expr) [][]plan.Expr {
	var out [][]plan.Expr
	for _, x := range times {
		c, ok := x.(*plan.Call)
		if !ok || c.Op != fn.StoredTicks || len(out) > 0 && len(out[0]) != len(c.Args) {
			return nil
		}
		out = append(out, c.Args)
	}
	return out
}

// addUnion adds a column to a union.
func (b *binder) addUnion(node *plan.Union, parts []plan.Expr) *plan.Ref {
	ref := plan.Ref{ID: b.NewID(), T: parts[0].Type(), NotNull: true}
	for i, x := range parts {
		ref.NotNull = ref.NotNull && plan.NotNull(x)
		node.Parts[i].Cols = append(node.Parts[i].Cols, x)
	}
	node.Cols = append(node.Cols, ref)
	return &ref
}
