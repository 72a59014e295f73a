package bind

import (
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// countOp counts rows.
const countOp = fn.Count

// columns binds the operators that are a list of columns.
func (b *operators) columns(op *syntax.Columns) *rows {
	switch op.Word {
	case "project":
		return b.project(op)
	case "extend":
		return b.extend(op)
	case "distinct":
		return b.distinct(op)
	case "project-away", "project-keep":
		return b.pick(op, op.Word == "project-keep")
	case "project-rename":
		return b.rename(op)
	case "project-reorder":
		return b.reorder(op)
	case "project-by-names":
		return b.byNames(op)
	case "serialize":
		return b.serialize(op)
	}
	b.refuse(syntax.Span{Start: op.Start, End: op.Start + len(op.Word)}, "operator '"+op.Word+"'")
	return nil
}

// numbered gives Column1, Column2 … or the like.
func numbered(prefix string, start int) func() string {
	n := start - 1
	return func() string {
		n++
		return prefix + strconv.Itoa(n)
	}
}

// add computes an expression in node unless it is a column already.
func (b *operators) add(node *plan.Extend, x plan.Expr) plan.Expr {
	if cheap(x) {
		return x
	}
	id := b.newID()
	node.Cols = append(node.Cols, plan.Assign{ID: id, Expr: x})
	return &plan.Ref{ID: id, T: x.Type(), NotNull: plan.NotNull(x)}
}

// cheap expressions are written again where they are used, which keeps the plain
// form that DuckDB can push down.
func cheap(x plan.Expr) bool {
	switch x := x.(type) {
	case *plan.Ref, *plan.Const:
		return true
	case *plan.Call:
		return x.Op == fn.StoredText || x.Op == fn.StoredTicks
	}
	return false
}

func (b *operators) project(op *syntax.Columns) *rows {
	r := b.rows
	node := &plan.Extend{From: r.node}
	out := &rows{node: node}
	unnamed := numbered("Column", 1)
	for _, x := range op.Items {
		if _, ok := x.(*syntax.Star); ok {
			b.fail(x.Pos(), "project takes no *", "")
			continue
		}
		for _, it := range b.items(x, unnamed) {
			if out.find(it.name) != nil {
				if it.explicit || isName(x) {
					b.fail(it.span, "the column '"+it.name+"' is there twice", "")
					continue
				}
				it.name = unique(it.name, func(n string) bool { return out.find(n) != nil })
			}
			out.cols = append(out.cols, fixed(it.name, b.add(node, it.x)))
		}
	}
	return out
}

func isName(x syntax.Expr) bool { _, ok := x.(*syntax.Name); return ok }

func (b *operators) extend(op *syntax.Columns) *rows {
	r := b.rows
	node := &plan.Extend{From: r.node}
	out := &rows{node: node, cols: slices.Clone(r.cols)}
	unnamed := numbered("Column", 1)
	added := map[string]bool{}
	for _, x := range op.Items {
		for i, it := range b.items(x, unnamed) {
			if i > 0 {
				it.name = unique(it.name, func(n string) bool { return added[n] })
			}
			if added[it.name] {
				b.fail(it.span, "the column '"+it.name+"' is there twice", "name them: a = …")
				continue
			}
			added[it.name] = true
			c := fixed(it.name, b.add(node, it.x))
			if old := out.find(it.name); old != nil {
				*old = c
			} else {
				out.cols = append(out.cols, c)
			}
		}
	}
	return out
}

func (b *operators) distinct(op *syntax.Columns) *rows {
	r := b.rows
	node := &plan.Aggregate{From: r.node}
	out := &rows{node: node}
	items := op.Items
	var keys []item
	unnamed := numbered("Column", 1)
	for _, x := range items {
		if _, ok := x.(*syntax.Star); ok {
			for _, c := range r.visible() {
				keys = append(keys, item{name: c.name, x: c.get(), span: x.Pos()})
			}
			continue
		}
		if _, ok := x.(*syntax.Named); ok {
			b.fail(x.Pos(), "distinct takes columns without names", "name them in extend or project before")
			continue
		}
		keys = append(keys, b.item(x, unnamed))
	}
	for _, k := range keys {
		b.groupKey(node, out, k)
	}
	return out
}

// groupKey adds a key to an Aggregate and a column to its output.
func (b *operators) groupKey(node *plan.Aggregate, out *rows, k item) {
	if k.x.Type() == schema.Dynamic {
		b.fail(k.span, "cannot group by a value of type dynamic", "convert it: tostring(…)")
		return
	}
	name := unique(k.name, func(n string) bool { return out.find(n) != nil })
	if name != k.name && k.explicit {
		b.fail(k.span, "the column '"+k.name+"' is there twice", "")
		return
	}
	id := b.newID()
	node.Keys = append(node.Keys, plan.Assign{ID: id, Expr: k.x})
	out.cols = append(out.cols, fixed(name, &plan.Ref{ID: id, T: k.x.Type(), NotNull: plan.NotNull(k.x)}))
}

// matching tells which columns a name or pattern of project-away means.
func (b *operators) matching(x syntax.Expr, cols []column) []int {
	var found []int
	switch x := x.(type) {
	case *syntax.Ordered:
		return b.matching(x.X, cols)
	case *syntax.Name:
		for i := range cols {
			if cols[i].name == x.Name {
				return []int{i}
			}
		}
		b.noColumn(x)
	case *syntax.Pattern:
		for i := range cols {
			if ok, _ := path.Match(x.Pattern, cols[i].name); ok && !cols[i].hidden {
				found = append(found, i)
			}
		}
	default:
		b.fail(x.Pos(), "a column's name is expected here", "")
	}
	return found
}

func (b *operators) pick(op *syntax.Columns, keep bool) *rows {
	r := b.rows
	chosen := map[int]bool{}
	for _, x := range op.Items {
		for _, i := range b.matching(x, r.cols) {
			chosen[i] = true
		}
	}
	out := &rows{node: r.node}
	for i, c := range r.cols {
		if chosen[i] && keep {
			c.hidden = false
		}
		if chosen[i] == keep {
			out.cols = append(out.cols, c)
		}
	}
	return out
}

func (b *operators) rename(op *syntax.Columns) *rows {
	r := b.rows
	out := &rows{node: r.node, cols: slices.Clone(r.cols)}
	for _, x := range op.Items {
		n, ok := x.(*syntax.Named)
		from, isName := syntax.Expr(nil), false
		if ok && len(n.Names) == 1 {
			from = n.X
			_, isName = from.(*syntax.Name)
		}
		if !isName {
			b.fail(x.Pos(), "project-rename takes new = old", "")
			continue
		}
		for _, i := range b.matching(from, r.cols) {
			if old := r.find(n.Names[0].Name); old != nil && old.name != r.cols[i].name && !old.hidden {
				b.fail(n.Span, "the column '"+old.name+"' is there already", "")
			}
			out.cols[i].name, out.cols[i].hidden = n.Names[0].Name, false
		}
	}
	return out
}

func (b *operators) reorder(op *syntax.Columns) *rows {
	r := b.rows
	out := &rows{node: r.node}
	taken := map[int]bool{}
	for _, x := range op.Items {
		found := b.matching(x, r.cols)
		if o, ok := x.(*syntax.Ordered); ok {
			if o.Order != "asc" && o.Order != "desc" {
				b.refuse(o.Span, "the order "+o.Order)
			}
			slices.SortStableFunc(found, func(i, j int) int {
				switch {
				case r.cols[i].name == r.cols[j].name:
					return 0
				case (r.cols[i].name < r.cols[j].name) == (o.Order == "asc"):
					return -1
				}
				return 1
			})
		}
		for _, i := range found {
			if !taken[i] {
				taken[i] = true
				out.cols = append(out.cols, r.cols[i])
			}
		}
	}
	for i, c := range r.cols {
		if !taken[i] {
			out.cols = append(out.cols, c)
		}
	}
	return out
}

// print binds print: one row of values.
func (b *operators) print(op *syntax.Columns) *rows {
	one := &plan.Values{Rows: [][]*plan.Const{{}}}
	node := &plan.Extend{From: one}
	out := &rows{node: node}
	saved := b.rows
	b.rows = &rows{node: one}
	for i, x := range op.Items {
		for _, it := range b.items(x, func() string { return "print_" + strconv.Itoa(i) }) {
			it.name = unique(it.name, func(n string) bool { return out.find(n) != nil })
			out.cols = append(out.cols, fixed(it.name, b.add(node, it.x)))
		}
	}
	b.rows = saved
	return out
}

// maxCells bounds a datatable: it becomes text of SQL.
const maxCells = 100_000

// datatable binds a table of literals.
func (b *operators) datatable(d *syntax.Datatable) *rows {
	node := &plan.Values{}
	out := &rows{node: node}
	for _, c := range d.Columns {
		typ, ok := typeNames[c.Type]
		if !ok {
			b.refuse(c.Span, "a column of type "+c.Type)
			return nil
		}
		if out.find(c.Name) != nil {
			b.fail(c.Span, "the column '"+c.Name+"' is there twice", "")
		}
		ref := plan.Ref{ID: b.newID(), T: typ, NotNull: typ == schema.String}
		node.Columns = append(node.Columns, ref)
		out.cols = append(out.cols, fixed(c.Name, &ref))
	}
	width := len(d.Columns)
	if width == 0 || len(d.Values)%width != 0 || len(d.Values) > maxCells {
		b.fail(d.Span, fmt.Sprintf("%d values do not fill rows of %d columns (at most %d values)", len(d.Values), width, maxCells), "")
		return nil
	}
	saved := b.rows
	b.rows = nil
	defer func() { b.rows = saved }()
	for i, v := range d.Values {
		if i%width == 0 {
			node.Rows = append(node.Rows, nil)
		}
		cell := b.cell(v, node.Columns[i%width].T)
		if cell == nil {
			return nil
		}
		last := len(node.Rows) - 1
		node.Rows[last] = append(node.Rows[last], cell)
	}
	return out
}

// cell binds a value of a datatable, converted to its column's type.
func (b *operators) cell(v syntax.Expr, typ schema.Type) *plan.Const {
	if u, ok := v.(*syntax.Unary); ok && u.Op == "-" && isWhole(typ) { // the smallest long has no positive
		if l, isLit := u.X.(*syntax.Literal); isLit && l.Type == schema.Long {
			if c, err := literalValue(typ, "-"+l.Text); err == nil {
				return c
			}
		}
	}
	c := constant(b.scalar(v))
	if c == nil {
		b.refuse(v.Pos(), "a value that is not a literal in a datatable")
		return nil
	}
	switch {
	case c.T == 0:
		return nil
	case c.T == typ:
		return c
	case c.V == nil:
		return null(typ).(*plan.Const)
	case typ == schema.Dynamic && c.T != schema.String:
		return constant(toDynamic(c))
	case typ == schema.Dynamic || c.T == schema.Dynamic:
	case typ == schema.Long && c.T == schema.Int:
		return &plan.Const{T: typ, V: c.V}
	case typ == schema.Int && c.T == schema.Long && c.V.(int64) == int64(int32(c.V.(int64))):
		return &plan.Const{T: typ, V: c.V}
	case typ == schema.Real && isWhole(c.T):
		return &plan.Const{T: typ, V: float64(c.V.(int64))}
	case c.T == schema.String && typ != schema.String:
		if lit, err := literalValue(typ, c.V.(string)); err == nil {
			return lit
		}
		return null(typ).(*plan.Const)
	}
	b.refuse(v.Pos(), "a value of type "+c.T.String()+" in a column of type "+typ.String())
	return nil
}
