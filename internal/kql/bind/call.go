package bind

import (
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

func (b *scalars) call(x *syntax.Call) plan.Expr {
	if bound, ok := b.around.called(x); ok {
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
		args, ok := b.arguments(x)
		if !ok {
			return bad()
		}
		return b.specialCall(x, args)
	}
	b.unknownFunction(x)
	return bad()
}

func (b *scalars) unknownFunction(x *syntax.Call) {
	if _, ok := fn.Aggregates[x.Name]; ok {
		b.fail(x.NameAt, "the aggregate "+x.Name+"() belongs in summarize", "")
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
	b.fail(x.NameAt, "the function '"+x.Name+"' is not supported yet", hint)
}

// arguments binds all arguments; false after an error.
func (b *scalars) arguments(x *syntax.Call) ([]plan.Expr, bool) {
	args := make([]plan.Expr, len(x.Args))
	ok := true
	for i, a := range x.Args {
		if n, named := a.(*syntax.Named); named && !n.Tuple {
			a = n.X // Kusto reads past the name
		}
		args[i] = b.scalar(a)
		ok = ok && args[i].Type() != 0
	}
	return args, ok
}

// count checks the number of a call's arguments and complains when it is wrong.
func (b *scalars) count(x *syntax.Call, least, most int) bool {
	if len(x.Args) >= least && len(x.Args) <= most {
		return true
	}
	b.fail(x.Span, x.Name+"() does not take "+long(int64(len(x.Args))).String()+" arguments here", "")
	return false
}

func (b *scalars) fixedCall(x *syntax.Call, f fn.Function) plan.Expr {
	most := len(f.Params)
	if f.Variadic {
		most = maxVariadic
	}
	args, ok := b.arguments(x)
	if !ok || !b.count(x, f.Min, most) {
		return bad()
	}
	for i := range args {
		t := args[i].Type()
		if t == schema.Dynamic {
			args[i] = textOfSplit(args[i])
			t = args[i].Type()
		}
		p := f.Params[min(i, len(f.Params)-1)]
		switch {
		case p.Has(t):
		case t == schema.Dynamic && p.Has(schema.String): // also the conversions
			if !conversions[f.Op] {
				args[i] = convert(args[i], schema.String)
			}
		case p == fn.Of(schema.String) && isNumber(t):
			args[i] = convert(args[i], schema.String)
		case p == fn.Of(schema.Real) && isNumber(t):
			args[i] = convert(args[i], schema.Real)
		default:
			b.wrongType(x, i, t)
			return bad()
		}
	}
	if f.Op == fn.Go {
		return goCall(f.Go, args...)
	}
	switch f.Op {
	case fn.ToString, fn.ToInt, fn.ToLong, fn.ToReal, fn.ToBool, fn.ToDateTime, fn.ToTimeSpan, fn.ToGuid:
		return convert(args[0], f.Result)
	case fn.Reverse:
		args[0] = convert(args[0], schema.String)
	case fn.Sqrt, fn.Exp, fn.Log, fn.Log10, fn.Log2, fn.Pow, fn.Sin, fn.Cos, fn.Tan, fn.Asin, fn.Acos, fn.Atan:
		for i := range args {
			args[i] = convert(args[i], schema.Real)
		}
	}
	return call(f.Op, f.Result, args...)
}

// wrongType says that argument i of a call can't have the type t.
func (b *scalars) wrongType(x *syntax.Call, i int, t schema.Type) {
	if t == schema.Dynamic || t == schema.Decimal {
		b.refuse(x.Args[i].Pos(), x.Name+"() of a value of type "+t.String())
		return
	}
	b.fail(x.Args[i].Pos(), x.Name+"() does not take a value of type "+t.String()+" here", "")
}

func (b *scalars) specialCall(x *syntax.Call, args []plan.Expr) plan.Expr {
	switch x.Name {
	case "not":
		if b.count(x, 1, 1) && b.want(x, args, 0, schema.Bool) {
			return not(args[0])
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
		if b.count(x, 2, 64) {
			return b.strcat(x, args)
		}
	case "abs", "ceiling", "sign", "round":
		return b.rounding(x, args)
	}
	return bad()
}

// want checks that argument i of a call has the type t.
func (b *scalars) want(x *syntax.Call, args []plan.Expr, i int, t schema.Type) bool {
	args[i] = textOfSplit(args[i])
	switch at := args[i].Type(); {
	case at == t:
		return true
	case at == schema.Dynamic && t == schema.String, at == schema.Int && t == schema.Long:
		args[i] = convert(args[i], t)
		return true
	}
	b.wrongType(x, i, args[i].Type())
	return false
}

func (b *scalars) now(x *syntax.Call, args []plan.Expr) plan.Expr {
	now := &plan.Const{T: schema.DateTime, V: int64(b.clock)}
	least, op := 0, fn.Add
	if x.Name == "ago" {
		least, op = 1, fn.Sub
	}
	if !b.count(x, least, 1) {
		return bad()
	}
	if len(args) == 0 {
		return now
	}
	if !b.want(x, args, 0, schema.TimeSpan) {
		return bad()
	}
	return call(op, schema.DateTime, now, args[0])
}

// stepFits tells which steps bin takes for a value.
func stepFits(value, step schema.Type) bool {
	switch value {
	case schema.DateTime, schema.TimeSpan:
		return step == schema.TimeSpan
	}
	return isNumber(value) && isNumber(step)
}

func (b *scalars) bin(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 2, 2) {
		return bad()
	}
	v, step := args[0], args[1]
	if !stepFits(v.Type(), step.Type()) {
		b.fail(x.Span, x.Name+"() does not take "+v.Type().String()+" in steps of "+step.Type().String(), "")
		return bad()
	}
	if isNumber(v.Type()) {
		t := arithmeticType(fn.Add, v.Type(), step.Type())
		if v.Type() == schema.Int && step.Type() == schema.Int {
			t = schema.Int
		}
		v, step = convert(v, t), convert(step, t)
	}
	return call(fn.Bin, v.Type(), v, step)
}

func (b *scalars) binAt(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 3, 3) {
		return bad()
	}
	t := args[0].Type()
	for i := range args {
		if isNumber(t) && isNumber(args[i].Type()) {
			t = arithmeticType(fn.Add, t, args[i].Type())
		}
	}
	if args[2].Type() != t && !isNumber(t) || !stepFits(t, args[1].Type()) {
		b.refuse(x.Span, "bin_at() of these types")
		return bad()
	}
	if isNumber(t) {
		for i := range args {
			args[i] = convert(args[i], t)
		}
	}
	return call(fn.BinAt, t, args...)
}

// common gives values of a choice one type; they must agree but for numbers.
func (b *scalars) common(x *syntax.Call, args []plan.Expr, which []int) (schema.Type, bool) {
	var t schema.Type
	for _, i := range which {
		args[i] = textOfSplit(args[i])
		at := args[i].Type()
		switch {
		case at == schema.Dynamic: // takes the type of the others
			continue
		case t == 0 || t == at:
			t = at
		case isNumber(t) && isNumber(at):
			t = arithmeticType(fn.Add, t, at)
		case t == schema.Dynamic || at == schema.Dynamic:
			t = schema.Dynamic
		default:
			b.fail(x.Args[i].Pos(), x.Name+"() mixes "+t.String()+" and "+at.String(), "convert them to one type")
			return 0, false
		}
	}
	if t == 0 {
		t = schema.Dynamic
	}
	for _, i := range which {
		args[i] = convert(args[i], t)
	}
	return t, true
}

func (b *scalars) iff(x *syntax.Call, args []plan.Expr) plan.Expr {
	most := 3
	if x.Name == "case" {
		most = 2001
	}
	if !b.count(x, 3, most) {
		return bad()
	}
	if len(args)%2 == 0 {
		b.fail(x.Span, "case() takes pairs of a condition and a value, and a last value", "")
		return bad()
	}
	var values []int
	for i := range args {
		if i%2 == 1 || i == len(args)-1 {
			values = append(values, i)
		} else if !b.want(x, args, i, schema.Bool) {
			return bad()
		}
	}
	t, ok := b.common(x, args, values)
	if !ok {
		return bad()
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

func (b *scalars) coalesce(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 1, 64) {
		return bad()
	}
	var t schema.Type
	for i := range args {
		args[i] = textOfSplit(args[i])
		at := args[i].Type()
		if t == 0 || t == schema.Int && at == schema.Long {
			t = at
		} else if at != t && !(isWhole(at) && isWhole(t)) {
			b.fail(x.Args[i].Pos(), "coalesce() mixes "+t.String()+" and "+at.String(), "convert them to one type")
			return bad()
		}
	}
	for i := range args {
		args[i] = convert(args[i], t)
	}
	return &plan.Call{Op: fn.Coalesce, Args: args, T: t}
}

func (b *scalars) extreme(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 2, 64) {
		return bad()
	}
	t, ok := b.common(x, args, all(args))
	if !ok {
		return bad()
	}
	switch t {
	case schema.Real:
		return goCall(x.Name+"_real", args...)
	case schema.Dynamic, schema.String, schema.Guid, schema.Decimal:
		b.refuse(x.Span, x.Name+"() of values of type "+t.String())
		return bad()
	}
	op := fn.MinOf
	if x.Name == "max_of" {
		op = fn.MaxOf
	}
	return &plan.Call{Op: op, Args: args, T: t}
}

func (b *scalars) emptiness(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 1, 1) {
		return bad()
	}
	v := textOfSplit(args[0])
	if v.Type() == schema.Dynamic && strings.HasSuffix(x.Name, "empty") {
		v = convert(v, schema.String)
	}
	var out plan.Expr
	switch {
	case strings.HasSuffix(x.Name, "null") && v.Type() == schema.String:
		out = boolean(false)
	case v.Type() == schema.String:
		out = &plan.Call{Op: fn.Eq, Args: []plan.Expr{v, text("")}, T: schema.Bool}
	default:
		out = &plan.Call{Op: fn.IsNull, Args: []plan.Expr{v}, T: schema.Bool}
	}
	if strings.Contains(x.Name, "not") {
		if c := constant(out); c != nil {
			return boolean(true)
		}
		return not(out)
	}
	return out
}

