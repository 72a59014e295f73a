package bind

import (
	"slices"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// dynamicText is a dynamic constant; no text is null.
func dynamicText(v []byte) *plan.Const {
	if len(v) == 0 || string(v) == "null" {
		return &plan.Const{T: schema.Dynamic}
	}
	return &plan.Const{T: schema.Dynamic, V: string(v)}
}

func (b *scalars) dynamicLiteral(x *syntax.Literal) plan.Expr {
	v, err := dyn.ParseLiteral(x.Text)
	if err != nil {
		b.fail(x.Span, err.Error(), "values are numbers, strings, true, false, null, [ … ] and { \"key\": … }")
		return bad()
	}
	return dynamicText(v)
}

// constDynamic gives the JSON of a dynamic constant, nil for null.
func constDynamic(x plan.Expr) ([]byte, bool) {
	c := constant(x)
	if c == nil || c.T != schema.Dynamic {
		return nil, false
	}
	s, _ := c.V.(string)
	return []byte(s), true
}

// source is what a dynamic is read from: a dynamic (fn dyn_…), or text that
// parse_json() reads (json_…); in both a path leads to the value.
type source struct {
	from plan.Expr
	raw  bool
	path dyn.Path
}

// sourceOf takes a dynamic expression apart, so that a chain of accesses and the
// conversion above it are one call.
func sourceOf(x plan.Expr) source {
	c, ok := x.(*plan.Call)
	if !ok || c.Op != fn.Go {
		return source{from: x}
	}
	switch c.Name {
	case "dyn_parse":
		return source{from: c.Args[0], raw: true}
	case "dyn_get", "json_get":
		if s, ok := constText(c.Args[1]); ok {
			if path, ok := dyn.ParsePath([]byte(s)); ok {
				return source{from: c.Args[0], raw: c.Name == "json_get", path: path}
			}
		}
	}
	return source{from: x}
}

// read calls one of the readers of package udf (get, text, long …).
func (s source) read(reader string) plan.Expr {
	name := "dyn_" + reader
	if s.raw {
		name = "json_" + reader
	}
	return goCall(name, s.from, text(s.path.String()))
}

// step goes one step into a dynamic.
func step(x plan.Expr, to dyn.Step) plan.Expr {
	s := sourceOf(x)
	s.path = append(slices.Clip(s.path), to)
	return s.read("get")
}

// dynamicReaders are the readers of package udf by the type they give.
var dynamicReaders = map[schema.Type]string{
	schema.String: "text", schema.Bool: "bool", schema.Int: "int", schema.Long: "long", schema.Real: "real",
	schema.DateTime: "datetime", schema.TimeSpan: "timespan", schema.Guid: "guid",
}

// fromDynamic converts a dynamic as tostring(), tolong() … do; nil where there is no
// such conversion.
func fromDynamic(x plan.Expr, to schema.Type) plan.Expr {
	if c, ok := x.(*plan.Call); ok && c.Op == fn.SplitAt && to == schema.String {
		return stringOf(c)
	}
	reader := dynamicReaders[to]
	switch {
	case to == schema.Decimal:
		return convert(sourceOf(x).read("text"), to)
	case reader == "":
		return nil
	}
	return sourceOf(x).read(reader)
}

// toDynamic gives a value as a dynamic.
func toDynamic(x plan.Expr) plan.Expr {
	c := constant(x)
	if c == nil {
		return &plan.Call{Op: fn.ToDynamic, Args: []plan.Expr{x}, T: schema.Dynamic}
	}
	switch v := c.V.(type) {
	case bool:
		if v {
			return dynamicText([]byte("true"))
		}
		return dynamicText([]byte("false"))
	case float64:
		return dynamicText(dyn.AppendReal(nil, v))
	case int64:
		switch c.T {
		case schema.DateTime:
			return dynamicText(dyn.AppendTime(nil, v))
		case schema.TimeSpan:
			return dynamicText(dyn.AppendSpan(nil, v))
		}
		return dynamicText(dyn.AppendLong(nil, v))
	case string:
		return dynamicText(dyn.AppendString(nil, []byte(v)))
	}
	return dynamicText(nil)
}

// member binds x.name.
func (b *scalars) member(x *syntax.Member) plan.Expr {
	v := b.scalar(x.X)
	if !b.hasParts(v, x.X, false) {
		return bad()
	}
	return step(v, dyn.Member(x.Name))
}

// hasParts checks the left side of an access; the engine refuses [i] on a constant
// without parts.
func (b *scalars) hasParts(v plan.Expr, at syntax.Expr, index bool) bool {
	t := v.Type()
	switch {
	case t == 0:
		return false
	case t != schema.Dynamic:
		b.fail(at.Pos(), "a value of type "+t.String()+" has no parts", "parse it: parse_json(…)")
		return false
	}
	if text, ok := constDynamic(v); ok && index && len(text) > 0 {
		if k := dyn.KindOf(text); k != dyn.Bag && k != dyn.Array {
			b.fail(at.Pos(), "the constant "+string(text)+" has no parts", "")
			return false
		}
	}
	return true
}

// index binds x[i].
func (b *scalars) index(x *syntax.Index) plan.Expr {
	if sorted := b.sortedWith(x); sorted != nil {
		return sorted
	}
	v := b.scalar(x.X)
	if v.Type() == 0 {
		return bad()
	}
	i := b.scalar(x.I)
	if i.Type() == 0 || !b.hasParts(v, x.X, true) {
		return bad()
	}
	if c, ok := v.(*plan.Call); ok && c.Op == fn.Split && isWhole(i.Type()) {
		return &plan.Call{Op: fn.SplitAt, Args: []plan.Expr{c.Args[0], c.Args[1], i}, T: schema.Dynamic}
	}
	if n, ok := constLong(i); ok && isWhole(i.Type()) {
		return step(v, dyn.Element(n))
	}
	if s, ok := constText(i); ok {
		return step(v, dyn.Member(s))
	}
	switch t := i.Type(); {
	case isWhole(t):
		return goCall("dyn_index", v, i)
	case t == schema.String:
		return goCall("dyn_member", v, i)
	case t == schema.Dynamic:
		return goCall("dyn_at", v, i)
	default:
		b.fail(x.I.Pos(), "a value of type "+t.String()+" can't index a dynamic", "use a whole number or a string")
	}
	return bad()
}

// compareDynamic converts the dynamic side of a comparison to
// the type of the other one. Whole numbers compare exactly: 1.9 is not 1.
func (b *scalars) compareDynamic(op fn.Op, l, r plan.Expr, at syntax.Span) (plan.Expr, bool) {
	dl, dr := l.Type() == schema.Dynamic, r.Type() == schema.Dynamic
	switch {
	case !dl && !dr:
		return nil, false
	case dl && dr:
		b.fail(at, "two dynamic values can't be compared", "convert them: tostring(…), tolong(…)")
		return bad(), true
	case dr:
		l, r = r, l
		if s, ok := turned[op]; ok {
			op = s
		}
	}
	t := r.Type()
	switch {
	case isWhole(t) && op != fn.Eq && op != fn.Ne:
		order := goCall("dyn_order", l, r)
		return b.compare(op, order, long(0), at), true
	case isWhole(t):
		return b.compare(op, goCall("dyn_whole", l), convert(r, schema.Long), at), true
	}
	converted := fromDynamic(l, t)
	if converted == nil {
		b.refuse(at, "comparing a dynamic value with one of type "+t.String())
		return bad(), true
	}
	return b.compare(op, converted, r, at), true
}

// turned are the relations with their sides exchanged.
var turned = map[fn.Op]fn.Op{fn.Lt: fn.Gt, fn.Le: fn.Ge, fn.Gt: fn.Lt, fn.Ge: fn.Le}

// listItems gives the elements of a constant dynamic as constants: in takes an array
// for the list of its elements, and arrays within for theirs. A scalar is a list of
// one.
func listItems(v []byte) []plan.Expr {
	items := []plan.Expr{}
	for item := range dyn.Flat(v) {
		items = append(items, scalarOf(item))
	}
	return items
}

// scalarOf gives a dynamic constant as one of its own type.
func scalarOf(v []byte) plan.Expr {
	switch dyn.KindOf(v) {
	case dyn.Bool:
		b, _ := dyn.ToBool(v)
		return boolean(b)
	case dyn.Long:
		n, _ := dyn.ToLong(v)
		return long(n)
	case dyn.Real:
		f, _ := dyn.ToReal(v)
		return &plan.Const{T: schema.Real, V: f}
	case dyn.String:
		return text(string(dyn.Text(nil, v)))
	}
	return dynamicText(v)
}

// splitList prepares the operands of in: a dynamic on the left takes the type of the
// list, texts if that is mixed. What is left of the list are constants and scalars;
// or is the test of the dynamics in it, false when the list has nothing at all.
func (b *scalars) splitList(v plan.Expr, items []plan.Expr, fold bool, at syntax.Span) (left plan.Expr, rest []plan.Expr, or plan.Expr) {
	var tests []plan.Expr
	for _, item := range items {
		switch _, isConst := constDynamic(item); {
		case item.Type() != schema.Dynamic:
			rest = append(rest, item)
		case !isConst: // bags and null equal nothing
			tests = append(tests, b.inDynamic(v, item, fold, at))
		}
	}
	if v.Type() == schema.Dynamic && len(rest) > 0 {
		t := rest[0].Type()
		for _, item := range rest {
			if item.Type() != t {
				t = schema.String
			}
		}
		for i := range rest {
			if rest[i].Type() != t {
				rest[i] = convert(toDynamic(rest[i]), schema.String)
			}
		}
		if isWhole(t) {
			v = goCall("dyn_whole", v)
		} else if v = fromDynamic(v, t); v == nil {
			b.refuse(at, "a dynamic value in a list of type "+t.String())
			return nil, nil, bad()
		}
	}
	switch len(tests) {
	case 0:
		if len(rest) > 0 {
			return v, rest, nil
		}
		return v, nil, boolean(false)
	case 1:
		return v, rest, tests[0]
	}
	return v, rest, &plan.Call{Op: fn.Or, Args: tests, T: schema.Bool}
}

// inDynamic binds in and in~ with a dynamic that is no constant.
func (b *scalars) inDynamic(v, list plan.Expr, fold bool, at syntax.Span) plan.Expr {
	t := v.Type()
	switch {
	case t == schema.String || fold && t == schema.Dynamic:
		return goCall("dyn_has_text", list, convert(v, schema.String), boolean(fold))
	case fold:
		b.fail(at, "in~ needs a string, not "+t.String(), "use in")
		return bad()
	}
	return goCall("dyn_has_value", list, convert(v, schema.Dynamic))
}

// expanded gives the elements of a column of dynamics as texts, a row each: in over
// rows takes arrays for the list of their elements.
func (b *scalars) expanded(r *rows, value plan.Expr) (*rows, plan.Expr) {
	col := plan.UnnestColumn{X: goCall("dyn_flat", value), List: b.newID(), ID: b.newID()}
	node := &plan.Unnest{From: r.node, Cols: []plan.UnnestColumn{col}}
	return &rows{node: node}, convert(&plan.Ref{ID: col.ID, T: schema.Dynamic}, schema.String)
}
