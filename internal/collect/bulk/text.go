package bulk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	gohash "hash"
	"slices"

	"github.com/wadi-project/wadi/internal/collect/files"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/w3c"
)

var bom = []byte("\xef\xbb\xbf")

// lines reads a text log in blocks of whole lines.
func (r *reader) lines(ctx context.Context, in *files.Input, f *logFile, end *job) error {
	t := textLog{r: r, in: in, file: f, sum: sha256.New(), block: textBlock, maxLine: maxLine, watch: w3c.NewParser(w3c.Options{})}
	if err := t.resume(ctx); err != nil {
		return err
	}
	err := t.read(ctx)
	if t.broken != nil {
		end.findings = append(end.findings, t.broken.Error())
	}
	end.counts.add(t.skipped)
	return err
}

// textLog is a text log being read.
type textLog struct {
	r    *reader
	in   *files.Input
	file *logFile
	// block and maxLine are the limits textBlock and maxLine; tests have smaller
	// ones.
	block, maxLine int

	// Of the part of the file that the case has: its length, and the key under
	// which what follows is kept; no key for a log without data lines.
	known  int64
	key    hash
	hasKey bool

	sum     gohash.Hash // of the file up to the block in work
	heads   []directive
	watch   *w3c.Parser
	row     w3c.Row // the watch's
	line    int64   // number of the next line
	seq     int64   // of the log's first row
	skipped Counts
	broken  error // why the file ended early
}

// directive is a directive in force: its line, by its name.
type directive struct{ name, line []byte }

// resume finds out how much of the log the case has: from the key of its first
// data line on, from one known state to the next.
func (t *textLog) resume(ctx context.Context) error {
	n, ok, err := t.firstDataLine(ctx)
	if err != nil || !ok {
		return err
	}
	h := sha256.New()
	if err := t.advance(ctx, h, 0, n); err != nil {
		return err
	}
	h.Sum(t.key[:0])
	t.hasKey = true
	first := true
	h = sha256.New() // of the known part
	mismatches := 0
	for range maxKeySteps {
		v, _, ok, err := t.r.text.lookup(ctx, t.key)
		if err != nil || !ok {
			return err
		}
		if t.r.cfg.KeepDuplicates && first {
			t.hasKey = false
			return nil
		}
		first = false
		same := false
		if v.Count > t.known && v.Count <= t.in.SizeBytes {
			ahead, err := clone(h)
			if err != nil {
				return err
			}
			if err := t.advance(ctx, ahead, t.known, v.Count); err != nil {
				return err
			}
			if same = sum(ahead) == v.Prefix; same {
				h, t.known = ahead, v.Count
				t.key = goesOn(v.Prefix)
			}
		}
		if !same {
			t.key = branches(t.key, sum(h))
			if mismatches++; mismatches > maxMismatches {
				t.hasKey = false
				return nil
			}
		}
		if t.known == t.in.SizeBytes {
			return nil
		}
	}
	t.hasKey = false
	return nil
}

func sum(h gohash.Hash) (out hash) {
	h.Sum(out[:0])
	return out
}

func clone(h gohash.Hash) (gohash.Hash, error) {
	c, ok := h.(gohash.Cloner)
	if !ok {
		return nil, errors.New("BUG: the hash cannot be copied")
	}
	return c.Clone()
}

// advance hashes the file from one offset to another.
func (t *textLog) advance(ctx context.Context, h gohash.Hash, from, to int64) error {
	buf := make([]byte, textBlock)
	for from < to {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := t.in.Content.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		h.Write(buf[:n])
		from += int64(n)
		if n == 0 {
			return fmt.Errorf("cannot read %s at byte %d: %w", t.in.Name, from, err)
		}
	}
	return nil
}

// firstDataLine gives the offset behind the first data line, false when there is
// none.
func (t *textLog) firstDataLine(ctx context.Context) (int64, bool, error) {
	at := int64(0)
	for b := range t.blocks(ctx, 0) {
		rest := b
		if at == 0 {
			rest = bytes.TrimPrefix(b, bom)
			at += int64(len(b) - len(rest))
		}
		for len(rest) > 0 {
			var line []byte
			line, rest = cutLine(rest)
			at += int64(len(line))
			if isData(line) {
				return at, true, nil
			}
		}
	}
	return 0, false, context.Cause(ctx)
}

// isData tells whether a line is neither blank nor a directive.
func isData(line []byte) bool { return w3c.KindOf(line) == w3c.Data }

// cutLine cuts the first line off, with its line break.
func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i+1], b[i+1:]
	}
	return b, nil
}

