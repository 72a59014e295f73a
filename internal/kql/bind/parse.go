package bind

import (
	"encoding/json"
	"slices"
	"strings"

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

// parse binds parse and parse-where.
func (b *operators) parse(op *syntax.ParseOp) *rows {
	p := &pattern.Parse{Kind: pattern.Simple}
	for _, param := range op.Params {
		value := strings.ToLower(param.Text())
		switch {
		case param.Name == "flags":
			p.Flags = param.Text()
		case value == string(pattern.Simple), value == string(pattern.Regex), value == string(pattern.Relaxed):
			p.Kind = pattern.Kind(value)
		default:
			b.fail(op.Span, "there is no kind '"+param.Text()+"' of parse", "simple, regex or relaxed is expected")
			return nil
		}
	}
	if op.Word == "parse-where" && p.Kind == pattern.Relaxed {
		b.fail(op.Span, "parse-where takes kind simple or regex", "")
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
				if c.typ, ok = typeNames[part.Type]; !ok {
					b.refuse(part.Span, "a column of type "+part.Type)
					return nil
				}
			}
			if slices.ContainsFunc(columns, func(o capture) bool { return o.name == c.name }) {
				b.fail(part.Span, "the column '"+c.name+"' is there twice", "")
				return nil
			}
			columns = append(columns, c)
			p.Parts = append(p.Parts, pattern.Part{Type: c.typ})
		}
	}
	if at, err := p.Check(); err != nil {
		b.fail(op.Parts[min(at, len(op.Parts)-1)].Span, err.Error(), "")
		return nil
	}
	spec, err := json.Marshal(p)
	if err != nil {
		b.fail(op.Span, "cannot keep the pattern: "+err.Error(), "")
		return nil
	}
	r, source := b.parsed(op.X)
	if source == nil {
		return nil
	}
	if op.Word == "parse-where" {
		r = &rows{node: &plan.Filter{From: r.node, Pred: goCall("parse_matches", text(string(spec)), source)}, cols: r.cols, ordered: r.ordered}
	}
	return b.captured(r, columns, func(i int) plan.Expr {
		return goCall("parse_column", text(string(spec)), source, long(int64(i)))
	})
}

// parsed binds the text that is taken apart and computes it once; nil after an
// error.
func (b *operators) parsed(x syntax.Expr) (*rows, plan.Expr) {
	source := textOfSplit(b.scalar(x))
	if source.Type() == 0 {
		return nil, nil
	}
	source = convert(source, schema.String)
	r := b.rows
	if c, ok := source.(*plan.Call); ok && plan.Size(c, 3) > 2 {
		node := &plan.Extend{From: r.node}
		source = b.add(node, source)
		r = &rows{node: node, cols: r.cols, ordered: r.ordered}
	}
	return r, source
}

// captured adds the columns to rows, or puts them in the place of those of the
// same name.
func (b *operators) captured(r *rows, columns []capture, value func(i int) plan.Expr) *rows {
	node := &plan.Extend{From: r.node}
	out := &rows{node: node, cols: slices.Clone(r.cols), ordered: r.ordered}
	for i, c := range columns {
		added := fixed(c.name, b.add(node, convert(value(i), c.typ)))
		if old := out.find(c.name); old != nil {
			*old = added
		} else {
			out.cols = append(out.cols, added)
		}
	}
	return out
}

// parseKV binds parse-kv.
func (b *operators) parseKV(op *syntax.ParseKV) *rows {
	k := &pattern.KV{}
	var columns []capture
	for _, c := range op.Columns.Columns {
		typ, ok := typeNames[c.Type]
		if !ok {
			b.refuse(c.Span, "a column of type "+c.Type)
			return nil
		}
		if slices.Contains(k.Keys, c.Name) {
			b.fail(c.Span, "the column '"+c.Name+"' is there twice", "")
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
			b.fail(op.Span, "parse-kv knows no property '"+param.Name+"'", "pair_delimiter, kv_delimiter, quote, escape, greedy or regex is expected")
			return nil
		}
	}
	if err := k.Check(); err != nil {
		b.fail(op.Span, err.Error(), "")
		return nil
	}
	spec, err := json.Marshal(k)
	if err != nil {
		b.fail(op.Span, "cannot keep the delimiters: "+err.Error(), "")
		return nil
	}
	r, source := b.parsed(op.X)
	if source == nil {
		return nil
	}
	return b.captured(r, columns, func(i int) plan.Expr {
		return goCall("parse_kv", text(string(spec)), source, long(int64(i)))
	})
}
