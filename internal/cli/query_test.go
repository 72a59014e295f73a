package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// days is a table of three days and two machines.
const days = `datatable(Day: datetime, Computer: string, n: long)[
	datetime(2026-10-18), "dc01", 12, datetime(2026-10-19), "dc01", 40, datetime(2026-10-21), "dc01", 7,
	datetime(2026-10-18), "ws, 2", 3, datetime(2026-10-19), "ws, 2", long(null), datetime(2026-10-21), "ws, 2", 5] `

func TestQueryFormats(t *testing.T) {
	dir := demoLake(t)
	for _, format := range []string{"table", "json", "jsonl", "csv"} {
		code, out, errs := run(t, "", "--data", dir, "query", "--format", format, days+"| extend Age = datetime(2026-10-22T06:00:00) - Day, big = n > 10, third = n / 3.0")
		if code != CodeDone || errs != "" {
			t.Fatalf("%s: code %d, %s", format, code, errs)
		}
		golden(t, "query-"+format, out)
		if format == "json" && !json.Valid([]byte(out)) {
			t.Errorf("no JSON: %s", out)
		}
	}
	for kind, render := range map[string]string{
		"timechart": "| render timechart", "timechart-one": "| where Computer == 'dc01' | render timechart with (title = 'dc01')",
		"barchart": "| project Computer, n | render barchart", "columnchart": "| where Computer == 'dc01' | project Day, n | render columnchart",
		"piechart": "| summarize sum(n) by Computer | sort by Computer asc | render piechart", "table": "| render table",
		"columns-stacked": "| project Day, Computer, n | render columnchart with (kind = stacked)", "accumulated": "| where Computer == 'dc01' | render timechart with (accumulate = true)",
		"two-values":   "| where Computer == 'dc01' | project Day, n, half = n / 2.0 | render linechart with (title = 'both', xtitle = 'day')",
		"timespans":    "| where Computer == 'dc01' | project Computer = strcat(Computer, n), Age = datetime(2026-10-22) - Day | render barchart with (ytitle = '')",
		"make-series":  "| make-series n = sum(n) on Day from datetime(2026-10-18) to datetime(2026-10-22) step 1d by Computer | render timechart",
		"scatterchart": "| project n, big = n * n | render scatterchart",
	} {
		code, out, errs := run(t, "", "--data", dir, "query", days+render)
		if code != CodeDone || errs != "" || strings.Contains(out, "\x1b") {
			t.Fatalf("%s: code %d, %s", kind, code, errs)
		}
		golden(t, "render-"+kind, out)
	}
	// A wide result without a terminal is shown as records, without what is empty.
	_, out, _ := run(t, "", "--data", dir, "query", "SecurityEvent | where EventID == 4720 | take 1")
	if !strings.Contains(out, "\nActivity  ") || strings.Contains(out, "CommandLine") {
		t.Errorf("a whole row: %s", out)
	}
}

