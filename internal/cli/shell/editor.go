package shell

import (
	"unicode/utf8"

	"github.com/peterh/liner"
)

// Completer gives the words that may stand at a place in a text (in bytes), and
// where the word that they replace begins.
type Completer func(text string, at int) (start int, words []string)

// Terminal is the editor on the process's own terminal. The caller must Close it,
// which gives the terminal its mode back.
type Terminal struct{ *liner.State }

// NewTerminal takes the terminal. pending gives the text before the line that is
// typed; complete gets both.
func NewTerminal(pending func() string, complete Completer) *Terminal {
	state := liner.NewLiner()
	state.SetCtrlCAborts(true)
	state.SetTabCompletionStyle(liner.TabPrints)
	state.SetBeep(false)
	state.SetWordCompleter(func(line string, pos int) (head string, words []string, tail string) {
		at := byteOffset(line, pos)
		before := pending()
		start, words := complete(before+line, len(before)+at)
		start = min(max(start-len(before), 0), at)
		return line[:start], words, line[at:]
	})
	return &Terminal{state}
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
