package plan

func assigned(cols []Assign) []Expr {
	out := make([]Expr, len(cols))
	for i, a := range cols {
		out[i] = a.Expr
	}
	return out
}

func (*Scan) exprs() []Expr     { return nil }
func (*Values) exprs() []Expr   { return nil }
func (*Take) exprs() []Expr     { return nil }
func (*Use) exprs() []Expr      { return nil }
func (n *Filter) exprs() []Expr { return []Expr{n.Pred} }
func (n *Extend) exprs() []Expr { return assigned(n.Cols) }
func (n *First) exprs() []Expr  { return n.Keys }
func (n *Lookup) exprs() []Expr { return []Expr{n.Match} }
func (n *Range) exprs() []Expr  { return []Expr{n.Start, n.End, n.Step} }

func (n *Aggregate) exprs() []Expr {
	out := assigned(n.Keys)
	for _, a := range n.Aggs {
		out = append(out, a.Args...)
		if a.Filter != nil {
			out = append(out, a.Filter)
		}
	}
	return out
}

func (n *Sort) exprs() []Expr {
	out := make([]Expr, len(n.Keys))
	for i, k := range n.Keys {
		out[i] = k.Expr
	}
	return out
}

func (n *Join) exprs() []Expr {
	var out []Expr
	for _, k := range n.Keys {
		out = append(out, k.L, k.R)
	}
	return out
}

func (n *Union) exprs() []Expr {
	var out []Expr
	for _, p := range n.Parts {
		out = append(out, p.Cols...)
	}
	return out
}

func (*Scan) rewrite(func(Node) Node)          {}
func (*Values) rewrite(func(Node) Node)        {}
func (*Use) rewrite(func(Node) Node)           {}
func (*Range) rewrite(func(Node) Node)         {}
func (n *Filter) rewrite(f func(Node) Node)    { n.From = f(n.From) }
func (n *Extend) rewrite(f func(Node) Node)    { n.From = f(n.From) }
func (n *Aggregate) rewrite(f func(Node) Node) { n.From = f(n.From) }
func (n *Sort) rewrite(f func(Node) Node)      { n.From = f(n.From) }
func (n *Take) rewrite(f func(Node) Node)      { n.From = f(n.From) }
func (n *Lookup) rewrite(f func(Node) Node)    { n.From = f(n.From) }
func (n *First) rewrite(f func(Node) Node)     { n.From = f(n.From) }
func (n *Join) rewrite(f func(Node) Node)      { n.Left, n.Right = f(n.Left), f(n.Right) }

func (n *Union) rewrite(f func(Node) Node) {
	for i := range n.Parts {
		n.Parts[i].From = f(n.Parts[i].From)
	}
}
