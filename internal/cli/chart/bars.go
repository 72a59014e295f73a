package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// row is one bar: a label, the series where there are several, and its value.
type row struct {
	label, series string
	index         int // of the series
	value         float64
}

// rows gives the points in the order of labels, those of a label in the order of
// the series.
func (c *Chart) rows() []row {
	var rows []row
	type key struct {
		label float64
		row
	}
	var keyed []key
	several := 0
	for i := range c.Series {
		if len(c.Series[i].Points) > 0 {
			several++
		}
	}
	for i := range c.Series {
		for _, p := range c.Series[i].Points {
			r := row{label: c.labelOf(p.X), index: i, value: p.Y}
			if several > 1 {
				r.series = c.Series[i].Name
			}
			keyed = append(keyed, key{p.X, r})
		}
	}
	slices.SortStableFunc(keyed, func(a, b key) int { return cmp.Compare(a.label, b.label) })
	for _, k := range keyed {
		rows = append(rows, k.row)
	}
	return rows
}

func (c *Chart) labelOf(x float64) string {
	if i := int(x); i >= 0 && i < len(c.Labels) {
		return c.Labels[i]
	}
	return ""
}

// bars draws one horizontal bar a point, or one a label where series are stacked.
func (d *drawing) bars(c *Chart) {
	if list := c.byTotal(); c.Stack != Apart && len(list) > 1 {
		if negative(list) {
			d.note("values below zero can't be stacked: each series has its own bars")
		} else {
			d.stackedBars(c, list)
			return
		}
	}
	rows := c.rows()
	shown := rows[:min(len(rows), maxBars)]
	d.head(c)
	var labels, series, values int
	least, most := 0.0, 0.0
	for _, r := range shown {
		labels = max(labels, min(cells(r.label), d.maxLabel()))
		series = max(series, min(cells(r.series), d.maxLabel()/2))
		values = max(values, len(plain(r.value)))
		least, most = min(least, r.value), max(most, r.value)
	}
	margin := labels
	if series > 0 {
		margin += 1 + series
	}
	room := max(d.width-margin-values-3, 5)
	before := 0 // cells of bars below zero
	if least < 0 {
		before = min(max(int(math.Round(float64(room-1)*-least/(most-least))), 1), room-1)
		room -= before + 1
	}
	last := ""
	for i, r := range shown {
		label := pad(d.cut(r.label, labels), labels, false)
		if series > 0 {
			if i > 0 && r.label == last {
				label = strings.Repeat(" ", labels)
			}
			label += " " + pad(d.cut(r.series, series), series, false)
		}
		last = r.label
		d.line(label + " " + d.bar(r, before, room, least, most) + " " + plain(r.value))
	}
	if left := len(rows) - len(shown); left > 0 {
		d.note("%s not drawn", plural(left, "more bar")+pick(left, " is", " are"))
	}
}

// head names what bars stand for.
func (d *drawing) head(c *Chart) {
	switch {
	case c.XTitle != "" && c.YTitle != "":
		d.line(d.cut(c.XTitle+": "+c.YTitle, d.width))
	case c.XTitle != "" || c.YTitle != "":
		d.line(d.cut(c.XTitle+c.YTitle, d.width))
	}
}

// bar draws a value from the axis of zero, which has before cells before it.
func (d *drawing) bar(r row, before, room int, least, most float64) string {
	if before == 0 {
		return d.glyphs.side + d.ink(d.grow(d.glyphs.right, r.value, most, room, false), r.index)
	}
	if r.value < 0 {
		text := d.grow(d.glyphs.left, -r.value, -least, before, true)
		return strings.Repeat(" ", before-cells(text)) + d.ink(text, r.index) + d.glyphs.side
	}
	return strings.Repeat(" ", before) + d.glyphs.side + d.ink(d.grow(d.glyphs.right, r.value, most, room, false), r.index)
}

// grow gives a bar for v of most over room cells; what isn't zero is seen.
func (d *drawing) grow(set []string, v, most float64, room int, backwards bool) string {
	if v <= 0 || most <= 0 {
		return ""
	}
	n := min(max(int(math.Round(v/most*float64(room)*8)), 1), room*8)
	full := strings.Repeat(set[8], n/8)
	rest := ""
	if n%8 > 0 {
		rest = set[n%8]
	}
	if backwards {
		return rest + full
	}
	return full + rest
}

