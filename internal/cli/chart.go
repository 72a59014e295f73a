package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/cli/chart"
	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/kql/plan"
	"github.com/wadi-project/wadi/internal/schema"
)

// kinds are what `render` may ask for, and how a terminal draws it.
var kinds = map[string]struct {
	form  chart.Form
	stack chart.Stack
	// alongTime kinds need times for x.
	alongTime bool
	// table kinds are shown as rows.
	table bool
	note  string
}{
	"timechart":        {form: chart.Lines, alongTime: true},
	"anomalychart":     {form: chart.Lines, alongTime: true, note: "the lines of the anomalychart are drawn, its anomalies are not marked"},
	"linechart":        {form: chart.Lines},
	"areachart":        {form: chart.Lines},
	"stackedareachart": {form: chart.Lines, stack: chart.Stacked},
	"columnchart":      {form: chart.Columns},
	"barchart":         {form: chart.Bars},
	"piechart":         {form: chart.Pie},
	"scatterchart":     {form: chart.Scatter},
	"treemap":          {form: chart.Pie, note: "the treemap is drawn as shares of the whole"},
	"table":            {table: true},
	"card":             {table: true},
	"ladderchart":      {table: true, note: "a terminal draws no ladderchart; these are its rows"},
	"pivotchart":       {table: true, note: "a terminal draws no pivotchart; these are its rows"},
	"timepivot":        {table: true, note: "a terminal draws no timepivot; these are its rows"},
	"timeline":         {table: true, note: "a terminal draws no timeline; these are its rows"},
	"graph":            {table: true, note: "a terminal draws no graph; these are its rows"},
	"plotly":           {table: true, note: "a terminal draws no plotly; these are its rows"},
	"3dchart":          {table: true, note: "a terminal draws no 3dchart; these are its rows"},
}

// undrawn are properties of `render` that a terminal can't follow; what they are
// set to, where that is what is drawn anyway.
var undrawn = map[string]string{
	"ymin": "", "ymax": "", "xaxis": "linear", "yaxis": "linear", "ysplit": "none", "anomalycolumns": "",
}

// drawing tells whether a terminal draws what render asks for, and what to say
// about it.
func drawing(render *plan.Render) (note string, drawn bool) {
	kind, known := kinds[strings.ToLower(render.Kind)]
	if !known {
		return "a terminal draws no " + render.Kind + "; these are its rows", false
	}
	note = kind.note
	if kind.table {
		return note, false
	}
	var names []string
	for name, value := range render.Properties {
		if usual, listed := undrawn[strings.ToLower(name)]; listed && !strings.EqualFold(usual, value) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		if note != "" {
			note += "; "
		}
		note += "a terminal doesn't follow " + strings.Join(names, ", ")
	}
	return note, true
}

// roles tells which columns are what, as Kusto does: x is the first column (along
// time the first datetime), the numbers are values, text splits into series.
type roles struct {
	x      int
	values []int
	split  []int
	// arrays tells that x and the values are arrays of points, as make-series gives
	// them; unused are columns that play no role.
	arrays bool
	unused []string
}

// numeric are the types that can be values.
var numeric = []schema.Type{schema.Int, schema.Long, schema.Real, schema.Decimal, schema.TimeSpan}

