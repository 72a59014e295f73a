package agg

import (
	"cmp"
	"slices"
)

// items are elements of a list, a set or a bag as JSON writes them, each with its
// place in the order of the rows; 0 where rows have none.
type items struct {
	text  []byte
	parts []item
	most  int64
	// ordered tells that the parts may not stand in order.
	ordered bool
	// shrunk counts how often parts were moved and dropped.
	shrunk int
}

type item struct {
	start, end uint32
	at         int64
}

// partBytes is the size of an item.
const partBytes = 16

// full tells that rows without order can be left out from here: the first ones stay.
func (s *items) full(at int64) bool { return at == 0 && int64(len(s.parts)) >= s.most }

// add appends the element that grow appends to the text.
func (s *items) add(at int64, grow func(dst []byte) []byte) error {
	start := len(s.text)
	s.text = grow(s.text)
	s.parts = append(s.parts, item{uint32(start), uint32(len(s.text)), at})
	s.ordered = s.ordered || at != 0
	return s.check()
}

func (s *items) check() error {
	if s.ordered && int64(len(s.parts)) >= 2*s.most+1024 {
		s.shrink()
	}
	if len(s.text) > MaxText {
		if s.shrink(); len(s.text) > MaxText {
			return ErrTooLarge
		}
	}
	return nil
}

// shrink drops elements behind the most, and text that nothing uses any more.
func (s *items) shrink() {
	s.shrunk++
	s.sort()
	s.parts = s.parts[:min(s.most, int64(len(s.parts)))]
	text := make([]byte, 0, len(s.text)/2)
	for i, p := range s.parts {
		start := len(text)
		text = append(text, s.text[p.start:p.end]...)
		s.parts[i].start, s.parts[i].end = uint32(start), uint32(len(text))
	}
	s.text = text
}

func (s *items) sort() {
	if s.ordered {
		slices.SortStableFunc(s.parts, func(a, b item) int { return cmp.Compare(a.at, b.at) })
	}
}

func (s *items) of(p item) []byte { return s.text[p.start:p.end] }

// join gives the elements in order between brackets, of each what text gives.
func (s *items) join(left, right byte, text func(item) []byte) []byte {
	s.sort()
	n := min(s.most, int64(len(s.parts)))
	out := make([]byte, 0, len(s.text)+int(n)+2)
	out = append(out, left)
	for i, p := range s.parts[:n] {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, text(p)...)
	}
	return append(out, right)
}

func (s *items) size() int { return cap(s.text) + partBytes*cap(s.parts) }
