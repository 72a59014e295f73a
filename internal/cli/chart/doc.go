// Package chart draws series of numbers as text for a terminal.
//
// # How it works
//
// [Draw] takes a [Chart], values that the caller has gathered and named, and
// writes lines no wider than asked for, with the blocks of Unicode or, where a
// terminal has only ASCII, with ASCII. Colours repeat what glyphs and labels say.
//
// One series along time or numbers is drawn ten lines high; a few get a plot each,
// because the counts of events differ by orders of magnitude; more get one line
// each, to their own scale, which stands behind it. Stacked series share one plot,
// with a glyph each. Axes begin at zero and have round ticks.
//
// # Rules
//
// Nothing is made up and nothing is left out in silence: a bin without a value
// stays blank, a value above zero is never invisible, and what doesn't fit is
// counted in a line below. Values are added up only where the form says that they
// may be: the small slices of a pie and the small series of a stack become
// "other"; bars and lines, whose values may be averages, never do. Where there are
// more bins than columns a column shows its highest.
//
// The package is pure and holds no state. Text must be free of control characters:
// the caller escapes it.
package chart
