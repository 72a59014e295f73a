package evtx

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// Sizes and marks of the file format.
const (
	// ChunkSize is the size in bytes of a chunk.
	ChunkSize = 65536
	// fileHeaderSize is the size of the block that the file header takes.
	fileHeaderSize = 4096
	// chunkHeaderSize is where a chunk's records begin.
	chunkHeaderSize = 512
	// sectorSize is the grid on which chunks are looked for where the file's own
	// grid is broken: NTFS and disks tear files at sectors.
	sectorSize = 512
)

var (
	fileMagic  = []byte("ElfFile\x00")
	chunkMagic = []byte("ElfChnk\x00")
)

// Flags of the file header.
const (
	// FlagDirty: the log was not closed cleanly; the header's counts are stale.
	FlagDirty = 1
	// FlagFull: the log reached its size limit and the retention policy keeps old
	// events.
	FlagFull = 2
	// FlagNoChecksum: Windows wrote no checksums.
	FlagNoChecksum = 4
)

// Header is the file header. Its counts are what the header says, which is stale
// when the file is dirty.
type Header struct {
	// Present tells whether the file begins with the signature of event logs.
	Present bool
	// FirstChunk and LastChunk are chunk numbers of the oldest and newest chunk.
	FirstChunk, LastChunk uint64
	NextRecordID          uint64
	// Major and Minor are the version of the format, 3.1 or 3.2.
	Major, Minor uint16
	ChunkCount   uint16
	// Flags holds the known bits, UnknownFlags all others (garbage occurs).
	Flags, UnknownFlags uint32
	// ChecksumOK tells whether the header's checksum is right; it is not computed
	// by Windows when FlagNoChecksum is set, and ChecksumOK is true then.
	ChecksumOK bool
}

// ChunkInfo is where one chunk lies in its file.
type ChunkInfo struct {
	// Number is the chunk's place in the file: (Offset-4096)/65536 on the usual
	// grid. It names the chunk in losses.
	Number int
	// Offset is the chunk's offset in the file in bytes, Size its length: 65536, or
	// less where the file or the next chunk cuts it off.
	Offset int64
	Size   int
	// FirstRecordID is the identifier of the first record, by which chunks are
	// ordered; 0 when the chunk begins with no readable record and its header has
	// none.
	FirstRecordID uint64
	// HeaderDamaged tells that the chunk has no magic and was recognised by its
	// first record.
	HeaderDamaged bool
}

// File is an event log: its header and where its chunks are. It reads no more
// than that, and is safe for concurrent use when its reader is.
type File struct {
	r      io.ReaderAt
	size   int64
	header Header
	chunks []ChunkInfo
	losses []Loss
	backs  int // how often lookBack found a chunk
}

// errNotEventLog is given for files without header and without any chunk.
var errNotEventLog = errors.New("not an event log: no file header and no chunk found")

// Open finds the chunks of the event log r of size bytes. A missing or damaged
// file header is reported in [File.Losses]; an error means that r cannot be read
// or that it is no event log at all. The caller keeps r open as long as the File
// is used.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	if err := f.findChunks(); err != nil {
		return nil, err
	}
	if !f.header.Present && len(f.chunks) == 0 {
		return nil, errNotEventLog
	}
	slices.SortStableFunc(f.chunks, func(a, b ChunkInfo) int { return cmp.Compare(a.FirstRecordID, b.FirstRecordID) })
	return f, nil
}

// Header gives the file header as it was read.
func (f *File) Header() Header { return f.header }

// Chunks gives the used chunks in record order: by the identifier of their first
// record, and by place where those are equal. The slice is shared.
func (f *File) Chunks() []ChunkInfo { return f.chunks }

// Losses gives what was wrong with the file around its chunks: a damaged header,
// unreadable chunk slots. Losses inside a chunk are given by [Decoder.Losses].
func (f *File) Losses() []Loss { return f.losses }

// ReadChunk reads the chunk into buf, which must hold [ChunkSize] bytes, and
// gives the chunk's bytes. It is safe for concurrent use with different buffers.
func (f *File) ReadChunk(c ChunkInfo, buf []byte) ([]byte, error) {
	buf = buf[:c.Size]
	if n, err := f.r.ReadAt(buf, c.Offset); n < len(buf) {
		return nil, fmt.Errorf("cannot read chunk %d at offset %d: %w", c.Number, c.Offset, err)
	}
	return buf, nil
}

func (f *File) readHeader() error {
	var b [128]byte
	n, err := f.r.ReadAt(b[:], 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("cannot read the file header: %w", err)
	}
	if n < len(b) || !bytes.Equal(b[:8], fileMagic) {
		f.lose(Loss{Chunk: -1, Reason: "the file header is missing or damaged"})
		return nil
	}
	le := binary.LittleEndian
	flags := le.Uint32(b[120:])
	f.header = Header{
		Present:      true,
		FirstChunk:   le.Uint64(b[8:]),
		LastChunk:    le.Uint64(b[16:]),
		NextRecordID: le.Uint64(b[24:]),
		Minor:        le.Uint16(b[36:]),
		Major:        le.Uint16(b[38:]),
		ChunkCount:   le.Uint16(b[42:]),
		Flags:        flags & (FlagDirty | FlagFull | FlagNoChecksum),
		UnknownFlags: flags &^ (FlagDirty | FlagFull | FlagNoChecksum),
		ChecksumOK:   flags&FlagNoChecksum != 0 || crc32.ChecksumIEEE(b[:120]) == le.Uint32(b[124:]),
	}
	if !f.header.ChecksumOK {
		f.lose(Loss{Chunk: -1, Reason: "the checksum of the file header is wrong"})
	}
	if f.header.Major != 3 {
		f.lose(Loss{Chunk: -1, Reason: fmt.Sprintf("the format version is %d.%d, not 3.x; read as 3.x", f.header.Major, f.header.Minor)})
	}
	return nil
}

