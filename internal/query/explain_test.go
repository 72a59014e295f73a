//go:build cgo

package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/schema"
)

func explainText(t *testing.T, c *Config, text string) (*Report, error) {
	t.Helper()
	q, err := Compile(text, schema.Builtin(), day)
	if err != nil {
		return nil, err
	}
	return q.Explain(t.Context(), c)
}

// TestExplainTellsTheFiles asks for two hours of twelve, one hour a file.
func TestExplainTellsTheFiles(t *testing.T) {
	c := testLake(t, t.TempDir(), 12)
	report, err := explainText(t, c, `SecurityEvent
		| where TimeGenerated between (datetime(2026-03-01 03:00) .. datetime(2026-03-01 04:30)) and EventID == 4625
		| project Computer`)
	if err != nil {
		t.Fatal(err)
	}
	if report.Rows != 2 || report.Truncated || len(report.Parts) != 1 || len(report.Parts[0].Scans) != 1 {
		t.Fatalf("%+v", report)
	}
	part := report.Parts[0]
	scan := part.Scans[0]
	if len(scan.Files) != 2 || scan.Rows != 20 || scan.Bytes == 0 || scan.Name != "scan_0" || scan.Table != "windows_events" {
		t.Errorf("%+v", scan)
	}
	want := []Skipped{{Reason: "TimeGenerated has no value in the range asked for", Files: 10, Rows: 100}}
	if diff := cmp.Diff(want, scan.Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if !strings.Contains(part.SQL, "scan_0") || !strings.Contains(report.Plan, "output Computer:string") {
		t.Errorf("plan %s\nSQL %s", report.Plan, part.SQL)
	}
	var names []string
	for _, step := range report.Steps {
		names = append(names, step.Name)
		if step.Took < 0 {
			t.Errorf("%s took %v", step.Name, step.Took)
		}
	}
	if len(names) < 5 || names[0] != "parse" || names[len(names)-1] != "fetch the rows" {
		t.Errorf("steps %v", names)
	}
}

func TestExplainTellsWhatATakeLeaves(t *testing.T) {
	c := testLake(t, t.TempDir(), 5)
	report, err := explainText(t, c, "windows_events | take 15")
	if err != nil {
		t.Fatal(err)
	}
	scan := report.Parts[0].Scans[0]
	want := []Skipped{{Reason: "the files before hold the 15 rows that are enough", Files: 3, Rows: 30}}
	if diff := cmp.Diff(want, scan.Skipped); diff != "" || report.Rows != 15 || len(scan.Files) != 2 {
		t.Errorf("%d rows, skipped (-want +got):\n%s", report.Rows, diff)
	}
	if _, err := explainText(t, c, "windows_events | where Nope"); err == nil {
		t.Error("a question with a mistake is explained")
	}
}

// TestExplainTellsTheStages explains a question with a Go operator in its middle.
func TestExplainTellsTheStages(t *testing.T) {
	c := testLake(t, t.TempDir(), 2)
	report, err := explainText(t, c, `SecurityEvent | summarize x = make_list(EventID) by Computer | extend series_stats(x) | project series_stats_x_max`)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Parts) != 2 || report.Parts[0].Operator != "series_stats" || len(report.Parts[0].Scans) != 1 || len(report.Parts[1].Scans) != 0 || report.Rows != 1 {
		t.Errorf("%+v", report)
	}
	var names []string
	for _, step := range report.Steps {
		names = append(names, step.Name)
	}
	if !slices.Contains(names, "run stage 0") || !slices.Contains(names, "wait for admission") {
		t.Errorf("steps %v", names)
	}
}
