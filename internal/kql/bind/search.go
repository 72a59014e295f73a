package bind

import (
	"strings"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// search binds search: the rows of some tables in which a predicate holds, with the
// table's name as the column $table. piped tells that the rows so far are searched.
func (b *binder) search(op *syntax.Search, piped bool) *expr.Rows {
	s := &searching{b: b, types: map[string]schema.Type{}}
	for _, p := range op.Params {
		switch kind := p.Text(); {
		case p.Name == "kind" && (kind == "default" || kind == "case_insensitive" || kind == "case_sensitive"):
			s.exact = kind == "case_sensitive"
		case !strings.HasPrefix(p.Name, "hint."):
			b.Refuse(p.Span, "the parameter "+p.Name+"="+p.Text())
			return nil
		}
	}
	var parts []part
	if piped {
		name := b.pipedName
		if name == "" {
			name = "search_arg0"
		}
		parts = []part{{b.Rows, name}}
	}
	in := op.In
	if !piped && in == nil {
		in = []syntax.Expr{&syntax.Pattern{Span: op.WordAt, Pattern: "*"}}
	}
	for _, x := range in {
		more, ok := b.unionInput(x, false)
		if !ok {
			return nil
		}
		parts = append(parts, more...)
	}
	for _, p := range parts {
		for _, c := range p.rows.Cols {
			s.types[c.Name] = c.Typ
		}
	}
	saved := b.Rows
	defer func() { b.Rows = saved }()
	for i := range parts {
		r := parts[i].rows
		b.Rows = s.widened(r)
		pred := s.pred(op.Pred)
		if pred.Type() == 0 {
			return nil
		}
		if k := expr.Constant(pred); k == nil || k.V != true {
			r = &expr.Rows{Node: &plan.Filter{From: r.Node, Pred: pred}, Cols: r.Cols}
		}
		parts[i].rows = r
	}
	return b.merge(parts, unionParams{source: "$table"})
}

// searching is one search.
type searching struct {
	b *binder
	// exact tells that terms are compared with case.
	exact bool
	// types are the columns of all tables; what one lacks is null in it.
	types map[string]schema.Type
}

func (s *searching) widened(r *expr.Rows) *expr.Rows {
	out := &expr.Rows{Node: r.Node, Cols: r.Cols[:len(r.Cols):len(r.Cols)]}
	for name, t := range s.types {
		if r.Find(name) == nil {
			c := expr.Fixed(name, expr.Null(t))
			c.Hidden = true
			out.Cols = append(out.Cols, c)
		}
	}
	return out
}

// pred binds a predicate in which a text stands for a term in any column.
func (s *searching) pred(x syntax.Expr) plan.Expr {
	b := s.b
	switch x := x.(type) {
	case *syntax.Paren:
		return s.pred(x.X)
	case *syntax.Star:
		return expr.Boolean(true)
	case *syntax.Literal:
		if x.Type == schema.String {
			return s.term(x)
		}
	case *syntax.Call:
		if x.Name == "not" && len(x.Args) == 1 {
			if inner := s.pred(x.Args[0]); inner.Type() != 0 {
				return expr.Not(inner)
			}
			return expr.Bad()
		}
	case *syntax.Binary:
		switch x.Op {
		case "and", "or":
			l, r := s.pred(x.L), s.pred(x.R)
			if l.Type() == 0 || r.Type() == 0 {
				return expr.Bad()
			}
			op := fn.And
			if x.Op == "or" {
				op = fn.Or
			}
			return &plan.Call{Op: op, Args: []plan.Expr{l, r}, T: schema.Bool}
		case ":":
			k, isText := x.R.(*syntax.Literal)
			if !isText || k.Type != schema.String {
				b.Refuse(x.OpAt, "':' with a value that is not a string literal")
				return expr.Bad()
			}
			if l := b.AsText(x.L, ":"); l.Type() != 0 {
				return s.match(l, k)
			}
			return expr.Bad()
		}
		if s.exact && expr.SimpleOps[strings.TrimPrefix(x.Op, "!")] != 0 {
			b.Refuse(x.OpAt, "'"+x.Op+"' in a search with kind=case_sensitive")
			return expr.Bad()
		}
	}
	return b.Condition(x)
}

// term binds a text on its own: some column has it.
func (s *searching) term(x *syntax.Literal) plan.Expr {
	return s.b.AnyColumn(x.Text, x.Span, func(l plan.Expr) plan.Expr { return s.match(l, x) })
}

// match tells whether a text has a term, which may begin or end in a star.
func (s *searching) match(l plan.Expr, x *syntax.Literal) plan.Expr {
	before, after := strings.HasPrefix(x.Text, "*"), strings.HasSuffix(x.Text, "*") && len(x.Text) > 1
	bare := strings.Trim(x.Text, "*")
	if strings.Contains(bare, "*") || bare == "" {
		s.b.Refuse(x.Span, "a search for "+syntax.Quote(x.Text))
		return expr.Bad()
	}
	ops := map[[2]bool][2]fn.Op{
		{false, false}: {fn.Has, fn.HasCS}, {false, true}: {fn.HasPrefix, fn.HasPrefixCS},
		{true, false}: {fn.HasSuffix, fn.HasSuffixCS}, {true, true}: {fn.Contains, fn.ContainsCS},
	}[[2]bool{before, after}]
	op := ops[0]
	if s.exact {
		op = ops[1]
	}
	return &plan.Call{Op: op, Args: []plan.Expr{l, expr.Text(bare)}, T: schema.Bool}
}
