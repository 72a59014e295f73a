package evtxtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Chunks gives the distinct whole chunks with right checksums that the .evtx
// files under dir hold and keep accepts, in the order of the files' names.
// keep nil accepts all. Full tells how many bytes a chunk's records must take at
// least; 60,000 gives full chunks only.
func Chunks(dir string, full int, keep func(chunk []byte) bool) ([][]byte, error) {
	var chunks [][]byte
	seen := map[uint64]bool{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.EqualFold(filepath.Ext(path), ".evtx") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for at := fileHeaderSize; at+chunkSize <= len(b); at += chunkSize {
			c := b[at : at+chunkSize]
			sums := binary.LittleEndian.Uint64(c[48:]) ^ uint64(binary.LittleEndian.Uint32(c[124:]))<<16
			if !whole(c, full) || seen[sums] || keep != nil && !keep(c) {
				continue
			}
			seen[sums] = true
			chunks = append(chunks, bytes.Clone(c))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot collect chunks: %w", err)
	}
	return chunks, nil
}

// Holds gives a filter for [Chunks]: chunks that hold the text s as UTF-16.
func Holds(s string) func(chunk []byte) bool {
	return func(c []byte) bool { return bytes.Contains(c, UTF16(s)) }
}

// whole tells whether the chunk's checksums are right and its records reach its
// free space without a gap.
func whole(c []byte, full int) bool {
	le := binary.LittleEndian
	free := int(le.Uint32(c[48:]))
	if string(c[:8]) != "ElfChnk\x00" || free < max(full, chunkHeaderSize+32) || free > chunkSize ||
		crc32.ChecksumIEEE(c[chunkHeaderSize:free]) != le.Uint32(c[52:]) ||
		crc32.Update(crc32.ChecksumIEEE(c[:120]), crc32.IEEETable, c[128:chunkHeaderSize]) != le.Uint32(c[124:]) {
		return false
	}
	end, ok := records(c, free, func([]byte) {})
	return ok && end == free
}

// records walks the records in front of free.
func records(c []byte, free int, each func(rec []byte)) (end int, ok bool) {
	le := binary.LittleEndian
	at := chunkHeaderSize
	for at+28 <= free {
		size := int(le.Uint32(c[at+4:]))
		if le.Uint32(c[at:]) != 0x2a2a || size < 28 || size > free-at || int(le.Uint32(c[at+size-4:])) != size {
			return at, false
		}
		each(c[at : at+size])
		at += size
	}
	return at, true
}

// Options say what Rewrite writes.
type Options struct {
	// SizeBytes is the size of the file; at least one chunk is written.
	SizeBytes int64
	// Seed decides the changed values.
	Seed uint64
	// FirstRecordID is the first record's identifier, 0 means 1.
	FirstRecordID uint64
	// Start is the FILETIME of the first record, 0 means 2026-01-01T00:00:00Z.
	Start uint64
	// Step is the time between records in 100 ns, 0 means one second.
	Step uint64
}

// filetime2026 is 2026-01-01T00:00:00Z.
const filetime2026 = 134_116_992_000_000_000

// Rewrite writes an event log made of the chunks, in turn, until it has the
// wanted size: new record identifiers and times, and values of the same length,
// so that no two records are equal. It gives the number of records.
func Rewrite(w io.Writer, chunks [][]byte, o Options) (count int, err error) {
	if len(chunks) == 0 {
		return 0, errors.New("cannot rewrite: no chunks")
	}
	if o.FirstRecordID == 0 {
		o.FirstRecordID = 1
	}
	if o.Start == 0 {
		o.Start = filetime2026
	}
	if o.Step == 0 {
		o.Step = 10_000_000
	}
	n := int(max((o.SizeBytes-fileHeaderSize)/chunkSize, 1))
	r := &rewriter{rng: rand.New(rand.NewPCG(o.Seed, 0x65767478)), id: o.FirstRecordID, time: o.Start, step: o.Step}
	total := 0
	for i := range n {
		total += countRecords(chunks[i%len(chunks)])
	}
	head := make([]byte, fileHeaderSize)
	PutFileHeader(head, n, o.FirstRecordID+uint64(total), 0)
	if _, err := w.Write(head); err != nil {
		return 0, fmt.Errorf("cannot rewrite: %w", err)
	}
	buf := make([]byte, chunkSize)
	for i := range n {
		copy(buf, chunks[i%len(chunks)])
		r.chunk(buf)
		if _, err := w.Write(buf); err != nil {
			return 0, fmt.Errorf("cannot rewrite: %w", err)
		}
	}
	return total, nil
}

// Log gives a rewritten log as bytes.
func Log(chunks [][]byte, o Options) ([]byte, int, error) {
	var b bytes.Buffer
	n, err := Rewrite(&b, chunks, o)
	return b.Bytes(), n, err
}

func countRecords(c []byte) (n int) {
	records(c, int(binary.LittleEndian.Uint32(c[48:])), func([]byte) { n++ })
	return n
}

type rewriter struct {
	rng            *rand.Rand
	id, time, step uint64
}

func (r *rewriter) chunk(c []byte) {
	le := binary.LittleEndian
	first := r.id
	free := int(le.Uint32(c[48:]))
	records(c, free, func(rec []byte) {
		oldID := le.Uint64(rec[8:])
		le.PutUint64(rec[8:], r.id)
		le.PutUint64(rec[16:], r.time)
		body := rec[24 : len(rec)-4]
		if len(body) > 5 && body[0] == 0x0f && body[4] == 0x0c {
			at := chunkOffset(c, body) + 5
			r.instance(c, at, at-5+len(body), oldID, 0)
		}
		r.id++
		r.time += r.step
	})
	le.PutUint64(c[8:], first)
	le.PutUint64(c[16:], r.id-1)
	le.PutUint64(c[24:], first)
	le.PutUint64(c[32:], r.id-1)
	FixChecksums(c)
}

// chunkOffset is where sub, a slice of c, begins in it.
func chunkOffset(c, sub []byte) int { return cap(c) - cap(sub) }

// instance changes the values of the template instance behind the token at pos.
func (r *rewriter) instance(c []byte, pos, end int, oldID uint64, depth int) {
	le := binary.LittleEndian
	if depth > 4 || pos+13 > end {
		return
	}
	def := int(le.Uint32(c[pos+5:]))
	pos += 9
	if def == pos {
		if pos+28 > end {
			return
		}
		pos += 24 + int(le.Uint32(c[pos+20:]))
	}
	if pos+4 > end {
		return
	}
	count := int(le.Uint32(c[pos:]))
	pos += 4
	val := pos + 4*count
	for ; count > 0 && pos+4 <= end; count-- {
		size, typ := int(le.Uint16(c[pos:])), c[pos+2]
		pos += 4
		if val+size > end {
			return
		}
		b := c[val : val+size : val+size]
		switch {
		case typ == 0x21 && size > 5 && b[0] == 0x0f && b[4] == 0x0c:
			r.instance(c, val+5, val+size, oldID, depth+1)
		case typ == 0x21 && size > 1 && b[0] == 0x0c:
			r.instance(c, val+1, val+size, oldID, depth+1)
		case depth == 0 && typ == 0x0a && size == 8 && le.Uint64(b) == oldID:
			le.PutUint64(b, r.id)
		case depth == 0 && typ == 0x11 && size == 8:
			le.PutUint64(b, r.time)
		case depth > 0:
			r.value(typ, b)
		}
		val += size
	}
}

// value changes a value of EventData: what differs between real events too.
func (r *rewriter) value(typ byte, b []byte) {
	switch {
	case typ == 0x15 && len(b) == 8: // logon identifiers, handles
		if binary.LittleEndian.Uint64(b) > 0x3e7 {
			b[0], b[1] = byte(r.rng.Uint32()), byte(r.rng.Uint32())
		}
	case typ == 0x01 && len(b) >= 12:
		r.text(b)
	}
}

// text changes the last digit of a text, unless that would make it another kind
// of value: message numbers (%%1842), SIDs, GUIDs, addresses.
func (r *rewriter) text(b []byte) {
	switch b[0] {
	case '%', '{', 'S', ':':
		return
	}
	for at := len(b) - 2; at >= 0; at -= 2 {
		if b[at+1] == 0 && b[at] >= '0' && b[at] <= '9' {
			b[at] = byte('0' + r.rng.IntN(10))
			return
		}
	}
}

// SortedFiles gives the .evtx files under dir by name.
func SortedFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.EqualFold(filepath.Ext(path), ".evtx") {
			files = append(files, path)
		}
		return err
	})
	slices.Sort(files)
	return files, err
}
