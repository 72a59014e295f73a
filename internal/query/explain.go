package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/lake"
)

// Report tells how a question is run: what was made of it, which files it reads
// and why not the others, and where its time goes.
type Report struct {
	// Plan is the relational plan, one node a line.
	Plan string
	// Parts are what the engine runs, in this order; the last gives the answer.
	Parts []Part
	// Steps are the parts of the work, in their order.
	Steps []Step
	// Rows is the number of rows of the answer; Truncated tells that it was cut at
	// the limits.
	Rows      int64
	Truncated bool
}

// Part is one statement of a question.
type Part struct {
	// Operator is the operator in Go that takes the rows of SQL, and Into the
	// relation that it fills; both are "" for the part that gives the answer.
	Operator, Into string
	SQL            string
	// Scans are the relations of stored rows that SQL reads.
	Scans []ScanReport
}

// ScanReport is what one relation of stored rows reads.
type ScanReport struct {
	// Name is the relation in SQL, Table the table of the lake.
	Name, Table string
	// Columns are the stored columns that are read; none when rows are counted only.
	Columns []string
	// Files are the paths that are read, with their rows and bytes on disk.
	Files       []string
	Rows, Bytes int64
	// Skipped are the files that are left out, by reason.
	Skipped []Skipped
}

// Skipped counts the files of a table that are left out for one reason.
type Skipped struct {
	Reason string
	Files  int
	Rows   int64
}

// Step is a part of the work and how long it took.
type Step struct {
	Name string
	Took time.Duration
}

// stopwatch gathers steps: each lap ends one.
type stopwatch struct {
	last  time.Time
	steps []Step
}

func newStopwatch() *stopwatch { return &stopwatch{last: time.Now()} }

func (s *stopwatch) lap(name string) {
	now := time.Now()
	s.steps = append(s.steps, Step{name, now.Sub(s.last)})
	s.last = now
}

// Explain runs the question, reads all of its rows and tells how it was run. The
// count of rows is that of the answer, within the limits on results.
func (q *Question) Explain(ctx context.Context, c *Config) (report *Report, err error) {
	result, err := q.Run(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, result.Close()) }()
	q = result.question // the one with a plan
	report = &Report{Plan: q.plan.String()}
	for result.Next() {
		continue
	}
	report.Rows, report.Truncated = result.Count(), result.Truncated()
	report.Steps = result.AllSteps()
	statement := q.statement
	for i := range statement.Stages {
		stage := &statement.Stages[i]
		part := Part{Operator: stage.Op, Into: stage.Table, SQL: stage.SQL}
		if part.Scans, err = scanReports(result.point, stage.Scans); err != nil {
			return nil, err
		}
		report.Parts = append(report.Parts, part)
	}
	last := Part{SQL: statement.SQL}
	last.Scans, err = scanReports(result.point, statement.Scans)
	report.Parts = append(report.Parts, last)
	return report, err
}

// AllSteps are [Result.Steps] and those of the engine; call it behind the last row.
func (r *Result) AllSteps() []Step { return append(r.Steps(), engineSteps(r.Times())...) }

// engineSteps are the steps in the engine. Fetching is what is left of the whole:
// rows on their way, and the time their reader took.
func engineSteps(t engine.Times) []Step {
	steps := []Step{{"wait for admission", t.Wait}}
	if t.Start > 0 {
		steps = append(steps, Step{"start a worker", t.Start})
	}
	rest := t.Total - t.Wait - t.Start - t.Prepare - t.Run
	for i, took := range t.Stages {
		steps = append(steps, Step{fmt.Sprintf("run stage %d", i), took})
		rest -= took
	}
	return append(steps, Step{"open the files", t.Prepare}, Step{"run", t.Run}, Step{"fetch the rows", max(rest, 0)})
}

func scanReports(point *lake.ReadPoint, scans []duck.Scan) ([]ScanReport, error) {
	var reports []ScanReport
	for i := range scans {
		s := &scans[i]
		files, err := point.Table(s.Table)
		if err != nil {
			return nil, fmt.Errorf("cannot read the files of %s: %w", s.Table.Name, err)
		}
		may := prune(files.Files, s.Bounds)
		reports = append(reports, scanReport(s, files.Files, may, enough(may, s.Take)))
	}
	return reports, nil
}

// scanReport tells what becomes of a table's files: kept of the files that its
// bounds let through, which are may.
func scanReport(s *duck.Scan, all, may, kept []lake.DataFile) ScanReport {
	r := ScanReport{Name: s.Name, Table: s.Table.Name}
	for _, index := range s.Columns {
		r.Columns = append(r.Columns, s.Table.Columns[index].Name)
	}
	for i := range kept {
		r.Files = append(r.Files, kept[i].Path)
		r.Rows += kept[i].Rows
		r.Bytes += kept[i].SizeBytes
	}
	if len(all) > len(may) {
		reasons := map[string]int{}
		for i := range all {
			bound := excluding(&all[i], s.Bounds)
			if bound == nil {
				continue
			}
			reason := "no row can match"
			for k := range s.Table.Columns {
				if s.Table.Columns[k].FieldID == bound.FieldID {
					reason = s.Table.Columns[k].Name + " has no value in the range asked for"
				}
			}
			at, known := reasons[reason]
			if !known {
				at = len(r.Skipped)
				reasons[reason] = at
				r.Skipped = append(r.Skipped, Skipped{Reason: reason})
			}
			r.Skipped[at].Files++
			r.Skipped[at].Rows += all[i].Rows
		}
	}
	if len(may) > len(kept) {
		enough := Skipped{Reason: fmt.Sprintf("the files before hold the %d rows that are enough", s.Take), Files: len(may) - len(kept)}
		for i := len(kept); i < len(may); i++ {
			enough.Rows += may[i].Rows
		}
		r.Skipped = append(r.Skipped, enough)
	}
	return r
}
