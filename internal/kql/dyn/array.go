package dyn

import (
	"bytes"
	"iter"
	"slices"
)

// List builds the text of an array; [Begin] starts one. An example is [Concat].
type List struct {
	b     []byte
	start int
	n     int
}

// Begin starts an array behind dst.
func Begin(dst []byte) List { return List{b: append(dst, '['), start: len(dst)} }

// Add appends one element, null for no text.
func (a *List) Add(v []byte) {
	a.comma()
	if len(v) == 0 {
		a.b = append(a.b, "null"...)
		return
	}
	a.b = append(a.b, v...)
}

func (a *List) comma() {
	if a.n > 0 {
		a.b = append(a.b, ',')
	}
	a.n++
}

// End gives dst with the array.
func (a *List) End() []byte { return append(a.b, ']') }

// Elements lists the elements of an array in dst.
func Elements(dst [][]byte, v []byte) [][]byte {
	if KindOf(v) != Array {
		return dst
	}
	for it := Walk(v); it.Next(); {
		dst = append(dst, it.Value)
	}
	return dst
}

func appendElements(dst []byte, items [][]byte) []byte {
	a := Begin(dst)
	for _, v := range items {
		a.Add(v)
	}
	return a.End()
}

// ArrayLength is array_length(); false for what is no array.
func ArrayLength(v []byte) (int64, bool) {
	if KindOf(v) != Array {
		return 0, false
	}
	return int64(length(v)), true
}

// Concat appends the elements of all arrays in one; what is no array is null at
// once.
func Concat(dst []byte, arrays [][]byte) ([]byte, bool) {
	a := Begin(dst)
	for _, v := range arrays {
		if KindOf(v) != Array {
			return dst, false
		}
		for it := Walk(v); it.Next(); {
			a.Add(it.Value)
		}
	}
	return a.End(), true
}

// clampRange brings first and last, which may count from the end, into an array of
// n elements; it is empty when first > last.
func clampRange(n, first, last int64) (int64, int64) {
	if first < 0 {
		first += n
	}
	if last < 0 {
		last += n
	}
	return max(first, 0), min(last, n-1)
}

// Slice is array_slice(): the elements first to last, both inclusive and from the
// end where negative.
func Slice(dst []byte, items [][]byte, first, last int64) []byte {
	first, last = clampRange(int64(len(items)), first, last)
	if first > last {
		return append(dst, "[]"...)
	}
	return appendElements(dst, items[first:last+1])
}

// Split is array_split(): cuts before each position, negative ones from the end.
func Split(dst []byte, items [][]byte, at []int64) []byte {
	n := int64(len(items))
	out := Begin(dst)
	from := int64(0)
	piece := func(to int64) {
		out.comma()
		out.b = appendElements(out.b, items[from:to])
		from = to
	}
	for _, i := range at {
		if i < 0 {
			i += n
		}
		piece(min(max(i, from), n))
	}
	piece(n)
	return out.End()
}

// IndexOf is array_index_of(): the place of the nth element that equals value
// between first and last, -1 for none.
func IndexOf(items [][]byte, value []byte, first, last, nth int64) int64 {
	first, last = clampRange(int64(len(items)), first, last)
	for i := first; i <= last; i++ {
		if Equal(items[i], value) {
			if nth--; nth == 0 {
				return i
			}
		}
	}
	return -1
}

// Equal tells whether two values are the same: numbers by value, bags whatever the
// order of their keys.
func Equal(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	ka, kb := KindOf(a), KindOf(b)
	switch {
	case (ka == Long || ka == Real) && (kb == Long || kb == Real):
		if ka == Long && kb == Long {
			return bytes.Equal(a, b)
		}
		x, _ := realOf(a)
		y, _ := realOf(b)
		return x == y
	case ka != kb:
		return false
	case ka == String:
		return bytes.Equal(Unquote(nil, a), Unquote(nil, b))
	case ka == Array:
		x, y := Walk(a), Walk(b)
		for x.Next() {
			if !y.Next() || !Equal(x.Value, y.Value) {
				return false
			}
		}
		return !y.Next()
	case ka == Bag:
		return equalBags(a, b)
	}
	return ka == Null || ka == Bool && a[0] == b[0]
}

