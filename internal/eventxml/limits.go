package eventxml

// Limits against crafted text.
const (
	// maxText bounds one event's text; readers of logs stop at 16 MiB.
	maxText = 32 << 20
	// maxDepth bounds open elements; Windows writes fewer than 20, and the reader
	// of EVTX stops at the same depth.
	maxDepth = 256
	// maxAttrs bounds the attributes of one element; System's have at most six.
	maxAttrs = 64
)