// blocks gives the file from an offset on in blocks of whole lines; only the last
// line may lack its line break, and a line longer than maxLine is given in
// pieces. A block is new memory. A read error ends it and is kept in t.broken.
func (t *textLog) blocks(ctx context.Context, from int64) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		size := t.block
		for from < t.in.SizeBytes && ctx.Err() == nil {
			buf := make([]byte, min(int64(size), t.in.SizeBytes-from))
			n, err := t.in.Content.ReadAt(buf, from)
			if n < len(buf) && errInput(err) || n == 0 {
				t.broken = fmt.Errorf("cannot read at byte %d: %w", from+int64(n), err)
			}
			buf = buf[:n]
			last := from+int64(n) >= t.in.SizeBytes || t.broken != nil
			if cut := bytes.LastIndexByte(buf, '\n') + 1; cut > 0 && !last {
				buf = buf[:cut]
			} else if !last && size <= t.maxLine {
				size *= 2 // the line is longer than the block
				continue
			}
			size = t.block
			from += int64(len(buf))
			if len(buf) > 0 && !yield(buf) || t.broken != nil {
				return
			}
		}
	}
}

// read reads the whole file: the part that is known for its directives and
// counts, the rest for its rows.
func (t *textLog) read(ctx context.Context) error {
	at := int64(0)
	t.line = 1
	for b := range t.blocks(ctx, 0) {
		var j *job
		rest := b
		if at == 0 {
			rest = bytes.TrimPrefix(rest, bom)
			at += int64(len(b) - len(rest))
		}
		for len(rest) > 0 {
			var line []byte
			line, rest = cutLine(rest)
			from := at
			at += int64(len(line))
			t.watchDay(line)
			switch {
			case t.isKnown(line, from):
				if isData(line) {
					t.skipped.Read++
					t.skipped.Duplicate++
				}
			case j == nil:
				j = &job{kind: jobText, head: t.head(), text: line, line: t.line}
			default:
				j.text = j.text[:len(j.text)+len(line)] // lines follow each other in b
			}
			t.note(line)
			t.line++
		}
		t.sum.Write(b)
		if j == nil {
			continue
		}
		if err := t.give(ctx, j, at); err != nil {
			return err
		}
	}
	if t.skipped.Read > 0 && t.file.summary.Source == 0 {
		if err := t.r.source(ctx, t.file, t.in, ""); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// isKnown tells whether the line that begins at an offset is in the known part. A
// line that was cut off when the log was read is known when nothing but its line
// break has come since.
func (t *textLog) isKnown(line []byte, from int64) bool {
	end := from + int64(len(line))
	return end <= t.known || from < t.known && from+int64(len(bytes.TrimRight(line, "\r\n"))) <= t.known
}

// watchDay follows the times of a log whose rows have no date: when a day ends,
// #Date is in force no more. Jobs see only their own lines and can't tell.
func (t *textLog) watchDay(line []byte) {
	if isData(line) && !t.watch.Dateless() {
		return
	}
	if t.watch.Line(line, &t.row); t.watch.DayOver() {
		t.heads = slices.DeleteFunc(t.heads, func(d directive) bool {
			name := string(bytes.ToLower(d.name))
			return name == "#date" || name == "#start-date"
		})
	}
}

// note keeps directives: the last of each name is in force.
func (t *textLog) note(line []byte) {
	line = bytes.TrimLeft(line, "\x00")
	if len(line) == 0 || line[0] != '#' {
		return
	}
	name, _, _ := bytes.Cut(line, []byte{':'})
	for i := range t.heads {
		if bytes.EqualFold(t.heads[i].name, name) {
			t.heads = append(t.heads[:i], t.heads[i+1:]...)
			break
		}
	}
	line = bytes.Clone(line) // the block goes away
	t.heads = append(t.heads, directive{line[:len(name)], line})
}

// head gives the directives in force as lines.
func (t *textLog) head() (head []byte) {
	for _, d := range t.heads {
		if len(head)+len(d.line) > maxHead {
			break
		}
		head = append(head, d.line...)
		if !bytes.HasSuffix(d.line, []byte{'\n'}) {
			head = append(head, '\n')
		}
	}
	return head
}

// give numbers a job's lines and gives it on, with the key that says how far the
// log is stored then.
func (t *textLog) give(ctx context.Context, j *job, offset int64) error {
	if t.file.summary.Source == 0 {
		if err := t.r.source(ctx, t.file, t.in, ""); err != nil {
			return err
		}
		t.seq = t.r.seq
	}
	j.file, j.source, j.seq, j.size = t.file, t.file.summary.Source, t.r.seq, int64(len(j.text))
	t.r.seq += int64(bytes.Count(j.text, []byte{'\n'}) + 1)
	if t.hasKey {
		e := lake.KeyEntry{Kind: lake.KeyText, Key: t.key, KeyValue: lake.KeyValue{Count: offset, Prefix: sum(t.sum), Source: j.source, FirstSeq: t.seq}}
		t.r.text.add(e, nil)
		j.keys = []lake.KeyEntry{e}
	}
	return t.r.emit(j)
}
