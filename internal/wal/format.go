package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// The format, docs/formats/wal.md. Numbers are little-endian.
const (
	magic         = "WadiWAL\n"
	formatVersion = 1
	segmentHeader = 48 // bytes
	frameHeader   = 36 // bytes
	suffix        = ".wal"
	tempSuffix    = ".tmp"
	nameDigits    = 20 // a base position, so that names sort as positions do
	// sector is the unit in which a disk writes wholly or not at all.
	sector = 512
	// maxNumber bounds positions and row numbers, so that sums of them don't overflow.
	maxNumber = 1 << 62
)

// castagnoli is CRC32C, for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seedOf begins every frame header's checksum, so that a frame of another log,
// or bytes in a payload that look like one, isn't taken for a frame.
func seedOf(id uuid.UUID) uint32 { return crc32.Checksum(id[:], castagnoli) }

func segmentName(base int64) string { return fmt.Sprintf("%0*d%s", nameDigits, base, suffix) }

// baseOf reads a segment's name.
func baseOf(name string) (base int64, ok bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != nameDigits {
		return 0, false
	}
	base, err := strconv.ParseInt(digits, 10, 64)
	return base, err == nil && base > 0 && base <= maxNumber && digits[0] != '+'
}

func appendSegmentHeader(dst []byte, id uuid.UUID, base, baseSeq int64) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint32(dst, formatVersion)
	dst = append(dst, id[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(base))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(baseSeq))
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// parseSegmentHeader checks a header against what folder and file are called.
// Bytes that are wrong are damage (and said in words); a good header that doesn't
// belong here is an error, which Salvage doesn't skip either: nothing is lost yet.
func parseSegmentHeader(b []byte, id uuid.UUID, base int64) (baseSeq int64, damage string, err error) {
	if len(b) < segmentHeader {
		return 0, "the file is shorter than its header", nil
	}
	b = b[:segmentHeader]
	if string(b[:8]) != magic {
		return 0, "the file doesn't begin as a segment does", nil
	}
	if crc32.Checksum(b[:44], castagnoli) != binary.LittleEndian.Uint32(b[44:]) {
		return 0, "the checksum of the file's header is wrong", nil
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return 0, "", fmt.Errorf("the segment has format %d; this Wadi reads format %d", v, formatVersion)
	}
	if uuid.UUID(b[12:28]) != id {
		return 0, "", fmt.Errorf("the segment belongs to the log %s", uuid.UUID(b[12:28]))
	}
	if got := int64(binary.LittleEndian.Uint64(b[28:])); got != base {
		return 0, "", fmt.Errorf("the segment begins at position %d by its header: it was renamed", got)
	}
	baseSeq = int64(binary.LittleEndian.Uint64(b[36:]))
	if baseSeq <= 0 || baseSeq > maxNumber {
		return 0, "", fmt.Errorf("the segment begins at row %d", baseSeq)
	}
	return baseSeq, "", nil
}

// header is a frame's.
type header struct {
	length     int
	since      uint32 // frames of the same write before this one
	position   int64
	firstSeq   int64
	rows       uint32
	payloadCRC uint32
}

// group is the position of the first frame of the same write: all before it were
// durable when this frame was written.
func (h *header) group() int64 { return h.position - int64(h.since) }

// putHeader writes the header of a frame whose payload is b[frameHeader:].
func putHeader(b []byte, seed uint32, h header) {
	binary.LittleEndian.PutUint32(b, uint32(len(b)-frameHeader))
	binary.LittleEndian.PutUint32(b[4:], h.since)
	binary.LittleEndian.PutUint64(b[8:], uint64(h.position))
	binary.LittleEndian.PutUint64(b[16:], uint64(h.firstSeq))
	binary.LittleEndian.PutUint32(b[24:], h.rows)
	binary.LittleEndian.PutUint32(b[28:], crc32.Checksum(b[frameHeader:], castagnoli))
	binary.LittleEndian.PutUint32(b[32:], crc32.Update(seed, castagnoli, b[:32]))
}

// parseHeader reads a frame's header; false when it isn't one of this log.
func parseHeader(b []byte, seed uint32) (h header, ok bool) {
	length := binary.LittleEndian.Uint32(b)
	if length > MaxPayload { // before the checksum: this also runs at every byte of a damaged stretch
		return h, false
	}
	h = header{
		length:     int(length),
		since:      binary.LittleEndian.Uint32(b[4:]),
		position:   int64(binary.LittleEndian.Uint64(b[8:])),
		firstSeq:   int64(binary.LittleEndian.Uint64(b[16:])),
		rows:       binary.LittleEndian.Uint32(b[24:]),
		payloadCRC: binary.LittleEndian.Uint32(b[28:]),
	}
	if h.position <= 0 || h.position > maxNumber || h.firstSeq <= 0 || h.firstSeq > maxNumber || h.group() <= 0 || h.rows > math.MaxInt32 {
		return h, false
	}
	return h, crc32.Update(seed, castagnoli, b[:32]) == binary.LittleEndian.Uint32(b[32:])
}

// zeroSector tells that b, which lies at off in its file, has no bytes but zero
// in one of its sectors: what a write leaves that the disk never got. An empty b
// has none.
func zeroSector(b []byte, off int64) bool {
	for len(b) > 0 {
		n := min(int(sector-off%sector), len(b))
		if !notZero(b[:n]) {
			return true
		}
		b, off = b[n:], off+int64(n)
	}
	return false
}

func notZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return true
		}
	}
	return false
}
