package plan

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// Walk calls f for x and every expression in it.
func Walk(x Expr, f func(Expr)) {
	f(x)
	if c, ok := x.(*Call); ok {
		for _, a := range c.Args {
			Walk(a, f)
		}
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
	case *Call:
		return callNotNull(x)
	}
	return false
}

func callNotNull(x *Call) bool {
	switch x.Op {
	case fn.IsNull, fn.StrLen, fn.In, fn.InFold, fn.EqFold, fn.Has, fn.HasCS, fn.HasPrefix, fn.HasPrefixCS, fn.HasSuffix, fn.HasSuffixCS,
		fn.Contains, fn.ContainsCS, fn.StartsWith, fn.StartsWithCS, fn.EndsWith, fn.EndsWithCS, fn.Matches, fn.HasAny, fn.HasAll:
		return true
	case fn.Eq, fn.Ne: // null only when both sides are
		return NotNull(x.Args[0]) || NotNull(x.Args[1])
	case fn.Coalesce:
		return slices.ContainsFunc(x.Args, NotNull)
	case fn.StoredTicks, fn.And, fn.Or, fn.Not, fn.Lt, fn.Le, fn.Gt, fn.Ge:
		return !slices.ContainsFunc(x.Args, nullable)
	case fn.Add, fn.Sub, fn.Mul, fn.Neg:
		return x.T != schema.DateTime && !slices.ContainsFunc(x.Args, nullable)
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
	need := needs{}
	for _, o := range p.Output {
		need.add(o.Expr)
	}
	p.Root = need.prune(p.Root)
}

// needs is the set of columns that something above reads.
type needs map[ID]bool

func (n needs) add(x Expr) {
	Walk(x, func(x Expr) {
		if r, ok := x.(*Ref); ok {
			n[r.ID] = true
		}
	})
}

func (n needs) prune(node Node) Node {
	switch x := node.(type) {
	case *Scan:
		x.Columns = slices.DeleteFunc(x.Columns, func(c ScanColumn) bool { return !n[c.ID] })
		slices.SortFunc(x.Columns, func(a, b ScanColumn) int { return a.Index - b.Index })
		return x
	case *Filter:
		n.add(x.Pred)
		x.From = n.prune(x.From)
	case *Extend:
		x.Cols = slices.DeleteFunc(x.Cols, func(a Assign) bool { return !n[a.ID] })
		for _, a := range x.Cols {
			n.add(a.Expr)
		}
		x.From = n.prune(x.From)
		if len(x.Cols) == 0 {
			return x.From
		}
	case *Aggregate:
		return n.pruneAggregate(x)
	case *Sort:
		for _, k := range x.Keys {
			n.add(k.Expr)
		}
		x.From = n.prune(x.From)
	case *Take:
		if above := x.hoist(); above != nil {
			return n.prune(above)
		}
		x.From = n.prune(x.From)
	case *Lookup:
		if !n[x.Result] {
			return n.prune(x.From)
		}
		n.add(x.Match)
		x.From = n.prune(x.From)
	}
	return node
}

// hoist moves computed columns that neither the sort nor a filter below a Take
// reads above it, so that they are computed for the rows that stay: top 5 of whole
// events would rebuild every event's text else. Nil when there are none.
func (x *Take) hoist() Node {
	read := needs{}
	at := x.From
	for {
		switch below := at.(type) {
		case *Sort:
			for _, k := range below.Keys {
				read.add(k.Expr)
			}
			at = below.From
		case *Filter:
			read.add(below.Pred)
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
				return &Extend{From: x, Cols: moved}
			}
			for _, a := range below.Cols {
				read.add(a.Expr)
			}
			at = below.From
		default:
			return nil
		}
	}
}

func (n needs) pruneAggregate(x *Aggregate) Node {
	x.Aggs = slices.DeleteFunc(x.Aggs, func(a Agg) bool { return !n[a.ID] })
	if len(x.Keys) == 0 && len(x.Aggs) == 0 { // one row still
		x.Aggs = append(x.Aggs, Agg{Op: fn.Count, T: schema.Long})
	}
	below := needs{}
	for _, k := range x.Keys {
		below.add(k.Expr)
	}
	for _, a := range x.Aggs {
		for _, arg := range a.Args {
			below.add(arg)
		}
		if a.Filter != nil {
			below.add(a.Filter)
		}
	}
	x.From = below.prune(unsorted(x.From))
	return x
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
