package dyn

import "strconv"

// TreePath is treepath(): the ways to all values within a bag or an array, each
// once. Elements of arrays are told by [0] only, as Kusto does. False for scalars.
func TreePath(dst, v []byte) ([]byte, bool) {
	if k := KindOf(v); k != Bag && k != Array {
		return dst, false
	}
	a := Begin(dst)
	seen := map[string]bool{}
	treePath(&a, seen, nil, v)
	return a.End(), true
}

func treePath(a *List, seen map[string]bool, way, v []byte) {
	k := KindOf(v)
	if k != Bag && k != Array {
		return
	}
	for it := Walk(v); it.Next(); {
		below := way[:len(way):len(way)]
		if k == Bag {
			below = append(append(append(below, "['"...), Unquote(nil, it.Key)...), "']"...)
		} else {
			below = append(below, "[0]"...)
		}
		if !seen[string(below)] {
			seen[string(below)] = true
			a.Add(AppendString(nil, below))
		}
		treePath(a, seen, below, it.Value)
	}
}

// AppendLong appends a whole number as it stands in a value.
func AppendLong(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// Join is strcat_array(): the text of each element with a delimiter between; false
// for what is no array.
func Join(dst, v, delimiter []byte) ([]byte, bool) {
	if KindOf(v) != Array {
		return dst, false
	}
	first := true
	for it := Walk(v); it.Next(); first = false {
		if !first {
			dst = append(dst, delimiter...)
		}
		dst = Text(dst, it.Value)
	}
	return dst, true
}

// Expand gives what mv-expand makes of a value, one element a line: those of an
// array, of a bag each key with its value as a bag (or, with pairs, as an array of
// two), anything else itself, "null" for null. Nothing is left of an empty array or
// bag: false. Compact JSON has no line break, so lines are safe.
func Expand(dst, v []byte, pairs bool) ([]byte, bool) {
	k := KindOf(v)
	switch k {
	case Null:
		return append(dst, "null"...), true
	case Array, Bag:
	default:
		return Compact(dst, v), true
	}
	first := true
	for it := Walk(v); it.Next(); first = false {
		if !first {
			dst = append(dst, '\n')
		}
		switch {
		case k == Array:
			dst = Compact(dst, it.Value)
		case pairs:
			dst = append(append(dst, '['), it.Key...)
			dst = append(Compact(append(dst, ','), it.Value), ']')
		default:
			dst = append(append(dst, '{'), it.Key...)
			dst = append(Compact(append(dst, ':'), it.Value), '}')
		}
	}
	return dst, !first
}
