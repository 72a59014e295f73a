package chart

import (
	"math"
	"slices"
	"strings"
	"time"
)

// timeline maps x to the columns of a plot: each bin of the data gets the same
// number of columns, or, where there are more bins than columns, a column the
// highest value of its bins.
type timeline struct {
	from, to, step float64
	bins           float64
	points         int // different x
	width          int // columns used
	packed         bool
	loose          bool // points lie where they are, not in bins
}

// maxBins is how many bins are told apart; more are as many as columns.
const maxBins = 1e12

// maxBinColumns bounds the columns of a bin, so that few bins don't look like many.
const maxBinColumns = 8

// newTimeline finds the bins: the smallest distance between two x.
func newTimeline(series []*Series, room int) timeline {
	var at []float64
	for _, s := range series {
		for _, p := range s.Points {
			at = append(at, p.X)
		}
	}
	slices.Sort(at)
	at = slices.Compact(at)
	t := timeline{from: at[0], to: at[len(at)-1], bins: 1, points: len(at)}
	for i := 1; i < len(at); i++ {
		if gap := at[i] - at[i-1]; i == 1 || gap < t.step {
			t.step = gap
		}
	}
	if t.step > 0 {
		if (t.to-t.from)/t.step > maxBins {
			t.step = (t.to - t.from) / float64(room)
			t.packed = true
		}
		t.bins = math.Floor((t.to-t.from)/t.step+almost) + 1
	}
	if t.bins >= float64(room) {
		t.width, t.packed = room, t.packed || t.bins > float64(room)
		return t
	}
	t.width = int(t.bins) * min(max(room/int(t.bins), 1), maxBinColumns)
	return t
}

// column gives the column where the bin that holds x begins; it may lie outside.
func (t timeline) column(x float64) int {
	if t.step == 0 {
		return 0
	}
	return int(math.Floor(math.Floor((x-t.from)/t.step+almost) * float64(t.width) / t.bins))
}

// columnsOf gives the columns of a plot that the value at x fills.
func (t timeline) columnsOf(x float64) (first, end int) {
	first = min(max(t.column(x), 0), t.width-1)
	if t.step == 0 {
		return 0, t.width
	}
	return first, min(max(t.column(x+t.step), first+1), t.width)
}

// levels gives the value of each column, NaN where there is none: of several the
// one that is the farthest from zero.
func (t timeline) levels(points []Point) []float64 {
	levels := make([]float64, t.width)
	for i := range levels {
		levels[i] = math.NaN()
	}
	for _, p := range points {
		first, end := t.columnsOf(p.X)
		for i := first; i < end; i++ {
			if math.IsNaN(levels[i]) || math.Abs(p.Y) > math.Abs(levels[i]) {
				levels[i] = p.Y
			}
		}
	}
	return levels
}

// mark is a label below a column.
type mark struct {
	column int
	text   string
}

// marks gives the ticks of the axis: round times or numbers whose labels don't
// touch.
func (t timeline) marks(axis Axis) []mark {
	if t.from == t.to {
		if axis == Times {
			return []mark{{0, shortTime(t.from)}}
		}
		return []mark{{0, plain(t.from)}}
	}
	if axis == Times {
		return t.timeMarks()
	}
	for n := t.width / 4; n >= 1; n-- {
		s := scale{step: nice((t.to - t.from) / float64(n))}
		var found []mark
		for v := math.Ceil(t.from/s.step-almost) * s.step; v <= t.to*(1+almost)+almost*s.step && len(found) <= t.width; v += s.step {
			found = append(found, mark{min(t.column(v), t.width-1), s.tick(v)})
		}
		if fits(found) {
			return found
		}
	}
	return nil
}

// fits tells whether labels that begin at their columns leave two blanks between.
func fits(marks []mark) bool {
	for i := 1; i < len(marks); i++ {
		if marks[i-1].column+len(marks[i-1].text)+2 > marks[i].column {
			return false
		}
	}
	return true
}

