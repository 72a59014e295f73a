package bind

import (
	"fmt"
	"slices"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

const (
	// maxOpenColumns bounds the columns that data may make: each costs an expression
	// of the SQL.
	maxOpenColumns = 500
)

// evaluate binds a plugin.
func (b *operators) evaluate(op *syntax.Evaluate) *rows {
	for _, p := range op.Params {
		if len(p.Name) < 5 || p.Name[:5] != "hint." {
			b.refuse(op.WordAt, "the parameter "+p.Name)
			return nil
		}
	}
	switch op.Call.Name {
	case "bag_unpack":
		return b.bagUnpack(op)
	case "pivot":
		return b.pivot(op)
	case "autocluster", "basket":
		return b.patterns(op)
	}
	b.refuse(op.Call.NameAt, "the plugin "+op.Call.Name)
	return nil
}

// ask runs a question over the rows so far: one aggregate.
func (b *operators) askOne(r *rows, agg plan.Agg, at syntax.Span) ([]byte, bool) {
	if len(b.diags) > 0 {
		return nil, false // a mistake elsewhere; the rows so far may not be sound
	}
	agg.ID = b.newID()
	node := &plan.Aggregate{From: r.node, Aggs: []plan.Agg{agg}}
	p := &plan.Plan{Root: node, Output: []plan.Output{{Name: "answer", Expr: &plan.Ref{ID: agg.ID, T: agg.T}}}}
	return b.query.ask(p, at)
}

// pluginArgs splits the arguments of a plugin into those by place and those by name.
func (b *operators) pluginArgs(c *syntax.Call, names ...string) ([]syntax.Expr, map[string]syntax.Expr, bool) {
	var places []syntax.Expr
	named := map[string]syntax.Expr{}
	for _, x := range c.Args {
		n, ok := x.(*syntax.Named)
		if !ok {
			places = append(places, x)
			continue
		}
		if len(n.Names) != 1 || !slices.Contains(names, n.Names[0].Name) {
			b.fail(n.Span, c.Name+"() has no such parameter", "")
			return nil, nil, false
		}
		named[n.Names[0].Name] = n.X
	}
	return places, named, true
}

// columnArg finds the column that an argument of a plugin names.
func (b *operators) columnArg(x syntax.Expr) *column {
	n, ok := x.(*syntax.Name)
	if !ok {
		b.fail(x.Pos(), "a column's name is expected here", "")
		return nil
	}
	c := b.rows.find(n.Name)
	if c == nil {
		b.noColumn(n)
	}
	return c
}

// openColumn is a column that data makes.
type openColumn struct {
	name string
	typ  schema.Type
}

// declared are the columns that `: (a:long, *)` behind a plugin promises.
func (b *operators) declared(t *syntax.RowType) ([]openColumn, bool) {
	var out []openColumn
	for _, c := range t.Columns {
		typ, ok := typeNames[c.Type]
		if !ok {
			b.refuse(c.Span, "a column of type "+c.Type)
			return nil, false
		}
		out = append(out, openColumn{c.Name, typ})
	}
	return out, true
}

func (b *operators) bagUnpack(op *syntax.Evaluate) *rows {
	c := op.Call
	places, named, ok := b.pluginArgs(c, "OutputColumnPrefix", "columnsConflict", "ignoredProperties")
	if !ok {
		return nil
	}
	if len(places) < 1 || len(places) > 4 {
		b.fail(c.Span, "bag_unpack() takes a column of bags, and a prefix, a rule for conflicts and properties to leave out", "")
		return nil
	}
	for i, name := range []string{"", "OutputColumnPrefix", "columnsConflict", "ignoredProperties"} {
		if i > 0 && i < len(places) {
			named[name] = places[i]
		}
	}
	bag := b.columnArg(places[0])
	if bag == nil {
		return nil
	}
	if bag.typ != schema.Dynamic {
		b.fail(places[0].Pos(), "bag_unpack() needs a dynamic column, not "+bag.typ.String(), "parse_json() makes one")
		return nil
	}
	prefix, conflict, ignored, ok := b.unpackOptions(named)
	if !ok {
		return nil
	}
	r := *b.rows
	value := bag.get()
	var found []openColumn
	if op.Schema != nil {
		found, ok = b.declared(op.Schema)
	} else {
		found, ok = b.bagKeys(&r, value, c.Span)
	}
	if !ok {
		return nil
	}
	node := &plan.Extend{From: r.node}
	out := &rows{node: node}
	for _, k := range r.cols {
		if k.name != bag.name {
			out.cols = append(out.cols, k)
		}
	}
	for _, k := range found {
		name := k.name
		if op.Schema == nil {
			name = prefix + k.name
		} else if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			k.name = name[len(prefix):]
		}
		if slices.Contains(ignored, k.name) {
			continue
		}
		if at := slices.IndexFunc(out.cols, func(c column) bool { return c.name == name }); at >= 0 {
			switch {
			case op.Schema != nil: // a promised column that passes by
				continue
			case conflict == "keep_source":
				continue
			case conflict == "replace_source":
				out.cols = slices.Delete(out.cols, at, at+1)
			default:
				b.fail(c.Span, "the bags have a property '"+name+"', and there is a column of that name", "give a prefix, or columnsConflict = 'replace_source' or 'keep_source'")
				return nil
			}
		}
		out.cols = append(out.cols, lazy(name, k.typ, func() plan.Expr {
			x := step(value, dyn.Member(k.name))
			if k.typ != schema.Dynamic {
				if y := fromDynamic(x, k.typ); y != nil {
					x = y
				}
			}
			return b.add(node, x)
		}))
	}
	return out
}

