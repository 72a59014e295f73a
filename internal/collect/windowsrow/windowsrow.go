package windowsrow

import (
	"errors"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// Columns are the indexes of windows_events' columns but those of EventData.
type Columns struct {
	TimeGenerated, TimeSub, IngestedAt, Source, Seq, Table, RecordTime, SystemForm, SystemXML, EventXML, RenderedMessage, Culture,
	Channel, Provider, ProviderGUID, EventSourceName, EventID, Qualifiers, Version, Level, Task, Opcode, Keywords, EventRecordID,
	ActivityID, RelatedActivityID, ProcessID, ThreadID, UserID, Computer, ResourceID, Damage int
}

// column gives the index of a column that must be there.
func column(t *schema.Table, name string) int {
	i := t.Index(name)
	if i < 0 {
		panic("BUG: table " + t.Name + " has no column " + name)
	}
	return i
}

// FindColumns looks the indexes up.
func FindColumns() Columns {
	at := func(name string) int { return column(schema.WindowsEvents, name) }
	return Columns{
		TimeGenerated: at("TimeGenerated"), TimeSub: at("_TimeSub"), IngestedAt: at("_IngestedAt"), Source: at("_Source"), Seq: at("_Seq"), Table: at("_Table"),
		RecordTime: at("_RecordTime"), SystemForm: at("_SystemForm"), SystemXML: at("_SystemXml"), EventXML: at("EventXml"), RenderedMessage: at("RenderedMessage"),
		Culture: at("_Culture"), Channel: at("Channel"), Provider: at("Provider"), ProviderGUID: at("ProviderGuid"), EventSourceName: at("EventSourceName"),
		EventID: at("EventID"), Qualifiers: at("Qualifiers"), Version: at("Version"), Level: at("Level"), Task: at("Task"), Opcode: at("Opcode"),
		Keywords: at("Keywords"), EventRecordID: at("EventRecordId"), ActivityID: at("ActivityId"), RelatedActivityID: at("RelatedActivityId"),
		ProcessID: at("SystemProcessId"), ThreadID: at("SystemThreadId"), UserID: at("SystemUserId"), Computer: at("Computer"),
		ResourceID: at("_ResourceId"), Damage: at("_Damage"),
	}
}

// errLongSystem refuses an event whose System alone would make a huge row.
var errLongSystem = errors.New("the element System is longer than 1 MiB")

// Place is what a row gets from the door it came through.
type Place struct {
	// Source, Seq and IngestedUS (µs since 1970) name the row, and when it was
	// stored. They are not set when Numbered is true: the row is then begun with
	// room for them.
	Source, Seq, IngestedUS int64
	Numbered                bool
	// Table is the Sentinel table that shows the row where the source says it;
	// nothing leaves it to the channel.
	Table string
	// ResourceID is the computer's Azure resource, nil for none.
	ResourceID []byte
}

// Writer writes events as rows of windows_events, one after the other. It is not
// safe for concurrent use.
type Writer struct {
	col    Columns
	parser eventxml.Parser
}

// NewWriter makes a writer.
func NewWriter() *Writer { return &Writer{col: FindColumns()} }

// Add parses the event whose text is e.XML and adds its row; the other fields of
// e that are not derived from the text are kept. It gives the event as parsed;
// an error means that it has no System and no row was added. Damage is why the
// row is incomplete.
func (w *Writer) Add(rows *datafile.Rows, at *Place, b *event.Batch, e *event.Event) (parsed event.Event, damage string, err error) {
	ev, err := w.parser.Parse(b, e.XML)
	if err != nil {
		if ev.SystemEnd == 0 {
			return ev, "", err
		}
		damage = err.Error()
	}
	if ev.SystemEnd > maxSystem {
		return ev, "", errLongSystem
	}
	ev.RecordTime, ev.RecordNumber, ev.Damage = e.RecordTime, e.RecordNumber, e.Damage
	if ev.Damage.Present() {
		damage = b.String(ev.Damage)
	}
	sys, c := w.parser.System(), &w.col
	if sys.Has&event.HasTimeCreated == 0 && damage == "" {
		damage = "System has no SystemTime"
	}
	w.begin(rows, at, sys)
	if ev.RecordTime != 0 && (sys.Has&event.HasTimeCreated == 0 || ev.RecordTime != ev.TimeCreated) {
		rows.Int(c.RecordTime, int64(ev.RecordTime))
	}
	rows.Int(c.SystemForm, int64(ev.Form))
	xml := b.Bytes(ev.XML)
	if !ev.Rebuilds {
		rows.Bytes(c.SystemXML, xml[:ev.SystemEnd])
	}
	rows.Bytes(c.EventXML, xml[ev.SystemEnd:])
	w.system(rows, sys)
	if len(xml)-int(ev.SystemEnd) <= eventxml.MaxValues {
		text(rows, c.RenderedMessage, b.Bytes(ev.Message))
		text(rows, c.Culture, b.Bytes(ev.Culture))
		w.data(rows, b, &ev, sys.Provider)
		eventxml.ClearedBy(sys.Provider, b.Bytes(ev.UserData), func(name string, value []byte) {
			rows.Bytes(schema.EventDataColumn(nil, []byte(name)), value)
		})
	}
	if damage != "" {
		rows.String(c.Damage, damage)
	}
	rows.End()
	return ev, damage, nil
}

// begin begins a row with what every row has.
func (w *Writer) begin(rows *datafile.Rows, at *Place, sys *eventxml.System) {
	c := &w.col
	if at.Numbered {
		rows.BeginNumbered()
	} else {
		rows.Begin()
		rows.Int(c.IngestedAt, at.IngestedUS)
		rows.Int(c.Source, at.Source)
		rows.Int(c.Seq, at.Seq)
	}
	if sys.Has&event.HasTimeCreated != 0 {
		rows.Int(c.TimeGenerated, sys.TimeUS)
		rows.Int(c.TimeSub, int64(sys.TimeSub))
	}
	table := at.Table
	if table == "" {
		table = tableOf(sys.Channel)
	}
	rows.String(c.Table, table)
	text(rows, c.ResourceID, at.ResourceID)
}

// Composed is an event that came as values, not as text.
type Composed struct {
	System eventxml.System
	// Form is how System is written.
	Form int32
	// EventXML is the text behind </System>; Data, Message and Culture are what it
	// says, as [eventxml.Parser.Parse] would read it; of Message and Culture nil is absent.
	EventXML         []byte
	Data             []Data
	Message, Culture []byte
}

// Data is one value of EventData.
type Data struct{ Name, Value []byte }

// AddComposed adds the row of an event that came as values.
func (w *Writer) AddComposed(rows *datafile.Rows, at *Place, e *Composed) {
	c := &w.col
	w.begin(rows, at, &e.System)
	rows.Int(c.SystemForm, int64(e.Form))
	rows.Bytes(c.EventXML, e.EventXML)
	w.system(rows, &e.System)
	text(rows, c.RenderedMessage, e.Message)
	text(rows, c.Culture, e.Culture)
	for i := range e.Data {
		if col := schema.EventDataColumn(e.System.Provider, e.Data[i].Name); col >= 0 {
			rows.Bytes(col, e.Data[i].Value)
		}
	}
	rows.End()
}

// tableOf decides _Table: the Sentinel table that shows the event.
func tableOf(channel []byte) string {
	if string(channel) == event.ChannelSecurity {
		return "SecurityEvent"
	}
	return "Event"
}

// text sets a string column unless the value is absent.
func text(rows *datafile.Rows, col int, v []byte) {
	if v != nil {
		rows.Bytes(col, v)
	}
}

// system sets the columns of System that its text is rebuilt from.
func (w *Writer) system(rows *datafile.Rows, s *eventxml.System) {
	c := &w.col
	number := func(col int, v int64, has uint32) {
		if s.Has&has != 0 {
			rows.Int(col, v)
		}
	}
	text(rows, c.Channel, s.Channel)
	text(rows, c.Provider, s.Provider)
	text(rows, c.ProviderGUID, s.ProviderGUID)
	text(rows, c.EventSourceName, s.EventSourceName)
	number(c.EventID, int64(s.EventID), event.HasEventID)
	number(c.Qualifiers, int64(s.Qualifiers), event.HasQualifiers)
	number(c.Version, int64(s.Version), event.HasVersion)
	number(c.Level, int64(s.Level), event.HasLevel)
	number(c.Task, int64(s.Task), event.HasTask)
	number(c.Opcode, int64(s.Opcode), event.HasOpcode)
	number(c.Keywords, s.Keywords, event.HasKeywords)
	number(c.EventRecordID, s.EventRecordID, event.HasEventRecordID)
	text(rows, c.ActivityID, s.ActivityID)
	text(rows, c.RelatedActivityID, s.RelatedActivityID)
	number(c.ProcessID, int64(s.ProcessID), event.HasProcessID)
	number(c.ThreadID, int64(s.ThreadID), event.HasThreadID)
	text(rows, c.UserID, s.UserID)
	text(rows, c.Computer, s.Computer)
}

// data sets the columns of EventData's values, each the first of its name.
func (w *Writer) data(rows *datafile.Rows, b *event.Batch, e *event.Event, provider []byte) {
	for _, p := range b.Data(e) {
		if p.Name.Len == 0 {
			continue
		}
		if col := schema.EventDataColumn(provider, b.Bytes(p.Name)); col >= 0 {
			rows.Bytes(col, b.Bytes(p.Value))
		}
	}
}

// AppendXML appends the whole text of the event that a row holds: its columns of
// System and EventXml must have been read.
func (c *Columns) AppendXML(dst []byte, row datafile.Row) []byte {
	if system := row.Bytes(c.SystemXML); system != nil {
		return append(append(dst, system...), row.Bytes(c.EventXML)...)
	}
	s := eventxml.System{
		Channel: row.Bytes(c.Channel), Provider: row.Bytes(c.Provider), ProviderGUID: row.Bytes(c.ProviderGUID), EventSourceName: row.Bytes(c.EventSourceName),
		ActivityID: row.Bytes(c.ActivityID), RelatedActivityID: row.Bytes(c.RelatedActivityID), UserID: row.Bytes(c.UserID), Computer: row.Bytes(c.Computer),
	}
	number := func(col int, has uint32) int64 {
		v, ok := row.Int(col)
		if ok {
			s.Has |= has
		}
		return v
	}
	s.TimeUS, s.TimeSub = number(c.TimeGenerated, event.HasTimeCreated), int32(number(c.TimeSub, 0))
	s.EventID, s.Qualifiers = int32(number(c.EventID, event.HasEventID)), int32(number(c.Qualifiers, event.HasQualifiers))
	s.Version, s.Level = int32(number(c.Version, event.HasVersion)), int32(number(c.Level, event.HasLevel))
	s.Task, s.Opcode = int32(number(c.Task, event.HasTask)), int32(number(c.Opcode, event.HasOpcode))
	s.Keywords, s.EventRecordID = number(c.Keywords, event.HasKeywords), number(c.EventRecordID, event.HasEventRecordID)
	s.ProcessID, s.ThreadID = int32(number(c.ProcessID, event.HasProcessID)), int32(number(c.ThreadID, event.HasThreadID))
	form := number(c.SystemForm, 0)
	return append(eventxml.AppendSystem(dst, &s, int32(form)), row.Bytes(c.EventXML)...)
}
