package dyn

import (
	"bytes"
	"strings"
)

// BagBuilder builds the text of a bag; [BeginBag] starts one. Of equal keys the
// first stays, as the engine's bag_merge() and make_bag() were seen to do.
type BagBuilder struct {
	b    []byte
	n    int
	seen map[string]bool
}

// BeginBag starts a bag behind dst.
func BeginBag(dst []byte) BagBuilder {
	return BagBuilder{b: append(dst, '{'), seen: map[string]bool{}}
}

// Add appends a key (as JSON writes it, with quotes) and its value, null for no
// text.
func (g *BagBuilder) Add(key, v []byte) {
	if bytes.IndexByte(key, '\\') >= 0 {
		key = compactString(nil, key)
	}
	if g.seen[string(key)] {
		return
	}
	g.seen[string(key)] = true
	if g.n > 0 {
		g.b = append(g.b, ',')
	}
	g.n++
	g.b = append(append(g.b, key...), ':')
	if len(v) == 0 {
		v = []byte("null")
	}
	g.b = append(g.b, v...)
}

// AddName appends a key given as text.
func (g *BagBuilder) AddName(name, v []byte) { g.Add(AppendString(nil, name), v) }

// End gives dst with the bag.
func (g *BagBuilder) End() []byte { return append(g.b, '}') }

// Keys is bag_keys(); false for what is no bag.
func Keys(dst, v []byte) ([]byte, bool) {
	if KindOf(v) != Bag {
		return dst, false
	}
	a := Begin(dst)
	for it := Walk(v); it.Next(); {
		a.Add(it.Key)
	}
	return a.End(), true
}

// Merge is bag_merge(): nulls are left out; anything else that is no bag makes it
// null.
func Merge(dst []byte, bags [][]byte) ([]byte, bool) {
	g := BeginBag(dst)
	any := false
	for _, v := range bags {
		switch KindOf(v) {
		case Null:
			continue
		case Bag:
		default:
			return dst, false
		}
		any = true
		for it := Walk(v); it.Next(); {
			g.Add(it.Key, it.Value)
		}
	}
	return g.End(), any
}

// ZipBag is bag_zip(): keys that are no strings are left out with their values, keys
// without a value get null; null where the keys are no array.
func ZipBag(dst, keys, values []byte) ([]byte, bool) {
	if KindOf(keys) != Array {
		return dst, false
	}
	list := Elements(nil, values)
	g := BeginBag(dst)
	i := 0
	for it := Walk(keys); it.Next(); i++ {
		if KindOf(it.Value) != String {
			continue
		}
		var v []byte
		if i < len(list) {
			v = list[i]
		}
		g.Add(it.Value, v)
	}
	return g.End(), true
}

// KeyPath reads the key argument of the bag functions: a JSONPath when it begins
// with $, else one key.
func KeyPath(key string) (Path, bool) {
	if strings.HasPrefix(key, "$") {
		return ParseJSONPath(key)
	}
	return Path{Member(key)}, true
}

// HasKey is bag_has_key(): also a key whose value is null is there.
func HasKey(v []byte, path Path) bool {
	v = trimLeft(v)
	for i := range path {
		if s := &path[i]; s.IsIndex {
			v = at(v, s.Index)
		} else {
			v = member(v, s)
		}
		if v == nil {
			return false
		}
	}
	return true
}

// RemoveKeys is bag_remove_keys().
func RemoveKeys(dst, v []byte, paths []Path) []byte {
	if KindOf(v) != Bag {
		return append(dst, v...)
	}
	g := BeginBag(dst)
	for it := Walk(v); it.Next(); {
		var below []Path
		gone := false
		for _, p := range paths {
			if len(p) == 0 || p[0].IsIndex || !sameKey(it.Key, &p[0]) {
				continue
			}
			if len(p) == 1 {
				gone = true
			} else {
				below = append(below, p[1:])
			}
		}
		switch {
		case gone:
		case below != nil:
			g.Add(it.Key, RemoveKeys(nil, it.Value, below))
		default:
			g.Add(it.Key, it.Value)
		}
	}
	return g.End()
}

// SetKey is bag_set_key(): the key goes to the end of its bag, bags on the way are
// made; false where a position or a value that is no bag is in the way.
func SetKey(dst, v []byte, path Path, value []byte) ([]byte, bool) {
	if len(path) == 0 || path[0].IsIndex {
		return dst, false
	}
	k := KindOf(v)
	if k != Bag && k != Null {
		return dst, false
	}
	g := BeginBag(dst)
	var old []byte
	for it := Walk(v); it.Next(); {
		if sameKey(it.Key, &path[0]) {
			old = it.Value
			continue
		}
		g.Add(it.Key, it.Value)
	}
	if len(path) > 1 {
		inner, ok := SetKey(nil, old, path[1:], value)
		if !ok {
			return dst, false
		}
		value = inner
	}
	g.Add(path[0].quoted, value)
	return g.End(), true
}

// ParseJSONPath reads the part of JSONPath that names one place: $, .name, ['name'],
// ["name"] and [n]; false for anything else.
func ParseJSONPath(text string) (Path, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "$")
	if !ok {
		return nil, false
	}
	path := Path{}
	for rest != "" {
		switch rest[0] {
		case '.':
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 || strings.ContainsAny(rest[:end], "*?()@'\" ") {
				return nil, false
			}
			path = append(path, Member(rest[:end]))
			rest = rest[end:]
		case '[':
			step, tail, ok := bracketStep(rest[1:])
			if !ok {
				return nil, false
			}
			path, rest = append(path, step), tail
		default:
			return nil, false
		}
	}
	return path, true
}

func bracketStep(s string) (Step, string, bool) {
	if s != "" && (s[0] == '\'' || s[0] == '"') {
		end := strings.IndexByte(s[1:], s[0])
		if end < 0 || !strings.HasPrefix(s[end+2:], "]") || strings.IndexByte(s[1:end+1], '\\') >= 0 {
			return Step{}, "", false
		}
		return Member(s[1 : end+1]), s[end+3:], true
	}
	digits, tail, ok := strings.Cut(s, "]")
	n, isNumber := WholeOfText(digits)
	return Element(n), tail, ok && isNumber && strings.Trim(digits, "-0123456789") == ""
}
