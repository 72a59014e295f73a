package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

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

// Error gives the first diagnostic in one line with its place.
func (e *Error) Error() string { return "cannot run the question: " + e.Diagnostics[0].Error() }

// Detail shows every diagnostic's place in the question, in lines without a line
// feed at the end.
func (e *Error) Detail() string {
	var b strings.Builder
	for i, d := range e.Diagnostics {
		if i > 0 {
			b.WriteString("\nalso: " + printable(d.Error()) + "\n")
		}
		b.WriteString("  " + strings.ReplaceAll(e.Excerpt(d), "\n", "\n  "))
	}
	return b.String()
}

// ExitCode is the command line's.
func (e *Error) ExitCode() int { return exitUsage }

// Hint is the first diagnostic's, which may be empty.
func (e *Error) Hint() string { return e.Diagnostics[0].Hint }

// The display of a place.
const (
	// caretWidth bounds the excerpt of a long line.
	caretWidth = 100
	// caretBefore is how much of a long line is shown before the place.
	caretBefore = 40
)

// Excerpt shows a diagnostic's line and a second line with carets under its
// place; control characters are shown as blanks. Both lines are indented alike
// and end without a line feed.
func (e *Error) Excerpt(d syntax.Diagnostic) string {
	start := min(max(d.Start, 0), len(e.Text))
	lineStart := strings.LastIndexByte(e.Text[:start], '\n') + 1
	line, _, _ := strings.Cut(e.Text[lineStart:], "\n")
	line = strings.TrimSuffix(line, "\r")
	at := utf8.RuneCountInString(line[:min(start-lineStart, len(line))])
	end := min(max(d.End, start), lineStart+len(line))
	width := max(utf8.RuneCountInString(e.Text[min(start, end):end]), 1)
	runes := []rune(printable(line))
	cut := ""
	if len(runes) > caretWidth {
		if from := at - caretBefore; from > 0 {
			runes, at, cut = runes[from:], caretBefore, "…"
		}
		if len(runes) > caretWidth {
			runes = append(runes[:caretWidth:caretWidth], '…')
		}
	}
	width = min(width, max(len(runes)-at, 1))
	pad := strings.Repeat(" ", utf8.RuneCountInString(cut)+at)
	return cut + string(runes) + "\n" + pad + strings.Repeat("^", width)
}

// printable shows what a terminal could obey as blanks.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
