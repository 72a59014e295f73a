package chart

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Form is how points are drawn.
type Form uint8

// The forms.
const (
	// Lines draws the values of series along x.
	Lines Form = iota
	// Columns draws upright columns, or bars where their labels don't fit.
	Columns
	// Bars draws one bar a point.
	Bars
	// Pie draws shares of the whole.
	Pie
	// Scatter draws a mark at each point.
	Scatter
)

// Axis is what x is.
type Axis uint8

// The axes.
const (
	// Labels: a point's X is an index of [Chart.Labels]. Bars and Pie take no
	// other.
	Labels Axis = iota
	// Times: X is in seconds since 1970, UTC.
	Times
	// Numbers: X is a number.
	Numbers
)

// Stack is how the series of one x stand to each other.
type Stack uint8

// The stacks.
const (
	// Apart: each for itself.
	Apart Stack = iota
	// Stacked: on top of each other.
	Stacked
	// Shares: on top of each other, as parts of their sum.
	Shares
)

// Chart is what is drawn. [Draw] may sort its points.
type Chart struct {
	Form  Form
	Stack Stack
	X     Axis
	// Title stands above, XTitle and YTitle name the axes; all may be empty.
	Title, XTitle, YTitle string
	Labels                []string
	Series                []Series
	HideLegend            bool
	// Notes are lines below.
	Notes []string
}

// Series is the points of one name.
type Series struct {
	Name   string
	Points []Point
}

// Point is a value at x. A point whose numbers are not finite, or beyond 1e300, is
// not drawn and counted.
type Point struct{ X, Y float64 }

// Look is what the terminal can show.
type Look struct {
	// Width in cells; 0 takes 80.
	Width int
	// Colours adds the escape sequences of colours.
	Colours bool
	// ASCII draws with ASCII; labels keep their characters.
	ASCII bool
}

// The bounds of charts.
const (
	defaultWidth = 80
	minWidth     = 40
	// maxWidth bounds a chart on a very wide terminal and for callers' mistakes.
	maxWidth = 400
	// maxLabel bounds the labels beside bars and strips, and of legends, unless a
	// third of the width is more.
	maxLabel = 30
	// maxBars and maxSeries keep a chart on about one screen.
	maxBars   = 40
	maxSeries = 20
	// maxSlices and maxStack bound what is told apart in a pie and in a stack.
	maxSlices = 12
	maxStack  = 6
	// maxPlots series get a plot of their own, plotLines high alone, fewLines else.
	maxPlots  = 4
	plotLines = 10
	fewLines  = 4
	// maxNumber is what can be drawn: differences of larger numbers overflow.
	// What is smaller than minNumber is drawn as if it were the least.
	maxNumber = 1e300
	minNumber = 1e-300
)

// Draw writes the chart. Its errors are those of w.
func Draw(w io.Writer, c *Chart, look Look) error {
	if look.Width == 0 {
		look.Width = defaultWidth
	}
	d := &drawing{out: bufio.NewWriter(w), width: min(max(look.Width, minWidth), maxWidth), colours: look.Colours, glyphs: &unicodeGlyphs}
	if look.ASCII {
		d.glyphs = &asciiGlyphs
	}
	if c.Title != "" {
		d.line(d.cut(c.Title, d.width))
	}
	odd := c.dropOdd()
	switch {
	case c.count() == 0:
		d.line("no rows to draw")
	case c.Form == Pie:
		d.pie(c)
	case c.Form == Scatter && c.X != Labels:
		d.scatter(c)
	case c.Form == Bars:
		d.bars(c)
	case c.X == Labels:
		d.columns(c)
	default:
		d.along(c)
	}
	if odd > 0 {
		d.note("%s that %s no finite number or too large %s not drawn", plural(odd, "value"), pick(odd, "is", "are"), pick(odd, "is", "are"))
	}
	for _, note := range c.Notes {
		d.note("%s", note)
	}
	return d.out.Flush()
}

// dropOdd removes points without a number and says how many there were.
func (c *Chart) dropOdd() (odd int) {
	for i := range c.Series {
		s := &c.Series[i]
		before := len(s.Points)
		s.Points = slices.DeleteFunc(s.Points, func(p Point) bool {
			return math.IsNaN(p.Y) || math.Abs(p.Y) > maxNumber || math.IsNaN(p.X) || math.Abs(p.X) > maxNumber
		})
		odd += before - len(s.Points)
	}
	return odd
}

func (c *Chart) count() (n int) {
	for i := range c.Series {
		n += len(c.Series[i].Points)
	}
	return n
}

// byTotal gives the series that have points, the largest first.
func (c *Chart) byTotal() []*Series {
	var list []*Series
	total := map[*Series]float64{}
	for i := range c.Series {
		s := &c.Series[i]
		if len(s.Points) == 0 {
			continue
		}
		for _, p := range s.Points {
			total[s] += math.Abs(p.Y)
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b *Series) int { return cmp.Compare(total[b], total[a]) })
	return list
}

// drawing writes one chart.
type drawing struct {
	out     *bufio.Writer
	width   int
	colours bool
	glyphs  *glyphs
}

func (d *drawing) maxLabel() int { return max(maxLabel, d.width/3) }

// line writes a line that is no wider than the chart, without blanks at its end.
func (d *drawing) line(s string) { d.out.WriteString(strings.TrimRight(s, " ") + "\n") }

func (d *drawing) note(format string, args ...any) {
	d.line(d.cut("("+fmt.Sprintf(format, args...)+")", d.width))
}

// inks are the colours of series, in turn.
var inks = []string{"36", "33", "35", "32", "34", "31"}

// ink colours the ink of a series on a terminal.
func (d *drawing) ink(s string, series int) string {
	if !d.colours || strings.TrimSpace(s) == "" {
		return s
	}
	return "\x1b[" + inks[series%len(inks)] + "m" + s + "\x1b[0m"
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return plain(float64(n)) + " " + noun
}

func pick(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// widths measures text the same for every locale.
var widths = &runewidth.Condition{StrictEmojiNeutral: true}

func cells(s string) int { return widths.StringWidth(s) }

// cut shortens s to width cells, with a mark at the end where something is missing.
func (d *drawing) cut(s string, width int) string {
	if cells(s) <= width {
		return s
	}
	return widths.Truncate(s, width, d.glyphs.more)
}

// pad fills s with blanks to width cells.
func pad(s string, width int, right bool) string {
	fill := strings.Repeat(" ", max(width-cells(s), 0))
	if right {
		return fill + s
	}
	return s + fill
}
