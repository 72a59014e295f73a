package duck

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// What Kusto reads as a number; DuckDB's casts take more (1_000, 12.5 as 13).
const (
	wholePattern = `[+-]?[0-9]+`
	hexPattern   = `0[xX][0-9a-fA-F]{1,16}`
	realPattern  = `[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?`
)

// maxTicks is the last datetime.
const maxTicks = "3155378975999999999"

// conversion writes the to…() functions; what doesn't fit is null.
func (e *emitter) conversion(c *plan.Call) string {
	x, from := e.value(c.Args[0]), c.Args[0].Type()
	switch c.Op {
	case fn.ToString:
		return e.toString(x, c.Args[0])
	case fn.ToLong:
		switch from {
		case schema.String:
			return stringToWhole(x, "BIGINT")
		case schema.Real:
			return realToLong(x)
		}
		return "CAST(" + x + " AS BIGINT)"
	case fn.ToInt:
		switch from {
		case schema.String:
			return stringToWhole(x, "INTEGER")
		case schema.Real: // stops at the ends, as in Kusto
			return "CAST(CASE WHEN isfinite(" + x + ") THEN greatest(least(trunc(" + x + "), 2147483647), -2147483648) END AS INTEGER)"
		case schema.Bool:
			return "CAST(" + x + " AS INTEGER)"
		}
		low := "(" + x + " & 4294967295)" // the low half, as Kusto takes it
		return "CAST(CASE WHEN " + low + " > 2147483647 THEN " + low + " - 4294967296 ELSE " + low + " END AS INTEGER)"
	case fn.ToReal:
		if from == schema.String {
			t := "trim(" + x + ")"
			return "(CASE WHEN regexp_full_match(" + t + ", " + Literal(realPattern) + ") THEN TRY_CAST(" + t + " AS DOUBLE)" +
				" WHEN lower(" + t + ") IN ('nan', 'inf', '-inf', '+inf', 'infinity', '-infinity') THEN TRY_CAST(ltrim(lower(" + t + "), '+') AS DOUBLE) END)"
		}
		return "CAST(" + x + " AS DOUBLE)"
	case fn.ToBool:
		return "(" + x + " <> 0)"
	case fn.ToDateTime:
		return "(CASE WHEN " + x + " BETWEEN 0 AND " + maxTicks + " THEN " + x + " END)"
	case fn.ToTimeSpan:
		return x
	}
	e.err = fmt.Errorf("cannot write SQL for %s of a %s", c.Op, from)
	return ""
}

func stringToWhole(x, typ string) string {
	t := "trim(" + x + ")"
	hex := "TRY_CAST(" + t + " AS " + typ + ")"
	if typ == "BIGINT" { // 16 digits are two's complement
		hex = wrap("CAST(TRY_CAST(" + t + " AS UBIGINT) AS HUGEINT)")
	}
	return "(CASE WHEN regexp_full_match(" + t + ", " + Literal(wholePattern) + ") THEN TRY_CAST(" + t + " AS " + typ + ")" +
		" WHEN regexp_full_match(" + t + ", " + Literal(hexPattern) + ") THEN " + hex + " END)"
}

// realToLong cuts towards zero and stops at the ends of BIGINT.
func realToLong(x string) string {
	return "(CASE WHEN isnan(" + x + ") OR isinf(" + x + ") THEN NULL WHEN " + x + " >= 9.223372036854775807e18 THEN CAST(9223372036854775807 AS BIGINT)" +
		" WHEN " + x + " <= -9.223372036854775808e18 THEN CAST('-9223372036854775808' AS BIGINT) ELSE CAST(trunc(" + x + ") AS BIGINT) END)"
}

// toString prints as Kusto's tostring; null is "".
func (e *emitter) toString(x string, arg plan.Expr) string {
	sql := ""
	switch arg.Type() {
	case schema.String:
		return x
	case schema.Bool:
		return "(CASE WHEN " + x + " THEN 'True' WHEN NOT " + x + " THEN 'False' ELSE '' END)"
	case schema.Real:
		return realText(x)
	case schema.DateTime:
		sql = "(strftime(" + stamp(x) + ", '%Y-%m-%dT%H:%M:%S.%f') || (" + x + ") % 10 || 'Z')"
	case schema.TimeSpan:
		sql = spanText(x)
	default:
		sql = "CAST(" + x + " AS VARCHAR)"
	}
	if plan.NotNull(arg) {
		return sql
	}
	return orEmpty(sql)
}

// realText prints the shortest digits that read back, with an exponent E+nn from
// 1E+15 on, where DuckDB's begins at 1e+16 in lower case.
func realText(x string) string {
	text := "CAST(" + x + " AS VARCHAR)"
	edge := `regexp_replace(regexp_replace(` + text + `, '^(-?[0-9])([0-9]*?)0*\.0$', '\1.\2E+15'), '\.E', 'E')`
	return "(CASE WHEN " + x + " IS NULL THEN '' WHEN isnan(" + x + ") THEN 'NaN' WHEN isinf(" + x + ") THEN CASE WHEN " + x + " > 0 THEN 'Infinity' ELSE '-Infinity' END" +
		" WHEN abs(" + x + ") >= 1e15 AND abs(" + x + ") < 1e16 THEN " + edge +
		" ELSE replace(" + text + ", 'e', 'E') END)"
}

func spanText(x string) string {
	u := "abs(CAST(" + x + " AS HUGEINT))"
	return fmt.Sprintf("((CASE WHEN %[1]s < 0 THEN '-' ELSE '' END) || (CASE WHEN %[2]s >= 864000000000 THEN CAST(%[2]s // 864000000000 AS VARCHAR) || '.' ELSE '' END)"+
		" || lpad(CAST(%[2]s // 36000000000 %% 24 AS VARCHAR), 2, '0') || ':' || lpad(CAST(%[2]s // 600000000 %% 60 AS VARCHAR), 2, '0')"+
		" || ':' || lpad(CAST(%[2]s // 10000000 %% 60 AS VARCHAR), 2, '0')"+
		" || (CASE WHEN %[2]s %% 10000000 > 0 THEN '.' || lpad(CAST(%[2]s %% 10000000 AS VARCHAR), 7, '0') ELSE '' END))", x, u)
}
