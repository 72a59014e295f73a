package agg

import (
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// list is the state of make_list. Arguments are the value, the most elements to
// keep, and the row's place in the order of rows or 0.
type list struct {
	items
	typ   schema.Type
	nulls bool
}

func newList(t schema.Type, nulls bool) *list {
	return &list{typ: t, nulls: nulls, items: items{most: MaxElements}}
}

func (s *list) Add(args []udf.Value) error {
	v, at := &args[0], args[2].I
	s.most = min(args[1].I, MaxElements)
	switch {
	case s.full(at), v.Null && !s.nulls && s.typ != schema.Dynamic && s.typ != schema.String:
		return nil
	case s.typ == schema.Dynamic && !v.Null && dyn.KindOf(v.S) == dyn.Array:
		for it := dyn.Walk(v.S); it.Next(); {
			if err := s.add(at, func(dst []byte) []byte { return append(dst, it.Value...) }); err != nil {
				return err
			}
		}
		return nil
	}
	return s.add(at, func(dst []byte) []byte { return appendValue(dst, s.typ, v) })
}

func (s *list) Merge(other State) error {
	o, _ := other.(*list)
	switch {
	case o == nil || len(o.parts) == 0:
		return nil
	case len(s.parts) == 0:
		s.items = o.items
		return nil
	}
	for _, p := range o.parts {
		if s.full(p.at) {
			break
		}
		if err := s.add(p.at, func(dst []byte) []byte { return append(dst, o.of(p)...) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *list) Result(out *udf.Value) error {
	out.S = s.join('[', ']', s.of)
	return nil
}

func (s *list) Size() int { return s.size() }
