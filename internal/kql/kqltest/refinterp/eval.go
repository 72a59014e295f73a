package refinterp

import (
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// eval gives the value of an expression for a row.
func (in *interp) eval(x plan.Expr, r row) any {
	switch x := x.(type) {
	case *plan.Const:
		return constant(x)
	case *plan.Ref:
		v, ok := r[x.ID]
		if !ok {
			panic("the plan reads " + x.String() + ", which no node below gives")
		}
		return v
	case *plan.Call:
		return in.call(x, r)
	case *plan.Scalar:
		return in.scalar(x)
	case *plan.InRows:
		return in.inRows(x, r)
	}
	return unsupported("the expression %T", x)
}

func constant(c *plan.Const) any {
	if c.V == nil && c.T == schema.String {
		return ""
	}
	return c.V
}

func (in *interp) call(c *plan.Call, r row) any {
	switch c.Op {
	case fn.And, fn.Or:
		return in.logical(c, r)
	case fn.If:
		last := len(c.Args) - 1
		for i := 0; i < last; i += 2 {
			if in.eval(c.Args[i], r) == true {
				return in.eval(c.Args[i+1], r)
			}
		}
		return in.eval(c.Args[last], r)
	case fn.SystemXML, fn.ItemID:
		return unsupported("the operation %s", c.Op)
	}
	args := make([]any, len(c.Args))
	for i, a := range c.Args {
		args[i] = in.eval(a, r)
	}
	if c.Op == fn.Go {
		return goCall(c, args)
	}
	t := c.Args[0].Type()
	switch {
	case c.Op >= fn.Eq && c.Op <= fn.InFold:
		return compare(c.Op, args)
	case c.Op >= fn.Has && c.Op <= fn.HasAll:
		return search(c.Op, args)
	case c.Op >= fn.Neg && c.Op <= fn.Mod:
		return arithmetic(c, args)
	case c.Op >= fn.ToString && c.Op <= fn.ToGuid:
		return convert(c.Op, args[0], t)
	case c.Op >= fn.StartOfDay && c.Op <= fn.HourOfDay:
		return calendar(c.Op, args[0])
	}
	if v, ok := general(c, args, t); ok {
		return v
	}
	if v, ok := text(c, args); ok {
		return v
	}
	return number(c, args)
}

// general evaluates what takes any type; ok is false for an operation that is not one
// of them.
func general(c *plan.Call, args []any, t schema.Type) (v any, ok bool) {
	switch c.Op {
	case fn.StoredText:
		if args[0] == nil {
			return "", true
		}
		return args[0], true
	case fn.StoredTicks:
		return storedTicks(args), true
	case fn.StoredCast:
		if args[0] == "" {
			return nil, true
		}
		return args[0], true
	case fn.StoredDynamic:
		return dynamicOf(args[0], t), true
	case fn.Not:
		if args[0] == nil {
			return nil, true
		}
		return args[0] == false, true
	case fn.IsNull:
		return args[0] == nil, true
	case fn.Coalesce:
		for _, v := range args {
			if v != nil && v != "" {
				return v, true
			}
		}
		if c.T == schema.String {
			return "", true
		}
		return nil, true
	case fn.ToDynamic:
		return dynamicOf(args[0], t), true
	case fn.Split:
		parts := strings.Split(args[0].(string), args[1].(string))
		for i := range parts {
			parts[i] = quoted(parts[i])
		}
		return "[" + strings.Join(parts, ",") + "]", true
	case fn.SplitAt:
		parts := strings.Split(args[0].(string), args[1].(string))
		at, ok := args[2].(int64)
		if at < 0 {
			at += int64(len(parts))
		}
		if !ok || at < 0 || at >= int64(len(parts)) {
			return nil, true
		}
		return quoted(parts[at]), true
	case fn.StringOfDynamic: // of a text
		if args[0] == nil {
			return "", true
		}
		return unquoted(args[0]), true
	case fn.MinOf, fn.MaxOf:
		return extremeOf(args, c.Op == fn.MaxOf), true
	}
	return nil, false
}

// logical is three-valued.
func (in *interp) logical(c *plan.Call, r row) any {
	decides := c.Op == fn.Or
	null := false
	for _, a := range c.Args {
		switch in.eval(a, r) {
		case decides:
			return decides
		case nil:
			null = true
		}
	}
	if null {
		return nil
	}
	return !decides
}

// compare: == of one null is false and != is true, of two nulls both are null;
// the others are null with any null. in is never null.
func compare(op fn.Op, args []any) any {
	switch op {
	case fn.In:
		for _, v := range args[1:] {
			if args[0] != nil && v != nil && equal(args[0], v) {
				return true
			}
		}
		return false
	case fn.EqFold, fn.InFold:
		for _, v := range args[1:] {
			if foldText(args[0].(string)) == foldText(v.(string)) {
				return true
			}
		}
		return false
	}
	x, y := args[0], args[1]
	null, both := x == nil || y == nil, x == nil && y == nil
	switch {
	case op == fn.Eq || op == fn.Ne:
		if both {
			return nil
		}
		return equal(x, y) == (op == fn.Eq)
	case null:
		return nil
	case isNaN(x) || isNaN(y):
		return false
	}
	c := order(x, y)
	switch op {
	case fn.Lt:
		return c < 0
	case fn.Le:
		return c <= 0
	case fn.Gt:
		return c > 0
	}
	return c >= 0
}

// extremeOf leaves nulls out.
func extremeOf(args []any, largest bool) any {
	var best any
	for _, v := range args {
		if v == nil {
			continue
		}
		if best == nil || (order(v, best) > 0) == largest && order(v, best) != 0 {
			best = v
		}
	}
	return best
}
