package chart

import (
	"math"
	"strconv"
	"strings"
)

// scale maps values to lines above and below zero. Ticks are step apart, per lines
// each, so they lie on the edges of lines.
type scale struct {
	step         float64
	per          int
	above, below int // ticks
}

// newScale finds a scale that holds zero and all values on about lines lines.
func newScale(least, most float64, lines int) scale {
	least, most = min(least, 0), max(most, 0)
	if most-least < minNumber {
		most = 1
	}
	// A tick every other line leaves room for labels to be read.
	want := max(lines/2, 1)
	step := nice((most - least) / float64(want))
	// A side that is nearly empty costs a tick, so ask again with fewer.
	s := scale{step: step, above: ticks(most, step), below: ticks(-least, step)}
	if s.above+s.below > want+1 {
		s.step = nice((most - least) / float64(max(want-1, 1)))
		s.above, s.below = ticks(most, s.step), ticks(-least, s.step)
	}
	s.per = max(lines/(s.above+s.below), 1)
	return s
}

// almost lets a value that is a tick but for rounding be one.
const almost = 1e-9

func ticks(v, step float64) int { return int(math.Ceil(v/step - almost)) }

// nice gives the least of 1, 2, 2.5 or 5 times a power of ten that isn't below v.
func nice(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if m*power >= v*(1-almost) {
			return m * power
		}
	}
	return 10 * power
}

// eighths gives the height of v in eighths of a line; what isn't zero is at least
// one.
func (s scale) eighths(v float64) int {
	if v == 0 {
		return 0
	}
	return max(int(math.Round(math.Abs(v)/s.step*float64(s.per)*8)), 1)
}

// label gives the tick at the top edge of a line above zero, or the bottom edge of
// one below; "" where there is none.
func (s scale) label(line int, below bool) string {
	if (line+1)%s.per != 0 {
		return ""
	}
	v := float64((line+1)/s.per) * s.step
	if below {
		v = -v
	}
	return s.tick(v)
}

// tick prints a multiple of the step with as many decimals as the step has.
func (s scale) tick(v float64) string {
	if math.Abs(v) >= 1e15 || s.step < 1e-6 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	decimals := 0
	for step := s.step; decimals < 9 && math.Abs(step-math.Round(step)) > almost*step; decimals++ {
		step *= 10
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	whole, fraction, has := strings.Cut(text, ".")
	if has {
		return Grouped(whole) + "." + fraction
	}
	return Grouped(whole)
}

// labelWidth is the width of the widest tick.
func (s scale) labelWidth() int {
	wide := 1
	for i := -s.below; i <= s.above; i++ {
		wide = max(wide, len(s.tick(float64(i)*s.step)))
	}
	return wide
}

// plain prints a number: short, whole numbers exact.
func plain(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return Grouped(strconv.FormatInt(int64(v), 10))
	}
	if a := math.Abs(v); a >= 1e4 && a < 1e15 {
		whole, fraction, _ := strings.Cut(strconv.FormatFloat(v, 'f', 1, 64), ".")
		return Grouped(whole) + "." + fraction
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// Grouped puts commas between groups of three digits: digits are those of a whole
// number, with - in front or not.
func Grouped(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
