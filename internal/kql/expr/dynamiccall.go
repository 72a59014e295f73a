package expr

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
func (b *Binder) dynamicCall(x *syntax.Call) plan.Expr {
	switch x.Name {
	case "pack_all":
		return b.packAll(x)
	case "bag_pack_columns":
		return b.packColumns(x)
	case "extract_json", "extractjson":
		return b.extractJSON(x)
	}
	args, ok := b.Arguments(x)
	if !ok {
		return Bad()
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

func (b *Binder) parseJSON(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 1, 1) {
		return Bad()
	}
	switch t := args[0].Type(); {
	case t == schema.Dynamic:
		return args[0]
	case t == schema.String:
		return GoCall("dyn_parse", args[0])
	case IsNumber(t) || t == schema.Bool:
		return ToDynamic(args[0])
	}
	b.WrongType(x, 0, args[0].Type())
	return Bad()
}

func (b *Binder) getType(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 1, 1) {
		return Bad()
	}
	if t := args[0].Type(); t != schema.Dynamic {
		return Text(t.String())
	}
	return GoCall("dyn_type", args[0])
}

func (b *Binder) pack(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 2, 2*MaxVariadic) {
		return Bad()
	}
	if len(args)%2 != 0 {
		b.Fail(x.Span, x.Name+"() takes pairs of a key and a value", "")
		return Bad()
	}
	for i := 0; i < len(args); i += 2 {
		if t := args[i].Type(); t != schema.String && t != schema.Dynamic {
			b.Fail(x.Args[i].Pos(), "a key is a string, not "+t.String(), "")
			return Bad()
		}
	}
	return GoCall("bag_pack", args...)
}

// packAll packs every column of the row by its name; pack_all(true) leaves out nulls
// and empty strings.
func (b *Binder) packAll(x *syntax.Call) plan.Expr {
	if !b.Count(x, 0, 1) || b.Rows == nil {
		return Bad()
	}
	name := "bag_pack"
	if len(x.Args) == 1 {
		c := Constant(b.Scalar(x.Args[0]))
		if c == nil || c.T != schema.Bool {
			b.Refuse(x.Args[0].Pos(), "pack_all() with a value that is not true or false")
			return Bad()
		}
		if c.V == true {
			name = "bag_pack_present"
		}
	}
	var args []plan.Expr
	for _, c := range b.Rows.Visible() {
		args = append(args, Text(c.Name), c.Get())
	}
	return GoCall(name, args...)
}

func (b *Binder) packColumns(x *syntax.Call) plan.Expr {
	var args []plan.Expr
	for _, a := range x.Args {
		n, ok := a.(*syntax.Name)
		if !ok {
			b.Fail(a.Pos(), "a column's name is expected here", "")
			return Bad()
		}
		v := b.Scalar(n)
		if v.Type() == 0 {
			return Bad()
		}
		args = append(args, Text(n.Name), v)
	}
	return GoCall("bag_pack", args...)
}

// TypeArgument reads typeof(T) or a type's name.
func (b *Binder) TypeArgument(x syntax.Expr) (schema.Type, bool) {
	name := ""
	switch x := x.(type) {
	case *syntax.TypeOf:
		name = x.Type
	case *syntax.Name:
		name = x.Name
	}
	t, ok := TypeNames[name]
	if !ok {
		b.Refuse(x.Pos(), "this type")
	}
	return t, ok
}

// extractJSON is parse_json() and a path, as text unless a type is asked for.
func (b *Binder) extractJSON(x *syntax.Call) plan.Expr {
	if !b.Count(x, 2, 3) {
		return Bad()
	}
	path, from, t := b.Scalar(x.Args[0]), b.Scalar(x.Args[1]), schema.String
	if path.Type() == 0 || from.Type() == 0 {
		return Bad()
	}
	if len(x.Args) == 3 {
		var ok bool
		if t, ok = b.TypeArgument(x.Args[2]); !ok {
			return Bad()
		}
	}
	p, isConst := ConstText(path)
	if !isConst || from.Type() != schema.String && from.Type() != schema.Dynamic {
		b.Refuse(x.Span, x.Name+"() of these arguments")
		return Bad()
	}
	steps, ok := dyn.ParseJSONPath(p)
	if !ok {
		b.Refuse(x.Args[0].Pos(), "the path "+syntax.Quote(p))
		return Bad()
	}
	if from.Type() == schema.Dynamic && len(steps) > 0 {
		for _, to := range steps {
			from = b.Step(from, to)
		}
		return Convert(from, t)
	}
	s := source{from: from, raw: from.Type() == schema.String, path: steps}
	return Convert(s.read("get"), t)
}

