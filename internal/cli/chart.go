package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// The bounds of charts.
const (
	// maxChartRows bounds what is drawn; the rest is counted and said.
	maxChartRows = 20_000
	// defaultWidth is the width of a chart where there is no terminal.
	defaultWidth = 80
	minWidth     = 40
	// maxLabel bounds the labels beside bars.
	maxLabel = 30
	// maxBars and maxSeries keep a chart on about one screen.
	maxBars   = 40
	maxSeries = 20
	// plotHeight is the height of a chart of one series in lines.
	plotHeight = 10
)

// chart is what a render needs: points of named series along x.
type chart struct {
	title  string
	xName  string
	time   bool // x is a datetime or number, at
	labels []string
	points []point
	series []string
	extra  int // rows beyond maxChartRows
}

// point is one number of one series. It stands at a label or at a time.
type point struct {
	label, series int
	at            int64
	value         float64
}

// roles tells which columns are what, as Kusto does: x is the first column (for a
// time chart the first datetime), the numbers are values, text splits into series.
type roles struct {
	x      int
	values []int
	split  []int
}

func findRoles(columns []engine.Column, render *plan.Render) (roles, error) {
	r := roles{x: -1}
	named := func(property string) []int {
		var found []int
		for name := range strings.SplitSeq(render.Properties[property], ",") {
			if i := slices.IndexFunc(columns, func(c engine.Column) bool { return c.Name == strings.TrimSpace(name) }); i >= 0 {
				found = append(found, i)
			}
		}
		return found
	}
	if x := named("xcolumn"); len(x) > 0 {
		r.x = x[0]
	}
	alongTime := isTimeChart(render.Kind)
	for i, c := range columns {
		if r.x < 0 && (!alongTime || c.Type == schema.DateTime) {
			r.x = i
		}
	}
	if r.x < 0 {
		r.x = 0
	}
	for i, c := range columns {
		switch {
		case i == r.x:
		case slices.Contains([]schema.Type{schema.Int, schema.Long, schema.Real, schema.TimeSpan}, c.Type):
			r.values = append(r.values, i)
		default:
			r.split = append(r.split, i)
		}
	}
	if y := named("ycolumns"); len(y) > 0 {
		r.values = y
	}
	if s := named("series"); len(s) > 0 {
		r.split = s
	}
	if len(r.values) == 0 {
		return r, fmt.Errorf("there is no column of numbers to draw")
	}
	if alongTime && columns[r.x].Type != schema.DateTime && !slices.Contains([]schema.Type{schema.Int, schema.Long}, columns[r.x].Type) {
		return r, fmt.Errorf("there is no datetime column to draw along")
	}
	return r, nil
}

func isTimeChart(kind string) bool {
	return slices.Contains([]string{"timechart", "linechart", "areachart", "anomalychart", "stackedareachart"}, kind)
}

// drawable tells which kinds of render are drawn; others are shown as a table.
func drawable(kind string) bool {
	return isTimeChart(kind) || slices.Contains([]string{"barchart", "columnchart", "piechart"}, kind)
}

// writeChart draws all rows. Errors of the question come from closing rows.
func writeChart(w io.Writer, rows *engine.Rows, render *plan.Render, width int, colours bool) error {
	r, err := findRoles(rows.Columns(), render)
	if err != nil {
		return &Error{Code: CodeUsage, Hint: "leave 'render' out to see the rows", Err: fmt.Errorf("cannot draw a %s: %w", render.Kind, err)}
	}
	if width == 0 {
		width = defaultWidth
	}
	d := &drawing{out: bufio.NewWriter(w), width: max(width, minWidth), colours: colours}
	c := gather(rows, r, isTimeChart(render.Kind))
	c.title = render.Properties["title"]
	if c.title != "" {
		d.line(escape(c.title))
	}
	switch {
	case len(c.points) == 0:
		d.line("no rows to draw")
	case c.time:
		d.timeChart(c, rows.Columns()[r.x].Type == schema.DateTime)
	case render.Kind == "piechart":
		d.shares(c)
	case render.Kind == "columnchart":
		d.columns(c)
	default:
		d.bars(c)
	}
	if c.extra > 0 {
		d.line(fmt.Sprintf("(%d more rows are not drawn)", c.extra))
	}
	return d.out.Flush()
}

// gather reads all rows as points.
func gather(rows *engine.Rows, r roles, time bool) *chart {
	columns := rows.Columns()
	c := &chart{time: time, xName: escape(columns[r.x].Name)}
	labels, series := map[string]int{}, map[string]int{}
	index := func(known map[string]int, list *[]string, text string) int {
		i, ok := known[text]
		if !ok {
			i = len(*list)
			known[text] = i
			*list = append(*list, text)
		}
		return i
	}
	var text []byte
	for rows.Next() {
		if rows.Count() > maxChartRows {
			c.extra++
			continue
		}
		if time && rows.Null(r.x) {
			continue
		}
		p := point{}
		if time {
			p.at = rows.Int(r.x)
		} else {
			p.label = index(labels, &c.labels, label(rows, r.x, columns[r.x].Type))
		}
		var parts []string
		for _, s := range r.split {
			parts = append(parts, escape(string(query.AppendText(text[:0], rows, s))))
		}
		for _, v := range r.values {
			if rows.Null(v) {
				continue
			}
			name := parts
			if len(r.values) > 1 || len(parts) == 0 {
				name = append(slices.Clone(parts), escape(columns[v].Name))
			}
			p.series = index(series, &c.series, strings.Join(name, ":"))
			p.value = number(rows, v, columns[v].Type)
			if !math.IsNaN(p.value) && !math.IsInf(p.value, 0) {
				c.points = append(c.points, p)
			}
		}
	}
	return c
}

func label(rows *engine.Rows, column int, t schema.Type) string {
	if t == schema.DateTime && !rows.Null(column) {
		return shortTime(rows.Int(column))
	}
	return escape(string(query.AppendText(nil, rows, column)))
}

func number(rows *engine.Rows, column int, t schema.Type) float64 {
	switch t {
	case schema.Real:
		return rows.Real(column)
	case schema.TimeSpan:
		return float64(rows.Int(column)) / float64(event.TicksPerSecond) // seconds
	case schema.Int, schema.Long:
		return float64(rows.Int(column))
	default:
		return math.NaN()
	}
}

// bySeries gives the points of each series in order of x, the largest series
// first, and how many series are left out.
func (c *chart) bySeries() (order []int, points [][]point, left int) {
	points = make([][]point, len(c.series))
	total := make([]float64, len(c.series))
	for _, p := range c.points {
		points[p.series] = append(points[p.series], p)
		total[p.series] += math.Abs(p.value)
	}
	for i := range c.series {
		order = append(order, i)
		slices.SortStableFunc(points[i], func(a, b point) int { return cmp.Compare(a.at, b.at) })
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(total[b], total[a]) })
	if len(order) > maxSeries {
		order, left = order[:maxSeries], len(order)-maxSeries
	}
	return order, points, left
}
