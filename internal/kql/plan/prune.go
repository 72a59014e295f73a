package plan

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// Walk calls f for x and every expression in it, but not for those of the rows
// that a Scalar or InRows asks.
func Walk(x Expr, f func(Expr)) {
	f(x)
	switch x := x.(type) {
	case *Call:
		for _, a := range x.Args {
			Walk(a, f)
		}
	case *InRows:
		Walk(x.X, f)
	}
}

// Size counts the nodes of an expression, but stops soon after most.
func Size(x Expr, most int) int {
	n := 1
	if c, ok := x.(*Call); ok {
		for _, a := range c.Args {
			if n > most {
				break
			}
			n += Size(a, most-n)
		}
	}
	return n
}

// NotNull tells that an expression is never null.
func NotNull(x Expr) bool {
	if x.Type() == schema.String {
		return true
	}
	switch x := x.(type) {
	case *Const:
		return x.V != nil
	case *Ref:
		return x.NotNull
	case *InRows:
		return true
	case *Call:
		return callNotNull(x)
	}
	return false
}

func callNotNull(x *Call) bool {
	switch x.Op {
	case fn.IsNull, fn.StrLen, fn.StringSize, fn.NewGuid, fn.Random, fn.In, fn.InFold, fn.EqFold, fn.Has, fn.HasCS, fn.HasPrefix, fn.HasPrefixCS, fn.HasSuffix, fn.HasSuffixCS,
		fn.Contains, fn.ContainsCS, fn.StartsWith, fn.StartsWithCS, fn.EndsWith, fn.EndsWithCS, fn.Matches, fn.HasAny, fn.HasAll:
		return true
	case fn.Eq, fn.Ne: // null only when both sides are
		return NotNull(x.Args[0]) || NotNull(x.Args[1])
	case fn.Coalesce:
		return slices.ContainsFunc(x.Args, NotNull)
	case fn.StoredTicks, fn.And, fn.Or, fn.Not, fn.Lt, fn.Le, fn.Gt, fn.Ge:
		return !slices.ContainsFunc(x.Args, nullable)
	case fn.Add, fn.Sub, fn.Mul, fn.Neg: // a timespan times a real may be out of range, too
		return x.T != schema.DateTime && !slices.ContainsFunc(x.Args, func(a Expr) bool {
			return nullable(a) || x.T == schema.TimeSpan && a.Type() == schema.Real
		})
	case fn.Bin:
		step, ok := x.Args[1].(*Const)
		n, whole := any(nil), false
		if ok {
			n, whole = step.V, true
		}
		v, isLong := n.(int64)
		return whole && isLong && v > 0 && NotNull(x.Args[0])
	case fn.If:
		for i := 1; i < len(x.Args); i += 2 {
			if !NotNull(x.Args[i]) {
				return false
			}
		}
		return NotNull(x.Args[len(x.Args)-1])
	}
	return false
}

func nullable(x Expr) bool { return !NotNull(x) }

// Prune drops columns, lookups and sorts that don't show in the result.
func Prune(p *Plan) {
	n := &needs{ids: map[ID]bool{}, all: &pruning{shared: map[*Shared]*needs{}, done: map[Expr]bool{}}}
	for _, o := range p.Output {
		n.add(o.Expr)
	}
	p.Root = p.Root.prune(n)
	n.all.finish()
}

// needs is the set of columns that something above a node reads.
type needs struct {
	ids map[ID]bool
	all *pruning
}

// pruning is what one Prune keeps of the whole plan.
type pruning struct {
	// shared holds what the uses of a shared relation read, order in which they
	// were met.
	shared map[*Shared]*needs
	order  []*Shared
	// done are the expressions over rows whose rows are pruned.
	done map[Expr]bool
}

// finish prunes the shared relations. One is pruned when no use of it is to be met
// any more: uses stand in what was defined later, so the latest goes first.
func (p *pruning) finish() {
	for len(p.order) > 0 {
		slices.SortFunc(p.order, func(a, b *Shared) int { return int(a.ID) - int(b.ID) })
		last := p.order[len(p.order)-1]
		p.order = p.order[:len(p.order)-1]
		last.prune(p.shared[last])
	}
}

// fresh is an empty set for a node whose columns don't pass on what is below it.
func (n *needs) fresh() *needs { return &needs{ids: map[ID]bool{}, all: n.all} }

func (n *needs) has(id ID) bool { return n.ids[id] }

// add notes the columns an expression reads, and prunes the rows it asks.
func (n *needs) add(x Expr) {
	Walk(x, func(x Expr) {
		switch x := x.(type) {
		case *Ref:
			n.ids[x.ID] = true
		case *Scalar:
			if !n.all.done[x] {
				n.all.done[x] = true
				x.Root = pruned(n, x.Root, x.Value)
			}
		case *InRows:
			if !n.all.done[x] {
				n.all.done[x] = true
				x.Root = pruned(n, unsorted(x.Root), x.Value)
			}
		}
	})
}

// pruned prunes rows of which one expression is read.
func pruned(n *needs, root Node, value Expr) Node {
	below := n.fresh()
	below.add(value)
	return root.prune(below)
}

func addRefs(ids map[ID]bool, x Expr) {
	Walk(x, func(x Expr) {
		if r, ok := x.(*Ref); ok {
			ids[r.ID] = true
		}
	})
}

// hoist moves computed columns that neither the sort nor a filter below a Take
// reads above it, so that they are computed for the rows that stay: top 5 of whole
// events would rebuild every event's text else. Nil when there are none.
func (x *Take) hoist() Node { return hoist(x, x.From, map[ID]bool{}) }

// hoist moves them above top, which is over at and reads the columns of read.
func hoist(top, at Node, read map[ID]bool) Node {
	for {
		switch below := at.(type) {
		case *Sort:
			for _, k := range below.Keys {
				addRefs(read, k.Expr)
			}
			at = below.From
		case *Filter:
			addRefs(read, below.Pred)
			at = below.From
		case *Extend:
			var moved []Assign
			below.Cols = slices.DeleteFunc(below.Cols, func(a Assign) bool {
				if !read[a.ID] {
					moved = append(moved, a)
				}
				return !read[a.ID]
			})
			if len(moved) > 0 {
				return &Extend{From: top, Cols: moved}
			}
			for _, a := range below.Cols {
				addRefs(read, a.Expr)
			}
			at = below.From
		default:
			return nil
		}
	}
}

// unsorted leaves out sorts whose order the node above doesn't see.
func unsorted(node Node) Node {
	switch x := node.(type) {
	case *Sort:
		return unsorted(x.From)
	case *Filter:
		x.From = unsorted(x.From)
	case *Extend:
		x.From = unsorted(x.From)
	}
	return node
}
