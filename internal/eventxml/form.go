package eventxml

import (
	"math"
	"strconv"

	"github.com/wadi-project/wadi/internal/event"
)

// The form of a System element: a code of the variants in which its text differs
// from EvtRender's usual one, which is 0. The code is stored in the lake
// (_SystemForm), so bits are only ever added; docs/formats/eventxml.md describes
// them.
const (
	// FormDigits are the four lowest bits: the digits of the fraction of
	// SystemTime, XOR 7, so that the usual seven digits are 0.
	FormDigits = 0xf
	// FormDoubleQuotes: attributes stand in double quotes.
	FormDoubleQuotes = 1 << 4
	// FormSpacedEnd: empty elements end with " />".
	FormSpacedEnd = 1 << 5
	// FormCorrelation: the element Correlation, which has no attribute, is there
	// although Execution is not, or is missing although Execution is there.
	FormCorrelation = 1 << 6
	// FormNoSecurity: there is no element Security.
	FormNoSecurity = 1 << 7
	// FormBareExecution: the element Execution is there without attributes.
	FormBareExecution = 1 << 8
	// FormDecimalKeywords: Keywords is a decimal number.
	FormDecimalKeywords = 1 << 9
	// FormUpperKeywords: the hexadecimal digits of Keywords are A to F.
	FormUpperKeywords = 1 << 10
	// FormPaddedKeywords: Keywords has 16 hexadecimal digits.
	FormPaddedKeywords = 1 << 11
	// FormShortEmpty: an empty Channel or Computer is written as an empty element
	// tag.
	FormShortEmpty = 1 << 12
	// FormNoProvider: there is no element Provider.
	FormNoProvider = 1 << 13
	// FormNoNamespace: the element Event has no attribute.
	FormNoNamespace = 1 << 14
	// FormComposed: the event came as values, and its text, System and the rest,
	// was composed of them.
	FormComposed = 1 << 15
)

// namespace is the namespace of events.
const namespace = "http://schemas.microsoft.com/win/2004/08/events/event"

// System is the System element as the lake stores it: the values of the columns,
// with the same ranges. A text that is nil and a number whose bit is not set in
// Has (event.HasEventID …) are absent; a time is absent without
// event.HasTimeCreated. Texts alias whatever they were set from.
type System struct {
	// TimeUS is SystemTime in µs since 1970, floored, TimeSub the 100 ns digit
	// below it.
	TimeUS  int64
	TimeSub int32
	// Keywords and EventRecordID hold the 64 bits of the unsigned numbers;
	// record identifiers above 2^63-1 are absent.
	Keywords, EventRecordID                           int64
	EventID, Qualifiers, Version, Level, Task, Opcode int32
	// ProcessID and ThreadID hold the 32 bits of the unsigned numbers.
	ProcessID, ThreadID int32
	Has                 uint32

	Provider, ProviderGUID, EventSourceName []byte
	ActivityID, RelatedActivityID           []byte
	Channel, Computer, UserID               []byte
}

// Set takes the values of e, whose texts lie in b. Numbers that do not fit their
// column are absent.
func (s *System) Set(b *event.Batch, e *event.Event) {
	*s = System{
		Has: e.Has, Keywords: int64(e.Keywords), EventRecordID: int64(e.EventRecordID),
		ProcessID: int32(e.ProcessID), ThreadID: int32(e.ThreadID),
		Provider: b.Bytes(e.Provider), ProviderGUID: b.Bytes(e.ProviderGUID), EventSourceName: b.Bytes(e.EventSourceName),
		ActivityID: b.Bytes(e.ActivityID), RelatedActivityID: b.Bytes(e.RelatedActivityID),
		Channel: b.Bytes(e.Channel), Computer: b.Bytes(e.Computer), UserID: b.Bytes(e.UserID),
	}
	s.TimeUS, s.TimeSub = e.TimeCreated.UnixMicros()
	if e.EventRecordID > math.MaxInt64 {
		s.Has &^= event.HasEventRecordID
	}
	s.number(&s.EventID, e.EventID, event.HasEventID)
	s.number(&s.Qualifiers, e.Qualifiers, event.HasQualifiers)
	s.number(&s.Version, e.Version, event.HasVersion)
	s.number(&s.Level, e.Level, event.HasLevel)
	s.number(&s.Task, e.Task, event.HasTask)
	s.number(&s.Opcode, e.Opcode, event.HasOpcode)
}

func (s *System) number(to *int32, v, has uint32) {
	if v > math.MaxInt32 {
		s.Has &^= has
		return
	}
	*to = int32(v)
}

// AppendSystem appends the event's text from "<Event" up to and with "</System>",
// built from its values and its form. Bits of the form that are not known are
// ignored.
func AppendSystem(dst []byte, s *System, form int32) []byte {
	w := writer{dst: dst, quote: '\'', end: "/>"}
	if form&FormDoubleQuotes != 0 {
		w.quote = '"'
	}
	if form&FormSpacedEnd != 0 {
		w.end = " />"
	}
	if form&FormNoNamespace != 0 {
		w.lit("<Event><System>")
	} else {
		w.lit("<Event xmlns=")
		w.dst = append(append(append(w.dst, w.quote), namespace...), w.quote)
		w.lit("><System>")
	}
	w.identity(s, form)
	w.number("<Level>", s.Level, s.Has&event.HasLevel != 0, "</Level>")
	w.number("<Task>", s.Task, s.Has&event.HasTask != 0, "</Task>")
	w.number("<Opcode>", s.Opcode, s.Has&event.HasOpcode != 0, "</Opcode>")
	if s.Has&event.HasKeywords != 0 {
		w.lit("<Keywords>")
		w.dst = AppendKeywords(w.dst, uint64(s.Keywords), form)
		w.lit("</Keywords>")
	}
	if s.Has&event.HasTimeCreated != 0 {
		w.lit("<TimeCreated SystemTime=")
		w.dst = append(w.dst, w.quote)
		w.dst = (event.FromUnixMicros(s.TimeUS) + event.Ticks(s.TimeSub)).AppendISO(w.dst, int(form&FormDigits^7))
		w.dst = append(w.dst, w.quote)
		w.lit(w.end)
	}
	if s.Has&event.HasEventRecordID != 0 {
		w.lit("<EventRecordID>")
		w.dst = strconv.AppendInt(w.dst, s.EventRecordID, 10)
		w.lit("</EventRecordID>")
	}
	w.origin(s, form)
	if s.UserID != nil || form&FormNoSecurity == 0 {
		w.lit("<Security")
		w.attr(" UserID=", s.UserID)
		w.lit(w.end)
	}
	w.lit("</System>")
	return w.dst
}

