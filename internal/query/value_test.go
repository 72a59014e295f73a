package query

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/syntax"
)

func TestAppendTimeSpan(t *testing.T) {
	const second = 10_000_000
	for ticks, want := range map[int64]string{
		0:                                 "00:00:00",
		1:                                 "00:00:00.0000001",
		-1:                                "-00:00:00.0000001",
		3600 * second:                     "01:00:00",
		26*3600*second + 184*second + 5e6: "1.02:03:04.5000000",
		-86400 * second:                   "-1.00:00:00",
		math.MaxInt64:                     "10675199.02:48:05.4775807",
		math.MinInt64:                     "-10675199.02:48:05.4775808",
	} {
		if got := string(appendTimeSpan(nil, ticks)); got != want {
			t.Errorf("%d ticks print as %s, want %s", ticks, got, want)
		}
	}
}

func TestAppendReal(t *testing.T) {
	for want, v := range map[string]float64{
		"0": 0, "1": 1, "-1.5": -1.5, "0.1": 0.1, "100000000000000000000": 1e20, "1e+21": 1e21, "1e-07": 1e-7,
		"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1),
	} {
		if got := string(appendReal(nil, v)); got != want {
			t.Errorf("%v prints as %s, want %s", v, got, want)
		}
	}
}

func TestAppendJSONString(t *testing.T) {
	for s, want := range map[string]string{
		"":                        `""`,
		"a\"b\\c":                 `"a\"b\\c"`,
		"\x00\n\r\t\x1b\x7f":      `"\u0000\n\r\t\u001b\u007f"`,
		"ä\u0085\u2028\u202e😀":    "\"ä\\u0085\\u2028\u202e😀\"",
		"cut \xf0\x9f":            `"cut \ufffd\ufffd"`,
		"<a href='x'>&amp;</a>":   `"<a href='x'>&amp;</a>"`,
		"real \ufffd stays as is": "\"real \ufffd stays as is\"",
	} {
		if got := string(appendJSONString(nil, []byte(s))); got != want {
			t.Errorf("%q gives %s, want %s", s, got, want)
		}
	}
}

func FuzzAppendJSONString(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b[31m\xff\"\\ü\u009b")
	f.Fuzz(func(t *testing.T, s string) {
		text := appendJSONString(nil, []byte(s))
		var back string
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%q gives %s: %v", s, text, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back != want {
			t.Errorf("%q comes back as %q", s, back)
		}
		for _, r := range string(text) {
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				t.Errorf("%q gives a control character: %q", s, text)
			}
		}
	})
}

func TestAppendField(t *testing.T) {
	for value, want := range map[string]string{"": "", "a b": "a b", "a,b": `"a,b"`, `say "x"`: `"say ""x"""`, "two\nlines": "\"two\nlines\"", `"`: `""""`} {
		if got := string(appendField(nil, []byte(value))); got != want {
			t.Errorf("%q gives %s, want %s", value, got, want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("x", 60) + " HERE " + strings.Repeat("y", 200)
	for _, c := range []struct {
		text       string
		start, end int
		want       string
	}{
		{"T | where a = 1", 10, 11, "T | where a = 1\n          ^"},
		{"T\n| wär '\x1b[2J'\r\n| x", 7, 10, "| wär '\u00a0[2J'\n    ^^^"},
		{"T |", 3, 3, "T |\n   ^"},
		{"", 0, 0, "\n^"},
		{"a\nbcd\ne", 3, 7, "bcd\n ^^"},
		{"short", 90, 99, "short\n     ^"},
		{"\t| where\ta", 9, 10, "    | where    a\n               ^"},
		{"T | where 東京 == a", 20, 21, "T | where 東京 == a\n                  ^"},
		{"T | where 東京 == a", 10, 16, "T | where 東京 == a\n          ^^^^"},
		{"e\u0301 = x", 6, 7, "e\u0301 = x\n    ^"},
		{long, 61, 65, "…" + strings.Repeat("x", 38) + " HERE " + strings.Repeat("y", 54) + "…\n" + strings.Repeat(" ", 40) + "^^^^"},
		{"x " + strings.Repeat("長", 100), 2, 302, "x " + strings.Repeat("長", 48) + "…\n  " + strings.Repeat("^", 97)},
	} {
		e := &Error{Text: c.text}
		got := e.Excerpt(syntax.Diagnostic{Span: syntax.Span{Start: c.start, End: c.end}})
		if want := strings.ReplaceAll(c.want, "\u00a0", " "); got != want {
			t.Errorf("%q at %d gives\n%s\nwant\n%s", c.text, c.start, got, want)
		}
	}
}

func TestDetailShowsSeveralPlaces(t *testing.T) {
	text := "T\n| where A == 1\n| where B == 2"
	e := &Error{Text: text, Diagnostics: []syntax.Diagnostic{
		syntax.At(text, syntax.Span{Start: 10, End: 11}, "'A' is unknown", "did you mean AA?"),
		syntax.At(text, syntax.Span{Start: 25, End: 26}, "'B' is unknown", "did you mean BB?"),
	}}
	const want = "  | where A == 1\n          ^\n  hint: did you mean AA?\nalso: 'B' is unknown at 3:9\n  | where B == 2\n          ^\n  hint: did you mean BB?"
	if got := e.Detail(); got != want || e.Hint() != "" {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for range 2 * maxShown {
		e.Diagnostics = append(e.Diagnostics, e.Diagnostics[1])
	}
	if got := e.Detail(); strings.Count(got, "also:") != maxShown-1 || !strings.HasSuffix(got, "\n(10 more are not shown)") {
		t.Errorf("many diagnostics:\n%s", got)
	}
}

func TestDynamicsAsShown(t *testing.T) {
	for text, want := range map[string]string{
		`"a \"b\" \u0041"`: `a "b" A`, `{"a":"b"}`: `{"a":"b"}`, `["x"]`: `["x"]`, `1.0`: `1.0`, `true`: `true`, ``: ``, `"open`: `"open`,
	} {
		if got := string(appendDynamic(nil, []byte(text))); got != want {
			t.Errorf("%s gives %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"{\"a\":\"\u009b2J \x7f \u2028 \u00e4\"}": `{"a":"\u009b2J \u007f \u2028 ` + "\u00e4\"}",
		`[1, "x\u001b"]`: `[1, "x\u001b"]`,
	} {
		if got := string(appendRawJSON(nil, []byte(text))); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}
