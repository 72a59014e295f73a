package bulk

import (
	"github.com/wadi-project/wadi/internal/event"
)

// Counts adds up what happened to records: Read = Stored + Duplicate + Damaged.
type Counts struct {
	Read      int64 `json:"read"`
	Stored    int64 `json:"stored"`
	Duplicate int64 `json:"duplicate"`
	Damaged   int64 `json:"damaged"`
}

func (c *Counts) add(o Counts) {
	c.Read += o.Read
	c.Stored += o.Stored
	c.Duplicate += o.Duplicate
	c.Damaged += o.Damaged
}

// FileSummary is what became of one log.
type FileSummary struct {
	// Name is the file's name, Kind its type, Source its number in the table
	// sources.
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Source int32  `json:"source"`
	Counts
	// Incomplete says that a part of the file was not committed, because the
	// import was interrupted.
	Incomplete bool `json:"incomplete,omitempty"`
	// Findings are the first losses and remarks, each one line; MoreFindings
	// counts the others.
	Findings     []string `json:"findings,omitempty"`
	MoreFindings int      `json:"more_findings,omitempty"`
}

// Summary is what an import did. The counts are of what is committed.
type Summary struct {
	// Files counts the logs read, Skipped the files that are no log, Failed those
	// that could not be read.
	Files   int `json:"files"`
	Skipped int `json:"skipped"`
	Failed  int `json:"failed"`
	Counts
	// Partial counts stored records with _Damage.
	Partial int64 `json:"partial"`
	// Bytes is the size of the logs read, Parts the number of commits.
	Bytes int64 `json:"bytes"`
	Parts int   `json:"parts"`
	// Interrupted tells that the import ended before its input did.
	Interrupted bool          `json:"interrupted"`
	PerFile     []FileSummary `json:"-"`
}

// tally is what one part did with one source.
type tally struct {
	Counts
	Partial int64
	// FirstTime and LastTime bound TimeGenerated of the stored rows, 0 for none.
	FirstTime, LastTime event.Ticks
	// Skew is _IngestedAt − TimeGenerated in µs over the stored rows.
	SkewMin, SkewMax int64
}

// stored counts one stored row.
func (t *tally) stored(at event.Ticks, ingestedUS int64) {
	us, _ := at.UnixMicros()
	skew := ingestedUS - us
	if t.Stored == 0 {
		t.FirstTime, t.LastTime, t.SkewMin, t.SkewMax = at, at, skew, skew
	} else {
		t.FirstTime, t.LastTime = min(t.FirstTime, at), max(t.LastTime, at)
		t.SkewMin, t.SkewMax = min(t.SkewMin, skew), max(t.SkewMax, skew)
	}
	t.Stored++
}

func (t *tally) add(o *tally) {
	if o.Stored > 0 {
		if t.Stored == 0 {
			t.FirstTime, t.LastTime, t.SkewMin, t.SkewMax = o.FirstTime, o.LastTime, o.SkewMin, o.SkewMax
		} else {
			t.FirstTime, t.LastTime = min(t.FirstTime, o.FirstTime), max(t.LastTime, o.LastTime)
			t.SkewMin, t.SkewMax = min(t.SkewMin, o.SkewMin), max(t.SkewMax, o.SkewMax)
		}
	}
	t.Counts.add(o.Counts)
	t.Partial += o.Partial
}
