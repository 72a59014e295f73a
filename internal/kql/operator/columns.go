package operator

import (
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// CountOp counts rows.
const CountOp = fn.Count

// Columns binds the operators that are a list of columns.
func (b *Binder) Columns(op *syntax.Columns) *expr.Rows {
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
	b.Refuse(syntax.Span{Start: op.Start, End: op.Start + len(op.Word)}, "operator '"+op.Word+"'")
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
func (b *Binder) add(node *plan.Extend, x plan.Expr) plan.Expr {
	if cheap(x) {
		return x
	}
	id := b.NewID()
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
		return x.Op == fn.StoredText || x.Op == fn.StoredTicks || x.Op == fn.StoredDynamic
	}
	return false
}

func (b *Binder) project(op *syntax.Columns) *expr.Rows {
	r := b.Rows
	node := &plan.Extend{From: r.Node}
	out := &expr.Rows{Node: node}
	unnamed := numbered("Column", 1)
	derived := map[string]bool{} // names that an expression gave
	for _, x := range op.Items {
		if _, ok := x.(*syntax.Star); ok {
			b.Fail(x.Pos(), "project takes no *", "")
			continue
		}
		for _, it := range b.Items(x, unnamed) {
			if out.Find(it.Name) == nil {
				derived[it.Name] = !it.Explicit && !isName(x)
			} else {
				if it.Explicit || isName(x) && !derived[it.Name] {
					b.Fail(it.Span, "the column '"+it.Name+"' is there twice", "")
					continue
				}
				it.Name = expr.Unique(it.Name, func(n string) bool { return out.Find(n) != nil })
			}
			out.Cols = append(out.Cols, expr.Fixed(it.Name, b.add(node, it.X)))
		}
	}
	return out
}

func isName(x syntax.Expr) bool { _, ok := x.(*syntax.Name); return ok }

func (b *Binder) extend(op *syntax.Columns) *expr.Rows {
	r := b.Rows
	node := &plan.Extend{From: r.Node}
	out := &expr.Rows{Node: node, Cols: slices.Clone(r.Cols)}
	unnamed := numbered("Column", 1)
	added := map[string]bool{}
	for _, x := range op.Items {
		for i, it := range b.Items(x, unnamed) {
			if i > 0 {
				it.Name = expr.Unique(it.Name, func(n string) bool { return added[n] })
			}
			if added[it.Name] {
				b.Fail(it.Span, "the column '"+it.Name+"' is there twice", "name them: a = …")
				continue
			}
			added[it.Name] = true
			c := expr.Fixed(it.Name, b.add(node, it.X))
			if old := out.Find(it.Name); old != nil {
				*old = c
			} else {
				out.Cols = append(out.Cols, c)
			}
		}
	}
	return out
}

func (b *Binder) distinct(op *syntax.Columns) *expr.Rows {
	r := b.Rows
	node := &plan.Aggregate{From: r.Node}
	out := &expr.Rows{Node: node}
	items := op.Items
	var keys []expr.Item
	unnamed := numbered("Column", 1)
	for _, x := range items {
		if _, ok := x.(*syntax.Star); ok {
			for _, c := range r.Visible() {
				keys = append(keys, expr.Item{Name: c.Name, X: c.Get(), Span: x.Pos()})
			}
			continue
		}
		if _, ok := x.(*syntax.Named); ok {
			b.Fail(x.Pos(), "distinct takes columns without names", "name them in extend or project before")
			continue
		}
		keys = append(keys, b.Item(x, unnamed))
	}
	for _, k := range keys {
		b.groupKey(node, out, k)
	}
	return out
}

// groupKey adds a key to an Aggregate and a column to its output.
func (b *Binder) groupKey(node *plan.Aggregate, out *expr.Rows, k expr.Item) {
	if k.X.Type() == schema.Dynamic {
		b.Fail(k.Span, "cannot group by a value of type dynamic", "convert it: tostring(…)")
		return
	}
	name := expr.Unique(k.Name, func(n string) bool { return out.Find(n) != nil })
	if name != k.Name && k.Explicit {
		b.Fail(k.Span, "the column '"+k.Name+"' is there twice", "")
		return
	}
	id := b.NewID()
	node.Keys = append(node.Keys, plan.Assign{ID: id, Expr: k.X})
	out.Cols = append(out.Cols, expr.Fixed(name, &plan.Ref{ID: id, T: k.X.Type(), NotNull: plan.NotNull(k.X)}))
}

// matching tells which columns a name or pattern of project-away means.
func (b *Binder) matching(x syntax.Expr, cols []expr.Column) []int {
	var found []int
	switch x := x.(type) {
	case *syntax.Ordered:
		return b.matching(x.X, cols)
	case *syntax.Name:
		for i := range cols {
			if cols[i].Name == x.Name {
				return []int{i}
			}
		}
		b.NoColumn(x)
	case *syntax.Pattern:
		for i := range cols {
			if ok, _ := path.Match(x.Pattern, cols[i].Name); ok && !cols[i].Hidden {
				found = append(found, i)
			}
		}
	default:
		b.Fail(x.Pos(), "a column's name is expected here", "")
	}
	return found
}

func (b *Binder) pick(op *syntax.Columns, keep bool) *expr.Rows {
	r := b.Rows
	chosen := map[int]bool{}
	for _, x := range op.Items {
		for _, i := range b.matching(x, r.Cols) {
			chosen[i] = true
		}
	}
	out := &expr.Rows{Node: r.Node}
	for i, c := range r.Cols {
		if chosen[i] && keep {
			c.Hidden = false
		}
		if chosen[i] == keep {
			out.Cols = append(out.Cols, c)
		}
	}
	return out
}

func (b *Binder) rename(op *syntax.Columns) *expr.Rows {
	r := b.Rows
	out := &expr.Rows{Node: r.Node, Cols: slices.Clone(r.Cols)}
	for _, x := range op.Items {
		n, ok := x.(*syntax.Named)
		from, isName := syntax.Expr(nil), false
		if ok && len(n.Names) == 1 {
			from = n.X
			_, isName = from.(*syntax.Name)
		}
		if !isName {
			b.Fail(x.Pos(), "project-rename takes new = old", "")
			continue
		}
		for _, i := range b.matching(from, r.Cols) {
			if old := r.Find(n.Names[0].Name); old != nil && old.Name != r.Cols[i].Name && !old.Hidden {
				b.Fail(n.Span, "the column '"+old.Name+"' is there already", "")
			}
			out.Cols[i].Name, out.Cols[i].Hidden = n.Names[0].Name, false
		}
	}
	return out
}

func (b *Binder) reorder(op *syntax.Columns) *expr.Rows {
	r := b.Rows
	out := &expr.Rows{Node: r.Node}
	taken := map[int]bool{}
	for _, x := range op.Items {
		found := b.matching(x, r.Cols)
		if o, ok := x.(*syntax.Ordered); ok {
			if o.Order != "asc" && o.Order != "desc" {
				b.Refuse(o.Span, "the order "+o.Order)
			}
			slices.SortStableFunc(found, func(i, j int) int {
				switch {
				case r.Cols[i].Name == r.Cols[j].Name:
					return 0
				case (r.Cols[i].Name < r.Cols[j].Name) == (o.Order == "asc"):
					return -1
				}
				return 1
			})
		}
		for _, i := range found {
			if !taken[i] {
				taken[i] = true
				out.Cols = append(out.Cols, r.Cols[i])
			}
		}
	}
	for i, c := range r.Cols {
		if !taken[i] {
			out.Cols = append(out.Cols, c)
		}
	}
	return out
}

// Print binds print: one row of values.
func (b *Binder) Print(op *syntax.Columns) *expr.Rows {
	one := &plan.Values{Rows: [][]*plan.Const{{}}}
	node := &plan.Extend{From: one}
	out := &expr.Rows{Node: node}
	saved := b.Rows
	b.Rows = &expr.Rows{Node: one}
	for i, x := range op.Items {
		for _, it := range b.Items(x, func() string { return "print_" + strconv.Itoa(i) }) {
			it.Name = expr.Unique(it.Name, func(n string) bool { return out.Find(n) != nil })
			out.Cols = append(out.Cols, expr.Fixed(it.Name, b.add(node, it.X)))
		}
	}
	b.Rows = saved
	return out
}

// maxCells bounds a datatable: it becomes text of SQL.
const maxCells = 100_000

// Datatable binds a table of literals.
func (b *Binder) Datatable(d *syntax.Datatable) *expr.Rows {
	node := &plan.Values{}
	out := &expr.Rows{Node: node}
	for _, c := range d.Columns {
		typ, ok := expr.TypeNames[c.Type]
		if !ok {
			b.Refuse(c.Span, "a column of type "+c.Type)
			return nil
		}
		if out.Find(c.Name) != nil {
			b.Fail(c.Span, "the column '"+c.Name+"' is there twice", "")
		}
		ref := plan.Ref{ID: b.NewID(), T: typ, NotNull: typ == schema.String}
		node.Columns = append(node.Columns, ref)
		out.Cols = append(out.Cols, expr.Fixed(c.Name, &ref))
	}
	width := len(d.Columns)
	if width == 0 || len(d.Values)%width != 0 || len(d.Values) > maxCells {
		b.Fail(d.Span, fmt.Sprintf("%d values do not fill rows of %d columns (at most %d values)", len(d.Values), width, maxCells), "")
		return nil
	}
	saved := b.Rows
	b.Rows = nil
	defer func() { b.Rows = saved }()
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
func (b *Binder) cell(v syntax.Expr, typ schema.Type) *plan.Const {
	if u, ok := v.(*syntax.Unary); ok && u.Op == "-" && expr.IsWhole(typ) { // the smallest long has no positive
		if l, isLit := u.X.(*syntax.Literal); isLit && l.Type == schema.Long {
			if c, err := expr.LiteralValue(typ, "-"+l.Text); err == nil {
				return c
			}
		}
	}
	c := expr.Constant(b.Scalar(v))
	if c == nil {
		b.Refuse(v.Pos(), "a value that is not a literal in a datatable")
		return nil
	}
	switch {
	case c.T == 0:
		return nil
	case c.T == typ:
		return c
	case c.V == nil:
		return expr.Null(typ).(*plan.Const)
	case typ == schema.Dynamic && c.T != schema.String:
		return expr.Constant(expr.ToDynamic(c))
	case typ == schema.Dynamic || c.T == schema.Dynamic:
	case typ == schema.Long && c.T == schema.Int:
		return &plan.Const{T: typ, V: c.V}
	case typ == schema.Int && c.T == schema.Long && c.V.(int64) == int64(int32(c.V.(int64))):
		return &plan.Const{T: typ, V: c.V}
	case typ == schema.Real && expr.IsWhole(c.T):
		return &plan.Const{T: typ, V: float64(c.V.(int64))}
	case c.T == schema.String && typ != schema.String:
		if lit, err := expr.LiteralValue(typ, c.V.(string)); err == nil {
			return lit
		}
		return expr.Null(typ).(*plan.Const)
	}
	b.Refuse(v.Pos(), "a value of type "+c.T.String()+" in a column of type "+typ.String())
	return nil
}
