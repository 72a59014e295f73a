//go:build cgo

package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/kqltest/refinterp"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// publicRows is how many rows of each table are made of one query's literals. Joins
// of the interpreter are squares.
const publicRows = 20

// literals are what public queries compare columns with: random rows made of them
// meet the queries' conditions often enough.
type literals struct {
	texts map[*schema.Column]map[string]bool
	whole map[*schema.Column]map[int64]bool
	// keys and values are the texts beside functions of dynamics, whose paths aren't
	// known here.
	keys, values map[string]bool
}

// TestPublicReference compares the engine with the reference interpreter over every
// public query and random rows made of the queries' own literals.
func TestPublicReference(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("takes a minute: set WADI_SLOW=1 (make test does)")
	}
	queries, excluded := kqltest.Queries(t), kqltest.Excluded(t)
	empty.get(t)
	var found []*literals
	plans := map[string]*plan.Plan{}
	for _, id := range slices.Sorted(maps.Keys(queries)) {
		p, err := planOf(queries[id])
		if err != nil || excluded[id] {
			continue
		}
		plans[id] = p
		l := &literals{map[*schema.Column]map[string]bool{}, map[*schema.Column]map[int64]bool{}, map[string]bool{}, map[string]bool{"x": true}}
		l.gather(p.Root, map[plan.ID][]*schema.Column{})
		found = append(found, l)
	}
	w, err := publicLake(t, found)
	if err != nil {
		t.Fatal(err)
	}
	skipped := map[string]int{}
	compared, withRows := 0, 0
	for _, id := range slices.Sorted(maps.Keys(plans)) {
		if why := undefined(plans[id].Root); why != "" {
			skipped[why]++
			continue
		}
		rows, problem, err := w.compare(t, plans[id], queries[id])
		var unsupported *refinterp.Unsupported
		switch {
		case errors.As(err, &unsupported):
			skipped[err.Error()]++
		case err != nil:
			t.Errorf("%s: %v", id, err)
		case problem != "":
			t.Errorf("%s: %s\n%s", id, problem, queries[id])
		default:
			compared++
			if rows > 0 {
				withRows++
			}
		}
	}
	t.Logf("%d public queries give the same rows, %d of them some; left out: %v", compared, withRows, skipped)
	if compared < 150 || withRows < 12 {
		t.Errorf("only %d queries were compared, %d with rows", compared, withRows)
	}
}

func (w *world) compare(t *testing.T, p *plan.Plan, text string) (rows int, problem string, err error) {
	want, err := refinterp.Run(p, w.tables)
	if err != nil {
		return 0, "", err
	}
	got, err := raw(t, w.config, text)
	if err != nil {
		return 0, "", err
	}
	for _, lines := range [][][]any{got, want} {
		for _, line := range lines {
			for i := range line {
				line[i] = unordered(line[i], p.Output[i].Expr.Type())
			}
		}
	}
	if diff := sameValues(got, want, false); diff != "" {
		return 0, diff + "\n   want " + show(shownAs(want, p)) + "\n   got  " + show(shownAs(got, p)), nil
	}
	return len(got), "", nil
}

// unordered sorts the elements of a dynamic's arrays, and of its text, which come in
// no order where they are those of a group.
func unordered(v any, t schema.Type) any {
	text, ok := v.(string)
	if !ok || t != schema.Dynamic && !strings.HasPrefix(text, "[") {
		return v
	}
	x, err := decode([]byte(text))
	if err != nil {
		return v
	}
	out, err := json.Marshal(sortedArrays(x))
	if err != nil {
		return v
	}
	return string(out)
}

func sortedArrays(v any) any {
	switch v := v.(type) {
	case []any:
		texts := map[string]any{}
		var keys []string
		for i, e := range v {
			e = sortedArrays(e)
			text, _ := json.Marshal(e)
			key := fmt.Sprintf("%s %d", text, i)
			texts[key] = e
			keys = append(keys, key)
		}
		slices.Sort(keys)
		out := make([]any, len(keys))
		for i, k := range keys {
			out[i] = texts[k]
		}
		return out
	case map[string]any:
		for k := range v {
			v[k] = sortedArrays(v[k])
		}
	}
	return v
}

// undefined tells why a plan's answer is not defined to the last value: any row is
// right somewhere.
func undefined(n plan.Node) string {
	switch n := n.(type) {
	case *plan.Take:
		return "take" // ties within an order, too
	case *plan.First:
		return "innerunique"
	case *plan.Window:
		return "windows over ties"
	case *plan.TakeEach:
		return "take"
	case *plan.Use:
		return undefined(n.Of.From)
	case *plan.Aggregate:
		for _, a := range n.Aggs {
			if a.Op == fn.TakeAny || a.Op == fn.MakeBag {
				return a.Op.String()
			}
		}
	}
	for _, in := range n.Inputs() {
		if why := undefined(in); why != "" {
			return why
		}
	}
	return ""
}

