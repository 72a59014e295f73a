package expr

import (
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// Condition binds an expression that must be bool.
func (b *Binder) Condition(x syntax.Expr) plan.Expr {
	return b.mustBeBool(b.Scalar(x), x)
}

func (b *Binder) mustBeBool(bound plan.Expr, x syntax.Expr) plan.Expr {
	if t := bound.Type(); t != 0 && t != schema.Bool {
		b.Fail(x.Pos(), "a condition (bool) is expected here, not "+t.String(), "")
		return Bad()
	}
	return bound
}

// Scalar binds an expression of one value. After an error its type is 0.
func (b *Binder) Scalar(x syntax.Expr) plan.Expr {
	switch x := x.(type) {
	case *syntax.Literal:
		return b.literal(x)
	case *syntax.Name:
		return b.name(x)
	case *syntax.Paren:
		return b.Scalar(x.X)
	case *syntax.Unary:
		return b.unary(x)
	case *syntax.Binary:
		return b.binary(x)
	case *syntax.Call:
		return b.call(x)
	case *syntax.Index:
		return b.index(x)
	case *syntax.Member:
		return b.member(x)
	case *syntax.Pipe, *syntax.Datatable:
		b.Refuse(x.Pos(), "a table in place of a value")
	case *syntax.TypeOf:
		b.Refuse(x.Span, "'typeof' here")
	case *syntax.Star:
		b.Fail(x.Span, "* can't stand here", "")
	case *syntax.Named:
		b.Fail(x.Span, "an argument takes no name here", "")
	default:
		b.Fail(x.Pos(), "a value is expected here", "")
	}
	return Bad()
}

func (b *Binder) literal(x *syntax.Literal) plan.Expr {
	if x.Type == schema.Dynamic {
		return b.dynamicLiteral(x)
	}
	c, err := LiteralValue(x.Type, x.Text)
	if err != nil {
		b.Fail(x.Span, err.Error(), "")
		return Bad()
	}
	return c
}

func (b *Binder) name(x *syntax.Name) plan.Expr {
	if b.Rows != nil {
		if c := b.Rows.Find(x.Name); c != nil {
			return c.Get()
		}
	}
	if bound, ok := b.Around.Named(x); ok {
		return bound
	}
	b.NoColumn(x)
	return Bad()
}

// NoColumn says that there is no such column, and which is most like it.
func (b *Binder) NoColumn(x *syntax.Name) {
	hint := ""
	if b.Rows != nil {
		names := append(b.Rows.Names(), b.Around.Known()...)
		if n := syntax.Nearest(x.Name, names); n != "" {
			hint = "did you mean " + n + "?"
		}
	}
	if hint == "" && b.textMeant(x) {
		hint = "a text stands in quotes: " + syntax.Quote(x.Name)
	}
	if x.Name != "" {
		b.Fail(x.Span, "there is no column '"+x.Name+"'", hint)
	}
}

func (b *Binder) unary(x *syntax.Unary) plan.Expr {
	v := b.Scalar(x.X)
	t := v.Type()
	if t == 0 {
		return Bad()
	}
	if t == schema.Decimal {
		if x.Op == "+" {
			return v
		}
		return GoCall("decimal_neg", v)
	}
	if !IsNumber(t) && t != schema.TimeSpan {
		b.Fail(x.Span, "'"+x.Op+"' needs a number or a timespan, not "+t.String(), "")
		return Bad()
	}
	if c := Constant(v); c != nil && c.V != nil && t == schema.Real && x.Op == "-" {
		return &plan.Const{T: t, V: -c.V.(float64)}
	}
	if t == schema.Int {
		v, t = Convert(v, schema.Long), schema.Long
	}
	if x.Op == "+" {
		return v
	}
	return Call(fn.Neg, t, v)
}

// SimpleOps are the string operators whose operands are two texts.
var SimpleOps = map[string]fn.Op{
	"has": fn.Has, "has_cs": fn.HasCS, "hasprefix": fn.HasPrefix, "hasprefix_cs": fn.HasPrefixCS, "hassuffix": fn.HasSuffix, "hassuffix_cs": fn.HasSuffixCS,
	"contains": fn.Contains, "contains_cs": fn.ContainsCS, "containscs": fn.ContainsCS,
	"startswith": fn.StartsWith, "startswith_cs": fn.StartsWithCS, "endswith": fn.EndsWith, "endswith_cs": fn.EndsWithCS,
	"=~": fn.EqFold,
}

// termOps are the operators that look for terms, by their function in Go, which
// takes needles that are no literals: an expression for each row would be compiled
// anew.
var termOps = map[fn.Op]string{
	fn.Has: "has", fn.HasCS: "has_cs", fn.HasPrefix: "hasprefix", fn.HasPrefixCS: "hasprefix_cs", fn.HasSuffix: "hassuffix", fn.HasSuffixCS: "hassuffix_cs",
}

// textSearch makes a search of one text in another.
func textSearch(op fn.Op, l, r plan.Expr) plan.Expr {
	if name := termOps[op]; name != "" && (Constant(r) == nil || Constant(l) != nil) {
		return GoCall(name, l, r)
	}
	return &plan.Call{Op: op, Args: []plan.Expr{l, r}, T: schema.Bool}
}

var relations = map[string]fn.Op{"==": fn.Eq, "!=": fn.Ne, "<>": fn.Ne, "<": fn.Lt, "<=": fn.Le, ">": fn.Gt, ">=": fn.Ge}

// convertHint says what makes values of two types comparable.
func convertHint(l, r schema.Type) string {
	for _, t := range []schema.Type{l, r} {
		switch t {
		case schema.DateTime:
			return "a time is written datetime(2026-01-31), a column becomes one with todatetime()"
		case schema.TimeSpan:
			return "a timespan is written 1d, 2h or 30m"
		}
	}
	return "convert one of them, as with tostring() or tolong()"
}

// textMeant tells whether a name stands where a text is compared: when it means
// nothing, its quotes were forgotten.
func (b *Binder) textMeant(x *syntax.Name) bool {
	if list, ok := b.compared.(*syntax.List); ok {
		return slices.Contains(list.Items, syntax.Expr(x))
	}
	return b.compared == syntax.Expr(x)
}

func (b *Binder) binary(x *syntax.Binary) plan.Expr {
	op, negated := x.Op, false
	if b.compared = x.R; strings.Contains("+-*/%", op) {
		b.compared = nil
	}
	switch {
	case op == "!~":
		op, negated = "=~", true
	case op == "notcontains" || op == "notcontainscs":
		op, negated = strings.TrimPrefix(op, "not"), true
	case len(op) > 2 && op[0] == '!' && op != "!=":
		op, negated = op[1:], true
	}
	var out plan.Expr
	switch {
	case op == "and" || op == "or":
		return b.logical(x)
	case relations[op] != 0:
		return b.compare(relations[op], b.Scalar(x.L), b.Scalar(x.R), x.OpAt)
	case op == "between":
		out = b.between(x)
	case op == "in" || op == "in~":
		out = b.in(x, op == "in~")
	case op == "has_any" || op == "has_all":
		out = b.hasList(x, op)
	case op == "matches regex":
		out = b.matches(x)
	case SimpleOps[op] != 0 && IsStar(x.L):
		out = b.starText(x, SimpleOps[op])
	case SimpleOps[op] != 0:
		l, r := b.AsText(x.L, op), b.AsText(x.R, op)
		if l.Type() == 0 || r.Type() == 0 {
			return Bad()
		}
		out = textSearch(SimpleOps[op], l, r)
	case strings.HasSuffix(op, "like") || strings.HasSuffix(op, "likecs"):
		b.Fail(x.OpAt, "the operator '"+x.Op+"' is not supported yet", "use has, contains, startswith, endswith or matches regex")
		return Bad()
	default:
		return b.arithmetic(x)
	}
	if negated && out.Type() != 0 {
		return Not(out)
	}
	return out
}

// Not negates; comparisons turn round, which keeps Kusto's answers for nulls.
func Not(x plan.Expr) plan.Expr {
	if c, ok := x.(*plan.Call); ok {
		switch c.Op {
		case fn.Eq:
			return &plan.Call{Op: fn.Ne, Args: c.Args, T: schema.Bool}
		case fn.Ne:
			return &plan.Call{Op: fn.Eq, Args: c.Args, T: schema.Bool}
		case fn.Not:
			return c.Args[0]
		}
	}
	return &plan.Call{Op: fn.Not, Args: []plan.Expr{x}, T: schema.Bool}
}

// logical flattens a chain of and (or) into one call.
func (b *Binder) logical(x *syntax.Binary) plan.Expr {
	op := fn.And
	if x.Op == "or" {
		op = fn.Or
	}
	var args []plan.Expr
	var walk func(e syntax.Expr)
	walk = func(e syntax.Expr) {
		if y, ok := e.(*syntax.Binary); ok && y.Op == x.Op {
			walk(y.L)
			walk(y.R)
			return
		}
		arg := b.Scalar(e)
		if arg.Type() == schema.Dynamic {
			arg = Convert(arg, schema.Bool)
		}
		args = append(args, b.mustBeBool(arg, e))
	}
	walk(x)
	for _, a := range args {
		if a.Type() == 0 {
			return Bad()
		}
	}
	return &plan.Call{Op: op, Args: args, T: schema.Bool}
}

// AsText binds an operand of a string operator; numbers and the like print.
func (b *Binder) AsText(x syntax.Expr, op string) plan.Expr {
	v := b.Scalar(x)
	switch t := v.Type(); t {
	case 0, schema.String:
		return v
	case schema.Dynamic:
		return Convert(v, schema.String)
	case schema.Decimal:
		b.Refuse(x.Pos(), "'"+op+"' on a value of type "+t.String())
		return Bad()
	default:
		b.Fail(x.Pos(), "'"+op+"' needs a string, not "+t.String(), "convert it: tostring(…)")
		return Bad()
	}
}

// compare makes a relation of two values of one type.
func (b *Binder) compare(op fn.Op, l, r plan.Expr, at syntax.Span) plan.Expr {
	if bound, ok := b.compareDynamic(op, TextOfSplit(l), TextOfSplit(r), at); ok {
		return bound
	}
	equality := op == fn.Eq || op == fn.Ne
	l, r, ok := b.Unify(l, r, equality, at)
	if !ok {
		return Bad()
	}
	if l.Type() == schema.Decimal && !equality {
		return decimalOrder(op, l, r)
	}
	if t := l.Type(); !equality && !IsNumber(t) && t != schema.DateTime && t != schema.TimeSpan {
		b.Fail(at, "values of type "+t.String()+" have no order to compare by", "")
		return Bad()
	}
	if Constant(l) != nil && Constant(r) == nil { // constants to the right
		l, r = r, l
		if s, ok := turned[op]; ok {
			op = s
		}
	}
	return &plan.Call{Op: op, Args: []plan.Expr{l, r}, T: schema.Bool}
}

// Unify converts two operands to one type, as Kusto compares them.
func (b *Binder) Unify(l, r plan.Expr, equality bool, at syntax.Span) (plan.Expr, plan.Expr, bool) {
	l, r = TextOfSplit(l), TextOfSplit(r)
	lt, rt := l.Type(), r.Type()
	switch {
	case lt == 0 || rt == 0:
		return l, r, false
	case lt == schema.Dynamic || rt == schema.Dynamic:
		b.Refuse(at, "comparing values of type dynamic")
		return l, r, false
	case lt == schema.Decimal || rt == schema.Decimal:
		x, y, ok := decimalPair(l, r)
		if !ok {
			b.Fail(at, "cannot compare "+lt.String()+" with "+rt.String(), "convert one of them, as with todecimal()")
		}
		return x, y, ok
	case lt == rt:
		return l, r, true
	case IsNumber(lt) && IsNumber(rt):
		if lt == schema.Real || rt == schema.Real {
			return Convert(l, schema.Real), Convert(r, schema.Real), true
		}
		return widened(l), widened(r), true
	case IsNumber(lt) && rt == schema.Bool, lt == schema.Bool && IsNumber(rt):
		return b.Unify(whole(l), whole(r), equality, at)
	case equality && lt == schema.String && IsWhole(rt):
		return l, Convert(r, schema.String), true
	case equality && IsWhole(lt) && rt == schema.String:
		return b.numberAgainstText(l, r, at)
	case equality && (lt == schema.Guid && rt == schema.String || lt == schema.String && rt == schema.Guid):
		return Convert(l, schema.Guid), Convert(r, schema.Guid), true
	}
	b.Fail(at, "cannot compare "+lt.String()+" with "+rt.String(), convertHint(lt, rt))
	return l, r, false
}

// whole gives a bool as 0 or 1.
func whole(x plan.Expr) plan.Expr {
	if x.Type() == schema.Bool {
		return Convert(x, schema.Long)
	}
	return x
}

// numberAgainstText compares EventID == "4625" as numbers where the text is a
// number as it prints, so that files can be pruned; else by text. A literal that
// is a number in another form (04625) is refused: what Kusto makes of it isn't
// known.
func (b *Binder) numberAgainstText(l, r plan.Expr, at syntax.Span) (plan.Expr, plan.Expr, bool) {
	if s, ok := ConstText(r); ok {
		c, err := LiteralValue(schema.Long, s)
		if err == nil && c.V != nil && c.String() == s {
			return widened(l), c, true
		}
		if _, err := LiteralValue(schema.Real, strings.TrimSpace(s)); err == nil {
			b.Fail(at, "cannot compare "+l.Type().String()+" with the text "+syntax.Quote(s), "write the number without quotes")
			return l, r, false
		}
	}
	return Convert(l, schema.String), r, true
}

// TextOfSplit gives split(…)[n] as the text it is; other values as they are.
func TextOfSplit(x plan.Expr) plan.Expr {
	if c, ok := x.(*plan.Call); ok && c.Op == fn.SplitAt {
		return StringOf(c)
	}
	return x
}

// widened gives an int as long; the conversion costs nothing and can't fail, so
// columns stay as they are and the types in SQL meet by themselves.
func widened(x plan.Expr) plan.Expr {
	if c := Constant(x); c != nil && c.T == schema.Int {
		return &plan.Const{T: schema.Long, V: c.V}
	}
	return x
}

func (b *Binder) between(x *syntax.Binary) plan.Expr {
	v := b.Scalar(x.L)
	r, ok := x.R.(*syntax.Range)
	if !ok || v.Type() == 0 {
		return Bad()
	}
	lo, hi := b.Scalar(r.Lo), b.Scalar(r.Hi)
	if lo.Type() == schema.DateTime && hi.Type() == schema.TimeSpan {
		hi = Call(fn.Add, schema.DateTime, lo, hi)
	}
	from := b.compare(fn.Ge, v, lo, x.OpAt)
	to := b.compare(fn.Le, v, hi, x.OpAt)
	if from.Type() == 0 || to.Type() == 0 {
		return Bad()
	}
	return &plan.Call{Op: fn.And, Args: []plan.Expr{from, to}, T: schema.Bool}
}

// list binds the values behind in; all must be constants or values of one row.
func (b *Binder) list(x *syntax.Binary) []plan.Expr {
	l, ok := x.R.(*syntax.List)
	if !ok {
		return nil
	}
	out := make([]plan.Expr, 0, len(l.Items))
	for _, item := range l.Items {
		var v plan.Expr
		if b.Around.IsTabular(item) {
			v = b.Around.Listed(item)
		} else {
			v = b.Scalar(item)
		}
		if v.Type() == 0 {
			return nil
		}
		if v, ok := ConstDynamic(v); ok {
			out = append(out, ListItems(v)...)
			continue
		}
		out = append(out, v)
	}
	if len(l.Items) == 0 {
		b.Fail(x.R.Pos(), "the list is empty", "")
	}
	return out
}

func (b *Binder) in(x *syntax.Binary, fold bool) plan.Expr {
	if l, ok := x.R.(*syntax.List); ok && len(l.Items) == 1 && b.Around.IsTabular(l.Items[0]) {
		return b.Around.InRows(x, l.Items[0], fold)
	}
	v := TextOfSplit(b.Scalar(x.L))
	items := b.list(x)
	if v.Type() == 0 || items == nil {
		return Bad()
	}
	v, items, or := b.splitList(v, items, fold, x.OpAt)
	if len(items) == 0 {
		return or
	}
	bound := b.inList(x, v, items, fold)
	if or == nil || bound.Type() == 0 {
		return bound
	}
	return &plan.Call{Op: fn.Or, Args: []plan.Expr{bound, or}, T: schema.Bool}
}

// inList binds in and in~ with values that are no dynamics.
func (b *Binder) inList(x *syntax.Binary, v plan.Expr, items []plan.Expr, fold bool) plan.Expr {
	op := fn.In
	if fold {
		op = fn.InFold
		if v.Type() != schema.String {
			b.Fail(x.OpAt, "in~ needs a string, not "+v.Type().String(), "use in")
			return Bad()
		}
	}
	args := []plan.Expr{nil}
	for _, item := range items {
		l, r, ok := b.Unify(v, item, true, x.OpAt)
		if !ok {
			return Bad()
		}
		if args[0] == nil {
			args[0] = l
		}
		if l.Type() != args[0].Type() && !(IsWhole(l.Type()) && IsWhole(args[0].Type())) {
			b.Fail(x.R.Pos(), "the list mixes types", "")
			return Bad()
		}
		args = append(args, r)
	}
	return &plan.Call{Op: op, Args: args, T: schema.Bool}
}

func (b *Binder) hasList(x *syntax.Binary, op string) plan.Expr {
	v := b.AsText(x.L, op)
	items := b.list(x)
	if v.Type() == 0 || items == nil {
		return Bad()
	}
	if len(items) == 0 { // of an empty array
		return Boolean(op == "has_all")
	}
	args := []plan.Expr{v}
	literal := true
	var tests []plan.Expr
	for _, item := range items {
		if item = TextOfSplit(item); item.Type() == schema.Dynamic {
			if Constant(item) == nil { // its elements are the list
				tests = append(tests, GoCall(op+"_of", v, item))
			}
			continue
		}
		if c := Constant(item); c != nil && (IsNumber(c.T) || c.T == schema.Bool) {
			item = Convert(ToDynamic(c), schema.String)
		}
		if t := item.Type(); t != schema.String {
			b.Refuse(x.R.Pos(), "'"+op+"' with a value of type "+t.String())
			return Bad()
		}
		_, ok := ConstText(item)
		literal = literal && ok
		args = append(args, item)
	}
	code, join := fn.HasAny, fn.Or
	if op == "has_all" {
		code, join = fn.HasAll, fn.And
	}
	switch {
	case len(args) == 1:
	case !literal || Constant(v) != nil:
		tests = append(tests, GoCall(op, args...))
	default:
		tests = append(tests, &plan.Call{Op: code, Args: args, T: schema.Bool})
	}
	switch len(tests) {
	case 0:
		return Boolean(op == "has_all")
	case 1:
		return tests[0]
	}
	return &plan.Call{Op: join, Args: tests, T: schema.Bool}
}

func (b *Binder) matches(x *syntax.Binary) plan.Expr {
	v := b.AsText(x.L, x.Op)
	pattern := b.Scalar(x.R)
	if v.Type() == 0 || pattern.Type() == 0 {
		return Bad()
	}
	if _, literal := ConstText(pattern); !literal || Constant(v) != nil {
		if pattern = TextOfSplit(pattern); pattern.Type() != schema.String && pattern.Type() != schema.Dynamic {
			b.Fail(x.R.Pos(), "a regular expression (string) is expected here, not "+pattern.Type().String(), "")
			return Bad()
		}
		if _, ok := b.regexOrRow(pattern, x.R.Pos()); !ok {
			return Bad()
		}
		return GoCall("matches", v, pattern)
	}
	re, ok := b.regex(pattern, x.R.Pos())
	if !ok {
		return Bad()
	}
	return &plan.Call{Op: fn.Matches, Args: []plan.Expr{v, Text(re)}, T: schema.Bool}
}

// regex checks a pattern and gives it in RE2's form.
func (b *Binder) regex(pattern plan.Expr, at syntax.Span) (string, bool) {
	s, ok := ConstText(pattern)
	if !ok {
		b.Refuse(at, "a regular expression that is not a string literal")
		return "", false
	}
	re, err := fn.Regex(s)
	if err != nil {
		b.Fail(at, err.Error(), "")
		return "", false
	}
	return re, true
}

// regexOrRow checks a pattern if it is a literal; others are checked row by row.
func (b *Binder) regexOrRow(pattern plan.Expr, at syntax.Span) (string, bool) {
	if _, ok := ConstText(pattern); !ok {
		return "", true
	}
	return b.regex(pattern, at)
}

// arithmetic binds + - * / %.
func (b *Binder) arithmetic(x *syntax.Binary) plan.Expr {
	l, r := b.Scalar(x.L), b.Scalar(x.R)
	lt, rt := l.Type(), r.Type()
	if lt == 0 || rt == 0 {
		return Bad()
	}
	op := map[string]fn.Op{"+": fn.Add, "-": fn.Sub, "*": fn.Mul, "/": fn.Div, "%": fn.Mod}[x.Op]
	if x, y, ok := decimalPair(l, r); ok {
		return GoCall(decimalOps[op], x, y)
	}
	t := arithmeticType(op, lt, rt)
	if t == 0 {
		b.Fail(x.OpAt, "cannot compute "+lt.String()+" "+x.Op+" "+rt.String(), "")
		return Bad()
	}
	if IsNumber(lt) && IsNumber(rt) {
		return Call(op, t, Convert(l, t), Convert(r, t))
	}
	if op == fn.Mul && rt == schema.TimeSpan { // the timespan to the left
		l, r = r, l
	}
	if r.Type() == schema.Int {
		r = Convert(r, schema.Long)
	}
	return Call(op, t, l, r)
}

// arithmeticType gives the type of an operation, 0 where there is none.
func arithmeticType(op fn.Op, l, r schema.Type) schema.Type {
	switch {
	case IsNumber(l) && IsNumber(r):
		if l == schema.Real || r == schema.Real {
			return schema.Real
		}
		return schema.Long
	case l == schema.DateTime && r == schema.DateTime && op == fn.Sub:
		return schema.TimeSpan
	case l == schema.DateTime && r == schema.TimeSpan && (op == fn.Add || op == fn.Sub):
		return schema.DateTime
	case l == schema.TimeSpan && r == schema.DateTime && op == fn.Add:
		return schema.DateTime
	case l == schema.TimeSpan && r == schema.TimeSpan:
		switch op {
		case fn.Add, fn.Sub, fn.Mod:
			return schema.TimeSpan
		case fn.Div:
			return schema.Real
		}
	case l == schema.TimeSpan && IsNumber(r) && (op == fn.Mul || op == fn.Div), IsNumber(l) && r == schema.TimeSpan && op == fn.Mul:
		return schema.TimeSpan
	}
	return 0
}
