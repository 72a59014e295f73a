package ingest

import (
	"fmt"
	"mime"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
)

// Format is the form of a body.
type Format uint8

// The forms of bodies.
const (
	// JSON is an array of objects, or objects one behind the other (JSON lines).
	JSON Format = iota + 1
	// Arrow is an Arrow IPC stream.
	Arrow
)

// FormatOf gives the form that a Content-Type names; false for one that Wadi does
// not read. No Content-Type is JSON, as Azure Monitor takes it.
func FormatOf(contentType string) (Format, bool) {
	if contentType == "" {
		return JSON, true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return 0, false
	}
	switch media {
	case "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "text/plain":
		return JSON, true
	case "application/vnd.apache.arrow.stream":
		return Arrow, true
	}
	return 0, false
}

// Result is what a body holds. Its rows belong to it; they are valid until it is
// used for the next body, which reuses their memory.
type Result struct {
	// Rows are the rows, begun with room for their numbers.
	Rows *datafile.Rows
	// Tallies count them by channel, the source and the skews unset, which are known
	// when the rows are numbered.
	Tallies []lake.SourceTally

	now event.Ticks // when the body is decoded: rows much older come late
}

// Error says what is wrong with a body, for the answer 400 (413 when TooLarge).
// It never holds text of a value.
type Error struct {
	// Row counts from 1; 0 is an error of the body itself.
	Row int
	// Column is the name of the column, empty where none is at fault.
	Column string
	// Offset is the place in a JSON body in bytes, -1 where there is none.
	Offset int
	// Reason is the rest of the sentence.
	Reason string
	// TooLarge tells that a limit of the whole body was passed.
	TooLarge bool
}

// Error gives one line.
func (e *Error) Error() string {
	s := "cannot take the body"
	if e.Row > 0 {
		s = fmt.Sprintf("cannot take row %d", e.Row)
	}
	if e.Column != "" {
		s += fmt.Sprintf(", column %q", e.Column)
	}
	if e.Offset >= 0 {
		s += fmt.Sprintf(" (byte %d)", e.Offset)
	}
	return s + ": " + e.Reason
}

// UnknownError says that a stream or table is not there, or takes no rows: for
// the answer 404.
type UnknownError struct {
	// What is "stream" or "table", Name as asked for.
	What, Name string
	// Reason is why, and what would do.
	Reason string
}

// Error gives one line.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("cannot take rows for %s %q: %s", e.What, e.Name, e.Reason)
}

// Decoder reads bodies, one after the other; its memory is kept. It is not safe
// for concurrent use.
type Decoder struct {
	now func() time.Time

	// The body in work.
	out   *Result
	write writer
	rowAt rowTime
	row   int
	seen  []int // by column: the number of the row that set it
	order []int // the columns of the row before
	scan  scanner
	value value

	table   tableWriter
	iis     iisWriter
	windows windowsWriter
}

// rowTime is what the tallies need of a row: its channel, its time.
type rowTime struct {
	channel []byte
	at      event.Ticks
	timed   bool
	partial bool
}

// NewDecoder makes a decoder; now gives the time of rows that have none.
func NewDecoder(now func() time.Time) *Decoder {
	return &Decoder{now: now, windows: newWindowsWriter()}
}

// Decode reads a body, decompressed, into out. On an error (an [*Error]) out has
// no rows. The body is not kept. A body without rows is no error.
func (d *Decoder) Decode(t *Target, f Format, body []byte, out *Result) error {
	if len(body) > MaxBody {
		return &Error{Offset: -1, Reason: "the body is larger than 16 MiB", TooLarge: true}
	}
	d.start(t, out)
	var err error
	if f == Arrow {
		err = d.arrow(t, body, out)
	} else {
		err = d.json(t, body, out)
	}
	if err == nil {
		err = out.Rows.Err()
	}
	if err != nil {
		out.Rows.Reset()
		out.Tallies = out.Tallies[:0]
	}
	d.out, d.write = nil, nil
	if len(body) > keptBody {
		*d = *NewDecoder(d.now) // what large bodies took is given back
	}
	return err
}

// start prepares for a body.
func (d *Decoder) start(t *Target, out *Result) {
	if out.Rows == nil || out.Rows.Table() != t.Table || out.Rows.SizeBytes() > keptRows {
		out.Rows = datafile.NewRows(t.Table)
	}
	out.Rows.Reset()
	out.Tallies = out.Tallies[:0]
	d.out, d.row, d.order = out, 0, d.order[:0]
	if len(d.seen) < len(t.columns) {
		d.seen = make([]int, len(t.columns))
	}
	clear(d.seen)
	base := tableWriter{t: t, rows: out.Rows, now: event.FromTime(d.now()), scratch: d.table.scratch}
	out.now = base.now
	switch t.shape {
	case shapeWindows:
		d.windows.start(t, out.Rows, base.now)
		d.write = &d.windows
	case shapeIIS:
		d.iis.tableWriter = base
		d.write = &d.iis
	default:
		d.table = base
		d.write = &d.table
	}
}

func (d *Decoder) begin() { d.write.begin() }

// set takes a value of the current row.
func (d *Decoder) set(col int, v *value) string {
	if d.seen[col] == d.row {
		return "the column comes twice in the row"
	}
	d.seen[col] = d.row
	if v.kind == ofNull {
		return ""
	}
	return d.write.set(col, v)
}

// end finishes the current row and counts it; offset is where it begins.
func (d *Decoder) end(t *Target, offset int) error {
	if col, reason := d.write.end(&d.rowAt); reason != "" {
		e := &Error{Row: d.row, Offset: offset, Reason: reason}
		if col >= 0 {
			e.Column = t.columns[col].name
		}
		return e
	}
	d.out.count(&d.rowAt)
	return nil
}

// full refuses a body whose rows take too much memory.
func (d *Decoder) full(out *Result) error {
	if out.Rows.SizeBytes() > MaxEncoded {
		return &Error{Row: d.row, Offset: -1, Reason: "the rows up to here are larger than 64 MiB", TooLarge: true}
	}
	return out.Rows.Err()
}

// count adds a stored row to the tally of its channel.
func (r *Result) count(row *rowTime) {
	var t *lake.SourceTally
	for i := range r.Tallies {
		if r.Tallies[i].Channel == string(row.channel) {
			t = &r.Tallies[i]
			break
		}
	}
	if t == nil {
		r.Tallies = append(r.Tallies, lake.SourceTally{Channel: string(row.channel)})
		t = &r.Tallies[len(r.Tallies)-1]
	}
	t.Received++
	t.Stored++
	if row.partial {
		t.Partial++
	}
	if !row.timed {
		return
	}
	if int64(r.now-row.at) > lake.LateAfter {
		t.Late++
	}
	if t.FirstTime == 0 {
		t.FirstTime, t.LastTime = row.at, row.at
		return
	}
	t.FirstTime, t.LastTime = min(t.FirstTime, row.at), max(t.LastTime, row.at)
}