func equalBags(a, b []byte) bool {
	n := length(a)
	if n != length(b) {
		return false
	}
	others := make(map[string][]byte, n)
	for it := Walk(b); it.Next(); {
		others[string(Unquote(nil, it.Key))] = it.Value
	}
	for it := Walk(a); it.Next(); {
		other, ok := others[string(Unquote(nil, it.Key))]
		if !ok || !Equal(it.Value, other) {
			return false
		}
	}
	return true
}

// Iff is array_iff(): of each position the element of yes or no that the condition
// tells, null where it tells nothing or there is no element. What is no array stands
// for each position.
func Iff(dst []byte, conds [][]byte, yes, no []byte) []byte {
	pick := func(v []byte) func(i int) []byte {
		if KindOf(v) != Array {
			return func(int) []byte { return v }
		}
		items := Elements(nil, v)
		return func(i int) []byte {
			if i < len(items) {
				return items[i]
			}
			return nil
		}
	}
	y, n := pick(yes), pick(no)
	out := Begin(dst)
	for i, c := range conds {
		var b, ok bool
		if k := KindOf(c); k == Bool || k == Long || k == Real {
			b, ok = ToBool(c)
		}
		switch {
		case !ok:
			out.Add(nil)
		case b:
			out.Add(y(i))
		default:
			out.Add(n(i))
		}
	}
	return out.End()
}

// Reverse is array_reverse().
func Reverse(dst []byte, items [][]byte) []byte {
	slices.Reverse(items)
	return appendElements(dst, items)
}

// Rotate is array_rotate_left(), right for negative n.
func Rotate(dst []byte, items [][]byte, n int64) []byte {
	if len(items) == 0 {
		return append(dst, "[]"...)
	}
	size := int64(len(items))
	k := (n%size + size) % size
	a := Begin(dst)
	for i := range size {
		a.Add(items[(i+k)%size])
	}
	return a.End()
}

// Shift is array_shift_left(), right for negative n: what leaves is lost, fill takes
// the free places.
func Shift(dst []byte, items [][]byte, n int64, fill []byte) []byte {
	a := Begin(dst)
	for i := range int64(len(items)) {
		from := i + n
		if n > 0 && from < i || n < 0 && from > i || from < 0 || from >= int64(len(items)) {
			a.Add(fill)
			continue
		}
		a.Add(items[from])
	}
	return a.End()
}

// Sum is array_sum(): false when nothing was added or an element is no number.
func Sum(items [][]byte) (float64, bool) {
	sum, any := 0.0, false
	for _, v := range items {
		switch KindOf(v) {
		case Null:
		case Long, Real, Bool:
			f, _ := ToReal(v)
			sum, any = sum+f, true
		default:
			return 0, false
		}
	}
	return sum, any
}

// Zip is zip(): the elements of all arrays position by position, null behind the
// shorter ones' end. What is no array is one element.
func Zip(dst []byte, arrays [][]byte) []byte {
	lists := make([][][]byte, len(arrays))
	longest := 0
	for i, v := range arrays {
		if KindOf(v) == Array {
			lists[i] = Elements(nil, v)
		} else {
			lists[i] = [][]byte{v}
		}
		longest = max(longest, len(lists[i]))
	}
	out := Begin(dst)
	for i := range longest {
		out.comma()
		row := Begin(out.b)
		for _, l := range lists {
			if i < len(l) {
				row.Add(l[i])
			} else {
				row.Add(nil)
			}
		}
		out.b = row.End()
	}
	return out.End()
}

// Repeat is repeat(): an array of n times the value.
func Repeat(dst, v []byte, n int64) ([]byte, error) {
	if n > MaxElements || n*int64(len(v)+1) > MaxText {
		return dst, ErrTooLarge
	}
	a := Begin(dst)
	for range n {
		a.Add(v)
	}
	return a.End(), nil
}

// Flat gives the elements of an array and of the arrays within it, which in takes
// for its list; anything else is its own only element.
func Flat(v []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { flat(v, yield) }
}

func flat(v []byte, yield func([]byte) bool) bool {
	if KindOf(v) != Array {
		return yield(v)
	}
	for it := Walk(v); it.Next(); {
		if !flat(it.Value, yield) {
			return false
		}
	}
	return true
}
