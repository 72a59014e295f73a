package chart

import "strings"

// glyphs are the characters of a chart; all are one cell wide.
type glyphs struct {
	// up grows from nothing to a full cell in eighths; strip does in one line of
	// its own.
	up, strip []string
	// right grows to the right, left to the left, down from the top, in eighths.
	right, left, down []string
	// side and corner are the lines of axes, tick a mark on one, cross where the
	// axis of zero leaves the side.
	side, corner, flat, tick, cross string
	// stack tells the series of a stack apart, marks those of scattered points.
	stack, marks []string
	// density is one, few and many points in a cell.
	density []string
	// more stands where text is cut.
	more string
}

var unicodeGlyphs = glyphs{
	up:      split(" ▁▂▃▄▅▆▇█"),
	strip:   split(" ▁▂▃▄▅▆▇█"),
	right:   split(" ▏▎▍▌▋▊▉█"),
	left:    split(" ▕▕▕▐▐▐▐█"),
	down:    split(" ▔▔▔▀▀▀▀█"),
	side:    "│",
	corner:  "└",
	flat:    "─",
	tick:    "┬",
	cross:   "┼",
	stack:   split("█▓▒░▞∙"),
	marks:   split("●○■□▲△◆◇"),
	density: split("·•●"),
	more:    "…",
}

var asciiGlyphs = glyphs{
	up:      split(" ...:::##"),
	strip:   split(" .:-=+*#@"),
	right:   split(" ---===##"),
	left:    split(" ---===##"),
	down:    split(" '''\"\"\"##"),
	side:    "|",
	corner:  "+",
	flat:    "-",
	tick:    "+",
	cross:   "+",
	stack:   split("#=+:o."),
	marks:   split("*o+x#@%&"),
	density: split(".o@"),
	more:    "~",
}

func split(s string) []string { return strings.Split(s, "") }

// eighth gives the glyph of n eighths of a cell.
func eighth(set []string, n int) string { return set[min(max(n, 0), 8)] }
