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
	fields  string      // FieldNames that the following belong to
	order   []int       // the columns that are logged, in their order
	logged  []bool      // and by column
	values  [][]byte    // of the row in work, by column
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
	l := iisLines{parser: w3c.NewParser(w3c.Options{}), logged: make([]bool, len(schema.W3CIIS.Columns)), values: make([][]byte, len(schema.W3CIIS.Columns)), warned: map[string]bool{}}
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
	for i := range l.values {
		l.values[i] = nil
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Col < 0 || l.columns[f.Col].name == "" {
			l.missing = string(f.Name)
			continue
		}
		if !l.logged[f.Col] { // under another name
			l.order, l.logged[f.Col] = append(l.order, f.Col), true
		}
		l.values[f.Col] = f.Value
	}
	for _, col := range l.order { // as in #Fields, which the receiver makes of it again
		row = l.value(row, &l.columns[col], l.values[col])
	}
	return append(row, '}'), ""
}

// value appends a column's value, nil for a field that is logged and has none.
func (l *iisLines) value(row []byte, c *iisColumn, value []byte) []byte {
	if value == nil && c.number {
		return row
	}
	row = append(append(append(row, `,"`...), c.name...), `":`...)
	switch {
	case value == nil:
		return append(row, `"-"`...)
	case c.number:
		return append(row, value...)
	case c.name == "csUserAgent":
		value = bytes.ReplaceAll(value, []byte(" "), []byte("+"))
	}
	return dyn.AppendString(row, value)
}

// fieldsChanged finds the columns of the fields that are logged.
func (l *iisLines) fieldsChanged(names string) {
	l.fields, l.order = names, l.order[:0]
	clear(l.logged)
	for name := range strings.FieldsSeq(names) {
		if strings.EqualFold(name, "cs(Host)") {
			name = "cs-host" // its other name
		}
		for i := range l.columns {
			if c := &l.columns[i]; c.name != "" && strings.EqualFold(c.field, name) && !l.logged[i] {
				l.order, l.logged[i] = append(l.order, i), true
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
