package duck

import (
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// toDynamic writes a scalar as the JSON that dynamics are in SQL; null stays null.
func (e *emitter) toDynamic(x plan.Expr) string {
	v := e.value(x)
	sql := ""
	switch x.Type() {
	case schema.String:
		return "CAST(to_json(" + v + ") AS VARCHAR)"
	case schema.Real: // JSON has no NaN: a string is what Kusto gives
		sql = "(CASE WHEN isfinite(" + v + ") THEN " + realText(v) + " ELSE '\"' || " + realText(v) + " || '\"' END)"
	case schema.DateTime, schema.TimeSpan:
		sql = "('\"' || " + e.toString(v, x) + " || '\"')"
	case schema.Guid, schema.Decimal:
		return "('\"' || " + v + " || '\"')"
	default:
		return "CAST(" + v + " AS VARCHAR)"
	}
	if plan.NotNull(x) {
		return sql
	}
	return "(CASE WHEN " + v + " IS NOT NULL THEN " + sql + " END)"
}