func (b *scalars) strcat(x *syntax.Call, args []plan.Expr) plan.Expr {
	if !b.count(x, 1, 64) {
		return bad()
	}
	for i := range args {
		args[i] = textOfSplit(args[i])
		if t := args[i].Type(); t == schema.Decimal {
			b.wrongType(x, i, t)
			return bad()
		}
		args[i] = convert(args[i], schema.String)
	}
	op := fn.Strcat
	if x.Name == "strcat_delim" {
		op = fn.StrcatDelim
	}
	return &plan.Call{Op: op, Args: args, T: schema.String}
}

func (b *scalars) rounding(x *syntax.Call, args []plan.Expr) plan.Expr {
	if x.Name == "round" && len(args) == 2 {
		digits, ok := constLong(args[1])
		if t := args[0].Type(); !ok || !isNumber(t) || !isWhole(args[1].Type()) || digits < 0 || digits > 15 {
			b.refuse(x.Span, "round() of these arguments")
			return bad()
		}
		return call(fn.Round, schema.Real, convert(args[0], schema.Real), args[1])
	}
	if !b.count(x, 1, 1) {
		return bad()
	}
	v := args[0]
	t := v.Type()
	span := t == schema.TimeSpan && x.Name == "abs"
	if !isNumber(t) && !span {
		b.wrongType(x, 0, t)
		return bad()
	}
	switch x.Name {
	case "abs":
		if t == schema.Int {
			t = schema.Long
		}
		return call(fn.Abs, t, convert(v, t))
	case "sign":
		return call(fn.Sign, schema.Real, convert(v, schema.Real))
	case "ceiling":
		return call(fn.Ceiling, schema.Real, convert(v, schema.Real))
	}
	return call(fn.Round, schema.Real, convert(v, schema.Real))
}