// pace is a distance of ticks along time: a number of seconds or months.
type pace struct {
	seconds, months int64
	layout          string
}

// first gives the first tick that isn't before x, in whole seconds.
func (c pace) first(x float64) float64 {
	if c.months == 0 {
		every := float64(c.seconds)
		return math.Ceil((x-monday)/every)*every + monday
	}
	at := time.Unix(int64(math.Floor(x)), 0).UTC()
	months := (int64(at.Year())*12 + int64(at.Month()) - 1) / c.months * c.months
	for {
		start := time.Date(int(months/12), time.Month(months%12+1), 1, 0, 0, 0, 0, time.UTC)
		if float64(start.Unix()) >= x {
			return float64(start.Unix())
		}
		months += c.months
	}
}

func (c pace) next(x float64) float64 {
	if c.months == 0 {
		return x + float64(c.seconds)
	}
	return float64(time.Unix(int64(x), 0).UTC().AddDate(0, int(c.months), 0).Unix())
}

var calendar = []pace{
	{1, 0, "15:04:05"},
	{2, 0, "15:04:05"},
	{5, 0, "15:04:05"},
	{10, 0, "15:04:05"},
	{15, 0, "15:04:05"},
	{30, 0, "15:04:05"},
	{60, 0, "15:04"},
	{120, 0, "15:04"},
	{300, 0, "15:04"},
	{600, 0, "15:04"},
	{900, 0, "15:04"},
	{1800, 0, "15:04"},
	{3600, 0, "15:04"},
	{2 * 3600, 0, "15:04"},
	{3 * 3600, 0, "15:04"},
	{6 * 3600, 0, "15:04"},
	{12 * 3600, 0, "15:04"},
	{86400, 0, "01-02"},
	{2 * 86400, 0, "01-02"},
	{7 * 86400, 0, "01-02"},
	{14 * 86400, 0, "01-02"},
	{0, 1, "2006-01"},
	{0, 3, "2006-01"},
	{0, 6, "2006-01"},
	{0, 12, "2006"},
	{0, 24, "2006"},
	{0, 60, "2006"},
	{0, 120, "2006"},
	{0, 600, "2006"},
	{0, 1200, "2006"},
}

// monday is a Monday, from which weeks are counted.
const monday = 4 * 86400

func (t timeline) timeMarks() []mark {
	span := t.to - t.from
	for _, c := range calendar {
		apart := float64(c.seconds)
		if c.months > 0 {
			apart = float64(c.months) * 28 * 86400
		}
		if span/apart > float64(t.width) {
			continue
		}
		var found []mark
		for x := c.first(t.from); x <= t.to; x = c.next(x) {
			at := time.Unix(int64(x), 0).UTC()
			text := at.Format(c.layout)
			if c.layout == "15:04" && at.Hour() == 0 && at.Minute() == 0 {
				text = at.Format("01-02")
			}
			found = append(found, mark{t.column(x), text})
		}
		if len(found) > 0 && fits(found) {
			return found
		}
	}
	return []mark{{0, shortTime(t.from)}}
}

// shortTime prints seconds since 1970 without the parts that are zero.
func shortTime(x float64) string {
	whole := math.Floor(x)
	at := time.Unix(int64(whole), int64((x-whole)*1e9)).UTC().Round(time.Microsecond)
	s := at.Format("2006-01-02 15:04:05.999999")
	s = strings.TrimSuffix(s, " 00:00:00")
	if len(s) == len("2006-01-02 15:04:05") {
		s = strings.TrimSuffix(s, ":00")
	}
	return s
}

// span prints a time in seconds in its largest whole unit.
func span(seconds float64) string {
	for _, u := range []struct {
		seconds float64
		name    string
	}{{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}} {
		if n := seconds / u.seconds; n >= 1-almost && math.Abs(n-math.Round(n)) < 1e-6 {
			return plain(math.Round(n)) + " " + u.name
		}
	}
	return plain(seconds) + " s"
}