func TestQuestionsFromElsewhere(t *testing.T) {
	dir := demoLake(t)
	file := filepath.Join(t.TempDir(), "question.kql")
	if err := os.WriteFile(file, []byte("\ufeff// of a file\nprint a = 1\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		stdin string
		args  []string
	}{
		"argument": {"", []string{"print a = 1"}},
		"stdin":    {"print a = 1\n", []string{"-"}},
		"file":     {"", []string{"--file", file}},
	} {
		code, out, errs := run(t, c.stdin, append([]string{"--data", dir, "query", "--format", "csv"}, c.args...)...)
		if code != CodeDone || out != "a\n1\n" || errs != "" {
			t.Errorf("%s: code %d, %q, %s", name, code, out, errs)
		}
	}
}

func TestQueryRefusals(t *testing.T) {
	dir := demoLake(t)
	missing := filepath.Join(t.TempDir(), "missing")
	for name, c := range map[string]struct {
		want Code
		says string
		args []string
	}{
		"no question":      {CodeUsage, "there is no question", []string{"query"}},
		"two questions":    {CodeUsage, "two questions", []string{"query", "print 1", "--file", "x"}},
		"an odd format":    {CodeUsage, "cannot print as", []string{"query", "--format", "xml", "print 1"}},
		"explained as csv": {CodeUsage, "cannot explain as", []string{"query", "--explain", "--format", "csv", "print 1"}},
		"no such column":   {CodeUsage, "no such column", []string{"query", "SecurityEvent | take 2 | project Computer, EventID | render barchart with (ycolumns = Nope)"}},
		"no such folder":   {CodeFailed, "cannot write the answer", []string{"query", "--out", filepath.Join(missing, "a.csv"), "print 1"}},
		"no such file":     {CodeFailed, "no such file", []string{"query", "--file", missing}},
		"no lake":          {CodeFailed, "missing", []string{"--data", missing, "query", "print 1"}},
		"an unknown name":  {CodeUsage, "'EventIDD'", []string{"query", "SecurityEvent | where EventIDD == 1"}},
		"no number":        {CodeUsage, "no column of numbers", []string{"query", "SecurityEvent | take 2 | project Computer | render barchart"}},
	} {
		code, out, errs := run(t, "", append([]string{"--data", dir}, c.args...)...)
		if code != c.want || out != "" || !strings.HasPrefix(errs, "wadi: cannot ") || !strings.Contains(errs, c.says) {
			t.Errorf("%s: code %d, stdout %q, stderr %s", name, code, out, errs)
		}
	}
	_, _, errs := run(t, "", "--data", dir, "query", "SecurityEvent\n| where EventIDD == 1 and\x1b[31m Leveel == 2")
	if !strings.Contains(errs, "at 2:") || !strings.Contains(errs, "\n  | where EventIDD == 1 and") || !strings.Contains(errs, "^") || strings.Contains(errs, "\x1b") {
		t.Errorf("mistakes: %s", errs)
	}
}

// TestHostileText stores nothing: the question itself makes the text.
func TestHostileText(t *testing.T) {
	dir := demoLake(t)
	const question = `print a = "\x1b]0;owned\x07 line\nline", b = "rtl \u202e", ['na\u001bme'] = 1`
	for _, format := range []string{"table", "json", "jsonl"} {
		code, out, errs := run(t, "", "--data", dir, "query", "--format", format, question)
		if code != CodeDone || strings.ContainsAny(strings.TrimSuffix(out, "\n"), "\x1b\x07\u009b") || !strings.Contains(out, "owned") {
			t.Errorf("%s: code %d, %q %s", format, code, out, errs)
		}
	}
}

func TestTruncatedResultSaysSo(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("slow: set WADI_SLOW to make more than 64 MB of rows")
	}
	dir := filepath.Join(t.TempDir(), "lake")
	if code, _, errs := run(t, "", "--data", dir, "demo", "--events", "60000", "--until", "2026-11-01"); code != CodeDone {
		t.Fatal(errs)
	}
	const question = "windows_events | project _Xml, x2 = _Xml"
	code, out, errs := run(t, "", "--data", dir, "query", "--format", "jsonl", question)
	if code != CodeDone || !strings.Contains(errs, "the result is cut after ") || !strings.Contains(errs, "\nhint: ") || len(out) < 64<<20 || len(out) > 80<<20 {
		t.Errorf("code %d, %d bytes, %s", code, len(out), errs)
	}
	code, out, errs = run(t, "", "--data", dir, "query", "--format", "jsonl", "set notruncation; "+question)
	if code != CodeDone || errs != "" || strings.Count(out, "\n") != 60000 {
		t.Errorf("code %d, %d rows, %s", code, strings.Count(out, "\n"), errs)
	}
}