// gather walks a plan; columns tells the stored columns by their numbers.
func (l *literals) gather(n plan.Node, columns map[plan.ID][]*schema.Column) {
	for _, in := range n.Inputs() {
		l.gather(in, columns)
	}
	see := func(xs ...plan.Expr) {
		for _, x := range xs {
			if x != nil {
				plan.Walk(x, func(x plan.Expr) { l.expr(x, columns) })
			}
		}
	}
	assigned := func(cols []plan.Assign) {
		for _, c := range cols {
			see(c.Expr)
			columns[c.ID] = storedIn(c.Expr, columns)
		}
	}
	switch n := n.(type) {
	case *plan.Scan:
		for _, c := range n.Columns {
			columns[c.ID] = []*schema.Column{&n.Table.Columns[c.Index]}
		}
	case *plan.Filter:
		see(n.Pred)
	case *plan.Extend:
		assigned(n.Cols)
	case *plan.Aggregate:
		assigned(n.Keys)
		for _, a := range n.Aggs {
			see(append(slices.Clone(a.Args), a.Filter)...)
		}
	case *plan.Use:
		l.gather(n.Of.From, columns)
		for _, c := range n.Of.Cols {
			see(c.Expr)
		}
	case *plan.Unnest:
		for _, c := range n.Cols {
			see(c.X)
		}
	case *plan.Union:
		for _, part := range n.Parts {
			see(part.Cols...)
		}
	}
}

// storedIn gives the stored columns an expression reads.
func storedIn(x plan.Expr, columns map[plan.ID][]*schema.Column) []*schema.Column {
	var of []*schema.Column
	plan.Walk(x, func(x plan.Expr) {
		if r, ok := x.(*plan.Ref); ok {
			of = append(of, columns[r.ID]...)
		}
	})
	return of
}

func (l *literals) expr(x plan.Expr, columns map[plan.ID][]*schema.Column) {
	c, ok := x.(*plan.Call)
	if !ok {
		return
	}
	of := storedIn(c, columns)
	for _, a := range c.Args {
		k, ok := a.(*plan.Const)
		if !ok {
			continue
		}
		switch v := k.V.(type) {
		case string:
			switch {
			case c.Op == fn.Go:
				l.path(v)
			case len(v) < 100:
				l.values[v] = true
				for _, o := range of {
					add(l.texts, o, v)
				}
			}
		case int64:
			for _, o := range of {
				if o.KQL != schema.DateTime {
					add(l.whole, o, v)
				}
			}
		}
	}
}

func add[V comparable](m map[*schema.Column]map[V]bool, c *schema.Column, v V) {
	if m[c] == nil {
		m[c] = map[V]bool{}
	}
	m[c][v] = true
}

// path reads the keys of a path as functions of dynamics take it: a JSON array.
func (l *literals) path(text string) {
	var steps []any
	if json.Unmarshal([]byte(text), &steps) != nil {
		return
	}
	for _, s := range steps {
		if key, ok := s.(string); ok {
			l.keys[key] = true
		}
	}
}

// publicLake stores random rows of every table and gives them as the interpreter
// reads them.
func publicLake(t *testing.T, found []*literals) (*world, error) {
	dir := t.TempDir()
	w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
	if err != nil {
		return nil, err
	}
	log, err := w.BeginLog(t.Context(), lake.LogInfo{Door: "bulk"})
	if err != nil {
		return nil, err
	}
	source, err := log.AddSource(t.Context(), lake.SourceInfo{Kind: "evtx", Host: "dc01", File: "Security.evtx"})
	if err != nil {
		return nil, err
	}
	part, err := log.BeginPart(t.Context())
	if err != nil {
		return nil, err
	}
	m := &maker{r: rand.New(rand.NewPCG(3, 3))}
	stored := map[*schema.Table][][]any{}
	for _, table := range []*schema.Table{schema.WindowsEvents, schema.W3CIIS} { // the others can't be stored yet
		for _, l := range found {
			m.use(l)
			for range publicRows {
				if m.about(table) {
					stored[table] = append(stored[table], m.row(table, part.IngestedAtUS, source, len(stored[table])))
				}
			}
		}
		if err := m.store(t.Context(), part, table, stored[table]); err != nil {
			return nil, err
		}
	}
	tally := lake.SourceTally{Source: source}
	total := int64(len(stored[schema.WindowsEvents]) + len(stored[schema.W3CIIS]))
	tally.Received, tally.Stored = total, total
	if err := errors.Join(part.Commit(t.Context(), lake.PartResult{Sources: []lake.SourceTally{tally}}), w.Close()); err != nil {
		return nil, err
	}
	l, err := lake.Open(t.Context(), dir, lake.Options{})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = l.Close() })
	e, err := engine.Start(t.Context(), engine.Config{ReadDirs: []string{filepath.Clean(dir)}, TempDir: t.TempDir()})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = e.Close() })
	sources := make([]any, len(schema.Sources.Columns))
	sources[schema.Sources.Index("_Source")] = int64(source)
	sources[schema.Sources.Index("Host")] = "dc01"
	sources[schema.Sources.Index("File")] = "Security.evtx"
	stored[schema.Sources] = [][]any{sources}
	return &world{
		config: &Config{Lake: l, Engine: e, Now: empty.config.Now},
		tables: func(t *schema.Table) [][]any { return stored[t] },
	}, nil
}

