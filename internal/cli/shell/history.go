package shell

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The bounds of a history.
const (
	// MaxHistory is how many questions are kept.
	MaxHistory = 1000
	// maxEntry bounds a question that is kept: longer ones are files.
	maxEntry = 64 << 10
	// maxHistoryFile bounds what is read of a file; more is no history of ours.
	maxHistoryFile = 2 * MaxHistory * 1024
)

// HistoryFile is where the history is kept for a user: in the state folder of the
// XDG base directories, "" when there is no home.
func HistoryFile(getenv func(string) string) string {
	state := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // the specification: a relative path is to be ignored
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "wadi", "history")
}

// History is the questions asked so far, the oldest first, in a file that only its
// owner may read. One without a path is kept in memory only. Sessions that run at
// the same time may share the file: each adds its own.
type History struct {
	path    string
	entries []string
}

// OpenHistory reads the history of a file, which need not exist. When it can't be
// read, the history given is empty and kept in memory, and err says why.
func OpenHistory(path string) (*History, error) {
	h := &History{}
	if path == "" {
		return h, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return h, fmt.Errorf("cannot keep a history: %w", err)
	}
	lines, err := readHistory(path)
	if err != nil {
		return h, fmt.Errorf("cannot keep a history: %w", err)
	}
	h.path, h.entries = path, lines
	if len(lines) > MaxHistory {
		h.entries = lines[len(lines)-MaxHistory:]
		if err := h.rewrite(); err != nil {
			return h, fmt.Errorf("cannot keep a history: %w", err)
		}
	}
	return h, nil
}

func readHistory(path string) ([]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case info.Size() > maxHistoryFile*4:
		return nil, fmt.Errorf("%s has %d bytes, which is no history", path, info.Size())
	}
	var lines []string
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 2*maxEntry)
	for scanner.Scan() {
		if line := scanner.Text(); line != "" && !strings.ContainsFunc(line, control) {
			lines = append(lines, line)
		}
	}
	return lines, scanner.Err()
}

// control tells of runes that an entry has not: it is shown on a terminal again.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// rewrite writes the file anew, at once.
func (h *History) rewrite() error {
	f, err := os.CreateTemp(filepath.Dir(h.path), ".history.*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(h.entries, "\n") + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), h.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Entries gives the questions, the oldest first; the caller must not change them.
func (h *History) Entries() []string { return h.entries }

// Add keeps a question as one line and gives that line; "" when it is not kept,
// because it is the same as the last, too long or can't be one line.
func (h *History) Add(question string) (line string, err error) {
	s := scan(question)
	line = s.flat
	if !s.flatten || line == "" || len(line) > maxEntry || strings.ContainsFunc(line, control) {
		return "", nil
	}
	if len(h.entries) > 0 && h.entries[len(h.entries)-1] == line {
		return "", nil
	}
	h.entries = append(h.entries, line)
	if len(h.entries) > MaxHistory {
		h.entries = h.entries[1:]
	}
	if h.path == "" {
		return line, nil
	}
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return line, fmt.Errorf("cannot keep the history: %w", err)
	}
	_, err = f.WriteString(line + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return line, fmt.Errorf("cannot keep the history: %w", err)
	}
	return line, nil
}
