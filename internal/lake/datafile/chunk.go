package datafile

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/bits"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/wadi-project/wadi/internal/schema"
)

// Parquet's numbers for what is used of it (parquet.thrift).
const (
	encodingPlain       = 0
	encodingRLE         = 3
	encodingDelta       = 5
	encodingDeltaLength = 6
	encodingDictionary  = 8

	codecNone = 0
	codecZstd = 6
	codecLZ4  = 7 // LZ4_RAW: blocks without a frame

	pageData       = 0
	pageDictionary = 2
)

// Choices of encoding. They are made for each column of each row group from all
// its values, so they depend on nothing but them.
const (
	// zstdLevel is the library's level 3: the fastest level saves a tenth of the
	// time of a column and costs several percent.
	zstdLevel = zstd.SpeedDefault
	// zstdWindow covers a page: nothing refers further back.
	zstdWindow = pageBytes
	// pageBytes is a page before compression: what a reader unpacks at least.
	pageBytes = 1 << 20
	// dictionaryBytes and dictionaryValues bound a column's dictionary.
	dictionaryBytes  = 1 << 20
	dictionaryValues = 1 << 16
	// earlyLook is after how many values a dictionary is given up that has seen
	// hardly a value twice.
	earlyLook = 4096
	// minSaving is the share of a chunk, as a divisor, that compression must
	// save: a reader has to unpack it each time.
	minSaving = 16
)

// chunk is one column of a row group as it lies in the file.
type chunk struct {
	data      []byte // its pages
	codec     int32
	encodings []int32
	dictSize  int64 // bytes of the dictionary page at its front, 0 without one
	raw       int64 // bytes of the pages before compression, with their heads
	stats     bounds
}

// encoder turns columns into chunks; it holds the scratch memory of one goroutine.
type encoder struct {
	codec int32
	zstd  *zstd.Encoder
	lz4   lz4.Compressor
	seed  maphash.Seed

	slots []uint32 // hash table of the dictionary: number of an entry + 1
	hash  []uint32 // by entry
	texts [][]byte
	nums  []int64
	index []uint32 // by value: its entry
	size  int      // bytes of the dictionary

	lens      []int64
	dict, raw []byte
	bitmap    []byte
	packed    []byte
	head      thrift
}

func newEncoder(c Compression) (*encoder, error) {
	if c == LZ4 {
		return &encoder{codec: codecLZ4, seed: maphash.MakeSeed()}, nil
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstdLevel), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
	if err != nil {
		return nil, fmt.Errorf("cannot set up compression: %w", err)
	}
	return &encoder{codec: codecZstd, zstd: z, seed: maphash.MakeSeed()}, nil
}

// encode writes one column of a row group; dst is memory to reuse.
func (e *encoder) encode(dst []byte, col *schema.Column, c *column, rows int) (chunk, error) {
	if col.Required && c.n != rows {
		return chunk{}, fmt.Errorf("cannot write column %s: %d values for %d rows", col.Name, c.n, rows)
	}
	out := chunk{data: dst[:0], stats: bounds{kind: col.Disk}}
	out.stats.values, out.stats.nulls = int64(rows), int64(rows-c.n)
	switch {
	case c.n == 0: // all null: levels only; a dictionary would have to be written, empty
		e.levels(col, c, 0, rows, 0, 0)
		e.pages(&out, encodingPlain, rows, 0)
	case col.Disk == schema.DiskString && e.textDictionary(c):
		for _, v := range e.texts {
			out.stats.text(v)
		}
		e.dictionary(&out, col, c, rows)
	case col.Disk == schema.DiskString:
		e.plainText(&out, col, c, rows)
	case col.Disk == schema.DiskBoolean:
		out.stats.numbers(c.nums)
		e.levels(col, c, 0, rows, 0, c.n)
		e.raw = appendBits(e.raw, c.nums)
		e.pages(&out, encodingPlain, rows, 0)
	case col.Disk == schema.DiskDouble:
		out.stats.reals(c.nums)
		e.levels(col, c, 0, rows, 0, c.n)
		for _, v := range c.nums {
			e.raw = binary.LittleEndian.AppendUint64(e.raw, uint64(v))
		}
		e.pages(&out, encodingPlain, rows, 0)
	case e.numberDictionary(c):
		out.stats.numbers(e.nums)
		e.dictionary(&out, col, c, rows)
	default:
		out.stats.numbers(c.nums)
		e.levels(col, c, 0, rows, 0, c.n)
		e.raw = appendDelta(e.raw, c.nums, col.Disk == schema.DiskInt)
		e.pages(&out, encodingDelta, rows, 0)
	}
	return out, nil
}