func TestTablesLists(t *testing.T) {
	dir := demoLake(t)
	code, out, errs := run(t, "", "--data", dir, "tables")
	if code != CodeDone || errs != "" {
		t.Fatalf("code %d, %s", code, errs)
	}
	var names []string
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	want := []string{"Table", "──────────────", "SecurityEvent", "Event", "W3CIISLog", "windows_events", "w3c_iis", "sources", "ledger"}
	if diff := cmp.Diff(want, names[:min(len(names), len(want))]); diff != "" || !strings.Contains(out, "have no rows") {
		t.Errorf("(-want +got):\n%s\n%s", diff, out)
	}
	if _, all, _ := run(t, "", "--data", dir, "tables", "--all"); !strings.Contains(all, "\nSyslog ") || strings.Contains(all, "have no rows") {
		t.Errorf("--all: %s", all)
	}
}

func TestErrorsInColours(t *testing.T) {
	_, err := query.Compile("SecurityEvent\n|\twhere EventIDD == 1", schema.Builtin(), time.Now())
	var plain, coloured strings.Builder
	if reportTo(&plain, err, false) != CodeUsage || reportTo(&coloured, err, true) != CodeUsage {
		t.Error("no usage error")
	}
	if !strings.Contains(plain.String(), "\n  |    where EventIDD == 1\n             ^^^^^^^^\n") {
		t.Errorf("%s", plain.String())
	}
	if !strings.Contains(coloured.String(), "\x1b[1;31m             ^^^^^^^^\x1b[0m\n") {
		t.Errorf("%q", coloured.String())
	}
	if bare := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(coloured.String(), ""); bare != plain.String() {
		t.Errorf("%q is not %q but for colours", bare, plain.String())
	}
}

