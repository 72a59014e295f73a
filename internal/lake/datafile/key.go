package datafile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/wadi-project/wadi/internal/schema"
)

// maxKeyText is how much of a string counts for the order: enough for any channel,
// host or path prefix, and it bounds the key of a row with a hostile value.
const maxKeyText = 256

// microsPerHour is the unit of the first part of the key.
const microsPerHour = 3_600_000_000

// keyer knows how a table's rows are ordered.
type keyer struct {
	hour int   // column of TimeGenerated, -1 when the table has none
	cols []int // further columns, in order
}

func newKeyer(t *schema.Table) keyer {
	k := keyer{hour: t.Index("TimeGenerated")}
	if k.hour >= 0 && t.Columns[k.hour].Disk != schema.DiskTimestamptz {
		k.hour = -1
	}
	names := make([]string, 0, len(t.Sort)+3)
	for _, name := range t.Sort {
		names = append(names, name)
		if name == "TimeGenerated" {
			names = append(names, "_TimeSub")
		}
	}
	names = append(names, "_Source", "_Seq")
	taken := map[int]bool{}
	for i, name := range names {
		c := t.Index(name)
		if c < 0 && i < len(names)-2 && name != "_TimeSub" {
			panic(fmt.Sprintf("BUG: table %s sorts by %s, which it doesn't have", t.Name, name))
		}
		if c >= 0 && !taken[c] {
			taken[c] = true
			k.cols = append(k.cols, c)
		}
	}
	return k
}

// appendKey writes the key of the row begun behind its body: uvarint length, then
// the parts. A part is 0 for null, or 1 and the value so that bytes compare as
// values do.
func (b *Rows) appendKey() {
	at := len(b.buf)
	b.buf = append(b.buf, 0, 0) // room for the length, at most 2 bytes of uvarint
	row := b.buf[b.start:at]
	if b.keys.hour >= 0 {
		h := int64(math.MinInt32)
		if b.seen[b.keys.hour] == b.row {
			us, _ := binary.Varint(row[b.at[b.keys.hour]:])
			h = us / microsPerHour
			if us < 0 && us%microsPerHour != 0 {
				h--
			}
			h = min(max(h, math.MinInt32), math.MaxInt32)
		}
		b.buf = binary.BigEndian.AppendUint32(b.buf, uint32(h)^1<<31)
	}
	for _, c := range b.keys.cols {
		if b.seen[c] != b.row {
			b.buf = append(b.buf, 0)
			continue
		}
		b.buf = appendKeyPart(append(b.buf, 1), b.kinds[c], row[b.at[c]:])
	}
	n := len(b.buf) - at - 2
	if n > maxKeyBytes {
		b.fail(fmt.Errorf("cannot store a row of %s: its sort key has %d bytes, the limit is %d", b.table.Name, n, maxKeyBytes))
		b.buf, n = b.buf[:at+2], 0
	}
	// A two-byte uvarint, padded: 0x80|low, high.
	b.buf[at], b.buf[at+1] = byte(n)|0x80, byte(n>>7)
}

// maxKeyBytes is what two bytes of uvarint hold.
const maxKeyBytes = 1<<14 - 1

func appendKeyPart(dst []byte, kind schema.Disk, v []byte) []byte {
	switch kind {
	case schema.DiskInt:
		x, _ := binary.Varint(v)
		return binary.BigEndian.AppendUint32(dst, uint32(x)^1<<31)
	case schema.DiskLong, schema.DiskTimestamptz:
		x, _ := binary.Varint(v)
		return binary.BigEndian.AppendUint64(dst, uint64(x)^1<<63)
	case schema.DiskBoolean:
		return append(dst, v[0])
	case schema.DiskDouble:
		x := binary.LittleEndian.Uint64(v)
		if x>>63 != 0 {
			x = ^x
		} else {
			x |= 1 << 63
		}
		return binary.BigEndian.AppendUint64(dst, x)
	default:
		n, w := binary.Uvarint(v)
		text := v[w : w+int(min(n, maxKeyText))]
		// 0 inside the text is written 0,255 and the end 0,0: a prefix sorts first.
		for {
			i := bytes.IndexByte(text, 0)
			if i < 0 {
				break
			}
			dst = append(append(dst, text[:i]...), 0, 255)
			text = text[i+1:]
		}
		return append(append(dst, text...), 0, 0)
	}
}

// cutRow splits the first encoded row off data: its body and its key. The data
// is Wadi's own (a Rows arena, or a spill block that passed its checksum).
func cutRow(data []byte) (body, key, rest []byte, err error) {
	if len(data) < rowHead {
		return nil, nil, nil, errRow
	}
	n := int(binary.LittleEndian.Uint32(data))
	if n > maxRowBytes || n+rowHead+2 > len(data) {
		return nil, nil, nil, errRow
	}
	at := rowHead + n
	kn := int(data[at]&0x7f) | int(data[at+1])<<7
	if at+2+kn > len(data) {
		return nil, nil, nil, errRow
	}
	return data[rowHead:at], data[at+2 : at+2+kn], data[at+2+kn:], nil
}

// keyPrefix is the first 8 bytes of a key as a number that orders as they do.
func keyPrefix(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var p [8]byte
	copy(p[:], key)
	return binary.BigEndian.Uint64(p[:])
}