// levels begins a page in e.raw with the definition levels of its rows.
func (e *encoder) levels(col *schema.Column, c *column, from, to, v0, v1 int) {
	e.raw = e.raw[:0]
	switch {
	case col.Required:
	case !c.sparse || v1-v0 == to-from:
		e.raw = appendEvenLevels(e.raw, v1-v0, to-from-(v1-v0))
	default:
		e.raw = appendLevels(e.raw, c.rows[v0:v1], from, to, &e.bitmap)
	}
}

// dictionary writes a dictionary page and a page of indexes into it.
func (e *encoder) dictionary(out *chunk, col *schema.Column, c *column, rows int) {
	e.dict = e.dict[:0]
	entries := 0
	switch col.Disk {
	case schema.DiskString:
		entries = len(e.texts)
		for _, v := range e.texts {
			e.dict = binary.LittleEndian.AppendUint32(e.dict, uint32(len(v)))
			e.dict = append(e.dict, v...)
		}
	case schema.DiskInt:
		entries = len(e.nums)
		for _, v := range e.nums {
			e.dict = binary.LittleEndian.AppendUint32(e.dict, uint32(v))
		}
	default:
		entries = len(e.nums)
		for _, v := range e.nums {
			e.dict = binary.LittleEndian.AppendUint64(e.dict, uint64(v))
		}
	}
	width := max(bits.Len32(uint32(max(entries-1, 0))), 1) // some readers stumble over 0
	e.levels(col, c, 0, rows, 0, c.n)
	e.raw = append(e.raw, byte(width))
	e.raw = appendHybrid(e.raw, e.index, width)
	e.pages(out, encodingDictionary, rows, entries)
}

// pages writes e.dict, when there are entries, and e.raw as pages, and leaves out
// compression that saves next to nothing.
func (e *encoder) pages(out *chunk, encoding int32, rows, entries int) {
	raw := len(e.raw)
	out.codec = e.codec
	if entries > 0 {
		raw += len(e.dict)
		e.page(out, pageDictionary, encodingPlain, entries, e.dict)
		out.dictSize = int64(len(out.data))
	}
	e.page(out, pageData, encoding, rows, e.raw)
	if int64(len(out.data)) > out.raw-int64(raw/minSaving) {
		out.data, out.raw, out.codec, out.dictSize = out.data[:0], 0, codecNone, 0
		if entries > 0 {
			e.page(out, pageDictionary, encodingPlain, entries, e.dict)
			out.dictSize = int64(len(out.data))
		}
		e.page(out, pageData, encoding, rows, e.raw)
	}
	out.encodings = []int32{encodingRLE, encoding}
	if entries > 0 {
		out.encodings = append(out.encodings, encodingPlain)
	}
}

// page appends one page.
func (e *encoder) page(out *chunk, kind, encoding int32, values int, raw []byte) {
	packed := raw
	switch out.codec {
	case codecZstd:
		e.packed = e.zstd.EncodeAll(raw, e.packed[:0])
		packed = e.packed
	case codecLZ4:
		packed = e.block(raw)
	}
	h := &e.head
	h.buf = h.buf[:0]
	h.begin()
	h.i32(1, kind)
	h.i32(2, int32(len(raw)))
	h.i32(3, int32(len(packed)))
	if kind == pageData {
		h.object(5)
		h.i32(1, int32(values))
		h.i32(2, encoding)
		h.i32(3, encodingRLE)
		h.i32(4, encodingRLE)
	} else {
		h.object(7)
		h.i32(1, int32(values))
		h.i32(2, encoding)
	}
	h.end()
	h.end()
	out.raw += int64(len(h.buf) + len(raw))
	out.data = append(append(out.data, h.buf...), packed...)
}

// block compresses a page as one LZ4 block.
func (e *encoder) block(raw []byte) []byte {
	room := lz4.CompressBlockBound(len(raw))
	if cap(e.packed) < room {
		e.packed = make([]byte, room)
	}
	n, err := e.lz4.CompressBlock(raw, e.packed[:room])
	if err != nil { // only for want of room
		panic(fmt.Sprintf("BUG: an LZ4 block of %d bytes doesn't fit its bound: %v", len(raw), err))
	}
	return e.packed[:n]
}

