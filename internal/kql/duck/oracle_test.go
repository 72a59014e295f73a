package duck_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

func noTables(string) bind.Source { return bind.Source{} }

// compile gives the SQL of a query over no stored tables.
func compile(query string) (*duck.Statement, error) {
	q, diags := syntax.Parse(query)
	if len(diags) > 0 {
		return nil, diags[0]
	}
	p, diags := bind.Bind(q, bind.Env{Now: event.UnixEpoch, Tables: noTables})
	if len(diags) > 0 {
		return nil, diags[0]
	}
	return duck.Emit(p)
}

// run gives a statement's rows, printed as the corpus prints values.
func run(db *sql.DB, s *duck.Statement) ([][]any, error) {
	rows, err := db.Query(wrapped(s))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := [][]any{}
	for rows.Next() {
		values, ptrs := make([]any, len(s.Columns)), make([]any, len(s.Columns))
		for i := range values {
			ptrs[i] = &values[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return nil, err
		}
		for i, c := range s.Columns {
			values[i] = wire(values[i], c.Type)
		}
		out = append(out, values)
	}
	return out, rows.Err()
}

// wireTypes are the engine's casts (internal/engine, scan.go).
var wireTypes = map[schema.Type]string{
	schema.Bool: "BOOLEAN", schema.Int: "INTEGER", schema.Long: "BIGINT", schema.DateTime: "BIGINT", schema.TimeSpan: "BIGINT", schema.Real: "DOUBLE",
}

// wrapped casts a statement's columns as the engine does.
func wrapped(s *duck.Statement) string {
	casts, names := make([]string, len(s.Columns)), make([]string, len(s.Columns))
	for i, c := range s.Columns {
		typ := wireTypes[c.Type]
		if typ == "" {
			typ = "VARCHAR"
		}
		names[i] = fmt.Sprintf("r%d", i)
		casts[i] = fmt.Sprintf("CAST(r%d AS %s)", i, typ)
	}
	return "SELECT " + strings.Join(casts, ", ") + " FROM (" + s.SQL + ") AS result(" + strings.Join(names, ", ") + ")"
}

func wire(v any, t schema.Type) any {
	if v == nil {
		return nil
	}
	switch t {
	case schema.DateTime:
		return event.Ticks(v.(int64)).String()
	case schema.TimeSpan:
		return fn.FormatSpan(v.(int64))
	case schema.Dynamic:
		var x any
		_ = json.Unmarshal([]byte(v.(string)), &x)
		return x
	case schema.Real:
		f := v.(float64)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fn.FormatReal(f)
		}
	}
	return v
}

// same compares an answer with the recorded one; reals agree to 12 digits.
func same(got, want any) bool {
	switch w := want.(type) {
	case json.Number:
		f, err := w.Float64()
		if err != nil {
			return false
		}
		switch g := got.(type) {
		case float64:
			return g == f || math.Abs(g-f) <= 1e-9*math.Max(math.Abs(g), math.Abs(f))
		case int64:
			return fmt.Sprint(g) == w.String() || float64(g) == f && strings.ContainsAny(w.String(), ".eE")
		case int32:
			return fmt.Sprint(g) == w.String() || float64(g) == f && strings.ContainsAny(w.String(), ".eE")
		}
		return false
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !same(g[i], w[i]) {
				return false
			}
		}
		return true
	}
	return got == want
}

func sameRows(got [][]any, c *kqltest.Case) string {
	if len(got) != len(c.Rows) {
		return fmt.Sprintf("%d rows, not %d: %v, not %v", len(got), len(c.Rows), got, c.Rows)
	}
	want := c.Rows
	if !c.Ordered {
		key := func(r []any) string { return fmt.Sprint(r) }
		sort.SliceStable(got, func(i, j int) bool { return key(got[i]) < key(got[j]) })
		want = append([][]any{}, want...)
		sort.SliceStable(want, func(i, j int) bool { return key(want[i]) < key(want[j]) })
	}
	for i := range want {
		for j := range want[i] {
			if j >= len(got[i]) || !same(got[i][j], want[i][j]) {
				return fmt.Sprintf("row %d: %v, not %v", i, got[i], want[i])
			}
		}
	}
	return ""
}

func TestEngineCases(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var passed, refused, wrong int
	for _, c := range kqltest.EngineCases(t) {
		s, err := compile(c.Query)
		if err != nil {
			refused++
			if os.Getenv("KQL_REFUSED") != "" {
				t.Logf("%s refused: %v: %.150s", c.ID, err, c.Query)
			}
			continue
		}
		problem := ""
		if c.Error != "" {
			problem = "Kusto refuses it"
		} else if rows, err := run(db, s); err != nil {
			problem = "DuckDB: " + err.Error()
		} else if len(c.Columns) != len(s.Columns) {
			problem = fmt.Sprintf("columns %v, not %v", s.Columns, c.Columns)
		} else {
			for i, col := range c.Columns {
				if col.Name != s.Columns[i].Name || !strings.Contains(col.Type, s.Columns[i].Type.String()) {
					problem = fmt.Sprintf("column %v, not %v", s.Columns[i], col)
				}
			}
			if problem == "" {
				problem = sameRows(rows, &c)
			}
		}
		if problem != "" {
			wrong++
			t.Logf("%s wrong: %s\n   %.300s", c.ID, problem, c.Query)
			continue
		}
		passed++
	}
	t.Logf("%d passed, %d refused, %d wrong", passed, refused, wrong)
}
