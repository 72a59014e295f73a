package bind

import (
	"slices"
	"strings"

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
	added []column
	at    []int
	index *column
}

// root is the node above which the elements can be read.
func (e *expansion) root() plan.Node {
	if len(e.above.Cols) > 0 {
		return e.above
	}
	return e.node
}

// mvExpand binds mv-expand: a row for each element.
func (b *operators) mvExpand(op *syntax.MvExpand) *rows {
	r := b.rows
	limit := op.Limit
	e := b.expand(op.Word, op.Params, op.Items, limit, op.Span)
	if e == nil {
		return nil
	}
	out := &rows{node: e.root(), cols: slices.Clone(r.cols)}
	for i, c := range e.added {
		if at := e.at[i]; at >= 0 {
			out.cols[at] = c
		} else {
			out.cols = append(out.cols, c)
		}
	}
	if e.index != nil {
		c := *e.index
		c.name = unique(c.name, func(n string) bool { return out.find(n) != nil })
		out.cols = append(out.cols, c)
	}
	return out
}

// expand binds what mv-expand and mv-apply share.
func (b *operators) expand(word string, params []syntax.Param, items []*syntax.MvItem, limit syntax.Expr, span syntax.Span) *expansion {
	e := &expansion{node: &plan.Unnest{From: b.rows.node}}
	e.above = &plan.Extend{From: e.node}
	index, ok := b.expandParams(e, params, span)
	if !ok {
		return nil
	}
	if word == "mvexpand" || word == "mvapply" {
		e.node.Limit = legacyLimit
	}
	if limit != nil {
		n, ok := b.rowCount(limit)
		if !ok {
			return nil
		}
		if e.node.Limit = n; n == 0 {
			b.fail(limit.Pos(), "a limit of 0 leaves no rows", "")
			return nil
		}
	}
	for _, item := range items {
		if !b.expandItem(e, item) {
			return nil
		}
	}
	if len(items) == 0 {
		b.fail(span, word+" needs a column", "")
		return nil
	}
	if index != "" {
		e.node.Index = b.newID()
		c := fixed(index, &plan.Ref{ID: e.node.Index, T: schema.Long, NotNull: true})
		e.index = &c
	}
	return e
}

// expandParams reads bagexpansion, kind and with_itemindex, of which it gives the
// name.
func (b *operators) expandParams(e *expansion, params []syntax.Param, span syntax.Span) (index string, ok bool) {
	for _, p := range params {
		switch {
		case p.Name == "bagexpansion" || p.Name == "kind":
			switch p.Text() {
			case "array":
				e.node.Pairs = true
			case "bag":
			default:
				b.fail(span, p.Name+" is array or bag", "")
				return "", false
			}
		case p.Name == "with_itemindex":
			index = p.Text()
		case !strings.HasPrefix(p.Name, "hint."):
			b.refuse(span, "the parameter "+p.Name)
			return "", false
		}
	}
	return index, true
}

func (b *operators) expandItem(e *expansion, item *syntax.MvItem) bool {
	it := b.item(item.X, func() string { return "" })
	t := it.x.Type()
	switch {
	case t == 0:
		return false
	case t != schema.Dynamic:
		hint := ""
		if t == schema.String {
			hint = "parse it: parse_json(…)"
		}
		b.fail(item.X.Pos(), "a dynamic value is expected here, not "+t.String(), hint)
		return false
	}
	if it.name == "" {
		it.name = unique("Column1", func(n string) bool { return b.rows.find(n) != nil })
	}
	if slices.ContainsFunc(e.added, func(c column) bool { return c.name == it.name }) {
		b.fail(item.Span, "the column '"+it.name+"' is there twice", "")
		return false
	}
	to := schema.Dynamic
	if item.Type != nil {
		var ok bool
		if to, ok = b.typeArgument(item.Type); !ok {
			return false
		}
	}
	c, isCall := it.x.(*plan.Call)
	col := plan.UnnestColumn{X: it.x, List: b.newID(), ID: b.newID(), Text: to == schema.String && isCall && c.Op == fn.Split}
	e.node.Cols = append(e.node.Cols, col)
	var x plan.Expr = &plan.Ref{ID: col.ID, T: schema.Dynamic}
	switch {
	case col.Text:
		x = &plan.Call{Op: fn.StoredText, Args: []plan.Expr{&plan.Ref{ID: col.ID, T: schema.String}}, T: schema.String}
	case item.Type != nil:
		if x = convert(x, to); x == nil {
			b.refuse(item.Type.Pos(), "elements of type "+to.String())
			return false
		}
		x = b.add(e.above, x)
	}
	e.added = append(e.added, fixed(it.name, x))
	e.at = append(e.at, slices.IndexFunc(b.rows.cols, func(c column) bool { return c.name == it.name }))
	return true
}
