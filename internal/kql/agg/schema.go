package agg

import (
	"maps"
	"slices"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/udf"
	"github.com/wadi-project/wadi/internal/schema"
)

// schemas is buildschema: the least schema that all values of a dynamic meet. A
// value's schema is the name of its type; of a bag a bag of its keys' schemas, of an
// array a bag of the one key `indexer` (with the backquotes) with that of its
// elements; where there are several, an array of them.
var schemas = []Func{
	{Name: "buildschema", Params: []schema.Type{schema.Dynamic}, Result: schema.Dynamic, New: func() State { return &built{} }},
}

const (
	// maxSchemaNodes bounds the parts of a schema.
	maxSchemaNodes = 1 << 16
	// schemaNodeBytes is about what one costs beside its key.
	schemaNodeBytes = 200
)

type built struct {
	root  shapeNode
	nodes int
}

// shapeNode is what was seen at one place.
type shapeNode struct {
	types    map[string]bool
	bag      map[string]*shapeNode // by key with quotes
	keys     []string              // in order of appearance
	elements *shapeNode
}

func (s *built) Add(args []udf.Value) error {
	if args[0].Null {
		return nil
	}
	return s.add(&s.root, args[0].S)
}

func (s *built) add(n *shapeNode, v []byte) error {
	if s.nodes > maxSchemaNodes {
		return ErrTooLarge
	}
	switch dyn.KindOf(v) {
	case dyn.Bag:
		if n.bag == nil {
			n.bag = map[string]*shapeNode{}
		}
		for it := dyn.Walk(v); it.Next(); {
			if err := s.add(s.key(n, string(it.Key)), it.Value); err != nil {
				return err
			}
		}
	case dyn.Array:
		if n.elements == nil {
			n.elements = &shapeNode{}
			s.nodes++
		}
		for it := dyn.Walk(v); it.Next(); {
			if err := s.add(n.elements, it.Value); err != nil {
				return err
			}
		}
	case dyn.Bool, dyn.Long, dyn.Real, dyn.String:
		if n.types == nil {
			n.types = map[string]bool{}
		}
		n.types[dyn.TypeName(v)] = true
	}
	return nil
}

func (s *built) key(n *shapeNode, key string) *shapeNode {
	sub := n.bag[key]
	if sub == nil {
		sub = &shapeNode{}
		n.bag[key] = sub
		n.keys = append(n.keys, key)
		s.nodes++
	}
	return sub
}

func (s *built) Merge(other State) error {
	o, _ := other.(*built)
	if o == nil {
		return nil
	}
	return s.merge(&s.root, &o.root)
}

func (s *built) merge(n, o *shapeNode) error {
	if s.nodes > maxSchemaNodes {
		return ErrTooLarge
	}
	if o.types != nil {
		if n.types == nil {
			n.types = map[string]bool{}
		}
		maps.Copy(n.types, o.types)
	}
	if o.bag != nil && n.bag == nil {
		n.bag = map[string]*shapeNode{}
	}
	for _, k := range o.keys {
		if err := s.merge(s.key(n, k), o.bag[k]); err != nil {
			return err
		}
	}
	if o.elements != nil {
		if n.elements == nil {
			n.elements = &shapeNode{}
			s.nodes++
		}
		return s.merge(n.elements, o.elements)
	}
	return nil
}

func (s *built) Result(out *udf.Value) error {
	out.S = s.root.append(nil)
	return nil
}

// append writes a schema; of nothing it is "null".
func (n *shapeNode) append(dst []byte) []byte {
	var parts [][]byte
	if n.bag != nil {
		text := []byte{'{'}
		for i, k := range n.keys {
			if i > 0 {
				text = append(text, ',')
			}
			text = n.bag[k].append(append(append(text, k...), ':'))
		}
		parts = append(parts, append(text, '}'))
	}
	if n.elements != nil {
		parts = append(parts, append(n.elements.append([]byte("{\"`indexer`\":")), '}'))
	}
	for _, t := range slices.Sorted(maps.Keys(n.types)) {
		parts = append(parts, []byte(`"`+t+`"`))
	}
	switch len(parts) {
	case 0:
		return append(dst, `"null"`...)
	case 1:
		return append(dst, parts[0]...)
	}
	dst = append(dst, '[')
	for i, p := range parts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, p...)
	}
	return append(dst, ']')
}

func (s *built) Size() int { return s.nodes * schemaNodeBytes }
