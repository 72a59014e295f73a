package syntax

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden runs a file of cases: a text, a line "----", what is made of it; a line
// "====" between cases.
func golden(t *testing.T, name string, result func(text string) string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, c := range strings.Split(strings.TrimSuffix(string(file), "\n"), "\n====\n") {
		text, want, _ := strings.Cut(c, "\n----\n")
		text = strings.TrimSuffix(text, "\n----")
		got := strings.TrimSpace(result(text))
		if !*update && got != strings.TrimSpace(want) {
			t.Errorf("%s case %d: %s\n%s", name, i+1, text, cmp.Diff(strings.TrimSpace(want), got))
		}
		out = append(out, text+"\n----\n"+got)
	}
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(out, "\n====\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGoldenDiagnostics holds what is said about wrong queries.
func TestGoldenDiagnostics(t *testing.T) {
	golden(t, "errors.txt", func(text string) string {
		q, diags := Parse(text)
		spans(t, q)
		if len(diags) == 0 {
			return "no error"
		}
		var b strings.Builder
		for _, d := range diags {
			fmt.Fprintf(&b, "%d:%d-%d %s\n", d.Line, d.Column, d.Column+len([]rune(text[d.Start:d.End])), d.Message)
			if d.Hint != "" {
				fmt.Fprintf(&b, "  hint: %s\n", d.Hint)
			}
		}
		return b.String()
	})
}

// TestGoldenPrint holds every operator and form of the language, printed.
func TestGoldenPrint(t *testing.T) {
	golden(t, "language.txt", func(text string) string {
		q, diags := Parse(text)
		if len(diags) > 0 {
			return "error: " + diags[0].Error()
		}
		roundTrip(t, q)
		spans(t, q)
		return Print(q)
	})
}