// findRoles gives every column its role. first holds the values of the first row
// that tell arrays of times from others; it may be nil.
func findRoles(columns []engine.Column, render *plan.Render, isTimes, isNumbers func(column int) bool) (roles, error) {
	r := roles{x: -1}
	kind := kinds[strings.ToLower(render.Kind)]
	named := map[string][]int{}
	for _, property := range []string{"xcolumn", "ycolumns", "series"} {
		for name := range strings.SplitSeq(render.Properties[property], ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			i := slices.IndexFunc(columns, func(c engine.Column) bool { return c.Name == name })
			if i < 0 {
				return r, fmt.Errorf("%s names '%s', and the result has no such column", property, name)
			}
			named[property] = append(named[property], i)
		}
	}
	if x := named["xcolumn"]; len(x) > 0 {
		r.x = x[0]
	} else {
		r.x = findX(columns, kind.form, isTimes)
	}
	r.arrays = columns[r.x].Type == schema.Dynamic && isTimes(r.x)
	for i, c := range columns {
		switch {
		case i == r.x || slices.Contains(named["ycolumns"], i) || slices.Contains(named["series"], i):
		case r.arrays && c.Type != schema.Dynamic:
			r.split = append(r.split, i)
		case r.arrays && isNumbers(i), !r.arrays && slices.Contains(numeric, c.Type):
			r.values = append(r.values, i)
		case c.Type == schema.DateTime || c.Type == schema.Dynamic || slices.Contains(numeric, c.Type):
			r.unused = append(r.unused, c.Name)
		default:
			r.split = append(r.split, i)
		}
	}
	if y := named["ycolumns"]; len(y) > 0 {
		for _, i := range y {
			if !slices.Contains(numeric, columns[i].Type) && !(r.arrays && isNumbers(i)) {
				return r, fmt.Errorf("ycolumns names '%s', which holds no numbers", columns[i].Name)
			}
		}
		r.values = y
	}
	if s := named["series"]; len(s) > 0 {
		r.split = s
	}
	if len(r.values) == 0 {
		return r, fmt.Errorf("there is no column of numbers to draw")
	}
	if kind.alongTime && columns[r.x].Type != schema.DateTime && !r.arrays {
		return r, fmt.Errorf("there is no datetime column to draw along")
	}
	return r, nil
}

// findX gives the column of x where the question names none.
func findX(columns []engine.Column, form chart.Form, isTimes func(column int) bool) int {
	for i, c := range columns {
		if c.Type == schema.Dynamic && isTimes(i) {
			return i
		}
	}
	if form == chart.Lines {
		for i, c := range columns {
			if c.Type == schema.DateTime {
				return i
			}
		}
	}
	return 0
}

// valueName names a column of values with its unit.
func valueName(c engine.Column) string {
	if c.Type == schema.TimeSpan {
		return escape(c.Name) + " (s)"
	}
	return escape(c.Name)
}

// writeChart draws all rows. Errors of the question come from closing rows.
func writeChart(w io.Writer, rows *engine.Rows, render *plan.Render, look chart.Look) error {
	if len(rows.Columns()) == 0 {
		return &Error{Code: CodeUsage, Hint: "leave 'render' out to see the rows", Err: fmt.Errorf("cannot draw a %s: there are no columns", render.Kind)}
	}
	g := &gathering{rows: rows, columns: rows.Columns(), more: rows.Next()}
	if !g.more && rows.Close() != nil {
		return nil // the question's own error comes from closing the result
	}
	r, err := findRoles(g.columns, render, g.isTimes, g.isNumbers)
	if err != nil && !g.more {
		// Without rows nobody knows which dynamics would be arrays of numbers.
		return chart.Draw(w, &chart.Chart{Title: escape(render.Properties["title"])}, look)
	}
	if err != nil {
		return &Error{Code: CodeUsage, Hint: "leave 'render' out to see the rows", Err: fmt.Errorf("cannot draw a %s: %w", escape(render.Kind), err)}
	}
	kind := kinds[strings.ToLower(render.Kind)]
	property := func(name string) string { return escape(render.Properties[name]) }
	c := &g.chart
	*c = chart.Chart{
		Form: kind.form, Stack: kind.stack, Title: property("title"), XTitle: property("xtitle"), YTitle: property("ytitle"),
		HideLegend: strings.EqualFold(property("legend"), "hidden"),
	}
	switch strings.ToLower(property("kind")) {
	case "stacked":
		c.Stack = chart.Stacked
	case "stacked100":
		c.Stack = chart.Shares
	case "unstacked":
		c.Stack = chart.Apart
	}
	if c.XTitle == "" {
		c.XTitle = escape(g.columns[r.x].Name)
	}
	if kind.form == chart.Pie && len(r.values) > 1 {
		c.Notes = append(c.Notes, "only "+escape(g.columns[r.values[0]].Name)+" is drawn: a pie has one measure")
		r.values = r.values[:1]
	}
	if len(r.unused) > 0 {
		c.Notes = append(c.Notes, "not drawn: "+escape(strings.Join(r.unused, ", ")))
	}
	g.gather(r)
	if c.YTitle == "" && len(r.values) == 1 && (c.X == chart.Labels || kind.form == chart.Scatter) {
		c.YTitle = valueName(g.columns[r.values[0]])
	}
	if strings.EqualFold(property("accumulate"), "true") {
		accumulate(c)
	}
	return chart.Draw(w, c, look)
}
