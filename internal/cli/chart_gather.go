package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wadi-project/wadi/internal/cli/chart"
	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// The bounds of what is gathered for a chart; the rest is counted and said.
const (
	maxChartRows   = 20_000
	maxChartPoints = 1_000_000
)

// gathering turns rows into the points of a chart.
type gathering struct {
	rows    *engine.Rows
	columns []engine.Column
	more    bool // the reader stands on a row that is not gathered yet

	chart          chart.Chart
	labels, series map[string]int
	points         int
	left, odd      int // rows beyond the bounds, and without an x
	text           []byte
}

// gather reads all rows.
func (g *gathering) gather(r roles) {
	g.labels, g.series = map[string]int{}, map[string]int{}
	c := &g.chart
	switch t := g.columns[r.x].Type; {
	case c.Form == chart.Bars || c.Form == chart.Pie:
		c.X = chart.Labels
	case t == schema.DateTime || r.arrays:
		c.X = chart.Times
	case slices.Contains(numeric, t) && (c.Form == chart.Lines || c.Form == chart.Scatter):
		c.X = chart.Numbers
	}
	rows := 0
	for ; g.more; g.more = g.rows.Next() {
		rows++
		switch {
		case rows > maxChartRows || g.points > maxChartPoints:
			g.left++
		case r.arrays:
			g.arrays(r)
		default:
			g.row(r)
		}
	}
	if c.X != chart.Labels && c.Form != chart.Scatter && repeated(c.Series) {
		c.Notes = append(c.Notes, "several rows have the same "+c.XTitle+": the highest is drawn", "a number splits into series as text only: tostring(…)")
	}
	if g.left > 0 {
		c.Notes = append(c.Notes, "more rows, not drawn: "+counted(g.left))
	}
	if g.odd > 0 {
		c.Notes = append(c.Notes, "without a place on the axis, not drawn: "+counted(g.odd))
	}
}

// repeated tells whether a series has several values at one x.
func repeated(series []chart.Series) bool {
	for i := range series {
		seen := make(map[float64]bool, len(series[i].Points))
		for _, p := range series[i].Points {
			if seen[p.X] {
				return true
			}
			seen[p.X] = true
		}
	}
	return false
}

// row adds the points of a row.
func (g *gathering) row(r roles) {
	x := 0.0
	switch {
	case g.chart.X == chart.Labels:
		x = float64(g.label(r.x))
	case g.rows.Null(r.x):
		g.odd++
		return
	default:
		x = g.number(r.x)
	}
	for _, v := range r.values {
		if !g.rows.Null(v) {
			g.add(g.seriesOf(r, v), chart.Point{X: x, Y: g.number(v)})
		}
	}
}

func (g *gathering) add(series int, p chart.Point) {
	s := &g.chart.Series[series]
	s.Points = append(s.Points, p)
	g.points++
}

// seriesOf gives the series of a value column in this row.
func (g *gathering) seriesOf(r roles, value int) int {
	var parts []string
	for _, s := range r.split {
		g.text = query.AppendText(g.text[:0], g.rows, s)
		if len(g.text) == 0 {
			parts = append(parts, emptyLabel)
			continue
		}
		parts = append(parts, escape(string(g.text)))
	}
	if len(r.values) > 1 || len(parts) == 0 {
		parts = append(parts, valueName(g.columns[value]))
	}
	name := strings.Join(parts, ":")
	i, known := g.series[name]
	if !known {
		i = len(g.chart.Series)
		g.series[name] = i
		g.chart.Series = append(g.chart.Series, chart.Series{Name: name})
	}
	return i
}

// emptyLabel stands for a null or an empty text.
const emptyLabel = "(empty)"

func (g *gathering) label(column int) int {
	text := emptyLabel
	switch {
	case g.rows.Null(column):
	case g.columns[column].Type == schema.DateTime:
		text = shortTime(g.rows.Int(column))
	default:
		if g.text = query.AppendText(g.text[:0], g.rows, column); len(g.text) > 0 {
			text = escape(string(g.text))
		}
	}
	i, known := g.labels[text]
	if !known {
		i = len(g.chart.Labels)
		g.labels[text] = i
		g.chart.Labels = append(g.chart.Labels, text)
	}
	return i
}

