package expr

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

func (b *Binder) dynamicLiteral(x *syntax.Literal) plan.Expr {
	v, err := dyn.ParseLiteral(x.Text)
	if err != nil {
		b.Fail(x.Span, err.Error(), "values are numbers, strings, true, false, null, [ … ] and { \"key\": … }")
		return Bad()
	}
	return dynamicText(v)
}

// ConstDynamic gives the JSON of a dynamic constant, nil for null.
func ConstDynamic(x plan.Expr) ([]byte, bool) {
	c := Constant(x)
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
		if s, ok := ConstText(c.Args[1]); ok {
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
	return GoCall(name, s.from, Text(s.path.String()))
}

// Step goes one step into a dynamic, on the shortest way that is known.
func (b *Binder) Step(x plan.Expr, to dyn.Step) plan.Expr {
	if !to.IsIndex {
		if field := b.Around.Field(x, string(to.Name)); field != nil {
			return field
		}
	}
	return step(x, to)
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

// FromDynamic converts a dynamic as tostring(), tolong() … do; nil where there is no
// such conversion.
func FromDynamic(x plan.Expr, to schema.Type) plan.Expr {
	if c, ok := x.(*plan.Call); ok && c.Op == fn.SplitAt && to == schema.String {
		return StringOf(c)
	}
	if text := textOfField(x); text != nil {
		switch to {
		case schema.String:
			return text
		case schema.Long, schema.Int, schema.Real: // what these read in a dynamic that is a text
			return GoCall(goConversions[conversion{schema.String, to}], text)
		}
	}
	reader := dynamicReaders[to]
	switch {
	case to == schema.Decimal:
		return Convert(sourceOf(x).read("text"), to)
	case reader == "":
		return nil
	}
	return sourceOf(x).read(reader)
}

// textOfField gives tostring() of a field of EventData as the plain text that it was
// made of, without JSON between; nil for any other dynamic.
func textOfField(x plan.Expr) plan.Expr {
	c, ok := x.(*plan.Call)
	if !ok {
		return nil
	}
	switch {
	case c.Op == fn.StoredDynamic:
		return &plan.Call{Op: fn.StoredText, Args: c.Args, T: schema.String}
	case c.Op == fn.Go && c.Name == "event_value":
		if name, ok := ConstText(c.Args[1]); ok && name != "Data" { // which may be an array
			return GoCall("event_field", c.Args...)
		}
	case c.Op == fn.If:
		out := &plan.Call{Op: fn.If, Args: slices.Clone(c.Args), T: schema.String}
		for i := range c.Args {
			if isValue := i%2 == 1 || i == len(c.Args)-1; !isValue {
				continue
			}
			if out.Args[i] = textOfField(c.Args[i]); out.Args[i] == nil {
				return nil
			}
		}
		return out
	}
	return nil
}

// ToDynamic gives a value as a dynamic.
func ToDynamic(x plan.Expr) plan.Expr {
	c := Constant(x)
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
func (b *Binder) member(x *syntax.Member) plan.Expr {
	v := b.Scalar(x.X)
	if !b.hasParts(v, x.X, false) {
		return Bad()
	}
	return b.Step(v, dyn.Member(x.Name))
}

// hasParts checks the left side of an access; the engine refuses [i] on a constant
// without parts.
func (b *Binder) hasParts(v plan.Expr, at syntax.Expr, index bool) bool {
	t := v.Type()
	switch {
	case t == 0:
		return false
	case t != schema.Dynamic:
		b.Fail(at.Pos(), "a value of type "+t.String()+" has no parts", "parse it: parse_json(…), or parse_xml(…) for XML as in EventData")
		return false
	}
	if text, ok := ConstDynamic(v); ok && index && len(text) > 0 {
		if k := dyn.KindOf(text); k != dyn.Bag && k != dyn.Array {
			b.Fail(at.Pos(), "the constant "+string(text)+" has no parts", "")
			return false
		}
	}
	return true
}

// index binds x[i].
func (b *Binder) index(x *syntax.Index) plan.Expr {
	if sorted := b.sortedWith(x); sorted != nil {
		return sorted
	}
	v := b.Scalar(x.X)
	if v.Type() == 0 {
		return Bad()
	}
	i := b.Scalar(x.I)
	if i.Type() == 0 || !b.hasParts(v, x.X, true) {
		return Bad()
	}
	if c, ok := v.(*plan.Call); ok && c.Op == fn.Split && IsWhole(i.Type()) {
		return &plan.Call{Op: fn.SplitAt, Args: []plan.Expr{c.Args[0], c.Args[1], i}, T: schema.Dynamic}
	}
	if n, ok := ConstLong(i); ok && IsWhole(i.Type()) {
		return b.Step(v, dyn.Element(n))
	}
	if s, ok := ConstText(i); ok {
		return b.Step(v, dyn.Member(s))
	}
	switch t := i.Type(); {
	case IsWhole(t):
		return GoCall("dyn_index", v, i)
	case t == schema.String:
		return GoCall("dyn_member", v, i)
	case t == schema.Dynamic:
		return GoCall("dyn_at", v, i)
	default:
		b.Fail(x.I.Pos(), "a value of type "+t.String()+" can't index a dynamic", "use a whole number or a string")
	}
	return Bad()
}

// compareDynamic converts the dynamic side of a comparison to
// the type of the other one. Whole numbers compare exactly: 1.9 is not 1.
func (b *Binder) compareDynamic(op fn.Op, l, r plan.Expr, at syntax.Span) (plan.Expr, bool) {
	dl, dr := l.Type() == schema.Dynamic, r.Type() == schema.Dynamic
	switch {
	case !dl && !dr:
		return nil, false
	case dl && dr:
		b.Fail(at, "two dynamic values can't be compared", "convert them: tostring(…), tolong(…)")
		return Bad(), true
	case dr:
		l, r = r, l
		if s, ok := turned[op]; ok {
			op = s
		}
	}
	t := r.Type()
	switch {
	case IsWhole(t) && op != fn.Eq && op != fn.Ne:
		if textOfField(l) != nil {
			return b.compare(op, wholeOf(l), Convert(r, schema.Long), at), true
		}
		order := GoCall("dyn_order", l, r)
		return b.compare(op, order, Long(0), at), true
	case IsWhole(t):
		return b.compare(op, wholeOf(l), Convert(r, schema.Long), at), true
	}
	converted := FromDynamic(l, t)
	if converted == nil {
		b.Refuse(at, "comparing a dynamic value with one of type "+t.String())
		return Bad(), true
	}
	return b.compare(op, converted, r, at), true
}

// wholeOf gives a dynamic for comparison with whole numbers: null where it is none.
func wholeOf(x plan.Expr) plan.Expr {
	if textOfField(x) != nil {
		return FromDynamic(x, schema.Long)
	}
	return GoCall("dyn_whole", x)
}

// turned are the relations with their sides exchanged.
var turned = map[fn.Op]fn.Op{fn.Lt: fn.Gt, fn.Le: fn.Ge, fn.Gt: fn.Lt, fn.Ge: fn.Le}

// ListItems gives the elements of a constant dynamic as constants: in takes an array
// for the list of its elements, and arrays within for theirs. A scalar is a list of
// one.
func ListItems(v []byte) []plan.Expr {
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
		return Boolean(b)
	case dyn.Long:
		n, _ := dyn.ToLong(v)
		return Long(n)
	case dyn.Real:
		f, _ := dyn.ToReal(v)
		return &plan.Const{T: schema.Real, V: f}
	case dyn.String:
		return Text(string(dyn.Text(nil, v)))
	}
	return dynamicText(v)
}

// splitList prepares the operands of in: a dynamic on the left takes the type of the
// list, texts if that is mixed. What is left of the list are constants and scalars;
// or is the test of the dynamics in it, false when the list has nothing at all.
func (b *Binder) splitList(v plan.Expr, items []plan.Expr, fold bool, at syntax.Span) (left plan.Expr, rest []plan.Expr, or plan.Expr) {
	var tests []plan.Expr
	for _, item := range items {
		switch _, isConst := ConstDynamic(item); {
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
				rest[i] = Convert(ToDynamic(rest[i]), schema.String)
			}
		}
		if IsWhole(t) {
			v = wholeOf(v)
		} else if v = FromDynamic(v, t); v == nil {
			b.Refuse(at, "a dynamic value in a list of type "+t.String())
			return nil, nil, Bad()
		}
	}
	switch len(tests) {
	case 0:
		if len(rest) > 0 {
			return v, rest, nil
		}
		return v, nil, Boolean(false)
	case 1:
		return v, rest, tests[0]
	}
	return v, rest, &plan.Call{Op: fn.Or, Args: tests, T: schema.Bool}
}

// inDynamic binds in and in~ with a dynamic that is no constant.
func (b *Binder) inDynamic(v, list plan.Expr, fold bool, at syntax.Span) plan.Expr {
	t := v.Type()
	switch {
	case t == schema.String || fold && t == schema.Dynamic:
		return GoCall("dyn_has_text", list, Convert(v, schema.String), Boolean(fold))
	case fold:
		b.Fail(at, "in~ needs a string, not "+t.String(), "use in")
		return Bad()
	}
	return GoCall("dyn_has_value", list, Convert(v, schema.Dynamic))
}

// Expanded gives the elements of a column of dynamics as texts, a row each: in over
// rows takes arrays for the list of their elements.
func (b *Binder) Expanded(r *Rows, value plan.Expr) (*Rows, plan.Expr) {
	col := plan.UnnestColumn{X: GoCall("dyn_flat", value), List: b.NewID(), ID: b.NewID()}
	node := &plan.Unnest{From: r.Node, Cols: []plan.UnnestColumn{col}}
	return &Rows{Node: node}, Convert(&plan.Ref{ID: col.ID, T: schema.Dynamic}, schema.String)
}
