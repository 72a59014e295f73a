package shell

import (
	"bytes"
	"io"
	"sync"
)

// The marks that a terminal puts around what is pasted, and how it is asked to.
const (
	pasteBegins = "\x1b[200~"
	pasteEnds   = "\x1b[201~"
	pasteOn     = "\x1b[?2004h"
	pasteOff    = "\x1b[?2004l"
)

// maxLines bounds the ends of lines that are remembered: more than a person types
// ahead, or a file has that is pasted.
const maxLines = 100_000

// pasteFilter passes keys on. Of what is pasted it takes the marks away and makes
// tabs blanks, because to the editor a tab is the key that completes; and it
// remembers which lines ended within a paste.
//
// A terminal that sets no marks pastes too: there, what comes at once with something
// behind the end of a line or a tab is taken for pasted.
type pasteFilter struct {
	pasting bool
	held    []byte // the beginning of what may be a mark
	last    byte

	mu    sync.Mutex
	lines []bool
}

// pump reads keys and passes them on until one side ends.
func (f *pasteFilter) pump(from io.Reader, to io.WriteCloser) {
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(f.pass(buffer[:n])); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass gives what is left of a chunk of keys.
func (f *pasteFilter) pass(chunk []byte) []byte {
	chunk = append(f.held, chunk...)
	f.held = nil
	unmarked := !f.pasting && atOnce(chunk)
	out := make([]byte, 0, len(chunk))
	for len(chunk) > 0 {
		c := chunk[0]
		switch {
		case bytes.HasPrefix(chunk, []byte(pasteBegins)):
			f.pasting, chunk = true, chunk[len(pasteBegins):]
			continue
		case bytes.HasPrefix(chunk, []byte(pasteEnds)):
			f.pasting, chunk = false, chunk[len(pasteEnds):]
			continue
		case c == pasteBegins[0] && (len(chunk) > 2 || f.pasting) && (bytes.HasPrefix([]byte(pasteBegins), chunk) || bytes.HasPrefix([]byte(pasteEnds), chunk)):
			f.held = bytes.Clone(chunk)
			return out
		case c == '\n' && f.last == '\r' && (f.pasting || unmarked):
			// One end of a line, not two.
		case c == '\r' || c == '\n':
			f.ended(f.pasting || unmarked)
			out = append(out, '\r')
		case c == '\t' && (f.pasting || unmarked):
			out = append(out, ' ')
		case f.pasting && c < ' ':
			// A key in pasted text is no key press: it must not run or erase.
		default:
			out = append(out, c)
		}
		f.last = c
		chunk = chunk[1:]
	}
	return out
}

// atOnce tells of a chunk without marks whether nobody typed it: something stands
// behind the end of a line, or behind a tab.
func atOnce(chunk []byte) bool {
	if bytes.ContainsRune(chunk, '\x1b') {
		return false
	}
	for i, c := range chunk[:max(len(chunk)-1, 0)] {
		if c == '\r' || c == '\n' || c == '\t' && chunk[i+1] != '\t' {
			return true
		}
	}
	return false
}

// ended remembers the end of a line.
func (f *pasteFilter) ended(pasted bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines) < maxLines {
		f.lines = append(f.lines, pasted)
	}
}

// forget drops what is remembered: the lines will not be read.
func (f *pasteFilter) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = nil
}

// next tells whether the next line was pasted.
func (f *pasteFilter) next() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.lines) == 0 {
		return false
	}
	pasted := f.lines[0]
	f.lines = f.lines[1:]
	return pasted
}