// maker makes rows.
type maker struct {
	r            *rand.Rand
	found        *literals
	keys, values []string
}

func (m *maker) use(l *literals) {
	m.found, m.keys, m.values = l, slices.Sorted(maps.Keys(l.keys)), slices.Sorted(maps.Keys(l.values))
	m.keys = append(m.keys, "a")
}

// about tells whether the query compares columns of the table.
func (m *maker) about(table *schema.Table) bool {
	for i := range table.Columns {
		if c := &table.Columns[i]; len(m.found.texts[c]) > 0 || len(m.found.whole[c]) > 0 {
			return true
		}
	}
	return false
}

func (m *maker) row(table *schema.Table, ingestedUS int64, source int32, i int) []any {
	row := make([]any, len(table.Columns))
	for j := range table.Columns {
		c := &table.Columns[j]
		switch c.Name {
		case "_IngestedAt":
			row[j] = ingestedUS
		case "_Source":
			row[j] = int64(source)
		case "_Seq":
			row[j] = int64(i + 1)
		case "_Table":
			row[j] = m.view(table)
		case "Channel":
			row[j] = "Security"
		case "_TimeSub":
			row[j] = int64(m.r.IntN(10))
		case "_SystemForm":
			row[j] = int64(0)
		case "EventXml":
			row[j] = "<EventData></EventData></Event>"
		case "TimeGenerated":
			// Most within the last day, all within a month.
			row[j] = oracleNow.UnixMicro() - m.r.Int64N([]int64{3600, 86400, 30 * 86400}[m.r.IntN(3)]*1_000_000)
		default:
			row[j] = m.value(c)
		}
	}
	return row
}

// view picks one of the views of a table, mostly the one that queries ask.
func (m *maker) view(table *schema.Table) string {
	switch {
	case table == schema.W3CIIS:
		return "W3CIISLog"
	case m.r.IntN(8) == 0:
		return "Event"
	}
	return "SecurityEvent"
}

func (m *maker) value(c *schema.Column) any {
	if m.r.IntN(30) == 0 {
		return nil
	}
	switch {
	case c.KQL == schema.Dynamic:
		return m.json(3)
	case c.Disk == schema.DiskString:
		texts := slices.Sorted(maps.Keys(m.found.texts[c]))
		switch {
		case len(texts) > 0 && m.r.IntN(8) > 0:
			return texts[m.r.IntN(len(texts))]
		case m.r.IntN(8) == 0:
			return m.json(2)
		}
		return fmt.Sprintf("%s%d", strings.ToLower(c.Name), m.r.IntN(3))
	case c.Disk == schema.DiskTimestamptz:
		return oracleNow.UnixMicro() - m.r.Int64N(30*86400*1_000_000)
	case c.Disk == schema.DiskInt || c.Disk == schema.DiskLong:
		whole := slices.Sorted(maps.Keys(m.found.whole[c]))
		if len(whole) > 0 && m.r.IntN(9) > 0 {
			if n := whole[m.r.IntN(len(whole))]; c.Disk == schema.DiskLong || n == int64(int32(n)) {
				return n
			}
		}
		return int64(m.r.IntN(20))
	case c.Disk == schema.DiskDouble:
		return float64(m.r.IntN(200)) / 2
	}
	return m.r.IntN(2) == 0
}

// json makes a dynamic of the keys and values that queries look for.
func (m *maker) json(depth int) string {
	out, err := json.Marshal(m.tree(depth))
	if err != nil {
		panic(err)
	}
	return string(out)
}

func (m *maker) tree(depth int) any {
	if depth == 0 || m.r.IntN(4) == 0 {
		switch m.r.IntN(4) {
		case 0:
			return m.r.IntN(10)
		case 1:
			return nil
		}
		return m.values[m.r.IntN(len(m.values))]
	}
	if m.r.IntN(3) == 0 {
		list := make([]any, m.r.IntN(3))
		for i := range list {
			list[i] = m.tree(depth - 1)
		}
		return list
	}
	bag := map[string]any{}
	for range 1 + m.r.IntN(min(len(m.keys), 12)) {
		bag[m.keys[m.r.IntN(len(m.keys))]] = m.tree(depth - 1)
	}
	return bag
}

func (m *maker) store(ctx context.Context, part *lake.Part, table *schema.Table, rows [][]any) error {
	out := datafile.NewRows(table)
	for _, row := range rows {
		out.Begin()
		for i, v := range row {
			switch v := v.(type) {
			case int64:
				out.Int(i, v)
			case float64:
				out.Real(i, v)
			case bool:
				out.Bool(i, v)
			case string:
				out.String(i, v)
			}
		}
		out.End()
	}
	return part.Sorter(table).Add(ctx, out)
}
