package ingest

import (
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// writer takes the values of a row, column by column. Columns are named by their
// index in Target.columns.
type writer interface {
	// begin begins a row.
	begin()
	// set takes the value of a column, which is not null and comes once. A reason
	// refuses it.
	set(col int, v *value) (reason string)
	// end finishes the row and tells of it. A reason refuses it, for the column if
	// that is not negative.
	end(*rowTime) (col int, reason string)
}

// tableWriter writes rows whose columns are the table's own.
type tableWriter struct {
	t    *Target
	rows *datafile.Rows
	// now is the ingestion time, for rows without TimeGenerated.
	now     event.Ticks
	timed   bool
	time    event.Ticks
	scratch []byte
}

func (w *tableWriter) begin() {
	w.rows.BeginNumbered()
	w.rows.String(w.t.tableCol, w.t.mark)
	w.timed = false
}

func (w *tableWriter) set(col int, v *value) string {
	c := &w.t.columns[col]
	switch c.act {
	case actStore:
		return w.store(c.at, c.typ, v)
	case actTime:
		at, ok := v.ticks()
		if !ok {
			return notTime
		}
		w.setTime(at)
		return ""
	}
	return c.refuse(v)
}

func (w *tableWriter) setTime(at event.Ticks) {
	us, sub := at.UnixMicros()
	w.rows.Int(w.t.timeCol, us)
	w.rows.Int(w.t.subCol, int64(sub))
	w.timed, w.time = true, at
}

// end gives a row without TimeGenerated the time of ingestion.
func (w *tableWriter) end(row *rowTime) (int, string) {
	if !w.timed {
		w.setTime(w.now)
	}
	*row = rowTime{at: w.time, timed: true}
	w.rows.End()
	return -1, ""
}

// store sets a column of the table.
func (w *tableWriter) store(at int, t schema.Type, v *value) string {
	switch t {
	case schema.String:
		if v.kind == ofText {
			w.rows.Bytes(at, v.text)
			return ""
		}
		var reason string
		w.scratch, reason = v.appendText(w.scratch[:0])
		if reason == "" {
			w.rows.Bytes(at, w.scratch)
		}
		return reason
	case schema.Int:
		if n, ok := v.int32(); ok {
			w.rows.Int(at, n)
			return ""
		}
	case schema.Long:
		if n, ok := v.whole(); ok {
			w.rows.Int(at, n)
			return ""
		}
	case schema.Real:
		if f, ok := v.real(); ok {
			w.rows.Real(at, f)
			return ""
		}
	case schema.Bool:
		if b, ok := v.boolean(); ok {
			w.rows.Bool(at, b)
			return ""
		}
	case schema.DateTime:
		if ticks, ok := v.ticks(); ok {
			us, _ := ticks.UnixMicros()
			w.rows.Int(at, us)
			return ""
		}
	case schema.TimeSpan:
		if n, ok := v.span(); ok {
			w.rows.Int(at, n)
			return ""
		}
	default:
		return w.storeText(at, t, v)
	}
	return typeNeeds(t)
}

// storeText sets a column of a type whose values lie as text.
func (w *tableWriter) storeText(at int, t schema.Type, v *value) (reason string) {
	ok := false
	switch t {
	case schema.Dynamic:
		w.scratch, reason = v.appendDynamic(w.scratch[:0])
		if reason != "" {
			return reason
		}
		if ok = true; len(w.scratch) == 0 {
			return ""
		}
	case schema.Guid:
		if v.kind == ofText {
			w.scratch, ok = dyn.GUIDOfText(w.scratch[:0], v.text)
		}
	case schema.Decimal:
		w.scratch, ok = v.appendDecimal(w.scratch[:0])
	}
	if !ok {
		return typeNeeds(t)
	}
	w.rows.Bytes(at, w.scratch)
	return ""
}
