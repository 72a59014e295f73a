package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// perChunk is how many records each chunk of a testLog has.
const perChunk = 5

// testLog gives a log of some chunks; record n holds the text "value n". starts
// are the records' offsets in their chunk, by chunk.
func testLog(chunks int, flags uint32) (log []byte, starts [][]int) {
	b := evtxtest.NewBuilder()
	b.Flags = flags
	t := dataTemplate()
	id := uint64(1)
	for range chunks {
		c := b.Chunk()
		var at []int
		for range perChunk {
			at = append(at, c.Record(id, id*10_000_000, in(t, evtxtest.String(fmt.Sprintf("value %d", id)))))
			id++
		}
		starts = append(starts, at)
	}
	return b.Bytes(), starts
}

// chunkAt gives chunk i of a log, for changing.
func chunkAt(log []byte, i int) []byte {
	return log[fileHeaderSize+i*ChunkSize : fileHeaderSize+(i+1)*ChunkSize]
}

// read gives a line for each record and loss of a log.
func read(t testing.TB, log []byte) (lines []string) {
	t.Helper()
	f, err := Open(bytes.NewReader(log), int64(len(log)))
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	d := NewDecoder()
	var ids []string
	lose := func(l []Loss) {
		for _, l := range l {
			lines = append(lines, fmt.Sprintf("%s (%d)", l.Error(), l.Records))
		}
	}
	lose(f.Losses())
	buf := make([]byte, ChunkSize)
	for _, c := range f.Chunks() {
		data, err := f.ReadChunk(c, buf)
		if err != nil {
			t.Fatal(err)
		}
		d.Open(c, data)
		var r Record
		for d.Next(&r) {
			out, err := d.AppendXML(nil, &r)
			if err == nil {
				ids = append(ids, fmt.Sprint(r.ID))
				if want := fmt.Sprintf("value %d<", r.ID); !strings.Contains(string(out), want) {
					t.Errorf("record %d: %s", r.ID, out)
				}
			} else if l := new(Loss); !errors.As(err, &l) || !slices.Contains(d.Losses(), *l) {
				t.Errorf("record %d: error %v is not among the losses", r.ID, err)
			}
		}
		lose(d.Losses())
	}
	return append([]string{"records " + strings.Join(ids, " ")}, lines...)
}

