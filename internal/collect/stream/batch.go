package stream

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wadi-project/wadi/internal/lake"
)

// check refuses a batch that the door could not account for.
func (b *Batch) check() error {
	if b.Source.Kind == "" {
		return errors.New("its source has no kind")
	}
	if len(b.Source.Kind)+len(b.Source.Host)+len(b.Source.Name) > maxSourceName {
		return fmt.Errorf("the name of its source is longer than %d bytes", maxSourceName)
	}
	if b.Log != "" && b.N < 1 || len(b.Log) > maxSourceName {
		return fmt.Errorf("it has number %d in its client's log: they count from 1", b.N)
	}
	rows := 0
	if b.Rows != nil {
		rows = b.Rows.Len()
		switch {
		case b.Rows.Err() != nil:
			return b.Rows.Err()
		case rows > 0 && b.Rows.Table() != b.Table:
			return errors.New("its rows are of another table")
		case rows > 0 && !b.Rows.Numbered():
			return errors.New("its rows have no room for their numbers")
		}
	}
	stored := int64(0)
	for i := range b.Tallies {
		t := &b.Tallies[i]
		for _, n := range [...]int64{t.Received, t.Stored, t.Duplicate, t.Filtered, t.Damaged, t.Partial, t.Lost, t.Late} {
			if n < 0 {
				return errors.New("its counts are negative")
			}
		}
		if t.Received != t.Stored+t.Duplicate+t.Filtered+t.Damaged {
			return errors.New("its counts don't add up")
		}
		stored += t.Stored
	}
	if stored != int64(rows) {
		return fmt.Errorf("it has %d rows and counts %d", rows, stored)
	}
	return nil
}

// newEntry makes the entry of a batch that is stored under a claim.
func newEntry(b *Batch, source int32, c *claim) *entry {
	e := &entry{payload: payload{source: source, name: b.Source, tallies: b.Tallies}}
	if b.Rows != nil && b.Rows.Len() > 0 {
		e.schema, e.batch, e.count = b.Table, b.Rows, b.Rows.Len()
		e.table, e.version = b.Table.Name, b.Table.Version
	}
	switch e.keyKind = c.kind; c.kind {
	case keyRequest:
		e.request = c.key
	case keyBatch:
		e.log, e.n, e.gap = b.Log, b.N, c.gap
	}
	if c.gap > 0 {
		e.tallies = slices.Clone(e.tallies)
		if len(e.tallies) == 0 {
			e.tallies = []lake.SourceTally{{}}
		}
		t := &e.tallies[0]
		t.Lost += c.gap
		t.Losses = append(slices.Clone(t.Losses), fmt.Sprintf("batches %d to %d of the client's log %s did not arrive", b.N-c.gap, b.N-1, b.Log))
	}
	return e
}

// newRepetition makes the entry that counts a batch as a duplicate.
func newRepetition(b *Batch, source int32) *entry {
	e := &entry{payload: payload{source: source, name: b.Source}}
	for _, t := range b.Tallies {
		e.tallies = append(e.tallies, lake.SourceTally{Channel: t.Channel, Received: t.Received, Duplicate: t.Received})
	}
	e.repeats = 1
	return e
}
