package forward

import (
	"bytes"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/w3c"
)

const notIIS = "it is no log of IIS: W3CIISLog, the stream's table, has IIS only"

// iisLines makes rows with the columns of W3CIISLog of the lines of a log.
type iisLines struct {
	parser  *w3c.Parser
	row     w3c.Row
	columns []iisColumn // by the column of w3c_iis
	fields  string      // FieldNames that logged belongs to
	logged  []int       // columns that are logged by fields, text only
	seen    []bool
	warned  map[string]bool
	missing string
}

// iisColumn is a column of w3c_iis as it is sent.
type iisColumn struct {
	name   string // empty: W3CIISLog doesn't have it
	field  string // as #Fields names it
	number bool
}

func newIISLines() iisLines {
	l := iisLines{parser: w3c.NewParser(w3c.Options{}), seen: make([]bool, len(schema.W3CIIS.Columns)), warned: map[string]bool{}}
	view := schema.LookupView("W3CIISLog")
	for i := range schema.W3CIIS.Columns {
		c := &schema.W3CIIS.Columns[i]
		sent := iisColumn{number: c.Disk == schema.DiskInt || c.Disk == schema.DiskLong}
		if comma := strings.LastIndexByte(c.Origin, ' '); comma >= 0 {
			sent.field = c.Origin[comma+1:]
		}
		for j := range view.Columns {
			if v := &view.Columns[j]; v.Name == c.Name && !v.Hidden && c.Name[0] != '_' && c.Name != "TimeGenerated" {
				sent.name = c.Name
			}
		}
		l.columns = append(l.columns, sent)
	}
	return l
}

// line gives the row of a line, none for a directive; or why there is no row.
func (l *iisLines) line(line []byte) (row []byte, reason string) {
	r := &l.row
	if l.parser.Line(line, r) != w3c.Data {
		return nil, ""
	}
	switch {
	case r.Format != w3c.IIS:
		return nil, notIIS
	case r.Damage != "":
		return nil, r.Damage
	case !r.HasTime:
		return nil, "the line has no time"
	}
	if string(r.FieldNames) != l.fields {
		l.fieldsChanged(string(r.FieldNames))
	}
	row = append([]byte(nil), `{"TimeGenerated":"`...)
	row = append(r.Time.AppendISO(row, 7), '"')
	clear(l.seen)
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Col < 0 || l.columns[f.Col].name == "" {
			l.missing = string(f.Name)
			continue
		}
		c := &l.columns[f.Col]
		l.seen[f.Col] = true
		row = append(append(append(row, `,"`...), c.name...), `":`...)
		switch {
		case c.number:
			row = append(row, f.Value...)
		case c.name == "csUserAgent":
			row = dyn.AppendString(row, bytes.ReplaceAll(f.Value, []byte(" "), []byte("+")))
		default:
			row = dyn.AppendString(row, f.Value)
		}
	}
	for _, col := range l.logged {
		if !l.seen[col] { // logged, and without a value
			row = append(append(append(row, `,"`...), l.columns[col].name...), `":"-"`...)
		}
	}
	return append(row, '}'), ""
}

func (l *iisLines) fieldsChanged(names string) {
	l.fields, l.logged = names, l.logged[:0]
	for name := range strings.FieldsSeq(names) {
		for i := range l.columns {
			if c := &l.columns[i]; c.name != "" && !c.number && strings.EqualFold(c.field, name) {
				l.logged = append(l.logged, i)
			}
		}
	}
}

// unplaced names a field of the last row whose value has no column, once each.
func (l *iisLines) unplaced() string {
	name := l.missing
	l.missing = ""
	if name == "" || l.warned[name] {
		return ""
	}
	l.warned[name] = true
	return name
}
