// Package kqltest reads the corpus of queries and of answers of Kusto's own
// engine for tests. It is found by the environment variable WADI_CORPUS.
package kqltest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func folder(t testing.TB) string {
	root := os.Getenv("WADI_CORPUS")
	if root == "" {
		t.Skip("WADI_CORPUS is not set: no public queries and no answers of Kusto's engine to compare with")
	}
	return filepath.Join(root, "kql")
}

// Queries gives the public queries by the name of their file.
func Queries(t testing.TB) map[string]string {
	t.Helper()
	queries := map[string]string{}
	err := filepath.WalkDir(filepath.Join(folder(t), "queries"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, scalar, ok := strings.Cut(string(text), "\nquery: ")
		if !ok {
			return fmt.Errorf("%s has no query", path)
		}
		if queries[filepath.Base(path)], err = yamlScalar(scalar); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return queries
}

// yamlScalar reads the three forms of a YAML scalar that the corpus uses:
// quoted once, quoted twice, and a literal block.
func yamlScalar(s string) (string, error) {
	switch s[0] {
	case '|':
		return literalBlock(s), nil
	case '\'':
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			if s[i] == '\'' {
				if i+1 >= len(s) || s[i+1] != '\'' {
					return fold(b.String()), nil
				}
				i++
			}
			b.WriteByte(s[i])
		}
	case '"':
		var b strings.Builder
		for i := 1; i < len(s) && s[i] != '"'; i++ {
			b.WriteByte(s[i])
			if s[i] == '\\' {
				i++
				b.WriteByte(s[i])
			}
		}
		return doubleQuoted(b.String())
	default:
		line, _, _ := strings.Cut(s, "\n")
		return line, nil
	}
	return "", fmt.Errorf("a YAML scalar has no end")
}

func literalBlock(s string) string {
	var b strings.Builder
	lines := strings.Split(s, "\n")[1:]
	for _, line := range lines {
		if line != "" && !strings.HasPrefix(line, "  ") {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "  "))
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}

// fold joins lines as YAML does: one line break is a blank, n+1 are n breaks.
func fold(s string) string {
	var b strings.Builder
	breaks := 0
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			line = strings.TrimLeft(line, " \t")
			breaks++
		}
		if line == "" && i > 0 {
			continue
		}
		switch {
		case breaks == 1:
			b.WriteByte(' ')
		case breaks > 1:
			b.WriteString(strings.Repeat("\n", breaks-1))
		}
		breaks = 0
		b.WriteString(strings.TrimRight(line, " "))
	}
	return b.String()
}

// doubleQuoted decodes lines folded and the escapes that YAML writers use.
func doubleQuoted(s string) (string, error) {
	const hardBlank = "\x01" // a blank that folding must keep
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case '\n': // the line goes on behind the indentation
			for i+1 < len(s) && s[i+1] == ' ' {
				i++
			}
		case ' ':
			b.WriteString(hardBlank)
		case '/':
			b.WriteByte('/')
		case 'n':
			b.WriteString("\x02")
		default:
			r, _, tail, err := strconv.UnquoteChar(s[i-1:], '"')
			if err != nil {
				return "", fmt.Errorf("cannot read the YAML text %.60q…: %w", s[i-1:], err)
			}
			b.WriteRune(r)
			i = len(s) - len(tail) - 1
		}
	}
	return strings.NewReplacer(hardBlank, " ", "\x02", "\n").Replace(fold(b.String())), nil
}

// Case is a query and what Kusto's engine answered.
type Case struct {
	ID      string   `json:"id"`
	Query   string   `json:"query"`
	Tags    []string `json:"tags"`
	Columns []Column `json:"expected_columns"`
	Rows    [][]any  `json:"expected_rows"`
	Ordered bool     `json:"ordered"`
	// Error is the engine's error where it refused the query.
	Error string `json:"expect_error"`
}

// EngineCases gives the recorded answers; numbers are json.Number.
func EngineCases(t testing.TB) []Case {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(t), "engine-cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c Case
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// DocCase is an example of the documentation; its values are printed text.
type DocCase struct {
	Page     string `json:"page"`
	N        int    `json:"n"`
	Query    string `json:"query"`
	Expected struct {
		Columns []string   `json:"columns"`
		Rows    [][]string `json:"rows"`
	} `json:"expected"`
}

// DocCases gives the documentation's examples but those whose page is known not
// to print what the engine answers (doc-cases-not-as-engine.tsv).
func DocCases(t testing.TB) []DocCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(t), "doc-cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []DocCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	wrong, err := os.ReadFile(filepath.Join(folder(t), "doc-cases-not-as-engine.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	skip := map[string]bool{}
	for line := range strings.Lines(string(wrong)) {
		if f := strings.Split(line, "\t"); len(f) == 3 {
			skip[f[0]+"/"+f[1]] = true
		}
	}
	return slices.DeleteFunc(cases, func(c DocCase) bool { return skip[fmt.Sprintf("%s/%d", c.Page, c.N)] })
}

// Features gives the features that the public queries use, by features.tsv:
// operators, functions, aggregates and plugins by their names.
func Features(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, f := range lines(t, "features.tsv") {
		names = append(names, f[0])
	}
	return names[1:]
}

// Excluded gives the public queries (by the name of their file) that have a fault
// of their own, by exclusions.tsv.
func Excluded(t testing.TB) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, f := range lines(t, "exclusions.tsv") {
		if len(f) >= 5 && strings.HasPrefix(f[4], "exclude") {
			out[filepath.Base(f[0])] = true
		}
	}
	return out
}

// Column is a column of a documented table.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Schemas gives the documented columns of the tables that the public queries ask.
func Schemas(t testing.TB) map[string][]Column {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder(t), "schemas", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas in the corpus: %v", err)
	}
	out := map[string][]Column{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var s struct {
			Table   string   `json:"table"`
			Columns []Column `json:"columns"`
		}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		out[s.Table] = s.Columns
	}
	return out
}

// lines reads a tab-separated file of the corpus.
func lines(t testing.TB, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(t), name))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for line := range strings.Lines(string(text)) {
		out = append(out, strings.Split(strings.TrimRight(line, "\r\n"), "\t"))
	}
	return out
}
