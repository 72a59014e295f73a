package windowsrow

const (
	// maxSystem bounds the text of an event's System: real ones have less than 2 KB.
	maxSystem = 1 << 20
	// maxValues is the length of an event from which on EventData and the message
	// are left to the text. A row is bounded at 32 MB.
	maxValues = 4 << 20
)
