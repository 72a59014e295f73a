package ingest

import (
	"bytes"
	"math"
	"strings"

	"github.com/wadi-project/wadi/internal/collect/windowsrow"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// The slots of what is not EventData: values of System and what stands beside it.
const (
	slotTime = iota
	slotXML
	slotRecordTime
	slotDamage
	slotResource
	// Texts.
	slotChannel
	slotProvider
	slotProviderGUID
	slotSourceName
	slotActivity
	slotRelated
	slotUserID
	slotComputer
	slotMessage
	slotCulture
	// Numbers.
	slotEventID
	slotQualifiers
	slotVersion
	slotLevel
	slotTask
	slotOpcode
	slotKeywords
	slotRecordID
	slotProcessID
	slotThreadID
	slots
)

// slotOf has the slots by the table's columns.
var slotOf = map[string]int{
	"TimeGenerated": slotTime, "_Xml": slotXML, "_RecordTime": slotRecordTime, "_Damage": slotDamage, "_ResourceId": slotResource,
	"Channel": slotChannel, "Provider": slotProvider, "ProviderGuid": slotProviderGUID, "EventSourceName": slotSourceName, "ActivityId": slotActivity,
	"RelatedActivityId": slotRelated, "SystemUserId": slotUserID, "Computer": slotComputer, "RenderedMessage": slotMessage, "_Culture": slotCulture,
	"EventID": slotEventID, "Qualifiers": slotQualifiers, "Version": slotVersion, "Level": slotLevel, "Task": slotTask, "Opcode": slotOpcode,
	"Keywords": slotKeywords, "EventRecordId": slotRecordID, "SystemProcessId": slotProcessID, "SystemThreadId": slotThreadID,
}

// firstDataID is the least field id of the columns that hold EventData.
const firstDataID = 100

// windows lists the columns of a view of Windows events; behind them, those of the
// table that have other names.
func (t *Target) windows(v *schema.View) {
	t.shape = shapeWindows
	if v.Name == schema.WindowsEvents.Name {
		t.mark = ""
	}
	for i := range v.Columns {
		t.add(windowsColumn(v.Name, &v.Columns[i]))
	}
	for i := range schema.WindowsEvents.Columns {
		c := &schema.WindowsEvents.Columns[i]
		t.add(windowsColumn("", &schema.ViewColumn{Name: c.Name, KQL: c.KQL, Kind: schema.Stored, Expr: c.Name}))
	}
	t.add(column{name: "_Xml", typ: schema.String, act: actSystem, at: slotXML})
}

func windowsColumn(view string, v *schema.ViewColumn) column {
	c := column{name: v.Name, typ: v.KQL, act: actOwn, at: -1}
	slot, isSlot := slotOf[v.Expr]
	if v.Name == "_Xml" {
		slot, isSlot = slotXML, true
	}
	at := schema.WindowsEvents.Index(v.Expr)
	switch rule := ruleOf[view+"."+v.Name]; {
	case v.Kind == schema.Constant:
		c.act, c.want = actConst, strings.Trim(v.Expr, `"`)
	case v.Kind == schema.NotAvailable:
		c.act = actEmpty
	case isSlot && (v.Kind == schema.Stored || slot == slotXML):
		c.act, c.at = actSystem, slot
	case v.Kind == schema.Stored && at >= 0 && schema.WindowsEvents.Columns[at].FieldID >= firstDataID:
		c.act, c.at = actData, at
	case rule != 0:
		c.act, c.at = actDerived, rule
	case strings.Contains(v.Expr, `__event_field("`+v.Name+`")`):
		c.act = actData
	}
	return c
}

// sent is a value of a column as it came; text is in the writer's memory.
type sent struct {
	col  int
	text []byte
}

// windowsWriter writes rows of Windows events: of their text, or of their values.
type windowsWriter struct {
	t    *Target
	rows *datafile.Rows
	now  event.Ticks
	row  *windowsrow.Writer

	// The row in work. from says which column set a slot: its index and 1.
	from    [slots]int
	texts   [slots][]byte
	numbers [slots]int64
	data    []sent
	derived []sent
	first   int // the first column that an event's text would contradict, -1
	memory  []byte

	// Composing.
	event  windowsrow.Composed
	xml    []byte
	given  bool // EventData itself was sent
	batch  event.Batch
	parser eventxml.Parser
}

func newWindowsWriter() windowsWriter { return windowsWriter{row: windowsrow.NewWriter()} }

func (w *windowsWriter) start(t *Target, rows *datafile.Rows, now event.Ticks) {
	w.t, w.rows, w.now = t, rows, now
}

func (w *windowsWriter) begin() {
	clear(w.from[:])
	w.data, w.derived, w.memory, w.first = w.data[:0], w.derived[:0], w.memory[:0], -1
}

// keep gives the text of a value that lasts until the row's end.
func (w *windowsWriter) keep(v *value) (text []byte, reason string) {
	if v.kind == ofText {
		return v.text, ""
	}
	lo := len(w.memory)
	w.memory, reason = v.appendText(w.memory)
	return w.memory[lo:len(w.memory):len(w.memory)], reason
}

func (w *windowsWriter) set(col int, v *value) (reason string) {
	c := &w.t.columns[col]
	var text []byte
	switch c.act {
	case actSystem:
		return w.setSlot(col, c.at, v)
	case actData:
		if c.typ == schema.Int {
			n, ok := v.int32()
			if !ok {
				return notInt
			}
			v = &value{kind: ofWhole, n: n}
		}
		if text, reason = w.keep(v); reason == "" && len(text) > 0 {
			w.data = append(w.data, sent{col, text})
		}
	case actDerived:
		if text, reason = w.keep(v); reason == "" && len(text) > 0 {
			w.derived = append(w.derived, sent{col, text})
		}
	default:
		if reason = c.refuse(v); reason != "" {
			return reason
		}
	}
	if reason == "" && !isText(text) {
		reason = notXML
	}
	if w.first < 0 && len(text) > 0 {
		w.first = col
	}
	return reason
}

// setSlot takes a value that several columns may give.
func (w *windowsWriter) setSlot(col, slot int, v *value) string {
	var n int64
	var text []byte
	var reason string
	switch {
	case slot == slotTime:
		at, ok := v.ticks()
		if !ok {
			return notTime
		}
		n = int64(at)
	case slot >= slotEventID || slot == slotRecordTime:
		if n, reason = slotNumber(slot, v); reason != "" {
			return reason
		}
	default:
		if text, reason = w.keep(v); reason != "" || len(text) == 0 {
			return reason
		}
		if slot != slotXML && !isText(text) {
			return notXML
		}
	}
	if by := w.from[slot]; by != 0 && (n != w.numbers[slot] || !bytes.Equal(text, w.texts[slot])) {
		return "the value differs from that of column " + w.t.columns[by-1].name + ", which is the same in the event"
	}
	w.from[slot], w.numbers[slot], w.texts[slot] = col+1, n, text
	if w.first < 0 && slot > slotResource {
		w.first = col
	}
	return ""
}

// slotNumber reads a number in the range that System's text can have.
func slotNumber(slot int, v *value) (n int64, reason string) {
	n, ok := v.whole()
	switch slot {
	case slotRecordTime, slotKeywords:
		if !ok {
			return 0, notLong
		}
	case slotRecordID:
		if !ok || n < 0 {
			return 0, "the column takes a whole number from 0 to 9223372036854775807"
		}
	case slotProcessID, slotThreadID:
		if !ok || int64(int32(n)) != n {
			return 0, notInt
		}
	default:
		if !ok || n < 0 || n > math.MaxInt32 {
			return 0, "the column takes a whole number from 0 to 2147483647"
		}
	}
	return n, ""
}

const notXML = "the text holds a control character, which an event's XML cannot"

// isText tells whether a text has only characters that XML has.
func isText(s []byte) bool {
	for _, c := range s {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}

func (w *windowsWriter) end(row *rowTime) (int, string) {
	if w.from[slotXML] != 0 {
		return w.text(row)
	}
	for _, slot := range [...]int{slotRecordTime, slotDamage} {
		if by := w.from[slot]; by != 0 {
			return by - 1, "the value has no place without _Xml"
		}
	}
	return w.compose(row)
}

// text adds the row of an event's text.
func (w *windowsWriter) text(row *rowTime) (int, string) {
	xml := w.from[slotXML] - 1
	if w.first >= 0 {
		return w.first, "the value has no place beside _Xml, which the row is read from"
	}
	w.batch.Reset()
	e := event.Event{XML: w.batch.Append(w.texts[slotXML])}
	if w.from[slotRecordTime] != 0 {
		e.RecordTime = event.Ticks(w.numbers[slotRecordTime])
	}
	if w.from[slotDamage] != 0 {
		e.Damage = w.batch.Append(w.texts[slotDamage])
	}
	at := windowsrow.Place{Numbered: true, ResourceID: w.slotText(slotResource)}
	if w.t.mark == "WindowsEvent" {
		at.Table = w.t.mark
	}
	parsed, damage, err := w.row.Add(w.rows, &at, &w.batch, &e)
	if err != nil {
		return xml, err.Error()
	}
	timed := parsed.Has&event.HasTimeCreated != 0
	if by := w.from[slotTime]; by != 0 {
		us, _ := event.Ticks(w.numbers[slotTime]).UnixMicros()
		is, _ := parsed.TimeCreated.UnixMicros()
		if !timed || us != is {
			return by - 1, "the value has no place: it differs from SystemTime in _Xml"
		}
	}
	*row = rowTime{channel: w.batch.Bytes(parsed.Channel), at: parsed.TimeCreated, timed: timed, partial: damage != ""}
	return -1, ""
}

// slotText gives a slot's text, nil when it is not set.
func (w *windowsWriter) slotText(slot int) []byte {
	if w.from[slot] == 0 {
		return nil
	}
	return w.texts[slot]
}
