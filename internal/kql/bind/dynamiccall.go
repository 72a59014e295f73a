package bind

import (
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// dynamicCall binds the functions of dynamics whose form hangs on their arguments
// (fn.Dynamic); nil for others.
func (b *scalars) dynamicCall(x *syntax.Call) plan.Expr {
	switch x.Name {
	case "pack_all":
		return b.packAll(x)
	case "bag_pack_columns":
		return b.packColumns(x)
	case "extract_json", "extractjson":
		return b.extractJSON(x)
	}
	args, ok := b.arguments(x)
	if !ok {
		return bad()
	}
	switch x.Name {
	case "parse_json", "todynamic", "parsejson", "toobject":
		return b.parseJSON(x, args)
	case "gettype":
		return b.getType(x, args)
	case "pack", "bag_pack", "pack_dictionary":
		return b.pack(x, args)
	case "range":
		return b.rangeArray(x, args)
	case "array_sort_asc", "array_sort_desc":
		return b.sortArray(x, args)
	case "repeat":
		return b.repeat(x, args)
	}
	return nil
}

func (b *scalars) parseJSON(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 1, 1) {
		return bad()
	}
	switch t := args[0].Type(); {
	case t == schema.Dynamic:
		return args[0]
	case t == schema.String:
		return goCall("dyn_parse", args[0])
	case isNumber(t) || t == schema.Bool:
		return toDynamic(args[0])
	}
	b.wrongType(x, 0, args[0].Type())
	return bad()
}

func (b *scalars) getType(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 1, 1) {
		return bad()
	}
	if t := args[0].Type(); t != schema.Dynamic {
		return text(t.String())
	}
	return goCall("dyn_type", args[0])
}

func (b *scalars) pack(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 2, 2*maxVariadic) {
		return bad()
	}
	if len(args)%2 != 0 {
		b.fail(x.Span, x.Name+"() takes pairs of a key and a value", "")
		return bad()
	}
	for i := 0; i < len(args); i += 2 {
		if t := args[i].Type(); t != schema.String && t != schema.Dynamic {
			b.fail(x.Args[i].Pos(), "a key is a string, not "+t.String(), "")
			return bad()
		}
	}
	return goCall("bag_pack", args...)
}

// packAll packs every column of the row by its name; pack_all(true) leaves out nulls
// and empty strings.
func (b *scalars) packAll(x *syntax.Call) plan.Expr {
	if !b.count(x, 0, 1) || b.rows == nil {
		return bad()
	}
	name := "bag_pack"
	if len(x.Args) == 1 {
		c := constant(b.scalar(x.Args[0]))
		if c == nil || c.T != schema.Bool {
			b.refuse(x.Args[0].Pos(), "pack_all() with a value that is not true or false")
			return bad()
		}
		if c.V == true {
			name = "bag_pack_present"
		}
	}
	var args []plan.Expr
	for _, c := range b.rows.visible() {
		args = append(args, text(c.name), c.get())
	}
	return goCall(name, args...)
}

func (b *scalars) packColumns(x *syntax.Call) plan.Expr {
	var args []plan.Expr
	for _, a := range x.Args {
		n, ok := a.(*syntax.Name)
		if !ok {
			b.fail(a.Pos(), "a column's name is expected here", "")
			return bad()
		}
		v := b.scalar(n)
		if v.Type() == 0 {
			return bad()
		}
		args = append(args, text(n.Name), v)
	}
	return goCall("bag_pack", args...)
}

// typeArgument reads typeof(T) or a type's name.
func (b *scalars) typeArgument(x syntax.Expr) (schema.Type, bool) {
	name := ""
	switch x := x.(type) {
	case *syntax.TypeOf:
		name = x.Type
	case *syntax.Name:
		name = x.Name
	}
	t, ok := typeNames[name]
	if !ok {
		b.refuse(x.Pos(), "this type")
	}
	return t, ok
}

// extractJSON is parse_json() and a path, as text unless a type is asked for.
func (b *scalars) extractJSON(x *syntax.Call) plan.Expr {
	if !b.count(x, 2, 3) {
		return bad()
	}
	path, from, t := b.scalar(x.Args[0]), b.scalar(x.Args[1]), schema.String
	if path.Type() == 0 || from.Type() == 0 {
		return bad()
	}
	if len(x.Args) == 3 {
		var ok bool
		if t, ok = b.typeArgument(x.Args[2]); !ok {
			return bad()
		}
	}
	p, isConst := constText(path)
	if !isConst || from.Type() != schema.String && from.Type() != schema.Dynamic {
		b.refuse(x.Span, x.Name+"() of these arguments")
		return bad()
	}
	steps, ok := dyn.ParseJSONPath(p)
	if !ok {
		b.refuse(x.Args[0].Pos(), "the path "+syntax.Quote(p))
		return bad()
	}
	s := source{from: from, raw: from.Type() == schema.String, path: steps}
	return convert(s.read("get"), t)
}

// rangeArray is range() as a function.
func (b *scalars) rangeArray(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 2, 3) {
		return bad()
	}
	from, to := args[0], args[1]
	t := from.Type()
	var stepBy plan.Expr
	if len(args) == 3 {
		stepBy = args[2]
	} else if isNumber(t) {
		stepBy = long(1)
	} else {
		const hour = 36_000_000_000
		stepBy = &plan.Const{T: schema.TimeSpan, V: int64(hour)}
	}
	st := stepBy.Type()
	switch {
	case isWhole(t) && isWhole(to.Type()) && isWhole(st):
		return goCall("range_long", from, to, stepBy)
	case isNumber(t) && isNumber(to.Type()) && isNumber(st):
		return goCall("range_real", from, to, stepBy)
	case t == schema.DateTime && to.Type() == t && st == schema.TimeSpan:
		return goCall("range_datetime", from, to, stepBy)
	case t == schema.TimeSpan && to.Type() == t && st == schema.TimeSpan:
		return goCall("range_timespan", from, to, stepBy)
	}
	b.fail(x.Span, "range() does not go from "+t.String()+" to "+to.Type().String()+" in steps of "+st.String(), "")
	return bad()
}

