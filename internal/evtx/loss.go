package evtx

import "fmt"

// Loss is one thing that was wrong with a file: what, where, and how many records
// it cost. It implements error.
type Loss struct {
	// Chunk is the chunk's number in the file ([ChunkInfo.Number]), -1 for the file
	// header.
	Chunk int
	// Offset is the file offset in bytes where it was found.
	Offset int64
	// RecordID is the identifier of the lost record, 0 when unknown.
	RecordID uint64
	// Records is the number of records lost. 0 means that nothing is known to be
	// lost and the finding is a remark (a wrong checksum, a stale header).
	Records int
	// Reason says what was wrong, in one line of simple English.
	Reason string
}

// Error gives the loss as one line, without the file's name.
func (l *Loss) Error() string {
	switch {
	case l.Chunk < 0:
		return l.Reason
	case l.RecordID != 0:
		return fmt.Sprintf("chunk %d, offset %d, record %d: %s", l.Chunk, l.Offset, l.RecordID, l.Reason)
	}
	return fmt.Sprintf("chunk %d, offset %d: %s", l.Chunk, l.Offset, l.Reason)
}