func (d *drawing) stackedBars(c *Chart, list []*Series) {
	list = fold(list)
	order, at := piles(list)
	slices.Sort(order)
	shown := order[:min(len(order), maxBars)]
	d.head(c)
	d.legend(c, list)
	labels, values, most := 0, 0, 0.0
	tails := make([]string, len(shown))
	for i, x := range shown {
		labels = max(labels, min(cells(c.labelOf(x)), d.maxLabel()))
		tails[i] = plain(at[x].sum())
		if c.Stack == Shares {
			at[x] = at[x].share()
		}
		values = max(values, len(tails[i]))
		most = max(most, at[x].sum())
	}
	room := max(d.width-labels-values-3, 5)
	for i, x := range shown {
		bar := ""
		if most > 0 {
			bar = d.stackedBar(at[x], most, room)
		}
		d.line(pad(d.cut(c.labelOf(x), labels), labels, false) + " " + d.glyphs.side + bar + " " + tails[i])
	}
	if left := len(order) - len(shown); left > 0 {
		d.note("%s not drawn", plural(left, "more bar")+pick(left, " is", " are"))
	}
}

// pie draws shares: there are no circles in text, so bars with their share.
func (d *drawing) pie(c *Chart) {
	rows := c.rows()
	below, sum := 0, 0.0
	rows = slices.DeleteFunc(rows, func(r row) bool {
		if r.value < 0 {
			below++
		}
		sum += max(r.value, 0)
		return r.value < 0
	})
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.value, a.value) })
	if len(rows) > maxSlices {
		rest := rows[maxSlices-1:]
		other := row{label: fmt.Sprintf("other (%d)", len(rest))}
		for _, r := range rest {
			other.value += r.value
		}
		rows = append(rows[:maxSlices-1:maxSlices-1], other)
	}
	labels, values := 0, 0
	for i := range rows {
		if rows[i].series != "" {
			rows[i].label += " " + rows[i].series
		}
		labels = max(labels, min(cells(rows[i].label), d.maxLabel()))
		values = max(values, len(plain(rows[i].value)))
	}
	d.head(c)
	const shareWidth = len(" 100.0 %  ")
	room := max(d.width-labels-values-shareWidth-2, 5)
	for i, r := range rows {
		share := 0.0
		if sum > 0 {
			share = r.value / sum
		}
		bar := d.grow(d.glyphs.right, share, 1, room, false)
		d.line(pad(d.cut(r.label, labels), labels, false) + " " + d.glyphs.side + d.ink(bar, i) + fmt.Sprintf(" %.1f %%  %s", share*100, plain(r.value)))
	}
	if below > 0 {
		d.note("%s no share", plural(below, "value")+" below zero "+pick(below, "has", "have"))
	}
}

// columns draws upright columns with their labels below; where these don't fit, or
// there are several series side by side, it draws bars.
func (d *drawing) columns(c *Chart) {
	list := c.byTotal()
	stacked := c.Stack != Apart && len(list) > 1 && !negative(list)
	if stacked {
		list = fold(list)
	}
	order, at := piles(list)
	slices.Sort(order)
	least, most, wide := 0.0, 0.0, 1
	for _, x := range order {
		if c.Stack == Shares && stacked {
			at[x] = at[x].share()
		}
		least, most = min(least, at[x].sum()), max(most, at[x].sum())
		wide = max(wide, cells(c.labelOf(x)))
	}
	s := newScale(least, most, plotLines)
	margin := s.labelWidth()
	points := 0
	for _, list := range list {
		points += len(list.Points)
	}
	if len(list) > 1 && !stacked || len(order)*(wide+1) > d.width-margin-2 || !stacked && points > len(order) {
		d.bars(c)
		return
	}
	var levels []float64
	var columns []pile
	var names strings.Builder
	for _, x := range order {
		for range wide {
			levels = append(levels, at[x].sum())
			columns = append(columns, at[x])
		}
		levels, columns = append(levels, math.NaN()), append(columns, nil)
		names.WriteString(pad(c.labelOf(x), wide+1, false))
	}
	d.head(c)
	zero := "0"
	if stacked {
		d.legend(c, list)
		d.piles(columns, s, margin)
	} else {
		d.plot(levels, s, margin, 0)
		if s.below > 0 {
			zero = ""
		}
	}
	d.line(pad(zero, margin, true) + " " + d.glyphs.corner + strings.Repeat(d.glyphs.flat, len(levels)))
	d.line(strings.Repeat(" ", margin+2) + names.String())
}
