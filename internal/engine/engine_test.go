//go:build cgo

package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/schema"
)

// TestMain lets the test binary be the worker, as cmd/wadi is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		work := Work
		if os.Getenv(tryVariable) != "" {
			work = try
		}
		if os.Getenv(sqlVariable) != "" {
			work = ungated
		}
		if err := work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// start gives an engine that reads dir, and at the end of the test checks that
// its workers left nothing behind.
func start(t testing.TB, dir string, change func(*Config)) *Engine {
	t.Helper()
	config := Config{ReadDirs: []string{dir}, TempDir: t.TempDir(), Deadline: 20 * time.Second}
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

// parquet writes one file with DuckDB; ids maps columns to field ids.
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

// ask runs a question and gives its rows as text.
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
		return string(rows.Text(i))
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

// works checks that the engine answers.
func works(t *testing.T, e *Engine) {
	t.Helper()
	got, _, err := ask(t.Context(), e, &Query{SQL: "SELECT 42", Columns: columns(schema.Long)})
	if err != nil || len(got) != 1 || got[0][0] != "42" {
		t.Fatalf("the next question gives %v, %v", got, err)
	}
}

func TestValues(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	types := []schema.Type{
		schema.Bool, schema.Int, schema.Long, schema.Real, schema.Decimal,
		schema.String, schema.DateTime, schema.TimeSpan, schema.Guid, schema.Dynamic,
	}
	got, rows, err := ask(t.Context(), e, &Query{Columns: columns(types...), SQL: `
		SELECT true, -2147483648, -9223372036854775808, 0.5, 1.25::DECIMAL(20,2), 'inline', 3155378975999999999, -1, 'a long text that is not inlined äöü', '{"a":1}'
		UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
		UNION ALL SELECT false, 0, 0, 'NaN'::DOUBLE, 0, '', 0, 0, chr(0) || 'x', '[]'`})
	want := [][]string{
		{"true", "-2147483648", "-9223372036854775808", "0.5", "1.25", "inline", "3155378975999999999", "-1", "a long text that is not inlined äöü", `{"a":1}`},
		{"null", "null", "null", "null", "null", "null", "null", "null", "null", "null"},
		{"false", "0", "0", "NaN", "0.00", "", "0", "0", "\x00x", "[]"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || rows.Truncated() {
		t.Errorf("err %v, (-want +got)\n%s", err, diff)
	}
}

func TestManyRowsKeepTheirValues(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	rows, err := e.Query(t.Context(), &Query{
		SQL:     "SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE i END, CASE WHEN i % 5 = 0 THEN NULL ELSE repeat('y', (i % 40)::INT) || i END FROM range(200000) t(i) WHERE i % 7 <> 0",
		Columns: columns(schema.Long, schema.Int, schema.String),
	})
	if err != nil {
		t.Fatal(err)
	}
	n, i := 0, int64(0)
	for rows.Next() {
		for i%7 == 0 {
			i++
		}
		n++
		text := strings.Repeat("y", int(i%40)) + fmt.Sprint(i)
		switch {
		case rows.Int(0) != i,
			rows.Null(1) != (i%3 == 0), !rows.Null(1) && rows.Int(1) != i,
			rows.Null(2) != (i%5 == 0), !rows.Null(2) && string(rows.Text(2)) != text:
			t.Fatalf("row %d: %d %d %q", i, rows.Int(0), rows.Int(1), rows.Text(2))
		}
		i++
	}
	if err := rows.Close(); err != nil || n != 171428 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestScans reads files of different columns below a folder with every character
// that a path may hold and DuckDB does not take for a pattern.
func TestScans(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a lake %20 äö'"{x},$~`)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	one := parquet(t, filepath.Join(dir, "one.parquet"), "{t: 1, a: 2, s: 3}", "SELECT TIMESTAMPTZ '2024-01-01 00:00:00Z' AS t, i::INTEGER AS a, 's' || i AS s FROM range(3) r(i)")
	two := parquet(t, filepath.Join(dir, "two.parquet"), "{renamed: 2, d: 4, b: 5}", "SELECT 9::INTEGER AS renamed, 1.5::DOUBLE AS d, true AS b")
	e := start(t, dir, nil)
	all := []ScanColumn{{1, schema.DiskTimestamptz}, {2, schema.DiskInt}, {3, schema.DiskString}, {4, schema.DiskDouble}, {5, schema.DiskBoolean}}
	q := &Query{
		SQL:     "SELECT epoch_us(c1), c2, c3, c4, c5 FROM scan_0 ORDER BY c2",
		Columns: columns(schema.Long, schema.Int, schema.String, schema.Real, schema.Bool),
		Scans:   []Scan{{Name: "scan_0", Columns: all, Files: []string{one, two}}},
	}
	want := [][]string{
		{"1704067200000000", "0", "s0", "null", "null"},
		{"1704067200000000", "1", "s1", "null", "null"},
		{"1704067200000000", "2", "s2", "null", "null"},
		{"null", "9", "null", "1.5", "true"},
	}
	got, _, err := ask(t.Context(), e, q)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("err %v, (-want +got)\n%s", err, diff)
	}
	q.Scans[0].Files = nil
	if got, _, err := ask(t.Context(), e, q); err != nil || len(got) != 0 {
		t.Errorf("no files give %v, %v", got, err)
	}
	// Rows are counted without a column, over two scans.
	got, _, err = ask(t.Context(), e, &Query{
		SQL: "SELECT (SELECT count(*) FROM scan_0), (SELECT count(*) FROM scan_1)", Columns: columns(schema.Long, schema.Long),
		Scans: []Scan{{Name: "scan_0", Files: []string{one, two}}, {Name: "scan_1"}},
	})
	if err != nil || got[0][0] != "4" || got[0][1] != "0" {
		t.Errorf("count: %v, %v", got, err)
	}
	q.Scans[0].Files = []string{dir + "/*.parquet"}
	if _, _, err := ask(t.Context(), e, q); err == nil || !strings.Contains(err.Error(), "takes for a pattern") {
		t.Errorf("a pattern: %v", err)
	}
	q.Scans[0].Files = []string{filepath.Join(dir, "gone.parquet")}
	if _, _, err := ask(t.Context(), e, q); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a missing file: %v", err)
	}
	works(t, e)
}

// TestGate tries statements that generated SQL never is.
func TestGate(t *testing.T) {
	dir := t.TempDir()
	file := parquet(t, filepath.Join(dir, "one.parquet"), "{a: 1}", "SELECT 1 AS a")
	outside := filepath.Join(t.TempDir(), "outside.csv")
	if err := os.WriteFile(outside, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e := start(t, dir, nil)
	w := e.warm
	// The engine wraps every question as a subquery, so the worker is asked
	// directly too, as a hijacked parent could.
	for _, text := range []string{
		"COPY (SELECT 2 AS a) TO " + literal(file) + " (FORMAT parquet, USE_TMP_FILE false)",
		"COPY (SELECT 2 AS a) TO " + literal(filepath.Join(dir, "new.parquet")),
		"ATTACH " + literal(filepath.Join(dir, "x.db")), "CREATE TABLE t(a INT)", "SELECT 1; SELECT 2", "PRAGMA version", "SET threads=9", "",
		"INSTALL httpfs", "LOAD httpfs", "CALL enable_profiling()", "EXPLAIN SELECT 1", "EXPORT DATABASE " + literal(dir), "DROP VIEW x",
		"SELECT count(*)::INT FROM read_csv(" + literal(outside) + ")", "SELECT content::VARCHAR AS c FROM read_text('/etc/passwd')",
		"SELECT getenv('HOME')", "SELECT count(*)::INT FROM glob('/etc/*')", "SELECT * FROM query('SELECT 1'); SELECT 2",
		"SELECT count(*)::INT FROM read_parquet('http://127.0.0.1:1/x.parquet')", "SELECT count(*)::INT FROM read_parquet(" + literal(dir+"/../"+filepath.Base(filepath.Dir(outside))+"/x.parquet") + ")",
	} {
		if _, _, err := ask(t.Context(), e, &Query{SQL: text, Columns: columns(schema.Int)}); err == nil {
			t.Errorf("%s as a subquery is answered", text)
		}
		reply := direct(t, w, text)
		if reply.Error == "" || reply.Memory {
			t.Errorf("%s: %+v", text, reply)
		}
		if strings.HasPrefix(text, "COPY") && !reply.Refused {
			t.Errorf("%s gets behind the gate: %+v", text, reply)
		}
	}
	after, err := os.ReadFile(file)
	if left, _ := os.ReadDir(dir); err != nil || string(before) != string(after) || len(left) != 1 {
		t.Errorf("the lake changed: %v, %v", left, err)
	}
	works(t, e)
	if e.warm != w {
		t.Error("the worker was lost")
	}
}

// direct sends one statement to a worker past the engine.
func direct(t *testing.T, w *worker, text string) *endReply {
	t.Helper()
	w.asked++
	if err := writeJSON(w.stdin, frameQuery, &request{ID: w.asked, SQL: text, Types: []schema.Type{schema.Int}}); err != nil {
		t.Fatal(err)
	}
	for {
		kind, payload, err := readFrame(w.stdout)
		if err != nil {
			t.Fatal(err)
		}
		if kind == frameEnd {
			reply := &endReply{}
			decode(t, payload, reply)
			return reply
		}
	}
}

// TestBombs asks for what DuckDB's own limits don't stop; each must end in one
// clear error, and the next question must work.
func TestBombs(t *testing.T) {
	e := start(t, t.TempDir(), func(c *Config) { c.MemoryBytes, c.Deadline = 3<<30, time.Second })
	for _, c := range []struct {
		sql  string
		want []error
	}{
		{"SELECT count(*) FROM (SELECT unnest(range(1000000000)))", []error{ErrMemory}},
		{"SELECT length(repeat('x', 4000000000))", []error{ErrMemory}},
		{"SELECT length(list_reduce(list_transform(range(1000000), lambda x: repeat('y', 5000)), lambda a, b: a || b))", []error{ErrMemory, ErrDeadline}},
		{"SELECT levenshtein(repeat('a', 90000), repeat('b', 90000))", []error{ErrDeadline}},
		{"SELECT count(*) FROM range(3000000) a(x), range(3000000) b(y) WHERE (x * y) % 7 = 3", []error{ErrDeadline}},
		{"SELECT max(length(s)) FROM (SELECT string_agg(repeat('z', 1000), ',') AS s FROM range(100000000))", []error{ErrMemory, ErrDeadline}},
	} {
		began := time.Now()
		got, _, err := ask(t.Context(), e, &Query{SQL: c.sql, Columns: columns(schema.Long)})
		took := time.Since(began)
		found := false
		for _, want := range c.want {
			found = found || errors.Is(err, want)
		}
		if !found || took > 3*time.Second || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v after %v", c.sql, got, err, took)
		}
		t.Logf("%.60s: %v after %v", c.sql, err, took)
		works(t, e)
	}
}

// TestCancel stops questions in every state: while they run, while rows wait to
// be read, in functions that can't be interrupted, and before they begin.
func TestCancel(t *testing.T) {
	var log strings.Builder
	e := start(t, t.TempDir(), func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		c.grace = 500 * time.Millisecond // a busy machine doesn't run an idle worker for a while
	})
	for _, c := range []struct {
		name, sql string
		kept      bool // the worker survives
	}{
		{"running", "SELECT count(*) FROM range(3000000) a(x), range(3000000) b(y) WHERE (x * y) % 7 = 3", true},
		{"sending", "SELECT i FROM range(3000000000) t(i)", true},
		{"stubborn", "SELECT levenshtein(repeat('a', 90000), repeat('b', 90000))", false},
	} {
		works(t, e)
		pid := e.warm.pid()
		ctx, cancel := context.WithCancel(t.Context())
		rows, err := e.Query(ctx, &Query{SQL: c.sql, Columns: columns(schema.Long), Unlimited: true})
		if err != nil {
			t.Fatal(err)
		}
		var began time.Time
		timer := time.AfterFunc(50*time.Millisecond, func() { began = time.Now(); cancel() })
		for rows.Next() {
			continue
		}
		err = rows.Close()
		took := time.Since(began)
		timer.Stop()
		cancel()
		if !errors.Is(err, context.Canceled) || took > 3*time.Second {
			t.Errorf("%s: %v after %v", c.name, err, took)
		}
		t.Logf("%s: %v after the cancel", c.name, took)
		if kept := e.warm != nil && e.warm.pid() == pid; kept != c.kept {
			t.Errorf("%s: worker kept: %v; log %s", c.name, kept, log.String())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := ask(ctx, e, &Query{SQL: "SELECT 1", Columns: columns(schema.Long)}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled question: %v", err)
	}
	works(t, e)
}

func TestCloseEarlyKeepsTheWorker(t *testing.T) {
	// A busy machine doesn't run an idle worker for a while.
	e := start(t, t.TempDir(), func(c *Config) { c.grace = 10 * time.Second })
	w := e.warm
	for range 20 {
		rows, err := e.Query(t.Context(), &Query{SQL: "SELECT i FROM range(3000000000) t(i)", Columns: columns(schema.Long)})
		if err != nil || !rows.Next() || rows.Int(0) != 0 {
			t.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		works(t, e)
	}
	if e.warm != w {
		t.Error("the worker was lost")
	}
}

func TestTruncation(t *testing.T) {
	e := start(t, t.TempDir(), func(c *Config) { c.MaxRows, c.MaxBytes = 10_000, 1<<20 })
	for _, c := range []struct {
		name, sql string
		unlimited bool
		rows      int
		truncated bool
	}{
		{"as many as the limit", "SELECT i, '' FROM range(10000) t(i)", false, 10_000, false},
		{"one more", "SELECT i, '' FROM range(10001) t(i)", false, 10_000, true},
		{"bytes", "SELECT i, repeat('x', 1000) FROM range(5000) t(i)", false, 1034, true},
		{"one long row", "SELECT i, repeat('x', 2000000) FROM range(3) t(i)", false, 1, true},
		{"unlimited", "SELECT i, repeat('x', 1000) FROM range(30000) t(i)", true, 30_000, false},
	} {
		got, rows, err := ask(t.Context(), e, &Query{SQL: c.sql, Columns: columns(schema.Long, schema.String), Unlimited: c.unlimited})
		if err != nil || rows.Truncated() != c.truncated || len(got) < c.rows || len(got) > c.rows+c.rows/50 || !c.truncated && len(got) != c.rows {
			t.Errorf("%s: %d rows, truncated %v, %v", c.name, len(got), rows.Truncated(), err)
		}
	}
	if _, _, err := ask(t.Context(), e, &Query{SQL: "SELECT 1, repeat('x', 40000000)", Columns: columns(schema.Long, schema.String)}); err == nil || !strings.Contains(err.Error(), "too long to send") {
		t.Errorf("a row longer than a frame: %v", err)
	}
	works(t, e)
}

// TestErrorBehindRows: an error in the middle of a stream must not look like its
// end.
func TestErrorBehindRows(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	got, _, err := ask(t.Context(), e, &Query{
		SQL:     "SELECT CASE WHEN i = 3000000 THEN error('late trouble')::BIGINT ELSE i END FROM range(5000000) t(i)",
		Columns: columns(schema.Long), Unlimited: true,
	})
	if err == nil || !strings.Contains(err.Error(), "late trouble") || len(got) == 0 {
		t.Errorf("%d rows, %v", len(got), err)
	}
	works(t, e)
}

func TestDeadWorkerIsReplaced(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	// Dead between questions.
	e.warm.signalKill()
	<-e.warm.exit
	works(t, e)
	// Dead while it answers.
	rows, err := e.Query(t.Context(), &Query{SQL: "SELECT i FROM range(3000000000) t(i)", Columns: columns(schema.Long), Unlimited: true})
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	rows.worker.signalKill()
	for rows.Next() {
		continue
	}
	if err := rows.Close(); !errors.Is(err, ErrWorker) {
		t.Errorf("err %v", err)
	}
	works(t, e)
}

func TestConcurrentQuestions(t *testing.T) {
	e := start(t, t.TempDir(), func(c *Config) { c.Workers = 3 })
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			got, _, err := ask(t.Context(), e, &Query{SQL: fmt.Sprintf("SELECT sum(i) + %d FROM range(100000) t(i)", i), Columns: columns(schema.Long)})
			if err != nil || got[0][0] != fmt.Sprint(4999950000+i) {
				t.Error(got, err)
			}
		})
	}
	wg.Wait()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Query(t.Context(), &Query{SQL: "SELECT 1", Columns: columns(schema.Int)}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed engine: %v", err)
	}
}

// TestSpill sorts more than DuckDB's memory holds.
func TestSpill(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("slow: set WADI_SLOW to spill a sort to disk")
	}
	e := start(t, t.TempDir(), func(c *Config) { c.MemoryBytes, c.Deadline = 3<<30, time.Minute })
	rows, err := e.Query(t.Context(), &Query{
		SQL:     "SELECT i, s FROM (SELECT hash(i)::VARCHAR || repeat('x', 400) || i AS s, i FROM range(3000000) t(i)) ORDER BY s",
		Columns: columns(schema.Long, schema.String), Unlimited: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	spilled, _ := filepath.Glob(filepath.Join(rows.worker.tempDir, "*"))
	n, last := 0, ""
	for rows.Next() {
		if n++; n%100_000 == 0 {
			more, _ := filepath.Glob(filepath.Join(rows.worker.tempDir, "*"))
			spilled = append(spilled, more...)
		}
		if string(rows.Text(1)) < last {
			t.Fatal("not in order")
		}
		last = string(rows.Text(1))
	}
	if err := rows.Close(); err != nil || n != 3_000_000 || len(spilled) == 0 {
		t.Errorf("%d rows, %v, spilled %v", n, err, spilled)
	}
}

func TestStartRefusals(t *testing.T) {
	for name, c := range map[string]Config{
		"a relative folder": {ReadDirs: []string{"lake"}},
		"too little memory": {MemoryBytes: 1 << 20},
		"no binary":         {Executable: "/nonexistent/wadi"},
		"another program":   {Executable: "/bin/true"},
		"no temp folder":    {TempDir: "/nonexistent"},
	} {
		c.TempDir = cmpOr(c.TempDir, t.TempDir())
		if e, err := Start(t.Context(), c); err == nil || !strings.HasPrefix(err.Error(), "cannot ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v", name, e, err)
		}
		if left, _ := filepath.Glob(filepath.Join(c.TempDir, "*")); len(left) > 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
}

// TestSweep: what a killed process left goes, what is in use or new stays.
func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd [name")
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"wadi-query-dead/spill", "wadi-query-new", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	used, lock, err := makeTemp(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	for _, name := range []string{filepath.Join(dir, "wadi-query-dead"), filepath.Join(dir, "other"), used} {
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	e := start(t, dir, func(c *Config) { c.TempDir = dir })
	left, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*"))
	if err != nil || len(left) != 4 { // new, other, used and the worker's
		t.Errorf("left %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "wadi-query-dead")); err == nil {
		t.Error("what a dead process left is still there")
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{used, filepath.Join(dir, "wadi-query-new"), filepath.Join(dir, "other")} {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
