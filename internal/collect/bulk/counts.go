package bulk

import (
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
)

// Counts adds up what happened to records: Read = Stored + Duplicate + Damaged.
type Counts struct {
	Read      int64 `json:"read"`
	Stored    int64 `json:"stored"`
	Duplicate int64 `json:"duplicate"`
	Damaged   int64 `json:"damaged"`
	// Partial counts stored records with _Damage.
	Partial int64 `json:"partial"`
	// Lost counts record identifiers that the logs skip: records that were gone
	// before the import. They are not read.
	Lost int64 `json:"lost"`
}

func (c *Counts) add(o Counts) {
	c.Read += o.Read
	c.Stored += o.Stored
	c.Duplicate += o.Duplicate
	c.Damaged += o.Damaged
	c.Partial += o.Partial
	c.Lost += o.Lost
}

// FileSummary is what became of one log.
type FileSummary struct {
	// Name is the file's name, Kind its type, Source its number in the table
	// sources, 0 when it has none.
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Source int32  `json:"source,omitempty"`
	Counts
	// Incomplete says that a part of the file was not committed, because the
	// import was interrupted.
	Incomplete bool `json:"incomplete,omitempty"`
	// Findings are the first losses and remarks, each one line; MoreFindings
	// counts the others.
	Findings     []string `json:"findings,omitempty"`
	MoreFindings int      `json:"more_findings,omitempty"`
}

func (f *FileSummary) note(findings []string, more int) {
	n := min(len(findings), keptFindings-len(f.Findings))
	f.Findings = append(f.Findings, findings[:n]...)
	f.MoreFindings += len(findings) - n + more
}

// Summary is what an import did. The counts are of what is committed.
type Summary struct {
	// Files counts the logs read, Skipped the files that are no log, Failed those
	// that could not be read.
	Files   int `json:"files"`
	Skipped int `json:"skipped"`
	Failed  int `json:"failed"`
	Counts
	// Bytes is the size of the logs read, Parts the number of commits.
	Bytes int64 `json:"bytes"`
	Parts int   `json:"parts"`
	// Log names the import, empty when nothing was committed.
	Log string `json:"log,omitempty"`
	// Interrupted tells that the import ended before its input did.
	Interrupted bool `json:"interrupted"`
	// PerFile are the logs in the order in which they were read, Failures the
	// files that could not be read, each one line.
	PerFile  []FileSummary `json:"-"`
	Failures []string      `json:"-"`
}

// tally is what a part, or a job of it, did with the records of one channel of
// one source.
type tally struct {
	Counts
	channel string
	// firstTime and lastTime bound TimeGenerated of the stored rows, skew is
	// _IngestedAt − TimeGenerated in ticks; valid when timed > 0 rows have a time.
	timed               int64
	firstTime, lastTime event.Ticks
	skewMin, skewMax    int64
	findings            []string
}

// stored counts one stored row.
func (t *tally) stored(at event.Ticks, timed bool, ingestedUS int64, partial bool) {
	t.Read++
	t.Stored++
	if partial {
		t.Partial++
	}
	if timed {
		skew := int64(event.FromUnixMicros(ingestedUS) - at)
		t.times(1, at, at, skew, skew)
	}
}

func (t *tally) times(n int64, first, last event.Ticks, skewMin, skewMax int64) {
	switch {
	case n == 0:
	case t.timed == 0:
		t.firstTime, t.lastTime, t.skewMin, t.skewMax = first, last, skewMin, skewMax
	default:
		t.firstTime, t.lastTime = min(t.firstTime, first), max(t.lastTime, last)
		t.skewMin, t.skewMax = min(t.skewMin, skewMin), max(t.skewMax, skewMax)
	}
	t.timed += n
}

func (t *tally) add(o *tally) {
	t.Counts.add(o.Counts)
	t.times(o.timed, o.firstTime, o.lastTime, o.skewMin, o.skewMax)
	n := min(len(o.findings), keptFindings-len(t.findings))
	t.findings = append(t.findings, o.findings[:n]...)
}

// ledger gives the tally in the words of the ledger.
func (t *tally) ledger(source int32) lake.SourceTally {
	return lake.SourceTally{
		Source: source, Channel: t.channel,
		Received: t.Read, Stored: t.Stored, Duplicate: t.Duplicate, Damaged: t.Damaged, Partial: t.Partial, Lost: t.Lost,
		FirstTime: t.firstTime, LastTime: t.lastTime, SkewMin: t.skewMin, SkewMax: t.skewMax, Losses: t.findings,
	}
}

// tallies are a source's tallies by channel: few, so a list.
type tallies []tally

// of gives the tally of a channel; it is valid until the next call.
func (l *tallies) of(channel []byte) *tally {
	for i := range *l {
		if (*l)[i].channel == string(channel) {
			return &(*l)[i]
		}
	}
	*l = append(*l, tally{channel: string(channel)})
	return &(*l)[len(*l)-1]
}