// rangeArray is range() as a function.
func (b *Binder) rangeArray(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 2, 3) {
		return Bad()
	}
	from, to := args[0], args[1]
	t := from.Type()
	var stepBy plan.Expr
	if len(args) == 3 {
		stepBy = args[2]
	} else if IsNumber(t) {
		stepBy = Long(1)
	} else {
		const hour = 36_000_000_000
		stepBy = &plan.Const{T: schema.TimeSpan, V: int64(hour)}
	}
	st := stepBy.Type()
	switch {
	case IsWhole(t) && IsWhole(to.Type()) && IsWhole(st):
		return GoCall("range_long", from, to, stepBy)
	case IsNumber(t) && IsNumber(to.Type()) && IsNumber(st):
		return GoCall("range_real", from, to, stepBy)
	case t == schema.DateTime && to.Type() == t && st == schema.TimeSpan:
		return GoCall("range_datetime", from, to, stepBy)
	case t == schema.TimeSpan && to.Type() == t && st == schema.TimeSpan:
		return GoCall("range_timespan", from, to, stepBy)
	}
	b.Fail(x.Span, "range() does not go from "+t.String()+" to "+to.Type().String()+" in steps of "+st.String(), "")
	return Bad()
}

func (b *Binder) repeat(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 2, 2) || !b.Want(x, args, 1, schema.Long) {
		return Bad()
	}
	if args[0].Type() == schema.Dynamic {
		b.Fail(x.Args[0].Pos(), "repeat() does not take a value of type dynamic", "convert it: tostring(…)")
		return Bad()
	}
	return GoCall("repeat", args...)
}

// sorting splits the arguments of array_sort_…: the arrays, and the flag that nulls
// go last.
func (b *Binder) sorting(x *syntax.Call, args []plan.Expr) (arrays []plan.Expr, desc, nullsLast plan.Expr, ok bool) {
	nullsLast = Boolean(true)
	if n := len(args) - 1; n > 0 && args[n].Type() == schema.Bool {
		if Constant(args[n]) == nil {
			b.Refuse(x.Args[n].Pos(), x.Name+"() with a value that is not true or false")
			return nil, nil, nil, false
		}
		nullsLast, args = args[n], args[:n]
	}
	for i := range args {
		if args[i].Type() != schema.Dynamic {
			b.WrongType(x, i, args[i].Type())
			return nil, nil, nil, false
		}
	}
	return args, Boolean(strings.HasSuffix(x.Name, "desc")), nullsLast, len(args) > 0
}

func (b *Binder) sortArray(x *syntax.Call, args []plan.Expr) plan.Expr {
	arrays, desc, last, ok := b.sorting(x, args)
	if !ok {
		if len(args) == 0 {
			b.Count(x, 1, MaxVariadic)
		}
		return Bad()
	}
	if len(arrays) > 1 {
		b.Refuse(x.Span, x.Name+"() of several arrays as one value; "+x.Name+"(…)[i]")
		return Bad()
	}
	return GoCall("array_sort", arrays[0], desc, last)
}

// sortedWith binds array_sort_asc(a, b, …)[i]: array i in the order of the first; nil
// for anything else.
func (b *Binder) sortedWith(x *syntax.Index) plan.Expr {
	c, ok := x.X.(*syntax.Call)
	if !ok || c.Name != "array_sort_asc" && c.Name != "array_sort_desc" || len(c.Args) < 2 {
		return nil
	}
	i, ok := ConstLong(b.Scalar(x.I))
	args, bound := b.Arguments(c)
	if !ok || !bound {
		return Bad()
	}
	arrays, desc, last, ok := b.sorting(c, args)
	switch {
	case !ok:
		return Bad()
	case len(arrays) < 2:
		return step(GoCall("array_sort", arrays[0], desc, last), dyn.Element(i))
	case i < 0 || i >= int64(len(arrays)):
		b.Fail(x.I.Pos(), "there is no such array", "")
		return Bad()
	case i == 0:
		return GoCall("array_sort", arrays[0], desc, last)
	}
	return GoCall("array_sort_with", arrays[0], arrays[i], desc, last)
}

// Items binds a column of project, extend or print; the functions that give several
// values give as many columns.
func (b *Binder) Items(x syntax.Expr, unnamed func() string) []Item {
	value, named := x, (*syntax.Named)(nil)
	if n, ok := x.(*syntax.Named); ok {
		value, named = n.X, n
	}
	c, ok := value.(*syntax.Call)
	if !ok || c.Name != "array_sort_asc" && c.Name != "array_sort_desc" || len(c.Args) < 2 {
		return []Item{b.Item(x, unnamed)}
	}
	args, ok := b.Arguments(c)
	if !ok {
		return nil
	}
	arrays, desc, last, ok := b.sorting(c, args)
	switch {
	case !ok:
		return nil
	case len(arrays) == 1:
		return []Item{b.Item(x, unnamed)}
	}
	out := make([]Item, len(arrays))
	for i, a := range arrays {
		out[i] = Item{Name: sortedName(c.Args[i], i), Span: x.Pos(), X: GoCall("array_sort", a, desc, last)}
		if i > 0 {
			out[i].X = GoCall("array_sort_with", arrays[0], a, desc, last)
		}
		if named != nil && i < len(named.Names) {
			out[i].Name, out[i].Explicit = named.Names[i].Name, true
		}
	}
	return out
}

func sortedName(x syntax.Expr, i int) string {
	if name := ResultName(x); name != "" {
		return name + "_sorted"
	}
	return "array" + Long(int64(i)).String() + "_sorted"
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
