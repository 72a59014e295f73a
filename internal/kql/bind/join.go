package bind

import (
	"slices"
	"strings"

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
func (b *binder) join(op *syntax.Join) *rows {
	left := b.rows
	kind := b.joinKind(op)
	right := b.input(op.Right)
	if right == nil || kind == "" {
		return nil
	}
	keys := b.joinKeys(op, left, right)
	if len(keys) == 0 {
		return nil
	}
	node := &plan.Join{Left: left.node, Right: right.node, Kind: joinKinds[kind]}
	for _, k := range keys {
		node.Keys = append(node.Keys, plan.JoinKey{L: k.l, R: k.r})
	}
	switch node.Kind {
	case plan.LeftSemiJoin, plan.LeftAntiJoin:
		return &rows{node: node, cols: left.cols}
	case plan.RightSemiJoin, plan.RightAntiJoin:
		return &rows{node: node, cols: right.cols}
	case plan.LeftOuterJoin:
		right = b.nullable(right)
	case plan.RightOuterJoin:
		left = b.nullable(left)
	case plan.FullOuterJoin:
		left, right = b.nullable(left), b.nullable(right)
	}
	node.Left, node.Right = left.node, right.node
	if kind == "innerunique" {
		first := &plan.First{From: left.node}
		for _, k := range keys {
			first.Keys = append(first.Keys, k.l)
		}
		node.Left = first
	}
	out := &rows{node: node, cols: slices.Clip(left.cols)}
	for _, c := range right.cols {
		if op.Word == "lookup" && slices.ContainsFunc(keys, func(k joinKey) bool { return k.right == c.name }) {
			continue
		}
		taken := out.find(c.name)
		if c.hidden && taken != nil {
			continue
		}
		c.name = unique(c.name, func(n string) bool { return out.find(n) != nil })
		out.cols = append(out.cols, c)
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
			b.refuse(p.Span, "the parameter "+p.Name)
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
		b.fail(op.WordAt, "there is no kind of join '"+kind+"'", hint)
		return ""
	case op.Word == "lookup" && kind != "inner" && kind != "leftouter":
		b.fail(op.WordAt, "lookup has the kinds leftouter and inner", "use join")
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
func (b *binder) joinKeys(op *syntax.Join, left, right *rows) []joinKey {
	if len(op.On) == 0 {
		b.fail(op.WordAt, op.Word+" needs on and the columns that must be equal", "")
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

func (b *binder) joinCondition(keys *[]joinKey, x syntax.Expr, left, right *rows) bool {
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
			b.fail(x.OpAt, "only == can stand between the sides of a join", hint)
			return false
		}
		if lSide == "$left" && rSide == "$right" {
			return b.joinKey(keys, l, r, left, right, x.Span)
		}
	}
	b.fail(x.Pos(), "this can't stand behind on", hint)
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

func (b *binder) joinKey(keys *[]joinKey, l, r *syntax.Name, left, right *rows, at syntax.Span) bool {
	lx, rx := b.columnOf(l, left, "left"), b.columnOf(r, right, "right")
	if lx == nil || rx == nil {
		return false
	}
	lt, rt := lx.Type(), rx.Type()
	switch {
	case lt == 0 || rt == 0:
		return false
	case lt == schema.Dynamic || rt == schema.Dynamic:
		b.fail(at, "a join cannot compare values of type dynamic", "convert them before: extend k = tostring(…)")
		return false
	case lt == rt, isWhole(lt) && isWhole(rt):
	case isNumber(lt) && isNumber(rt):
		lx, rx = convert(lx, schema.Real), convert(rx, schema.Real)
	default:
		b.fail(at, "a join cannot compare "+lt.String()+" with "+rt.String(), "convert one of them before: extend k = tostring(…)")
		return false
	}
	*keys = append(*keys, joinKey{l: lx, r: rx, right: r.Name})
	return true
}

// columnOf binds a column of one side, nil when there is none.
func (b *binder) columnOf(x *syntax.Name, r *rows, side string) plan.Expr {
	if c := r.find(x.Name); c != nil {
		return c.get()
	}
	hint := ""
	if n := syntax.Nearest(x.Name, r.names()); n != "" {
		hint = "did you mean " + n + "?"
	}
	b.fail(x.Span, "the "+side+" side of the join has no column '"+x.Name+"'", hint)
	return nil
}

// nullable gives the relation of a side that may have no partner: its strings are
// "" then, all else is null. What reads stored columns is written above the join,
// the rest is computed below.
func (b *binder) nullable(r *rows) *rows {
	node := &plan.Extend{From: r.node}
	return &rows{node: node, cols: derive(r.cols, func(_ int, x plan.Expr) plan.Expr {
		if y := withoutNotNull(x); y != nil {
			return y
		}
		id := b.newID()
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
