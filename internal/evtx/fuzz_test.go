package evtx

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// shapesChunk is a chunk with a record of every shape and type.
func shapesChunk() []byte {
	b := evtxtest.NewBuilder()
	c := b.Chunk()
	id := uint64(1)
	add := func(build func(x *xmlb)) {
		c.Record(id, id, build)
		id++
	}
	for _, s := range shapes {
		add(s.build)
	}
	t := dataTemplate()
	for _, v := range values {
		add(in(t, evtxtest.Value{Type: v.typ, Data: v.data}))
	}
	return c.Bytes()
}

// maxExpansion bounds the text of a chunk for what a fuzzer can make of it in
// reasonable time.
const maxExpansion = 1 << 30

// checkChunk reads a chunk in all ways and holds the promises of the package
// against hostile bytes: no panic, an end, bounded output, well-formed text, the
// same text by programs and trees, losses inside the chunk.
func checkChunk(t *testing.T, fast, slow *Decoder, data []byte) {
	data = data[:min(len(data), ChunkSize)]
	info := ChunkInfo{Number: 3, Offset: 1 << 20, Size: len(data), FirstRecordID: 1}
	fast.Open(info, data)
	slow.Open(info, data)
	var r Record
	var a, b []byte
	total := 0
	set := NewFieldSet("EventID", "Channel", "V", "UserData.LogFileCleared.SubjectUserName")
	var f Fields
	for n := 0; !t.Failed() && fast.Next(&r); n++ {
		if n > maxRecordsInChunk {
			t.Fatalf("more than %d records in a chunk", maxRecordsInChunk)
		}
		for _, form := range renderers {
			var aerr, berr error
			if a, aerr = form.f(fast, a[:0], &r); len(a) > maxRecordText+8*ChunkSize {
				t.Fatalf("%d bytes of %s for one record", len(a), form.name)
			}
			if total += len(a); total > maxExpansion {
				return
			}
			if b, berr = form.f(slow, b[:0], &r); !bytes.Equal(a, b) || (aerr == nil) != (berr == nil) {
				t.Errorf("%s\nprogram %.2000s %v\ntree    %.2000s %v", form.name, a, aerr, b, berr)
			}
			if aerr == nil && len(a) < 1<<20 {
				if err := checkForm(form.name, a); err != nil {
					t.Errorf("%s: %v: %.2000s", form.name, err, a)
				}
			}
		}
		_ = fast.Get(&f, &r, set)
	}
	for _, l := range fast.Losses() {
		if l.Chunk != 3 || l.Offset < info.Offset || l.Offset > info.Offset+ChunkSize || l.Reason == "" {
			t.Errorf("a loss outside of the chunk: %+v", l)
		}
	}
}

// used cuts a chunk off behind its records: small inputs make a fuzzer fast.
func used(chunk []byte) []byte {
	free := int(binary.LittleEndian.Uint32(chunk[48:]))
	return chunk[:max(min(free, 12<<10), chunkHeaderSize)]
}

func FuzzChunk(f *testing.F) {
	log, _ := testLog(1, 0)
	f.Add(used(chunkAt(log, 0)))
	for _, s := range shapes {
		b := evtxtest.NewBuilder()
		c := b.Chunk()
		c.Record(1, 1, s.build)
		f.Add(used(c.Bytes()))
	}
	if os.Getenv("WADI_CORPUS") != "" {
		for _, path := range corpusFiles(f, "evtx/omerbenamram", "evtx/velocidex") {
			if b, err := os.ReadFile(path); err == nil && len(b) >= fileHeaderSize+ChunkSize {
				f.Add(used(chunkAt(b, 0)))
			}
		}
	}
	fast, slow := NewDecoder(), NewDecoder()
	slow.slow = true
	f.Fuzz(func(t *testing.T, data []byte) { checkChunk(t, fast, slow, data) })
}

// FuzzOpen builds files of sectors, one for each byte: unused, the begin of a
// chunk, a record, or something else.
func FuzzOpen(f *testing.F) {
	whole := bytes.Repeat([]byte{1}, 128)
	copy(whole, "cr")
	f.Add(true, append(whole, "cr"...))
	f.Add(true, append(whole[:100], append([]byte("cr"), whole...)...))
	f.Add(false, []byte("00cr11crcr"))
	log, at := testLog(1, 0)
	chunk := chunkAt(log, 0)
	f.Fuzz(func(t *testing.T, header bool, sectors []byte) {
		if len(sectors) > 1000 {
			return
		}
		var data []byte
		if header {
			data = append(data, log[:fileHeaderSize]...)
		}
		for _, s := range sectors {
			sector := make([]byte, sectorSize)
			switch s {
			case 'c':
				copy(sector, chunk)
			case 'r':
				copy(sector, chunk[at[0][0]:at[0][1]])
			case '0':
			default:
				sector[s] = s
			}
			data = append(data, sector...)
		}
		file, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		buf := make([]byte, ChunkSize)
		seen := map[int64]bool{}
		for _, c := range file.Chunks() {
			if got, err := file.ReadChunk(c, buf); err != nil || len(got) != c.Size || seen[c.Offset] || c.Offset%sectorSize != 0 {
				t.Errorf("chunk %+v: %d bytes, %v", c, len(got), err)
			}
			seen[c.Offset] = true
		}
	})
}

// TestFlippedBits changes bits of a chunk at random: what a bad disk does.
func TestFlippedBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	fast, slow := NewDecoder(), NewDecoder()
	slow.slow = true
	whole := shapesChunk()
	for range 500 {
		c := bytes.Clone(whole)
		for range 1 + rng.IntN(8) {
			c[rng.IntN(len(c)/4)] ^= 1 << rng.IntN(8) // the records take the first quarter
		}
		checkChunk(t, fast, slow, c)
		if t.Failed() {
			return
		}
	}
}

// TestTruncatedChunks cuts a chunk off at every length.
func TestTruncatedChunks(t *testing.T) {
	whole := shapesChunk()
	fast, slow := NewDecoder(), NewDecoder()
	slow.slow = true
	for n := 0; n < len(whole)/4; n += 7 {
		checkChunk(t, fast, slow, whole[:n])
		if t.Failed() {
			return
		}
	}
}
