package chart

import (
	"fmt"
	"math"
	"strings"
)

// fold keeps the largest series of a stack and adds the rest up as "other".
func fold(list []*Series) []*Series {
	if len(list) <= maxStack {
		return list
	}
	rest := list[maxStack-1:]
	other := &Series{Name: fmt.Sprintf("other (%d)", len(rest))}
	for _, s := range rest {
		other.Points = append(other.Points, s.Points...)
	}
	return append(list[:maxStack-1:maxStack-1], other)
}

// pile is the values of all series at one x.
type pile []float64

func (p pile) sum() (sum float64) {
	for _, v := range p {
		sum += v
	}
	return sum
}

// at gives the series whose part of the pile holds height v, -1 above its top.
func (p pile) at(v float64) int {
	top := 0.0
	for i, part := range p {
		if top += part; part > 0 && v < top {
			return i
		}
	}
	return -1
}

// piles gathers the values of each x, in the order of x's first appearance.
func piles(list []*Series) (order []float64, at map[float64]pile) {
	at = map[float64]pile{}
	for i, s := range list {
		for _, p := range s.Points {
			if at[p.X] == nil {
				at[p.X] = make(pile, len(list))
				order = append(order, p.X)
			}
			at[p.X][i] += p.Y
		}
	}
	return order, at
}

// share divides a pile by its sum.
func (p pile) share() pile {
	sum := p.sum()
	out := make(pile, len(p))
	for i, v := range p {
		if sum > 0 {
			out[i] = v / sum * 100
		}
	}
	return out
}

// stacked draws series on top of each other along x.
func (d *drawing) stacked(c *Chart, list []*Series) {
	list = fold(list)
	order, at := piles(list)
	most := 0.0
	for x, p := range at {
		if c.Stack == Shares {
			at[x] = p.share()
		}
		most = max(most, at[x].sum())
	}
	s := newScale(0, most, plotLines)
	margin := s.labelWidth()
	t := newTimeline(list, d.width-margin-2)
	// Of several x in a column the highest pile stands for all: a pile of each
	// series' highest would be a sum that never was.
	columns := make([]pile, t.width)
	for _, x := range order {
		first, end := t.columnsOf(x)
		for i := first; i < end; i++ {
			if columns[i] == nil || at[x].sum() > columns[i].sum() {
				columns[i] = at[x]
			}
		}
	}
	d.legend(c, list)
	d.piles(columns, s, margin)
	d.axis(c, t, margin, true)
}

// piles draws one pile a column.
func (d *drawing) piles(columns []pile, s scale, margin int) {
	unit := s.step / float64(s.per)
	for line := s.above*s.per - 1; line >= 0; line-- {
		var b strings.Builder
		for _, p := range columns {
			series := p.at((float64(line) + 0.5) * unit)
			if series < 0 && line == 0 {
				series = p.at(0) // what isn't zero is seen
			}
			if series < 0 {
				b.WriteByte(' ')
				continue
			}
			b.WriteString(d.ink(d.glyphs.stack[series], series))
		}
		d.line(pad(s.label(line, false), margin, true) + " " + d.glyphs.side + b.String())
	}
}

// legend names the glyphs of a stack.
func (d *drawing) legend(c *Chart, list []*Series) {
	if c.HideLegend {
		return
	}
	var b strings.Builder
	width := 0
	for i, s := range list {
		name := d.cut(s.Name, d.maxLabel())
		wide := 2 + cells(name)
		if width > 0 && width+2+wide > d.width {
			d.line(b.String())
			b.Reset()
			width = 0
		}
		if width > 0 {
			b.WriteString("  ")
			width += 2
		}
		b.WriteString(d.ink(d.glyphs.stack[i], i) + " " + name)
		width += wide
	}
	d.line(b.String())
}

// stackedBar draws a pile as a bar of room cells for most; a part that isn't zero
// and has no cell of its own is not seen, but the legend names it.
func (d *drawing) stackedBar(p pile, most float64, room int) string {
	var b strings.Builder
	filled, top := 0, 0.0
	for i, v := range p {
		top += v
		end := int(math.Round(top / most * float64(room)))
		if v > 0 && end == filled && end < room && p.sum() > 0 && filled == 0 {
			end = 1
		}
		if end > filled {
			b.WriteString(d.ink(strings.Repeat(d.glyphs.stack[i], end-filled), i))
			filled = end
		}
	}
	return b.String()
}
