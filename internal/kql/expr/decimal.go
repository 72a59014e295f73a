package expr

import (
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// Decimals lie as text (package decimal): equality is the text's, everything else
// is done by functions in Go.

var decimalOps = map[fn.Op]string{fn.Add: "decimal_add", fn.Sub: "decimal_sub", fn.Mul: "decimal_mul", fn.Div: "decimal_div", fn.Mod: "decimal_mod"}

// decimalPair gives two operands as decimals when one is a decimal and the other a
// number.
func decimalPair(l, r plan.Expr) (plan.Expr, plan.Expr, bool) {
	lt, rt := l.Type(), r.Type()
	if lt != schema.Decimal && rt != schema.Decimal || lt != schema.Decimal && !IsNumber(lt) || rt != schema.Decimal && !IsNumber(rt) {
		return l, r, false
	}
	return Convert(l, schema.Decimal), Convert(r, schema.Decimal), true
}

// decimalOrder compares two decimals as a number below, at or above 0.
func decimalOrder(op fn.Op, l, r plan.Expr) plan.Expr {
	return &plan.Call{Op: op, Args: []plan.Expr{GoCall("decimal_compare", l, r), Long(0)}, T: schema.Bool}
}
