package catalog

import "github.com/wadi-project/wadi/internal/event"

// KeyKind names a protocol of de-duplication. The values lie in state.db.
type KeyKind uint8

// The kinds of keys (docs/formats/state.md).
const (
	// KeyEVTX: SHA-256 of an EVTX chunk's first record; Count records.
	KeyEVTX KeyKind = 1
	// KeyText: SHA-256 of a text log through its first data line; Count bytes.
	KeyText KeyKind = 2
	// KeyFeed: the key that a feed gives its batch; Count records.
	KeyFeed KeyKind = 3
	// KeyRequest: what names a request that a client may repeat; forgotten by
	// age (DropRequests).
	KeyRequest KeyKind = 4
	// KeyBatch: the log of a client's own; Count is the number of its last batch.
	KeyBatch KeyKind = 5
	// KeySource: SHA-256 of what identifies a source of a stream; Source is its id.
	KeySource KeyKind = 6
)

// KeyValue is what is known under a de-duplication key.
type KeyValue struct {
	// Count is how many records or bytes were taken.
	Count int64
	// Prefix is the SHA-256 of what was taken.
	Prefix [32]byte
	// Source and FirstSeq say where the rows of the first of them lie.
	Source   int32
	FirstSeq int64
}

// KeyEntry is a key to be kept when its part is committed. It replaces an older
// entry of the same case, kind and key; of two in one part the later one stays.
type KeyEntry struct {
	Kind KeyKind
	Key  [32]byte
	KeyValue
	// US is when it was seen, µs since 1970; 0 is _IngestedAt of its part.
	US int64
}

// SourceInfo says where rows come from: one row of the table sources.
type SourceInfo struct {
	// Kind is evtx, w3c, httperr, demo …
	Kind string
	// Host is the computer that wrote the log, as far as it is known.
	Host string
	// File is the file's name as the user gave it, with the member's name for
	// archives; Subscription is that of a forwarded event. One of them is set.
	File, Subscription string
}

// LogInfo describes a log: one import, later one stream.
type LogInfo struct {
	// Door is bulk or stream.
	Door string
	// Case is the label of the case the log belongs to, empty for none.
	Case string
}

// SourceTally is what one part did with one source, by channel where the source
// has channels: one row of the table ledger.
// Received = Stored + Duplicate + Filtered + Damaged.
type SourceTally struct {
	Source int32
	// Channel is the channel counted, empty for none.
	Channel string
	// Stored rows are in the lake; Partial of them carry _Damage. Duplicate,
	// Filtered and Damaged records were received and not stored. Lost counts what
	// the source itself reports as missing; it is not part of Received.
	Received, Stored, Duplicate, Filtered, Damaged, Partial, Lost int64
	// FirstTime and LastTime bound TimeGenerated of the stored rows, SkewMin and
	// SkewMax are _IngestedAt − TimeGenerated in ticks of 100 ns. All four are
	// meaningless when Stored is 0.
	FirstTime, LastTime event.Ticks
	SkewMin, SkewMax    int64
	// Late counts the stored rows that arrived late, where rows arrive as they are
	// made: see LateAfter. It is part of Stored.
	Late int64
	// Target names what took Delivered records of the source, in tallies of a
	// delivery; the other counts are 0 then.
	Target    string
	Delivered int64
	// Losses are the first losses, one line each; never text of an event.
	Losses []string
}

// Add adds the counts of another tally of the same source and channel.
func (t *SourceTally) Add(o *SourceTally) {
	if o.Stored > 0 && o.FirstTime != 0 {
		if t.FirstTime == 0 {
			t.FirstTime, t.LastTime, t.SkewMin, t.SkewMax = o.FirstTime, o.LastTime, o.SkewMin, o.SkewMax
		}
		t.FirstTime, t.LastTime = min(t.FirstTime, o.FirstTime), max(t.LastTime, o.LastTime)
		t.SkewMin, t.SkewMax = min(t.SkewMin, o.SkewMin), max(t.SkewMax, o.SkewMax)
	}
	t.Received, t.Stored, t.Duplicate, t.Filtered = t.Received+o.Received, t.Stored+o.Stored, t.Duplicate+o.Duplicate, t.Filtered+o.Filtered
	t.Damaged, t.Partial, t.Lost, t.Late = t.Damaged+o.Damaged, t.Partial+o.Partial, t.Lost+o.Lost, t.Late+o.Late
	t.Delivered += o.Delivered
	if room := maxLosses - len(t.Losses); room > 0 {
		t.Losses = append(t.Losses, o.Losses[:min(room, len(o.Losses))]...)
	}
}

// maxLosses bounds the losses that sums name.
const maxLosses = 20

// LateAfter is how old a record may be when it arrives at the stream door, without
// being late, in ticks: above the pauses in which sources send, below what an
// analyst who looks at the last minutes would miss.
const LateAfter = 5 * 60 * int64(event.TicksPerSecond)
