package dump

import (
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/pipe"
)

// Limits of a summary, against crafted files.
const (
	// maxChannels bounds the channels that are counted apart: a forwarded log of a
	// whole fleet has some hundred.
	maxChannels = 4096
	// maxGaps bounds the gaps that are kept, of those that are counted.
	maxGaps = 1000
	// maxLosses bounds the losses that are kept, of those that are counted.
	maxLosses = 1000
)

// Channel is one channel's share of a log.
type Channel struct {
	// Name is the channel, empty for records that have none.
	Name string
	// Records is how many records it has, Computers how many machines they name.
	Records   int64
	Computers int
	// First and Last are the smallest and largest TimeCreated, 0 when no record has
	// a readable one.
	First, Last event.Ticks

	computers map[string]bool
}

// Gap is a run of record identifiers that no record of the log has.
type Gap struct{ First, Last uint64 }

// Info is what [Inspect] found in a log.
type Info struct {
	Name      string
	SizeBytes int64
	Header    evtx.Header
	Chunks    int
	Records   int64
	// FirstID and LastID are the smallest and largest record identifier.
	FirstID, LastID uint64
	// Channels are sorted by name; beyond some thousand they are counted under the
	// name "(others)".
	Channels []*Channel
	// Gaps are missing record identifiers, in order; Missing counts them all.
	Gaps     []Gap
	GapCount int
	Missing  uint64
	// Losses are the first findings, Findings counts all, and Lost the records that
	// they cost.
	Losses   []evtx.Loss
	Findings int64
	Lost     int64

	byName map[string]*Channel
	lastID uint64 // of the record before, for gaps
}

// fields of a record that a summary needs, by their place in the set.
const (
	fieldChannel = iota
	fieldTime
	fieldComputer
)

// tally is a chunk's share of a summary.
type tally struct {
	channels []*Channel
	records  int64
	runs     []Gap // runs of consecutive identifiers, in order
	losses   []evtx.Loss
}

// Inspect summarises the event log r of size bytes with workers decoders. Damage
// is in the summary; an error means that r is no event log or cannot be read, or
// is the cause of ctx's end.
func Inspect(ctx context.Context, name string, r io.ReaderAt, size int64, workers int) (*Info, error) {
	f, err := evtx.Open(r, size)
	if err != nil {
		return nil, err
	}
	info := &Info{Name: name, SizeBytes: size, Header: f.Header(), Chunks: len(f.Chunks()), byName: map[string]*Channel{}}
	info.lose(f.Losses())
	set := evtx.NewFieldSet("Channel", "TimeGenerated", "Computer")
	g := pipe.New(ctx)
	chunks := pipe.From(g, 0, func(_ context.Context, emit func(evtx.ChunkInfo) error) error {
		for _, c := range f.Chunks() {
			if err := emit(c); err != nil {
				return err
			}
		}
		return nil
	})
	workers = max(workers, 1)
	tallies := pipe.Map(g, chunks, pipe.Workers{N: workers, Depth: workers + ahead}, func(int) func(context.Context, evtx.ChunkInfo) (*tally, error) {
		w := &worker{decoder: evtx.NewDecoder(), chunk: make([]byte, evtx.ChunkSize)}
		return func(_ context.Context, c evtx.ChunkInfo) (*tally, error) { return w.count(f, c, set), nil }
	})
	pipe.Each(g, tallies, func(_ context.Context, t *tally) error { info.add(t); return nil })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(info.Channels, func(a, b *Channel) int { return cmp.Compare(a.Name, b.Name) })
	for _, c := range info.Channels {
		c.Computers = len(c.computers)
	}
	return info, nil
}

// count tallies one chunk.
func (w *worker) count(f *evtx.File, c evtx.ChunkInfo, set *evtx.FieldSet) *tally {
	t := &tally{}
	data, err := f.ReadChunk(c, w.chunk)
	if err != nil {
		t.losses = append(t.losses, evtx.Loss{Chunk: c.Number, Offset: c.Offset, Reason: err.Error()})
		return t
	}
	w.decoder.Open(c, data)
	var r evtx.Record
	var fields evtx.Fields
	for w.decoder.Next(&r) {
		if n := len(t.runs); n > 0 && t.runs[n-1].Last+1 == r.ID {
			t.runs[n-1].Last = r.ID
		} else {
			t.runs = append(t.runs, Gap{r.ID, r.ID})
		}
		if err := w.decoder.Get(&fields, &r, set); err != nil {
			continue // it is among the decoder's losses
		}
		t.records++
		t.count(&fields)
	}
	t.losses = append(t.losses, w.decoder.Losses()...)
	return t
}

// count adds a record to its channel.
func (t *tally) count(f *evtx.Fields) {
	name, _ := f.Get(fieldChannel)
	var c *Channel
	for _, known := range t.channels {
		if known.Name == string(name) {
			c = known
			break
		}
	}
	if c == nil {
		c = &Channel{Name: string(name), computers: map[string]bool{}}
		t.channels = append(t.channels, c)
	}
	c.Records++
	if computer, ok := f.Get(fieldComputer); ok && !c.computers[string(computer)] {
		c.computers[string(computer)] = true
	}
	if text, ok := f.Get(fieldTime); ok {
		if at, _, err := event.ParseISO(text); err == nil {
			c.span(at, at)
		}
	}
}

func (c *Channel) span(first, last event.Ticks) {
	if c.First == 0 || first != 0 && first < c.First {
		c.First = first
	}
	c.Last = max(c.Last, last)
}

func (info *Info) lose(losses []evtx.Loss) {
	for _, l := range losses {
		info.Lost += int64(l.Records)
		info.Findings++
		if len(info.Losses) < maxLosses {
			info.Losses = append(info.Losses, l)
		}
	}
}

// add adds a chunk's tally; chunks come in record order.
func (info *Info) add(t *tally) {
	info.lose(t.losses)
	info.Records += t.records
	for _, run := range t.runs {
		if info.FirstID == 0 || run.First < info.FirstID {
			info.FirstID = run.First
		}
		if info.lastID != 0 && run.First > info.lastID && run.First-info.lastID > 1 {
			info.GapCount++
			info.Missing += run.First - info.lastID - 1
			if len(info.Gaps) < maxGaps {
				info.Gaps = append(info.Gaps, Gap{info.lastID + 1, run.First - 1})
			}
		}
		info.lastID = max(info.lastID, run.Last)
		info.LastID = info.lastID
	}
	for _, c := range t.channels {
		own := info.byName[c.Name]
		if own == nil {
			if name := c.Name; len(info.Channels) < maxChannels {
				own = &Channel{Name: name, computers: map[string]bool{}}
			} else if own = info.byName[others]; own == nil {
				own = &Channel{Name: others, computers: map[string]bool{}}
			}
			if info.byName[own.Name] == nil {
				info.byName[own.Name] = own
				info.Channels = append(info.Channels, own)
			}
		}
		own.Records += c.Records
		own.span(c.First, c.Last)
		for name := range c.computers {
			if len(own.computers) >= maxChannels {
				break
			}
			own.computers[name] = true
		}
	}
}

// others is the channel under which channels beyond maxChannels are counted.
const others = "(others)"
