package files

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// opener is one Open call.
type opener struct {
	ctx    context.Context
	cfg    Config
	visit  func(*Input) error
	failed func(*Failure)
}

// fail reports that name can't be read; the rest goes on, unless the caller has
// given up.
func (o *opener) fail(name string, err error) error {
	if o.ctx.Err() != nil {
		return context.Cause(o.ctx)
	}
	o.failed(&Failure{Path: name, Err: err})
	return nil
}

// at handles content that can be read at any offset.
func (o *opener) at(name string, r io.ReaderAt, size int64, depth int) error {
	head := make([]byte, sniffBytes)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return o.fail(name, fmt.Errorf("cannot read: %w", err))
	}
	switch kind := Sniff(head[:n]); kind {
	case gzipped:
		return o.unzip(name, io.NewSectionReader(r, 0, size), depth)
	case zipped:
		return o.members(name, r, size, depth)
	default:
		return o.give(&Input{Name: name, Kind: kind, SizeBytes: size, Content: r})
	}
}

// stream handles content that can only be read once.
func (o *opener) stream(name string, r io.Reader, depth int) error {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(sniffBytes)
	if len(head) == 0 && err != nil && !errors.Is(err, io.EOF) {
		return o.fail(name, fmt.Errorf("cannot read: %w", err))
	}
	switch kind := Sniff(head); kind {
	case gzipped:
		return o.unzip(name, br, depth)
	case zipped:
		f, size, _, err := o.spool(br)
		if err != nil {
			return o.fail(name, fmt.Errorf("cannot read: %w", err))
		}
		defer f.Close()
		return o.members(name, f, size, depth)
	case NotALog:
		return o.give(&Input{Name: name})
	default:
		f, size, damage, err := o.spool(br)
		if err != nil {
			return o.fail(name, fmt.Errorf("cannot read: %w", err))
		}
		defer f.Close()
		return o.give(&Input{Name: name, Kind: kind, SizeBytes: size, Content: f, Damage: damage})
	}
}

// give hands an input to the visitor. A file cut off inside its first bytes and
// an empty one are no logs.
func (o *opener) give(in *Input) error {
	if err := o.ctx.Err(); err != nil {
		return context.Cause(o.ctx)
	}
	return o.visit(in)
}

func (o *opener) unzip(name string, r io.Reader, depth int) error {
	if depth >= MaxDepth {
		return o.fail(name, fmt.Errorf("archives are nested deeper than %d", MaxDepth))
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return o.fail(name, fmt.Errorf("cannot read: %w", err))
	}
	defer z.Close()
	return o.stream(name, z, depth+1)
}

// members handles a zip archive. A member that can't be read is a failure of
// its own and the others go on.
func (o *opener) members(name string, r io.ReaderAt, size int64, depth int) error {
	if depth >= MaxDepth {
		return o.fail(name, fmt.Errorf("archives are nested deeper than %d", MaxDepth))
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return o.fail(name, fmt.Errorf("cannot read: %w", err))
	}
	z.RegisterDecompressor(zip.Deflate, flate.NewReader)
	if len(z.File) > MaxMembers {
		return o.fail(name, fmt.Errorf("the archive has %d members, more than %d", len(z.File), MaxMembers))
	}
	for _, m := range z.File {
		if m.FileInfo().IsDir() {
			continue
		}
		if err := o.member(name+"!"+m.Name, m, depth); err != nil {
			return err
		}
	}
	return nil
}

func (o *opener) member(name string, m *zip.File, depth int) error {
	if m.Flags&1 != 0 {
		return o.fail(name, errors.New("the member is encrypted"))
	}
	r, err := m.Open()
	if err != nil {
		return o.fail(name, fmt.Errorf("cannot read: %w", err))
	}
	defer r.Close()
	return o.stream(name, r, depth+1)
}

// spooled is a temporary copy. path is what is still to be removed when it is
// closed: Windows keeps the name of a file as long as it is open.
type spooled struct {
	*os.File
	path string
}

// Close closes the copy, which is gone then.
func (s *spooled) Close() error {
	err := s.File.Close()
	if s.path != "" {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// spool copies r to a temporary file, without a name where the system can do
// that. Damage tells why r ended early; an error means that the copy could not be
// made.
func (o *opener) spool(r io.Reader) (f *spooled, size int64, damage string, err error) {
	temp, err := os.CreateTemp(o.cfg.TempDir, "import-*")
	if err != nil {
		return nil, 0, "", err
	}
	f = &spooled{File: temp}
	if os.Remove(temp.Name()) != nil {
		f.path = temp.Name()
	}
	buf := make([]byte, 256<<10)
	for {
		if o.ctx.Err() != nil {
			f.Close()
			return nil, 0, "", context.Cause(o.ctx)
		}
		n, readErr := r.Read(buf)
		if size+int64(n) > o.cfg.maxSpool() {
			f.Close()
			return nil, 0, "", fmt.Errorf("unpacked it is larger than %d bytes", o.cfg.maxSpool())
		}
		if _, err = f.Write(buf[:n]); err != nil {
			f.Close()
			return nil, 0, "", fmt.Errorf("cannot unpack: %w", err)
		}
		size += int64(n)
		switch {
		case readErr == io.EOF:
			return f, size, "", nil
		case readErr != nil && size > 0:
			return f, size, "cut off at byte " + fmt.Sprint(size) + ": " + readErr.Error(), nil
		case readErr != nil:
			f.Close()
			return nil, 0, "", readErr
		}
	}
}
