package bind

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/expr"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// callRows binds a call of a function that gives rows. first, when not nil, is the
// relation that invoke hands to its first parameter.
func (b *binder) callRows(x *syntax.Call, l *let, first *expr.Rows) *expr.Rows {
	var r *expr.Rows
	b.body(x, l, first, func(value syntax.Expr) { r = b.tabular(value) })
	return r
}

// callScalar binds a call of a function that gives a value.
func (b *binder) callScalar(x *syntax.Call, l *let) plan.Expr {
	bound := expr.Bad()
	b.body(x, l, nil, func(value syntax.Expr) {
		saved := b.Rows
		b.Rows = nil
		bound = b.Scalar(value)
		b.Rows = saved
	})
	if nodes := plan.Size(bound, maxLet); nodes > maxLet {
		b.Fail(x.Span, "the value of "+x.Name+"() is too complex", "")
		return expr.Bad()
	}
	return bound
}

// body binds the arguments and the statements of a function's body and calls value
// with what the body ends in.
func (b *binder) body(x *syntax.Call, l *let, first *expr.Rows, value func(syntax.Expr)) {
	const deepest = 32 // functions within functions; each call is bound anew
	if b.level >= deepest {
		b.Fail(x.Span, "the query nests too many functions", "")
		return
	}
	if b.calls++; b.calls > maxCalls {
		if b.calls == maxCalls+1 {
			b.Fail(x.Span, "the query calls its functions more than "+expr.Long(maxCalls).String()+" times", "")
		}
		return
	}
	args, ok := b.bindParams(x, l, first)
	if !ok {
		return
	}
	saved, level := b.scope, b.level
	b.scope, b.level = l.in, b.level+1
	b.calling = append(b.calling, x.Name)
	defer func() {
		b.scope, b.level = saved, level
		b.calling = b.calling[:len(b.calling)-1]
	}()
	for i, p := range l.fn.Params {
		if args[i] == nil {
			args[i] = b.defaultOf(p, x)
		}
		if args[i] == nil {
			return
		}
	}
	for i, p := range l.fn.Params {
		b.define(p.Name.Name, args[i])
	}
	for _, s := range l.fn.Body {
		switch s := s.(type) {
		case *syntax.Let:
			b.let(s)
		case *syntax.Run:
			value(s.X)
			return
		default:
			b.Refuse(s.Pos(), "this statement in a function's body")
			return
		}
	}
	b.Fail(l.fn.Span, "the function has no value", "end its body in an expression")
}

// defaultOf gives a parameter's default, nil after an error.
func (b *binder) defaultOf(p *syntax.FuncParam, x *syntax.Call) *let {
	if p.Default == nil {
		b.Fail(x.Span, x.Name+"() misses the argument "+p.Name.Name, "")
		return nil
	}
	saved := b.Rows
	b.Rows = nil
	bound := b.Scalar(p.Default)
	b.Rows = saved
	return b.scalarParam(p, bound, p.Default.Pos())
}

// bindParams binds the arguments of a call; those not given stay nil.
func (b *binder) bindParams(x *syntax.Call, l *let, first *expr.Rows) ([]*let, bool) {
	params := l.fn.Params
	args := make([]*let, len(params))
	next := 0
	if first != nil {
		if len(params) == 0 || params[0].Table == nil {
			b.Fail(x.Span, x.Name+"() takes no table as its first argument", "")
			return nil, false
		}
		args[0] = &let{shared: b.share(first)}
		if !b.hasColumns(params[0], first, x.Span) {
			return nil, false
		}
		next = 1
	}
	for _, a := range x.Args {
		i, value := next, a
		if n, ok := a.(*syntax.Named); ok && len(n.Names) == 1 {
			i, value = len(params), n.X
			for j, p := range params {
				if p.Name.Name == n.Names[0].Name {
					i = j
				}
			}
		}
		if i >= len(params) || args[i] != nil {
			b.Fail(a.Pos(), fmt.Sprintf("%s() takes %d arguments", x.Name, len(params)), "")
			return nil, false
		}
		next = i + 1
		if args[i] = b.argument(params[i], value); args[i] == nil {
			return nil, false
		}
	}
	return args, true
}

// argument binds one argument, nil after an error.
func (b *binder) argument(p *syntax.FuncParam, value syntax.Expr) *let {
	if p.Table == nil {
		if b.IsTabular(value) {
			b.Fail(value.Pos(), "a value is expected here, not a table", "")
			return nil
		}
		return b.scalarParam(p, b.Scalar(value), value.Pos())
	}
	if !b.IsTabular(value) {
		b.Fail(value.Pos(), "a table is expected here", "")
		return nil
	}
	l := &let{rows: value, in: b.scope, often: true, once: isMaterialize(value)}
	if len(p.Table.Columns) == 0 {
		return l
	}
	r := b.letRows(l)
	if r == nil || !b.hasColumns(p, r, value.Pos()) {
		return nil
	}
	return l
}

// hasColumns checks that a table has the columns that a parameter declares.
func (b *binder) hasColumns(p *syntax.FuncParam, r *expr.Rows, at syntax.Span) bool {
	for _, c := range p.Table.Columns {
		have := r.Find(c.Name)
		if have == nil {
			b.Fail(at, "the table has no column '"+c.Name+"', which the parameter "+p.Name.Name+" needs", "")
			return false
		}
		if want := expr.TypeNames[c.Type]; want != 0 && want != have.Typ && !(expr.IsNumber(want) && expr.IsNumber(have.Typ)) {
			b.Fail(at, "the column '"+c.Name+"' is "+have.Typ.String()+", not "+want.String()+", which the parameter "+p.Name.Name+" needs", "")
			return false
		}
	}
	return true
}

// scalarParam gives a value the type of its parameter; nil after an error.
func (b *binder) scalarParam(p *syntax.FuncParam, x plan.Expr, at syntax.Span) *let {
	from := x.Type()
	if from == 0 {
		return nil
	}
	to, known := expr.TypeNames[p.Type]
	switch {
	case !known:
		b.Refuse(p.TypeAt, "a parameter of type "+p.Type)
		return nil
	case from == to:
	case expr.IsNumber(from) && expr.IsNumber(to), expr.Constant(x) != nil && expr.Constant(x).V == nil, from == schema.Dynamic && to != schema.Dynamic:
		x = expr.Convert(x, to)
	default:
		b.Fail(at, "the parameter "+p.Name.Name+" takes a value of type "+to.String()+", not "+from.String(), "")
		return nil
	}
	if nodes := plan.Size(x, maxLet); nodes > maxLet {
		b.Fail(at, "the argument is too complex", "compute it in an extend before")
		return nil
	}
	l := &let{value: x}
	l.note(b)
	return l
}

// parameters binds declare query_parameters, whose values are the defaults: nothing
// hands others in yet.
func (b *binder) parameters(s *syntax.QueryParameters) {
	for _, p := range s.Params {
		if p.Default == nil || p.Table != nil {
			b.Fail(p.Span, "the parameter "+p.Name.Name+" has no value", "give it a default: "+p.Name.Name+":long = 1")
			continue
		}
		if l := b.scalarParam(p, b.Scalar(p.Default), p.Default.Pos()); l != nil {
			b.define(p.Name.Name, l)
		}
	}
}
