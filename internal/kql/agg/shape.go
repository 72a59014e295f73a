package agg

import (
	"slices"
	"strings"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// shapes is bag_shape: a bag that tells of each key of the bags what type its values
// have. Arguments are the bag and how many keys are enough to know that there are too
// many.
var shapes = []Func{
	{Name: "bag_shape", Params: []schema.Type{schema.Dynamic, schema.Long}, Result: schema.Dynamic, New: func() State { return &shape{types: map[string]string{}} }},
}

type shape struct {
	types map[string]string
	keys  int
}

// keyBytes is about what an entry of a map costs beside its text.
const keyBytes = 40

// mixed is the type that bag_shape gives keys whose values have several types, or
// are arrays, bags or null.
const mixed = "dynamic"

func (s *shape) Add(args []udf.Value) error {
	if args[0].Null || dyn.KindOf(args[0].S) != dyn.Bag {
		return nil
	}
	for it := dyn.Walk(args[0].S); it.Next(); {
		before, there := s.types[string(it.Key)]
		if !there && int64(len(s.types)) > args[1].I {
			return nil
		}
		if now := joined(before, typeOf(it.Value)); !there || now != before {
			if !there {
				s.keys += len(it.Key) + keyBytes
			}
			s.types[string(it.Key)] = now
		}
	}
	return nil
}

// typeOf is the name of a value's type, "" for null.
func typeOf(v []byte) string {
	switch dyn.KindOf(v) {
	case dyn.Bool:
		return "bool"
	case dyn.Long:
		return "long"
	case dyn.Real:
		return "real"
	case dyn.String:
		return "string"
	case dyn.Array, dyn.Bag:
		return mixed
	}
	return ""
}

// joined is the type of values of two types; null has none of its own.
func joined(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return mixed
}

func (s *shape) Merge(other State) error {
	o, _ := other.(*shape)
	if o == nil {
		return nil
	}
	for k, t := range o.types {
		if before, there := s.types[k]; there {
			t = joined(before, t)
		} else {
			s.keys += len(k) + keyBytes
		}
		s.types[k] = t
	}
	return nil
}

// Result writes the keys in order.
func (s *shape) Result(out *udf.Value) error {
	keys := make([]string, 0, len(s.types))
	for k := range s.types {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return strings.Compare(string(dyn.Unquote(nil, []byte(a))), string(dyn.Unquote(nil, []byte(b))))
	})
	text := []byte{'{'}
	for i, k := range keys {
		if i > 0 {
			text = append(text, ',')
		}
		t := s.types[k]
		if t == "" {
			t = mixed
		}
		text = append(append(append(text, k...), `:"`...), t...)
		text = append(text, '"')
	}
	out.S = append(text, '}')
	return nil
}

func (s *shape) Size() int { return s.keys }
