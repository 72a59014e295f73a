package windowsrow

const (
	// maxSystem bounds the text of an event's System: real ones have less than 2 KB.
	maxSystem = 1 << 20
)
