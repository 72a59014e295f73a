package agg

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// keyed are items that a key has once: that of the first row. An element is its own
// key, or carries one in front, so that states can be merged. What finds the element
// of a key holds no pointers: sets of a question may have millions of elements.
type keyed struct {
	items
	// apart tells that elements carry a key.
	apart bool
	// slots is a hash table, once there are more than fewParts: parts counted from 1,
	// 0 for none, by linear probing.
	slots   []int32
	seed    maphash.Seed
	scratch []byte
}

const (
	// fewParts is how many keys are compared one by one: most groups have few.
	fewParts = 8
	// slotBytes is the size of a slot.
	slotBytes = 4
)

// key gives the key of a part.
func (s *keyed) key(p item) []byte {
	if !s.apart {
		return s.of(p)
	}
	k, _ := split(s.of(p))
	return k
}

// find gives the part of a key, -1 for none, and where it is or belongs in slots.
func (s *keyed) find(key []byte) (part, slot int) {
	if s.slots == nil {
		for i, p := range s.parts {
			if string(s.key(p)) == string(key) {
				return i, 0
			}
		}
		return -1, 0
	}
	mask := len(s.slots) - 1
	at := int(maphash.Bytes(s.seed, key)) & mask
	for s.slots[at] != 0 {
		if i := int(s.slots[at] - 1); string(s.key(s.parts[i])) == string(key) {
			return i, at
		}
		at = (at + 1) & mask
	}
	return -1, at
}

// index makes slots anew, at most half full.
func (s *keyed) index() {
	s.slots = nil
	if len(s.parts) <= fewParts {
		return
	}
	if s.seed == (maphash.Seed{}) {
		s.seed = maphash.MakeSeed()
	}
	size := 4 * fewParts
	for size < 3*len(s.parts) {
		size *= 2
	}
	slots := make([]int32, size)
	for i, p := range s.parts {
		at := int(maphash.Bytes(s.seed, s.key(p))) & (size - 1)
		for slots[at] != 0 {
			at = (at + 1) & (size - 1)
		}
		slots[at] = int32(i + 1)
	}
	s.slots = slots
}

// put adds an element unless its key is there; of two in order the first stays.
// text is nil where the element is its key.
func (s *keyed) put(key, text []byte, at int64) error {
	i, slot := s.find(key)
	if i >= 0 && s.parts[i].at <= at || i < 0 && s.full(at) {
		return nil
	}
	s.ordered = s.ordered || at != 0
	if i >= 0 && !s.apart { // the same text, of an earlier row
		s.parts[i].at = at
		return nil
	}
	start := len(s.text)
	if s.apart {
		s.text = binary.AppendUvarint(s.text, uint64(len(key)))
	}
	s.text = append(append(s.text, key...), text...)
	p := item{uint32(start), uint32(len(s.text)), at}
	switch {
	case i >= 0:
		s.parts[i] = p
	case s.slots != nil && 2*len(s.parts) < len(s.slots):
		s.parts = append(s.parts, p)
		s.slots[slot] = int32(len(s.parts))
	default:
		s.parts = append(s.parts, p)
		s.index()
	}
	shrunk := s.shrunk
	err := s.check()
	if s.shrunk != shrunk { // the parts stand elsewhere
		s.index()
	}
	return err
}

// split parts an element into its key and its text.
func split(b []byte) (key, text []byte) {
	n, w := binary.Uvarint(b)
	return b[w : w+int(n)], b[w+int(n):]
}

func (s *keyed) merge(o *keyed) error {
	if len(s.parts) == 0 {
		*s = *o
		return nil
	}
	for _, p := range o.parts {
		key, text := o.of(p), []byte(nil)
		if s.apart {
			key, text = split(key)
		}
		if err := s.put(key, text, p.at); err != nil {
			return err
		}
	}
	return nil
}

// result gives the elements' texts between brackets.
func (s *keyed) result(left, right byte) []byte {
	if !s.apart {
		return s.join(left, right, s.of)
	}
	return s.join(left, right, func(p item) []byte {
		_, text := split(s.of(p))
		return text
	})
}

func (s *keyed) size() int { return s.items.size() + slotBytes*cap(s.slots) }

// set is the state of make_set; its arguments are those of make_list.
type set struct {
	keyed
	typ schema.Type
}

func newSet(t schema.Type) *set {
	return &set{typ: t, keyed: keyed{items: items{most: MaxElements}, apart: t == schema.Dynamic}}
}

func (s *set) Add(args []udf.Value) error {
	v, at := &args[0], args[2].I
	s.most = min(args[1].I, MaxElements)
	switch {
	case s.typ == schema.Dynamic && !v.Null && dyn.KindOf(v.S) == dyn.Array:
		for it := dyn.Walk(v.S); it.Next(); {
			if err := s.put(s.dynamicKey(it.Value), it.Value, at); err != nil {
				return err
			}
		}
		return nil
	case s.typ == schema.Dynamic && v.Null:
		return s.put([]byte("null"), []byte("null"), at)
	case s.typ == schema.Dynamic:
		return s.put(s.dynamicKey(v.S), v.S, at)
	case v.Null && s.typ != schema.String:
		return nil
	case s.typ == schema.Real && v.F == 0: // one zero
		v = &udf.Value{}
	}
	s.scratch = appendValue(s.scratch[:0], s.typ, v)
	return s.put(s.scratch, nil, at)
}

// dynamicKey is the text that equal values share: numbers by value.
func (s *set) dynamicKey(v []byte) []byte {
	if dyn.KindOf(v) == dyn.Real {
		if f, ok := dyn.Number(v); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			s.scratch = strconv.AppendInt(s.scratch[:0], int64(f), 10)
			return s.scratch
		}
	}
	return v
}

func (s *set) Merge(other State) error {
	if o, _ := other.(*set); o != nil {
		return s.merge(&o.keyed)
	}
	return nil
}

func (s *set) Result(out *udf.Value) error {
	out.S = s.result('[', ']')
	return nil
}

func (s *set) Size() int { return s.size() }
