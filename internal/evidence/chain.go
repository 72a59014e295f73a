package evidence

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Stored is an entry as the state has it.
type Stored struct {
	N    int64
	Body []byte
	Head Head
}

// Chain plays entries in their order. The zero value is an empty chain; it is not
// safe for concurrent use.
type Chain struct {
	// Files are in the tables after the entries so far, by path, and Gone those that
	// left them, to the number of the entry that took them out.
	Files map[string]*File
	Gone  map[string]int64
	// N, Head and ID are those of the last entry; ID is the chain's UUID.
	N    int64
	Head Head
	ID   string
	// Entries counts them, First is the number of the first.
	Entries, First int64
	// LedgerExpired tells that rows of the ledger were removed by retention.
	LedgerExpired bool

	heads map[int64]Head
}

// Add plays an entry. It gives what is wrong with the entry itself; it is played all
// the same where it can be read, so that the rest can be checked.
func (c *Chain) Add(s Stored) (e *Entry, wrong []string) {
	if c.heads == nil {
		c.heads, c.Files, c.Gone = map[int64]Head{}, map[string]*File{}, map[string]int64{}
	}
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("entry %d of the chain: ", s.N)+fmt.Sprintf(format, args...))
	}
	e = &Entry{}
	if err := json.Unmarshal(s.Body, e); err != nil {
		say("it can't be read")
		e = &Entry{N: s.N}
	}
	first := c.Entries == 0
	switch {
	case e.N != s.N:
		say("it says that it is entry %d", e.N)
	case !first && s.N != c.N+1:
		say("%s", missing(c.N+1, s.N-1))
	}
	switch {
	case e.Kind == Begin && !first && (e.Former == nil || e.Former.N != c.N || e.Former.Head != c.Head.String()):
		say("it begins a chain that doesn't go on from entry %d", c.N)
	case e.Kind != Begin && first:
		say("what was before it is missing")
	case e.Kind != Begin && e.Prev != c.Head.String():
		say("it doesn't follow entry %d as that is now", c.N)
	}
	prev := c.Head
	if first && e.Kind != Begin {
		prev, _ = ParseHead(e.Prev) // so that the entry itself can be judged
	}
	if got := seal(e.Kind == Begin, prev, s.Body); got != s.Head && (first || e.Kind == Begin || e.Prev == c.Head.String()) {
		say("it was changed: its hash isn't its head")
	}
	c.play(e, say)
	if first {
		c.First = s.N
	}
	c.N, c.Head = s.N, s.Head
	c.heads[s.N] = s.Head
	c.Entries++
	return e, wrong
}

func missing(from, to int64) string {
	switch {
	case to < from:
		return "entries are out of order"
	case to == from:
		return fmt.Sprintf("entry %d before it is missing", from)
	}
	return fmt.Sprintf("entries %d to %d before it are missing", from, to)
}

// play applies an entry to the files.
func (c *Chain) play(e *Entry, say func(string, ...any)) {
	if e.Kind == Begin {
		c.ID = e.Chain
		before := c.Files
		c.Files = map[string]*File{}
		for i := range e.Added {
			f := &e.Added[i]
			// A chain that goes on from another has the details there.
			if old := before[f.Path]; old != nil && old.SHA256 == f.SHA256 {
				f = old
			}
			c.Files[f.Path] = f
		}
		return
	}
	for _, r := range e.Removed {
		f := c.Files[r.Path]
		switch {
		case f == nil:
			say("it takes %s out, which no entry brought in", r.Path)
			continue
		case f.Rows != r.Rows:
			say("it takes %s out with %d rows, which has %d", r.Path, r.Rows, f.Rows)
		}
		delete(c.Files, r.Path)
		c.Gone[r.Path] = e.N
		c.LedgerExpired = c.LedgerExpired || strings.HasPrefix(r.Path, "ledger/") && e.Kind == "expire"
	}
	for i := range e.Added {
		f := &e.Added[i]
		if c.Files[f.Path] != nil {
			say("it adds %s, which is in already", f.Path)
		}
		c.Files[f.Path] = f
	}
}

// Knows tells whether the chain has that head at that entry; known is false for
// entries before its first, about which it can't tell.
func (c *Chain) Knows(n int64, h Head) (same, known bool) {
	if n < c.First {
		return false, false
	}
	have, ok := c.heads[n]
	return ok && have == h, true
}

// Day gives the day or month that a file's rows came in on, by its folder: 2026-11-25
// or 2026-11; empty where the path doesn't say.
func Day(path string) string {
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case len(part) == 9 && part[0] == 'd' && digits(part[1:]):
			return part[1:5] + "-" + part[5:7] + "-" + part[7:]
		case len(part) == 7 && part[0] == 'm' && digits(part[1:]):
			return part[1:5] + "-" + part[5:]
		}
	}
	return ""
}

func digits(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < '0' || c > '9' })
}

// maxNamedSpans bounds the ranges that a description names.
const maxNamedSpans = 8

// Describe says what a row group held: rows and ranges of _Seq by source.
func (g *Group) Describe(number int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "row group %d (%d rows: ", number, g.Rows)
	for i, s := range g.Spans {
		if i == maxNamedSpans {
			fmt.Fprintf(&b, ", and %d more sources", len(g.Spans)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if s.Source == OtherSources {
			fmt.Fprintf(&b, "other sources _Seq %d to %d", s.Lo, s.Hi)
		} else {
			fmt.Fprintf(&b, "source %d _Seq %d to %d", s.Source, s.Lo, s.Hi)
		}
	}
	b.WriteByte(')')
	return b.String()
}
