package chart

import (
	"strings"
)

// scatter marks each point: one series by how many points a cell has, several by a
// mark each, of which the first to come stays.
func (d *drawing) scatter(c *Chart) {
	list := c.byTotal()
	left := 0
	if most := len(d.glyphs.marks); len(list) > most {
		list, left = list[:most], len(list)-most
	}
	least, most := 0.0, 0.0
	for _, s := range list {
		low, high := extremes(s.Points)
		least, most = min(least, low), max(most, high)
	}
	s := newScale(least, most, plotLines)
	margin := s.labelWidth()
	t := newTimeline(list, d.width-margin-2)
	t.width, t.packed = d.width-margin-2, false
	lines := (s.above + s.below) * s.per
	// cell counts points and keeps the series of the first.
	type cell struct{ count, series int }
	grid := make([]cell, lines*t.width)
	unit := s.step / float64(s.per)
	for i, series := range list {
		for _, p := range series.Points {
			column := 0
			if t.to > t.from {
				column = int((p.X - t.from) / (t.to - t.from) * float64(t.width-1))
			}
			line := int((p.Y + float64(s.below)*s.step) / unit)
			g := &grid[min(max(line, 0), lines-1)*t.width+min(max(column, 0), t.width-1)]
			if g.count == 0 {
				g.series = i
			}
			g.count++
		}
	}
	d.head(&Chart{YTitle: c.YTitle})
	d.scatterLegend(c, list)
	for line := lines - 1; line >= 0; line-- {
		var b strings.Builder
		for _, g := range grid[line*t.width : (line+1)*t.width] {
			switch {
			case g.count == 0:
				b.WriteByte(' ')
			case len(list) > 1:
				b.WriteString(d.ink(d.glyphs.marks[g.series], g.series))
			default:
				b.WriteString(d.ink(d.glyphs.density[min(g.count-1, 2)], 0))
			}
		}
		label := ""
		if line%s.per == 0 {
			label = s.tick(float64(line/s.per-s.below) * s.step)
		}
		d.line(pad(label, margin, true) + " " + d.glyphs.side + b.String())
	}
	t.loose = true
	t.step, t.bins = (t.to-t.from)/float64(max(t.width-1, 1)), float64(t.width)
	d.axis(c, t, margin, false)
	if left > 0 {
		d.note("%s more %s not drawn: the smallest", plain(float64(left)), pick(left, "series is", "series are"))
	}
}

func (d *drawing) scatterLegend(c *Chart, list []*Series) {
	if c.HideLegend || len(list) < 2 {
		return
	}
	var parts []string
	for i, s := range list {
		parts = append(parts, d.glyphs.marks[i]+" "+s.Name)
	}
	d.line(d.cut(strings.Join(parts, "  "), d.width))
}
