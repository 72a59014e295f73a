package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
)

// drawing writes text charts. Nothing depends on its colours.
type drawing struct {
	out     *bufio.Writer
	width   int
	colours bool
}

func (d *drawing) line(s string) { d.out.WriteString(strings.TrimRight(s, " ") + "\n") }

// ink colours the ink of a chart on a terminal.
func (d *drawing) ink(s string) string {
	if !d.colours || strings.TrimSpace(s) == "" {
		return s
	}
	return "\x1b[36m" + s + "\x1b[0m"
}

// The eighths of a block, growing upwards and to the right.
const (
	upwards   = " ▁▂▃▄▅▆▇█"
	rightward = " ▏▎▍▌▋▊▉█"
)

func eighth(set string, n int) string { return string([]rune(set)[min(max(n, 0), 8)]) }

// plain prints a number for an axis: short, exact up to six digits.
func plain(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return grouped(strconv.FormatInt(int64(v), 10))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// grouped puts commas between groups of three digits.
func grouped(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// timeline maps x to the columns of a plot: each bin of the data gets the same
// number of columns, or, where there are more bins than columns, a column the
// highest value of its bins.
type timeline struct {
	from, to, step int64
	width          int // columns used
	packed         bool
}

// newTimeline finds the bins: the smallest distance between two x.
func newTimeline(points []point, room int) timeline {
	at := make([]int64, len(points))
	for i, p := range points {
		at[i] = p.at
	}
	slices.Sort(at)
	at = slices.Compact(at)
	t := timeline{from: at[0], to: at[len(at)-1], step: 1}
	for i := 1; i < len(at); i++ {
		if gap := at[i] - at[i-1]; i == 1 || gap < t.step {
			t.step = gap
		}
	}
	bins := (t.to-t.from)/t.step + 1
	if bins >= int64(room) {
		t.width, t.packed = room, bins > int64(room)
		return t
	}
	// At most eight columns a bin, so that few bins don't look like many.
	t.width = int(bins) * min(max(room/int(bins), 1), 8)
	return t
}

// columnsOf gives the columns of a plot that the value at x fills.
func (t timeline) columnsOf(at int64) (first, end int) {
	bins := float64((t.to-t.from)/t.step + 1)
	bin := float64((at - t.from) / t.step)
	first = min(int(bin*float64(t.width)/bins), t.width-1)
	return first, max(int((bin+1)*float64(t.width)/bins), first+1)
}

// levels gives the value of each column, NaN where there is none.
func (t timeline) levels(points []point) []float64 {
	levels := make([]float64, t.width)
	for i := range levels {
		levels[i] = math.NaN()
	}
	for _, p := range points {
		first, end := t.columnsOf(p.at)
		for i := first; i < min(end, t.width); i++ {
			if math.IsNaN(levels[i]) || p.value > levels[i] {
				levels[i] = p.value
			}
		}
	}
	return levels
}

// timeChart draws one series high, several as one strip each, every strip to its
// own scale, because the counts of events differ by orders of magnitude.
func (d *drawing) timeChart(c *chart, times bool) {
	order, points, left := c.bySeries()
	highest := 0.0
	for _, p := range c.points {
		highest = max(highest, p.value)
	}
	if len(order) == 1 {
		axis := max(len(plain(highest)), 1)
		t := newTimeline(c.points, d.width-axis-2)
		d.line(strings.Repeat(" ", axis+2) + c.series[order[0]])
		d.plot(t.levels(points[order[0]]), plotHeight, axis)
		d.axis(t, axis, times)
		return
	}
	names, tops := 0, 0
	for _, s := range order {
		names = max(names, min(cells(c.series[s]), maxLabel))
		tops = max(tops, len(plain(peak(points[s]))))
	}
	margin := names + 1
	t := newTimeline(c.points, max(d.width-margin-2-tops-6, 10))
	for _, s := range order {
		levels := t.levels(points[s])
		d.line(pad(cut(c.series[s], names), names, false) + " │" + d.ink(strip(levels, peak(points[s]))) + " max " + plain(peak(points[s])))
	}
	d.axis(t, margin-1, times)
	if left > 0 {
		d.line(fmt.Sprintf("(%d more series are not drawn)", left))
	}
}

func peak(points []point) float64 {
	top := 0.0
	for _, p := range points {
		top = max(top, p.value)
	}
	return top
}

// strip draws levels in one line. A value above zero is never invisible.
func strip(levels []float64, top float64) string {
	var b strings.Builder
	for _, v := range levels {
		b.WriteString(eighth(upwards, height(v, top, 8)))
	}
	return b.String()
}

// height scales v to 0..steps eighths; NaN and what is below zero are 0.
func height(v, top float64, steps int) int {
	if math.IsNaN(v) || v <= 0 || top <= 0 {
		return 0
	}
	return max(int(math.Round(v/top*float64(steps))), 1)
}

// plot draws levels as columns of that height, with the scale beside it.
func (d *drawing) plot(levels []float64, lines, axis int) {
	top := 0.0
	for _, v := range levels {
		if !math.IsNaN(v) {
			top = max(top, v)
		}
	}
	for line := lines - 1; line >= 0; line-- {
		label := ""
		switch line {
		case lines - 1:
			label = plain(top)
		case lines / 2:
			label = plain(middle(top * float64(lines/2+1) / float64(lines)))
		}
		var b strings.Builder
		for _, v := range levels {
			b.WriteString(eighth(upwards, height(v, top, lines*8)-line*8))
		}
		d.line(pad(cut(label, axis), axis, true) + " │" + d.ink(b.String()))
	}
}

// middle rounds a number in the middle of an axis, which must not be longer than
// the one at the top.
func middle(v float64) float64 {
	if v >= 10 {
		return math.Round(v)
	}
	return v
}

// axis draws the line below a plot and the first and last x.
func (d *drawing) axis(t timeline, margin int, times bool) {
	d.line(strings.Repeat(" ", margin) + " └" + strings.Repeat("─", t.width))
	if t.packed {
		defer d.line("(there are more points than columns: each shows its highest)")
	}
	from, to := plain(float64(t.from)), plain(float64(t.to))
	if times {
		from, to = shortTime(t.from), shortTime(t.to)
	}
	indent := strings.Repeat(" ", margin+2)
	if t.from == t.to {
		d.line(indent + from)
		return
	}
	if room := t.width - len(from) - len(to); room > 0 {
		d.line(indent + from + strings.Repeat(" ", room) + to)
		return
	}
	d.line(indent + from + " – " + to)
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

// bars draws one horizontal bar a point.
func (d *drawing) bars(c *chart) {
	top, labels, values := 0.0, 0, 0
	shown := c.points[:min(len(c.points), maxBars)]
	name := func(p point) string {
		if len(c.series) > 1 {
			return c.labels[p.label] + " " + c.series[p.series]
		}
		return c.labels[p.label]
	}
	for _, p := range shown {
		top = max(top, p.value)
		labels = max(labels, min(cells(name(p)), maxLabel))
		values = max(values, len(plain(p.value)))
	}
	room := max(d.width-labels-values-3, 5)
	for _, p := range shown {
		d.line(pad(cut(name(p), labels), labels, false) + " │" + d.ink(bar(p.value, top, room)) + " " + plain(p.value))
	}
	if left := len(c.points) - len(shown); left > 0 {
		d.line(fmt.Sprintf("(%d more bars are not drawn)", left))
	}
}

func bar(v, top float64, room int) string {
	n := height(v, top, room*8)
	s := strings.Repeat("█", n/8)
	if n%8 > 0 {
		s += eighth(rightward, n%8)
	}
	return s
}

// shares draws a pie: there are no circles in text, so bars with their share.
func (d *drawing) shares(c *chart) {
	total := 0.0
	for _, p := range c.points {
		total += max(p.value, 0)
	}
	slices.SortStableFunc(c.points, func(a, b point) int { return cmp.Compare(b.value, a.value) })
	shown := c.points[:min(len(c.points), maxBars)]
	labels, values := 0, 0
	for _, p := range shown {
		labels = max(labels, min(cells(c.labels[p.label]), maxLabel))
		values = max(values, len(plain(p.value)))
	}
	room := max(d.width-labels-values-11, 5)
	for _, p := range shown {
		share := 0.0
		if total > 0 {
			share = max(p.value, 0) / total
		}
		d.line(pad(cut(c.labels[p.label], labels), labels, false) + " │" + d.ink(bar(share, 1, room)) + fmt.Sprintf(" %.1f %%  %s", share*100, plain(p.value)))
	}
	if left := len(c.points) - len(shown); left > 0 {
		d.line(fmt.Sprintf("(%d more slices are not drawn)", left))
	}
}

// columns draws upright columns with their labels below; where these don't fit,
// or there are several series, it draws bars.
func (d *drawing) columns(c *chart) {
	top, wide := 0.0, 1
	for _, p := range c.points {
		top = max(top, p.value)
		wide = max(wide, cells(c.labels[p.label]), len(plain(p.value)))
	}
	axis := len(plain(top))
	if len(c.series) > 1 || len(c.points)*(wide+1) > d.width-axis-2 {
		d.bars(c)
		return
	}
	var levels []float64
	var names strings.Builder
	for _, p := range c.points {
		for range wide {
			levels = append(levels, p.value)
		}
		levels = append(levels, math.NaN())
		names.WriteString(pad(c.labels[p.label], wide+1, false))
	}
	d.plot(levels, plotHeight, axis)
	d.line(strings.Repeat(" ", axis) + " └" + strings.Repeat("─", len(levels)))
	d.line(strings.Repeat(" ", axis+2) + names.String())
}
