package plan

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/fn"
)

// Push moves filters down to the scans whose columns they read, through joins,
// unions and what was bound between, so that files and row groups can be left
// unread and DuckDB gets plain comparisons of stored columns. A filter moves only
// past nodes that it commutes with. Before that, shared relations with one use
// are put in its place.
func Push(p *Plan) {
	inline(p)
	p.Root = push(p.Root, nil)
	replaceRows(p, func(n Node) Node { return push(n, nil) })
}

// replaceRows puts what f gives in the place of the rows of every Scalar, InRows and
// Shared of a plan, once for each.
func replaceRows(p *Plan, f func(Node) Node) {
	done := map[any]bool{}
	eachRows(p, func(x any) {
		if done[x] {
			return
		}
		done[x] = true
		switch x := x.(type) {
		case *Scalar:
			x.Root = f(x.Root)
		case *InRows:
			x.Root = f(x.Root)
		case *Shared:
			x.From = f(x.From)
		}
	})
}

// eachRows calls f for every Scalar, InRows and Shared of a plan, once for each
// place it stands.
func eachRows(p *Plan, f func(any)) {
	seen := map[any]bool{}
	var node func(Node)
	var visit func(any)
	expr := func(x Expr) {
		Walk(x, func(x Expr) {
			switch x.(type) {
			case *Scalar, *InRows:
				visit(x)
			}
		})
	}
	visit = func(x any) {
		f(x)
		if seen[x] {
			return
		}
		seen[x] = true
		switch x := x.(type) {
		case *Scalar:
			expr(x.Value)
			node(x.Root)
		case *InRows:
			expr(x.Value)
			node(x.Root)
		case *Shared:
			for _, a := range x.Cols {
				expr(a.Expr)
			}
			node(x.From)
		}
	}
	node = func(n Node) {
		for _, x := range n.exprs() {
			expr(x)
		}
		if u, ok := n.(*Use); ok {
			visit(u.Of)
		}
		for _, in := range n.Inputs() {
			node(in)
		}
	}
	for _, o := range p.Output {
		expr(o.Expr)
	}
	node(p.Root)
}

// inline puts shared relations with one use in their place.
func inline(p *Plan) {
	uses := map[*Shared]int{}
	eachRows(p, func(x any) {
		if s, ok := x.(*Shared); ok {
			uses[s]++
		}
	})
	if len(uses) == 0 {
		return
	}
	var replace func(Node) Node
	replace = func(n Node) Node {
		if s, sorted := n.(*Sort); sorted && s.Again {
			if u, ok := s.From.(*Use); ok && uses[u.Of] == 1 {
				n = u // the rows in its place are in order
			}
		}
		u, ok := n.(*Use)
		if !ok || uses[u.Of] > 1 {
			n.rewrite(replace)
			return n
		}
		of := map[ID]Expr{}
		for _, a := range u.Of.Cols {
			of[a.ID] = a.Expr
		}
		e := &Extend{From: replace(u.Of.From)}
		for _, c := range u.Cols {
			e.Cols = append(e.Cols, Assign{ID: c.ID, Expr: of[c.Of]})
		}
		return e
	}
	replaceRows(p, replace)
	p.Root = replace(p.Root)
}

// conjuncts splits a condition into parts that must all be true.
func conjuncts(x Expr) []Expr {
	c, ok := x.(*Call)
	if !ok || c.Op != fn.And {
		return []Expr{x}
	}
	var out []Expr
	for _, a := range c.Args {
		out = append(out, conjuncts(a)...)
	}
	return out
}

// filtered puts conditions above a node.
func filtered(n Node, preds []Expr) Node {
	if len(preds) == 0 {
		return n
	}
	pred := preds[0]
	if len(preds) > 1 {
		pred = &Call{Op: fn.And, Args: preds, T: pred.Type()}
	}
	return &Filter{From: n, Pred: pred}
}

// push gives a node with the conditions applied, as far down as they go.
func push(n Node, preds []Expr) Node {
	switch x := n.(type) {
	case *Filter: // what is below comes first, it may be what makes the rest cheap
		return push(x.From, slices.Concat(conjuncts(x.Pred), preds))
	case *Extend:
		return x.push(preds)
	case *Sort:
		x.From = push(x.From, preds)
		return x
	case *Lookup:
		below, above := split(preds, func(ids map[ID]bool) bool { return !ids[x.Result] })
		x.From = push(x.From, below)
		return filtered(x, above)
	case *Aggregate:
		return x.push(preds)
	case *Join:
		return x.push(preds)
	case *First:
		keys := map[ID]bool{}
		for _, k := range x.Keys {
			addRefs(keys, k)
		}
		if groupedBy(x.From, keys) {
			return push(x.From, preds)
		}
		below, above := split(preds, func(ids map[ID]bool) bool { return subset(ids, keys) })
		x.From = push(x.From, below)
		return filtered(x, above)
	case *Union:
		return x.push(preds)
	case *Take:
		x.push()
		return filtered(x, preds)
	}
	n.rewrite(func(in Node) Node { return push(in, nil) })
	return filtered(n, preds)
}

// groupedBy tells that no two rows of n have the same values of some columns.
func groupedBy(n Node, cols map[ID]bool) bool {
	switch n := n.(type) {
	case *Aggregate:
		for _, k := range n.Keys {
			if !cols[k.ID] {
				return false
			}
		}
		return true
	case *Filter, *Extend, *Sort, *Take, *Lookup:
		return groupedBy(n.Inputs()[0], cols)
	}
	return false
}

