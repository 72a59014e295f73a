package agg

import (
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// bags are the aggregates of bags.
var bags = []Func{
	{Name: "make_bag", Params: []schema.Type{schema.Dynamic, schema.Long, schema.Long}, Result: schema.Dynamic, New: func() State {
		return &bag{keyed{items: items{most: MaxElements}, apart: true}}
	}},
}

// bag is the state of make_bag. Of equal keys the first stays; values that are no
// bags are left out. Arguments are those of make_list.
type bag struct{ keyed }

func (s *bag) Add(args []udf.Value) error {
	s.most = min(args[1].I, MaxElements)
	if args[0].Null || dyn.KindOf(args[0].S) != dyn.Bag {
		return nil
	}
	for it := dyn.Walk(args[0].S); it.Next(); {
		s.scratch = append(append(append(s.scratch[:0], it.Key...), ':'), it.Value...)
		if err := s.put(it.Key, s.scratch, args[2].I); err != nil {
			return err
		}
	}
	return nil
}

func (s *bag) Merge(other State) error {
	if o, _ := other.(*bag); o != nil {
		return s.merge(&o.keyed)
	}
	return nil
}

func (s *bag) Result(out *udf.Value) error {
	out.S = s.result('{', '}')
	return nil
}

func (s *bag) Size() int { return s.size() }
