package wal

import (
	"fmt"
	"hash/crc32"
	"io"
)

// windowBytes is what a scanner reads at once: large against a frame's header,
// small against a segment.
const windowBytes = 1 << 20

// scanner reads the frames of one segment in order and checks each.
type scanner struct {
	r    io.ReaderAt
	size int64 // the segment's bytes that count
	seed uint32

	off           int64 // of the next frame
	position, seq int64 // that it must have
	write         int64 // where the write of the last frame begins

	window   []byte
	windowAt int64
}

// bad is a stretch that isn't the frame expected.
type bad struct {
	off    int64
	end    int64 // where the next frame begins; 0 when unknown
	h      header
	known  bool // h is the header of a frame of this log
	whole  bool // and the frame lies within the file
	torn   bool // it may be what an unfinished write leaves
	reason string
}

func (b *bad) Error() string { return fmt.Sprintf("byte %d: %s", b.off, b.reason) }

// at gives n bytes of the file at off, which lie within size; valid until the
// next call.
func (s *scanner) at(off int64, n int) ([]byte, error) {
	if off >= s.windowAt && off+int64(n) <= s.windowAt+int64(len(s.window)) {
		return s.window[off-s.windowAt:][:n], nil
	}
	want := int(min(int64(max(n, windowBytes)), s.size-off))
	if cap(s.window) < want {
		s.window = make([]byte, want)
	}
	s.window, s.windowAt = s.window[:want], off
	got, err := s.r.ReadAt(s.window, off)
	if got < want {
		s.window = s.window[:0]
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return s.window[:n], nil
}

// next gives the next frame; io.EOF at the end, *bad for what isn't one. The
// payload is valid until the next call. After a *bad the scanner stays where it is.
func (s *scanner) next() (Frame, error) {
	left := s.size - s.off
	if left <= 0 {
		return Frame{}, io.EOF
	}
	if left < frameHeader {
		return Frame{}, &bad{off: s.off, torn: true, reason: "the frame's header is cut off"}
	}
	b, err := s.at(s.off, frameHeader)
	if err != nil {
		return Frame{}, err
	}
	h, ok := parseHeader(b, s.seed)
	if !ok {
		return Frame{}, &bad{off: s.off, torn: zeroSector(b, s.off), reason: "the checksum of the frame's header is wrong"}
	}
	end := s.off + frameHeader + int64(h.length)
	if h.position != s.position || h.firstSeq != s.seq {
		return Frame{}, &bad{off: s.off, end: end, h: h, known: true, whole: end <= s.size, reason: fmt.Sprintf(
			"the frame is number %d with row %d where %d with row %d must be", h.position, h.firstSeq, s.position, s.seq)}
	}
	if end > s.size {
		return Frame{}, &bad{off: s.off, end: s.size, h: h, known: true, torn: true, reason: "the frame is cut off"}
	}
	b, err = s.at(s.off, frameHeader+h.length)
	if err != nil {
		return Frame{}, err
	}
	payload := b[frameHeader:]
	if crc32.Checksum(payload, castagnoli) != h.payloadCRC {
		return Frame{}, &bad{off: s.off, end: end, h: h, known: true, whole: true, torn: zeroSector(payload, s.off+frameHeader), reason: "the frame's checksum is wrong"}
	}
	if h.since == 0 {
		s.write = s.off
	}
	s.off, s.position, s.seq = end, h.position+1, h.firstSeq+int64(h.rows)
	return Frame{Position: h.position, FirstSeq: h.firstSeq, Rows: int(h.rows), Payload: payload}, nil
}

// find looks for the next frame header at or behind from. It must be of a frame
// that isn't before the expected one, nor behind more than fits in between.
func (s *scanner) find(from int64) (h header, off int64, ok bool, err error) {
	for off = from; off+frameHeader <= s.size; {
		n := int(min(windowBytes, s.size-off))
		b, err := s.at(off, n)
		if err != nil {
			return header{}, 0, false, err
		}
		for i := 0; i+frameHeader <= n; i++ {
			h, ok := parseHeader(b[i:], s.seed)
			if ok && h.position >= s.position && h.firstSeq >= s.seq && h.position-s.position <= (off+int64(i)-s.off)/frameHeader {
				return h, off + int64(i), true, nil
			}
		}
		off += int64(n - frameHeader + 1)
	}
	return header{}, 0, false, nil
}

// wasDurable tells whether the frame expected at b, which isn't there, must have
// been durable: when a frame behind it is of a later write.
func (s *scanner) wasDurable(b *bad) (bool, error) {
	from := b.off + 1
	if b.known {
		from = b.end
	}
	for {
		h, off, ok, err := s.find(from)
		if !ok || err != nil {
			return false, err
		}
		if h.group() > s.position {
			return true, nil
		}
		from = off + frameHeader + int64(h.length)
	}
}

// skip goes on behind b and says what is left out. open means that nothing in
// this segment follows.
func (s *scanner) skip(b *bad) (gone Skip, open bool, err error) {
	gone = Skip{Offset: b.off, Reason: b.reason, FromPosition: s.position, FromSeq: s.seq}
	expected := b.known && b.h.position == s.position && b.h.firstSeq == s.seq
	switch {
	case expected && b.whole:
		s.off, s.position, s.seq = b.end, s.position+1, s.seq+int64(b.h.rows)
	case b.whole && !expected && b.h.position >= s.position && b.h.firstSeq >= s.seq:
		// Frames are missing, with no trace of them.
		s.position, s.seq = b.h.position, b.h.firstSeq
	default:
		from := b.off + 1
		if b.whole {
			from = b.end // a frame that was there already
		}
		h, off, ok, err := s.find(from)
		if err != nil {
			return gone, false, err
		}
		if !ok {
			gone.Bytes = s.size - b.off
			s.off = s.size
			return gone, true, nil
		}
		s.off, s.position, s.seq = off, h.position, h.firstSeq
	}
	gone.Bytes = s.off - b.off
	gone.ToPosition, gone.ToSeq = s.position-1, s.seq-1
	return gone, false, nil
}
