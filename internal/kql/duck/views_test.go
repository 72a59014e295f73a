//go:build cgo

package duck_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/agg"
	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/kqltest"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// schemaEnv binds against the real schema.
var schemaEnv = bind.Env{Now: testNow, Tables: func(name string) bind.Source {
	if v := schema.LookupView(name); v != nil {
		return bind.Source{Table: v.Table, View: v}
	}
	return bind.Source{Table: schema.LookupTable(name)}
}}

var diskTypes = map[schema.Disk]string{
	schema.DiskBoolean: "BOOLEAN", schema.DiskInt: "INTEGER", schema.DiskLong: "BIGINT", schema.DiskDouble: "DOUBLE", schema.DiskString: "VARCHAR",
	schema.DiskTimestamptz: "TIMESTAMP WITH TIME ZONE",
}

// emptyScans puts a statement over one row of nulls a scan, typed as on disk.
func emptyScans(s *duck.Statement) string {
	var parts []string
	for _, scan := range s.Scans {
		cols := []string{"1 AS c0"}
		for _, i := range scan.Columns {
			c := &scan.Table.Columns[i]
			cols = append(cols, fmt.Sprintf("CAST(NULL AS %s) AS c%d", diskTypes[c.Disk], c.FieldID))
		}
		parts = append(parts, scan.Name+" AS NOT MATERIALIZED (SELECT "+strings.Join(cols, ", ")+")")
	}
	if parts == nil {
		return ""
	}
	return "WITH " + strings.Join(parts, ", ") + " "
}

// defineSystemXML stands in for the engine's function; it knows no event.
func defineSystemXML(t testing.TB, db *sql.DB) {
	args := make([]string, 21)
	for i := range args {
		args[i] = fmt.Sprintf("a%d", i)
	}
	if _, err := db.Exec("CREATE MACRO wadi_system_xml(" + strings.Join(args, ", ") + ") AS CAST(NULL AS VARCHAR)"); err != nil {
		t.Fatal(err)
	}
}

// onlyInWorker tells that a statement has stages or aggregates in Go, which the
// driver for database/sql can't register.
func onlyInWorker(s *duck.Statement) bool {
	for _, f := range agg.All() {
		if strings.Contains(s.SQL, "wadi_"+f.Name+"(") {
			return true
		}
	}
	return len(s.Stages) > 0
}

// TestCorpusRuns gives DuckDB every public query that binds.
func TestCorpusRuns(t *testing.T) {
	db := openDB(t)
	defineSystemXML(t, db)
	run := 0
	for name, text := range kqltest.Queries(t) {
		q, diags := syntax.Parse(text)
		p, found := bind.Bind(q, schemaEnv)
		if len(diags)+len(found) > 0 {
			continue
		}
		s, err := duck.Emit(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if onlyInWorker(s) {
			continue // query's TestPublicQueries runs it
		}
		rows, err := db.Query(emptyScans(s) + wrapped(s))
		if err == nil {
			_, err = scanRows(rows, s)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		run++
	}
	t.Logf("%d public queries run", run)
}

// TestSchemaBinds runs every column of every table and view over a row in which
// everything is null: the definitions bind, DuckDB takes the SQL, types agree, and
// strings are not null.
func TestSchemaBinds(t *testing.T) {
	db := openDB(t)
	defineSystemXML(t, db)
	columns := map[string][]string{}
	for _, table := range schema.Tables() {
		for i := range table.Columns {
			columns[table.Name] = append(columns[table.Name], table.Columns[i].Name)
		}
		for i := range table.Computed {
			columns[table.Name] = append(columns[table.Name], table.Computed[i].Name)
		}
	}
	for _, v := range schema.Views() {
		for i := range v.Columns {
			columns[v.Name] = append(columns[v.Name], v.Columns[i].Name)
		}
	}
	for name, cols := range columns {
		quoted := make([]string, len(cols))
		for i, c := range cols {
			quoted[i] = "[" + syntax.Quote(c) + "]"
		}
		query := name + " | project " + strings.Join(quoted, ", ")
		q, diags := syntax.Parse(query)
		if len(diags) > 0 {
			t.Errorf("%s: %v", name, diags[0])
			continue
		}
		p, diags := bind.Bind(q, schemaEnv)
		for _, d := range diags {
			t.Errorf("%s: %s", name, d.Message)
		}
		if len(diags) > 0 {
			continue
		}
		s, err := duck.Emit(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		rows, err := db.Query(emptyScans(s) + wrapped(s))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := scanRows(rows, s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, row := range got {
			for i, c := range s.Columns {
				if c.Type == schema.String && row[i] == nil {
					t.Errorf("%s.%s is a null string", name, c.Name)
				}
			}
		}
	}
	t.Logf("%d tables and views", len(columns))
}
