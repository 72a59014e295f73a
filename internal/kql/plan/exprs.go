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

func ids(cols []Assign) []ID {
	out := make([]ID, len(cols))
	for i, a := range cols {
		out[i] = a.ID
	}
	return out
}

func refIDs(cols []Ref) []ID {
	out := make([]ID, len(cols))
	for i, c := range cols {
		out[i] = c.ID
	}
	return out
}

func (*Filter) own() []ID   { return nil }
func (*Sort) own() []ID     { return nil }
func (*Take) own() []ID     { return nil }
func (*Join) own() []ID     { return nil }
func (*First) own() []ID    { return nil }
func (n *Values) own() []ID { return refIDs(n.Columns) }
func (n *Union) own() []ID  { return refIDs(n.Cols) }
func (n *Extend) own() []ID { return ids(n.Cols) }
func (n *Lookup) own() []ID { return []ID{n.Result} }
func (n *Range) own() []ID  { return []ID{n.Col.ID} }

func (n *Scan) own() []ID {
	out := make([]ID, len(n.Columns))
	for i, c := range n.Columns {
		out[i] = c.ID
	}
	return out
}

func (n *Use) own() []ID {
	out := make([]ID, len(n.Cols))
	for i, c := range n.Cols {
		out[i] = c.ID
	}
	return out
}

func (n *Aggregate) own() []ID {
	out := ids(n.Keys)
	for _, a := range n.Aggs {
		out = append(out, a.ID)
	}
	return out
}
