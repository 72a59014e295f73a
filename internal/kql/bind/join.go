package bind

import (
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// joinKinds are the kinds by all their names. innerunique is an inner join of the
// first row of each key.
var joinKinds = map[string]plan.JoinKind{
	"inner": plan.InnerJoin, "innerunique": plan.InnerJoin, "leftouter": plan.LeftOuterJoin, "rightouter": plan.RightOuterJoin, "fullouter": plan.FullOuterJoin,
	"leftsemi": plan.LeftSemiJoin, "rightsemi": plan.RightSemiJoin, "leftanti": plan.LeftAntiJoin, "anti": plan.LeftAntiJoin, "leftantisemi": plan.LeftAntiJoin,
	"rightanti": plan.RightAntiJoin, "rightantisemi": plan.RightAntiJoin,
}

// join binds join and lookup.
func (b *binder) join(op *syntax.Join) *expr.Rows {
	left := b.Rows
	kind := b.joinKind(op)
	right := b.Input(op.Right)
	if right == nil || kind == "" {
		return nil
	}
	keys := b.joinKeys(op, left, right)
	if len(keys) == 0 {
		return nil
	}
	node := &plan.Join{Left: left.Node, Right: right.Node, Kind: joinKinds[kind]}
	for _, k := range keys {
		node.Keys = append(node.Keys, plan.JoinKey{L: k.l, R: k.r})
	}
	switch node.Kind {
	case plan.LeftSemiJoin, plan.LeftAntiJoin:
		return &expr.Rows{Node: node, Cols: left.Cols}
	case plan.RightSemiJoin, plan.RightAntiJoin:
		return &expr.Rows{Node: node, Cols: right.Cols}
	case plan.LeftOuterJoin:
		right = b.nullable(right)
	case plan.RightOuterJoin:
		left = b.nullable(left)
	case plan.FullOuterJoin:
		left, right = b.nullable(left), b.nullable(right)
	}
	node.Left, node.Right = left.Node, right.Node
	if kind == "innerunique" {
		first := &plan.First{From: left.Node}
		for _, k := range keys {
			first.Keys = append(first.Keys, k.l)
		}
		node.Left = first
	}
	out := &expr.Rows{Node: node, Cols: slices.Clip(left.Cols)}
	for _, c := range right.Cols {
		if op.Word == "lookup" && slices.ContainsFunc(keys, func(k joinKey) bool { return k.right == c.Name }) {
			continue
		}
		taken := out.Find(c.Name)
		if c.Hidden && taken != nil {
			continue
		}
		own := c.Name
		c.Name = expr.Unique(own, func(n string) bool { return out.Find(n) != nil || n != own && right.Find(n) != nil })
		out.Cols = append(out.Cols, c)
	}
	return out
}

// joinKind gives the kind's name, "" after an error.
func (b *binder) joinKind(op *syntax.Join) string {
	kind := "innerunique"
	if op.Word == "lookup" {
		kind = "leftouter"
	}
	for _, p := range op.Params {
		switch {
		case p.Name == "kind":
			kind = p.Text()
		case !strings.HasPrefix(p.Name, "hint."):
			b.Refuse(p.Span, "the parameter "+p.Name)
			return ""
		}
	}
	_, known := joinKinds[kind]
	switch {
	case !known:
		var names []string
		for n := range joinKinds {
			names = append(names, n)
		}
		hint := ""
		if n := syntax.Nearest(kind, names); n != "" {
			hint = "did you mean " + n + "?"
		}
		b.Fail(op.WordAt, "there is no kind of join '"+kind+"'", hint)
		return ""
	case op.Word == "lookup" && kind != "inner" && kind != "leftouter":
		b.Fail(op.WordAt, "lookup has the kinds leftouter and inner", "use join")
		return ""
	}
	return kind
}

// joinKey is a pair of expressions that must be equal; right names the right
// side's column.
type joinKey struct {
	l, r  plan.Expr
	right string
}

// joinKeys binds what stands behind on; nil after an error.
func (b *binder) joinKeys(op *syntax.Join, left, right *expr.Rows) []joinKey {
	if len(op.On) == 0 {
		b.Fail(op.WordAt, op.Word+" needs on and the columns that must be equal", "")
		return nil
	}
	var keys []joinKey
	for _, x := range op.On {
		if !b.joinCondition(&keys, x, left, right) {
			return nil
		}
	}
	return keys
}

func (b *binder) joinCondition(keys *[]joinKey, x syntax.Expr, left, right *expr.Rows) bool {
	const hint = "write a column that both sides have, or $left.a == $right.b"
	switch x := x.(type) {
	case *syntax.Paren:
		return b.joinCondition(keys, x.X, left, right)
	case *syntax.Name:
		return b.joinKey(keys, x, x, left, right, x.Span)
	case *syntax.Binary:
		if x.Op == "and" {
			return b.joinCondition(keys, x.L, left, right) && b.joinCondition(keys, x.R, left, right)
		}
		l, lSide := sideColumn(x.L)
		r, rSide := sideColumn(x.R)
		if lSide == "$right" && rSide == "$left" {
			l, r, lSide, rSide = r, l, rSide, lSide
		}
		if x.Op != "==" {
			b.Fail(x.OpAt, "only == can stand between the sides of a join", hint)
			return false
		}
		if lSide == "$left" && rSide == "$right" {
			return b.joinKey(keys, l, r, left, right, x.Span)
		}
	}
	b.Fail(x.Pos(), "this can't stand behind on", hint)
	return false
}

// sideColumn reads $left.a or $right.a.
func sideColumn(x syntax.Expr) (*syntax.Name, string) {
	switch x := x.(type) {
	case *syntax.Paren:
		return sideColumn(x.X)
	case *syntax.Member:
		if n, ok := x.X.(*syntax.Name); ok {
			return &syntax.Name{Span: x.Span, Name: x.Name}, n.Name
		}
	case *syntax.Index:
		n, ok := x.X.(*syntax.Name)
		if k, isText := x.I.(*syntax.Literal); ok && isText && k.Type == schema.String {
			return &syntax.Name{Span: x.Span, Name: k.Text}, n.Name
		}
	}
	return nil, ""
}

func (b *binder) joinKey(keys *[]joinKey, l, r *syntax.Name, left, right *expr.Rows, at syntax.Span) bool {
	lx, rx := b.columnOf(l, left, "left"), b.columnOf(r, right, "right")
	if lx == nil || rx == nil {
		return false
	}
	lt, rt := lx.Type(), rx.Type()
	switch {
	case lt == 0 || rt == 0:
		return false
	case lt == schema.Dynamic || rt == schema.Dynamic:
		b.Fail(at, "a join cannot compare values of type dynamic", "convert them before: extend k = tostring(…)")
		return false
	case lt == rt, expr.IsWhole(lt) && expr.IsWhole(rt):
	case expr.IsNumber(lt) && expr.IsNumber(rt):
		lx, rx = expr.Convert(lx, schema.Real), expr.Convert(rx, schema.Real)
	default:
		b.Fail(at, "a join cannot compare "+lt.String()+" with "+rt.String(), "convert one of them before: extend k = tostring(…)")
		return false
	}
	*keys = append(*keys, joinKey{l: lx, r: rx, right: r.Name})
	return true
}

// columnOf binds a column of one side, nil when there is none.
func (b *binder) columnOf(x *syntax.Name, r *expr.Rows, side string) plan.Expr {
	if c := r.Find(x.Name); c != nil {
		return c.Get()
	}
	hint := ""
	if n := syntax.Nearest(x.Name, r.Names()); n != "" {
		hint = "did you mean " + n + "?"
	}
	b.Fail(x.Span, "the "+side+" side of the join has no column '"+x.Name+"'", hint)
	return nil
}

// nullable gives the relation of a side that may have no partner: its strings are
// "" then, all else is null. What reads stored columns is written above the join,
// the rest is computed below.
func (b *binder) nullable(r *expr.Rows) *expr.Rows {
	node := &plan.Extend{From: r.Node}
	return &expr.Rows{Node: node, Cols: expr.Derive(r.Cols, func(_ int, x plan.Expr) plan.Expr {
		if y := withoutNotNull(x); y != nil {
			return y
		}
		id := b.NewID()
		node.Cols = append(node.Cols, plan.Assign{ID: id, Expr: x})
		return nullableRef(id, x.Type())
	})}
}

func nullableRef(id plan.ID, t schema.Type) plan.Expr {
	ref := &plan.Ref{ID: id, T: t}
	if t == schema.String {
		return &plan.Call{Op: fn.StoredText, Args: []plan.Expr{ref}, T: t}
	}
	return ref
}

// withoutNotNull gives a column, or a stored column as KQL sees it, as one that may
// be null; nil for any other expression.
func withoutNotNull(x plan.Expr) plan.Expr {
	switch x := x.(type) {
	case *plan.Ref:
		return nullableRef(x.ID, x.T)
	case *plan.Call:
		if x.Op != fn.StoredText && x.Op != fn.StoredTicks {
			return nil
		}
		c := *x
		c.Args = slices.Clone(x.Args)
		for i, a := range c.Args {
			r, ok := a.(*plan.Ref)
			if !ok {
				return nil
			}
			c.Args[i] = &plan.Ref{ID: r.ID, T: r.T}
		}
		return &c
	}
	return nil
}
