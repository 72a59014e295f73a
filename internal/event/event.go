package event

// MaxBatchBytes bounds the text arena of a batch. A chunk of an EVTX file is
// 64 KiB and renders to some hundred KiB of XML; 64 MiB leaves room for hostile
// expansion while a queue of batches still fits into memory.
const MaxBatchBytes = 64 << 20

// Span is a piece of a batch's text: [Off, Off+Len). The zero Span is "absent";
// a present, empty string has Off > 0 and Len == 0, because offset 0 of every
// arena is reserved.
type Span struct{ Off, Len uint32 }

// Present tells whether the event had the value at all.
func (s Span) Present() bool { return s.Off != 0 }

// Pair is one Data element of EventData: the Name attribute (absent for an
// unnamed Data) and the text, unescaped.
type Pair struct{ Name, Value Span }

// Presence bits of System's optional numbers: a number whose bit is not set
// was absent in the event, whatever its value field says.
const (
	HasEventID = 1 << iota
	HasQualifiers
	HasVersion
	HasLevel
	HasTask
	HasOpcode
	HasKeywords
	HasTimeCreated
	HasEventRecordID
	HasProcessID
	HasThreadID
)

// System is the typed form of an event's System element. Texts are spans into
// the batch's arena, unescaped; GUIDs and SIDs keep the letter case and braces
// of the text.
type System struct {
	TimeCreated       Ticks
	EventRecordID     uint64
	Keywords          uint64
	EventID           uint32
	Qualifiers        uint32
	ProcessID         uint32
	ThreadID          uint32
	Task              uint32
	Version           uint32
	Opcode            uint32
	Level             uint32
	Has               uint32 // presence bits, Has…
	Provider          Span
	ProviderGUID      Span
	EventSourceName   Span
	ActivityID        Span
	RelatedActivityID Span
	Channel           Span
	Computer          Span
	UserID            Span // Security/@UserID
}

// Event is one Windows event. XML is its exact text; every other field is
// derived from it, but RecordTime and Damage, which the container knows.
type Event struct {
	System

	// XML is the whole <Event>…</Event> text in EvtRender's form.
	XML Span
	// SystemEnd is the length of XML up to and with </System>; 0 when the text
	// has no System element.
	SystemEnd uint32
	// Form says which variants of EvtRender's form System used, so that it can
	// be rebuilt from the typed fields. Package eventxml defines the bits. When
	// Rebuilds is false the typed fields do not give System's text back and
	// XML[:SystemEnd] has to be kept.
	Form     uint32
	Rebuilds bool

	// Data are EventData's pairs in their order: batch.Pairs[DataLo:DataHi].
	DataLo, DataHi uint32
	// UserData is the inner text of UserData, as written.
	UserData Span
	// Message and Culture come from RenderingInfo.
	Message, Culture Span

	// RecordTime is the record's own time in its container (EVTX: the record
	// header's FILETIME); 0 when the container has none.
	RecordTime Ticks
	// RecordNumber is the record's identifier in its container.
	RecordNumber uint64
	// Damage says why the record is incomplete, in one line; absent when it is
	// whole.
	Damage Span
}

// Batch is a run of events of one source, in the source's order, and the memory
// behind them. The zero Batch is empty and ready. It grows by appending to Text
// (through its methods) and is read-only once handed on.
type Batch struct {
	Text   []byte
	Events []Event
	Pairs  []Pair
}

// Reset empties the batch and keeps its memory for the next use.
func (b *Batch) Reset() {
	b.Text = append(b.Text[:0], 0)
	b.Events = b.Events[:0]
	b.Pairs = b.Pairs[:0]
}

// Append copies s into the arena and returns its span.
func (b *Batch) Append(s []byte) Span {
	off := b.Begin()
	b.Text = append(b.Text, s...)
	return b.End(off)
}

// Begin returns the offset at which the next text starts, reserving offset 0.
// Callers append to Text and close the text with [Batch.End].
func (b *Batch) Begin() uint32 {
	if len(b.Text) == 0 {
		b.Text = append(b.Text, 0)
	}
	return uint32(len(b.Text))
}

// End gives the span of what was appended to Text since off.
func (b *Batch) End(off uint32) Span {
	return Span{Off: off, Len: uint32(len(b.Text)) - off}
}

// Bytes gives the text of s, nil when absent. The slice aliases the arena.
func (b *Batch) Bytes(s Span) []byte {
	if s.Off == 0 {
		return nil
	}
	return b.Text[s.Off : s.Off+s.Len : s.Off+s.Len]
}

// String gives the text of s as a copy, "" when absent.
func (b *Batch) String(s Span) string { return string(b.Bytes(s)) }

// Data gives e's EventData pairs.
func (b *Batch) Data(e *Event) []Pair { return b.Pairs[e.DataLo:e.DataHi] }
