//go:build cgo

package duck_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/bind"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/schema"
)

// storedRows are rows of windows_events with nulls where events have none:
// c1 TimeGenerated, c2 _TimeSub, c4 _Source, c5 _Seq, c6 _Table, c10 EventXml,
// c13 Channel, c17 EventID, c20 Level, c30 Computer.
const storedRows = `SELECT * FROM (VALUES
	(TIMESTAMPTZ '2026-01-01 00:00:00+00', 0, 1, 1, 'SecurityEvent', '<EventData>user_name=bob</EventData></Event>', 'Security', 4624, 0, 'DC1.corp'),
	(TIMESTAMPTZ '2026-01-01 00:59:59.999999+00', 9, 1, 2, 'SecurityEvent', '<EventData>run mimikatz.exe now</EventData></Event>', 'Security', 4625, 0, 'dc1.corp'),
	(TIMESTAMPTZ '2026-01-01 01:00:00+00', 1, 1, 3, 'SecurityEvent', '<EventData>x</EventData></Event>', 'Security', 4625, NULL, NULL),
	(TIMESTAMPTZ '1601-01-01 00:00:00+00', 7, 2, 1, 'Event', '</Event>', 'System', 100, 2, 'web.1'),
	(TIMESTAMPTZ '2026-01-02 12:00:00+00', 2, 2, 2, 'Event', '</Event>', NULL, NULL, 4, '')
) AS t(c1, c2, c4, c5, c6, c10, c13, c17, c20, c30)`

// withScans puts a statement over relations as the engine does.
func withScans(db *sql.DB, s *duck.Statement, file string) string {
	var parts []string
	for _, scan := range s.Scans {
		from := "(" + storedRows + ")"
		if scan.Table == schema.Sources {
			from = "(SELECT * FROM (VALUES (1, 'ir-7', 'a.evtx', 'h'), (2, NULL, 'b.evtx', NULL)) AS t(c3, c11, c9, c8))"
		} else if file != "" {
			from = "read_parquet('" + file + "')"
		}
		have := map[string]bool{}
		if rows, err := db.Query("DESCRIBE SELECT * FROM " + from); err == nil {
			for rows.Next() {
				var name string
				var rest [5]any
				if rows.Scan(&name, &rest[0], &rest[1], &rest[2], &rest[3], &rest[4]) == nil {
					have[name] = true
				}
			}
			rows.Close()
		}
		var cols []string
		for _, i := range scan.Columns {
			name := fmt.Sprintf("c%d", scan.Table.Columns[i].FieldID)
			if !have[name] {
				name = "CAST(NULL AS VARCHAR) AS " + name
			}
			cols = append(cols, name)
		}
		if len(cols) == 0 {
			cols = []string{"1 AS c0"}
		}
		parts = append(parts, scan.Name+" AS NOT MATERIALIZED (SELECT "+strings.Join(cols, ", ")+" FROM "+from+")")
	}
	return "WITH " + strings.Join(parts, ", ") + " "
}

