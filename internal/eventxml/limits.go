package eventxml

// Limits against crafted text.
const (
	// maxText bounds one event's text; readers of logs stop at 16 MiB.
	maxText = 32 << 20
	// MaxValues bounds, in bytes, the text behind System whose values are kept apart:
	// of a longer one an import fills no columns of EventData, and [DataReader] reads
	// nothing. Both say the same of every event, so a question may ask either.
	MaxValues = 4 << 20
	// maxDepth bounds open elements; Windows writes fewer than 20, and the reader
	// of EVTX stops at the same depth.
	maxDepth = 256
	// maxAttrs bounds the attributes of one element; System's have at most six.
	maxAttrs = 64
)
