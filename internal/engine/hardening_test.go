//go:build linux && cgo

package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/wadi-project/wadi/internal/schema"
)

// sqlVariable makes the test binary, as a worker, run statements without the gate
// and without DuckDB's own locks: what is left is the kernel's.
const sqlVariable = "WADI_TEST_SQL"

// ungated restricts itself as [Work] does, runs the statements of sqlVariable in an
// unlocked DuckDB, and reports which worked.
func ungated(stdin io.Reader, stdout io.Writer) error {
	var config workerConfig
	if err := readJSON(stdin, frameHello, &config); err != nil {
		return err
	}
	restrictProcess(&config)
	runtime.LockOSThread() // as DuckDB's threads are
	if r := restrictDuck(&config); len(r.Unconfined) > 0 {
		return fmt.Errorf("cannot restrict: %v", r.Unconfined)
	}
	var statements []string
	if err := json.Unmarshal([]byte(os.Getenv(sqlVariable)), &statements); err != nil {
		return err
	}
	var db bindings.Database
	var conn bindings.Connection
	if bindings.Open("", &db) != bindings.StateSuccess || bindings.Connect(db, &conn) != bindings.StateSuccess {
		return fmt.Errorf("cannot open DuckDB")
	}
	var worked []string
	for _, text := range statements {
		if execute(conn, text) == nil {
			worked = append(worked, text)
		}
	}
	return writeJSON(stdout, frameHello, &helloReply{Error: "worked: " + strings.Join(worked, "; ")})
}

// TestKernelHoldsWithoutTheGate runs what a way round gate and locks would: DuckDB
// itself reading outside the lake, writing into it, loading code, connecting.
func TestKernelHoldsWithoutTheGate(t *testing.T) {
	if err := landlockVersion(); err != nil {
		t.Skipf("this kernel has no Landlock (%v)", err)
	}
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside.csv")
	if err := os.WriteFile(outside, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := parquet(t, filepath.Join(dir, "one.parquet"), "{a: 1}", "SELECT 1 AS a")
	if err := os.Symlink(outside, filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	in := func(name string) string { return literal(filepath.Join(dir, name)) }
	mayWork := []string{"SELECT count(*) FROM read_parquet(" + in("one.parquet") + ")", "SELECT 1"}
	statements := append(slices.Clone(mayWork),
		"COPY (SELECT 2 AS a) TO "+in("one.parquet")+" (FORMAT parquet, USE_TMP_FILE false)",
		"COPY (SELECT 2 AS a) TO "+in("new.csv"), "ATTACH "+in("x.db"), "EXPORT DATABASE "+in("export"), "CHECKPOINT "+in("x"),
		"COPY (SELECT 2 AS a) TO "+literal(outside), "COPY (SELECT 2 AS a) TO '/tmp/wadi-test-"+filepath.Base(dir)+".csv'",
		"SELECT * FROM read_csv("+literal(outside)+")", "SELECT * FROM read_csv("+in("link.csv")+")", "SELECT * FROM read_text('/etc/passwd')",
		fmt.Sprintf("SELECT * FROM read_blob('/proc/%d/environ')", os.Getpid()),
		"INSTALL httpfs", "LOAD "+in("one.parquet"), "SET home_directory="+literal(dir),
		"SELECT * FROM read_csv('http://"+listener.Addr().String()+"/x.csv')",
	)
	statements = slices.DeleteFunc(statements, func(s string) bool { return strings.HasPrefix(s, "SET home") }) // harmless: it names a folder only
	tried, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Config{ReadDirs: []string{dir}, TempDir: t.TempDir(), Env: []string{sqlVariable + "=" + string(tried)}})
	if want := "cannot start the query worker: worked: " + strings.Join(mayWork, "; "); fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	after, err := os.ReadFile(file)
	left, _ := os.ReadDir(dir)
	if err != nil || string(before) != string(after) || len(left) != 2 {
		t.Errorf("the lake changed: %v, %v", left, err)
	}
}

// TestQuestionsStayInTheLake asks, by SELECTs that pass the gate, for what lies
// outside, also through the names that generated SQL uses.
func TestQuestionsStayInTheLake(t *testing.T) {
	dir := t.TempDir()
	parquet(t, filepath.Join(dir, "one.parquet"), "{a: 1}", "SELECT 1 AS a")
	other := t.TempDir()
	secret := parquet(t, filepath.Join(other, "secret.parquet"), "{a: 1}", "SELECT 42 AS a")
	if err := os.Symlink(secret, filepath.Join(dir, "link.parquet")); err != nil {
		t.Fatal(err)
	}
	e := start(t, dir, nil)
	column := []ScanColumn{{1, schema.DiskInt}}
	for name, q := range map[string]*Query{
		"a file outside":        {SQL: "SELECT c1 FROM scan_0", Scans: []Scan{{Name: "scan_0", Columns: column, Files: []string{secret}}}},
		"a link out of it":      {SQL: "SELECT c1 FROM scan_0", Scans: []Scan{{Name: "scan_0", Columns: column, Files: []string{filepath.Join(dir, "link.parquet")}}}},
		"a way up":              {SQL: "SELECT c1 FROM scan_0", Scans: []Scan{{Name: "scan_0", Columns: column, Files: []string{dir + "/../" + filepath.Base(other) + "/secret.parquet"}}}},
		"a stage's file":        {SQL: "SELECT 1", Stages: []Stage{{Table: "stage_0", SQL: "SELECT '[1]'", Op: "series_stats", In: []schema.Type{schema.Dynamic}, Scans: []Scan{{Name: "scan_0", Columns: column, Files: []string{secret}}}, Out: []Column{{"v1", schema.Real}}}}},
		"by a function":         {SQL: "SELECT a FROM read_parquet(" + literal(secret) + ")"},
		"by a list of files":    {SQL: "SELECT count(*) FROM glob(" + literal(other+"/*") + ")"},
		"by text":               {SQL: "SELECT length(content) FROM read_text(" + literal(secret) + ")"},
		"the environment":       {SQL: "SELECT length(getenv('PATH'))"},
		"a table made":          {SQL: "SELECT 1 FROM query('CREATE TABLE x(y INT)')"},
		"a file written":        {SQL: "SELECT 1 FROM query(" + literal("COPY (SELECT 1) TO "+literal(filepath.Join(dir, "new.csv"))) + ")"},
		"a connection":          {SQL: "SELECT a FROM read_parquet('http://127.0.0.1:1/x.parquet')"},
		"an attached database":  {SQL: "SELECT count(*) FROM sqlite_scan(" + literal(filepath.Join(dir, "x.db")) + ", 'x')"},
		"a changed setting":     {SQL: "SELECT set_config('threads', '9')"},
		"an extension's loader": {SQL: "SELECT 1 FROM load_extension('httpfs')"},
	} {
		q.Columns = columns(schema.Long)
		if got, _, err := ask(t.Context(), e, q); err == nil {
			t.Errorf("%s is answered: %v", name, got)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("the lake changed: %v, %v", left, err)
	}
	works(t, e)
}
