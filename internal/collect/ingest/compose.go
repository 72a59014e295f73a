package ingest

import (
	"bytes"
	"slices"

	"github.com/wadi-project/wadi/internal/collect/windowsrow"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// maxComposed bounds a composed event: what is longer than this has no values in
// columns of its own (docs/formats/import.md).
const maxComposed = MaxText

// compose adds the row of an event that came as values: it makes System of the
// slots and EventData of the other columns, and looks whether the views would give
// back what was sent.
func (w *windowsWriter) compose(row *rowTime) (int, string) {
	w.event.Form = eventxml.FormComposed
	for i := range w.derived {
		if reason := w.deriveSystem(&w.derived[i]); reason != "" {
			return w.derived[i].col, reason
		}
	}
	w.system()
	if by := w.from[slotQualifiers]; by != 0 && w.from[slotEventID] == 0 {
		return by - 1, "the value has no place without an EventID"
	}
	w.event.Data, w.xml, w.given = w.event.Data[:0], w.xml[:0], false
	w.event.Message, w.event.Culture = w.slotText(slotMessage), w.slotText(slotCulture)
	if col, reason := w.eventData(); reason != "" {
		return col, reason
	}
	if col, reason := w.namedData(); reason != "" {
		return col, reason
	}
	w.write()
	if len(w.xml) > maxComposed {
		return -1, "the event composed of the row is longer than 4 MiB"
	}
	if w.given {
		if reason := w.prove(); reason != "" {
			return w.derivedColumn(ruleEventData, ruleParameterXML), reason
		}
	}
	w.event.EventXML = w.xml
	for i := range w.derived {
		if d := &w.derived[i]; !w.shows(d) {
			return d.col, "the value has no place: from the row's other values the view makes another"
		}
	}
	at := windowsrow.Place{Numbered: true, Table: w.t.mark, ResourceID: w.slotText(slotResource)}
	w.row.AddComposed(w.rows, &at, &w.event)
	s := &w.event.System
	*row = rowTime{channel: s.Channel, at: event.FromUnixMicros(s.TimeUS) + event.Ticks(s.TimeSub), timed: true}
	return -1, ""
}

var channelSecurity = []byte(event.ChannelSecurity)

// system makes System of the slots.
func (w *windowsWriter) system() {
	at := w.now
	if w.from[slotTime] != 0 {
		at = event.Ticks(w.numbers[slotTime])
	}
	w.event.System = eventxml.System{
		Has: event.HasTimeCreated, Provider: w.slotText(slotProvider), ProviderGUID: w.slotText(slotProviderGUID), EventSourceName: w.slotText(slotSourceName),
		ActivityID: w.slotText(slotActivity), RelatedActivityID: w.slotText(slotRelated), Channel: w.slotText(slotChannel), Computer: w.slotText(slotComputer),
		UserID: w.slotText(slotUserID),
	}
	s := &w.event.System
	s.TimeUS, s.TimeSub = at.UnixMicros()
	if s.Channel == nil && w.t.mark == "SecurityEvent" {
		s.Channel = channelSecurity
	}
	s.EventID, s.Qualifiers = w.number(slotEventID, event.HasEventID), w.number(slotQualifiers, event.HasQualifiers)
	s.Version, s.Level = w.number(slotVersion, event.HasVersion), w.number(slotLevel, event.HasLevel)
	s.Task, s.Opcode = w.number(slotTask, event.HasTask), w.number(slotOpcode, event.HasOpcode)
	s.ProcessID, s.ThreadID = w.number(slotProcessID, event.HasProcessID), w.number(slotThreadID, event.HasThreadID)
	if w.from[slotKeywords] != 0 {
		s.Keywords, s.Has = w.numbers[slotKeywords], s.Has|event.HasKeywords
	}
	if w.from[slotRecordID] != 0 {
		s.EventRecordID, s.Has = w.numbers[slotRecordID], s.Has|event.HasEventRecordID
	}
}

func (w *windowsWriter) number(slot int, has uint32) int32 {
	if w.from[slot] == 0 {
		return 0
	}
	w.event.System.Has |= has
	return int32(w.numbers[slot])
}

// eventData takes EventData, where it was sent itself, as XML or as an object.
func (w *windowsWriter) eventData() (int, string) {
	for i := range w.derived {
		d := &w.derived[i]
		switch w.t.columns[d.col].at {
		case ruleEventData:
			w.given = true
			if reason := w.takeEventData(d); reason != "" {
				return d.col, reason
			}
		case ruleParameterXML:
			if w.derivedColumn(ruleEventData) >= 0 {
				continue // it only has to agree
			}
			w.given = true
			text := bytes.ReplaceAll(bytes.ReplaceAll(d.text, []byte("<Param>"), []byte("<Data>")), []byte("</Param>"), []byte("</Data>"))
			w.xml = append(append(append(w.xml, eventDataOpen...), text...), eventDataClose...)
		}
	}
	return -1, ""
}

// derivedColumn gives the column that was sent for one of the rules, -1 for none.
func (w *windowsWriter) derivedColumn(rules ...int) int {
	for _, d := range w.derived {
		if slices.Contains(rules, w.t.columns[d.col].at) {
			return d.col
		}
	}
	return -1
}

const (
	eventDataOpen  = "<EventData>"
	eventDataClose = "</EventData>"
	eventEnd       = "</Event>"
)

const (
	notEventData = `send EventData as XML (<EventData><Data Name="name">value</Data></EventData>, perhaps in a DataItem), or as an object of texts`
	notTexts     = "the values of EventData must be texts, in its array Data too"
)

func (w *windowsWriter) takeEventData(d *sent) string {
	text := bytes.TrimSpace(d.text)
	switch {
	case len(text) > 0 && text[0] == '{':
		return w.takeObject(text)
	case len(text) > 0 && text[0] == '<':
		return w.takeXML(text)
	}
	return notEventData
}

// takeObject writes an object of texts as Data elements; the array Data holds
// values without names.
func (w *windowsWriter) takeObject(text []byte) string {
	lo := len(w.memory)
	var ok bool
	if w.memory, ok = dyn.Parse(w.memory, text); !ok {
		return notJSON
	}
	w.xml = append(w.xml, eventDataOpen...)
	for it := dyn.Walk(w.memory[lo:]); it.Next(); {
		name := dyn.Unquote(nil, it.Key)
		switch {
		case len(name) == 0:
			return "a value of EventData has no name"
		case it.Value[0] == '"':
			value := dyn.Unquote(nil, it.Value)
			if !isText(name) || !isText(value) {
				return notXML
			}
			w.xml = appendData(w.xml, name, value)
		case it.Value[0] == '[' && string(name) == "Data" && len(it.Value) > 2:
			for item := dyn.Walk(it.Value); item.Next(); {
				value := dyn.Unquote(nil, item.Value)
				if item.Value[0] != '"' || !isText(value) {
					return notTexts
				}
				w.xml = appendData(w.xml, nil, value)
			}
		default:
			return notTexts
		}
	}
	w.xml = append(w.xml, eventDataClose...)
	return ""
}

// eventDataTags are the start tag that Sentinel shows, and what may be sent
// instead.
var eventDataTags = [...]string{
	`<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event">`, `<EventData xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>`, eventDataOpen,
}

// takeXML writes EventData as EvtRender does: without a namespace, attributes in
// single quotes where they hold none.
func (w *windowsWriter) takeXML(text []byte) string {
	if bytes.HasPrefix(text, []byte("<DataItem")) {
		end := bytes.IndexByte(text, '>')
		inner, ok := bytes.CutSuffix(text, []byte("</DataItem>"))
		if !ok || end < 0 || end >= len(inner) {
			return notEventData
		}
		text = bytes.TrimSpace(inner[end+1:])
	}
	if string(text) == "<EventData/>" || string(text) == "<EventData />" {
		w.xml = append(w.xml, "<EventData></EventData>"...)
		return ""
	}
	rest, ok := []byte(nil), false
	for _, tag := range eventDataTags {
		if rest, ok = bytes.CutPrefix(text, []byte(tag)); ok {
			break
		}
	}
	if !ok || !bytes.HasSuffix(rest, []byte(eventDataClose)) || bytes.Count(rest, []byte(eventDataClose)) != 1 {
		return notEventData
	}
	if bytes.Contains(rest, []byte("<!")) || bytes.Contains(rest, []byte("<?")) {
		return "EventData may have no comments, CDATA sections or instructions"
	}
	w.xml = append(w.xml, eventDataOpen...)
	for len(rest) > 0 {
		open := bytes.IndexByte(rest, '<')
		end := bytes.IndexByte(rest, '>')
		if open < 0 || end < open {
			return notEventData
		}
		lo := len(w.xml) + open
		w.xml, rest = append(w.xml, rest[:end+1]...), rest[end+1:]
		if tag := w.xml[lo:]; bytes.IndexByte(tag, '\'') < 0 {
			for i, c := range tag {
				if c == '"' {
					tag[i] = '\''
				}
			}
		}
	}
	return ""
}

// appendData writes one value of EventData.
func appendData(dst, name, value []byte) []byte {
	if len(name) == 0 {
		dst = append(dst, "<Data>"...)
	} else {
		dst = append(dst, "<Data Name='"...)
		dst = eventxml.AppendEscaped(dst, name, '\'')
		dst = append(dst, "'>"...)
	}
	dst = eventxml.AppendEscaped(dst, value, 0)
	return append(dst, "</Data>"...)
}

// namedData takes the columns that are values of EventData. Where EventData itself
// was sent they are in it already, and have to agree.
func (w *windowsWriter) namedData() (int, string) {
	if w.given {
		w.pairs()
		for _, d := range w.data {
			c := &w.t.columns[d.col]
			if text, ok := w.lookup(c); !ok || !sameValue(c, text, d.text) {
				return d.col, "the value has no place: EventData, which was sent too, has another"
			}
		}
		return -1, ""
	}
	for _, d := range w.data {
		w.event.Data = append(w.event.Data, windowsrow.Data{Name: w.t.names[d.col], Value: d.text})
	}
	for i := range w.derived {
		w.deriveData(&w.derived[i])
	}
	if len(w.event.Data) == 0 {
		return -1, ""
	}
	w.xml = append(w.xml, eventDataOpen...)
	for i := range w.event.Data {
		w.xml = appendData(w.xml, w.event.Data[i].Name, w.event.Data[i].Value)
	}
	w.xml = append(w.xml, eventDataClose...)
	return -1, ""
}

// sameValue tells whether the view shows the value sent for a text of EventData.
func sameValue(c *column, text, sent []byte) bool {
	if bytes.Equal(text, sent) {
		return true
	}
	if c.typ != schema.Int {
		return false
	}
	a, ok1 := dyn.WholeOfText(string(text))
	b, ok2 := dyn.WholeOfText(string(sent))
	return ok1 && ok2 && a == b
}

// lookup gives what the view reads for a column of EventData.
func (w *windowsWriter) lookup(c *column) ([]byte, bool) {
	for i := range w.event.Data {
		d := &w.event.Data[i]
		if c.at < 0 && string(d.Name) == c.name || c.at >= 0 && len(d.Name) > 0 && schema.EventDataColumn(w.event.System.Provider, d.Name) == c.at {
			return d.Value, true
		}
	}
	return nil, false
}

// pairs reads the values of the EventData written so far.
func (w *windowsWriter) pairs() {
	w.batch.Reset()
	lo := w.batch.Begin()
	w.batch.Text = append(w.batch.Text, "<Event><System><EventID>0</EventID></System>"...)
	w.batch.Text = append(append(w.batch.Text, w.xml...), eventEnd...)
	e, _ := w.parser.Parse(&w.batch, w.batch.End(lo)) // what is wrong is found by prove
	for _, p := range w.batch.Data(&e) {
		w.event.Data = append(w.event.Data, windowsrow.Data{Name: w.batch.Bytes(p.Name), Value: w.batch.Bytes(p.Value)})
	}
}

// write adds the message and the end of the event.
func (w *windowsWriter) write() {
	if m, c := w.event.Message, w.event.Culture; m != nil || c != nil {
		w.xml = append(w.xml, "<RenderingInfo"...)
		if c != nil {
			w.xml = append(w.xml, " Culture='"...)
			w.xml = append(eventxml.AppendEscaped(w.xml, c, '\''), '\'')
		}
		w.xml = append(w.xml, '>')
		if m != nil {
			w.xml = append(w.xml, "<Message>"...)
			w.xml = eventxml.AppendEscaped(w.xml, m, 0)
			w.xml = append(w.xml, "</Message>"...)
		}
		w.xml = append(w.xml, "</RenderingInfo>"...)
	}
	w.xml = append(w.xml, eventEnd...)
}

// prove reads the event whose EventData was sent, as the lake's readers would.
func (w *windowsWriter) prove() string {
	lo := w.batch.Begin()
	w.batch.Text = eventxml.AppendSystem(w.batch.Text, &w.event.System, w.event.Form)
	w.batch.Text = append(w.batch.Text, w.xml...)
	if _, err := w.parser.Parse(&w.batch, w.batch.End(lo)); err != nil {
		return "the XML is not well-formed, or is no EventData"
	}
	return ""
}
