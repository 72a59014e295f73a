package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// generation is a stretch of the log that is committed as one part of the lake.
// While it is open, it is the door's, under Door.mu; closed, the committer's.
type generation struct {
	from, to int64 // positions: behind from, up to to
	opened   time.Duration
	fast     bool          // no hot files from here on
	since    time.Duration // when it became fast

	part    part
	filled  bool // part has the rows; else they have to be read from the log
	tables  map[string]*genTable
	rows    int64
	held    int64 // bytes of the budget
	encoded int64
	tallies []lake.SourceTally
	tallyAt map[tallyKey]int
	keys    []lake.KeyEntry
	batches map[[32]byte]int // place in keys of a client's log

	hot  int           // hot files that wait or are being written; under Door.mu
	done chan struct{} // closed when it is in the lake
}

// genTable is a table's share of a generation.
type genTable struct {
	table    *schema.Table
	last     int64          // position of its last frame
	buffer   *datafile.Rows // rows that wait for a hot file; nil for none
	bufferAt time.Duration  // when the first of them came
	unseen   bool           // it has rows that got no hot file
	hotFiles int
}

type tallyKey struct {
	source  int32
	channel string
}

func newGeneration(from int64, opened time.Duration, fast bool) *generation {
	return &generation{
		from: from, to: from, opened: opened, fast: fast, since: opened,
		tables: map[string]*genTable{}, tallyAt: map[tallyKey]int{}, batches: map[[32]byte]int{},
		done: make(chan struct{}),
	}
}

// takes tells whether an entry may be in the generation: it has one definition of a
// table.
func (g *generation) takes(e *entry) bool {
	t := g.tables[e.table]
	return e.count == 0 || t == nil || t.table.Version >= e.schema.Version
}

// add takes an entry. Rows that the part can't take don't matter: then all are read
// from the log again, when the generation is committed.
// latest is the youngest definition of its table.
func (g *generation) add(ctx context.Context, e *entry, latest *schema.Table, now time.Duration) error {
	g.to = e.position
	g.held += e.held
	g.count(e)
	g.know(e)
	if e.count == 0 {
		return nil
	}
	g.rows += int64(e.count)
	g.encoded += int64(len(e.rows))
	t := g.tables[e.table]
	if t == nil {
		t = &genTable{table: latest}
		g.tables[e.table] = t
	}
	t.last = e.position
	t.unseen = t.unseen || g.fast || !g.filled
	if !g.filled {
		return nil
	}
	rows, err := rowsOf(e, t.table)
	if err == nil {
		err = g.part.SorterAt(t.table, e.us).Add(ctx, rows)
	}
	if err != nil {
		return fmt.Errorf("cannot take rows into a part: %w", err)
	}
	if g.fast {
		return nil
	}
	if t.buffer == nil {
		t.buffer, t.bufferAt = datafile.NewRows(t.table), now
	}
	t.buffer.Append(rows)
	return nil
}

// rowsOf gives an entry's rows as rows of a table's younger definition.
func rowsOf(e *entry, t *schema.Table) (*datafile.Rows, error) {
	if e.schema == t {
		return e.batch, nil
	}
	rows := datafile.NewRows(t)
	return rows, rows.Load(e.rows, e.schema.Version)
}

// count adds an entry's tallies.
func (g *generation) count(e *entry) {
	ingested := event.FromUnixMicros(e.us)
	for i := range e.tallies {
		t := e.tallies[i]
		t.Source = e.source
		t.SkewMin, t.SkewMax = int64(ingested-t.LastTime), int64(ingested-t.FirstTime)
		key := tallyKey{e.source, t.Channel}
		at, ok := g.tallyAt[key]
		if !ok {
			g.tallyAt[key] = len(g.tallies)
			t.Losses = append([]string(nil), t.Losses...)
			g.tallies = append(g.tallies, t)
			continue
		}
		addTally(&g.tallies[at], &t)
	}
}

func addTally(sum, t *lake.SourceTally) {
	if t.Stored > 0 {
		if sum.Stored == 0 {
			sum.FirstTime, sum.LastTime, sum.SkewMin, sum.SkewMax = t.FirstTime, t.LastTime, t.SkewMin, t.SkewMax
		}
		sum.FirstTime, sum.LastTime = min(sum.FirstTime, t.FirstTime), max(sum.LastTime, t.LastTime)
		sum.SkewMin, sum.SkewMax = min(sum.SkewMin, t.SkewMin), max(sum.SkewMax, t.SkewMax)
	}
	sum.Received += t.Received
	sum.Stored += t.Stored
	sum.Duplicate += t.Duplicate
	sum.Filtered += t.Filtered
	sum.Damaged += t.Damaged
	sum.Partial += t.Partial
	sum.Lost += t.Lost
	sum.Late += t.Late
	for _, l := range t.Losses {
		if len(sum.Losses) < maxLosses {
			sum.Losses = append(sum.Losses, l)
		}
	}
}

// know keeps the key of an entry, for the state.
func (g *generation) know(e *entry) {
	k := lake.KeyEntry{US: e.us, KeyValue: lake.KeyValue{Source: e.source, FirstSeq: e.firstSeq}}
	switch e.keyKind {
	case keyRequest:
		k.Kind, k.Key, k.Count = lake.KeyRequest, e.request, int64(e.count)
	case keyBatch:
		k.Kind, k.Key, k.Count = lake.KeyBatch, batchKey(e.name, e.log), e.n
		if at, ok := g.batches[k.Key]; ok {
			g.keys[at] = k
			return
		}
		g.batches[k.Key] = len(g.keys)
	default:
		return
	}
	g.keys = append(g.keys, k)
}

// full tells that the generation has to be closed.
func (g *generation) full(partBytes int64) bool {
	if g.encoded >= partBytes || len(g.tallies) >= maxTallies || len(g.keys) >= maxKeys {
		return true
	}
	for _, t := range g.tables {
		if t.hotFiles >= maxHotFiles {
			return true
		}
	}
	return false
}

// speed makes the generation a fast one: rows that wait for a hot file don't get
// one.
func (g *generation) speed(now time.Duration) {
	if g.fast {
		return
	}
	g.fast, g.since = true, now
	for _, t := range g.tables {
		if t.buffer != nil {
			t.buffer, t.unseen = nil, true
		}
	}
}

// drop gives back what the generation has in memory; its rows are in the log.
func (g *generation) drop(now time.Duration) error {
	g.speed(now)
	p := g.part
	g.part, g.filled = nil, false
	if p == nil {
		return nil
	}
	return p.Abort()
}
