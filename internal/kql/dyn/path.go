package dyn

import (
	"bytes"
	"strconv"
)

// Path leads into a value: names of a bag's keys and positions in arrays. The
// zero Path is the value itself.
type Path []Step

// Step is one part of a Path.
type Step struct {
	// Name is the key of a bag, in text and as JSON writes it with quotes. Index is
	// what counts when IsIndex.
	Name, quoted []byte
	IsIndex      bool
	// Index is a position from 0; negative from the end (-1 is the last).
	Index int64
}

// Member gives the step to a key.
func Member(name string) Step {
	return Step{Name: []byte(name), quoted: AppendString(nil, []byte(name))}
}

// Element gives the step to a position.
func Element(i int64) Step { return Step{IsIndex: true, Index: i} }

// String prints a path as an array of names and positions: what [ParsePath] reads.
func (p Path) String() string {
	b := []byte{'['}
	for i, s := range p {
		if i > 0 {
			b = append(b, ',')
		}
		if s.IsIndex {
			b = strconv.AppendInt(b, s.Index, 10)
		} else {
			b = append(b, s.quoted...)
		}
	}
	return string(append(b, ']'))
}

// ParsePath reads what Path.String prints; false for anything else.
func ParsePath(text []byte) (Path, bool) {
	if !Valid(text) || KindOf(text) != Array {
		return nil, false
	}
	path := Path{}
	for it := Walk(text); it.Next(); {
		switch KindOf(it.Value) {
		case String:
			path = append(path, Member(string(Unquote(nil, it.Value))))
		case Long:
			n, err := strconv.ParseInt(string(it.Value), 10, 64)
			if err != nil {
				return nil, false
			}
			path = append(path, Element(n))
		default:
			return nil, false
		}
	}
	return path, true
}

// Find gives the value at a path of valid JSON, a part of v; nil where there is
// none, and for null.
func Find(v []byte, path Path) []byte {
	v = trimLeft(v)
	for i := range path {
		s := &path[i]
		if s.IsIndex {
			v = at(v, s.Index)
		} else {
			v = member(v, s)
		}
		if v == nil {
			return nil
		}
	}
	if len(v) > 0 && v[0] == 'n' {
		return nil
	}
	if len(path) == 0 {
		v = bytes.TrimRight(v, " \t\r\n")
	}
	return v
}

// FindText is Find in text that may be no JSON, as parse_json() reads it: such text
// is a string, and has no parts. ok tells that v is JSON, else v is the text.
func FindText(text []byte, path Path) (v []byte, ok bool) {
	if Valid(text) {
		return Find(text, path), true
	}
	if len(path) > 0 {
		return nil, true
	}
	return text, false
}

// Index gives element i of an array, from the end for negative i; nil where there
// is none, and for null.
func Index(v []byte, i int64) []byte {
	v = at(trimLeft(v), i)
	if len(v) > 0 && v[0] == 'n' {
		return nil
	}
	return v
}

func at(v []byte, i int64) []byte {
	if len(v) == 0 || v[0] != '[' {
		return nil
	}
	if i < 0 {
		if i += int64(Len(v)); i < 0 {
			return nil
		}
	}
	for it := Walk(v); it.Next(); i-- {
		if i == 0 {
			return it.Value
		}
	}
	return nil
}

// member scans a bag for a key without leaving the loop for its other keys.
func member(b []byte, s *Step) []byte {
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	for it := Walk(b); it.Next(); {
		if sameKey(it.Key, s) {
			return it.Value
		}
	}
	return nil
}

// sameKey compares a key as written with a name. Escapes that needn't be are rare,
// so they are decoded only where a key has any.
func sameKey(key []byte, s *Step) bool {
	if bytes.Equal(key, s.quoted) {
		return true
	}
	if bytes.IndexByte(key, '\\') < 0 {
		return false
	}
	return bytes.Equal(Unquote(nil, key), s.Name)
}
