package forward

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"time"
	"unicode/utf8"
)

// textLog is a file of lines.
type textLog struct {
	path string
	kind kind

	offset, line int64
	head, tail   []byte // the first bytes, and the last before offset
	dirty        bool
	size         int64 // when it was read last
	modified     time.Time
	looked       time.Time

	iis iisLines // kindIIS
}

// newTextLog makes the follower of a file, at the cursor that belongs to it: the
// one of its name, else of another, by what is in the file.
func (r *run) newTextLog(path string, k kind, f *os.File, st os.FileInfo) (*textLog, error) {
	t := &textLog{path: path, kind: k}
	t.restart()
	c := r.cursors[path]
	if c == nil || !c.fits(k, f, st.Size()) {
		if c != nil && c.Offset > 0 {
			if err := r.orphan(c); err != nil {
				return nil, err
			}
		}
		c = nil
		for _, other := range r.sameHead(f) {
			switch {
			case other.Offset <= st.Size():
				if (c == nil || other.Offset > c.Offset) && other.fits(k, f, st.Size()) {
					c = other
				}
			case c == nil && other.Kind == k && other.Path != path && t.olderCopy(other.Path, f, st.Size()):
				t.dirty = true
				return t, nil
			}
		}
	}
	if c != nil && !t.resume(c, f) {
		t.restart()
	}
	t.dirty = c == nil || c.Path != path
	return t, nil
}

// headKey is the beginning of a text file.
type headKey struct {
	length int
	hash   string
}

// knowHead notes that a file begins so.
func (r *run) knowHead(c *cursor) {
	if c.HeadLen <= 0 || c.HeadLen > headBytes {
		return
	}
	key := headKey{c.HeadLen, c.Head}
	if !slices.Contains(r.heads[key], c.Path) {
		r.heads[key] = append(r.heads[key], c.Path)
		r.headLens[c.HeadLen] = true
	}
}

// sameHead gives the cursors of the files that begin as this one, as they are now.
func (r *run) sameHead(f *os.File) (list []*cursor) {
	head := make([]byte, headBytes)
	n, _ := f.ReadAt(head, 0)
	for length := range r.headLens {
		if length > n {
			continue
		}
		for _, path := range r.heads[headKey{length, sumOf(head[:length])}] {
			if t, ok := r.followers[path].(*textLog); ok {
				list = append(list, t.cursorHere())
			} else if c := r.cursors[path]; c != nil {
				list = append(list, c)
			}
		}
	}
	if n < headBytes { // it may be the beginning of a longer one
		for _, fo := range r.followers {
			if t, ok := fo.(*textLog); ok && len(t.head) > n && bytes.HasPrefix(t.head, head[:n]) {
				list = append(list, t.cursorHere())
			}
		}
	}
	return list
}

// olderCopy moves behind all lines of a file that is the beginning of another,
// which is sent already.
func (t *textLog) olderCopy(of string, f *os.File, size int64) bool {
	whole, err := openLog(of)
	if err != nil {
		return false
	}
	defer whole.Close()
	other := bufio.NewReader(io.NewSectionReader(whole, 0, size))
	lines := bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 64<<10)
	for {
		line, _, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return true
		}
		same := make([]byte, len(line))
		if _, readErr := io.ReadFull(other, same); err != nil || readErr != nil || !bytes.Equal(same, line) {
			t.restart()
			return false
		}
		t.take(line)
		if t.kind == kindIIS {
			t.iis.parser.Line(line, &t.iis.row)
		}
	}
}

// fits tells whether a cursor belongs to the file: its beginning, and what is
// before the cursor's place, are as they were.
func (c *cursor) fits(k kind, f *os.File, size int64) bool {
	if c.Kind != k || c.Offset > size || c.Offset <= 0 || c.HeadLen <= 0 || c.HeadLen > headBytes || c.TailLen <= 0 || c.TailLen > tailBytes || int64(c.TailLen) > c.Offset {
		return false
	}
	return hashAt(f, 0, c.HeadLen) == c.Head && hashAt(f, c.Offset-int64(c.TailLen), c.TailLen) == c.Tail
}