func TestExplain(t *testing.T) {
	dir := demoLake(t)
	const question = "SecurityEvent | where EventID == 4625 | summarize count() by Computer"
	code, out, errs := run(t, "", "--data", dir, "query", "--explain", question)
	if code != CodeDone || errs != "" {
		t.Fatalf("code %d, %s", code, errs)
	}
	for _, want := range []string{"Plan\n", "\nSQL\n  ", "\nFiles\n  scan_0 is windows_events: ", "    reads ", ".parquet\n", "\nTime\n  open the lake", "\n  parse ", "\n  total ", " ms\n", "\nRows: "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	code, out, errs = run(t, "", "--data", dir, "query", "--explain", "--format", "json", question)
	var report struct {
		Plan  string
		Parts []struct {
			SQL   string
			Scans []struct{ Files []string }
		}
		Rows int64
	}
	if err := json.Unmarshal([]byte(out), &report); code != CodeDone || errs != "" || err != nil || report.Rows == 0 || len(report.Parts) != 1 || len(report.Parts[0].Scans) != 1 || len(report.Parts[0].Scans[0].Files) == 0 {
		t.Errorf("code %d, %v, %s\n%s", code, err, errs, out)
	}
	if _, out, _ = run(t, "", "--data", dir, "query", "--explain", "print 1"); !strings.Contains(out, "reads no stored rows") {
		t.Errorf("%s", out)
	}
}

func TestTiming(t *testing.T) {
	code, out, errs := run(t, "", "--data", demoLake(t), "query", "--timing", "--format", "csv", "print a = 1")
	if code != CodeDone || out != "a\n1\n" || !strings.Contains(errs, "  parse ") || !strings.Contains(errs, "\n1 row in ") {
		t.Errorf("code %d, %q, %s", code, out, errs)
	}
}

// TestAnswersInFiles reads a Parquet answer again, with a query over nothing but it.
func TestAnswersInFiles(t *testing.T) {
	dir, folder := demoLake(t), t.TempDir()
	file := filepath.Join(folder, "answer.parquet")
	code, out, errs := run(t, "", "--data", dir, "query", "--format", "parquet", "-o", file, "SecurityEvent | take 7")
	if code != CodeDone || out != "" || errs != "" {
		t.Fatalf("code %d, %s%s", code, out, errs)
	}
	code, piped, errs := run(t, "", "--data", dir, "query", "--format", "parquet", "SecurityEvent | take 7")
	if code != CodeDone || errs != "" {
		t.Fatalf("code %d, %s", code, errs)
	}
	stored, err := os.ReadFile(file)
	for name, b := range map[string]string{"file": string(stored), "standard output": piped} {
		if err != nil || len(b) < 100 || !strings.HasPrefix(b, "PAR1") || !strings.HasSuffix(b, "PAR1") {
			t.Errorf("%s: no Parquet: %d bytes, %v", name, len(b), err)
		}
	}
	// A question that fails leaves what was there, and nothing beside it.
	if code, _, _ = run(t, "", "--data", dir, "query", "-o", file, "SecurityEvent | take 2 | project Computer | render barchart"); code != CodeUsage {
		t.Errorf("code %d", code)
	}
	entries, _ := os.ReadDir(folder)
	if after, _ := os.ReadFile(file); len(entries) != 1 || string(after) != string(stored) {
		t.Errorf("%v", entries)
	}
}

func TestASCII(t *testing.T) {
	dir := demoLake(t)
	for _, how := range []struct {
		env  map[string]string
		args []string
		want bool
	}{
		{nil, nil, false},
		{nil, []string{"--ascii"}, true},
		{map[string]string{"LANG": "C"}, nil, true},
		{map[string]string{"LANG": "C", "LC_ALL": "de_DE.UTF-8"}, nil, false},
		{map[string]string{"LC_CTYPE": "en_US.utf8"}, nil, false},
	} {
		for _, question := range []string{days + "| render timechart", days + "| take 2"} {
			var out, errs bytes.Buffer
			app := &App{Stdout: &out, Stderr: &errs, Getenv: func(name string) string { return how.env[name] }}
			code := app.Run(t.Context(), append([]string{"--data", dir, "query", question}, how.args...))
			plain := !strings.ContainsFunc(out.String(), func(r rune) bool { return r > '~' })
			if code != CodeDone || plain != how.want {
				t.Errorf("%v %v: code %d\n%s%s", how.env, how.args, code, out.String(), errs.String())
			}
		}
	}
}

// TestOldLogs asks the demo, which ends on 2026-11-01, about a day long after it.
func TestOldLogs(t *testing.T) {
	dir := demoLake(t)
	const question = "SecurityEvent | where TimeGenerated > ago(1d) | count"
	code, _, errs := run(t, "", "--data", dir, "query", "--now", "2027-05-01", question)
	if code != CodeDone || !strings.Contains(errs, "no row of windows_events lies in the time asked for") || !strings.Contains(errs, "hint: --now 2026-1") {
		t.Errorf("code %d, %s", code, errs)
	}
	code, out, errs := run(t, "", "--data", dir, "query", "--now", "2026-10-31T12:00:00Z", "--format", "csv", question)
	if code != CodeDone || errs != "" || strings.HasSuffix(out, "\n0\n") {
		t.Errorf("code %d, %s%s", code, out, errs)
	}
	_, out, errs = run(t, "", "--data", dir, "query", "Syslog | make-series n = count() on TimeGenerated in range(ago(2d), now(), 1d) by Computer | render timechart with (title = 'T')")
	if out != "T\nno rows to draw\n" || errs != "" {
		t.Errorf("%q %s", out, errs)
	}
	if code, _, errs = run(t, "", "--data", dir, "query", "--now", "yesterday", question); code != CodeUsage || !strings.Contains(errs, "cannot understand the time") {
		t.Errorf("code %d, %s", code, errs)
	}
	_, out, _ = run(t, "", "--data", dir, "query", "SecurityEvent | where EventID == 1")
	if !strings.HasPrefix(out, "(no rows of 2") {
		t.Errorf("%q", out)
	}
	if _, out, _ = run(t, "", "--data", dir, "query", "--format", "csv", `print d = dynamic("a"), e = dynamic(["b"])`); out != "d,e\na,\"[\"\"b\"\"]\"\n" {
		t.Errorf("%q", out)
	}
}
