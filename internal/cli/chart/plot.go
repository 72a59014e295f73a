package chart

import (
	"fmt"
	"math"
	"strings"
)

// along draws series along times or numbers.
func (d *drawing) along(c *Chart) {
	list := c.byTotal()
	if c.YTitle != "" {
		d.line(d.cut(c.YTitle, d.width))
	}
	if c.Stack != Apart && len(list) > 1 {
		if negative(list) {
			d.note("values below zero can't be stacked: each series stands for itself")
		} else {
			d.stacked(c, list)
			return
		}
	}
	left := 0
	if len(list) > maxSeries {
		list, left = list[:maxSeries], len(list)-maxSeries
	}
	switch {
	case len(list) == 1:
		d.plots(c, list, plotLines)
	case len(list) <= maxPlots:
		d.plots(c, list, fewLines)
	default:
		d.strips(c, list)
	}
	if left > 0 {
		d.note("%s more %s not drawn: the smallest", plain(float64(left)), pick(left, "series is", "series are"))
	}
}

func negative(list []*Series) bool {
	for _, s := range list {
		if least, _ := extremes(s.Points); least < 0 {
			return true
		}
	}
	return false
}

// extremes gives the least and the greatest value, and zero if that is.
func extremes(points []Point) (least, most float64) {
	for _, p := range points {
		least, most = min(least, p.Y), max(most, p.Y)
	}
	return least, most
}

// plots draws each series into a plot of its own, all along the same x.
func (d *drawing) plots(c *Chart, list []*Series, lines int) {
	scales := make([]scale, len(list))
	margin := 1
	for i, s := range list {
		least, most := extremes(s.Points)
		scales[i] = newScale(least, most, lines)
		margin = max(margin, scales[i].labelWidth())
	}
	t := newTimeline(list, d.width-margin-2)
	for i, s := range list {
		if !c.HideLegend {
			d.line(strings.Repeat(" ", margin+2) + d.ink(d.cut(s.Name, d.width-margin-2), i))
		}
		d.plot(t.levels(s.Points), scales[i], margin, i)
		if i < len(list)-1 {
			d.line(pad("0", margin, true) + " " + d.glyphs.corner + strings.Repeat(d.glyphs.flat, t.width))
		}
	}
	d.axis(c, t, margin, scales[len(list)-1].below == 0)
}

// plot draws levels above and below zero, with the scale beside them.
func (d *drawing) plot(levels []float64, s scale, margin, series int) {
	var b strings.Builder
	for line := s.above*s.per - 1; line >= 0; line-- {
		b.Reset()
		for _, v := range levels {
			n := 0
			if v > 0 {
				n = s.eighths(v) - 8*line
			}
			b.WriteString(eighth(d.glyphs.up, n))
		}
		d.line(pad(s.label(line, false), margin, true) + " " + d.glyphs.side + d.ink(b.String(), series))
	}
	if s.below == 0 {
		return
	}
	d.line(pad("0", margin, true) + " " + d.glyphs.cross + strings.Repeat(d.glyphs.flat, len(levels)))
	for line := range s.below * s.per {
		b.Reset()
		for _, v := range levels {
			n := 0
			if v < 0 {
				n = s.eighths(v) - 8*line
			}
			b.WriteString(eighth(d.glyphs.down, n))
		}
		d.line(pad(s.label(line, true), margin, true) + " " + d.glyphs.side + d.ink(b.String(), series))
	}
}

// axis draws the line below a plot with its ticks and their labels.
func (d *drawing) axis(c *Chart, t timeline, margin int, zero bool) {
	marks := t.marks(c.X)
	rule := make([]string, t.width)
	for i := range rule {
		rule[i] = d.glyphs.flat
	}
	var labels strings.Builder
	at := 0
	for _, m := range marks {
		if m.column < 0 || m.column >= t.width || margin+2+m.column+len(m.text) > d.width {
			continue
		}
		rule[m.column] = d.glyphs.tick
		labels.WriteString(strings.Repeat(" ", m.column-at) + m.text)
		at = m.column + len(m.text)
	}
	label := ""
	if zero {
		label = "0"
	}
	d.line(pad(label, margin, true) + " " + d.glyphs.corner + strings.Join(rule, ""))
	indent := strings.Repeat(" ", margin+2)
	d.line(indent + labels.String())
	caption := d.caption(c, t)
	// A long caption begins further to the left.
	indent = strings.Repeat(" ", min(margin+2, max(d.width-cells(caption), 0)))
	d.line(indent + d.cut(caption, d.width))
}

// caption says what x is and what a column stands for.
func (d *drawing) caption(c *Chart, t timeline) string {
	from, to, step, utc := plain(t.from), plain(t.to), plain(t.step), ""
	if c.X == Times {
		from, to, step, utc = shortTime(t.from), shortTime(t.to), span(t.step), " UTC"
	}
	text := from + " to " + to + utc
	if t.from == t.to {
		text = from + utc
	}
	if c.XTitle != "" {
		text = c.XTitle + ": " + text
	}
	switch {
	case t.loose:
	case t.packed && t.bins > 2*float64(t.points):
		text += ", highest in each column"
	case t.packed:
		text += fmt.Sprintf(", highest of %s a column", plain(math.Ceil(t.bins/float64(t.width))))
	case t.step > 0:
		text += ", " + step + " apart"
	}
	return text
}

// strips draws a line a series, each to its own scale.
func (d *drawing) strips(c *Chart, list []*Series) {
	names, tops := 0, 0
	tails := make([]string, len(list))
	for i, s := range list {
		names = max(names, min(cells(s.Name), d.maxLabel()))
		least, most := extremes(s.Points)
		tails[i] = " max " + plain(most)
		if least < 0 {
			tails[i] = " min " + plain(least) + tails[i]
		}
		tops = max(tops, len(tails[i]))
	}
	t := newTimeline(list, max(d.width-names-2-tops, 10))
	for i, s := range list {
		_, most := extremes(s.Points)
		var b strings.Builder
		for _, v := range t.levels(s.Points) {
			n := 0
			if v > 0 {
				n = max(int(math.Round(v/most*8)), 1)
			}
			b.WriteString(eighth(d.glyphs.strip, n))
		}
		d.line(pad(d.cut(s.Name, names), names, false) + " " + d.glyphs.side + d.ink(b.String(), i) + tails[i])
	}
	d.axis(c, t, names, false)
}
