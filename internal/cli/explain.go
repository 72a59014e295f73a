package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wadi-project/wadi/internal/query"
)

// maxListedFiles bounds the paths that --explain lists for a relation; JSON has all.
const maxListedFiles = 10

// writeReport shows how a question was run. It holds text of the question and
// paths, so it is escaped.
func writeReport(w io.Writer, r *query.Report, format string) error {
	if format == "json" {
		return writeReportJSON(w, r)
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "Plan\n")
	writeIndented(out, r.Plan)
	for _, p := range r.Parts {
		switch {
		case p.Operator != "":
			fmt.Fprintf(out, "\nSQL of %s, whose rows go through %s\n", p.Into, escape(p.Operator))
		default:
			fmt.Fprintf(out, "\nSQL\n")
		}
		writeIndented(out, layOut(p.SQL))
	}
	fmt.Fprintf(out, "\nFiles\n")
	scans := 0
	for _, p := range r.Parts {
		for i := range p.Scans {
			scans++
			writeScan(out, &p.Scans[i])
		}
	}
	if scans == 0 {
		fmt.Fprintf(out, "  none: the question reads no stored rows\n")
	}
	fmt.Fprintf(out, "\nTime\n")
	writeSteps(out, r.Steps)
	cut := ""
	if r.Truncated {
		cut = ", cut at the limits on results"
	}
	fmt.Fprintf(out, "\nRows: %s%s\n", counted(r.Rows), cut)
	return out.Flush()
}

func writeIndented(w io.Writer, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "  %s\n", escape(strings.TrimSuffix(line, "\n")))
	}
}

func writeScan(w io.Writer, s *query.ScanReport) {
	columns := "rows are counted only"
	if len(s.Columns) > 0 {
		columns = strings.Join(s.Columns, ", ")
	}
	fmt.Fprintf(w, "  %s is %s: %s\n", s.Name, s.Table, escape(columns))
	fmt.Fprintf(w, "    reads %s: %s rows, %s\n", countFiles(len(s.Files)), counted(s.Rows), size(s.Bytes))
	for i, path := range s.Files {
		if i == maxListedFiles {
			fmt.Fprintf(w, "      … and %d more\n", len(s.Files)-i)
			break
		}
		fmt.Fprintf(w, "      %s\n", escape(path))
	}
	for _, skipped := range s.Skipped {
		fmt.Fprintf(w, "    skips %s, %s rows: %s\n", countFiles(skipped.Files), counted(skipped.Rows), escape(skipped.Reason))
	}
}

func countFiles(n int) string {
	if n == 1 {
		return "1 file"
	}
	return counted(n) + " files"
}

// writeSteps shows times in milliseconds, one below the other.
func writeSteps(w io.Writer, steps []query.Step) {
	wide := len("total")
	for _, s := range steps {
		wide = max(wide, len(s.Name))
	}
	line := func(name string, took time.Duration) {
		fmt.Fprintf(w, "  %-*s %10.2f ms\n", wide, name, float64(took.Nanoseconds())/float64(time.Millisecond))
	}
	for _, s := range steps {
		line(s.Name, s.Took)
	}
	line("total", total(steps))
}

func total(steps []query.Step) (sum time.Duration) {
	for _, s := range steps {
		sum += s.Took
	}
	return sum
}

// The JSON of --explain, a promise to programs.
type (
	reportJSON struct {
		Plan      string     `json:"plan"`
		Parts     []partJSON `json:"parts"`
		Steps     []stepJSON `json:"steps"`
		Rows      int64      `json:"rows"`
		Truncated bool       `json:"truncated"`
	}
	partJSON struct {
		Operator string     `json:"operator,omitempty"`
		Into     string     `json:"into,omitempty"`
		SQL      string     `json:"sql"`
		Scans    []scanJSON `json:"scans"`
	}
	scanJSON struct {
		Name    string        `json:"name"`
		Table   string        `json:"table"`
		Columns []string      `json:"columns"`
		Files   []string      `json:"files"`
		Rows    int64         `json:"rows"`
		Bytes   int64         `json:"bytes"`
		Skipped []skippedJSON `json:"skipped"`
	}
	skippedJSON struct {
		Reason string `json:"reason"`
		Files  int    `json:"files"`
		Rows   int64  `json:"rows"`
	}
	stepJSON struct {
		Name         string  `json:"name"`
		Milliseconds float64 `json:"ms"`
	}
)

func writeReportJSON(w io.Writer, r *query.Report) error {
	out := reportJSON{Plan: r.Plan, Parts: []partJSON{}, Steps: []stepJSON{}, Rows: r.Rows, Truncated: r.Truncated}
	for _, p := range r.Parts {
		part := partJSON{Operator: p.Operator, Into: p.Into, SQL: p.SQL, Scans: []scanJSON{}}
		for _, s := range p.Scans {
			scan := scanJSON{Name: s.Name, Table: s.Table, Columns: append([]string{}, s.Columns...), Files: append([]string{}, s.Files...), Rows: s.Rows, Bytes: s.Bytes, Skipped: []skippedJSON{}}
			for _, k := range s.Skipped {
				scan.Skipped = append(scan.Skipped, skippedJSON(k))
			}
			part.Scans = append(part.Scans, scan)
		}
		out.Parts = append(out.Parts, part)
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, stepJSON{s.Name, float64(s.Took.Microseconds()) / 1000})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(&out)
}
