package bulk

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wadi-project/wadi/internal/collect/windowsrow"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/w3c"
)

// lineColumns are the indexes of w3c_iis's columns that are no fields of a line.
type lineColumns struct{ TimeGenerated, TimeSub, IngestedAt, Source, Seq, Table, Fields, UTCOffset, Extra, Raw, Damage int }

func findLineColumns() lineColumns {
	at := func(name string) int { return column(schema.W3CIIS, name) }
	return lineColumns{
		TimeGenerated: at("TimeGenerated"), TimeSub: at("_TimeSub"), IngestedAt: at("_IngestedAt"), Source: at("_Source"), Seq: at("_Seq"), Table: at("_Table"),
		Fields: at("_Fields"), UTCOffset: at("_UtcOffset"), Extra: at("_Extra"), Raw: at("_Raw"), Damage: at("_Damage"),
	}
}

// lineRow writes lines of W3C logs as rows of w3c_iis.
type lineRow struct {
	col   lineColumns
	zone  *time.Location
	row   w3c.Row
	extra []byte
}

func newLineRow(zone *time.Location) lineRow { return lineRow{col: findLineColumns(), zone: zone} }

// add adds the rows of a job's lines, numbered from at on, and counts them. Lines
// that do not fit are kept, and named in the job's findings.
func (w *lineRow) add(rows *datafile.Rows, at windowsrow.Place, j *job) (counted tallies) {
	p := w3c.NewParser(w3c.Options{Location: w.zone})
	for head := j.head; len(head) > 0; {
		var line []byte
		line, head = cutLine(head)
		p.Line(line, &w.row)
	}
	number := j.line - 1
	for text := j.text; len(text) > 0; {
		var line []byte
		line, text = cutLine(text)
		number++
		if p.Line(line, &w.row) != w3c.Data {
			continue
		}
		w.write(rows, &at)
		at.Seq++
		counted.of(nil).stored(w.row.Time, w.row.HasTime, at.IngestedUS, w.row.Damage != "")
		if w.row.Damage != "" {
			j.findings = append(j.findings, fmt.Sprintf("line %d: %s", number, w.row.Damage))
		}
	}
	return counted
}

// write adds the row that was read last.
func (w *lineRow) write(rows *datafile.Rows, at *windowsrow.Place) {
	c, r := &w.col, &w.row
	rows.Begin()
	if r.HasTime {
		us, sub := r.Time.UnixMicros()
		rows.Int(c.TimeGenerated, us)
		rows.Int(c.TimeSub, int64(sub))
	}
	rows.Int(c.IngestedAt, at.IngestedUS)
	rows.Int(c.Source, at.Source)
	rows.Int(c.Seq, at.Seq)
	table := ""
	if r.Format == w3c.IIS {
		table = "W3CIISLog"
	}
	rows.String(c.Table, table)
	if len(r.FieldNames) > 0 {
		rows.Bytes(c.Fields, r.FieldNames)
	}
	if r.UTCOffset != 0 {
		rows.Int(c.UTCOffset, int64(r.UTCOffset))
	}
	if w.extra = w3c.AppendExtra(w.extra[:0], r); len(w.extra) > 0 {
		rows.Bytes(c.Extra, w.extra)
	}
	if r.NeedsRaw {
		rows.Bytes(c.Raw, r.Raw)
	}
	if r.Damage != "" {
		rows.String(c.Damage, r.Damage)
	}
	for _, f := range r.Fields {
		if f.Col < 0 {
			continue
		}
		switch schema.W3CIIS.Columns[f.Col].Disk {
		case schema.DiskInt, schema.DiskLong:
			// The parser gives canonical numbers of the column's range only.
			n, _ := strconv.ParseInt(string(f.Value), 10, 64)
			rows.Int(f.Col, n)
		default:
			rows.Bytes(f.Col, f.Value)
		}
	}
	rows.End()
}
