package duck

import (
	"math"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// cond writes a bool where null counts as false: it is true exactly when the
// expression is.
func (e *emitter) cond(x plan.Expr) string {
	if r, ok := x.(*plan.InRows); ok {
		return e.inRows(r)
	}
	c, ok := x.(*plan.Call)
	if !ok {
		return e.value(x)
	}
	switch c.Op {
	case fn.And, fn.Or:
		word := " AND "
		if c.Op == fn.Or {
			word = " OR "
		}
		parts := make([]string, len(c.Args))
		for i, a := range c.Args {
			parts[i] = e.cond(a)
		}
		return "(" + strings.Join(parts, word) + ")"
	case fn.Eq, fn.Ne, fn.Lt, fn.Le, fn.Gt, fn.Ge:
		if s, ok := e.timeCompare(c); ok {
			return s
		}
		return e.compareCond(c)
	case fn.In:
		return "(" + e.operand(c.Args[0], !hasEmpty(c.Args[1:])) + " IN (" + e.items(c.Args[1:]) + "))"
	case fn.EqFold, fn.InFold:
		return e.foldCompare(c, true)
	}
	if isTextSearch(c.Op) {
		return e.search(c, true)
	}
	return e.value(x)
}

func hasEmpty(items []plan.Expr) bool {
	for _, x := range items {
		if k, ok := x.(*plan.Const); !ok || k.V == "" {
			return true
		}
	}
	return false
}

func (e *emitter) items(items []plan.Expr) string {
	parts := make([]string, len(items))
	for i, x := range items {
		parts[i] = e.operand(x, false)
	}
	return strings.Join(parts, ", ")
}

// operand writes one side of a comparison. raw lets a stored text be null for "",
// for comparisons in which neither is true.
func (e *emitter) operand(x plan.Expr, raw bool) string {
	if k, ok := x.(*plan.Const); ok && k.V != nil {
		return bare(k)
	}
	if c, ok := x.(*plan.Call); ok && raw && c.Op == fn.StoredText {
		return e.value(c.Args[0])
	}
	return e.value(x)
}

var sqlRelations = map[fn.Op]string{fn.Eq: "=", fn.Ne: "<>", fn.Lt: "<", fn.Le: "<=", fn.Gt: ">", fn.Ge: ">="}

// compareCond writes a comparison, true exactly when it is true.
func (e *emitter) compareCond(c *plan.Call) string {
	l, r := c.Args[0], c.Args[1]
	k, isConst := r.(*plan.Const)
	plainText := isConst && k.T == schema.String && k.V != ""
	if c.Op == fn.Ne {
		ls, rs := e.operand(l, plainText), e.operand(r, false)
		switch {
		case l.Type() == schema.Real || r.Type() == schema.Real:
			return "(" + ls + " IS DISTINCT FROM " + rs + " OR isnan(" + ls + "))"
		case plan.NotNull(l) && plan.NotNull(r) && !(plainText && isStoredText(l)):
			return "(" + ls + " <> " + rs + ")"
		}
		return "(" + ls + " IS DISTINCT FROM " + rs + ")"
	}
	out := e.operand(l, plainText && c.Op == fn.Eq) + " " + sqlRelations[c.Op] + " " + e.operand(r, false)
	return "(" + out + e.nanGuard(c) + ")"
}

func isStoredText(x plan.Expr) bool {
	c, ok := x.(*plan.Call)
	return ok && c.Op == fn.StoredText
}

// nanGuard makes a comparison false for NaN, which DuckDB takes for equal to
// itself and above all numbers.
func (e *emitter) nanGuard(c *plan.Call) string {
	if c.Args[0].Type() != schema.Real {
		return ""
	}
	side := c.Args[0]
	if c.Op == fn.Lt || c.Op == fn.Le {
		side = c.Args[1]
	}
	if k, ok := side.(*plan.Const); ok {
		if f, isReal := k.V.(float64); !isReal || !math.IsNaN(f) {
			return ""
		}
	}
	return " AND NOT isnan(" + e.value(side) + ")"
}

// compareValue writes a comparison in three values: == of one null is false, != is
// true, of two nulls null; the others are null with any null.
func (e *emitter) compareValue(c *plan.Call) string {
	if s, ok := e.timeCompare(c); ok && plan.NotNull(c.Args[0]) {
		return s
	}
	l, r := c.Args[0], c.Args[1]
	if c.Op != fn.Eq && c.Op != fn.Ne {
		out := e.compareCond(c)
		if e.nanGuard(c) != "" { // false for NaN, but null beside it is null
			return "(CASE WHEN " + e.value(l) + " IS NULL OR " + e.value(r) + " IS NULL THEN NULL ELSE " + out + " END)"
		}
		return out
	}
	ls, rs := e.operand(l, false), e.operand(r, false)
	distinct := "(" + ls + " IS DISTINCT FROM " + rs + ")"
	if l.Type() == schema.Real {
		distinct = "(" + ls + " IS DISTINCT FROM " + rs + " OR coalesce(isnan(" + ls + "), false))"
	}
	if c.Op == fn.Eq {
		distinct = "(NOT " + distinct + ")"
	}
	if plan.NotNull(l) || plan.NotNull(r) {
		return distinct
	}
	return "(CASE WHEN " + ls + " IS NULL AND " + rs + " IS NULL THEN NULL ELSE " + distinct + " END)"
}

// timeCompare compares a stored time with a constant on the stored timestamp, so
// that Parquet's statistics prune.
func (e *emitter) timeCompare(c *plan.Call) (string, bool) {
	stored, ok := c.Args[0].(*plan.Call)
	k, isConst := c.Args[1].(*plan.Const)
	if !ok || stored.Op != fn.StoredTicks || !isConst || k.V == nil || c.Op == fn.Ne {
		return "", false
	}
	us, sub := ticksOf(k)
	ts := e.value(stored.Args[0])
	at := timestamp(us)
	digit := "0"
	if len(stored.Args) > 1 {
		digit = "coalesce(" + e.value(stored.Args[1]) + ", 0)"
	}
	d := whole(int64(sub))
	switch {
	case c.Op == fn.Eq:
		return "(" + ts + " = " + at + " AND " + digit + " = " + d + ")", true
	case sub == 0 && (c.Op == fn.Ge || c.Op == fn.Lt):
		return "(" + ts + " " + sqlRelations[c.Op] + " " + at + ")", true
	case c.Op == fn.Ge, c.Op == fn.Gt:
		return "(" + ts + " >= " + at + " AND (" + ts + " > " + at + " OR " + digit + " " + sqlRelations[c.Op] + " " + d + "))", true
	}
	return "(" + ts + " <= " + at + " AND (" + ts + " < " + at + " OR " + digit + " " + sqlRelations[c.Op] + " " + d + "))", true
}

// foldCompare writes =~ and in~. Both sides are folded by DuckDB, so that they
// are folded alike; it folds the constants once.
func (e *emitter) foldCompare(c *plan.Call, null bool) string {
	items := c.Args[1:]
	raw := null && !hasEmpty(items)
	parts := make([]string, len(items))
	for i, x := range items {
		parts[i] = "lower(" + e.value(x) + ")"
	}
	left := "lower(" + e.operand(c.Args[0], raw) + ")"
	if len(parts) == 1 {
		return "(" + left + " = " + parts[0] + ")"
	}
	return "(" + left + " IN (" + strings.Join(parts, ", ") + "))"
}