// number gives a value as a number; times and timespans in seconds.
func (g *gathering) number(column int) float64 {
	switch g.columns[column].Type {
	case schema.Real:
		return g.rows.Real(column)
	case schema.DateTime:
		return seconds(event.Ticks(g.rows.Int(column)) - event.UnixEpoch)
	case schema.TimeSpan:
		return seconds(event.Ticks(g.rows.Int(column)))
	case schema.Int, schema.Long:
		return float64(g.rows.Int(column))
	case schema.Decimal:
		v, err := strconv.ParseFloat(string(g.rows.Text(column)), 64)
		if err != nil {
			return math.NaN()
		}
		return v
	default:
		return math.NaN()
	}
}

func seconds(ticks event.Ticks) float64 { return float64(ticks) / float64(event.TicksPerSecond) }

// arrays adds the points of a row of make-series: x holds an array of times, the
// values arrays of as many numbers.
func (g *gathering) arrays(r roles) {
	times, ok := g.array(r.x)
	if !ok {
		g.odd++
		return
	}
	for _, v := range r.values {
		numbers, ok := g.array(v)
		if !ok || len(numbers) != len(times) {
			g.odd++
			continue
		}
		series := g.seriesOf(r, v)
		for i, n := range numbers {
			y, isNumber := n.(float64)
			x, isTime := arrayTime(times[i])
			switch {
			case n == nil:
			case !isNumber || !isTime:
				g.odd++
			default:
				g.add(series, chart.Point{X: x, Y: y})
			}
		}
	}
}

// array gives the dynamic array of a column in this row.
func (g *gathering) array(column int) (values []any, ok bool) {
	if g.columns[column].Type != schema.Dynamic || g.rows.Null(column) {
		return nil, false
	}
	err := json.Unmarshal(g.rows.Text(column), &values)
	return values, err == nil
}

// arrayTime reads a time as dynamics hold it, in seconds since 1970.
func arrayTime(v any) (float64, bool) {
	text, ok := v.(string)
	if !ok {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, false
	}
	return seconds(event.FromTime(t) - event.UnixEpoch), true
}

// isTimes tells of the row at hand whether a column holds an array of times.
func (g *gathering) isTimes(column int) bool {
	if !g.more {
		return false
	}
	values, ok := g.array(column)
	if !ok || len(values) == 0 {
		return false
	}
	_, ok = arrayTime(values[0])
	return ok
}

// isNumbers tells of the row at hand whether a column holds an array of numbers
// and nulls.
func (g *gathering) isNumbers(column int) bool {
	if !g.more {
		return false
	}
	values, ok := g.array(column)
	for _, v := range values {
		if _, number := v.(float64); v != nil && !number {
			return false
		}
	}
	return ok
}

// accumulate adds each value to those before it.
func accumulate(c *chart.Chart) {
	for i := range c.Series {
		points := c.Series[i].Points
		if c.X != chart.Labels {
			slices.SortStableFunc(points, func(a, b chart.Point) int { return cmp.Compare(a.X, b.X) })
		}
		sum := 0.0
		for k := range points {
			sum += points[k].Y
			points[k].Y = sum
		}
	}
}

// shortTime prints ticks without the parts that are zero.
func shortTime(ticks int64) string {
	s := event.Ticks(ticks).Time().Format("2006-01-02 15:04:05")
	s = strings.TrimSuffix(s, " 00:00:00")
	if len(s) > len("2006-01-02") {
		s = strings.TrimSuffix(s, ":00")
	}
	return s
}

// size prints a number of bytes in a unit that fits.
func size(bytes int64) string {
	v, units := float64(bytes), []string{"bytes", "kB", "MB", "GB", "TB"}
	i := 0
	for ; v >= 1000 && i < len(units)-1; i++ {
		v /= 1000
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}
