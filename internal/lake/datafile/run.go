package datafile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"
)

// segmentBytes is the unit in which a run's memory is taken and reused.
const segmentBytes = 1 << 20

// source gives rows in order. The slices are valid until the next call; the end
// is io.EOF.
type source interface {
	next() (body, key []byte, err error)
	close() error
}

// run is a set of rows in memory: first it grows, then it is sorted and read.
type run struct {
	segs  [][]byte
	size  int64
	rows  int64
	index []rowRef
	at    int
}

// rowRef finds a row: its segment and the offsets of row and key in it.
type rowRef struct {
	part          uint64 // the 8 bytes of the key that are compared at the moment
	seg, row, key uint32
}

// add copies encoded rows; free gives an empty segment to reuse, or nil.
func (r *run) add(data []byte, n int, free func() []byte) {
	r.rows += int64(n)
	r.size += int64(len(data))
	for len(data) > 0 {
		if k := len(r.segs) - 1; k >= 0 {
			seg := r.segs[k]
			if take := wholeRows(data, cap(seg)-len(seg)); take > 0 {
				r.segs[k] = append(seg, data[:take]...)
				data = data[take:]
				continue
			}
		}
		seg := free()
		if need := wholeRows(data, segmentBytes); need == 0 { // one row larger than a segment
			seg = make([]byte, 0, rowBytes(data))
		} else if seg == nil {
			seg = make([]byte, 0, segmentBytes)
		}
		r.segs = append(r.segs, seg)
	}
}

// rowBytes is the encoded length of the first row of data.
func rowBytes(data []byte) int {
	at := rowHead + int(binary.LittleEndian.Uint32(data))
	return at + 2 + (int(data[at]&0x7f) | int(data[at+1])<<7)
}

// wholeRows is the length of the rows at the front of data that fit into room.
func wholeRows(data []byte, room int) int {
	if len(data) <= room {
		return len(data)
	}
	n := 0
	for n < len(data) {
		m := rowBytes(data[n:])
		if n+m > room {
			break
		}
		n += m
	}
	return n
}

// sort puts the rows in order.
func (r *run) sort() {
	r.index = slices.Grow(r.index[:0], int(r.rows))
	for s, seg := range r.segs {
		for at := 0; at < len(seg); {
			body := int(binary.LittleEndian.Uint32(seg[at:]))
			r.index = append(r.index, rowRef{seg: uint32(s), row: uint32(at), key: uint32(at + rowHead + body)})
			at += rowBytes(seg[at:])
		}
	}
	r.sortRange(r.index, 0)
	r.at = 0
}

// smallRange is below which whole keys are compared at once.
const smallRange = 12

// sortRange sorts rows whose keys agree in their first depth bytes: by the next 8
// bytes, which are cached in the index, and then each set of equals by what
// follows. Parts of a key end themselves, so no key is a prefix of another one
// and padding with zeros can't confuse two.
func (r *run) sortRange(refs []rowRef, depth int) {
	if len(refs) <= smallRange {
		slices.SortFunc(refs, func(a, b rowRef) int {
			if c := bytes.Compare(r.key(a), r.key(b)); c != 0 {
				return c
			}
			return arrival(a, b)
		})
		return
	}
	runtime.Gosched() // as in yieldEvery
	ended := true
	for i := range refs {
		if k := r.key(refs[i]); len(k) > depth {
			refs[i].part = keyPrefix(k[depth:])
			ended = false
		} else {
			refs[i].part = 0
		}
	}
	if ended {
		slices.SortFunc(refs, arrival)
		return
	}
	slices.SortFunc(refs, func(a, b rowRef) int { return cmp.Compare(a.part, b.part) })
	for lo := 0; lo < len(refs); {
		hi := lo + 1
		for hi < len(refs) && refs[hi].part == refs[lo].part {
			hi++
		}
		if hi-lo > 1 {
			r.sortRange(refs[lo:hi], depth+8)
		}
		lo = hi
	}
}

// arrival orders rows as they came.
func arrival(a, b rowRef) int {
	if c := cmp.Compare(a.seg, b.seg); c != 0 {
		return c
	}
	return cmp.Compare(a.row, b.row)
}

// key gives a row's sort key.
func (r *run) key(x rowRef) []byte {
	seg := r.segs[x.seg]
	n := int(seg[x.key]&0x7f) | int(seg[x.key+1])<<7
	return seg[x.key+2 : int(x.key)+2+n]
}

// next implements source, after sort.
func (r *run) next() (body, key []byte, err error) {
	if r.at == len(r.index) {
		return nil, nil, io.EOF
	}
	x := r.index[r.at]
	r.at++
	return r.segs[x.seg][x.row+rowHead : x.key], r.key(x), nil
}

func (r *run) close() error { return nil }

// tree is a loser tree over sources: the smallest row of all, log2(n) comparisons
// a row. Equal keys leave in the order of the sources.
type tree struct {
	src    []source
	cur    []treeRow
	losers []int // inner nodes 1…n-1; 0 holds the winner
	begun  bool
}

type treeRow struct {
	part      uint64
	key, body []byte
	done      bool
}

func newTree(src []source) *tree {
	return &tree{src: src, cur: make([]treeRow, len(src)), losers: make([]int, max(len(src), 1))}
}

// load takes source i's next row.
func (t *tree) load(i int) error {
	body, key, err := t.src[i].next()
	if err == io.EOF {
		t.cur[i] = treeRow{done: true}
		return nil
	}
	if err != nil {
		return err
	}
	t.cur[i] = treeRow{part: keyPrefix(key), key: key, body: body}
	return nil
}

func (t *tree) less(a, b int) bool {
	x, y := &t.cur[a], &t.cur[b]
	if x.done || y.done {
		return !x.done || (y.done && a < b)
	}
	if x.part != y.part {
		return x.part < y.part
	}
	if c := bytes.Compare(x.key, y.key); c != 0 {
		return c < 0
	}
	return a < b
}

// build plays all matches below node and gives the winner.
func (t *tree) build(node int) int {
	if node >= len(t.src) {
		return node - len(t.src)
	}
	a, b := t.build(2*node), t.build(2*node+1)
	if t.less(b, a) {
		a, b = b, a
	}
	t.losers[node] = b
	return a
}

// next implements source.
func (t *tree) next() (body, key []byte, err error) {
	switch {
	case len(t.src) == 0:
		return nil, nil, io.EOF
	case len(t.src) == 1:
		return t.src[0].next()
	case !t.begun:
		t.begun = true
		for i := range t.src {
			if err := t.load(i); err != nil {
				return nil, nil, err
			}
		}
		t.losers[0] = t.build(1)
	default:
		w := t.losers[0]
		if err := t.load(w); err != nil {
			return nil, nil, err
		}
		for node := (w + len(t.src)) / 2; node > 0; node /= 2 {
			if t.less(t.losers[node], w) {
				t.losers[node], w = w, t.losers[node]
			}
		}
		t.losers[0] = w
	}
	row := &t.cur[t.losers[0]]
	if row.done {
		return nil, nil, io.EOF
	}
	return row.body, row.key, nil
}

func (t *tree) close() error {
	var first error
	for _, s := range t.src {
		if err := s.close(); err != nil && first == nil {
			first = fmt.Errorf("cannot close a run: %w", err)
		}
	}
	return first
}
