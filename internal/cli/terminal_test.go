package cli

import (
	"strings"
	"testing"
	"unicode"
)

func TestEscape(t *testing.T) {
	for s, want := range map[string]string{
		`C:\Windows\System32`:      `C:\Windows\System32`,
		"grün 東京 😀 a\u00a0b":       "grün 東京 😀 a\u00a0b",
		"\x1b[2J\x1b]0;owned\x07":  `\x1b[2J\x1b]0;owned\x07`,
		"a\nb\r\tc\x00\x7f":        `a\nb\r\tc\x00\x7f`,
		"\u009b31m\u0085":          `\x9b31m\x85`,
		"exe\u202etxt.scr\u200b":   `exe\u202etxt.scr\u200b`,
		"\u2028\u2029\ufeff":       `\u2028\u2029\ufeff`,
		"\xff\xc3 \xf0\x9f":        `\xff\xc3 \xf0\x9f`,
		"a replaced \ufffd is one": "a replaced \ufffd is one",
		"tag \U000e0041":           `tag \U000e0041`,
	} {
		if got := escape(s); got != want {
			t.Errorf("%q gives %q, want %q", s, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b[31m\u202e\xff\u009b")
	f.Fuzz(func(t *testing.T, s string) {
		got := escape(s)
		for _, r := range got {
			if !unicode.IsGraphic(r) {
				t.Fatalf("%q gives %q", s, got)
			}
		}
		if escape(got) != got {
			t.Errorf("%q is not stable: %q", s, got)
		}
		if width := cells(cut(got, 7)); width > 7 {
			t.Errorf("%q cut to 7 is %d wide", got, width)
		}
	})
}

func TestTerminalWriterKeepsLines(t *testing.T) {
	var b strings.Builder
	if n, err := (terminalWriter{&b}).Write([]byte("a\x1b[1m,b\n\u009bc\n")); n == 0 || err != nil {
		t.Error(n, err)
	}
	if b.String() != "a\\x1b[1m,b\n\\x9bc\n" {
		t.Errorf("%q", b.String())
	}
}

func TestShrink(t *testing.T) {
	for _, c := range []struct {
		widths []int
		room   int
		want   []int
	}{
		{[]int{5, 5}, 20, []int{5, 5}},
		{[]int{5, 30}, 20, []int{5, 15}},
		{[]int{40, 30, 3}, 43, []int{20, 20, 3}},
		{[]int{40, 30, 3}, 44, []int{21, 20, 3}},
		{[]int{100, 9, 8}, 24, []int{8, 8, 8}},
		{[]int{100, 100}, 15, nil},
	} {
		got := append([]int(nil), c.widths...)
		ok := shrink(got, c.room)
		if ok != (c.want != nil) || ok && (sum(got) > c.room || sum(got) != sum(c.want)) {
			t.Errorf("%v in %d: %v, %v; want %v", c.widths, c.room, got, ok, c.want)
		}
	}
}
