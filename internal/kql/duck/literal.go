package duck

import (
	"math"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// Literal prints text as an SQL expression of type VARCHAR. It is the only way
// for text into SQL. NUL can't stand in a statement, so it is made by chr(0);
// what is not UTF-8 becomes U+FFFD.
func Literal(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.IndexByte(s, 0) < 0 {
		return quoted
	}
	return "(" + strings.ReplaceAll(quoted, "\x00", "' || chr(0) || '") + ")"
}

// sqlTypes are the types of values in SQL.
var sqlTypes = map[schema.Type]string{
	schema.Bool: "BOOLEAN", schema.Int: "INTEGER", schema.Long: "BIGINT", schema.Real: "DOUBLE", schema.Decimal: "VARCHAR",
	schema.String: "VARCHAR", schema.DateTime: "BIGINT", schema.TimeSpan: "BIGINT", schema.Guid: "VARCHAR", schema.Dynamic: "VARCHAR",
}

func literal(c *plan.Const) string {
	switch v := c.V.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		if c.T == schema.Int {
			return "CAST(" + strconv.FormatInt(v, 10) + " AS INTEGER)"
		}
		return whole(v)
	case float64:
		return real(v)
	case string:
		return Literal(v)
	}
	return "CAST(NULL AS " + sqlTypes[c.T] + ")"
}

// whole prints a BIGINT. A bare number is INTEGER where it fits.
func whole(v int64) string { return "CAST(" + strconv.FormatInt(v, 10) + " AS BIGINT)" }

// real prints a DOUBLE; the exponent makes it one.
func real(f float64) string {
	switch {
	case math.IsNaN(f):
		return "CAST('NaN' AS DOUBLE)"
	case math.IsInf(f, 1):
		return "CAST('Infinity' AS DOUBLE)"
	case math.IsInf(f, -1):
		return "CAST('-Infinity' AS DOUBLE)"
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

// bare prints a constant for comparison with a column of any whole type: without
// a cast, so that the comparison stays one of the column's own type.
func bare(c *plan.Const) string {
	if n, ok := c.V.(int64); ok && n != math.MinInt64 {
		return strconv.FormatInt(n, 10)
	}
	return literal(c)
}