func emit(t testing.TB, query string) *duck.Statement {
	t.Helper()
	q, diags := syntax.Parse(query)
	if len(diags) > 0 {
		t.Fatalf("%s: %v", query, diags[0])
	}
	p, diags := bind.Bind(q, env)
	if len(diags) > 0 {
		t.Fatalf("%s: %v", query, diags[0])
	}
	s, err := duck.Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openDB(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("SET TimeZone = 'UTC'"); err != nil {
		t.Fatal(err)
	}
	registerGo(t, db)
	return db
}

// TestStoredRows checks what queries of stored rows give, row by row.
func TestStoredRows(t *testing.T) {
	db := openDB(t)
	for _, c := range []struct{ query, want string }{
		{`windows_events | count`, `[5]`},
		{`windows_events | where EventID != 4625 | count`, `[3]`}, // the null among them
		{`windows_events | where not(EventID == 4625) | count`, `[3]`},
		{`windows_events | where not(EventID > 4000) | count`, `[1]`}, // null > 4000 is null
		{`windows_events | where Channel != "Security" | count`, `[2]`},
		{`windows_events | where Channel == "" | count`, `[1]`},
		{`windows_events | where isempty(Computer) | count`, `[2]`},
		{`windows_events | where Computer =~ "dc1.CORP" | count`, `[2]`},
		{`windows_events | where Computer !~ "dc1.CORP" | count`, `[3]`},
		{`windows_events | where Channel in ("Security", "") | count`, `[4]`},
		{`windows_events | where Channel !in ("Security") | count`, `[2]`},
		{`windows_events | where EventID == "4625" | count`, `[2]`},
		{`windows_events | where EventXml has "user" | count`, `[1]`},
		{`windows_events | where EventXml has "user_name=bob" | count`, `[1]`},
		{`windows_events | where EventXml has "mimi" | count`, `[0]`},
		{`windows_events | where EventXml hasprefix "mimi" | count`, `[1]`},
		{`windows_events | where EventXml !has "mimikatz" | count`, `[4]`},
		{`windows_events | where Channel !contains "sec" | count`, `[2]`},
		{`windows_events | where TimeGenerated >= datetime(2026-01-01T01:00:00.0000001Z) | count`, `[2]`},
		{`windows_events | where TimeGenerated > datetime(2026-01-01T01:00:00.0000001Z) | count`, `[1]`},
		{`windows_events | where TimeGenerated <= datetime(2026-01-01T00:59:59.9999999Z) | count`, `[3]`},
		{`windows_events | where TimeGenerated < datetime(2026-01-01T00:59:59.9999999Z) | count`, `[2]`},
		{`windows_events | where TimeGenerated == datetime(2026-01-01T00:59:59.9999999Z) | count`, `[1]`},
		{`windows_events | where TimeGenerated between (datetime(2026-01-01) .. 1h) | count`, `[2]`},
		{`windows_events | where TimeGenerated > ago(1d) | count`, `[1]`},
		{`windows_events | where TimeGenerated > now() | count`, `[1]`}, // one tick later
		{`windows_events | where EventID == 4625 | project TimeGenerated`, `[2026-01-01T00:59:59.9999999Z] [2026-01-01T01:00:00.0000001Z]`},
		{
			`windows_events | summarize count() by bin(TimeGenerated, 1h) | sort by TimeGenerated asc`,
			`[1601-01-01T00:00:00.0000000Z 1] [2026-01-01T00:00:00.0000000Z 2] [2026-01-01T01:00:00.0000000Z 1] [2026-01-02T12:00:00.0000000Z 1]`,
		},
		{
			`windows_events | summarize count() by bin(TimeGenerated, 7d) | sort by TimeGenerated asc`,
			`[1601-01-01T00:00:00.0000000Z 1] [2025-12-29T00:00:00.0000000Z 4]`,
		},
		{`windows_events | summarize count() by bin(TimeGenerated, 3tick) | count`, `[5]`},
		{`windows_events | summarize count() by Channel | sort by Channel asc`, `[ 1] [Security 3] [System 1]`},
		{`windows_events | summarize min(EventID), max(EventID), avg(EventID), dcount(Computer)`, `[100 4625 3493.5 4]`},
		{`windows_events | sort by EventID asc | project EventID`, `[<nil>] [100] [4624] [4625] [4625]`},
		{`windows_events | sort by EventID | project EventID`, `[4625] [4625] [4624] [100] [<nil>]`},
		{`windows_events | top 2 by TimeGenerated asc | project TimeGenerated`, `[1601-01-01T00:00:00.0000007Z] [2026-01-01T00:00:00.0000000Z]`},
		{`windows_events | extend n = EventID == 4625, m = Level != 0 | project n, m`, `[false false] [true false] [true true] [false true] [false true]`},
		{`windows_events | where _Case == "ir-7" | count`, `[3]`},
		{`windows_events | where EventID == 100 | project _ItemId, _SourceFile, _Case`, `[2-1 b.evtx ]`},
		{`SecurityEvent | count`, `[3]`},
		{`SecurityEvent | where Activity == "4625 - failed" | count`, `[2]`},
		{`SecurityEvent | summarize by Activity | sort by Activity asc`, `[4624 - logon] [4625 - failed]`},
		{`SecurityEvent | take 1 | project Account, Type, Level, SourceComputerId`, `[\DC1 SecurityEvent 0 ]`},
	} {
		s := emit(t, c.query)
		rows, err := db.Query(withScans(db, s, "") + wrapped(s))
		if err != nil {
			t.Errorf("%s: %v\n%s", c.query, err, s.SQL)
			continue
		}
		got, err := printRows(rows, s)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s\n%s", c.query, got, c.want, s.SQL)
		}
	}
}

