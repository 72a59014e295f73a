package operator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/expr"
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

// Evaluate binds a plugin.
func (b *Binder) Evaluate(op *syntax.Evaluate) *expr.Rows {
	for _, p := range op.Params {
		if len(p.Name) < 5 || p.Name[:5] != "hint." {
			b.Refuse(op.WordAt, "the parameter "+p.Name)
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
	b.Refuse(op.Call.NameAt, "the plugin "+op.Call.Name)
	return nil
}

// askOne runs a question over the rows so far: one aggregate.
func (b *Binder) askOne(r *expr.Rows, agg plan.Agg, at syntax.Span) ([]byte, bool) {
	if len(b.Diags) > 0 {
		return nil, false // a mistake elsewhere; the rows so far may not be sound
	}
	agg.ID = b.NewID()
	node := &plan.Aggregate{From: r.Node, Aggs: []plan.Agg{agg}}
	p := &plan.Plan{Root: node, Output: []plan.Output{{Name: "answer", Expr: &plan.Ref{ID: agg.ID, T: agg.T}}}}
	return b.Query.Ask(p, at)
}

// pluginArgs splits the arguments of a plugin into those by place and those by name.
func (b *Binder) pluginArgs(c *syntax.Call, names ...string) ([]syntax.Expr, map[string]syntax.Expr, bool) {
	var places []syntax.Expr
	named := map[string]syntax.Expr{}
	for _, x := range c.Args {
		n, ok := x.(*syntax.Named)
		if !ok {
			places = append(places, x)
			continue
		}
		if len(n.Names) != 1 || !slices.Contains(names, n.Names[0].Name) {
			b.Fail(n.Span, c.Name+"() has no such parameter", "")
			return nil, nil, false
		}
		named[n.Names[0].Name] = n.X
	}
	return places, named, true
}

// columnArg finds the column that an argument of a plugin names.
func (b *Binder) columnArg(x syntax.Expr) *expr.Column {
	n, ok := x.(*syntax.Name)
	if !ok {
		b.Fail(x.Pos(), "a column's name is expected here", "")
		return nil
	}
	c := b.Rows.Find(n.Name)
	if c == nil {
		b.NoColumn(n)
	}
	return c
}

// openColumn is a column that data makes.
type openColumn struct {
	name string
	typ  schema.Type
}

// declared are the columns that `: (a:long, *)` behind a plugin promises.
func (b *Binder) declared(t *syntax.RowType) ([]openColumn, bool) {
	var out []openColumn
	for _, c := range t.Columns {
		typ, ok := expr.TypeNames[c.Type]
		if !ok {
			b.Refuse(c.Span, "a column of type "+c.Type)
			return nil, false
		}
		out = append(out, openColumn{c.Name, typ})
	}
	return out, true
}

func (b *Binder) bagUnpack(op *syntax.Evaluate) *expr.Rows {
	c := op.Call
	places, named, ok := b.pluginArgs(c, "OutputColumnPrefix", "columnsConflict", "ignoredProperties")
	if !ok {
		return nil
	}
	if len(places) < 1 || len(places) > 4 {
		b.Fail(c.Span, "bag_unpack() takes a column of bags, and a prefix, a rule for conflicts and properties to leave out", "")
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
	if bag.Typ != schema.Dynamic {
		b.Fail(places[0].Pos(), "bag_unpack() needs a dynamic column, not "+bag.Typ.String(), "parse_json() makes one")
		return nil
	}
	prefix, conflict, ignored, ok := b.unpackOptions(named)
	if !ok {
		return nil
	}
	r := *b.Rows
	value := bag.Get()
	var found []openColumn
	if op.Schema != nil {
		found, ok = b.declared(op.Schema)
	} else {
		found, ok = b.bagKeys(&r, value, c.Span)
	}
	if !ok {
		return nil
	}
	node := &plan.Extend{From: r.Node}
	out := &expr.Rows{Node: node}
	for _, k := range r.Cols {
		if k.Name != bag.Name && (op.Schema == nil || op.Schema.Rest) {
			out.Cols = append(out.Cols, k)
		}
	}
	for _, k := range found {
		name := k.name
		if op.Schema == nil {
			name = prefix + k.name
			if slices.Contains(ignored, k.name) {
				continue
			}
		} else {
			k.name = strings.TrimPrefix(k.name, prefix)
			if before := b.Rows.Find(name); before != nil && name != bag.Name && !op.Schema.Rest { // a promised column that passes by
				out.Cols = append(out.Cols, *before)
				continue
			}
		}
		if !b.addUnpacked(out, c.Span, name, conflict, expr.Lazy(name, k.typ, func() plan.Expr {
			x := b.Step(value, dyn.Member(k.name))
			if y := expr.FromDynamic(x, k.typ); k.typ != schema.Dynamic && y != nil {
				x = y
			}
			return b.add(node, x)
		})) {
			return nil
		}
	}
	return out
}

// addUnpacked adds a column of a bag beside those there are.
func (b *Binder) addUnpacked(out *expr.Rows, at syntax.Span, name, conflict string, c expr.Column) bool {
	if i := slices.IndexFunc(out.Cols, func(c expr.Column) bool { return c.Name == name }); i >= 0 {
		switch conflict {
		case "keep_source":
			return true
		case "replace_source":
			out.Cols = slices.Delete(out.Cols, i, i+1)
		default:
			b.Fail(at, "the bags have a property '"+name+"', and there is a column of that name", "give a prefix, or columnsConflict = 'replace_source' or 'keep_source'")
			return false
		}
	}
	out.Cols = append(out.Cols, c)
	return true
}

// unpackOptions reads the constant options of bag_unpack.
func (b *Binder) unpackOptions(named map[string]syntax.Expr) (prefix, conflict string, ignored []string, ok bool) {
	ok = true
	text := func(name string, into *string) {
		if x := named[name]; x != nil {
			s, isText := expr.ConstText(b.Scalar(x))
			if !isText {
				b.Fail(x.Pos(), "a text is expected here", "")
				ok = false
			}
			*into = s
		}
	}
	text("OutputColumnPrefix", &prefix)
	text("columnsConflict", &conflict)
	if !slices.Contains([]string{"", "error", "replace_source", "keep_source"}, conflict) {
		b.Fail(named["columnsConflict"].Pos(), "the rule is 'error', 'replace_source' or 'keep_source'", "")
		ok = false
	}
	if x := named["ignoredProperties"]; x != nil {
		list, isConst := expr.ConstDynamic(b.Scalar(x))
		if !isConst || dyn.KindOf(list) != dyn.Array {
			b.Fail(x.Pos(), "an array of names is expected here: dynamic(['a'])", "")
			ok = false
		}
		for it := dyn.Walk(list); it.Next(); {
			ignored = append(ignored, string(dyn.Text(nil, it.Value)))
		}
	}
	return prefix, conflict, ignored, ok
}

// bagKeys asks which keys the bags have and of which types.
func (b *Binder) bagKeys(r *expr.Rows, value plan.Expr, at syntax.Span) ([]openColumn, bool) {
	shape, ok := b.askOne(r, plan.Agg{Op: fn.BagShape, Args: []plan.Expr{value, expr.Long(maxOpenColumns)}, T: schema.Dynamic}, at)
	if !ok {
		return nil, false
	}
	var found []openColumn
	for it := dyn.Walk(shape); it.Next(); {
		found = append(found, openColumn{string(dyn.Unquote(nil, it.Key)), expr.TypeNames[string(dyn.Unquote(nil, it.Value))]})
	}
	if len(found) > maxOpenColumns {
		b.Fail(at, fmt.Sprintf("the bags have more than %d different properties", maxOpenColumns), "keep fewer rows, or name the columns: evaluate bag_unpack(…) : (a:string, *)")
		return nil, false
	}
	return found, true
}
