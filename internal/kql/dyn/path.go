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
	if !isValid(text) || KindOf(text) != Array {
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
	if n := len(v); len(path) == 0 && n > 0 && v[0] != 'n' && !isSpace(v[n-1]) {
		return v
	}
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
	for i := range path {
		if path[i].IsIndex && path[i].Index < 0 { // counts from an end not seen yet
			if isValid(text) {
				return Find(text, path), true
			}
			return nil, true
		}
	}
	f := finder{b: text}
	end, ok := f.value(space(text, 0), 0, path)
	switch {
	case ok && space(text, end) == len(text):
		if f.to > f.from && text[f.from] == 'n' {
			return nil, true
		}
		return text[f.from:f.to], true
	case len(path) > 0:
		return nil, true
	}
	return text, false
}

// finder checks a text and notes where the value at a path is, in one pass.
type finder struct {
	b        []byte
	from, to int
}

// value checks the value at i, to which what is left of the path leads.
func (f *finder) value(i, depth int, path Path) (int, bool) {
	if i >= len(f.b) || depth > maxDepth {
		return i, false
	}
	switch {
	case len(path) == 0:
		end, ok := valid(f.b, i, depth)
		f.from, f.to = i, end
		return end, ok
	case f.b[i] == '{' && !path[0].IsIndex:
		return f.items(i+1, depth+1, '}', path)
	case f.b[i] == '[' && path[0].IsIndex:
		return f.items(i+1, depth+1, ']', path)
	}
	return valid(f.b, i, depth)
}

// items checks what stands between brackets, one item of which is on the path.
func (f *finder) items(i, depth int, end byte, path Path) (int, bool) {
	b := f.b
	i = space(b, i)
	if i < len(b) && b[i] == end {
		return i + 1, true
	}
	met := false
	for n := int64(0); ; n++ {
		var ok bool
		here := !met && n == path[0].Index
		if end == '}' {
			if i >= len(b) || b[i] != '"' {
				return i, false
			}
			key := i
			if i, ok = validString(b, i); !ok {
				return i, false
			}
			here = !met && sameKey(b[key:i], &path[0])
			if i = space(b, i); i >= len(b) || b[i] != ':' {
				return i, false
			}
			i = space(b, i+1)
		}
		if here {
			met = true
			i, ok = f.value(i, depth, path[1:])
		} else {
			i, ok = valid(b, i, depth)
		}
		if !ok {
			return i, false
		}
		if i = space(b, i); i >= len(b) {
			return i, false
		}
		switch b[i] {
		case end:
			return i + 1, true
		case ',':
			i = space(b, i+1)
		default:
			return i, false
		}
	}
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
		if i += int64(length(v)); i < 0 {
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
	for i := space(b, 1); i < len(b) && b[i] == '"'; {
		key := i
		i = skipString(b, i)
		found := sameKey(b[key:i], s)
		if i < len(b) && b[i] != ':' {
			i = space(b, i)
		}
		i++
		if i < len(b) && isSpace(b[i]) {
			i = space(b, i)
		}
		end := skip(b, i)
		if found {
			return b[min(i, end):end]
		}
		if i = end; i < len(b) && isSpace(b[i]) {
			i = space(b, i)
		}
		if i++; i < len(b) && isSpace(b[i]) { // behind the comma
			i = space(b, i)
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
