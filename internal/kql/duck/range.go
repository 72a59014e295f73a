package duck

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// series writes the rows of a range. The steps are counted first, so that none is
// lost by rounding on the way and too many are an error; DuckDB streams those of a
// constant number.
func (e *emitter) series(n *plan.Range) string {
	typ := sqlTypes[n.Col.T]
	start, end, step := e.value(n.Start), e.value(n.End), e.value(n.Step)
	if rows := n.Rows(); rows >= 0 {
		return fmt.Sprintf("SELECT CAST(%s + range * %s AS %s) AS %s FROM range(%d)", start, step, typ, column(n.Col.ID), rows)
	}
	count := "((CAST(t AS HUGEINT) - f) // s)"
	if n.Col.T == schema.Real {
		count = "floor((t - f) / s)"
	}
	steps := fmt.Sprintf("CASE WHEN s = 0 OR t <> f AND (t < f) <> (s < 0) OR (t - f) // s IS NULL THEN -1"+
		" WHEN %[1]s >= %[2]d THEN error('the range has more than %[2]d rows') ELSE CAST(%[1]s AS BIGINT) END", count, maxUnnest)
	ends := fmt.Sprintf("SELECT CAST(%s AS %s) AS f, CAST(%s AS %s) AS t, CAST(%s AS %s) AS s", start, typ, end, typ, step, typ)
	return fmt.Sprintf("SELECT CAST(f + i * s AS %s) AS %s FROM (SELECT f, s, unnest(range(n + 1)) AS i FROM (SELECT f, s, %s AS n FROM (%s)))",
		typ, column(n.Col.ID), steps, ends)
}

// maxUnnest bounds a range whose ends are known only when it runs: its steps lie
// in memory.
const maxUnnest = 1_000_000
