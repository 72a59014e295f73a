package evtxtest

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"unicode/utf16"
)

const (
	fileHeaderSize  = 4096
	chunkSize       = 65536
	chunkHeaderSize = 512
)

// Builder builds one event log. The zero value is not ready; use [NewBuilder].
type Builder struct {
	chunks []*Chunk
	// Flags is the file header's flags word.
	Flags uint32
}

// NewBuilder gives a builder without chunks.
func NewBuilder() *Builder { return &Builder{} }

// Chunk begins a new chunk.
func (b *Builder) Chunk() *Chunk {
	c := &Chunk{buf: make([]byte, chunkHeaderSize, chunkSize), names: map[string]int{}, templates: map[*Template]int{}}
	b.chunks = append(b.chunks, c)
	return c
}

// Bytes gives the whole file with right checksums. Building may go on.
func (b *Builder) Bytes() []byte {
	out := make([]byte, fileHeaderSize)
	var next uint64 = 1
	for _, c := range b.chunks {
		out = append(out, c.Bytes()...)
		next = max(next, c.lastID+1)
	}
	PutFileHeader(out, len(b.chunks), next, b.Flags)
	return out
}

// PutFileHeader writes a file header of version 3.1 into the first 128 bytes of
// b.
func PutFileHeader(b []byte, chunks int, nextRecordID uint64, flags uint32) {
	le := binary.LittleEndian
	copy(b, "ElfFile\x00")
	le.PutUint64(b[8:], 0)
	le.PutUint64(b[16:], uint64(max(chunks-1, 0)))
	le.PutUint64(b[24:], nextRecordID)
	le.PutUint32(b[32:], 128)
	le.PutUint16(b[36:], 1)
	le.PutUint16(b[38:], 3)
	le.PutUint16(b[40:], fileHeaderSize)
	le.PutUint16(b[42:], uint16(chunks))
	le.PutUint32(b[120:], flags)
	le.PutUint32(b[124:], crc32.ChecksumIEEE(b[:120]))
}

// Chunk is one chunk under construction.
type Chunk struct {
	buf       []byte
	names     map[string]int
	templates map[*Template]int

	firstID, lastID uint64
	last            int // offset of the last record
}

// Template is a template definition; Body writes its element, without fragment
// header and end of file.
type Template struct {
	GUID [16]byte
	Body func(x *XML)
}

// Value is one value of a template instance: its type and bytes, or, for a BinXml
// value, what Build writes.
type Value struct {
	Type  byte
	Data  []byte
	Build func(x *XML)
}

// Record appends a record whose binary XML build writes, fragment header and end
// of file included. It gives the record's offset in the chunk.
func (c *Chunk) Record(id, filetime uint64, build func(x *XML)) int {
	le := binary.LittleEndian
	start := len(c.buf)
	c.buf = append(c.buf, 0x2a, 0x2a, 0, 0, 0, 0, 0, 0)
	c.buf = le.AppendUint64(c.buf, id)
	c.buf = le.AppendUint64(c.buf, filetime)
	build(&XML{c: c})
	for (len(c.buf)-start+4)%8 != 0 {
		c.buf = append(c.buf, 0)
	}
	size := uint32(len(c.buf) - start + 4)
	c.buf = le.AppendUint32(c.buf, size)
	le.PutUint32(c.buf[start+4:], size)
	if len(c.buf) > chunkSize {
		panic("BUG: test chunk overflows")
	}
	if c.firstID == 0 {
		c.firstID = id
	}
	c.lastID, c.last = id, start
	return start
}

// Bytes gives the chunk with its header and checksums.
func (c *Chunk) Bytes() []byte {
	b := append(slices.Clone(c.buf), make([]byte, chunkSize-len(c.buf))...)
	le := binary.LittleEndian
	copy(b, "ElfChnk\x00")
	le.PutUint64(b[8:], c.firstID)
	le.PutUint64(b[16:], c.lastID)
	le.PutUint64(b[24:], c.firstID)
	le.PutUint64(b[32:], c.lastID)
	le.PutUint32(b[40:], 128)
	le.PutUint32(b[44:], uint32(c.last))
	le.PutUint32(b[48:], uint32(len(c.buf)))
	le.PutUint32(b[120:], 1)
	FixChecksums(b)
	return b
}

// FixChecksums computes both checksums of a chunk anew.
func FixChecksums(chunk []byte) {
	le := binary.LittleEndian
	le.PutUint32(chunk[52:], crc32.ChecksumIEEE(chunk[chunkHeaderSize:le.Uint32(chunk[48:])]))
	le.PutUint32(chunk[124:], crc32.Update(crc32.ChecksumIEEE(chunk[:120]), crc32.IEEETable, chunk[128:chunkHeaderSize]))
}

// XML writes binary XML tokens into a chunk.
type XML struct {
	c        *Chunk
	template bool
	sizes    []int // offsets of the open elements' size fields
	attrs    int   // offset of the open attribute list's size field
}

func (x *XML) u16(n int) { x.c.buf = binary.LittleEndian.AppendUint16(x.c.buf, uint16(n)) }
func (x *XML) u32(n int) { x.c.buf = binary.LittleEndian.AppendUint32(x.c.buf, uint32(n)) }

// Raw appends bytes as they are.
func (x *XML) Raw(b ...byte) { x.c.buf = append(x.c.buf, b...) }

// Offset is the chunk offset of the next byte.
func (x *XML) Offset() int { return len(x.c.buf) }

// Fragment writes a fragment header.
func (x *XML) Fragment() { x.Raw(0x0f, 1, 1, 0) }

// EOF writes the end of a fragment.
func (x *XML) EOF() { x.Raw(0) }

