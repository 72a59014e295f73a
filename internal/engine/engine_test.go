//go:build cgo

package engine

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/wadi-project/wadi/internal/schema"
)

// TestMain lets the test binary be the worker, as cmd/wadi is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		if err := Work(os.Stdin, os.Stdout, os.Getenv); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// start gives an engine that reads dir.
func start(t testing.TB, dir string, change func(*Config)) *Engine {
	t.Helper()
	config := Config{ReadDirs: []string{dir}, TempDir: t.TempDir()}
	if change != nil {
		change(&config)
	}
	e, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(config.TempDir, "*")); len(left) > 0 {
			t.Errorf("the workers left %v", left)
		}
	})
	return e
}

// parquet writes one file with DuckDB: select gives columns c<field id>.
func parquet(t testing.TB, path, ids, query string) string {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("COPY (" + query + ") TO " + literal(path) + " (FORMAT parquet, FIELD_IDS " + ids + ")"); err != nil {
		t.Fatal(err)
	}
	return path
}

// ask runs SQL of the given result types and gives the rows as text.
func ask(ctx context.Context, e *Engine, q *Query) ([][]string, *Rows, error) {
	rows, err := e.Query(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	var all [][]string
	for rows.Next() {
		var line []string
		for i, c := range q.Columns {
			line = append(line, cell(rows, i, c.Type))
		}
		all = append(all, line)
	}
	return all, rows, rows.Close()
}

func cell(rows *Rows, i int, typ schema.Type) string {
	switch {
	case rows.Null(i):
		return "null"
	case wireOf(typ) == wireBool:
		return fmt.Sprint(rows.Bool(i))
	case wireOf(typ) == wireFloat64:
		return fmt.Sprint(rows.Real(i))
	case wireOf(typ) == wireString:
		return fmt.Sprintf("%q", rows.Text(i))
	default:
		return fmt.Sprint(rows.Int(i))
	}
}

func columns(types ...schema.Type) []Column {
	var out []Column
	for i, t := range types {
		out = append(out, Column{Name: fmt.Sprint("x", i), Type: t})
	}
	return out
}

func TestStartTime(t *testing.T) {
	for range 5 {
		before := time.Now()
		e := start(t, t.TempDir(), func(c *Config) { c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})) })
		t.Log(time.Since(before))
		before = time.Now()
		_, _, err := ask(t.Context(), e, &Query{SQL: "select 1", Columns: columns(schema.Int)})
		t.Log(time.Since(before), err)
		st, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.warm.pid()))
		t.Log(string(st))
	}
}
