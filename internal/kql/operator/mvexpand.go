package operator

import (
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// legacyLimit is how many rows mvexpand, the old form, gives of one row by default.
const legacyLimit = 128

// expansion is a mv-expand or the first half of a mv-apply.
type expansion struct {
	node *plan.Unnest
	// above converts elements to their types.
	above *plan.Extend
	// added are the columns of elements, each with the position it takes among the
	// columns of the input, -1 for the end; index is the column of positions.
	Added []expr.Column
	at    []int
	Index *expr.Column
}

// Root is the node above which the elements can be read.
func (e *expansion) Root() plan.Node {
	if len(e.above.Cols) > 0 {
		return e.above
	}
	return e.node
}

// MvExpand binds mv-expand: a row for each element.
func (b *Binder) MvExpand(op *syntax.MvExpand) *expr.Rows {
	r := b.Rows
	limit := op.Limit
	e := b.Expand(op.Word, op.Params, op.Items, limit, op.Span)
	if e == nil {
		return nil
	}
	out := &expr.Rows{Node: e.Root(), Cols: slices.Clone(r.Cols)}
	for i, c := range e.Added {
		if at := e.at[i]; at >= 0 {
			out.Cols[at] = c
		} else {
			out.Cols = append(out.Cols, c)
		}
	}
	if e.Index != nil {
		c := *e.Index
		c.Name = expr.Unique(c.Name, func(n string) bool { return out.Find(n) != nil })
		out.Cols = append(out.Cols, c)
	}
	return out
}

// Expand binds what mv-expand and mv-apply share.
func (b *Binder) Expand(word string, params []syntax.Param, items []*syntax.MvItem, limit syntax.Expr, span syntax.Span) *expansion {
	e := &expansion{node: &plan.Unnest{From: b.Rows.Node}}
	e.above = &plan.Extend{From: e.node}
	index, ok := b.expandParams(e, params, span)
	if !ok {
		return nil
	}
	if word == "mvexpand" || word == "mvapply" {
		e.node.Limit = legacyLimit
	}
	if limit != nil {
		n, ok := b.RowCount(limit)
		if !ok {
			return nil
		}
		if e.node.Limit = n; n == 0 {
			b.Fail(limit.Pos(), "a limit of 0 leaves no rows", "")
			return nil
		}
	}
	for _, item := range items {
		if !b.expandItem(e, item, len(items) == 1) {
			return nil
		}
	}
	if len(items) == 0 {
		b.Fail(span, word+" needs a column", "")
		return nil
	}
	if index != "" {
		e.node.Index = b.NewID()
		c := expr.Fixed(index, &plan.Ref{ID: e.node.Index, T: schema.Long, NotNull: true})
		e.Index = &c
	}
	return e
}

// expandParams reads bagexpansion, kind and with_itemindex, of which it gives the
// name.
func (b *Binder) expandParams(e *expansion, params []syntax.Param, span syntax.Span) (index string, ok bool) {
	for _, p := range params {
		switch {
		case p.Name == "bagexpansion" || p.Name == "kind":
			switch p.Text() {
			case "array":
				e.node.Pairs = true
			case "bag":
			default:
				b.Fail(span, p.Name+" is array or bag", "")
				return "", false
			}
		case p.Name == "with_itemindex":
			index = p.Text()
		case !strings.HasPrefix(p.Name, "hint."):
			b.Refuse(span, "the parameter "+p.Name)
			return "", false
		}
	}
	return index, true
}

// expandItem binds one column; alone tells that there is no other, so that none of its
// elements is missing.
func (b *Binder) expandItem(e *expansion, item *syntax.MvItem, alone bool) bool {
	it := b.Item(item.X, func() string { return "" })
	t := it.X.Type()
	switch {
	case t == 0:
		return false
	case t != schema.Dynamic:
		hint := ""
		if t == schema.String {
			hint = "parse it: parse_json(…)"
		}
		b.Fail(item.X.Pos(), "a dynamic value is expected here, not "+t.String(), hint)
		return false
	}
	if it.Name == "" {
		it.Name = expr.Unique("Column1", func(n string) bool { return b.Rows.Find(n) != nil })
	}
	if slices.ContainsFunc(e.Added, func(c expr.Column) bool { return c.Name == it.Name }) {
		b.Fail(item.Span, "the column '"+it.Name+"' is there twice", "")
		return false
	}
	to := schema.Dynamic
	if item.Type != nil {
		var ok bool
		if to, ok = b.TypeArgument(item.Type); !ok {
			return false
		}
	}
	c, isCall := it.X.(*plan.Call)
	col := plan.UnnestColumn{X: it.X, List: b.NewID(), ID: b.NewID(), Text: to == schema.String && isCall && c.Op == fn.Split, Typed: to != schema.Dynamic}
	e.node.Cols = append(e.node.Cols, col)
	var x plan.Expr = &plan.Ref{ID: col.ID, T: schema.Dynamic}
	switch {
	case col.Text && alone:
		x = &plan.Ref{ID: col.ID, T: schema.String, NotNull: true}
	case col.Text:
		x = &plan.Call{Op: fn.StoredText, Args: []plan.Expr{&plan.Ref{ID: col.ID, T: schema.String}}, T: schema.String}
	case item.Type != nil:
		if x = expr.Convert(x, to); x == nil {
			b.Refuse(item.Type.Pos(), "elements of type "+to.String())
			return false
		}
		x = b.add(e.above, x)
	}
	e.Added = append(e.Added, expr.Fixed(it.Name, x))
	e.at = append(e.at, slices.IndexFunc(b.Rows.Cols, func(c expr.Column) bool { return c.Name == it.Name }))
	return true
}
