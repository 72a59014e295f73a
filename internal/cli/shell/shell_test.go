package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// typist is an editor whose lines are given; "^C" and "^D" are keys.
type typist struct {
	lines   []string
	prompts []string
	history []string
	pasted  bool
}

func (e *typist) Pasted() bool { return e.pasted }

func (e *typist) Prompt(prompt string) (string, error) {
	e.prompts = append(e.prompts, prompt)
	if len(e.lines) == 0 {
		return "", io.EOF
	}
	line := e.lines[0]
	e.lines = e.lines[1:]
	switch line {
	case "^C":
		return "", ErrAborted
	case "^D":
		return "", io.EOF
	}
	return line, nil
}

func (e *typist) AppendHistory(line string) { e.history = append(e.history, line) }

// play runs a shell on lines and gives the questions asked and errors shown.
func play(t *testing.T, pasted bool, lines ...string) (asked, failed []string, e *typist) {
	t.Helper()
	e = &typist{lines: lines, pasted: pasted}
	s := &Shell{
		Editor: e, History: &History{}, Out: io.Discard,
		Ask: func(_ context.Context, question string) error {
			asked = append(asked, question)
			if question == "fail;" {
				return errors.New("cannot answer")
			}
			return nil
		},
		Fail: func(err error) { failed = append(failed, err.Error()) },
		Commands: []Command{{Name: ".do", Run: func(_ context.Context, argument string) error {
			asked = append(asked, "do "+argument)
			return nil
		}}},
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return asked, failed, e
}

func TestWhereQuestionsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		lines, want []string
		pasted      bool
	}{
		"semicolon":              {[]string{"T | count;"}, []string{"T | count;"}, false},
		"empty line":             {[]string{"T", "| count", "", "U", ""}, []string{"T\n| count", "U"}, false},
		"not yet":                {[]string{"T", "| count"}, nil, false},
		"a let prepares":         {[]string{"let a = 5;", "print a;"}, []string{"let a = 5;\nprint a;"}, false},
		"a let and an empty":     {[]string{"let a = 5;", "", "print a", ""}, []string{"let a = 5;\nprint a"}, false},
		"two lets in a line":     {[]string{"let a = 5; let b = 6;", "print a;"}, []string{"let a = 5; let b = 6;\nprint a;"}, false},
		"set prepares":           {[]string{"set notruncation;", "T;"}, []string{"set notruncation;\nT;"}, false},
		"two empty lines end":    {[]string{"let a = 5;", "", "", "T;"}, []string{"let a = 5;", "T;"}, false},
		"an open bracket":        {[]string{"let f = (x: long) { let y = x;", "T | where n == y", "", "};", "f(1);"}, []string{"let f = (x: long) { let y = x;\nT | where n == y\n};\nf(1);"}, false},
		"bracket in a text":      {[]string{`print "(";`, "print ';(' // ( ;", ""}, []string{`print "(";`, "print ';(' // ( ;"}, false},
		"a text of several":      {[]string{"print ```a;", "b;", "```;"}, []string{"print ```a;\nb;\n```;"}, false},
		"a mistake is shown":     {[]string{"T | wher x;"}, []string{"T | wher x;"}, false},
		"a paste with a gap":     {[]string{"T", "", "| count", "", "", "| take 1;"}, []string{"T\n\n| count\n\n\n| take 1;"}, true},
		"interrupted":            {[]string{"T", "^C", "U;"}, []string{"U;"}, false},
		"left":                   {[]string{"T;", "^D", "U;"}, []string{"T;"}, false},
		"blanks before":          {[]string{"", "  ", "T;"}, []string{"T;"}, false},
		"command":                {[]string{".do it;", "T;", ".quit", "U;"}, []string{"do it", "T;"}, false},
		"no command in the next": {[]string{"T", ".do x", ""}, []string{"T\n.do x"}, false},
	} {
		asked, failed, _ := play(t, c.pasted, c.lines...)
		if diff := cmp.Diff(c.want, asked); diff != "" || len(failed) > 0 {
			t.Errorf("%s (-want +got):\n%s%v", name, diff, failed)
		}
	}
}

