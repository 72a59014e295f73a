package query

import (
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/duck"
	"github.com/wadi-project/wadi/internal/lake"
)

// Missed is a time that a question did not reach.
type Missed struct {
	// Table is the table of the lake, First and Last the times of its rows.
	Table       string
	First, Last event.Ticks
}

// Missed tells whether a question looked at no row at all because all rows of its
// tables lie outside of the times it asks for: who imports old logs and asks about
// ago(1d) is to know. Call it before Close.
func (r *Result) Missed() (m Missed, missed bool) {
	scans := r.question.statement.Scans
	for i := range r.question.statement.Stages {
		scans = append(scans[:len(scans):len(scans)], r.question.statement.Stages[i].Scans...)
	}
	for i := range scans {
		files, err := r.point.Table(scans[i].Table)
		if err != nil || len(files.Files) == 0 {
			continue // an error was told when the question ran
		}
		if !outOfTime(&scans[i], files.Files) {
			return Missed{}, false
		}
		if info, err := tableInfo(r.point, scans[i].Table); err == nil && info.HasTime {
			m, missed = Missed{Table: info.Name, First: info.First, Last: info.Last}, true
		}
	}
	return m, missed
}

// outOfTime tells whether the bounds on TimeGenerated alone leave out all files.
func outOfTime(s *duck.Scan, files []lake.DataFile) bool {
	column := s.Table.Column("TimeGenerated")
	if column == nil {
		return false
	}
	var bounds []duck.Bound
	for _, b := range s.Bounds {
		if b.FieldID == column.FieldID {
			bounds = append(bounds, b)
		}
	}
	for i := range files {
		if mayMatch(&files[i], bounds) {
			return false
		}
	}
	return true
}
