package shell

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/peterh/liner"
)

// Completer gives the words that may stand at a place in a text (in bytes), and
// where the word that they replace begins.
type Completer func(text string, at int) (start int, words []string)

// Terminal is the editor on the process's own terminal. The caller must Close it,
// which gives the terminal its mode back.
type Terminal struct {
	*liner.State
	filter *pasteFilter
	out    io.Writer
	pasted bool // the line given last
}

// NewTerminal takes the terminal. pending gives the text before the line that is
// typed; complete gets both.
func NewTerminal(pending func() string, complete Completer) (*Terminal, error) {
	t := &Terminal{filter: &pasteFilter{}, out: os.Stdout}
	keys, passed, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cannot take the terminal: %w", err)
	}
	// Package liner reads os.Stdin, has no other way to be given keys, and looks at
	// it here only; the terminal's mode is that of file descriptor 0.
	terminal := os.Stdin
	os.Stdin = keys
	t.State = liner.NewLiner()
	os.Stdin = terminal
	go t.filter.pump(terminal, passed)
	t.SetCtrlCAborts(true)
	t.SetTabCompletionStyle(liner.TabPrints)
	t.SetMultiLineMode(true) // a long line goes on in the next, instead of out of sight
	t.SetBeep(false)
	t.SetWordCompleter(func(line string, pos int) (head string, words []string, tail string) {
		at := byteOffset(line, pos)
		before := pending()
		start, words := complete(before+line, len(before)+at)
		start = min(max(start-len(before), 0), at)
		return line[:start], beginAlike(line[start:at], words), line[at:]
	})
	_, err = io.WriteString(t.out, pasteOn)
	return t, err
}

// Prompt reads a line.
func (t *Terminal) Prompt(prompt string) (string, error) {
	line, err := t.State.Prompt(prompt)
	if err != nil {
		t.filter.forget()
	}
	t.pasted = err == nil && t.filter.next()
	return line, err
}

// Pasted tells whether the line given last was pasted, not typed.
func (t *Terminal) Pasted() bool { return t.pasted }

// Close gives the terminal back. It may be called twice.
func (t *Terminal) Close() error {
	_, err := io.WriteString(t.out, pasteOff)
	return errors.Join(err, t.State.Close())
}

// beginAlike makes words begin as what is typed does where they differ in case:
// the editor replaces what is typed by what all words begin with, which must never
// be less. A word that is left alone keeps its own case.
func beginAlike(typed string, words []string) []string {
	for _, w := range words {
		if len(w) < len(typed) || len(words[0]) < len(typed) || w[:len(typed)] != words[0][:len(typed)] {
			alike := make([]string, 0, len(words))
			for _, w := range words {
				alike = append(alike, typed+w[min(len(typed), len(w)):])
			}
			return alike
		}
	}
	return words
}

// byteOffset gives where the rune pos of a line begins.
func byteOffset(line string, pos int) int {
	at := 0
	for range pos {
		_, size := utf8.DecodeRuneInString(line[at:])
		at += size
	}
	return at
}
