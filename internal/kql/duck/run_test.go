//go:build cgo

package duck_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/fn"
	"github.com/wadi-project/wadi/internal/schema"
)

// run gives a statement's rows, printed as the corpus prints values.
func run(db *sql.DB, s *duck.Statement) ([][]any, error) {
	rows, err := db.Query(wrapped(s))
	if err != nil {
		return nil, err
	}
	return scanRows(rows, s)
}

func scanRows(rows *sql.Rows, s *duck.Statement) ([][]any, error) {
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