// plainText writes texts that hardly repeat: their lengths, then their bytes, page
// by page.
func (e *encoder) plainText(out *chunk, col *schema.Column, c *column, rows int) {
	out.codec = e.codec
	out.encodings = []int32{encodingRLE, encodingDeltaLength}
	row, v := 0, 0
	walk := texts{c: c}
	for {
		first, size := v, 0
		e.lens = e.lens[:0]
		for v < c.n && size < pageBytes {
			n := int(c.lens[v])
			e.lens = append(e.lens, int64(n))
			size += n
			v++
		}
		to := rows
		if v < c.n {
			if to = v; c.sparse {
				to = int(c.rows[v-1]) + 1
			}
		}
		e.levels(col, c, row, to, first, v)
		e.raw = appendDelta(e.raw, e.lens, true)
		for range v - first {
			text := walk.next()
			e.raw = append(e.raw, text...)
			out.stats.text(text)
		}
		e.page(out, pageData, encodingDeltaLength, to-row, e.raw)
		if row = to; v == c.n {
			return
		}
	}
}

// startDictionary empties the dictionary for up to n values.
func (e *encoder) startDictionary(n int) {
	slots := 1 << bits.Len(uint(2*min(n, dictionaryValues)+16))
	if cap(e.slots) < slots {
		e.slots = make([]uint32, slots)
	}
	e.slots = e.slots[:slots]
	clear(e.slots)
	e.hash, e.texts, e.nums, e.index, e.size = e.hash[:0], e.texts[:0], e.nums[:0], e.index[:0], 0
}

// worthless tells after v of n values that the dictionary is given up.
func worthless(entries, v, n, divisor int) bool {
	return entries > dictionaryValues || entries*divisor > n || v == earlyLook && entries > v-v/4
}

// textDictionary builds the dictionary of a column; false when it is not worth it:
// a text must occur twice on average.
func (e *encoder) textDictionary(c *column) bool {
	e.startDictionary(c.n)
	mask := uint32(len(e.slots) - 1)
	walk := texts{c: c}
	var last []byte
	lastIndex := uint32(0)
	for v := range c.n {
		text := walk.next()
		if v > 0 && string(text) == string(last) {
			e.index = append(e.index, lastIndex)
			continue
		}
		last = text
		h := uint32(maphash.Bytes(e.seed, text))
		at := h & mask
		for {
			k := e.slots[at]
			if k == 0 {
				e.slots[at] = uint32(len(e.texts) + 1)
				lastIndex = uint32(len(e.texts))
				e.texts, e.hash = append(e.texts, text), append(e.hash, h)
				if e.size += len(text) + 4; e.size > dictionaryBytes || worthless(len(e.texts), v, c.n, 2) {
					return false
				}
				break
			}
			if e.hash[k-1] == h && string(e.texts[k-1]) == string(text) {
				lastIndex = k - 1
				break
			}
			at = (at + 1) & mask
		}
		e.index = append(e.index, lastIndex)
	}
	return true
}

// numberDictionary builds the dictionary of a column; false when it is not worth
// it: a number must occur eight times on average, differences are short as well.
func (e *encoder) numberDictionary(c *column) bool {
	e.startDictionary(c.n)
	mask := uint32(len(e.slots) - 1)
	lastIndex := uint32(0)
	for v, x := range c.nums {
		if v > 0 && x == c.nums[v-1] {
			e.index = append(e.index, lastIndex)
			continue
		}
		at := uint32(uint64(x)*0x9E3779B97F4A7C15>>32) & mask
		for {
			k := e.slots[at]
			if k == 0 {
				e.slots[at] = uint32(len(e.nums) + 1)
				lastIndex = uint32(len(e.nums))
				if e.nums = append(e.nums, x); worthless(len(e.nums), v, c.n, 8) {
					return false
				}
				break
			}
			if e.nums[k-1] == x {
				lastIndex = k - 1
				break
			}
			at = (at + 1) & mask
		}
		e.index = append(e.index, lastIndex)
	}
	return true
}

// appendBits appends booleans, eight a byte.
func appendBits(dst []byte, values []int64) []byte {
	for i := 0; i < len(values); i += 8 {
		b := byte(0)
		for k, v := range values[i:min(i+8, len(values))] {
			b |= byte(v&1) << k
		}
		dst = append(dst, b)
	}
	return dst
}
