package ledger

import (
	"testing"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// TestDigests holds that a part's digest is that of its rows, whichever files they
// lie in, and that every count is in it.
func TestDigests(t *testing.T) {
	tallies := []catalog.SourceTally{{Source: 1, Channel: "A", Received: 3, Stored: 3}, {Source: 2, Received: 5, Duplicate: 5, Losses: []string{"x"}}}
	digest := func(parts ...[]catalog.SourceTally) (string, int64) {
		p := Part{Log: "log", Door: "stream", Number: 3, IngestedAtUS: 9, FirstSeq: 10}
		var files []datafile.Input
		for _, rows := range parts {
			dir := t.TempDir()
			files = append(files, write(t, dir, schema.Ledger, func(s *datafile.Sorter) error { return p.AddTallies(t.Context(), s, rows) }))
		}
		var all Digest
		if err := Digests(t.Context(), files, func(key PartKey, d *Digest) {
			if key != (PartKey{"log", 3}) {
				t.Errorf("%+v", key)
			}
			all.Merge(d)
		}); err != nil {
			t.Fatal(err)
		}
		return all.String(), all.Rows()
	}
	one, n := digest(tallies)
	two, m := digest(tallies[:1], tallies[1:])
	if one != two || n != 2 || m != 2 {
		t.Errorf("%s of %d rows in one file, %s of %d in two", one, n, two, m)
	}
	seen := map[string]string{one: "the part itself"}
	for name, change := range map[string]func(*catalog.SourceTally){
		"received":  func(c *catalog.SourceTally) { c.Received, c.Duplicate = 4, 1 },
		"filtered":  func(c *catalog.SourceTally) { c.Received, c.Filtered = 4, 1 },
		"damaged":   func(c *catalog.SourceTally) { c.Received, c.Damaged = 4, 1 },
		"partial":   func(c *catalog.SourceTally) { c.Partial = 1 },
		"lost":      func(c *catalog.SourceTally) { c.Lost = 1 },
		"late":      func(c *catalog.SourceTally) { c.Late = 1 },
		"first":     func(c *catalog.SourceTally) { c.FirstTime = 10 },
		"last":      func(c *catalog.SourceTally) { c.LastTime = 20 },
		"skew":      func(c *catalog.SourceTally) { c.SkewMin = 1 },
		"more skew": func(c *catalog.SourceTally) { c.SkewMax = 1 },
		"channel":   func(c *catalog.SourceTally) { c.Channel = "B" },
		"source":    func(c *catalog.SourceTally) { c.Source = 7 },
		"detail":    func(c *catalog.SourceTally) { c.Losses = []string{"y"} },
	} {
		changed := []catalog.SourceTally{tallies[0], tallies[1]}
		change(&changed[0])
		got, _ := digest(changed)
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[got] = name
	}
}
