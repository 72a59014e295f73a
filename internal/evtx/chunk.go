package evtx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const (
	recordMagic      = 0x00002a2a
	recordHeaderSize = 24
	// minRecordSize is a header, the smallest binary XML (end of fragment) and the
	// closing size.
	minRecordSize = recordHeaderSize + 1 + 4
)

var recordMagicBytes = []byte{0x2a, 0x2a, 0, 0}

// Record is one event record. Raw aliases the chunk's buffer and is valid until
// the Decoder opens another chunk.
type Record struct {
	// ID is the record's identifier (EventRecordID), unique in its log.
	ID uint64
	// Filetime is when the record was written, in 100 ns since 1601, UTC.
	Filetime uint64
	// Offset is the record's offset in the file in bytes.
	Offset int64
	// Raw is the whole record from its signature to its closing size, for hashing.
	Raw []byte
	// Damage says why the record is incomplete, in one line: System is whole, but
	// not all of the rest could be read. Rendering the record sets it.
	Damage string

	start int // of Raw in the chunk
}

// Decoder walks the records of one chunk after the other and renders them. It
// keeps compiled templates and buffers from chunk to chunk. Not safe for
// concurrent use.
//
//	for _, c := range f.Chunks() {
//		data, err := f.ReadChunk(c, buf)
//		…
//		d.Open(c, data)
//		for d.Next(&r) {
//			if out, err = d.AppendXML(out, &r); err != nil { … } // out is unchanged; d.Losses has it
//		}
//		use(d.Losses())
//	}
type Decoder struct {
	info     ChunkInfo
	buf      []byte
	pos      int // of the next record
	end      int // where records cannot go beyond
	free     int // the header's free-space offset, 0 when unusable
	firstID  uint64
	lastID   uint64 // identifiers that the header promises, 0,0 when unusable
	losses   []Loss
	prevID   uint64
	prevTime uint64
	read     int
	stale    bool
	done     bool

	// The open chunk's names and template definitions, and one record's tree.
	names     [][]byte
	nameText  []byte
	nameIndex [ChunkSize]uint16 // index+1 in names by offset in the chunk
	usedNames []uint32
	defs      []node
	templates map[uint32]int32 // root in defs by offset in the chunk
	nodes     []node
	slots     []slot
	scratch   []byte

	// Compiled templates: of the open chunk by their definition's offset, and of
	// all chunks so far.
	byDef      [ChunkSize]uint16 // index+1 in active
	usedDefs   []uint32
	active     []*compiled
	cache      map[templateKey][]*compiled
	cacheBytes int
	refs       []nameRef
	flatUsed   []*flatProgram // of the record in work
	entries    []flatEntry    // likewise
	spent      int            // text and trees of the open chunk so far, against maxChunkText
	lenient    bool           // keep what can be read of a damaged record
	slow       bool           // render by the tree only, for tests
}

// NewDecoder gives a Decoder without a chunk.
func NewDecoder() *Decoder {
	return &Decoder{
		templates: make(map[uint32]int32),
		cache:     make(map[templateKey][]*compiled),
	}
}

// Open begins with a chunk: data as [File.ReadChunk] gave it, which the Decoder
// uses until the next Open and does not change. Losses begin anew.
func (d *Decoder) Open(c ChunkInfo, data []byte) {
	d.info, d.buf = c, data
	d.losses = d.losses[:0]
	d.forgetChunk()
	d.pos, d.end = chunkHeaderSize, len(data)
	d.free, d.firstID, d.lastID, d.prevID, d.prevTime, d.read, d.spent, d.stale, d.done = 0, 0, 0, 0, 0, 0, 0, false, false
	d.checkHeader()
}

// Losses gives what was wrong with the open chunk so far: after Next gave false
// and every record was rendered, all of it. Records that failed to render are in
// it too. Valid until the next Open.
func (d *Decoder) Losses() []Loss { return d.losses }

// RecordsRead is the number of records that Next gave since Open.
func (d *Decoder) RecordsRead() int { return d.read }

func (d *Decoder) lose(pos int, id uint64, records int, format string, args ...any) *Loss {
	d.losses = append(d.losses, Loss{Chunk: d.info.Number, Offset: d.info.Offset + int64(pos), RecordID: id, Records: records, Reason: fmt.Sprintf(format, args...)})
	return &d.losses[len(d.losses)-1]
}

// checkHeader checks the chunk header's checksums and takes from it where the
// records end. Files with FlagNoChecksum have zeros for both checksums.
func (d *Decoder) checkHeader() {
	b := d.buf
	if len(b) < chunkHeaderSize {
		d.lose(0, 0, 0, "the chunk is shorter than its header")
		d.pos = d.end
		return
	}
	if d.info.HeaderDamaged || !bytes.Equal(b[:8], chunkMagic) {
		d.lose(0, 0, 0, "the chunk header has no magic; its records are read all the same")
		return
	}
	le := binary.LittleEndian
	headerSum, dataSum := le.Uint32(b[124:]), le.Uint32(b[52:])
	free := int(le.Uint32(b[48:]))
	noSums := headerSum == 0 && dataSum == 0
	crc := crc32.Update(crc32.ChecksumIEEE(b[:120]), crc32.IEEETable, b[128:chunkHeaderSize])
	headerOK := noSums || crc == headerSum
	if !headerOK {
		d.lose(0, 0, 0, "the checksum of the chunk header is wrong")
	}
	if free < chunkHeaderSize || free > len(b) {
		d.lose(0, 0, 0, "the chunk header's free-space offset %d is outside the chunk", free)
		return
	}
	if !noSums && crc32.ChecksumIEEE(b[chunkHeaderSize:free]) != dataSum {
		d.lose(0, 0, 0, "the checksum of the chunk's records is wrong")
	}
	d.free = free
	d.firstID, d.lastID = le.Uint64(b[24:]), le.Uint64(b[32:])
}