// TestComputed checks answers that neither oracle covers.
func TestComputed(t *testing.T) {
	db := openDB(t)
	for _, c := range []struct{ query, want string }{
		{
			`datatable(t:datetime)[datetime(null), datetime(0001-01-03), datetime(9999-12-31)] | project startofweek(t), endofweek(t), startofmonth(t), endofyear(t), startofday(t)`,
			`[<nil> <nil> <nil> <nil> <nil>] [0001-01-01T00:00:00.0000000Z 0001-01-06T23:59:59.9999999Z 0001-01-01T00:00:00.0000000Z 0001-12-31T23:59:59.9999999Z 0001-01-03T00:00:00.0000000Z] [9999-12-26T00:00:00.0000000Z <nil> 9999-12-01T00:00:00.0000000Z 9999-12-31T23:59:59.9999999Z 9999-12-31T00:00:00.0000000Z]`,
		},
		{`datatable(x:real)[1.5, real(null), real(nan), -2.0] | sort by x asc`, `[<nil>] [NaN] [-2] [1.5]`},
		{`datatable(x:real)[1.5, real(null), real(nan), -2.0] | sort by x`, `[1.5] [-2] [NaN] [<nil>]`},
		{
			`datatable(x:real)[1e15, 1e16, 123456789012345678.0, 0.00001, -1234567890123456.0, 1.0, 1e100] | project tostring(x)`,
			`[1E+15] [1E+16] [1.2345678901234568E+17] [1E-05] [-1.234567890123456E+15] [1.0] [1E+100]`,
		},
		{
			`datatable(x:long)[-9223372036854775808, 9223372036854775807] | project abs(x), -x, x * 2, x - 1, x % 7`,
			`[-9223372036854775808 -9223372036854775808 0 9223372036854775807 6] [9223372036854775807 -9223372036854775807 -2 9223372036854775806 0]`,
		},
		{`datatable(t:datetime)[datetime(9999-12-31), datetime(2026-01-01)] | project t + 1d, t - 800000d`, `[<nil> 7809-09-03T00:00:00.0000000Z] [2026-01-02T00:00:00.0000000Z <nil>]`},
		{`print pow(10.0, 308) * 10, exp(1000.0), sqrt(-1.0), log(0.0)`, `[Infinity Infinity NaN -Infinity]`},
		{
			`datatable(s:string)["a,b", "", "x"] | project split(s, ",")[0], tostring(split(s, ",")[1]), split(s, ",")[-1], split(s, ",")`,
			`[a b b [a b]] [   []] [x  x [x]]`,
		},
		{
			`datatable(s:string, n:string)["user_name", "user", "username", "user", "a-b c", "-b", "ab", ""] | project s has n, s contains n, s hasprefix n, s startswith n, s has_cs n`,
			`[true true true true true] [false true true true false] [true true true false true] [true true true true true]`,
		},
	} {
		s := emit(t, c.query)
		rows, err := db.Query(wrapped(s))
		if err != nil {
			t.Errorf("%s: %v\n%s", c.query, err, s.SQL)
			continue
		}
		got, err := printRows(rows, s)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.query, err, got, c.want)
		}
	}
}

