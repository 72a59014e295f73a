package duck

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// Statement is a question in SQL, with what its relations read.
type Statement struct {
	// SQL is one SELECT over the names of Scans, without a semicolon. Its
	// columns are those of Columns by position, in the engine's wire form.
	SQL string
	// Scans are the relations that SQL reads.
	Scans []Scan
	// Columns are the result's columns.
	Columns []Column
	// Stages run before SQL, in this order.
	Stages []Stage
}

// Scan is one relation of stored rows. SQL reads its columns as c<FieldID>.
type Scan struct {
	// Name is scan_0, scan_1 …
	Name  string
	Table *schema.Table
	// Columns are positions in Table.Columns, in ascending order; there may be
	// none, when only rows are counted.
	Columns []int
	// Bounds must all hold of a row that can matter: files whose statistics
	// exclude one need not be read.
	Bounds []Bound
	// Take, when above 0, tells that any Take rows of the scan suffice: nothing
	// above it filters, sorts or groups.
	Take int64
}

// Bound is a condition on a stored column. Values have the Go type that data
// file statistics have: int32, int64 (also timestamptz, in microseconds since
// 1970), string. Nulls never meet a bound.
type Bound struct {
	FieldID int
	// Min and Max are inclusive; nil is no bound.
	Min, Max any
	// Equal, when not empty, lists the only values that can matter.
	Equal []any
}

// Column is a column of the result.
type Column struct {
	Name string
	Type schema.Type
}

// maxSQL bounds a statement. Kusto's exact semantics may write an operand more
// than once, so deep expressions can grow beyond their query.
const maxSQL = 4 << 20

// maxDepth bounds the levels of SELECT within SELECT. DuckDB counts two a level, and
// those of expressions, up to 1000.
const maxDepth = 400

// Emit writes a plan as SQL for DuckDB 1.5.
func Emit(p *plan.Plan) (*Statement, error) {
	e := newEmitter(&stageList{names: map[*plan.Stage]string{}})
	e.shown = shownRows(p.Root)
	from := e.node(p.Root)
	var b strings.Builder
	b.WriteString("SELECT ")
	s := &Statement{}
	for i, o := range p.Output {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s AS r%d", e.value(o.Expr), i)
		s.Columns = append(s.Columns, Column{Name: o.Name, Type: o.Expr.Type()})
	}
	b.WriteString(" FROM " + from)
	s.SQL = e.statement(b.String())
	if e.err != nil {
		return nil, e.err
	}
	s.Scans, s.Stages = e.scans, e.stages.list
	return s, nil
}

type rawColumn struct {
	scan   int
	column *schema.Column
}

type emitter struct {
	scans []Scan
	raw   map[plan.ID]rawColumn
	// texts are the relations' by the number in their mark.
	texts []string
	// shared names the relations of with, by what they are of.
	shared map[any]string
	with   []string
	// stages are what runs before the SQL.
	stages *stageList
	// late is the scan of the rows that are being read late, see readLate.
	late *plan.Scan
	// shown are the nodes whose rows the result shows.
	shown map[plan.Node]bool
	size  int
	depth int
	err   error
}

func newEmitter(stages *stageList) *emitter {
	return &emitter{raw: map[plan.ID]rawColumn{}, shared: map[any]string{}, stages: stages}
}

// statement makes one SELECT whole: with the shared relations before it and every
// relation's text in its place.
func (e *emitter) statement(sql string) string {
	if len(e.with) > 0 {
		sql = "WITH " + strings.Join(e.with, ", ") + " " + sql
	}
	var b strings.Builder
	e.expand(&b, sql)
	return b.String()
}

// A relation's text stands in that of the one above it as a mark, between two bytes
// that no SQL holds, so that deep queries are written once and not at each step.
const markBegin, markEnd = "\x00", "\x01"

func (e *emitter) expand(b *strings.Builder, sql string) {
	for {
		before, rest, found := strings.Cut(sql, markBegin)
		b.WriteString(before)
		if b.Len() > maxSQL && e.err == nil {
			e.tooLong()
		}
		if !found || e.err != nil {
			return
		}
		mark, after, _ := strings.Cut(rest, markEnd)
		i, err := strconv.Atoi(mark)
		if err != nil || i >= len(e.texts) {
			e.err = fmt.Errorf("cannot write the SQL: a text holds a control character")
			return
		}
		b.WriteByte('(')
		e.expand(b, e.texts[i])
		b.WriteByte(')')
		sql = after
	}
}

