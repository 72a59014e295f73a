//go:build cgo

package query

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDynamics runs the questions of testdata/dynamics.txt: a question over some
// lines, then a line "=> " for each row with its values as JSON, or "error: " and
// what the error says. They are about what no recorded answer covers: documented
// forms (parse_xml), edges, and choices that docs/guide/kql.md tells.
func TestDynamics(t *testing.T) { checkQuestions(t, "testdata/dynamics.txt", 40) }

// checkQuestions runs a file of questions of that form, at least so many.
func checkQuestions(t *testing.T, file string, least int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var query, want []string
	n := 0
	flush := func() {
		if len(want) == 0 {
			return
		}
		n++
		checkDynamic(t, strings.Join(query, "\n"), want)
		query, want = nil, nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "#") || line == "":
		case strings.HasPrefix(line, "=>") || strings.HasPrefix(line, "error: "):
			want = append(want, line)
		default:
			flush()
			query = append(query, line)
		}
	}
	flush()
	if n < least {
		t.Errorf("%d questions in the file", n)
	}
}

func checkDynamic(t *testing.T, query string, want []string) {
	t.Helper()
	got, err := answerTo(t, query)
	if message, isError := strings.CutPrefix(want[0], "error: "); isError {
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s:\n got %v, not the error %q", query, err, message)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", query, err)
		return
	}
	var rows [][]any
	for _, line := range want {
		line = strings.TrimSpace(strings.TrimPrefix(line, "=>"))
		if line == "" {
			continue // no rows
		}
		v, err := decode([]byte("[" + line + "]"))
		if err != nil {
			t.Fatal(err)
		}
		row, _ := v.([]any)
		rows = append(rows, row)
	}
	if problem := sameRows(got.rows, rows, true); problem != "" {
		t.Errorf("%s: %s:\n got %s\nwant %s", query, problem, show(got.rows), fmt.Sprint(want))
	}
}
