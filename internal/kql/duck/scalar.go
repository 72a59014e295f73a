package duck

import (
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
)

// scalarOp writes operations on strings and numbers that DuckDB has under another
// form; false for others. a are the arguments in SQL.
func scalarOp(op fn.Op, a []string) (string, bool) {
	switch op {
	case fn.ReplaceRegex:
		return "regexp_replace(" + strings.Join(a, ", ") + ", 'g')", true
	case fn.ReplaceFirst:
		return "regexp_replace(" + strings.Join(a, ", ") + ")", true
	case fn.ExtractAll: // a group that takes no part in a match is ""
		return "nullif(CAST(to_json(list_transform(regexp_extract_all(" + strings.Join(a, ", ") + ", 1), lambda m: coalesce(m, ''))) AS VARCHAR), '[]')", true
	case fn.Reverse: // DuckDB keeps marks behind their letter, Kusto reverses code points
		return "(CASE WHEN strlen(" + a[0] + ") = length(" + a[0] + ") THEN reverse(" + a[0] + ") ELSE wadi_reverse(" + a[0] + ") END)", true
	case fn.StringSize:
		return "CAST(strlen(" + a[0] + ") AS BIGINT)", true
	case fn.IntAnd:
		return "(" + a[0] + " & " + a[1] + ")", true
	case fn.IntOr:
		return "(" + a[0] + " | " + a[1] + ")", true
	case fn.IntNot:
		return "(~" + a[0] + ")", true
	case fn.NewGuid:
		return "CAST(uuid() AS VARCHAR)", true
	case fn.Random:
		if len(a) == 0 {
			return "random()", true
		}
		return "floor(random() * " + a[0] + ")", true
	case fn.Sin, fn.Cos, fn.Tan: // DuckDB has errors where Kusto has NaN
		return "(CASE WHEN isinf(" + a[0] + ") THEN CAST('NaN' AS DOUBLE) ELSE " + simple[op] + "(" + a[0] + ") END)", true
	case fn.Asin, fn.Acos:
		return "(CASE WHEN abs(" + a[0] + ") > 1 THEN CAST('NaN' AS DOUBLE) ELSE " + simple[op] + "(" + a[0] + ") END)", true
	}
	return "", false
}
