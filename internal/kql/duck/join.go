package duck

import (
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

var joinWords = map[plan.JoinKind]string{
	plan.InnerJoin: "JOIN", plan.LeftOuterJoin: "LEFT JOIN", plan.RightOuterJoin: "RIGHT JOIN", plan.FullOuterJoin: "FULL JOIN",
	plan.LeftSemiJoin: "SEMI JOIN", plan.LeftAntiJoin: "ANTI JOIN", plan.RightSemiJoin: "SEMI JOIN", plan.RightAntiJoin: "ANTI JOIN",
}

// join writes a hash join: each key is an equality that DuckDB can hash, of nulls
// too where both sides may be null.
func (e *emitter) join(n *plan.Join) string {
	left, right := e.node(n.Left), e.node(n.Right)
	on := make([]string, len(n.Keys))
	for i, k := range n.Keys {
		l, r := e.operand(k.L, false), e.operand(k.R, false)
		same := " IS NOT DISTINCT FROM "
		if plan.NotNull(k.L) || plan.NotNull(k.R) {
			same = " = "
		}
		on[i] = l + same + r
	}
	if len(on) == 0 {
		on = []string{"true"}
	}
	if n.Kind == plan.RightSemiJoin || n.Kind == plan.RightAntiJoin {
		left, right = right, left
	}
	return "SELECT * FROM " + left + " AS l " + joinWords[n.Kind] + " " + right + " AS r ON " + strings.Join(on, " AND ")
}

func (e *emitter) first(n *plan.First) string {
	from := e.node(n.From)
	var keys []string
	for _, k := range n.Keys {
		if _, ok := k.(*plan.Const); !ok { // DuckDB refuses literals, which tell nothing apart
			keys = append(keys, e.value(k))
		}
	}
	if len(keys) == 0 {
		return "SELECT * FROM " + from + " LIMIT 1"
	}
	return "SELECT DISTINCT ON (" + strings.Join(keys, ", ") + ") * FROM " + from
}

func (e *emitter) union(n *plan.Union) string {
	parts := make([]string, len(n.Parts))
	for i, p := range n.Parts {
		from := e.node(p.From)
		cols := make([]string, len(n.Cols))
		for j, c := range n.Cols {
			cols[j] = e.value(p.Cols[j]) + " AS " + column(c.ID)
		}
		if len(cols) == 0 {
			cols = []string{"1 AS v0"}
		}
		parts[i] = "SELECT " + strings.Join(cols, ", ") + " FROM " + from
	}
	return strings.Join(parts, " UNION ALL ")
}

// use reads a shared relation, which the first use writes.
func (e *emitter) use(n *plan.Use) string {
	name := e.shared[n.Of]
	if name == "" {
		from := e.node(n.Of.From)
		cols := "1 AS v0"
		if len(n.Of.Cols) > 0 {
			cols = e.assigns(n.Of.Cols)
		}
		name = e.cte(n.Of, "SELECT "+cols+" FROM "+from)
	}
	cols := make([]string, len(n.Cols))
	for i, c := range n.Cols {
		cols[i] = column(c.Of) + " AS " + column(c.ID)
	}
	if len(cols) == 0 {
		cols = []string{"1 AS v0"}
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + name
}

// cte adds a relation that is computed once, and gives its name.
func (e *emitter) cte(of any, sql string) string {
	name := "shared_" + strconv.Itoa(len(e.with))
	e.with = append(e.with, name+" AS MATERIALIZED ("+sql+")")
	e.shared[of] = name
	return name
}

// scalarRows reads the one value of rows; what stands in a plan more than once is
// computed once.
func (e *emitter) scalarRows(x *plan.Scalar) string {
	name := e.shared[x]
	if name == "" {
		from := e.node(x.Root)
		name = e.cte(x, "SELECT "+e.value(x.Value)+" AS "+column(x.ID)+" FROM "+from+" LIMIT 1")
	}
	sql := "(SELECT " + column(x.ID) + " FROM " + name + ")"
	if x.T == schema.String {
		return orEmpty(sql)
	}
	return sql
}

// inRows is null for a null; no row holds one.
func (e *emitter) inRows(x *plan.InRows) string {
	from := e.node(x.Root)
	l, r := e.value(x.X), e.value(x.Value)
	if x.Fold {
		l, r = "lower("+l+")", "lower("+r+")"
	}
	where := ""
	if !plan.NotNull(x.Value) {
		where = " WHERE " + r + " IS NOT NULL"
	}
	return "(" + l + " IN (SELECT " + r + " FROM " + from + where + "))"
}
