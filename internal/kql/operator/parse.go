package operator

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/pattern"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// capture is a column that parse or parse-kv makes.
type capture struct {
	name string
	typ  schema.Type
}

// Parse binds parse and parse-where.
func (b *Binder) Parse(op *syntax.ParseOp) *expr.Rows {
	p := &pattern.Parse{Kind: pattern.Simple}
	for _, param := range op.Params {
		value := strings.ToLower(param.Text())
		switch {
		case param.Name == "flags":
			p.Flags = param.Text()
		case value == string(pattern.Simple), value == string(pattern.Regex), value == string(pattern.Relaxed):
			p.Kind = pattern.Kind(value)
		default:
			b.Fail(op.Span, "there is no kind '"+param.Text()+"' of parse", "simple, regex or relaxed is expected")
			return nil
		}
	}
	if op.Word == "parse-where" && p.Kind == pattern.Relaxed {
		b.Fail(op.Span, "parse-where takes kind simple or regex", "")
		return nil
	}
	var columns []capture
	for _, part := range op.Parts {
		switch {
		case part.Star:
			p.Parts = append(p.Parts, pattern.Part{Star: true})
		case part.Text != nil:
			p.Parts = append(p.Parts, pattern.Part{Text: part.Text.Text})
		default:
			c := capture{name: part.Name.Name, typ: schema.String}
			if part.Type != "" {
				var ok bool
				if c.typ, ok = expr.TypeNames[part.Type]; !ok {
					b.Refuse(part.Span, "a column of type "+part.Type)
					return nil
				}
			}
			if slices.ContainsFunc(columns, func(o capture) bool { return o.name == c.name }) {
				b.Fail(part.Span, "the column '"+c.name+"' is there twice", "")
				return nil
			}
			columns = append(columns, c)
			p.Parts = append(p.Parts, pattern.Part{Type: c.typ})
		}
	}
	if at, err := p.Check(); err != nil {
		b.Fail(op.Parts[min(at, len(op.Parts)-1)].Span, err.Error(), "")
		return nil
	}
	spec, err := json.Marshal(p)
	if err != nil {
		b.Fail(op.Span, "cannot keep the pattern: "+err.Error(), "")
		return nil
	}
	r, source := b.parsed(op.X)
	if source == nil {
		return nil
	}
	if op.Word == "parse-where" {
		r = &expr.Rows{Node: &plan.Filter{From: r.Node, Pred: expr.GoCall("parse_matches", expr.Text(string(spec)), source)}, Cols: r.Cols, Ordered: r.Ordered}
	}
	return b.captured(r, columns, func(i int) plan.Expr {
		return expr.GoCall("parse_column", expr.Text(string(spec)), source, expr.Long(int64(i)))
	})
}

// parsed binds the text that is taken apart and computes it once; nil after an
// error.
func (b *Binder) parsed(x syntax.Expr) (*expr.Rows, plan.Expr) {
	source := expr.TextOfSplit(b.Scalar(x))
	if source.Type() == 0 {
		return nil, nil
	}
	source = expr.Convert(source, schema.String)
	r := b.Rows
	if c, ok := source.(*plan.Call); ok && plan.Size(c, 3) > 2 {
		node := &plan.Extend{From: r.Node}
		source = b.add(node, source)
		r = &expr.Rows{Node: node, Cols: r.Cols, Ordered: r.Ordered}
	}
	return r, source
}

// captured adds the columns to rows, or puts them in the place of those of the
// same name.
func (b *Binder) captured(r *expr.Rows, columns []capture, value func(i int) plan.Expr) *expr.Rows {
	node := &plan.Extend{From: r.Node}
	out := &expr.Rows{Node: node, Cols: slices.Clone(r.Cols), Ordered: r.Ordered}
	for i, c := range columns {
		added := expr.Fixed(c.name, b.add(node, expr.Convert(value(i), c.typ)))
		if old := out.Find(c.name); old != nil {
			*old = added
		} else {
			out.Cols = append(out.Cols, added)
		}
	}
	return out
}

// ParseKV binds parse-kv.
func (b *Binder) ParseKV(op *syntax.ParseKV) *expr.Rows {
	k := &pattern.KV{}
	var columns []capture
	for _, c := range op.Columns.Columns {
		typ, ok := expr.TypeNames[c.Type]
		if !ok {
			b.Refuse(c.Span, "a column of type "+c.Type)
			return nil
		}
		if slices.Contains(k.Keys, c.Name) {
			b.Fail(c.Span, "the column '"+c.Name+"' is there twice", "")
			return nil
		}
		columns = append(columns, capture{c.Name, typ})
		k.Keys = append(k.Keys, c.Name)
	}
	for _, param := range op.Properties {
		switch strings.ToLower(param.Name) {
		case "pair_delimiter":
			k.Pair = param.Text()
		case "kv_delimiter":
			k.Value = param.Text()
		case "quote":
			k.Quotes = append(k.Quotes, param.Text())
		case "escape":
			k.Escapes = append(k.Escapes, param.Text())
		case "greedy":
			k.Greedy = strings.EqualFold(param.Text(), "true")
		case "regex":
			k.Regex = param.Text()
		default:
			b.Fail(op.Span, "parse-kv knows no property '"+param.Name+"'", "pair_delimiter, kv_delimiter, quote, escape, greedy or regex is expected")
			return nil
		}
	}
	if err := k.Check(); err != nil {
		b.Fail(op.Span, err.Error(), "")
		return nil
	}
	spec, err := json.Marshal(k)
	if err != nil {
		b.Fail(op.Span, "cannot keep the delimiters: "+err.Error(), "")
		return nil
	}
	r, source := b.parsed(op.X)
	if source == nil {
		return nil
	}
	return b.captured(r, columns, func(i int) plan.Expr {
		return expr.GoCall("parse_kv", expr.Text(string(spec)), source, expr.Long(int64(i)))
	})
}