// hashAt is empty when the bytes can't be read.
func hashAt(f io.ReaderAt, off int64, n int) string {
	b := make([]byte, n)
	if got, _ := f.ReadAt(b, off); got < n {
		return ""
	}
	return sumOf(b)
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (t *textLog) restart() {
	t.offset, t.line, t.head, t.tail = 0, 0, nil, nil
	t.iis = newIISLines()
}

// resume places the follower behind a cursor. An IIS log's directives are read
// again.
func (t *textLog) resume(c *cursor, f *os.File) bool {
	lines := bufio.NewReaderSize(io.NewSectionReader(f, 0, c.Offset), 64<<10)
	for t.offset < c.Offset && t.kind == kindIIS {
		line, _, err := readLine(lines)
		if err != nil {
			return false
		}
		t.take(line)
		t.iis.parser.Line(line, &t.iis.row)
	}
	t.offset, t.line = c.Offset, c.Line
	t.head, t.tail = make([]byte, c.HeadLen), make([]byte, c.TailLen)
	_, err := f.ReadAt(t.head, 0)
	_, err2 := f.ReadAt(t.tail, c.Offset-int64(c.TailLen))
	return errors.Join(err, err2) == nil
}

// take moves behind a line.
func (t *textLog) take(line []byte) {
	if room := headBytes - len(t.head); room > 0 {
		t.head = append(t.head, line[:min(room, len(line))]...)
	}
	t.tail = append(t.tail, line[max(0, len(line)-tailBytes):]...)
	if len(t.tail) > 16*tailBytes {
		t.tail = t.tail[:copy(t.tail, t.tail[len(t.tail)-tailBytes:])]
	}
	t.offset += int64(len(line))
	t.line++
	t.dirty = true
}

func (t *textLog) changed() bool { return t.dirty }

func (t *textLog) cursor(now time.Time) *cursor {
	t.dirty = false
	tail := t.tail[max(0, len(t.tail)-tailBytes):]
	return &cursor{
		Path: t.path, Kind: t.kind, Seen: now, Offset: t.offset, Line: t.line,
		Head: sumOf(t.head), HeadLen: len(t.head), Tail: sumOf(tail), TailLen: len(tail),
	}
}

// follow reads the whole lines that are new.
func (t *textLog) follow(ctx context.Context, r *run, f *os.File, st os.FileInfo) error {
	now := time.Now()
	if st.Size() == t.size && st.ModTime().Equal(t.modified) && now.Sub(t.looked) < lookAnyway {
		return nil
	}
	t.size, t.modified, t.looked = st.Size(), st.ModTime(), now
	if t.offset > 0 && !t.cursorHere().fits(t.kind, f, st.Size()) {
		r.cfg.Log.Info("a file was replaced; it is read from its start", "file", t.path)
		if err := r.orphan(t.cursorHere()); err != nil {
			return err
		}
		t.restart()
		t.dirty = true
	}
	lines := bufio.NewReaderSize(io.NewSectionReader(f, t.offset, st.Size()-t.offset), 256<<10)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		line, long, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			if t.offset > 0 {
				r.knowHead(t.cursorHere())
			}
			return nil // what follows the last line end isn't a line yet
		}
		if err != nil {
			return &readError{err}
		}
		if err := t.one(ctx, r, line, long); err != nil {
			return err
		}
		t.take(line)
	}
}

// cursorHere is the cursor, without settling it.
func (t *textLog) cursorHere() *cursor {
	dirty := t.dirty
	c := t.cursor(time.Time{})
	t.dirty = dirty
	return c
}

// one makes a row of a line.
func (t *textLog) one(ctx context.Context, r *run, line []byte, long bool) error {
	text := bytes.TrimRight(line, "\r\n")
	if long {
		return r.refuseLine(t.path, t.line+1, text[:1024], "the line is longer than 1 MiB")
	}
	if t.kind == kindIIS {
		row, reason := t.iis.line(line)
		switch {
		case reason == notIIS && !r.unsent[t.path]:
			r.unsent[t.path] = true
			r.cfg.Log.Warn("lines of a file are not sent", "file", t.path, "reason", reason)
			return nil
		case reason == notIIS:
			return nil
		case reason != "":
			return r.refuseLine(t.path, t.line+1, text, reason)
		case row == nil:
			return nil
		}
		if name := t.iis.unplaced(); name != "" {
			r.cfg.Log.Warn("values of a field are not sent: W3CIISLog has no column for it", "file", t.path, "field", name)
		}
		return r.add(ctx, r.cfg.IISStream, t, t.path, row)
	}
	text = bytes.TrimSpace(trimStart(text))
	if len(text) == 0 {
		return nil
	}
	if text[0] != '{' || !utf8.Valid(text) || !json.Valid(text) {
		return r.refuseLine(t.path, t.line+1, text, "the line is no JSON object")
	}
	return r.add(ctx, r.cfg.JSONStream, t, t.path, bytes.Clone(text))
}

// trimStart leaves out blanks and a byte order mark.
func trimStart(b []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\ufeff")), " \t\r\n")
}

// readLine gives a line with its end, valid until the next call; io.EOF when there
// is no whole line. Of a long one the text is all there, but long says so.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	line, err = r.ReadSlice('\n')
	if err == nil {
		return line, false, nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, false, err
	}
	line = bytes.Clone(line)
	for {
		more, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, false, err
		}
		line = append(line, more...)
		if err == nil {
			return line, len(line) > maxLine, nil
		}
		if len(line) > maxLongLine {
			return nil, true, errLongLine
		}
	}
}

// maxLongLine bounds what is held of a line to find its end.
const maxLongLine = 64 << 20

var errLongLine = errors.New("a line is longer than 64 MiB: this is no log")