// split parts conditions by the columns they read.
func split(preds []Expr, below func(ids map[ID]bool) bool) (down, stay []Expr) {
	for _, p := range preds {
		ids := map[ID]bool{}
		addRefs(ids, p)
		if below(ids) {
			down = append(down, p)
		} else {
			stay = append(stay, p)
		}
	}
	return down, stay
}

func subset(ids, of map[ID]bool) bool {
	for id := range ids {
		if !of[id] {
			return false
		}
	}
	return true
}

// plainForm tells that an expression can be written again where its value is read:
// a column, a constant, or a stored column as KQL sees it.
func plainForm(x Expr) bool {
	switch x := x.(type) {
	case *Ref, *Const:
		return true
	case *Call:
		return x.Op == fn.StoredText || x.Op == fn.StoredTicks || x.Op == fn.StoredDynamic
	}
	return false
}

// substitute gives x with columns replaced. What doesn't change is not copied.
func substitute(x Expr, by map[ID]Expr) Expr {
	switch x := x.(type) {
	case *Ref:
		if y, ok := by[x.ID]; ok {
			return y
		}
	case *InRows:
		if y := substitute(x.X, by); y != x.X {
			c := *x
			c.X = y
			return &c
		}
	case *Call:
		var args []Expr
		for i, a := range x.Args {
			y := substitute(a, by)
			if y == a {
				continue
			}
			if args == nil {
				args = slices.Clone(x.Args)
			}
			args[i] = y
		}
		if args != nil {
			c := *x
			c.Args = args
			return &c
		}
	}
	return x
}

// through gives the conditions that can be written over what assigned columns are
// of: those that read none, or only columns in plain form. by holds the plain ones,
// other all others.
func through(preds []Expr, by map[ID]Expr, other map[ID]bool) (down, stay []Expr) {
	for _, p := range preds {
		ids := map[ID]bool{}
		addRefs(ids, p)
		blocked := false
		for id := range ids {
			blocked = blocked || other[id]
		}
		if blocked {
			stay = append(stay, p)
		} else {
			down = append(down, substitute(p, by))
		}
	}
	return down, stay
}

func plainAssigns(cols []Assign) (by map[ID]Expr, other map[ID]bool) {
	by, other = map[ID]Expr{}, map[ID]bool{}
	for _, a := range cols {
		if plainForm(a.Expr) {
			by[a.ID] = a.Expr
		} else {
			other[a.ID] = true
		}
	}
	return by, other
}

func (x *Extend) push(preds []Expr) Node {
	if len(preds) == 0 {
		x.From = push(x.From, nil)
		return x
	}
	by, other := plainAssigns(x.Cols)
	down, stay := through(preds, by, other)
	x.From = push(x.From, down)
	return filtered(x, stay)
}

// push lets conditions on keys choose rows before they are grouped.
func (x *Aggregate) push(preds []Expr) Node {
	by, other := plainAssigns(x.Keys)
	for _, a := range x.Aggs {
		other[a.ID] = true
	}
	if len(x.Keys) == 0 {
		x.From = push(x.From, nil)
		return filtered(x, preds)
	}
	down, stay := through(preds, by, other)
	x.From = push(x.From, down)
	return filtered(x, stay)
}

// push sends a condition to the side whose columns it reads, if a row of that side
// that is left out leaves nothing else behind.
func (x *Join) push(preds []Expr) Node {
	left, right := columns(x.Left), columns(x.Right)
	toLeft := x.Kind == InnerJoin || x.Kind == LeftOuterJoin || x.Kind == LeftSemiJoin || x.Kind == LeftAntiJoin
	toRight := x.Kind == InnerJoin || x.Kind == RightOuterJoin || x.Kind == RightSemiJoin || x.Kind == RightAntiJoin
	var down [2][]Expr
	var stay []Expr
	for _, p := range preds {
		ids := map[ID]bool{}
		addRefs(ids, p)
		switch {
		case len(ids) > 0 && toLeft && subset(ids, left):
			down[0] = append(down[0], p)
		case len(ids) > 0 && toRight && subset(ids, right):
			down[1] = append(down[1], p)
		default:
			stay = append(stay, p)
		}
	}
	x.Left, x.Right = push(x.Left, down[0]), push(x.Right, down[1])
	return filtered(x, stay)
}

// columns gives what a node and those below it make; no number is made twice.
func columns(n Node) map[ID]bool {
	out := map[ID]bool{}
	addColumns(n, out)
	return out
}

func addColumns(n Node, out map[ID]bool) {
	for _, id := range n.own() {
		out[id] = true
	}
	for _, in := range n.Inputs() {
		addColumns(in, out)
	}
}

// push gives each part the conditions it can take; what some part can't take stays
// above too.
func (x *Union) push(preds []Expr) Node {
	stays := make([]bool, len(preds))
	for i := range x.Parts {
		p := &x.Parts[i]
		by, other := map[ID]Expr{}, map[ID]bool{}
		for j, c := range x.Cols {
			if plainForm(p.Cols[j]) {
				by[c.ID] = p.Cols[j]
			} else {
				other[c.ID] = true
			}
		}
		var all []Expr
		for j, pred := range preds {
			down, _ := through([]Expr{pred}, by, other)
			stays[j] = stays[j] || len(down) == 0
			all = append(all, down...)
		}
		p.From = push(p.From, all)
	}
	var stay []Expr
	for j, pred := range preds {
		if stays[j] {
			stay = append(stay, pred)
		}
	}
	return filtered(x, stay)
}

// push cuts the parts of a union too: none needs to give more than the whole.
func (x *Take) push() {
	if u, ok := x.From.(*Union); ok {
		for i := range u.Parts {
			u.Parts[i].From = push(&Take{From: u.Parts[i].From, N: x.N}, nil)
		}
		return
	}
	x.From = push(x.From, nil)
}
