package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTableCommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	for _, c := range []struct {
		args []string
		code Code
		// want is part of the output, of standard error where the code isn't 0.
		want string
	}{
		{[]string{"table", "list"}, CodeFailed, "no such folder"},
		{[]string{"table", "create", "Probe", "n:int"}, CodeUsage, "ends with _CL: Probe_CL"},
		{[]string{"table", "create", "Probe_CL", "n:integer"}, CodeUsage, "hint: columns are written as"},
		{[]string{"table", "create", "Probe_CL", "TimeGenerated:datetime, client:int, n:long"}, CodeDone, "Table Probe_CL is made, with TimeGenerated:datetime, client:int, n:long."},
		{[]string{"table", "create", "Probe_CL", "n:long"}, CodeNothingDone, "there is a table Probe_CL already"},
		{[]string{"table", "create", "probe_CL", "n:long"}, CodeNothingDone, "differ only by case"},
		{[]string{"table", "alter", "Probe_CL", "drop", "n:long"}, CodeUsage, "only be added"},
		{[]string{"table", "alter", "Probe_CL", "add", "N:long"}, CodeUsage, "differ only by case"},
		{[]string{"table", "alter", "Probe_CL", "add", "x:int"}, CodeDone, "client:int, n:long, x:int now."},
		{[]string{"table", "alter", "Nosuch_CL", "add", "x:int"}, CodeUsage, "there is no such table"},
		{[]string{"table", "list"}, CodeDone, "probe_cl   TimeGenerated:datetime, client:int, n:long, x:int"},
		{[]string{"table", "list", "--json"}, CodeDone, `[{"table":"Probe_CL","stored_as":"probe_cl","version":2,"columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"client","type":"int"}`},
		{[]string{"tables", "--all"}, CodeDone, "Probe_CL"},
		{[]string{"tables", "Probe_CL"}, CodeDone, "client"},
		{[]string{"tables", "Probe_C"}, CodeUsage, "did you mean Probe_CL?"},
		{[]string{"query", "--format", "csv", "Probe_CL | where x > 1 | count"}, CodeDone, "Count\n0\n"},
		{[]string{"query", "Probe_CL | where y > 1"}, CodeUsage, "y"},
		{[]string{"lake", "retention", "Probe_CL", "30"}, CodeDone, ""},
		{[]string{"lake", "retention", "probe_cl"}, CodeDone, "30 days"},
		{[]string{"lake", "hold", "add", "Probe_CL"}, CodeDone, "Hold "},
		{[]string{"lake", "hold", "list"}, CodeDone, "probe_cl"},
		{[]string{"lake", "delete", "Probe_CL", "--where", "n == 1"}, CodeDone, "0 rows are deleted"},
		{[]string{"query", "--format", "csv", "wadi_audit | where Action == 'table' | sort by _Seq asc | project TableName, Object, tostring(Detail.alter)"}, CodeDone, "TableName,Object,Detail_alter\nprobe_cl,Probe_CL,\nprobe_cl,Probe_CL,\"[\"\"x:int\"\"]\"\n"},
	} {
		code, out, errs := run(t, "", append([]string{"--data", dir}, c.args...)...)
		if c.code != CodeDone {
			out = errs
		}
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%q: code %d, want %d: %q is not in %s%s", c.args, code, c.code, c.want, out, errs)
		}
	}
}
