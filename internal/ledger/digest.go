package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// digestColumns are the columns that a digest stands for, in its order; texts are
// those of digestTexts.
var (
	digestColumns = []string{
		"_Seq", "_Source", "_IngestedAt", "Position", "Received", "Stored", "Duplicate", "Filtered", "Damaged", "Partial", "Lost", "Late", "Delivered",
		"FirstTime", "LastTime", "SkewMin", "SkewMax",
	}
	digestTexts = []string{"Log", "Channel", "Target", "Detail"}
)

// Digest stands for the rows of the ledger that a part has: SHA-256 over the SHA-256
// of each, in the order of _Seq.
type Digest struct {
	rows []digestRow
}

type digestRow struct {
	seq int64
	sum [sha256.Size]byte
}

// add takes a row: numbers by column, nil where it is null, and texts.
func (d *Digest) add(seq int64, numbers []int64, set []bool, texts [][]byte) {
	h := sha256.New()
	for i, n := range numbers {
		if set[i] {
			fmt.Fprintf(h, "%d ", n)
		} else {
			h.Write([]byte("- "))
		}
	}
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s ", len(t), t)
	}
	d.rows = append(d.rows, digestRow{seq, [sha256.Size]byte(h.Sum(nil))})
}

// Rows is how many rows it stands for.
func (d *Digest) Rows() int64 { return int64(len(d.rows)) }

// String gives the digest in hexadecimal.
func (d *Digest) String() string {
	slices.SortStableFunc(d.rows, func(a, b digestRow) int {
		switch {
		case a.seq < b.seq:
			return -1
		case a.seq > b.seq:
			return 1
		}
		return 0
	})
	h := sha256.New()
	for i := range d.rows {
		h.Write(d.rows[i].sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// PartKey names a part in the ledger.
type PartKey struct {
	Log      string
	Position int64
}

// Digests reads the rows of the ledger and calls fn for each run of rows of one part.
// The rows of a part come in several runs when they lie in several files.
func Digests(ctx context.Context, files []datafile.Input, fn func(PartKey, *Digest)) error {
	t := schema.Ledger
	cols := make([]int, 0, len(digestColumns)+len(digestTexts))
	for _, n := range slices.Concat(digestColumns, digestTexts) {
		cols = append(cols, t.Index(n))
	}
	numbers, set, texts := make([]int64, len(digestColumns)), make([]bool, len(digestColumns)), make([][]byte, len(digestTexts))
	for _, f := range files {
		var key PartKey
		run := &Digest{}
		flush := func() {
			if len(run.rows) > 0 {
				fn(key, run)
				run = &Digest{}
			}
		}
		err := datafile.Read(ctx, f, t, cols, datafile.Filter{}, func(r datafile.Row) error {
			for i := range numbers {
				numbers[i], set[i] = r.Int(cols[i])
			}
			for i := range texts {
				texts[i] = r.Bytes(cols[len(numbers)+i])
			}
			if k := (PartKey{string(texts[0]), numbers[3]}); k != key {
				flush()
				key = k
			}
			run.add(numbers[0], numbers, set, texts)
			return nil
		})
		if err != nil {
			return fmt.Errorf("cannot read the ledger: %w", err)
		}
		flush()
	}
	return nil
}

// Merge adds the rows of another run of the same part.
func (d *Digest) Merge(o *Digest) { d.rows = append(d.rows, o.rows...) }