// TestFolding checks that a constant and a column's value give the same: the first
// is computed by the binder, the other by DuckDB.
func TestFolding(t *testing.T) {
	db := openDB(t)
	const functions = `startofday(t), endofday(t), startofweek(t), endofweek(t), startofmonth(t), endofmonth(t), startofyear(t), endofyear(t),
		bin(t, 1h), bin(t, 7d), t + 3d, t - 36h, t - datetime(2000-01-01), bin(n, 7), n * n, n + 9223372036854775807, -n, todouble(n), tolong(todouble(n))`
	for _, at := range []string{"0001-01-01", "0001-01-05T03:04:05.1234567Z", "1601-01-01", "1969-12-31T23:59:59.9999999Z", "2024-02-29T12:00:00Z", "2026-01-01", "9999-11-30T23:00:00Z"} {
		for _, n := range []string{"0", "-1", "13", "-8", "3037000500", "9223372036854775807"} {
			column := "datatable(t:datetime, n:long)[datetime(" + at + "), " + n + "] | project " + functions
			folded := "let t = datetime(" + at + "); let n = long(" + n + "); print " + functions
			a, err := run(db, emit(t, column))
			if err != nil {
				t.Fatal(err)
			}
			b, err := run(db, emit(t, folded))
			if err != nil {
				t.Fatal(err)
			}
			if n == "9223372036854775807" { // tolong beyond the end differs between the two in Kusto too
				a[0], b[0] = a[0][:len(a[0])-1], b[0][:len(b[0])-1]
			}
			if fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("%s, %s:\ncolumn %v\nfolded %v", at, n, a, b)
			}
		}
	}
}

// TestDeepest checks that DuckDB takes the deepest nesting that passes.
func TestDeepest(t *testing.T) {
	db := openDB(t)
	for _, query := range []string{
		"datatable(a:long)[1]" + strings.Repeat(" | extend a = a + 1 | where a > 0", 150),
		"print a = " + strings.Repeat("(", 190) + "1" + strings.Repeat(" + 1)", 190),
		"print a = 1" + strings.Repeat(" + 1", 300),
		"print a = 1 | where " + strings.Repeat("a == 5 or ", 1500) + "a == 1",
	} {
		s := emit(t, query)
		rows, err := db.Query(wrapped(s))
		if err != nil {
			t.Errorf("%.60s: %v", query, err)
			continue
		}
		if got, err := scanRows(rows, s); err != nil || len(got) != 1 {
			t.Errorf("%.60s: %v %v", query, got, err)
		}
	}
}

func printRows(rows *sql.Rows, s *duck.Statement) (string, error) {
	out, err := scanRows(rows, s)
	parts := make([]string, len(out))
	for i, r := range out {
		parts[i] = fmt.Sprint(r)
	}
	return strings.Join(parts, " "), err
}

// TestPushDown reads DuckDB's plan: conditions on stored columns must reach the
// Parquet reader, and only the columns in use may be read.
func TestPushDown(t *testing.T) {
	db := openDB(t)
	file := filepath.Join(t.TempDir(), "events.parquet")
	if _, err := db.Exec("COPY (" + storedRows + ") TO '" + file + "' (FORMAT parquet)"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{`windows_events | where TimeGenerated >= datetime(2026-01-01) and TimeGenerated < datetime(2026-01-02) | count`, []string{"c1>='2026-01-01 00:00:00+00'", "c1<'2026-01-02 00:00:00+00'"}},
		{`windows_events | where TimeGenerated > ago(1d) | count`, []string{"c1>='2026-01-01 12:00:00+00'"}},
		{`windows_events | where EventID == 4625 and Channel == "Security" | count`, []string{"c17=4625", "c13='Security'"}},
		{`SecurityEvent | where EventID == "4625" | project EventID`, []string{"c17=4625", "c6='SecurityEvent'"}},
		{`SecurityEvent | extend e = EventID | where e in (4624, 4625) | summarize count() by e`, []string{"c17>=4624 AND c17<=4625"}},
	} {
		s := emit(t, c.query)
		var key, text string
		if err := db.QueryRow("EXPLAIN "+withScans(db, s, file)+wrapped(s)).Scan(&key, &text); err != nil {
			t.Fatal(err)
		}
		_, scan, ok := strings.Cut(text, "READ_PARQUET")
		if !ok {
			t.Fatalf("%s: no scan in\n%s", c.query, text)
		}
		flat := strings.NewReplacer("│", "", "\n", "", " ", "").Replace(scan) // the boxes wrap anywhere
		for _, want := range c.want {
			if !strings.Contains(flat, strings.ReplaceAll(want, " ", "")) {
				t.Errorf("%s: the scan lacks %s:\n%s", c.query, want, text)
			}
		}
		if strings.Contains(flat, "c10") {
			t.Errorf("%s reads EventXml:\n%s", c.query, text)
		}
	}
}
