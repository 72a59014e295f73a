package cli

import (
	"bufio"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// update rewrites testdata/*.golden from what is drawn.
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

const hour = int64(event.TicksPerHour)

var start = int64(event.UnixEpoch) + 20_000*24*hour

// waves is a chart of series over hours; hour 7 has no point.
func waves(hours int64, series ...string) *chart {
	c := &chart{time: true, series: series}
	for s := range series {
		for h := range hours {
			if h == 7 {
				continue
			}
			v := math.Round((1 + math.Sin(float64(h)/4)) * 500 / math.Pow(10, float64(s)))
			c.points = append(c.points, point{series: s, at: start + h*hour, value: v})
		}
	}
	return c
}

func shares(n int) *chart {
	c := &chart{series: []string{"count_"}}
	for i := range n {
		c.labels = append(c.labels, strings.Repeat("x", i+1)+".example")
		c.points = append(c.points, point{label: i, value: float64((i + 3) * (i + 3) * 7 % 90)})
	}
	return c
}

func TestCharts(t *testing.T) {
	for name, draw := range map[string]func(*drawing){
		"time-one-series":  func(d *drawing) { d.timeChart(waves(24, "count_"), true) },
		"time-many-points": func(d *drawing) { d.timeChart(waves(500, "count_"), true) },
		"time-series": func(d *drawing) {
			d.timeChart(waves(48, "Security", "System", "a name that is far too long for a chart"), true)
		},
		"time-one-point":   func(d *drawing) { d.timeChart(waves(1, "count_"), true) },
		"bars":             func(d *drawing) { d.bars(shares(6)) },
		"many-bars":        func(d *drawing) { d.bars(shares(45)) },
		"columns":          func(d *drawing) { d.columns(shares(4)) },
		"columns-too-wide": func(d *drawing) { d.columns(shares(9)) },
		"pie":              func(d *drawing) { d.shares(shares(5)) },
		"negative": func(d *drawing) {
			d.bars(&chart{series: []string{"n"}, labels: []string{"a", "b"}, points: []point{{value: -3}, {label: 1, value: 2}}})
		},
	} {
		var b strings.Builder
		d := &drawing{out: bufio.NewWriter(&b), width: 72}
		draw(d)
		if err := d.out.Flush(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if cells(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%s: a line of %d cells: %s", name, cells(line), line)
			}
		}
		golden(t, "chart-"+name, b.String())
		// Colours add nothing but colours.
		var coloured strings.Builder
		d = &drawing{out: bufio.NewWriter(&coloured), width: 72, colours: true}
		draw(d)
		_ = d.out.Flush()
		bare := strings.NewReplacer("\x1b[36m", "", "\x1b[0m", "").Replace(coloured.String())
		if strings.ReplaceAll(bare, " ", "") != strings.ReplaceAll(b.String(), " ", "") {
			t.Errorf("%s differs in colours:\n%s", name, bare)
		}
	}
}

func TestRoles(t *testing.T) {
	columns := []engine.Column{{Name: "Computer", Type: schema.String}, {Name: "TimeGenerated", Type: schema.DateTime}, {Name: "n", Type: schema.Long}, {Name: "m", Type: schema.Real}}
	for _, c := range []struct {
		kind       string
		properties map[string]string
		want       roles
		wrong      bool
	}{
		{"timechart", nil, roles{1, []int{2, 3}, []int{0}}, false},
		{"barchart", nil, roles{0, []int{2, 3}, []int{1}}, false},
		{"barchart", map[string]string{"ycolumns": "m"}, roles{0, []int{3}, []int{1}}, false},
		{"timechart", map[string]string{"xcolumn": "Computer"}, roles{}, true},
		{"timechart", map[string]string{"ycolumns": "n, m", "series": "Computer"}, roles{1, []int{2, 3}, []int{0}}, false},
	} {
		got, err := findRoles(columns, &plan.Render{Kind: c.kind, Properties: c.properties})
		if (err != nil) != c.wrong || err == nil && !cmp.Equal(got, c.want, cmp.AllowUnexported(roles{})) {
			t.Errorf("%s %v: %+v, %v", c.kind, c.properties, got, err)
		}
	}
	if _, err := findRoles(columns[:2], &plan.Render{Kind: "barchart"}); err == nil {
		t.Error("a chart without numbers is drawn")
	}
}