func (b *scalars) repeat(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 2, 2) || !b.want(x, args, 1, schema.Long) {
		return bad()
	}
	if args[0].Type() == schema.Dynamic {
		b.fail(x.Args[0].Pos(), "repeat() does not take a value of type dynamic", "convert it: tostring(…)")
		return bad()
	}
	return goCall("repeat", args...)
}

// sorting splits the arguments of array_sort_…: the arrays, and the flag that nulls
// go last.
func (b *scalars) sorting(x *syntax.Call, args []plan.Expr) (arrays []plan.Expr, desc, nullsLast plan.Expr, ok bool) {
	nullsLast = boolean(true)
	if n := len(args) - 1; n > 0 && args[n].Type() == schema.Bool {
		if constant(args[n]) == nil {
			b.refuse(x.Args[n].Pos(), x.Name+"() with a value that is not true or false")
			return nil, nil, nil, false
		}
		nullsLast, args = args[n], args[:n]
	}
	for i := range args {
		if args[i].Type() != schema.Dynamic {
			b.wrongType(x, i, args[i].Type())
			return nil, nil, nil, false
		}
	}
	return args, boolean(strings.HasSuffix(x.Name, "desc")), nullsLast, len(args) > 0
}

func (b *scalars) sortArray(x *syntax.Call, args []plan.Expr) plan.Expr {
	arrays, desc, last, ok := b.sorting(x, args)
	if !ok {
		if len(args) == 0 {
			b.count(x, 1, maxVariadic)
		}
		return bad()
	}
	if len(arrays) > 1 {
		b.refuse(x.Span, x.Name+"() of several arrays as one value; "+x.Name+"(…)[i]")
		return bad()
	}
	return goCall("array_sort", arrays[0], desc, last)
}

// sortedWith binds array_sort_asc(a, b, …)[i]: array i in the order of the first; nil
// for anything else.
func (b *scalars) sortedWith(x *syntax.Index) plan.Expr {
	c, ok := x.X.(*syntax.Call)
	if !ok || c.Name != "array_sort_asc" && c.Name != "array_sort_desc" || len(c.Args) < 2 {
		return nil
	}
	i, ok := constLong(b.scalar(x.I))
	args, bound := b.arguments(c)
	if !ok || !bound {
		return bad()
	}
	arrays, desc, last, ok := b.sorting(c, args)
	switch {
	case !ok:
		return bad()
	case len(arrays) < 2:
		return step(goCall("array_sort", arrays[0], desc, last), dyn.Element(i))
	case i < 0 || i >= int64(len(arrays)):
		b.fail(x.I.Pos(), "there is no such array", "")
		return bad()
	case i == 0:
		return goCall("array_sort", arrays[0], desc, last)
	}
	return goCall("array_sort_with", arrays[0], arrays[i], desc, last)
}

// items binds a column of project, extend or print; the functions that give several
// values give as many columns.
func (b *scalars) items(x syntax.Expr, unnamed func() string) []item {
	value, named := x, (*syntax.Named)(nil)
	if n, ok := x.(*syntax.Named); ok {
		value, named = n.X, n
	}
	c, ok := value.(*syntax.Call)
	if !ok || c.Name != "array_sort_asc" && c.Name != "array_sort_desc" || len(c.Args) < 2 {
		return []item{b.item(x, unnamed)}
	}
	args, ok := b.arguments(c)
	if !ok {
		return nil
	}
	arrays, desc, last, ok := b.sorting(c, args)
	switch {
	case !ok:
		return nil
	case len(arrays) == 1:
		return []item{b.item(x, unnamed)}
	}
	out := make([]item, len(arrays))
	for i, a := range arrays {
		out[i] = item{name: sortedName(c.Args[i], i), span: x.Pos(), x: goCall("array_sort", a, desc, last)}
		if i > 0 {
			out[i].x = goCall("array_sort_with", arrays[0], a, desc, last)
		}
		if named != nil && i < len(named.Names) {
			out[i].name, out[i].explicit = named.Names[i].Name, true
		}
	}
	return out
}

func sortedName(x syntax.Expr, i int) string {
	if name := resultName(x); name != "" {
		return name + "_sorted"
	}
	return "array" + long(int64(i)).String() + "_sorted"
}

// dynamicName is the name of a column that a function of dynamics gives, after that
// of its first argument.
func dynamicName(function, first string) (string, bool) {
	switch function {
	case "todynamic", "parse_json", "parsejson", "toobject", "parse_xml":
		return first, true
	case "gettype":
		return "type_" + first, true
	case "repeat":
		return "repeat_" + first, true
	case "treepath":
		return "tree_" + first, true
	case "array_sort_asc", "array_sort_desc":
		if first == "" {
			return "", true
		}
		return first + "_sorted", true
	}
	return "", false
}

// conversions are the operations that take a dynamic besides what fn says.
var conversions = map[fn.Op]bool{
	fn.ToString: true, fn.ToInt: true, fn.ToLong: true, fn.ToReal: true, fn.ToBool: true, fn.ToDateTime: true, fn.ToTimeSpan: true, fn.ToGuid: true,
}
