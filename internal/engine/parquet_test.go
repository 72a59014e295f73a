//go:build cgo

package engine

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/schema"
)

// readBack reads a Parquet file with DuckDB: its columns' types and its rows.
func readBack(t *testing.T, data []byte, columns string) (rows []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found, err := db.Query("SELECT concat_ws('|', " + columns + ") FROM read_parquet(" + literal(path) + ")")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var line string
		if err := found.Scan(&line); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, line)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func parquetOf(t *testing.T, e *Engine, q *Query) ([]byte, error) {
	t.Helper()
	rows, err := e.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	err = rows.WriteParquet(&file)
	if closed := rows.Close(); closed != nil && err == nil {
		t.Errorf("the error %v came from Close only", closed)
	}
	return file.Bytes(), err
}

// The days of 2026-03-01 and of the year 1 in ticks.
const (
	march2026 = 639_079_200_000_000_000
	year1     = 0
)

func TestParquet(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	types := []schema.Type{
		schema.Bool, schema.Int, schema.Long, schema.Real, schema.String, schema.DateTime, schema.DateTime, schema.TimeSpan, schema.TimeSpan, schema.Dynamic,
	}
	q := &Query{
		SQL: fmt.Sprintf(`
		SELECT true, -1, 9007199254740993, 0.5, 'aé', %d, %d, 15, -9223372036854775808, '{"a":1}'
		UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
		UNION ALL SELECT false, 2147483647, -1, 'NaN'::DOUBLE, '', %d, 0, -1, 0, '[]'`, march2026+7, year1+10, march2026),
		Columns: columns(types...),
	}
	got, err := parquetOf(t, e, q)
	if err != nil {
		t.Fatal(err)
	}
	shown := `typeof(x0), x0, typeof(x1), x1, typeof(x2), x2, typeof(x3), x3, typeof(x4), '<' || x4 || '>', typeof(x5), epoch_ns(x5), typeof(x6), epoch_us(x6), typeof(x7), x7, typeof(x8), x8, x9`
	want := []string{
		`BOOLEAN|true|INTEGER|-1|BIGINT|9007199254740993|DOUBLE|0.5|VARCHAR|<aé>|TIMESTAMP WITH TIME ZONE|1772323200000000000|TIMESTAMP WITH TIME ZONE|-62135596799999999|BIGINT|15|BIGINT|-9223372036854775808|{"a":1}`,
		`BOOLEAN|INTEGER|BIGINT|DOUBLE|VARCHAR|TIMESTAMP WITH TIME ZONE|TIMESTAMP WITH TIME ZONE|BIGINT|BIGINT`,
		`BOOLEAN|false|INTEGER|2147483647|BIGINT|-1|DOUBLE|nan|VARCHAR|<>|TIMESTAMP WITH TIME ZONE|1772323200000000000|TIMESTAMP WITH TIME ZONE|-62135596800000000|BIGINT|-1|BIGINT|0|[]`,
	}
	if diff := cmp.Diff(want, readBack(t, got, shown)); diff != "" {
		t.Error(diff)
	}
	// DuckDB drops the nanoseconds of a time in UTC; they are in the file.
	table, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(got), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	if times, ok := table.Column(5).Data().Chunk(0).(*array.Timestamp); !ok || times.Value(0) != 1772323200000000700 {
		t.Errorf("the exact time is %v", table.Column(5).Data().Chunk(0))
	}
	works(t, e)
}

// TestParquetManyBatches: rows keep their order and texts over many batches.
func TestParquetManyBatches(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	got, err := parquetOf(t, e, &Query{SQL: "SELECT i, 'text ' || i FROM range(150000) t(i)", Columns: columns(schema.Long, schema.String)})
	if err != nil {
		t.Fatal(err)
	}
	rows := readBack(t, got, "x0, x1")
	if len(rows) != 150_000 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, row := range rows {
		if want := fmt.Sprintf("%d|text %d", i, i); row != want {
			t.Fatalf("row %d is %s", i, row)
		}
	}
}

func TestParquetEmptyAndFailing(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	got, err := parquetOf(t, e, &Query{SQL: "SELECT 1, 'x' WHERE false", Columns: columns(schema.DateTime, schema.String)})
	if err != nil || len(readBack(t, got, "x0, x1")) != 0 {
		t.Errorf("an empty result: %v", err)
	}
	_, err = parquetOf(t, e, &Query{SQL: fmt.Sprintf("SELECT %d UNION ALL SELECT 0", march2026+7), Columns: columns(schema.DateTime)})
	if err == nil || !strings.Contains(err.Error(), `cannot give the column "x0" exactly`) {
		t.Errorf("times that no unit holds: %v", err)
	}
	_, err = parquetOf(t, e, &Query{SQL: "SELECT CASE WHEN i = 900000 THEN error('late trouble')::BIGINT ELSE i END FROM range(1000000) t(i)", Columns: columns(schema.Long), Unlimited: true})
	if err == nil || !strings.Contains(err.Error(), "late trouble") {
		t.Errorf("an error of the question: %v", err)
	}
	full := errors.New("full")
	rows, err := e.Query(t.Context(), &Query{SQL: "SELECT i FROM range(1000000) t(i)", Columns: columns(schema.Long), Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.WriteParquet(failing{full}); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	works(t, e)
}

// failing is a writer that fails.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
