package expr

import (
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

func (b *Binder) call(x *syntax.Call) plan.Expr {
	if bound, ok := b.Around.Called(x); ok {
		return bound
	}
	if f, ok := fn.Functions[x.Name]; ok {
		return b.fixedCall(x, f)
	}
	if slices.Contains(fn.Dynamic, x.Name) {
		return b.dynamicCall(x)
	}
	if slices.Contains(fn.Scalar, x.Name) {
		return b.scalarCall(x)
	}
	if slices.Contains(fn.Special, x.Name) {
		args, ok := b.Arguments(x)
		if !ok {
			return Bad()
		}
		return b.specialCall(x, args)
	}
	b.unknownFunction(x)
	return Bad()
}

func (b *Binder) unknownFunction(x *syntax.Call) {
	if _, ok := fn.Aggregates[x.Name]; ok {
		b.Fail(x.NameAt, "the aggregate "+x.Name+"() belongs in summarize", "")
		return
	}
	var known []string
	for name := range fn.Functions {
		known = append(known, name)
	}
	hint := ""
	if n := syntax.Nearest(x.Name, slices.Concat(known, fn.Special, fn.Scalar, fn.Dynamic)); n != "" && syntax.Distance(n, x.Name, 3) <= 2 {
		hint = "did you mean " + n + "?"
	}
	b.Fail(x.NameAt, "the function '"+x.Name+"' is not supported yet", hint)
}

// Arguments binds all arguments; false after an error.
func (b *Binder) Arguments(x *syntax.Call) ([]plan.Expr, bool) {
	args := make([]plan.Expr, len(x.Args))
	ok := true
	for i, a := range x.Args {
		if n, named := a.(*syntax.Named); named && !n.Tuple {
			a = n.X // Kusto reads past the name
		}
		args[i] = b.Scalar(a)
		ok = ok && args[i].Type() != 0
	}
	return args, ok
}

// Count checks the number of a call's arguments and complains when it is wrong.
func (b *Binder) Count(x *syntax.Call, least, most int) bool {
	if len(x.Args) >= least && len(x.Args) <= most {
		return true
	}
	b.Fail(x.Span, x.Name+"() does not take "+Long(int64(len(x.Args))).String()+" arguments here", "")
	return false
}

func (b *Binder) fixedCall(x *syntax.Call, f fn.Function) plan.Expr {
	most := len(f.Params)
	if f.Variadic {
		most = MaxVariadic
	}
	args, ok := b.Arguments(x)
	if !ok || !b.Count(x, f.Min, most) {
		return Bad()
	}
	for i := range args {
		t := args[i].Type()
		if t == schema.Dynamic {
			args[i] = TextOfSplit(args[i])
			t = args[i].Type()
		}
		p := f.Params[min(i, len(f.Params)-1)]
		switch {
		case p.Has(t):
		case t == schema.Dynamic && p.Has(schema.String): // also the conversions
			if !conversions[f.Op] {
				args[i] = Convert(args[i], schema.String)
			}
		case p == fn.Of(schema.String) && IsNumber(t):
			args[i] = Convert(args[i], schema.String)
		case p == fn.Of(schema.Real) && IsNumber(t):
			args[i] = Convert(args[i], schema.Real)
		default:
			b.WrongType(x, i, t)
			return Bad()
		}
	}
	if f.Op == fn.Go {
		return GoCall(f.Go, args...)
	}
	switch f.Op {
	case fn.ToString, fn.ToInt, fn.ToLong, fn.ToReal, fn.ToBool, fn.ToDateTime, fn.ToTimeSpan, fn.ToGuid:
		return Convert(args[0], f.Result)
	case fn.Reverse:
		args[0] = Convert(args[0], schema.String)
	case fn.Sqrt, fn.Exp, fn.Log, fn.Log10, fn.Log2, fn.Pow, fn.Sin, fn.Cos, fn.Tan, fn.Asin, fn.Acos, fn.Atan:
		for i := range args {
			args[i] = Convert(args[i], schema.Real)
		}
	}
	return Call(f.Op, f.Result, args...)
}

// WrongType says that argument i of a call can't have the type t.
func (b *Binder) WrongType(x *syntax.Call, i int, t schema.Type) {
	if t == schema.Dynamic || t == schema.Decimal {
		b.Refuse(x.Args[i].Pos(), x.Name+"() of a value of type "+t.String())
		return
	}
	b.Fail(x.Args[i].Pos(), x.Name+"() does not take a value of type "+t.String()+" here", "")
}

func (b *Binder) specialCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "not":
		if b.Count(x, 1, 1) && b.Want(x, args, 0, schema.Bool) {
			return Not(args[0])
		}
	case "now", "ago":
		return b.now(x, args)
	case "bin", "floor":
		return b.bin(x, args)
	case "bin_at":
		return b.binAt(x, args)
	case "iff", "iif", "case":
		return b.iff(x, args)
	case "coalesce":
		return b.coalesce(x, args)
	case "min_of", "max_of":
		return b.extreme(x, args)
	case "isnull", "isnotnull", "notnull", "isempty", "isnotempty", "notempty":
		return b.emptiness(x, args)
	case "strcat":
		return b.strcat(x, args)
	case "strcat_delim":
		if b.Count(x, 2, 64) {
			return b.strcat(x, args)
		}
	case "abs", "ceiling", "sign", "round":
		return b.rounding(x, args)
	}
	return Bad()
}

