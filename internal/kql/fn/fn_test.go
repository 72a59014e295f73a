package fn

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/event"
)

func TestParseSpan(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"1d", "1.00:00:00"},
		{"1.5h", "01:30:00"},
		{"90s", "00:01:30"},
		{"2ms", "00:00:00.0020000"},
		{"1tick", "00:00:00.0000001"},
		{"3microseconds", "00:00:00.0000030"},
		{"-1d", "-1.00:00:00"},
		{"2", "2.00:00:00"},
		{"0.5", "12:00:00"},
		{"13:00", "13:00:00"},
		{"-00:30:00", "-00:30:00"},
		{"1.02:03:04.5", "1.02:03:04.5000000"},
		{"00:00:00.0000001", "00:00:00.0000001"},
		{"24:00", ""},
		{"1.2.3:00", ""},
		{"1x", ""},
		{"", ""},
		{"99999999999999d", ""},
		{"1:2:3:4", ""},
		{"00:00:00.12345678", ""},
	} {
		n, err := ParseSpan(c.text)
		if got := FormatSpan(n); err == nil && got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q: %s %v, not %s", c.text, got, err, c.want)
		}
	}
	if got := FormatSpan(math.MinInt64); got != "-10675199.02:48:05.4775808" {
		t.Error(got)
	}
}

func TestParseTime(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"2026-01-31", "2026-01-31T00:00:00.0000000Z"},
		{"2026-01-31 10:20", "2026-01-31T10:20:00.0000000Z"},
		{"2026-01-31T10:20:30.1234567Z", "2026-01-31T10:20:30.1234567Z"},
		{"2026-01-31 10:20:30.12", "2026-01-31T10:20:30.1200000Z"},
		{"2026-01-31T10:20:30+02:00", "2026-01-31T08:20:30.0000000Z"},
		{"12/31/2026", "2026-12-31T00:00:00.0000000Z"},
		{"0001-01-01", "0001-01-01T00:00:00.0000000Z"},
		{"9999-12-31 23:59:59.9999999", "9999-12-31T23:59:59.9999999Z"},
		{"Sat, 31 Jan 2026 12:00:00 GMT", "2026-01-31T12:00:00.0000000Z"},
		{"2026-02-30", ""},
		{"2026-13-01", ""},
		{"0001-01-01T00:00:00+02:00", ""},
		{"soon", ""},
		{"", ""},
	} {
		ticks, err := ParseTime(c.text)
		if got := ticks.String(); err == nil && got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q: %s %v, not %s", c.text, got, err, c.want)
		}
	}
}

func TestFormatReal(t *testing.T) {
	for f, want := range map[float64]string{
		1: "1.0", -2.5: "-2.5", 0.1: "0.1", 1e14: "100000000000000.0", 1e15: "1E+15", 1e-4: "0.0001", 1e-5: "1E-05", 1.5e-7: "1.5E-07",
		math.Inf(1): "Infinity", math.Inf(-1): "-Infinity", math.Copysign(0, -1): "-0.0",
	} {
		if got := FormatReal(f); got != want {
			t.Errorf("%g prints as %s, not %s", f, got, want)
		}
	}
	if got := FormatReal(math.NaN()); got != "NaN" {
		t.Error(got)
	}
}

func TestRegex(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`^\d+$`, "٣٤", true}, // Arabic-Indic digits are digits to Kusto
		{`^\w+$`, "é_1", true},
		{`^[\w.]+$`, "é.x", true},
		{`^\W$`, "é", false},
		{`^\s$`, "\u00a0", true},
		{`^(?<w>a)[(?<]$`, "a<", true},
		{`\(?<w>`, "<w>", true},
		{`^[\D]$`, "a", true},
		{`^[\D]$`, "٣", false},
		{`^[^\W]$`, "é", true},
		{`^[\W\d]+$`, "-5 ", true},
		{`^[\S]$`, "\u00a0", false},
		{`^[\S]$`, "é", true},
		{`[]a]b`, "]b", true},
		{`[^]a]b`, "]b", false},
		{`\\d`, `\d`, true},
		{`\[x[.]`, "[x.", true},
		{`(?i)abc`, "ABC", true},
		{`[[:digit:]]`, "5", true},
		{`\x41\.`, "A.", true},
	} {
		re, err := Regex(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := regexp.MustCompile(re).MatchString(c.text); got != c.want {
			t.Errorf("%s (%s) on %q: %v", c.pattern, re, c.text, got)
		}
	}
	for _, bad := range []string{`(`, `(?=x)`, `(?<!x)`, `\1`, `\Qa\E`, `a{1001}`, `[`, `\`} {
		if re, err := Regex(bad); err == nil {
			t.Errorf("%s is taken as %s", bad, re)
		}
	}
	if re, err := Regex(`(?<w>a)`); err != nil || re != `(?P<w>a)` {
		t.Error(re, err)
	}
	if n := Groups(`(a)(?:b)(c)`); n != 2 {
		t.Errorf("%d groups", n)
	}
}

// FuzzValues checks that what reads back is what was printed, and that no text
// makes a reader panic or gives a value out of range.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"1d", "-1.02:03:04.5", "2026-01-31T10:20:30.1234567Z", "9999-12-31", "1e300d", `[\w]\d(`, "0x10", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseSpan(s); err == nil {
			if back, err := ParseSpan(FormatSpan(n)); n != math.MinInt64 && (err != nil || back != n) {
				t.Errorf("%q is %d ticks, which print as %s and read as %d %v", s, n, FormatSpan(n), back, err)
			}
		}
		if ticks, err := ParseTime(s); err == nil {
			if back, err := ParseTime(ticks.String()); err != nil || back != ticks || ticks < event.MinTicks || ticks > event.MaxTicks {
				t.Errorf("%q is %s, which reads as %s %v", s, ticks, back, err)
			}
		}
		if re, err := Regex(s); err == nil {
			if r, err := regexp.Compile(re); err == nil && r.NumSubexp() != Groups(re) {
				t.Errorf("%q has %d groups, not %d", re, r.NumSubexp(), Groups(re))
			}
		}
	})
}

// TestOpNames checks that every operation prints under its own name.
func TestOpNames(t *testing.T) {
	if len(opNames) != int(opCount) {
		t.Fatalf("%d names for %d operations", len(opNames), opCount)
	}
	seen := map[string]bool{}
	for o := range opCount {
		if name := o.String(); name == "" || seen[name] {
			t.Errorf("operation %d is called %q", o, name)
		} else {
			seen[name] = true
		}
	}
	if SystemXML.String() != "system_xml" || Coalesce.String() != "coalesce" || MaxOf.String() != "max_of" {
		t.Error("the names are out of step")
	}
}

func TestMatchesEmpty(t *testing.T) {
	for re, want := range map[string]bool{"a": false, "(a*)b": false, "a*": true, "(a|b*)": true, "a+": false, "(a?)+": true, `\\b`: true, "": true, "[ab]{2}": false, "a{0,2}": true, "(?:ab|c)": false} {
		if got := MatchesEmpty(strings.ReplaceAll(re, `\\`, `\`)); got != want {
			t.Errorf("%s: %v", re, got)
		}
	}
}
