package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// update rewrites testdata/*.golden from what is printed.
var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestRoles(t *testing.T) {
	columns := []engine.Column{
		{Name: "Computer", Type: schema.String},
		{Name: "TimeGenerated", Type: schema.DateTime},
		{Name: "n", Type: schema.Long},
		{Name: "m", Type: schema.Real},
		{Name: "d", Type: schema.Dynamic},
	}
	no := func(int) bool { return false }
	for _, c := range []struct {
		kind       string
		properties map[string]string
		want       roles
		wrong      string
	}{
		{"timechart", nil, roles{x: 1, values: []int{2, 3}, split: []int{0}, unused: []string{"d"}}, ""},
		{"TimeChart", nil, roles{x: 1, values: []int{2, 3}, split: []int{0}, unused: []string{"d"}}, ""},
		{"linechart", nil, roles{x: 1, values: []int{2, 3}, split: []int{0}, unused: []string{"d"}}, ""},
		{"barchart", nil, roles{x: 0, values: []int{2, 3}, unused: []string{"TimeGenerated", "d"}}, ""},
		{"barchart", map[string]string{"ycolumns": "m"}, roles{x: 0, values: []int{3}, unused: []string{"TimeGenerated", "d"}}, ""},
		{"timechart", map[string]string{"xcolumn": "Computer"}, roles{}, "no datetime column"},
		{"timechart", map[string]string{"ycolumns": "n, m", "series": "Computer"}, roles{x: 1, values: []int{2, 3}, split: []int{0}, unused: []string{"d"}}, ""},
		{"barchart", map[string]string{"ycolumns": "nope"}, roles{}, "no such column"},
		{"barchart", map[string]string{"ycolumns": "Computer"}, roles{}, "holds no numbers"},
		{"scatterchart", map[string]string{"xcolumn": "n"}, roles{x: 2, values: []int{3}, split: []int{0}, unused: []string{"TimeGenerated", "d"}}, ""},
	} {
		got, err := findRoles(columns, &plan.Render{Kind: c.kind, Properties: c.properties}, no, no)
		switch {
		case c.wrong != "":
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s %v: %v", c.kind, c.properties, err)
			}
		case err != nil || !cmp.Equal(got, c.want, cmp.AllowUnexported(roles{})):
			t.Errorf("%s %v: %+v, %v", c.kind, c.properties, got, err)
		}
	}
	if _, err := findRoles(columns[:2], &plan.Render{Kind: "barchart"}, no, no); err == nil {
		t.Error("a chart without numbers is drawn")
	}
}

func TestDrawingSaysWhatItDoesNot(t *testing.T) {
	for _, c := range []struct {
		kind, property, value string
		drawn                 bool
		note                  string
	}{
		{"timechart", "title", "x", true, ""},
		{"timechart", "yaxis", "log", true, "doesn't follow yaxis"},
		{"timechart", "yaxis", "linear", true, ""},
		{"anomalychart", "anomalycolumns", "a", true, "its anomalies are not marked; a terminal doesn't follow anomalycolumns"},
		{"pivotchart", "", "", false, "draws no pivotchart"},
		{"table", "", "", false, ""},
		{"whatever", "", "", false, "draws no whatever"},
	} {
		note, drawn := drawing(&plan.Render{Kind: c.kind, Properties: map[string]string{c.property: c.value}})
		if drawn != c.drawn || (note == "") != (c.note == "") || !strings.Contains(note, c.note) {
			t.Errorf("%s %s=%s: %v, %q", c.kind, c.property, c.value, drawn, note)
		}
	}
}