// unpackOptions reads the constant options of bag_unpack.
func (b *operators) unpackOptions(named map[string]syntax.Expr) (prefix, conflict string, ignored []string, ok bool) {
	ok = true
	text := func(name string, into *string) {
		if x := named[name]; x != nil {
			s, isText := constText(b.scalar(x))
			if !isText {
				b.fail(x.Pos(), "a text is expected here", "")
				ok = false
			}
			*into = s
		}
	}
	text("OutputColumnPrefix", &prefix)
	text("columnsConflict", &conflict)
	if !slices.Contains([]string{"", "error", "replace_source", "keep_source"}, conflict) {
		b.fail(named["columnsConflict"].Pos(), "the rule is 'error', 'replace_source' or 'keep_source'", "")
		ok = false
	}
	if x := named["ignoredProperties"]; x != nil {
		list, isConst := constDynamic(b.scalar(x))
		if !isConst || dyn.KindOf(list) != dyn.Array {
			b.fail(x.Pos(), "an array of names is expected here: dynamic(['a'])", "")
			ok = false
		}
		for it := dyn.Walk(list); it.Next(); {
			ignored = append(ignored, string(dyn.Text(nil, it.Value)))
		}
	}
	return prefix, conflict, ignored, ok
}

// bagKeys asks which keys the bags have and of which types.
func (b *operators) bagKeys(r *rows, value plan.Expr, at syntax.Span) ([]openColumn, bool) {
	shape, ok := b.askOne(r, plan.Agg{Op: fn.BagShape, Args: []plan.Expr{value, long(maxOpenColumns)}, T: schema.Dynamic}, at)
	if !ok {
		return nil, false
	}
	var found []openColumn
	for it := dyn.Walk(shape); it.Next(); {
		found = append(found, openColumn{string(dyn.Unquote(nil, it.Key)), typeNames[string(dyn.Unquote(nil, it.Value))]})
	}
	if len(found) > maxOpenColumns {
		b.fail(at, fmt.Sprintf("the bags have more than %d different properties", maxOpenColumns), "keep fewer rows, or name the columns: evaluate bag_unpack(…) : (a:string, *)")
		return nil, false
	}
	return found, true
}
