package chart

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update rewrites testdata/*.golden from what is drawn.
var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

const hour = 3600.0

// start is 2024-10-04, a Friday.
const start = 20_000 * 24 * hour

// waves is series over hours; hour 7 has no point.
func waves(hours int, names ...string) *Chart {
	c := &Chart{X: Times, XTitle: "TimeGenerated"}
	for i, name := range names {
		s := Series{Name: name}
		for h := range hours {
			if h != 7 {
				v := math.Round((1 + math.Sin(float64(h)/4)) * 500 / math.Pow(10, float64(i)))
				s.Points = append(s.Points, Point{start + float64(h)*hour, v})
			}
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// shares is labels with values.
func shares(n int) *Chart {
	c := &Chart{XTitle: "Host", YTitle: "count_"}
	s := Series{Name: "count_"}
	for i := range n {
		c.Labels = append(c.Labels, strings.Repeat("x", i%9+1)+fmt.Sprintf("%d.example", i))
		s.Points = append(s.Points, Point{float64(i), float64((i + 3) * (i + 3) * 7 % 90)})
	}
	c.Series = []Series{s}
	return c
}

// grid is labels with a value for each of some series.
func grid(labels int, names ...string) *Chart {
	c := shares(labels)
	c.Series = nil
	for i, name := range names {
		s := Series{Name: name}
		for l := range labels {
			if (i+l)%4 != 3 {
				s.Points = append(s.Points, Point{float64(l), float64((i*5 + l*3 + 2) % 17)})
			}
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func with(c *Chart, change func(*Chart)) *Chart {
	change(c)
	return c
}

// cases are the charts whose text is fixed.
func cases() map[string]*Chart {
	return map[string]*Chart{
		"time-one-series":   waves(24, "count_"),
		"time-packed":       waves(500, "count_"),
		"time-few-series":   waves(48, "Security", "System", "a name that is far too long for a label beside a plot"),
		"time-many-series":  waves(72, "s1", "s2", "s3", "a name that is far too long for a label beside a plot", "s5"),
		"time-too-many":     waves(9, strings.Split("abcdefghijklmnopqrstuvw", "")...),
		"time-one-point":    waves(1, "count_"),
		"time-years":        {X: Times, Series: []Series{{Name: "n", Points: []Point{{0, 1}, {86400 * 365 * 30, 5}, {86400 * 365 * 50, 3}}}}},
		"time-seconds":      {X: Times, Series: []Series{{Name: "n", Points: []Point{{start, 1}, {start + 1, 0.25}, {start + 30, .5}}}}},
		"time-negative":     {X: Times, XTitle: "t", Series: []Series{{Name: "delta", Points: []Point{{start, -30}, {start + hour, 12}, {start + 2*hour, -1}, {start + 3*hour, 55}, {start + 5*hour, 0}}}}},
		"time-only-below":   {X: Times, Series: []Series{{Name: "delta", Points: []Point{{start, -3}, {start + hour, -1}}}}},
		"time-odd":          {X: Times, Series: []Series{{Name: "n", Points: []Point{{start, math.NaN()}, {start + hour, 4}, {start + 2*hour, math.Inf(1)}}}}},
		"time-zeros":        {X: Times, Series: []Series{{Name: "n", Points: []Point{{start, 0}, {start + hour, 0}}}}},
		"time-stacked":      with(waves(48, "Security", "System", "Application"), func(c *Chart) { c.Stack = Stacked; c.Title = "By channel" }),
		"time-shares":       with(waves(24, "Security", "System"), func(c *Chart) { c.Stack = Shares }),
		"time-stack-folded": with(waves(24, "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"), func(c *Chart) { c.Stack = Stacked }),
		"time-uneven":       {X: Times, XTitle: "t", Series: []Series{{Name: "n", Points: []Point{{start, 2}, {start + 0.001, 4}, {start + 3*hour, 3}, {start + 90*hour, 1}}}}},
		"numbers":           {X: Numbers, XTitle: "size", Series: []Series{{Name: "n", Points: []Point{{0, 2}, {10, 4}, {20, 3}, {35, 1}}}}},
		"columns":           with(shares(4), func(c *Chart) { c.Form = Columns }),
		"columns-too-wide":  with(shares(9), func(c *Chart) { c.Form = Columns }),
		"columns-stacked":   with(grid(4, "ok", "failed", "locked"), func(c *Chart) { c.Form, c.Stack = Columns, Stacked }),
		"bars":              with(shares(6), func(c *Chart) { c.Form = Bars }),
		"bars-many":         with(shares(45), func(c *Chart) { c.Form = Bars }),
		"bars-series":       with(grid(3, "ok", "failed"), func(c *Chart) { c.Form = Bars }),
		"bars-stacked":      with(grid(5, "ok", "failed", "locked"), func(c *Chart) { c.Form, c.Stack = Bars, Stacked }),
		"bars-shares":       with(grid(5, "ok", "failed", "locked"), func(c *Chart) { c.Form, c.Stack = Bars, Shares }),
		"bars-negative":     {Form: Bars, Labels: []string{"a", "b", "c"}, Series: []Series{{Name: "n", Points: []Point{{0, -30}, {1, 20}, {2, -1}}}}},
		"bars-wide-labels":  {Form: Bars, Labels: []string{"東京", "grün", "e\u0301te\u0301"}, Series: []Series{{Name: "n", Points: []Point{{0, 3}, {1, 2}, {2, 1}}}}},
		"pie":               with(shares(5), func(c *Chart) { c.Form = Pie }),
		"pie-folded":        with(shares(30), func(c *Chart) { c.Form = Pie }),
		"pie-negative":      {Form: Pie, Labels: []string{"a", "b"}, Series: []Series{{Name: "n", Points: []Point{{0, -3}, {1, 2}}}}},
		"scatter":           {Form: Scatter, X: Numbers, XTitle: "bytes", YTitle: "ms", Series: []Series{{Name: "ms", Points: []Point{{1, 1}, {1, 1.1}, {50, 30}, {99, 55}, {70, -12}}}}},
		"scatter-series":    {Form: Scatter, X: Times, Series: []Series{{Name: "a", Points: []Point{{start, 1}, {start + hour, 5}}}, {Name: "b", Points: []Point{{start + hour, 5}, {start + 7*hour, 4}}}}},
		"empty":             {Form: Lines, X: Times, Title: "nothing"},
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestCharts(t *testing.T) {
	for name := range cases() {
		t.Run(name, func(t *testing.T) {
			for suffix, look := range map[string]Look{"": {Width: 72}, "-ascii": {Width: 60, ASCII: true}} {
				var b, coloured strings.Builder
				if err := Draw(&b, cases()[name], look); err != nil {
					t.Fatal(err)
				}
				golden(t, name+suffix, b.String())
				for line := range strings.Lines(b.String()) {
					if line = strings.TrimSuffix(line, "\n"); cells(line) > look.Width {
						t.Errorf("a line of %d cells: %s", cells(line), line)
					}
					if look.ASCII && name != "bars-wide-labels" && strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
						t.Errorf("a line that is not ASCII: %s", line)
					}
				}
				// Colours add nothing but colours.
				look.Colours = true
				if err := Draw(&coloured, cases()[name], look); err != nil {
					t.Fatal(err)
				}
				var bare strings.Builder
				for line := range strings.Lines(escapes.ReplaceAllString(coloured.String(), "")) {
					bare.WriteString(strings.TrimRight(line, " \n") + "\n")
				}
				if diff := cmp.Diff(b.String(), bare.String()); diff != "" {
					t.Errorf("colours (-without +with):\n%s", diff)
				}
			}
		})
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		least, most float64
		want        scale
	}{
		{0, 10, scale{2, 2, 5, 0}},
		{0, 1000, scale{200, 2, 5, 0}},
		{0, 7, scale{2, 2, 4, 0}},
		{0, 0, scale{0.2, 2, 5, 0}},
		{0, 0.03, scale{0.01, 3, 3, 0}},
		{-5, 5, scale{2, 1, 3, 3}},
		{-100, 1, scale{25, 2, 1, 4}},
		{3, 4, scale{1, 2, 4, 0}},
	} {
		if got := newScale(c.least, c.most, 10); got != c.want {
			t.Errorf("%v to %v: %+v, want %+v", c.least, c.most, got, c.want)
		}
	}
	if got := (scale{step: 0.25}).tick(-1234.5); got != "-1,234.50" {
		t.Error(got)
	}
}

func TestMarksOfTime(t *testing.T) {
	for _, c := range []struct {
		from, to, step float64
		width          int
		want           []string
	}{
		{start, start + 23*hour, hour, 72, []string{"10-04", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"}},
		{start + hour/2, start + hour/2 + 9*60, 60, 60, []string{"00:30", "00:32", "00:34", "00:36", "00:38"}},
		{start, start + 13*24*hour, 24 * hour, 56, []string{"10-04", "10-06", "10-08", "10-10", "10-12", "10-14", "10-16"}},
		{start, start + 400*24*hour, 24 * hour, 60, []string{"2025-01", "2025-04", "2025-07", "2025-10"}},
	} {
		tl := newTimeline([]*Series{{Points: []Point{{c.from, 1}, {c.from + c.step, 1}, {c.to, 1}}}}, c.width)
		var got []string
		for _, m := range tl.marks(Times) {
			got = append(got, m.text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v to %v (-want +got):\n%s", shortTime(c.from), shortTime(c.to), diff)
		}
	}
}

// FuzzDraw looks for numbers that make a chart panic, hang or run over its width.
func FuzzDraw(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, -4.0, uint8(0))
	f.Add(1e300, -1e300, 5e-324, math.MaxFloat64, uint8(7))
	f.Add(-6.2e10, 2.5e11, 0.0, 1e-320, uint8(21))
	f.Fuzz(func(t *testing.T, x1, y1, x2, y2 float64, how uint8) {
		c := &Chart{Form: Form(how % 5), X: Axis(how / 5 % 3), Stack: Stack(how / 15 % 3), Labels: []string{"a", "b"}}
		c.Series = []Series{{Name: "s", Points: []Point{{x1, y1}, {x2, y2}}}, {Name: "t", Points: []Point{{x2, y1}}}}
		if c.Form == Bars || c.Form == Pie {
			c.X = Labels
		}
		if c.X == Times && (math.Abs(x1) > 3e11 || math.Abs(x2) > 3e11) {
			t.Skip("no time of the years 1 to 9999")
		}
		var b strings.Builder
		if err := Draw(&b, c, Look{Width: 60}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if cells(strings.TrimSuffix(line, "\n")) > 60 {
				t.Errorf("a line of %d cells: %s", cells(line), line)
			}
		}
	})
}
