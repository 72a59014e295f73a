package datafile

import (
	"slices"

	"github.com/wadi-project/wadi/internal/schema"
)

// Group describes one row group of a finished file.
type Group struct {
	// Offset and SizeBytes are its place in the file, CRC is CRC-32C of these bytes.
	Offset, SizeBytes, Rows int64
	CRC                     uint32
	// Spans are the ranges of _Seq by source, those with most rows first; at most
	// maxSpans, and one of otherSources for the rest. Nil for tables without both.
	Spans []Span
}

// Span is the range of _Seq that a row group has of one source.
type Span struct {
	Source       int32
	Lo, Hi, Rows int64
}

const (
	// maxSpans bounds the sources whose ranges are told apart.
	maxSpans = 16
	// otherSources stands for the sources beyond.
	otherSources = -1
)

// spans gives the ranges of _Seq by source of a row group. Both columns are never
// null.
func spans(t *schema.Table, g *group) []Span {
	source, seq := t.Index("_Source"), t.Index("_Seq")
	if source < 0 || seq < 0 || len(g.cols[source].nums) != g.rows || len(g.cols[seq].nums) != g.rows {
		return nil
	}
	var all []Span
	at := map[int64]int{}
	last, i := int64(-1), 0 // neighbours are mostly of one source
	for row, s := range g.cols[source].nums {
		n := g.cols[seq].nums[row]
		if s != last || len(all) == 0 {
			var ok bool
			if i, ok = at[s]; !ok {
				i = len(all)
				at[s] = i
				all = append(all, Span{Source: int32(s), Lo: n, Hi: n})
			}
			last = s
		}
		a := &all[i]
		a.Lo, a.Hi, a.Rows = min(a.Lo, n), max(a.Hi, n), a.Rows+1
	}
	slices.SortStableFunc(all, func(a, b Span) int { return int(b.Rows - a.Rows) })
	if len(all) <= maxSpans {
		return all
	}
	rest := Span{Source: otherSources, Lo: all[maxSpans].Lo, Hi: all[maxSpans].Hi}
	for _, s := range all[maxSpans:] {
		rest.Lo, rest.Hi, rest.Rows = min(rest.Lo, s.Lo), max(rest.Hi, s.Hi), rest.Rows+s.Rows
	}
	return append(all[:maxSpans:maxSpans], rest)
}
