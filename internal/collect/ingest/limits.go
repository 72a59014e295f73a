package ingest

// Limits of one request, in one place.
const (
	// MaxBody is the largest body in bytes, after decompression. Azure's clients
	// cut their requests at 1 MB; Wadi's own sender stays below this too.
	MaxBody = 16 << 20
	// MaxRows is how many rows a request may have: one frame of the log, and one
	// answer, stay small.
	MaxRows = 100_000
	// MaxText is the longest text of one value in bytes, of an event's _Xml too.
	MaxText = 4 << 20
	// MaxDepth is how deep objects and arrays of a dynamic value may nest: as deep
	// as KQL's functions read.
	MaxDepth = 256
	// MaxEncoded bounds the rows made of a body in bytes: a composed event holds its
	// values twice, and escapes grow.
	MaxEncoded = 64 << 20
	// keptBody and keptRows are the sizes of a body and of its rows up to which their
	// memory is kept for the next: typical requests have 1 MB.
	keptBody = 4 << 20
	keptRows = 8 << 20
)