func (e *emitter) tooLong() {
	e.err = fmt.Errorf("the query is too complex: its SQL would be longer than %d bytes", maxSQL)
}

func column(id plan.ID) string { return "v" + strconv.Itoa(int(id)) }

// node gives a relation for FROM: the mark of a SELECT in brackets.
func (e *emitter) node(n plan.Node) string {
	if e.depth++; e.depth > maxDepth && e.err == nil {
		e.err = fmt.Errorf("the query is too complex: its SQL would have more than %d levels", maxDepth)
	}
	defer func() { e.depth-- }()
	if e.err != nil {
		return ""
	}
	sql := ""
	switch n := n.(type) {
	case *plan.Scan:
		sql = e.scan(n)
	case *plan.Values:
		sql = e.values(n)
	case *plan.Filter:
		sql = e.filter(n)
	case *plan.Extend:
		from := e.node(n.From)
		sql = "SELECT *, " + e.assigns(n.Cols) + " FROM " + from
	case *plan.Aggregate:
		sql = e.aggregate(n)
	case *plan.Sort:
		sql = e.sort(n)
	case *plan.Best:
		sql = e.best(n)
	case *plan.Take:
		sql = e.take(n)
	case *plan.Lookup:
		sql = e.lookup(n)
	case *plan.Join:
		sql = e.join(n)
	case *plan.First:
		sql = e.first(n)
	case *plan.Union:
		sql = e.union(n)
	case *plan.Use:
		sql = e.use(n)
	case *plan.Range:
		sql = e.series(n)
	case *plan.Window:
		sql = e.window(n)
	case *plan.Stage:
		sql = e.stage(n)
	case *plan.Unnest:
		sql = e.unnest(n)
	case *plan.Number:
		sql = e.number(n)
	case *plan.TakeEach:
		sql = e.takeEach(n)
	default:
		e.err = fmt.Errorf("cannot write SQL for a %T", n)
	}
	if e.size += len(sql); e.size > 16*maxSQL {
		e.tooLong()
	}
	e.texts = append(e.texts, sql)
	return markBegin + strconv.Itoa(len(e.texts)-1) + markEnd
}

func (e *emitter) filter(n *plan.Filter) string {
	if sql, ok := e.lateFilter(n); ok {
		return sql
	}
	from := e.node(n.From)
	e.bound(n)
	return "SELECT * FROM " + from + " WHERE " + e.cond(n.Pred)
}

func (e *emitter) scan(n *plan.Scan) string {
	s := Scan{Name: "scan_" + strconv.Itoa(len(e.scans)), Table: n.Table}
	var b strings.Builder
	b.WriteString("SELECT ")
	if len(n.Columns) == 0 {
		b.WriteString("1 AS v0")
	}
	for i, c := range n.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		col := &n.Table.Columns[c.Index]
		fmt.Fprintf(&b, "c%d AS %s", col.FieldID, column(c.ID))
		e.raw[c.ID] = rawColumn{scan: len(e.scans), column: col}
		s.Columns = append(s.Columns, c.Index)
	}
	if e.late == n {
		s.Columns = addRowNames(&b, n.Table, s.Columns)
	}
	slices.Sort(s.Columns)
	b.WriteString(" FROM " + s.Name)
	e.scans = append(e.scans, s)
	return b.String()
}

