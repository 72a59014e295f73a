package datafile

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/klauspost/compress/s2"
)

// A spill file is a list of blocks. A block is 12 bytes of head (length of the
// rows, length as stored, CRC-32C of these two and of what is stored; all little
// endian) and the rows, S2-compressed. Rows don't cross blocks. The last block has
// no rows and stores the number of rows in 8 bytes, uncompressed: a file that was
// cut is noticed. S2 because a run is written and read once: it costs a fifth of
// zstd's fastest level and still saves three quarters of the writes.
const (
	spillHead = 12
	// spillBlockBytes is memory held per run while runs are merged (twice: stored
	// and plain), and what one read brings.
	spillBlockBytes = 256 << 10
	// maxSpillBlock is one block with the longest row.
	maxSpillBlock = spillBlockBytes + maxRowBytes + rowHead + 2 + maxKeyBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// tempFile is what a spill needs of a file.
type tempFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Name() string
}

// newTempFile makes a file that vanishes with its last user where the system can
// do that, so that a killed process leaves nothing; elsewhere discard removes it.
func newTempFile(dir string) (tempFile, error) {
	f, err := os.CreateTemp(dir, "sort-*.run")
	if err != nil {
		return nil, fmt.Errorf("cannot make a temporary file for sorting: %w", err)
	}
	return &unlinkedFile{File: f, gone: os.Remove(f.Name()) == nil}, nil
}

// unlinkedFile removes itself on Close, unless it is gone already.
type unlinkedFile struct {
	*os.File
	gone bool
}

// Close closes and removes the file.
func (f *unlinkedFile) Close() error {
	err := f.File.Close()
	if !f.gone {
		f.gone = true
		if e := os.Remove(f.Name()); e != nil && err == nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("cannot close a temporary file: %w", err)
	}
	return nil
}

// spill writes src to f.
func spill(f tempFile, src source) error {
	var rows uint64
	plain := make([]byte, 0, spillBlockBytes+spillBlockBytes/4)
	var out []byte
	flush := func(stored []byte) error {
		binary.LittleEndian.PutUint32(out, uint32(len(plain)))
		binary.LittleEndian.PutUint32(out[4:], uint32(len(stored)))
		sum := crc32.Update(crc32.Checksum(out[:8], castagnoli), castagnoli, stored)
		binary.LittleEndian.PutUint32(out[8:], sum)
		if _, err := f.Write(out[:spillHead+len(stored)]); err != nil {
			return fmt.Errorf("cannot write sorted rows to %s: %w", f.Name(), err)
		}
		plain = plain[:0]
		return nil
	}
	for {
		body, key, err := src.next()
		if err != nil && err != io.EOF {
			return err
		}
		if (err == io.EOF && len(plain) > 0) || len(plain)+len(body)+len(key) > spillBlockBytes && len(plain) > 0 {
			if n := spillHead + s2.MaxEncodedLen(len(plain)); cap(out) < n {
				out = make([]byte, n)
			}
			out = out[:cap(out)]
			if err := flush(s2.Encode(out[spillHead:], plain)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		rows++
		plain = binary.LittleEndian.AppendUint32(plain, uint32(len(body)))
		plain = append(plain, body...)
		plain = append(plain, byte(len(key))|0x80, byte(len(key)>>7))
		plain = append(plain, key...)
	}
	if cap(out) < spillHead+8 {
		out = make([]byte, spillHead+8)
	}
	out = out[:cap(out)]
	binary.LittleEndian.PutUint64(out[spillHead:], rows)
	return flush(out[spillHead : spillHead+8])
}

// spilled reads a spill file as a source.
type spilled struct {
	f      tempFile
	off    int64
	head   [spillHead]byte
	stored []byte
	plain  []byte
	left   []byte // rows of plain not yet given
	rows   uint64
	ended  bool
}

func (s *spilled) next() (body, key []byte, err error) {
	for len(s.left) == 0 {
		if s.ended {
			return nil, nil, io.EOF
		}
		if err := s.block(); err != nil {
			return nil, nil, err
		}
	}
	body, key, s.left, err = cutRow(s.left)
	if err != nil {
		return nil, nil, s.garbled("rows that can't be split")
	}
	s.rows++
	return body, key, nil
}

// block reads the next block.
func (s *spilled) block() error {
	if n, err := s.f.ReadAt(s.head[:], s.off); n < spillHead {
		return fmt.Errorf("cannot read sorted rows from %s at offset %d: %w", s.f.Name(), s.off, short(err))
	}
	plain, stored := binary.LittleEndian.Uint32(s.head[:]), binary.LittleEndian.Uint32(s.head[4:])
	if plain > maxSpillBlock || int64(stored) > int64(s2.MaxEncodedLen(maxSpillBlock)) {
		return s.garbled("an impossible length")
	}
	if cap(s.stored) < int(stored) {
		s.stored = make([]byte, stored)
	}
	s.stored = s.stored[:stored]
	if n, err := s.f.ReadAt(s.stored, s.off+spillHead); n < len(s.stored) {
		return fmt.Errorf("cannot read sorted rows from %s at offset %d: %w", s.f.Name(), s.off+spillHead, short(err))
	}
	sum := crc32.Update(crc32.Checksum(s.head[:8], castagnoli), castagnoli, s.stored)
	if sum != binary.LittleEndian.Uint32(s.head[8:]) {
		return s.garbled("a wrong checksum")
	}
	if plain == 0 {
		if len(s.stored) != 8 || binary.LittleEndian.Uint64(s.stored) != s.rows {
			return s.garbled("a wrong number of rows")
		}
		s.ended = true
		return nil
	}
	out, err := s2.Decode(s.plain[:cap(s.plain)], s.stored)
	if err != nil || len(out) != int(plain) {
		return s.garbled("rows that don't unpack")
	}
	s.plain, s.left = out, out
	s.off += spillHead + int64(stored)
	return nil
}

// garbled names the block that is not as it was written.
func (s *spilled) garbled(what string) error {
	return fmt.Errorf("cannot read sorted rows from %s: the block at offset %d has %s", s.f.Name(), s.off, what)
}

func (s *spilled) close() error { return s.f.Close() }

// short is the error of a read that brought too little.
func short(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
