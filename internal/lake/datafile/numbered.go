package datafile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/schema"
)

// front says where a table's rows have the three numbers that a stream gives them
// when they are durable: _Source, _Seq and _IngestedAt. They lie at the front of a
// row's body and, the first two, at the end of its key.
type front struct {
	cols [3]int // of frontNames
	err  error  // why rows of the table can't be numbered
}

// frontNames are the columns in their order at the front.
var frontNames = [3]string{"_Source", "_Seq", "_IngestedAt"}

const (
	// paddedBytes is the room of a number that comes later: the longest varint.
	paddedBytes = binary.MaxVarintLen64
	// frontStep is one column of the front: its index, below 128, and its number.
	frontStep = 1 + paddedBytes
	// keyTail is the end of the key of a numbered row: a part of an int, _Source,
	// and one of a long, _Seq, each with a byte that says it isn't null.
	keyTail = 1 + 4 + 1 + 8
)

func newFront(t *schema.Table) front {
	f := front{}
	for i, name := range frontNames {
		c := t.Index(name)
		if c < 0 || c >= 0x80 {
			f.err = fmt.Errorf("cannot number rows of %s: it has no column %s among its first 128", t.Name, name)
			return f
		}
		f.cols[i] = c
	}
	for _, name := range t.Sort {
		if name == "_Source" || name == "_Seq" || name == "_IngestedAt" {
			f.err = fmt.Errorf("cannot number rows of %s: it is sorted by %s", t.Name, name)
		}
	}
	return f
}

// BeginNumbered starts a row as Begin does, whose _Source, _Seq and _IngestedAt are
// set later, by Number. All rows of an arena must be begun so, or none. The table
// must have these columns and not be sorted by them: Err says otherwise.
func (b *Rows) BeginNumbered() {
	b.Begin()
	if b.front.err != nil {
		b.fail(b.front.err)
		return
	}
	b.isFront = true
	for _, c := range b.front.cols {
		b.seen[c], b.used[c] = b.row, true
		b.buf = append(b.buf, byte(c))
		b.at[c] = uint32(len(b.buf) - b.start)
		b.buf = appendPadded(b.buf, 0)
	}
}

// appendPadded appends a varint of v that has always paddedBytes bytes.
func appendPadded(dst []byte, v int64) []byte {
	u := uint64(v)<<1 ^ uint64(v>>63)
	for range paddedBytes - 1 {
		dst = append(dst, byte(u)|0x80)
		u >>= 7
	}
	return append(dst, byte(u))
}

// Number gives all rows their source, numbers that count up from firstSeq, and
// _IngestedAt (µs since 1970). It may be called again with others. A row begun is
// dropped.
func (b *Rows) Number(source int32, firstSeq, ingestedUS int64) {
	b.Drop()
	if b.numbered != b.n {
		panic(fmt.Sprintf("BUG: %d of %d rows of %s were begun to be numbered", b.numbered, b.n, b.table.Name))
	}
	for at, seq := 0, firstSeq; at < len(b.buf); seq++ {
		for i, v := range [3]int64{int64(source), seq, ingestedUS} {
			lo := at + rowHead + i*frontStep + 1
			appendPadded(b.buf[lo:lo], v)
		}
		at += rowBytes(b.buf[at:])
		tail := b.buf[at-keyTail : at]
		binary.BigEndian.PutUint32(tail[1:], uint32(source)^1<<31)
		binary.BigEndian.PutUint64(tail[6:], uint64(seq)^1<<63)
	}
}

// Numbered tells whether all rows, at least one, can be numbered.
func (b *Rows) Numbered() bool { return b.n > 0 && b.numbered == b.n }

// Encoded gives the rows as they lie in memory, for Load. It aliases the arena: it
// is valid until the next change of it. A row begun is dropped.
func (b *Rows) Encoded() []byte {
	b.Drop()
	return b.buf
}

