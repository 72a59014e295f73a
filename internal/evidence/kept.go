package evidence

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Kept is a head that was kept outside of the lake.
type Kept struct {
	N     int64
	Head  Head
	Chain string
	// When is the time as it was written down.
	When string
}

// maxKept bounds the heads that a file may hold: one an hour for a hundred years.
const maxKept = 1_000_000

// Line gives a head as ReadKept reads it, with its line break.
func (k Kept) Line() string {
	return fmt.Sprintf("%d %s %s %s\n", k.N, k.Head, k.Chain, k.When)
}

// ReadKept reads heads, one a line; lines that are empty or begin with # are left
// out.
func ReadKept(r io.Reader) ([]Kept, error) {
	var all []Kept
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		fields := strings.Fields(text)
		if len(fields) < 2 || len(all) == maxKept {
			return nil, fmt.Errorf("cannot read the heads: line %d is no head, or one too many", n)
		}
		var k Kept
		var err error
		if k.N, err = strconv.ParseInt(fields[0], 10, 64); err == nil {
			k.Head, err = ParseHead(fields[1])
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the heads: line %d: %w", n, err)
		}
		if len(fields) > 2 {
			k.Chain = fields[2]
		}
		if len(fields) > 3 {
			k.When = fields[3]
		}
		all = append(all, k)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("cannot read the heads: %w", err)
	}
	return all, nil
}
