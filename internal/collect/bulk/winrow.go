package bulk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// eventColumns are the indexes of windows_events' columns.
type eventColumns struct {
	TimeGenerated, TimeSub, IngestedAt, Source, Seq, Table, RecordTime, SystemForm, SystemXML, EventXML, RenderedMessage, Culture,
	Channel, Provider, ProviderGUID, EventSourceName, EventID, Qualifiers, Version, Level, Task, Opcode, Keywords, EventRecordID,
	ActivityID, RelatedActivityID, ProcessID, ThreadID, UserID, Computer, Damage int
}

// column gives the index of a column that must be there.
func column(t *schema.Table, name string) int {
	i := t.Index(name)
	if i < 0 {
		panic("BUG: table " + t.Name + " has no column " + name)
	}
	return i
}

func findEventColumns() eventColumns {
	at := func(name string) int { return column(schema.WindowsEvents, name) }
	return eventColumns{
		TimeGenerated: at("TimeGenerated"), TimeSub: at("_TimeSub"), IngestedAt: at("_IngestedAt"), Source: at("_Source"), Seq: at("_Seq"), Table: at("_Table"),
		RecordTime: at("_RecordTime"), SystemForm: at("_SystemForm"), SystemXML: at("_SystemXml"), EventXML: at("EventXml"), RenderedMessage: at("RenderedMessage"),
		Culture: at("_Culture"), Channel: at("Channel"), Provider: at("Provider"), ProviderGUID: at("ProviderGuid"), EventSourceName: at("EventSourceName"),
		EventID: at("EventID"), Qualifiers: at("Qualifiers"), Version: at("Version"), Level: at("Level"), Task: at("Task"), Opcode: at("Opcode"),
		Keywords: at("Keywords"), EventRecordID: at("EventRecordId"), ActivityID: at("ActivityId"), RelatedActivityID: at("RelatedActivityId"),
		ProcessID: at("SystemProcessId"), ThreadID: at("SystemThreadId"), UserID: at("SystemUserId"), Computer: at("Computer"), Damage: at("_Damage"),
	}
}

// errLongSystem refuses an event whose System alone would make a huge row.
var errLongSystem = errors.New("the element System is longer than 1 MiB")

// rowID is what names a row and when it was stored.
type rowID struct {
	source     int64
	seq        int64
	ingestedUS int64
}

// eventRow writes events as rows of windows_events.
type eventRow struct {
	col    eventColumns
	parser eventxml.Parser
}

// add parses the event whose text is e.XML and adds its row; the other fields of
// e that are not derived from the text are kept. It gives the event as parsed;
// an error means that it has no System and no row was added. Damage is why the
// row is incomplete.
func (w *eventRow) add(rows *datafile.Rows, id rowID, b *event.Batch, e *event.Event) (parsed event.Event, damage string, err error) {
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
	rows.Begin()
	if sys.Has&event.HasTimeCreated != 0 {
		rows.Int(c.TimeGenerated, sys.TimeUS)
		rows.Int(c.TimeSub, int64(sys.TimeSub))
	}
	rows.Int(c.IngestedAt, id.ingestedUS)
	rows.Int(c.Source, id.source)
	rows.Int(c.Seq, id.seq)
	rows.String(c.Table, tableOf(sys.Channel))
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
	if len(xml) <= maxValues {
		text(rows, c.RenderedMessage, b.Bytes(ev.Message))
		text(rows, c.Culture, b.Bytes(ev.Culture))
		w.data(rows, b, &ev, sys.Provider)
		userData(rows, sys.Provider, b.Bytes(ev.UserData))
	}
	if damage != "" {
		rows.String(c.Damage, damage)
	}
	rows.End()
	return ev, damage, nil
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
func (w *eventRow) system(rows *datafile.Rows, s *eventxml.System) {
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
func (w *eventRow) data(rows *datafile.Rows, b *event.Batch, e *event.Event, provider []byte) {
	for _, p := range b.Data(e) {
		if p.Name.Len == 0 {
			continue
		}
		if col := schema.EventDataColumn(provider, b.Bytes(p.Name)); col >= 0 {
			rows.Bytes(col, b.Bytes(p.Value))
		}
	}
}

// rowReader compares records with rows of windows_events that are committed.
type rowReader struct {
	writer *lake.Writer
	col    eventColumns
	seed   maphash.Seed
	batch  event.Batch
	parser eventxml.Parser
	text   []byte
}

func newRowReader(w *lake.Writer) *rowReader {
	return &rowReader{writer: w, col: findEventColumns(), seed: maphash.MakeSeed()}
}

// hashes gives the hashes of n rows of a source from firstSeq on, by their place
// behind it.
func (r *rowReader) hashes(ctx context.Context, source int32, firstSeq, n int64) (map[int64]uint64, error) {
	c := &r.col
	cols := []int{
		c.TimeGenerated, c.TimeSub, c.Seq, c.RecordTime, c.SystemForm, c.SystemXML, c.EventXML, c.Channel, c.Provider, c.ProviderGUID, c.EventSourceName,
		c.EventID, c.Qualifiers, c.Version, c.Level, c.Task, c.Opcode, c.Keywords, c.EventRecordID, c.ActivityID, c.RelatedActivityID, c.ProcessID,
		c.ThreadID, c.UserID, c.Computer,
	}
	out := make(map[int64]uint64, n)
	err := r.writer.ReadRows(ctx, schema.WindowsEvents, source, firstSeq, firstSeq+n-1, cols, func(row datafile.Row) error {
		seq, _ := row.Int(c.Seq)
		recordTime, _ := row.Int(c.RecordTime)
		r.text = r.appendXML(r.text[:0], row)
		out[seq-firstSeq] = r.hash(r.text, recordTime)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot compare with the rows in the lake: %w", err)
	}
	return out, nil
}

// hash is of what makes a record: its text and its own time.
func (r *rowReader) hash(xml []byte, recordTime int64) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(recordTime)))
	h.Write(xml)
	return h.Sum64()
}

// hashRecord gives the hash of the row that a record would be, false when it is
// damaged.
func (r *rowReader) hashRecord(d *evtx.Decoder, rec *evtx.Record) (uint64, bool) {
	r.batch.Reset()
	lo := r.batch.Begin()
	var err error
	if r.batch.Text, err = d.AppendXML(r.batch.Text, rec); err != nil {
		return 0, false
	}
	e, err := r.parser.Parse(&r.batch, r.batch.End(lo))
	if err != nil && e.SystemEnd == 0 {
		return 0, false
	}
	recordTime := event.FromFiletime(rec.Filetime)
	if e.Has&event.HasTimeCreated != 0 && recordTime == e.TimeCreated {
		recordTime = 0
	}
	return r.hash(r.batch.Bytes(e.XML), int64(recordTime)), true
}

// appendXML appends the whole text of a row.
func (r *rowReader) appendXML(dst []byte, row datafile.Row) []byte {
	c := &r.col
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
