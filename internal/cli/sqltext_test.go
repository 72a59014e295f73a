package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLayOut(t *testing.T) {
	const sql = "SELECT v1 AS r0 FROM (SELECT *, f((SELECT max(v2) FROM scan_1), 2) AS v1 FROM scan_0 WHERE (v3 = 'a (SELECT '' FROM b') ORDER BY v1) AS l ANTI JOIN (SELECT 1) AS r ON a LIMIT 3"
	const want = `SELECT v1 AS r0
FROM (
  SELECT *, f((
    SELECT max(v2)
    FROM scan_1
  ), 2) AS v1
  FROM scan_0
  WHERE (v3 = 'a (SELECT '' FROM b')
  ORDER BY v1
) AS l
ANTI JOIN (
  SELECT 1
) AS r ON a
LIMIT 3`
	if diff := cmp.Diff(want, layOut(sql)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzLayOut(f *testing.F) {
	f.Add("SELECT a FROM (SELECT 'x'')' FROM b) WHERE c")
	f.Add("))(SELECT ((SELECT '")
	f.Fuzz(func(t *testing.T, sql string) {
		bare := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if got := layOut(sql); bare(got) != bare(sql) {
			t.Errorf("%q becomes %q", sql, got)
		}
	})
}