func (e *emitter) values(n *plan.Values) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	if len(n.Columns) == 0 {
		fmt.Fprintf(&b, "1 AS v0 FROM range(%d)", len(n.Rows))
		return b.String()
	}
	for i, c := range n.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "CAST(x%d AS %s) AS %s", i, sqlTypes[c.T], column(c.ID))
	}
	if len(n.Rows) == 0 {
		text := b.String()
		for i := len(n.Columns) - 1; i >= 0; i-- {
			text = strings.ReplaceAll(text, "CAST(x"+strconv.Itoa(i)+" AS", "CAST(NULL AS")
		}
		return text + " WHERE false"
	}
	b.WriteString(" FROM (VALUES ")
	for i, row := range n.Rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for j, c := range row {
			if j > 0 {
				b.WriteString(", ")
			}
			b.WriteString(literal(c))
		}
		b.WriteByte(')')
	}
	b.WriteString(") AS t(")
	for i := range n.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("x" + strconv.Itoa(i))
	}
	b.WriteByte(')')
	return b.String()
}

func (e *emitter) assigns(cols []plan.Assign) string {
	parts := make([]string, len(cols))
	for i, a := range cols {
		parts[i] = e.value(a.Expr) + " AS " + column(a.ID)
	}
	return strings.Join(parts, ", ")
}

func (e *emitter) sort(n *plan.Sort) string {
	from := e.node(n.From)
	return "SELECT * FROM " + from + " ORDER BY " + e.sortKeys(n)
}

func (e *emitter) sortKeys(n *plan.Sort) string {
	keys := make([]string, len(n.Keys))
	for i, k := range n.Keys {
		keys[i] = e.sortKey(k)
	}
	return strings.Join(keys, ", ")
}

func (e *emitter) sortKey(k plan.SortKey) string {
	dir, nulls := " ASC", " NULLS LAST"
	if k.Desc {
		dir = " DESC"
	}
	if k.NullsFirst {
		nulls = " NULLS FIRST"
	}
	if c, ok := k.Expr.(*plan.Call); ok && c.Op == fn.StoredTicks { // a plain column lets top prune while it reads
		keys := e.value(c.Args[0]) + dir + nulls
		if len(c.Args) > 1 {
			keys += ", coalesce(" + e.value(c.Args[1]) + ", 0)" + dir
		}
		return keys
	}
	value := e.value(k.Expr)
	if k.Expr.Type() == schema.Real { // NaN sorts below all numbers, beside null
		return "(CASE WHEN " + value + " IS NULL THEN NULL WHEN isnan(" + value + ") THEN 0 ELSE 1 END)" + dir + nulls + ", " + value + dir + nulls
	}
	return value + dir + nulls
}

func (e *emitter) take(n *plan.Take) string {
	if sql, ok := e.lateTake(n); ok {
		return sql
	}
	limit := " LIMIT " + strconv.FormatInt(n.N, 10)
	if s, ok := n.From.(*plan.Sort); ok {
		return e.sort(s) + limit
	}
	scans := len(e.scans)
	from := e.node(n.From)
	if e.err == nil && plainScan(n.From) && len(e.scans) > scans {
		e.scans[scans].Take = n.N
	}
	return "SELECT * FROM " + from + limit
}

// plainScan tells that a node gives the rows of a scan, one for one.
func plainScan(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.Scan:
		return true
	case *plan.Extend:
		return plainScan(n.From)
	case *plan.Lookup:
		return plainScan(n.From)
	}
	return false
}

func (e *emitter) lookup(n *plan.Lookup) string { return e.lookupIn(n, e.node(n.From)) }

// lookupIn writes a Lookup over the rows from.
func (e *emitter) lookupIn(n *plan.Lookup, from string) string {
	table := e.node(n.Table)
	return fmt.Sprintf("SELECT l.*, r.%s FROM %s AS l LEFT JOIN (SELECT %s, any_value(%s) AS %s FROM %s GROUP BY 1) AS r ON %s = r.%s",
		column(n.Result), from, column(n.Key.ID), column(n.Value.ID), column(n.Result), table, e.value(n.Match), column(n.Key.ID))
}

// textOr gives strings "" for null.
func (e *emitter) textOr(t schema.Type, sql string) string {
	if t == schema.String {
		return orEmpty(sql)
	}
	return sql
}

// wrap brings a HUGEINT into the range of BIGINT as two's complement does.
func wrap(huge string) string {
	const two63, two64 = "9223372036854775808", "18446744073709551616"
	return "CAST((((" + huge + ") + " + two63 + ") % " + two64 + " + " + two64 + ") % " + two64 + " - " + two63 + " AS BIGINT)"
}