func TestShellSays(t *testing.T) {
	_, failed, e := play(t, false, "fail;", ".nope", "T", "(", "", ")", "")
	if diff := cmp.Diff([]string{"cannot answer", "cannot run '.nope': there is no such command; .help lists them"}, failed); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	want := []string{promptNew, promptNew, promptNew, promptMore, promptOpen, promptOpen, promptMore, promptNew}
	if diff := cmp.Diff(want, e.prompts); diff != "" {
		t.Errorf("prompts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"fail;", ".nope", "T ( )"}, e.history); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestFlat(t *testing.T) {
	for text, want := range map[string]string{
		"T\n| where a == 1 // why\n| count":  "T | where a == 1 | count",
		"print 'a // b', \"c\\\"// d\"":      "print 'a // b', \"c\\\"// d\"",
		"print @'c:\\', 1 // x":              "print @'c:\\', 1",
		"T\r\n  | take 1\n\n":                "T   | take 1",
		"print u = 'http://x/y'":             "print u = 'http://x/y'",
		"print ```one``` // gone\n, ~~~2~~~": "print ```one``` , ~~~2~~~",
	} {
		if got := scan(text); got.flat != want || !got.flatten {
			t.Errorf("%q gives %q (%v), want %q", text, got.flat, got.flatten, want)
		}
	}
	if scan("print ```a\nb```").flatten {
		t.Error("a text of two lines is made one")
	}
}

func FuzzScan(f *testing.F) {
	f.Add("let f = () { T | where a == '(' }; // x\nf()")
	f.Add("print ```a\n~~~ b```, @'x\\', \"\\\"")
	f.Fuzz(func(t *testing.T, text string) {
		s := scan(text)
		if strings.Contains(s.flat, "\n") && s.flatten {
			t.Errorf("%q is not one line: %q", text, s.flat)
		}
		in := &input{}
		for line := range strings.SplitSeq(text, "\n") {
			in.add(line, false)
		}
	})
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "wadi", "history")
	h, err := OpenHistory(path)
	if err != nil || len(h.Entries()) != 0 {
		t.Fatal(h.Entries(), err)
	}
	for i, c := range []struct{ question, want string }{
		{"T\n| count", "T | count"},
		{"T | count", ""}, // the same as the last
		{"print ```a\nb```", ""},
		{"print '\x1b[2J'", ""},
		{strings.Repeat("x", maxEntry+1), ""},
		{"// nothing", ""},
		{"U", "U"},
	} {
		if line, err := h.Add(c.question); line != c.want || err != nil {
			t.Errorf("%d: %q, %v", i, line, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", folder.Mode(), err)
	}
	again, err := OpenHistory(path)
	if diff := cmp.Diff([]string{"T | count", "U"}, again.Entries()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	h, err := OpenHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range MaxHistory + 50 {
		if _, err := h.Add(fmt.Sprintf("print %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.Entries()) != MaxHistory {
		t.Error(len(h.Entries()))
	}
	again, err := OpenHistory(path)
	if err != nil || len(again.Entries()) != MaxHistory || again.Entries()[0] != "print 50" {
		t.Errorf("%d, %v", len(again.Entries()), err)
	}
	text, err := os.ReadFile(path)
	info, _ := os.Stat(path)
	if lines := strings.Count(string(text), "\n"); err != nil || lines != MaxHistory || info.Mode().Perm() != 0o600 {
		t.Errorf("%d lines, %v, %v", lines, info.Mode(), err)
	}
}

func TestOddHistories(t *testing.T) {
	dir := t.TempDir()
	hostile := filepath.Join(dir, "hostile")
	if err := os.WriteFile(hostile, []byte("T\n\x1b[2Jx\n\nU\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if h, err := OpenHistory(hostile); err != nil || !cmp.Equal(h.Entries(), []string{"T", "U"}) {
		t.Errorf("%q, %v", h.Entries(), err)
	}
	// A folder where the file should be: a history in memory, and a word about it.
	h, err := OpenHistory(dir)
	if err == nil {
		t.Error("a folder is a history")
	}
	if line, err := h.Add("T"); line != "T" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}

func TestHistoryFile(t *testing.T) {
	for _, c := range []struct{ state, home, want string }{
		{"/s", "/h", "/s/wadi/history"},
		{"", "/h", "/h/.local/state/wadi/history"},
		{"relative", "/h", "/h/.local/state/wadi/history"},
		{"", "", ""},
	} {
		got := HistoryFile(func(name string) string {
			return map[string]string{"XDG_STATE_HOME": c.state, "HOME": c.home}[name]
		})
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestPasteFilter(t *testing.T) {
	for name, c := range map[string]struct {
		chunks []string
		want   string
		lines  []bool
	}{
		"typed":                   {[]string{"a", "\t", "b", "\r", "\x1b[A", "\x03"}, "a\tb\r\x1b[A\x03", []bool{false}},
		"pasted":                  {[]string{"\x1b[200~T\n\r\n\t| take\t1\r", "\x1b[201~\r"}, "T\r\r | take 1\r\r", []bool{true, true, true, false}},
		"a mark in two":           {[]string{"\x1b[200~a\x1b[20", "1~\t"}, "a\t", nil},
		"a mark in three":         {[]string{"x\x1b[2", "00", "~\ty", "\x1b", "[201~\t"}, "x y\t", nil},
		"keys in pasted text":     {[]string{"\x1b[200~a\x03\x04\x1b[Ab\x1b[201~"}, "a[Ab", nil},
		"unmarked":                {[]string{"T\r\t| count\r"}, "T\r | count\r", []bool{true, true}},
		"a word and its key":      {[]string{"Secu\t", "\t\t"}, "Secu\t\t\t", nil},
		"an escape that is a key": {[]string{"\x1b", "[2~", "\x1b[2", "4~"}, "\x1b[2~\x1b[24~", nil},
	} {
		f := &pasteFilter{}
		var got strings.Builder
		for _, chunk := range c.chunks {
			got.WriteString(string(f.pass([]byte(chunk))))
		}
		if got.String() != c.want || !cmp.Equal(f.lines, c.lines) {
			t.Errorf("%s: %q %v, want %q %v", name, got.String(), f.lines, c.want, c.lines)
		}
	}
}

func FuzzPasteFilter(f *testing.F) {
	f.Add("a\x1b[200~b\t\r\n\x1b[201~", uint8(3))
	f.Fuzz(func(t *testing.T, text string, cut uint8) {
		filter := &pasteFilter{}
		at := min(int(cut), len(text))
		out := append(filter.pass([]byte(text[:at])), filter.pass([]byte(text[at:]))...)
		if ends := strings.Count(string(out), "\r"); ends != len(filter.lines) {
			t.Errorf("%q: %q has %d lines, %d are remembered", text, out, ends, len(filter.lines))
		}
		if len(out) > len(text) {
			t.Errorf("%q grows to %q", text, out)
		}
	})
}

func TestBeginAlike(t *testing.T) {
	for _, c := range []struct {
		typed       string
		words, want []string
	}{
		{"a", []string{"Account", "abs("}, []string{"account", "abs("}},
		{"acc", []string{"Account", "AccountType"}, []string{"Account", "AccountType"}},
		{"acco", []string{"Account"}, []string{"Account"}},
		{"", []string{"Account", "abs("}, []string{"Account", "abs("}},
		{"x", nil, nil},
		{"long", []string{"x"}, []string{"long"}},
	} {
		if got := beginAlike(c.typed, c.words); !cmp.Equal(got, c.want) {
			t.Errorf("%q %q: %q", c.typed, c.words, got)
		}
	}
}
