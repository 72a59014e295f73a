package engine

import (
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

func TestStatement(t *testing.T) {
	got, err := statement(&Query{
		SQL:     "SELECT c1 FROM scan_0, scan_1",
		Columns: []Column{{"User Name'", schema.String}, {"n", schema.TimeSpan}},
		Scans: []Scan{
			{Name: "scan_0", Columns: []ScanColumn{{1, schema.DiskString}, {100, schema.DiskTimestamptz}}, Files: []string{"/a/it's.parquet", "/b"}},
			{Name: "scan_1"},
		},
	}, 10)
	want := `WITH scan_0 AS NOT MATERIALIZED (SELECT c1, c100 FROM read_parquet(['/a/it''s.parquet', '/b'], schema=MAP {1: {name: 'c1', type: 'VARCHAR', default_value: NULL}, 100: {name: 'c100', type: 'TIMESTAMP WITH TIME ZONE', default_value: NULL}}, hive_partitioning=false)),
scan_1 AS NOT MATERIALIZED (SELECT 1 AS c0 WHERE false)
SELECT CAST(r0 AS VARCHAR), CAST(r1 AS BIGINT)
FROM (
SELECT c1 FROM scan_0, scan_1
) AS result(r0, r1) LIMIT 11`
	if err != nil || got != want {
		t.Errorf("err %v\ngot  %s\nwant %s", err, got, want)
	}
}

func TestStatementRefuses(t *testing.T) {
	one := []Column{{"a", schema.Int}}
	for name, q := range map[string]*Query{
		"no column":      {SQL: "SELECT 1"},
		"too many":       {SQL: "SELECT 1", Columns: make([]Column, maxColumns+1)},
		"a name":         {SQL: "SELECT 1", Columns: one, Scans: []Scan{{Name: "a b"}}},
		"a disk type":    {SQL: "SELECT 1", Columns: one, Scans: []Scan{{Name: "a", Columns: []ScanColumn{{1, 99}}}}},
		"a pattern":      {SQL: "SELECT 1", Columns: one, Scans: []Scan{{Name: "a", Files: []string{"/a[1]/x"}}}},
		"a zero in path": {SQL: "SELECT 1", Columns: one, Scans: []Scan{{Name: "a", Files: []string{"/a\x00"}}}},
	} {
		if text, err := statement(q, 1); err == nil || !strings.HasPrefix(err.Error(), "cannot ") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}
