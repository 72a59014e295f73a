package duck

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// maxRange bounds the rows of one range: each takes time though no memory, and
// nobody reads more.
const maxRange = 100_000_000

// series writes the rows of a range: the number of steps is counted first, so that
// too many are an error and none are lost by rounding on the way.
func (e *emitter) series(n *plan.Range) string {
	start, end, step := e.value(n.Start), e.value(n.End), e.value(n.Step)
	count := "((CAST(t AS HUGEINT) - f) // s)"
	if n.Col.T == schema.Real {
		count = "floor((t - f) / s)"
	}
	bounded := fmt.Sprintf("CASE WHEN s = 0 OR (t - f) IS NULL THEN -1 WHEN (t < f) <> (s < 0) AND t <> f THEN -1 WHEN %[1]s >= %[2]d THEN error('the range has more than %[2]d rows') ELSE CAST(%[1]s AS BIGINT) END", count, maxRange)
	typ := sqlTypes[n.Col.T]
	inner := fmt.Sprintf("SELECT CAST(%s AS %s) AS f, CAST(%s AS %s) AS t, CAST(%s AS %s) AS s", start, wide(typ), end, wide(typ), step, wide(typ))
	return fmt.Sprintf("SELECT CAST(b.f + i.range * b.s AS %s) AS %s FROM (SELECT f, s, %s AS n FROM (%s)) AS b, LATERAL (SELECT unnest(range(b.n + 1)) AS range) AS i", typ, column(n.Col.ID), bounded, inner)
}

// wide is the type to compute steps in.
func wide(typ string) string {
	if typ == "INTEGER" {
		return "BIGINT"
	}
	return typ
}
