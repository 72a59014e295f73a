package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// maxDetailLosses bounds the losses that one row of the ledger names; a broken
// disk has millions of them.
const maxDetailLosses = 20

// Source is a source with its number.
type Source struct {
	ID int32
	catalog.SourceInfo
}

// Part composes the rows of one part of a log. It is not safe for concurrent use.
type Part struct {
	// Log, Door and Case are those of the log, Number is the part's.
	Log, Door, Case string
	Number          int64
	// IngestedAtUS is the part's _IngestedAt, µs since 1970.
	IngestedAtUS int64
	// FirstSeq is the next row's _Seq; it counts up with every row.
	FirstSeq int64
}

// row begins a row with what every table here has.
func (p *Part) row(b *datafile.Rows, source int32) {
	t := b.Table()
	b.Begin()
	b.Int(t.Index("TimeGenerated"), p.IngestedAtUS)
	b.Int(t.Index("_IngestedAt"), p.IngestedAtUS)
	b.Int(t.Index("_Source"), int64(source))
	b.Int(t.Index("_Seq"), p.FirstSeq)
	b.String(t.Index("Log"), p.Log)
	p.FirstSeq++
}

// AddSources adds the rows of table sources to a sorter of that table.
func (p *Part) AddSources(ctx context.Context, s *datafile.Sorter, sources []Source) error {
	t := schema.Sources
	b := datafile.NewRows(t)
	for i := range sources {
		src := &sources[i]
		p.row(b, src.ID)
		b.String(t.Index("Door"), p.Door)
		b.String(t.Index("Kind"), src.Kind)
		for _, c := range []struct{ name, value string }{
			{"Host", src.Host}, {"File", src.File}, {"Subscription", src.Subscription}, {"Case", p.Case},
		} {
			if c.value != "" {
				b.String(t.Index(c.name), c.value)
			}
		}
		b.End()
	}
	return add(ctx, s, b)
}

// AddTallies adds the rows of table ledger to a sorter of that table. A tally that
// doesn't add up is an error.
func (p *Part) AddTallies(ctx context.Context, s *datafile.Sorter, tallies []catalog.SourceTally) error {
	t := schema.Ledger
	b := datafile.NewRows(t)
	for i := range tallies {
		c := &tallies[i]
		if c.Received != c.Stored+c.Duplicate+c.Filtered+c.Damaged {
			return fmt.Errorf("cannot account for source %d: received %d, but stored %d + duplicate %d + filtered %d + damaged %d",
				c.Source, c.Received, c.Stored, c.Duplicate, c.Filtered, c.Damaged)
		}
		if c.Late > c.Stored || c.Target == "" && c.Delivered != 0 || c.Target != "" && c.Received+c.Lost != 0 {
			return fmt.Errorf("cannot account for source %d: late %d of stored %d, delivered %d to %q", c.Source, c.Late, c.Stored, c.Delivered, c.Target)
		}
		p.row(b, c.Source)
		b.Int(t.Index("Position"), p.Number)
		if c.Channel != "" {
			b.String(t.Index("Channel"), c.Channel)
		}
		for _, n := range []struct {
			name  string
			value int64
		}{
			{"Received", c.Received},
			{"Stored", c.Stored},
			{"Duplicate", c.Duplicate},
			{"Filtered", c.Filtered},
			{"Damaged", c.Damaged},
			{"Partial", c.Partial},
			{"Lost", c.Lost},
		} {
			b.Int(t.Index(n.name), n.value)
		}
		if c.Stored > 0 {
			first, _ := c.FirstTime.UnixMicros()
			last, _ := c.LastTime.UnixMicros()
			b.Int(t.Index("FirstTime"), first)
			b.Int(t.Index("LastTime"), last)
			b.Int(t.Index("SkewMin"), c.SkewMin)
			b.Int(t.Index("SkewMax"), c.SkewMax)
		}
		if p.Door == "stream" && c.Target == "" {
			b.Int(t.Index("Late"), c.Late)
		}
		if c.Target != "" {
			b.String(t.Index("Target"), c.Target)
			b.Int(t.Index("Delivered"), c.Delivered)
		}
		if len(c.Losses) > 0 {
			detail, err := json.Marshal(c.Losses[:min(len(c.Losses), maxDetailLosses)])
			if err != nil {
				return fmt.Errorf("cannot account for source %d: %w", c.Source, err)
			}
			b.Bytes(t.Index("Detail"), detail)
		}
		b.End()
	}
	return add(ctx, s, b)
}

// Action is one row of table wadi_audit.
type Action struct {
	// Actor is the user of the operating system, Action what was done: import,
	// expire, delete, retention, hold, relocate, restore, compact.
	Actor, Action string
	// Table and Object say to what; may be empty.
	Table, Object string
	// Detail becomes a JSON object; nil for none.
	Detail any
}

// AddAction adds a row of table wadi_audit to a sorter of that table.
func (p *Part) AddAction(ctx context.Context, s *datafile.Sorter, a Action) error {
	t := schema.WadiAudit
	b := datafile.NewRows(t)
	p.row(b, 0)
	b.Int(t.Index("Position"), p.Number)
	b.String(t.Index("Actor"), a.Actor)
	b.String(t.Index("Action"), a.Action)
	b.String(t.Index("TableName"), a.Table)
	b.String(t.Index("Object"), a.Object)
	if a.Detail != nil {
		detail, err := json.Marshal(a.Detail)
		if err != nil {
			return fmt.Errorf("cannot write down the action %s: %w", a.Action, err)
		}
		b.Bytes(t.Index("Detail"), detail)
	}
	b.End()
	return add(ctx, s, b)
}

// add hands rows over; a row that could not be taken is an error.
func add(ctx context.Context, s *datafile.Sorter, b *datafile.Rows) error {
	if err := s.Add(ctx, b); err != nil {
		return fmt.Errorf("cannot write %s: %w", b.Table().Name, err)
	}
	return nil
}

// ticks gives a time of a file (µs since 1970) in ticks.
func ticks(us int64) event.Ticks { return event.FromUnixMicros(us) }
