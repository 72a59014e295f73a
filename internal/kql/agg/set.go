package agg

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// keyed are items that a key has once: that of the first row. Elements carry their
// key in front, so that states can be merged.
type keyed struct {
	items
	// seen finds the part of a key, once there are more than fewParts.
	seen map[string]int32
	keys int // bytes
}

const (
	// keyBytes is about what an entry of the map costs beside its text.
	keyBytes = 40
	// fewParts is how many keys are compared one by one: most groups have few, and a
	// map for each would be most of their memory.
	fewParts = 8
)

// find gives the part of a key, -1 for none.
func (s *keyed) find(key []byte) int {
	if s.seen != nil {
		if i, ok := s.seen[string(key)]; ok {
			return int(i)
		}
		return -1
	}
	for i, p := range s.parts {
		if k, _ := split(s.of(p)); string(k) == string(key) {
			return i
		}
	}
	return -1
}

// index makes the map anew.
func (s *keyed) index() {
	s.seen, s.keys = nil, 0
	if len(s.parts) <= fewParts {
		return
	}
	s.seen = make(map[string]int32, 2*len(s.parts))
	for i, p := range s.parts {
		k, _ := split(s.of(p))
		s.seen[string(k)] = int32(i)
		s.keys += len(k) + keyBytes
	}
}

// put adds an element unless its key is there; of two in order the first stays.
func (s *keyed) put(key []byte, at int64, grow func(dst []byte) []byte) error {
	i := s.find(key)
	if i >= 0 && s.parts[i].at <= at || i < 0 && s.full(at) {
		return nil
	}
	start := len(s.text)
	s.text = grow(append(binary.AppendUvarint(s.text, uint64(len(key))), key...))
	p := item{uint32(start), uint32(len(s.text)), at}
	s.ordered = s.ordered || at != 0
	switch {
	case i >= 0:
		s.parts[i] = p
	case s.seen != nil:
		s.seen[string(key)] = int32(len(s.parts))
		s.keys += len(key) + keyBytes
		s.parts = append(s.parts, p)
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
		k, text := split(o.of(p))
		if err := s.put(k, p.at, func(dst []byte) []byte { return append(dst, text...) }); err != nil {
			return err
		}
	}
	return nil
}

// result gives the elements' texts between brackets.
func (s *keyed) result(left, right byte) []byte {
	s.sort()
	n := min(s.most, int64(len(s.parts)))
	out := make([]byte, 0, len(s.text)+int(n)+2)
	out = append(out, left)
	for i, p := range s.parts[:n] {
		if i > 0 {
			out = append(out, ',')
		}
		_, text := split(s.of(p))
		out = append(out, text...)
	}
	return append(out, right)
}

func (s *keyed) size() int { return s.items.size() + s.keys }

// set is the state of make_set; its arguments are those of make_list.
type set struct {
	keyed
	typ schema.Type
	key []byte
}

func newSet(t schema.Type) *set { return &set{typ: t, keyed: keyed{items: items{most: MaxElements}}} }

func (s *set) Add(args []udf.Value) error {
	v, at := &args[0], args[2].I
	s.most = min(args[1].I, MaxElements)
	switch {
	case v.Null && s.typ != schema.Dynamic && s.typ != schema.String:
		return nil
	case s.typ == schema.Dynamic && !v.Null && dyn.KindOf(v.S) == dyn.Array:
		for it := dyn.Walk(v.S); it.Next(); {
			v := udf.Value{S: it.Value}
			if err := s.put(s.keyOf(&v), at, func(dst []byte) []byte { return append(dst, it.Value...) }); err != nil {
				return err
			}
		}
		return nil
	}
	return s.put(s.keyOf(v), at, func(dst []byte) []byte { return appendValue(dst, s.typ, v) })
}

// keyOf gives what equal values share: numbers of dynamics by value, one zero, one
// NaN.
func (s *set) keyOf(v *udf.Value) []byte {
	switch s.typ {
	case schema.Bool, schema.Int, schema.Long, schema.DateTime, schema.TimeSpan:
		s.key = binary.LittleEndian.AppendUint64(s.key[:0], uint64(v.I))
		return s.key
	case schema.Real:
		f := v.F
		if f == 0 || math.IsNaN(f) {
			f = math.Abs(f)
		}
		s.key = binary.LittleEndian.AppendUint64(s.key[:0], math.Float64bits(f))
		return s.key
	case schema.Dynamic:
		if v.Null {
			return []byte("null")
		}
		if dyn.KindOf(v.S) == dyn.Real {
			if f, ok := dyn.Number(v.S); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
				s.key = strconv.AppendInt(s.key[:0], int64(f), 10)
				return s.key
			}
		}
	}
	return v.S
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