func (f *File) lose(l Loss) { f.losses = append(f.losses, l) }

// findChunks walks the chunk grid. Where a slot has no chunk magic it decides
// between unused, damaged and shifted.
func (f *File) findChunks() error {
	pos := int64(fileHeaderSize)
	if !f.header.Present {
		pos = 0
	}
	var slot [ChunkSize]byte
	for pos < f.size {
		n, err := f.r.ReadAt(slot[:chunkHeaderSize+24], pos)
		if err != nil && err != io.EOF {
			return fmt.Errorf("cannot read the chunk at offset %d: %w", pos, err)
		}
		if n >= 128 && bytes.Equal(slot[:8], chunkMagic) {
			f.addChunk(slot[:n], pos, false)
			pos += ChunkSize
			continue
		}
		n, err = f.r.ReadAt(slot[:], pos)
		if err != nil && err != io.EOF {
			return fmt.Errorf("cannot read the chunk at offset %d: %w", pos, err)
		}
		if back, ok := f.lookBack(slot[:n], pos); ok {
			pos = back
			continue
		}
		pos += f.oddSlot(slot[:n], pos)
	}
	f.limitSizes()
	return nil
}

// lookBack handles a slot without chunk behind a chunk that lost bytes: the next
// chunk begins inside its 64 KiB then. It gives that chunk's offset.
func (f *File) lookBack(slot []byte, pos int64) (int64, bool) {
	if len(f.chunks) == 0 || f.backs >= maxLookBacks || allZero(slot) {
		return 0, false
	}
	last := f.chunks[len(f.chunks)-1].Offset
	if last+ChunkSize != pos || len(slot) > chunkHeaderSize && recordAt(slot, chunkHeaderSize) {
		return 0, false
	}
	var b [ChunkSize]byte
	if n, _ := f.r.ReadAt(b[:], last); n < len(b) {
		return 0, false // what cannot be read is reported when the chunk is read
	}
	for off := sectorSize; off < ChunkSize; off += sectorSize {
		if bytes.Equal(b[off:off+8], chunkMagic) && binary.LittleEndian.Uint32(b[off+40:]) == 128 {
			f.backs++
			return last + int64(off), true
		}
	}
	return 0, false
}

// oddSlot handles a slot without chunk magic and gives how far to go on.
func (f *File) oddSlot(slot []byte, pos int64) int64 {
	if allZero(slot) {
		return int64(max(len(slot), 1)) // Windows allocates chunks before it uses them
	}
	if len(slot) > chunkHeaderSize && recordAt(slot, chunkHeaderSize) && f.header.Present {
		f.addChunk(slot, pos, true)
		return ChunkSize
	}
	for off := sectorSize; off+128 <= len(slot); off += sectorSize {
		if bytes.Equal(slot[off:off+8], chunkMagic) {
			f.lose(Loss{Chunk: f.number(pos), Offset: pos, Reason: fmt.Sprintf("%d bytes before the next chunk are no chunk", off)})
			return int64(off)
		}
	}
	if f.header.Present {
		f.lose(Loss{Chunk: f.number(pos), Offset: pos, Reason: "the chunk has no magic and no record at its start: its records are lost"})
	}
	return int64(len(slot))
}

func (f *File) addChunk(head []byte, pos int64, damaged bool) {
	le := binary.LittleEndian
	c := ChunkInfo{Number: f.number(pos), Offset: pos, Size: ChunkSize, HeaderDamaged: damaged}
	switch {
	case len(head) >= chunkHeaderSize+24 && le.Uint32(head[chunkHeaderSize:]) == recordMagic:
		c.FirstRecordID = le.Uint64(head[chunkHeaderSize+8:])
	case !damaged:
		c.FirstRecordID = le.Uint64(head[24:])
		if c.FirstRecordID == ^uint64(0) {
			c.FirstRecordID = 0 // a chunk that holds no record yet
		}
	}
	f.chunks = append(f.chunks, c)
}

// limitSizes cuts chunks off where the next one or the file's end comes first.
func (f *File) limitSizes() {
	for i := range f.chunks {
		end := f.size
		if i+1 < len(f.chunks) {
			end = f.chunks[i+1].Offset
		}
		c := &f.chunks[i]
		if rest := end - c.Offset; rest < ChunkSize {
			c.Size = int(rest)
			f.lose(Loss{Chunk: c.Number, Offset: c.Offset, Reason: fmt.Sprintf("the chunk is cut off after %d bytes", rest)})
		}
	}
}

func (f *File) number(pos int64) int {
	if pos < fileHeaderSize {
		return 0
	}
	return int((pos - fileHeaderSize) / ChunkSize)
}

func allZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
