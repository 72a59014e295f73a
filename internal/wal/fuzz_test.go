package wal

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"
)

// FuzzOpen changes a log's bytes: Open gives frames that were written, in order
// and without gap, or an error; with Salvage too, but for the gaps it names.
func FuzzOpen(f *testing.F) {
	id := uuid.MustParse(testID)
	seed := seedOf(id)
	image := appendSegmentHeader(nil, id, 1, 1)
	var want [][]byte
	seq := int64(1)
	for i := range 6 {
		start := len(image)
		image = append(image, make([]byte, frameHeader)...)
		image = append(image, payload(int64(i+1), seq, i, 40+i*60)...)
		putHeader(image[start:], seed, header{since: uint32(i % 3), position: int64(i + 1), firstSeq: seq, rows: uint32(i)})
		seq += int64(i)
		want = append(want, slices.Clone(image[start+frameHeader:]))
	}
	f.Add(image, 0, byte(0), 0)
	f.Add(image, 60, byte(1), 3)
	f.Add(image[:300], 0, byte(0), 0)
	f.Add(slices.Concat(image, make([]byte, 600)), 0, byte(0), 0)
	f.Add(slices.Concat(image, image[segmentHeader:]), 200, byte(9), 50)
	f.Add(slices.Concat(image[:segmentHeader], image[300:]), 0, byte(0), 0)
	f.Fuzz(func(t *testing.T, b []byte, at int, with byte, cut int) {
		b = slices.Clone(b)
		if at > 0 && at < len(b) {
			b[at] ^= with
		}
		if cut > 0 && cut < len(b) {
			b = b[:len(b)-cut]
		}
		for _, salvage := range []bool{false, true} {
			m := newMemFS()
			m.names[filepath.Join(memDir, segmentName(1))] = &memFile{fs: m, data: slices.Clone(b), dirty: map[int64]bool{}}
			l, err := Open(t.Context(), memDir, Options{FS: m, Salvage: salvage})
			if err != nil {
				var damage *DamageError
				if salvage && errors.As(err, &damage) {
					t.Errorf("with Salvage: %v", err)
				}
				continue
			}
			last := int64(0)
			for _, fr := range all(t, l, 0) {
				if fr.Position <= last || !salvage && fr.Position != last+1 {
					t.Errorf("frame %d behind %d", fr.Position, last)
				}
				last = fr.Position
				if int(last) > len(want) || !bytes.Equal(fr.Payload, want[last-1]) {
					t.Errorf("frame %d was never written", last)
				}
			}
			next, _ := l.Next()
			if next <= last {
				t.Errorf("next is %d behind %d", next, last)
			}
			if _, err := put(context.Background(), l, 1, 1, 30); err != nil {
				t.Error(err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