// Want checks that argument i of a call has the type t.
func (b *Binder) Want(x *syntax.Call, args []plan.Expr, i int, t schema.Type) bool {
	args[i] = TextOfSplit(args[i])
	switch at := args[i].Type(); {
	case at == t:
		return true
	case at == schema.Dynamic && t == schema.String, at == schema.Int && t == schema.Long:
		args[i] = Convert(args[i], t)
		return true
	}
	b.WrongType(x, i, args[i].Type())
	return false
}

func (b *Binder) now(x *syntax.Call, args []plan.Expr) plan.Expr {
	now := &plan.Const{T: schema.DateTime, V: int64(b.Clock)}
	least, op := 0, fn.Add
	if x.Name == "ago" {
		least, op = 1, fn.Sub
	}
	if !b.Count(x, least, 1) {
		return Bad()
	}
	if len(args) == 0 {
		return now
	}
	if !b.Want(x, args, 0, schema.TimeSpan) {
		return Bad()
	}
	return Call(op, schema.DateTime, now, args[0])
}

// stepFits tells which steps bin takes for a value.
func stepFits(value, step schema.Type) bool {
	switch value {
	case schema.DateTime, schema.TimeSpan:
		return step == schema.TimeSpan
	}
	return IsNumber(value) && IsNumber(step)
}

func (b *Binder) bin(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 2, 2) {
		return Bad()
	}
	v, step := args[0], args[1]
	if !stepFits(v.Type(), step.Type()) {
		b.Fail(x.Span, x.Name+"() does not take "+v.Type().String()+" in steps of "+step.Type().String(), "")
		return Bad()
	}
	if IsNumber(v.Type()) {
		t := arithmeticType(fn.Add, v.Type(), step.Type())
		v, step = Convert(v, t), Convert(step, t)
	}
	return Call(fn.Bin, v.Type(), v, step)
}

func (b *Binder) binAt(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 3, 3) {
		return Bad()
	}
	t := args[0].Type()
	for i := range args {
		if IsNumber(t) && IsNumber(args[i].Type()) {
			t = arithmeticType(fn.Add, t, args[i].Type())
		}
	}
	if args[2].Type() != t && !IsNumber(t) || !stepFits(t, args[1].Type()) {
		b.Refuse(x.Span, "bin_at() of these types")
		return Bad()
	}
	if IsNumber(t) {
		for i := range args {
			args[i] = Convert(args[i], t)
		}
	}
	return Call(fn.BinAt, t, args...)
}

// common gives values of a choice one type; they must agree but for numbers.
func (b *Binder) common(x *syntax.Call, args []plan.Expr, which []int) (schema.Type, bool) {
	var t schema.Type
	for _, i := range which {
		args[i] = TextOfSplit(args[i])
		at := args[i].Type()
		switch {
		case at == schema.Dynamic: // takes the type of the others
			continue
		case t == 0 || t == at:
			t = at
		case IsNumber(t) && IsNumber(at):
			t = arithmeticType(fn.Add, t, at)
		default:
			b.Fail(x.Args[i].Pos(), x.Name+"() mixes "+t.String()+" and "+at.String(), "convert them to one type")
			return 0, false
		}
	}
	if t == 0 {
		t = schema.Dynamic
	}
	for _, i := range which {
		args[i] = Convert(args[i], t)
	}
	return t, true
}

func (b *Binder) iff(x *syntax.Call, args []plan.Expr) plan.Expr {
	most := 3
	if x.Name == "case" {
		most = 2001
	}
	if !b.Count(x, 3, most) {
		return Bad()
	}
	if len(args)%2 == 0 {
		b.Fail(x.Span, "case() takes pairs of a condition and a value, and a last value", "")
		return Bad()
	}
	var values []int
	for i := range args {
		if i%2 == 1 || i == len(args)-1 {
			values = append(values, i)
		} else if !b.Want(x, args, i, schema.Bool) {
			return Bad()
		}
	}
	t, ok := b.common(x, args, values)
	if !ok {
		return Bad()
	}
	return &plan.Call{Op: fn.If, Args: args, T: t}
}

