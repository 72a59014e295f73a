package bulk

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/collect/files"
	"github.com/wadi-project/wadi/internal/w3c"
)

// printLine prints what a line of a text log is.
func printLine(kind w3c.Kind, r *w3c.Row) string {
	if kind != w3c.Data {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v %v %q %q %q", r.HasTime, r.Time, r.Format, r.FieldNames, r.Raw, r.Damage)
	for _, f := range r.Fields {
		fmt.Fprintf(&b, " %s=%q", f.Name, f.Value)
	}
	return b.String()
}

// readBlocks reads a text log behind its known part and prints its rows; it also
// gives how many lines were known.
func readBlocks(t *testing.T, data []byte, known int64, block int) (rows []string, skipped int64) {
	t.Helper()
	f := &logFile{summary: FileSummary{Source: 1}}
	text := textLog{
		in: &files.Input{Name: "x", Content: bytes.NewReader(data), SizeBytes: int64(len(data))}, file: f, known: known, sum: sha256.New(), block: block, maxLine: 1 << 20,
		watch: w3c.NewParser(w3c.Options{}),
	}
	next := int64(1)
	text.r = &reader{cfg: &Config{}, seq: 1, emit: func(j *job) error {
		if j.seq < next || j.line < 1 {
			t.Errorf("a job begins with row %d at line %d, expected at least %d", j.seq, j.line, next)
		}
		next = j.seq
		p := w3c.NewParser(w3c.Options{})
		var r w3c.Row
		for head := j.head; len(head) > 0; {
			var line []byte
			line, head = cutLine(head)
			p.Line(line, &r)
		}
		for rest := j.text; len(rest) > 0; {
			var line []byte
			line, rest = cutLine(rest)
			kind := p.Line(line, &r)
			if (kind == w3c.Data) != isData(line) {
				t.Errorf("%q is data: %v", line, kind == w3c.Data)
			}
			if s := printLine(kind, &r); s != "" {
				rows = append(rows, s)
				next++
			}
		}
		return nil
	}}
	if err := text.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if at := text.skipped; at.Read != at.Duplicate {
		t.Errorf("%+v", at)
	}
	return rows, text.skipped.Read
}

// FuzzTextBlocks reads a log in blocks and as a whole: the rows are the same, and
// behind a known part they are the last ones.
func FuzzTextBlocks(f *testing.F) {
	f.Add(w3cLog("abc"), uint16(0), uint16(40))
	f.Add([]byte("\xef\xbb\xbf"+w3cHead+w3cLine(1)+"#Fields: time c-ip\n12:00:00 1.2.3.4\n\n#Date: 2026-01-02 00:00:00\nx"), uint16(250), uint16(7))
	f.Add([]byte("\x00\x00#Fields: a\r\n\x00b\r\n#fields: c d\ne f"), uint16(12), uint16(3))
	f.Add([]byte("\x00\x00@ a\rb\x00#f\n\r\x00"), uint16(56), uint16(8))
	f.Fuzz(func(t *testing.T, data []byte, known, block uint16) {
		if len(data) > 1<<16 {
			return
		}
		var whole []string
		p := w3c.NewParser(w3c.Options{})
		var r w3c.Row
		for rest := data; len(rest) > 0; {
			var line []byte
			line, rest = cutLine(rest)
			if s := printLine(p.Line(line, &r), &r); s != "" {
				whole = append(whole, s)
			}
		}
		rows, skipped := readBlocks(t, data, min(int64(known), int64(len(data))), int(block)+1)
		if int(skipped)+len(rows) != len(whole) {
			t.Fatalf("%d known and %d new rows of %d", skipped, len(rows), len(whole))
		}
		if d := cmp.Diff(whole[skipped:], rows); d != "" && len(rows) > 0 {
			t.Errorf("blocks differ from the whole:\n%s", d)
		}
	})
}

// TestRandomStatesOfALog imports random states of one chunk. What a case has of
// them is a tree of records: each distinct beginning is stored once.
func TestRandomStatesOfALog(t *testing.T) {
	t.Parallel()
	const seed = 3
	random := rand.New(rand.NewPCG(seed, 0))
	for _, parts := range []int64{1, 0} { // each chunk a part of its own, and all in one part
		l := newTestLake(t)
		distinct := map[string]bool{}
		var paths []string
		for range 40 {
			state := []byte("a")
			for range random.IntN(7) {
				state = append(state, byte('a'+random.IntN(2)))
			}
			for n := range state {
				distinct[string(state[:n+1])] = true
			}
			paths = append(paths, write(t, "log.evtx", logOf(string(state))))
		}
		for i := 0; i < len(paths); i += 20 {
			l.load(Config{partRowBytes: parts}, paths[i:i+20]...)
		}
		if n := l.count(); n != int64(len(distinct)) {
			t.Errorf("seed %d, parts of %d: %d rows of %d distinct beginnings", seed, parts, n, len(distinct))
		}
		if s := l.load(Config{partRowBytes: parts}, paths...); s.Stored != 0 {
			t.Errorf("seed %d, parts of %d: a second import stored %d", seed, parts, s.Stored)
		}
	}
}
