package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"

	"github.com/wadi-project/wadi/internal/kql/syntax"
)

// exitUsage is the command line's code for wrong usage or KQL.
const exitUsage = 2

// Error is a question that can't be run as it is written.
type Error struct {
	// Text is the question.
	Text string
	// Diagnostics say what is wrong, in the order of their places; at least one.
	Diagnostics []syntax.Diagnostic
}

// mistakes makes an error of what was found; what was found twice is told once.
func mistakes(text string, found []syntax.Diagnostic) *Error {
	e := &Error{Text: text}
	for _, d := range found {
		if !slices.Contains(e.Diagnostics, d) {
			e.Diagnostics = append(e.Diagnostics, d)
		}
	}
	return e
}

// Error gives the first diagnostic in one line with its place.
func (e *Error) Error() string { return "cannot run the question: " + e.Diagnostics[0].Error() }

// maxShown bounds the diagnostics that Detail shows: one mistake can lead to many,
// and the first ones matter.
const maxShown = 8

// Detail shows the diagnostics' places in the question and, where there are
// several, their hints, in lines without a line feed at the end.
// Lines are safe for a terminal; those of carets hold nothing but blanks and ^.
func (e *Error) Detail() string {
	var b strings.Builder
	for i, d := range e.Diagnostics[:min(len(e.Diagnostics), maxShown)] {
		if i > 0 {
			b.WriteString("\nalso: " + printable(d.Error()) + "\n")
		}
		b.WriteString("  " + strings.ReplaceAll(e.Excerpt(d), "\n", "\n  "))
		if len(e.Diagnostics) > 1 && d.Hint != "" {
			b.WriteString("\n  hint: " + printable(d.Hint))
		}
	}
	if more := len(e.Diagnostics) - maxShown; more > 0 {
		fmt.Fprintf(&b, "\n(%d more are not shown)", more)
	}
	return b.String()
}

// ExitCode is the command line's.
func (e *Error) ExitCode() int { return exitUsage }

// Hint is that of the only diagnostic, which may be empty; where there are
// several, Detail shows each one's below its place.
func (e *Error) Hint() string {
	if len(e.Diagnostics) > 1 {
		return ""
	}
	return e.Diagnostics[0].Hint
}

// The display of a place, in cells of a terminal.
const (
	// caretWidth bounds the excerpt of a long line.
	caretWidth = 100
	// caretBefore is how much of a long line is shown before the place.
	caretBefore = 40
	// tabWidth is how wide a tab is shown.
	tabWidth = 4
)

// Excerpt shows a diagnostic's line and a second line with carets under its
// place; control characters are shown as blanks. Both lines are indented alike
// and end without a line feed.
func (e *Error) Excerpt(d syntax.Diagnostic) string {
	start := min(max(d.Start, 0), len(e.Text))
	lineStart := strings.LastIndexByte(e.Text[:start], '\n') + 1
	line, _, _ := strings.Cut(e.Text[lineStart:], "\n")
	line = strings.TrimSuffix(line, "\r")
	end := min(max(d.End-lineStart, start-lineStart), len(line))
	start = min(start-lineStart, len(line))
	before, marked, after := printable(line[:start]), printable(line[start:end]), printable(line[end:])
	cells := excerptCells.StringWidth
	if cells(before)+cells(marked)+cells(after) > caretWidth {
		if cells(before) > caretBefore {
			before = "…" + excerptCells.TruncateLeft(before, cells(before)-caretBefore+1, "")
		}
		marked = excerptCells.Truncate(marked, caretWidth-cells(before), "…")
		after = excerptCells.Truncate(after, max(caretWidth-cells(before)-cells(marked), 1), "…")
	}
	return strings.TrimRight(before+marked+after, " ") + "\n" + strings.Repeat(" ", cells(before)) + strings.Repeat("^", max(cells(marked), 1))
}

// excerptCells measures text as terminals do, the same for every locale.
var excerptCells = &runewidth.Condition{StrictEmojiNeutral: true}

// printable shows what a terminal could obey as blanks, and a tab as some.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\t':
			b.WriteString(strings.Repeat(" ", tabWidth))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}
