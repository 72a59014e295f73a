package plan

import "slices"

// exprs gives the expressions that a node computes itself, in the order they
// print. A kind of node without any need not be here.
func exprs(node Node) []Expr {
	var out []Expr
	switch n := node.(type) {
	case *Filter:
		out = []Expr{n.Pred}
	case *Extend:
		out = assigned(n.Cols)
	case *Aggregate:
		out = assigned(n.Keys)
		for _, a := range n.Aggs {
			out = append(out, a.Args...)
			if a.Filter != nil {
				out = append(out, a.Filter)
			}
		}
	case *Sort:
		for _, k := range n.Keys {
			out = append(out, k.Expr)
		}
	case *Lookup:
		out = []Expr{n.Match}
	case *Join:
		for _, k := range n.Keys {
			out = append(out, k.L, k.R)
		}
	case *Union:
		for _, in := range n.Parts {
			out = append(out, in.Cols...)
		}
	case *Range:
		out = []Expr{n.Start, n.End, n.Step}
	}
	return slices.DeleteFunc(out, func(x Expr) bool { return x == nil })
}

func assigned(cols []Assign) []Expr {
	out := make([]Expr, len(cols))
	for i, a := range cols {
		out[i] = a.Expr
	}
	return out
}
