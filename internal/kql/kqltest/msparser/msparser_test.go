// Package msparser compares Wadi's parser and binder with Microsoft's, the npm
// package @kusto/language-service-next, over every query there is. It holds tests
// only. make test installs the package; without it the tests skip.
package msparser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/kql/kqltest"
)

// question is a query to compare by; Kind is where it comes from.
type question struct {
	Kind, ID, Query string
	// Asked tells that Kusto's engine has answered: it refused, or gave Columns.
	Asked, Refused bool
	Columns        []string
}

// fault is what Microsoft's parser says is wrong.
type fault struct {
	Code    string `json:"code"`
	Start   int    `json:"start"` // in UTF-16 units
	Length  int    `json:"length"`
	Message string `json:"message"`
}

// answer is what Microsoft's parser says about one query.
type answer struct {
	ID      string           `json:"id"`
	Syntax  []fault          `json:"syntax"`
	Errors  []fault          `json:"errors"`
	Columns []kqltest.Column `json:"columns"`
	// Crash is the error with which the parser itself ended.
	Crash string `json:"crash"`
}

// ask runs all questions through one process of node, against the given tables.
func ask(t *testing.T, tables map[string][]kqltest.Column, questions []question) map[string]answer {
	t.Helper()
	modules := os.Getenv("WADI_MSPARSER")
	if modules == "" {
		t.Skip("WADI_MSPARSER is not set (the folder node_modules with Microsoft's parser; make test installs it)")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	var in bytes.Buffer
	lines := json.NewEncoder(&in)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(tables); err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		if err := lines.Encode(map[string]string{"id": q.ID, "query": q.Query}); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", "parse.js", modules)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("node: %v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	answers := map[string]answer{}
	scan := bufio.NewScanner(bytes.NewReader(out))
	scan.Buffer(nil, 16<<20)
	for scan.Scan() {
		var a answer
		if err := json.Unmarshal(scan.Bytes(), &a); err != nil {
			t.Fatalf("%v in %.200s", err, scan.Bytes())
		}
		answers[a.ID] = a
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		if _, ok := answers[q.ID]; !ok {
			t.Fatalf("no answer for %s", q.ID)
		}
	}
	t.Logf("Microsoft's parser took %v of CPU for %d queries", cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), len(questions))
	return answers
}

// questions gives every query of the corpus, of the parser's own cases and of
// testdata/forms.txt, which asks for names and types.
func questions(t *testing.T) []question {
	t.Helper()
	var out []question
	for name, text := range kqltest.Queries(t) {
		out = append(out, question{Kind: "public", ID: name, Query: text})
	}
	for _, c := range kqltest.DocCases(t) {
		out = append(out, question{Kind: "doc", ID: fmt.Sprintf("%s/%d", c.Page, c.N), Query: c.Query})
	}
	for _, c := range kqltest.EngineCases(t) {
		out = append(out, question{Kind: "engine", ID: c.ID, Query: c.Query, Asked: true, Refused: c.Error != "", Columns: pairs(c.Columns)})
	}
	for _, file := range []string{"language.txt", "errors.txt"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "syntax", "testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		for c := range strings.SplitSeq(string(text), "\n====\n") {
			query, _, _ := strings.Cut(c, "\n----\n")
			out = append(out, question{Kind: "own", ID: strings.ReplaceAll(query, "\n", " ↵ "), Query: query})
		}
	}
	forms, err := os.ReadFile("testdata/forms.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(forms)) {
		line = strings.TrimSpace(line)
		if !slices.ContainsFunc(out, func(q question) bool { return q.ID == line }) {
			out = append(out, question{Kind: "own", ID: line, Query: line})
		}
	}
	return out
}

// difference is a line of differences.tsv: where the parsers differ and why.
type difference struct{ ours, theirs, reason string }

// differences reads the lines of one comparison (syntax, names, types).
func differences(t *testing.T, what string) map[string]difference {
	t.Helper()
	text, err := os.ReadFile("differences.tsv")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]difference{}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != 5 {
			t.Fatalf("differences.tsv: %q has %d fields, not 5: comparison, query, ours, theirs, reason", line, len(f))
		}
		if f[0] == what {
			out[f[1]] = difference{f[2], f[3], f[4]}
		}
	}
	return out
}

func verdict(refused bool) string {
	if refused {
		return "reject"
	}
	return "accept"
}