// TestDamageCostsTheRecordOnly damages logs in known ways.
func TestDamageCostsTheRecordOnly(t *testing.T) {
	const fields = 24 + 4 // record header, fragment header
	put32 := binary.LittleEndian.PutUint32
	for _, c := range []struct {
		name   string
		damage func(log []byte, at [][]int) []byte
		want   []string
	}{
		{"none", func(log []byte, _ [][]int) []byte { return log }, []string{"records 1 2 3 4 5 6 7 8 9 10"}},
		{"file header gone", func(log []byte, _ [][]int) []byte {
			clear(log[:fileHeaderSize])
			return log
		}, []string{"records 1 2 3 4 5 6 7 8 9 10", "the file header is missing or damaged (0)"}},
		{
			"chunks only", func(log []byte, _ [][]int) []byte { return log[fileHeaderSize:] },
			[]string{"records 1 2 3 4 5 6 7 8 9 10", "the file header is missing or damaged (0)"},
		},
		{"file header stale", func(log []byte, _ [][]int) []byte {
			evtxtest.PutFileHeader(log, 1, 3, FlagDirty)
			return log
		}, []string{"records 1 2 3 4 5 6 7 8 9 10"}},
		{
			"file header's checksum", func(log []byte, _ [][]int) []byte { log[30]++; return log },
			[]string{"records 1 2 3 4 5 6 7 8 9 10", "the checksum of the file header is wrong (0)"},
		},
		{"chunks out of order", func(log []byte, _ [][]int) []byte {
			one := bytes.Clone(chunkAt(log, 0))
			copy(chunkAt(log, 0), chunkAt(log, 1))
			copy(chunkAt(log, 1), one)
			return log
		}, []string{"records 1 2 3 4 5 6 7 8 9 10"}},
		{
			"chunk magic gone", func(log []byte, _ [][]int) []byte { clear(chunkAt(log, 0)[:8]); return log },
			[]string{"records 1 2 3 4 5 6 7 8 9 10", "chunk 0, offset 4096: the chunk header has no magic; its records are read all the same (0)"},
		},
		{
			"chunk header wiped", func(log []byte, _ [][]int) []byte { clear(chunkAt(log, 0)[:512]); return log },
			[]string{"records 1 2 3 4 5 6 7 8 9 10", "chunk 0, offset 4096: the chunk header has no magic; its records are read all the same (0)"},
		},
		{
			"chunk wiped", func(log []byte, _ [][]int) []byte { clear(chunkAt(log, 0)); return log },
			[]string{"records 6 7 8 9 10"},
		},
		{"chunk is garbage", func(log []byte, _ [][]int) []byte {
			for i := range chunkAt(log, 0) {
				chunkAt(log, 0)[i] = byte(i * 7)
			}
			return log
		}, []string{"records 6 7 8 9 10", "chunk 0, offset 4096: the chunk has no magic and no record at its start: its records are lost (0)"}},
		{"bytes missing between chunks", func(log []byte, _ [][]int) []byte {
			return slices.Delete(log, fileHeaderSize+ChunkSize-1024, fileHeaderSize+ChunkSize)
		}, []string{"records 1 2 3 4 5 6 7 8 9 10", "chunk 0, offset 4096: the chunk is cut off after 64512 bytes (0)"}},
		{
			"cut off in the second chunk", func(log []byte, at [][]int) []byte { return log[:fileHeaderSize+ChunkSize+at[1][3]+10] },
			[]string{
				"records 1 2 3 4 5 6 7 8", "chunk 1, offset 69632: the chunk is cut off after 906 bytes (0)",
				"chunk 1, offset 69632: the chunk header's free-space offset 1040 is outside the chunk (0)",
			},
		},
		{
			"cut off in the second chunk's header", func(log []byte, _ [][]int) []byte { return log[:fileHeaderSize+ChunkSize+200] },
			[]string{"records 1 2 3 4 5", "chunk 1, offset 69632: the chunk is cut off after 200 bytes (0)", "chunk 1, offset 69632: the chunk is shorter than its header (0)"},
		},
		{"record magic", func(log []byte, at [][]int) []byte {
			clear(chunkAt(log, 0)[at[0][2]:][:4])
			return log
		}, []string{"records 1 2 4 5 6 7 8 9 10", "chunk 0, offset 4096: the checksum of the chunk's records is wrong (0)", "chunk 0, offset 4920, record 3: no readable record here; reading went on at record 4 (1)"}},
		{"record size zero", func(log []byte, at [][]int) []byte {
			put32(chunkAt(log, 0)[at[0][2]+4:], 0)
			return log
		}, []string{"records 1 2 4 5 6 7 8 9 10", "chunk 0, offset 4096: the checksum of the chunk's records is wrong (0)", "record 3"}},
		{"record size huge", func(log []byte, at [][]int) []byte {
			put32(chunkAt(log, 0)[at[0][2]+4:], 0xfffffff0)
			return log
		}, []string{"records 1 2 4 5 6 7 8 9 10", "chunk 0, offset 4096: the checksum of the chunk's records is wrong (0)", "record 3"}},
		{"closing size", func(log []byte, at [][]int) []byte {
			put32(chunkAt(log, 0)[at[0][3]-4:], 7)
			return log
		}, []string{"records 1 2 3 4 5 6 7 8 9 10", "chunk 0, offset 4096: the checksum of the chunk's records is wrong (0)"}},
		{"token inside a record", func(log []byte, at [][]int) []byte {
			chunkAt(log, 0)[at[0][2]+fields] = 0x1f
			return log
		}, []string{"records 1 2 4 5 6 7 8 9 10", "chunk 0, offset 4096: the checksum of the chunk's records is wrong (0)", "record 3: binary XML has a token that cannot stand here (1)"}},
		{"template's place in a record", func(log []byte, at [][]int) []byte {
			put32(chunkAt(log, 0)[at[0][2]+fields+6:], 0x00ffffff)
			return log
		}, []string{"records 1 2 4 5 6 7 8 9 10", "chunk 0, offset 4096: the checksum of the chunk's records is wrong (0)", "record 3: a template definition lies outside of the chunk (1)"}},
		{"the record with the template", func(log []byte, at [][]int) []byte {
			clear(chunkAt(log, 0)[at[0][0]:at[0][1]])
			return log
		}, []string{"records 6 7 8 9 10"}},
		{"last record", func(log []byte, at [][]int) []byte {
			clear(chunkAt(log, 1)[at[1][4]:])
			return log
		}, []string{"records 1 2 3 4 5 6 7 8 9", "chunk 1, offset 69632: the checksum of the chunk's records is wrong (0)", "record 10: the chunk header promises records up to 10, which are not readable (1)"}},
		{"stale chunk header", func(log []byte, at [][]int) []byte {
			c := chunkAt(log, 1)
			put32(c[48:], uint32(at[1][3]))
			binary.LittleEndian.PutUint64(c[32:], 8)
			evtxtest.FixChecksums(c)
			return log
		}, []string{"records 1 2 3 4 5 6 7 8 9 10", "the chunk header is stale: records go on behind its free-space offset (0)"}},
		{"old records in the slack", func(log []byte, at [][]int) []byte {
			c := chunkAt(log, 1)
			put32(c[48:], uint32(at[1][3]))
			binary.LittleEndian.PutUint64(c[32:], 8)
			for _, i := range at[1][3:] { // of an earlier pass over the chunk
				binary.LittleEndian.PutUint64(c[i+8:], 2)
			}
			evtxtest.FixChecksums(c)
			return log
		}, []string{"records 1 2 3 4 5 6 7 8"}},
		{"no log", func(log []byte, _ [][]int) []byte { return []byte("hello, this is text") }, []string{"error: not an event log: no file header and no chunk found"}},
		{"empty", func(log []byte, _ [][]int) []byte { return nil }, []string{"error: not an event log: no file header and no chunk found"}},
	} {
		log, at := testLog(2, 0)
		got := read(t, c.damage(log, at))
		ok := len(got) >= len(c.want)
		for i := range c.want {
			ok = ok && strings.Contains(got[i], c.want[i])
		}
		if !ok {
			t.Errorf("%s: %s", c.name, cmp.Diff(c.want, got))
		}
	}
}
