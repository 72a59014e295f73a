package expr

import (
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// MaxVariadic bounds the arguments of a function that takes any number, as Kusto
// does.
const MaxVariadic = 64

// GoCall calls a function of package udf with arguments of classes that convert to
// its parameters. Over constants its result is computed here.
func GoCall(name string, args ...plan.Expr) plan.Expr {
	f := udf.Lookup(name)
	for i := range args {
		args[i] = Convert(args[i], f.Param(i))
	}
	c := &plan.Call{Op: fn.Go, Name: name, Args: args, T: f.Result}
	if v := foldGo(f, args); v != nil {
		return v
	}
	return c
}

// maxFolded bounds the text of a constant that is computed here, in bytes: it
// becomes text of SQL wherever it is used (range(1, 1000000) is better left to the
// query).
const maxFolded = 64 << 10

// Bounds of the text that a constant is computed from here, in bytes. Nothing can
// stop the binder, and a regular expression may take as many steps as a thousand
// times its length and the text's length multiply to; what is longer is the
// worker's, which can be stopped.
const (
	maxFoldedText  = 16 << 10
	maxFoldedRegex = 256
)

// foldGo computes a call over constants; nil where an argument is none or the
// function fails, which it then does in the query if a row reaches it.
func foldGo(f *udf.Func, args []plan.Expr) plan.Expr {
	if f.Volatile {
		return nil
	}
	in := make([]udf.Value, len(args))
	size, most := 0, maxFoldedText
	if f.Regex {
		most = maxFoldedRegex
	}
	for i, a := range args {
		c := Constant(a)
		if c == nil {
			return nil
		}
		in[i] = constantValue(c)
		if size += len(in[i].S); size > most {
			return nil
		}
	}
	var out udf.Value
	if err := f.New()(in, &out); err != nil {
		return nil
	}
	if len(out.S) > maxFolded {
		return nil
	}
	return valueConstant(f.Result, out)
}

func constantValue(c *plan.Const) udf.Value {
	if c.V == nil && c.T == schema.String {
		return udf.Value{} // a string is never null
	}
	return udf.Constant(c.V)
}

func valueConstant(t schema.Type, v udf.Value) *plan.Const {
	switch {
	case t == schema.String:
		return Text(string(v.S))
	case v.Null:
		return &plan.Const{T: t}
	}
	switch t {
	case schema.Bool:
		return &plan.Const{T: t, V: v.I != 0}
	case schema.Int, schema.Long, schema.DateTime, schema.TimeSpan:
		return &plan.Const{T: t, V: v.I}
	case schema.Real:
		return &plan.Const{T: t, V: v.F}
	}
	return &plan.Const{T: t, V: string(v.S)}
}