// Load replaces the content by a copy of rows that Encoded gave, of the table as it
// was at that schema version. Nothing is taken on trust: columns, types, lengths and
// required columns are checked, and the sort keys are made anew. On an error the
// arena is empty. Loaded rows that were numbered can be numbered again.
func (b *Rows) Load(encoded []byte, version int) error {
	b.Reset()
	if version < 1 || version > b.table.Version {
		return fmt.Errorf("cannot load rows of %s: they are of schema version %d, this program knows 1 to %d", b.table.Name, version, b.table.Version)
	}
	cols := b.columnsOf(version)
	for n := 1; len(encoded) > 0; n++ {
		body, _, rest, err := cutRow(encoded)
		if err == nil {
			err = b.loadRow(body, cols)
		}
		if err == nil {
			err = b.err
		}
		if err == nil && b.numbered != 0 && b.numbered != n {
			err = errors.New("some rows can be numbered, others can't")
		}
		if err != nil {
			b.Reset()
			return fmt.Errorf("cannot load row %d of %s: %w", n, b.table.Name, err)
		}
		encoded = rest
	}
	return nil
}

// columnsOf gives, by the index that a column had at an older version, its index
// now: columns are only ever added, wherever.
func (b *Rows) columnsOf(version int) []int {
	cols := make([]int, 0, len(b.kinds))
	for i := range b.table.Columns {
		if b.table.Columns[i].Born <= version {
			cols = append(cols, i)
		}
	}
	return cols
}

// loadRow takes one row's body. Its front, if it has one, stays one.
func (b *Rows) loadRow(body []byte, cols []int) error {
	if b.numberedBody(body, cols) {
		b.BeginNumbered()
		for i, c := range b.front.cols {
			lo := b.start + rowHead + i*frontStep + 1
			copy(b.buf[lo:lo+paddedBytes], body[i*frontStep+1:])
			v, w := binary.Varint(b.buf[lo : lo+paddedBytes])
			if w != paddedBytes || b.kinds[c] == schema.DiskInt && int64(int32(v)) != v {
				return errRow
			}
		}
		body = body[len(frontNames)*frontStep:]
	} else {
		b.Begin()
	}
	for len(body) > 0 {
		ci, w := binary.Uvarint(body)
		if w <= 0 || ci >= uint64(len(cols)) || b.Has(cols[ci]) {
			return errRow
		}
		n, err := b.loadValue(cols[ci], body[w:])
		if err != nil {
			return err
		}
		body = body[w+n:]
	}
	b.End()
	return nil
}

// numberedBody tells whether a row begins as BeginNumbered made it.
func (b *Rows) numberedBody(body []byte, cols []int) bool {
	if b.front.err != nil || len(body) < len(frontNames)*frontStep {
		return false
	}
	for i, c := range b.front.cols {
		at := i * frontStep
		if int(body[at]) >= len(cols) || cols[body[at]] != c {
			return false
		}
		for _, x := range body[at+1 : at+paddedBytes] {
			if x < 0x80 {
				return false
			}
		}
		if body[at+paddedBytes] >= 0x80 {
			return false
		}
	}
	return true
}

// loadValue takes one value and gives its length.
func (b *Rows) loadValue(col int, v []byte) (int, error) {
	switch b.kinds[col] {
	case schema.DiskString:
		n, w := binary.Uvarint(v)
		if w <= 0 || n > uint64(len(v)-w) || !utf8.Valid(v[w:w+int(n)]) {
			return 0, errRow
		}
		b.Bytes(col, v[w:w+int(n)])
		return w + int(n), nil
	case schema.DiskBoolean:
		if len(v) < 1 || v[0] > 1 {
			return 0, errRow
		}
		b.Bool(col, v[0] == 1)
		return 1, nil
	case schema.DiskDouble:
		if len(v) < 8 {
			return 0, errRow
		}
		b.bits(col, binary.LittleEndian.Uint64(v))
		return 8, nil
	default:
		x, w := binary.Varint(v)
		if w <= 0 {
			return 0, errRow
		}
		b.Int(col, x)
		return w, nil
	}
}