// Name writes a name reference, with the name itself at its first use.
func (x *XML) Name(name string) {
	if off, ok := x.c.names[name]; ok {
		x.u32(off)
		return
	}
	x.c.names[name] = x.Offset() + 4
	x.u32(x.Offset() + 4)
	units := utf16.Encode([]rune(name))
	hash := uint32(0)
	for _, u := range units {
		hash = hash*65599 + uint32(u)
	}
	x.u32(0)
	x.u16(int(hash & 0xffff))
	x.u16(len(units))
	x.Raw(UTF16(name)...)
	x.u16(0)
}

// Open begins an element without attributes, OpenAttrs one with.
func (x *XML) Open(name string) { x.open(0x01, name, 0xffff) }

// OpenAttrs begins an element with attributes.
func (x *XML) OpenAttrs(name string) { x.open(0x41, name, 0xffff) }

// OpenDep begins an element that depends on a value (templates only).
func (x *XML) OpenDep(name string, dep int, attrs bool) {
	tok := byte(0x01)
	if attrs {
		tok = 0x41
	}
	x.open(tok, name, dep)
}

func (x *XML) open(tok byte, name string, dep int) {
	x.Raw(tok)
	if x.template {
		x.u16(dep)
	}
	x.sizes = append(x.sizes, x.Offset())
	x.u32(0)
	x.Name(name)
	if tok == 0x41 {
		x.attrs = x.Offset()
		x.u32(0)
	}
}

// Attr begins an attribute, whose value follows; more tells that another one
// comes behind it.
func (x *XML) Attr(name string, more bool) {
	if more {
		x.Raw(0x46)
	} else {
		x.Raw(0x06)
	}
	x.Name(name)
}

// Text writes a literal text.
func (x *XML) Text(s string) { x.counted(0x05, 1, s) }

// CDATA writes a CDATA section.
func (x *XML) CDATA(s string) {
	x.Raw(0x07)
	x.u16(len(UTF16(s)) / 2)
	x.Raw(UTF16(s)...)
}

func (x *XML) counted(tok, typ byte, s string) {
	x.Raw(tok, typ)
	x.u16(len(UTF16(s)) / 2)
	x.Raw(UTF16(s)...)
}

// CharRef writes a character reference.
func (x *XML) CharRef(c uint16) { x.Raw(0x08, byte(c), byte(c>>8)) }

// Entity writes an entity reference.
func (x *XML) Entity(name string) { x.Raw(0x09); x.Name(name) }

// PI writes a processing instruction.
func (x *XML) PI(target, data string) {
	x.Raw(0x0a)
	x.Name(target)
	x.Raw(0x0b)
	x.u16(len(UTF16(data)) / 2)
	x.Raw(UTF16(data)...)
}

// Hole writes a substitution: optional ones have token 0x0e.
func (x *XML) Hole(id int, typ byte, optional bool) {
	if optional {
		x.Raw(0x0e)
	} else {
		x.Raw(0x0d)
	}
	x.u16(id)
	x.Raw(typ)
}

func (x *XML) endAttrs() {
	if x.attrs != 0 {
		binary.LittleEndian.PutUint32(x.c.buf[x.attrs:], uint32(x.Offset()-x.attrs-4))
		x.attrs = 0
	}
}

// Close ends a start tag; content follows.
func (x *XML) Close() { x.endAttrs(); x.Raw(0x02) }

// CloseEmpty ends an empty element.
func (x *XML) CloseEmpty() { x.endAttrs(); x.Raw(0x03); x.endElement() }

// End ends an element.
func (x *XML) End() { x.Raw(0x04); x.endElement() }

func (x *XML) endElement() {
	at := x.sizes[len(x.sizes)-1]
	x.sizes = x.sizes[:len(x.sizes)-1]
	binary.LittleEndian.PutUint32(x.c.buf[at:], uint32(x.Offset()-at-4))
}

// Element writes an element with literal content.
func (x *XML) Element(name string, content func()) {
	x.Open(name)
	x.Close()
	content()
	x.End()
}

// Instance writes a template instance, with the definition at its first use in
// the chunk.
func (x *XML) Instance(t *Template, values ...Value) {
	le := binary.LittleEndian
	x.Raw(0x0c, 1)
	x.Raw(t.GUID[:4]...)
	if off, ok := x.c.templates[t]; ok {
		x.u32(off)
	} else {
		x.c.templates[t] = x.Offset() + 4
		x.u32(x.Offset() + 4)
		x.u32(0)
		x.Raw(t.GUID[:]...)
		size := x.Offset()
		x.u32(0)
		body := &XML{c: x.c, template: true}
		body.Fragment()
		t.Body(body)
		body.EOF()
		le.PutUint32(x.c.buf[size:], uint32(x.Offset()-size-4))
	}
	x.u32(len(values))
	at := x.Offset()
	for _, v := range values {
		x.Raw(0, 0, v.Type, 0)
	}
	for i, v := range values {
		lo := x.Offset()
		if v.Build != nil {
			v.Build(&XML{c: x.c})
		} else {
			x.Raw(v.Data...)
		}
		le.PutUint16(x.c.buf[at+4*i:], uint16(x.Offset()-lo))
	}
}

// UTF16 encodes s as UTF-16LE.
func UTF16(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// String gives a text value.
func String(s string) Value { return Value{Type: 0x01, Data: UTF16(s)} }

// Uint gives an unsigned number of 1, 2, 4 or 8 bytes.
func Uint(n uint64, size int) Value {
	b := binary.LittleEndian.AppendUint64(nil, n)[:size]
	return Value{Type: map[int]byte{1: 0x04, 2: 0x06, 4: 0x08, 8: 0x0a}[size], Data: b}
}

// Null gives a null value.
func Null() Value { return Value{} }
