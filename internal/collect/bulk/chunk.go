package bulk

import (
	"context"
	"crypto/sha256"
	"hash/maphash"

	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/lake"
)

// chunkReader finds the records of chunks and decides which of them the case has
// already. It is used by one goroutine, in the order of the input.
type chunkReader struct {
	known   *known
	keep    bool // store duplicates
	rows    *rowReader
	decoder *evtx.Decoder
	records []evtx.Record
}

// chunkPlan is what to do with one chunk.
type chunkPlan struct {
	// records is the number of records found, skip of them, the first ones, are
	// duplicates.
	records, skip int
	// key is to be kept when the others are committed; nil for none.
	key *lake.KeyEntry
}

// plan walks the chunk that d.decoder has open. Rows will be numbered from seq on
// and belong to source. The records found are in c.records.
func (c *chunkReader) plan(ctx context.Context, source int32, seq int64) (chunkPlan, error) {
	c.records = c.records[:0]
	var r evtx.Record
	for c.decoder.Next(&r) {
		c.records = append(c.records, r)
	}
	p := chunkPlan{records: len(c.records)}
	if p.records == 0 {
		return p, nil
	}
	key, first := sha256.Sum256(c.records[0].Raw), true
	compares := 0
	for range maxKeySteps {
		v, records, ok, err := c.known.lookup(ctx, key)
		switch {
		case err != nil:
			return p, err
		case !ok:
			p.key = &lake.KeyEntry{Kind: c.known.kind, Key: key, KeyValue: lake.KeyValue{
				Count: int64(p.records), Prefix: c.prefix(p.records), Source: source, FirstSeq: seq,
			}}
			c.known.add(*p.key, c.hashed(p.skip))
			return p, nil
		case c.keep && first:
			return p, nil
		}
		first = false
		if n := int(v.Count); n > p.skip && n <= p.records && c.prefix(n) == v.Prefix {
			p.skip = n
			key = goesOn(v.Prefix)
		} else {
			if compares++; compares > maxCompares {
				return p, nil
			}
			same, err := c.common(ctx, v, records, p.skip)
			if err != nil {
				return p, err
			}
			p.skip += same
			key = branches(key, c.prefix(p.skip))
		}
		if p.skip == p.records {
			return p, nil
		}
	}
	return p, nil
}

// prefix gives the hash of the first n records.
func (c *chunkReader) prefix(n int) (sum hash) {
	h := sha256.New()
	for i := range c.records[:n] {
		h.Write(c.records[i].Raw)
	}
	h.Sum(sum[:0])
	return sum
}

// hashed gives the hashes of the records from the given one on.
func (c *chunkReader) hashed(from int) []uint64 {
	out := make([]uint64, 0, len(c.records)-from)
	for i := from; i < len(c.records); i++ {
		out = append(out, maphash.Bytes(c.known.seed, c.records[i].Raw))
	}
	return out
}

// common counts how many records from the given one on are those that v stands
// for, one after the other.
func (c *chunkReader) common(ctx context.Context, v lake.KeyValue, records []uint64, from int) (same int, err error) {
	if records != nil {
		for i, h := range c.hashed(from) {
			if i >= len(records) || records[i] != h {
				break
			}
			same++
		}
		return same, nil
	}
	// The lake has no row for a number whose record was damaged or whose row was
	// deleted since. Such a number is taken for equal when a later one is.
	n := min(int64(len(c.records)-from), v.Count-int64(from))
	rows, err := c.rows.hashes(ctx, v.Source, v.FirstSeq, n)
	if err != nil {
		return 0, err
	}
	for i := range int(n) {
		stored, ok := rows[int64(i)]
		if !ok {
			continue
		}
		own, ok := c.rows.hashRecord(c.decoder, &c.records[from+i])
		if !ok || own != stored {
			break
		}
		same = i + 1
	}
	return same, nil
}