func all(args []plan.Expr) []int {
	which := make([]int, len(args))
	for i := range which {
		which[i] = i
	}
	return which
}

func (b *Binder) coalesce(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 1, 64) {
		return Bad()
	}
	var t schema.Type
	for i := range args {
		args[i] = TextOfSplit(args[i])
		at := args[i].Type()
		if t == 0 || t == schema.Int && at == schema.Long {
			t = at
		} else if at != t && !(IsWhole(at) && IsWhole(t)) {
			b.Fail(x.Args[i].Pos(), "coalesce() mixes "+t.String()+" and "+at.String(), "convert them to one type")
			return Bad()
		}
	}
	for i := range args {
		args[i] = Convert(args[i], t)
	}
	return &plan.Call{Op: fn.Coalesce, Args: args, T: t}
}

func (b *Binder) extreme(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 2, 64) {
		return Bad()
	}
	t, ok := b.common(x, args, all(args))
	if !ok {
		return Bad()
	}
	switch t {
	case schema.Real:
		return GoCall(x.Name+"_real", args...)
	case schema.Dynamic, schema.String, schema.Guid, schema.Decimal:
		b.Refuse(x.Span, x.Name+"() of values of type "+t.String())
		return Bad()
	}
	op := fn.MinOf
	if x.Name == "max_of" {
		op = fn.MaxOf
	}
	return &plan.Call{Op: op, Args: args, T: t}
}

func (b *Binder) emptiness(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 1, 1) {
		return Bad()
	}
	v := TextOfSplit(args[0])
	if v.Type() == schema.Dynamic && strings.HasSuffix(x.Name, "empty") {
		v = Convert(v, schema.String)
	}
	var out plan.Expr
	switch {
	case strings.HasSuffix(x.Name, "null") && v.Type() == schema.String:
		out = Boolean(false)
	case v.Type() == schema.String:
		out = &plan.Call{Op: fn.Eq, Args: []plan.Expr{v, Text("")}, T: schema.Bool}
	default:
		out = &plan.Call{Op: fn.IsNull, Args: []plan.Expr{v}, T: schema.Bool}
	}
	if strings.Contains(x.Name, "not") {
		if c := Constant(out); c != nil {
			return Boolean(true)
		}
		return Not(out)
	}
	return out
}

func (b *Binder) strcat(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.Count(x, 1, 64) {
		return Bad()
	}
	for i := range args {
		args[i] = Convert(TextOfSplit(args[i]), schema.String)
	}
	op := fn.Strcat
	if x.Name == "strcat_delim" {
		op = fn.StrcatDelim
	}
	if joined, ok := joinConstants(op, args); ok {
		return joined
	}
	return &plan.Call{Op: op, Args: args, T: schema.String}
}

// joinConstants is strcat (strcat_delim) of literals; false for others, and where
// the text grows long.
func joinConstants(op fn.Op, args []plan.Expr) (plan.Expr, bool) {
	parts := make([]string, len(args))
	size := 0
	for i, a := range args {
		s, ok := ConstText(a)
		if size += len(s); !ok || size > maxFolded/len(args) {
			return nil, false
		}
		parts[i] = s
	}
	if op == fn.StrcatDelim {
		return Text(strings.Join(parts[1:], parts[0])), true
	}
	return Text(strings.Join(parts, "")), true
}

func (b *Binder) rounding(x *syntax.Call, args []plan.Expr) plan.Expr {
	if x.Name == "round" && len(args) == 2 {
		digits, ok := ConstLong(args[1])
		if t := args[0].Type(); !ok || !IsNumber(t) || !IsWhole(args[1].Type()) || digits < -15 || digits > 15 {
			b.Refuse(x.Span, "round() of these arguments")
			return Bad()
		}
		return Call(fn.Round, schema.Real, Convert(args[0], schema.Real), args[1])
	}
	if !b.Count(x, 1, 1) {
		return Bad()
	}
	v := args[0]
	t := v.Type()
	span := t == schema.TimeSpan && x.Name == "abs"
	if !IsNumber(t) && !span {
		b.WrongType(x, 0, t)
		return Bad()
	}
	switch x.Name {
	case "abs":
		if t == schema.Int {
			t = schema.Long
		}
		return Call(fn.Abs, t, Convert(v, t))
	case "sign":
		return Call(fn.Sign, schema.Real, Convert(v, schema.Real))
	case "ceiling":
		return Call(fn.Ceiling, schema.Real, Convert(v, schema.Real))
	}
	return Call(fn.Round, schema.Real, Convert(v, schema.Real))
}
