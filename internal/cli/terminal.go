package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// escape makes text harmless for a terminal and for the eye: control characters
// (also those above ASCII), invisible and direction-changing characters and bytes
// that are no UTF-8 are shown as \n, \x1b, \u202e or \xff. A log line that a
// stranger wrote must not move the cursor, answer for the user or hide itself.
func escape(s string) string {
	if harmless(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && s[i] != "\uFFFD"[0]:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

func harmless(s string) bool {
	for i, r := range s {
		if hidden(r) || r == utf8.RuneError && s[i] != "\uFFFD"[0] {
			return false
		}
	}
	return true
}

// hidden tells of runes that are not shown as themselves. A blank is shown;
// marks that combine with the rune before are, too.
func hidden(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return !unicode.IsGraphic(r)
}

// terminalWriter escapes what is written but line feeds. A write must not end
// within a rune.
type terminalWriter struct{ w io.Writer }

func (t terminalWriter) Write(p []byte) (int, error) {
	lines := strings.Split(string(p), "\n")
	for i := range lines {
		lines[i] = escape(lines[i])
	}
	if _, err := io.WriteString(t.w, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// cells is the width of s on a terminal, the same for every locale.
func cells(s string) int { return newWidths().StringWidth(s) }

func newWidths() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }

// cut shortens s to width cells, with … at the end where something is missing.
func cut(s string, width int) string { return cutWith(s, width, "…") }

// cutWith is [cut] with another mark.
func cutWith(s string, width int, mark string) string {
	if cells(s) <= width {
		return s
	}
	return newWidths().Truncate(s, width, mark)
}

// pad fills s with blanks to width cells.
func pad(s string, width int, right bool) string {
	fill := strings.Repeat(" ", max(width-cells(s), 0))
	if right {
		return fill + s
	}
	return s + fill
}