// writer appends the parts of System.
type writer struct {
	dst   []byte
	quote byte
	end   string // of an empty element
}

func (w *writer) lit(s string) { w.dst = append(w.dst, s...) }

// identity writes what names the event: Provider, EventID, Version.
func (w *writer) identity(s *System, form int32) {
	if s.Provider != nil || s.ProviderGUID != nil || s.EventSourceName != nil || form&FormNoProvider == 0 {
		w.lit("<Provider")
		w.attr(" Name=", s.Provider)
		w.attr(" Guid=", s.ProviderGUID)
		w.attr(" EventSourceName=", s.EventSourceName)
		w.lit(w.end)
	}
	if s.Has&event.HasEventID != 0 {
		w.lit("<EventID")
		w.numberAttr(" Qualifiers=", int64(s.Qualifiers), s.Has&event.HasQualifiers != 0)
		w.number(">", s.EventID, true, "</EventID>")
	}
	w.number("<Version>", s.Version, s.Has&event.HasVersion != 0, "</Version>")
}

// origin writes where the event comes from: Correlation, Execution, Channel,
// Computer.
func (w *writer) origin(s *System, form int32) {
	execution := s.Has&(event.HasProcessID|event.HasThreadID) != 0 || form&FormBareExecution != 0
	if s.ActivityID != nil || s.RelatedActivityID != nil || execution != (form&FormCorrelation != 0) {
		w.lit("<Correlation")
		w.attr(" ActivityID=", s.ActivityID)
		w.attr(" RelatedActivityID=", s.RelatedActivityID)
		w.lit(w.end)
	}
	if execution {
		w.lit("<Execution")
		w.numberAttr(" ProcessID=", int64(uint32(s.ProcessID)), s.Has&event.HasProcessID != 0)
		w.numberAttr(" ThreadID=", int64(uint32(s.ThreadID)), s.Has&event.HasThreadID != 0)
		w.lit(w.end)
	}
	w.text("<Channel", s.Channel, "</Channel>", form)
	w.text("<Computer", s.Computer, "</Computer>", form)
}

func (w *writer) number(open string, v int32, has bool, end string) {
	if has {
		w.lit(open)
		w.dst = strconv.AppendInt(w.dst, int64(v), 10)
		w.lit(end)
	}
}

func (w *writer) numberAttr(head string, v int64, has bool) {
	if has {
		w.lit(head)
		w.dst = append(w.dst, w.quote)
		w.dst = strconv.AppendInt(w.dst, v, 10)
		w.dst = append(w.dst, w.quote)
	}
}

func (w *writer) attr(head string, v []byte) {
	if v != nil {
		w.lit(head)
		w.dst = append(w.dst, w.quote)
		w.dst = AppendEscaped(w.dst, v, w.quote)
		w.dst = append(w.dst, w.quote)
	}
}

func (w *writer) text(open string, v []byte, end string, form int32) {
	switch {
	case v == nil:
	case len(v) == 0 && form&FormShortEmpty != 0:
		w.lit(open)
		w.lit(w.end)
	default:
		w.lit(open)
		w.dst = append(w.dst, '>')
		w.dst = AppendEscaped(w.dst, v, 0)
		w.lit(end)
	}
}

// AppendKeywords appends the bit mask as the form says.
func AppendKeywords(dst []byte, v uint64, form int32) []byte {
	if form&FormDecimalKeywords != 0 {
		return strconv.AppendUint(dst, v, 10)
	}
	digits := "0123456789abcdef"
	if form&FormUpperKeywords != 0 {
		digits = "0123456789ABCDEF"
	}
	dst = append(dst, '0', 'x')
	started := form&FormPaddedKeywords != 0
	for shift := 60; shift >= 0; shift -= 4 {
		d := v >> shift & 0xf
		if started = started || d != 0 || shift == 0; started {
			dst = append(dst, digits[d])
		}
	}
	return dst
}

// escapes has what EvtRender writes for the characters it escapes: all five in
// attributes, but for the quotes in text.
var escapes = [64]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '\'': "&apos;", '"': "&quot;"}

// AppendEscaped appends v as EvtRender escapes it: in text (quote 0) or in an
// attribute with that quote. Inside double quotes an apostrophe stays.
func AppendEscaped(dst, v []byte, quote byte) []byte {
	from := 0
	for i, c := range v {
		if c >= 64 || escapes[c] == "" || c == '"' && quote == 0 || c == '\'' && quote != '\'' {
			continue
		}
		dst = append(append(dst, v[from:i]...), escapes[c]...)
		from = i + 1
	}
	return append(dst, v[from:]...)
}