// recordAt tells whether a whole record whose two size fields agree lies at pos.
func recordAt(b []byte, pos int) bool {
	if pos < 0 || pos+minRecordSize > len(b) || binary.LittleEndian.Uint32(b[pos:]) != recordMagic {
		return false
	}
	size := int(binary.LittleEndian.Uint32(b[pos+4:]))
	return size >= minRecordSize && size <= len(b)-pos && binary.LittleEndian.Uint32(b[pos+size-4:]) == uint32(size)
}

// Next gives the chunk's next record in r, in the order of the chunk, and false
// behind the last one. What could not be read in between is in Losses. Only the
// record's frame is checked here; rendering finds damage inside it.
func (d *Decoder) Next(r *Record) bool {
	for d.pos < d.end {
		if d.free != 0 && d.pos >= d.free && !d.goesOn() {
			break
		}
		if size := d.frame(d.pos); size > 0 {
			d.give(r, size)
			return true
		}
		if !d.resync() {
			break
		}
	}
	d.finish()
	return false
}

// frame gives the size of the record at pos, 0 when there is none. A record whose
// closing size is torn is taken when the next record follows it.
func (d *Decoder) frame(pos int) int {
	b := d.buf
	if recordAt(b, pos) {
		return int(binary.LittleEndian.Uint32(b[pos+4:]))
	}
	if pos+minRecordSize > len(b) || binary.LittleEndian.Uint32(b[pos:]) != recordMagic {
		return 0
	}
	size := int(binary.LittleEndian.Uint32(b[pos+4:]))
	if size < minRecordSize || size > len(b)-pos {
		return 0
	}
	if next := pos + size; next == d.free || recordAt(b, next) {
		return size
	}
	return 0
}

func (d *Decoder) give(r *Record, size int) {
	le := binary.LittleEndian
	raw := d.buf[d.pos : d.pos+size : d.pos+size]
	*r = Record{ID: le.Uint64(raw[8:]), Filetime: le.Uint64(raw[16:]), Offset: d.info.Offset + int64(d.pos), Raw: raw, start: d.pos}
	d.prevID, d.prevTime = r.ID, r.Filetime
	d.pos += size
	d.read++
}

// goesOn tells whether a live record lies at or behind the header's free-space
// offset: the header of a log that was not closed is older than its records. The
// next record of the same run has the next identifier and is not older; slack of
// a former pass over the chunk is.
func (d *Decoder) goesOn() bool {
	if !recordAt(d.buf, d.pos) {
		return false
	}
	le := binary.LittleEndian
	if d.read == 0 || le.Uint64(d.buf[d.pos+8:]) != d.prevID+1 || le.Uint64(d.buf[d.pos+16:]) < d.prevTime {
		return false
	}
	if !d.stale {
		d.stale = true
		d.lose(d.pos, 0, 0, "the chunk header is stale: records go on behind its free-space offset")
	}
	return true
}

// resync moves to the next live record behind damage at d.pos and reports the
// damage; false when there is none.
func (d *Decoder) resync() bool {
	from, limit := d.pos, d.end
	if d.free != 0 && from < d.free {
		limit = d.free
	}
	for pos := from + 1; ; pos++ {
		i := bytes.Index(d.buf[pos:limit], recordMagicBytes)
		if i < 0 {
			break
		}
		pos += i
		if recordAt(d.buf, pos) && d.live(binary.LittleEndian.Uint64(d.buf[pos+8:])) {
			d.reportGap(from, pos, binary.LittleEndian.Uint64(d.buf[pos+8:]))
			d.pos = pos
			return true
		}
	}
	return false
}

// live tells whether a record found behind damage belongs to the log: its
// identifier is in the range of the chunk's header, or follows the last one no
// further away than a chunk can hold (the header may be stale, and a torn chunk
// holds the runs of two passes). Old records that a run has overwritten in part
// are neither.
func (d *Decoder) live(id uint64) bool {
	inRange := func(id uint64) bool { return id >= d.firstID && id <= d.lastID }
	switch {
	case d.lastID != 0 && inRange(id):
		return !inRange(d.prevID) || id > d.prevID
	case d.read == 0:
		return d.lastID == 0
	}
	return id > d.prevID && id-d.prevID <= maxRecordsInChunk
}

// reportGap reports damage from offset from to to, where record next lies.
func (d *Decoder) reportGap(from, to int, next uint64) {
	first := d.prevID + 1
	if d.read == 0 {
		first = d.firstID
	}
	lost := 1
	if n := next - first; first != 0 && next > first && n <= maxRecordsInChunk {
		lost = max(min(int(n), (to-from)/minRecordSize), 1)
	}
	var id uint64
	if lost == 1 && first != 0 {
		id = first
	}
	d.lose(from, id, lost, "no readable record here; reading went on at record %d", next)
}

// finish reports what the header promises and the walk did not find.
func (d *Decoder) finish() {
	if d.done {
		return
	}
	d.done = true
	if d.free == 0 || d.pos >= d.free || d.lastID == 0 || d.lastID == ^uint64(0) {
		return
	}
	first := d.prevID + 1
	if d.read == 0 {
		first = d.firstID
	}
	if d.lastID >= first && d.lastID-first < maxRecordsInChunk {
		d.lose(d.pos, first, int(d.lastID-first+1), "the chunk header promises records up to %d, which are not readable", d.lastID)
	} else if !allZero(d.buf[d.pos:d.free]) {
		d.lose(d.pos, 0, 0, "%d bytes in front of the chunk's free space are no record", d.free-d.pos)
	}
}
