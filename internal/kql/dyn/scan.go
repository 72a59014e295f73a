package dyn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"strconv"

	"github.com/wadi-project/wadi/internal/kql/fn"
)

// Limits of one value.
const (
	// MaxElements bounds arrays that functions make (range, repeat): Kusto's own
	// limit.
	MaxElements = 1 << 20
	// MaxText bounds the text of one value that functions make, in bytes. Kusto
	// stops at 1 MiB of its packed form; the text of 2^20 numbers is larger.
	MaxText = 16 << 20
	// maxDepth bounds nesting in text that is read. Deeper text is no JSON here: some
	// functions look at a value once for each level.
	maxDepth = 256
)

// ErrTooLarge says that a value would pass [MaxElements] or [MaxText].
var ErrTooLarge = errors.New("a dynamic value is too large: it may have 1048576 elements and 16 MiB of text")

// Kind is what a value is.
type Kind byte

// The kinds. Text that is no JSON has none.
const (
	Invalid Kind = iota
	Null
	Bool
	Long
	Real
	String
	Array
	Bag
)

// KindOf tells a value's kind from its first bytes; the text must be JSON.
func KindOf(v []byte) Kind {
	v = trimLeft(v)
	if len(v) == 0 {
		return Null
	}
	switch v[0] {
	case '{':
		return Bag
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	}
	if isReal(v) {
		return Real
	}
	return Long
}

// isReal tells whether a number's text is a real: it has a point or an exponent,
// or doesn't fit a long.
func isReal(v []byte) bool {
	digits := 0
	for _, c := range v {
		switch {
		case c == '.' || c == 'e' || c == 'E':
			return true
		case c >= '0' && c <= '9':
			digits++
		case c != '-':
			return digits > 18 && !fitsLong(v)
		}
	}
	return digits > 18 && !fitsLong(v)
}

func fitsLong(v []byte) bool {
	_, err := strconv.ParseInt(string(bytes.TrimRight(v, " \t\r\n")), 10, 64)
	return err == nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func trimLeft(v []byte) []byte {
	for len(v) > 0 && isSpace(v[0]) {
		v = v[1:]
	}
	return v
}

func space(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// isValid tells whether text is one JSON value.
func isValid(b []byte) bool {
	i, ok := valid(b, space(b, 0), 0)
	return ok && space(b, i) == len(b)
}

// valid checks the value at i and gives the place behind it.
func valid(b []byte, i, depth int) (int, bool) {
	if i >= len(b) || depth > maxDepth {
		return i, false
	}
	switch c := b[i]; c {
	case '{':
		return validItems(b, i+1, depth+1, '}')
	case '[':
		return validItems(b, i+1, depth+1, ']')
	case '"':
		return validString(b, i)
	case 't':
		return word(b, i, "true")
	case 'f':
		return word(b, i, "false")
	case 'n':
		return word(b, i, "null")
	}
	return validNumber(b, i)
}

func word(b []byte, i int, w string) (int, bool) {
	if len(b)-i < len(w) || string(b[i:i+len(w)]) != w {
		return i, false
	}
	return i + len(w), true
}

// validItems checks what stands between brackets.
func validItems(b []byte, i, depth int, end byte) (int, bool) {
	i = space(b, i)
	if i < len(b) && b[i] == end {
		return i + 1, true
	}
	for {
		var ok bool
		if end == '}' {
			if i >= len(b) || b[i] != '"' {
				return i, false
			}
			if i, ok = validString(b, i); !ok {
				return i, false
			}
			if i = space(b, i); i >= len(b) || b[i] != ':' {
				return i, false
			}
			i = space(b, i+1)
		}
		if i, ok = valid(b, i, depth); !ok {
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

// Eight bytes at once: which of them are below a blank, a quote or a backslash
// (Anderson's Bit Twiddling Hacks, "haszero" and "hasless").
const (
	ones = 0x0101010101010101
	high = 0x8080808080808080
)

// Special gives the place of the next byte at or behind i that a string can't hold
// as it is: a quote, a backslash, a control character.
func Special(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^ones*'"', x^ones*'\\'
		if m := ((x-ones*' ')&^x | (quote-ones)&^quote | (slash-ones)&^slash) & high; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

func validString(b []byte, i int) (int, bool) {
	for i = Special(b, i+1); i < len(b); i = Special(b, i) {
		switch b[i] {
		case '"':
			return i + 1, true
		case '\\':
			i++
			if i >= len(b) {
				return i, false
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if len(b)-i < 5 || hex4(b[i+1:i+5]) < 0 {
					return i, false
				}
				i += 4
			default:
				return i, false
			}
			i++
		default:
			return i, false
		}
	}
	return i, false
}

func hex4(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

func validNumber(b []byte, i int) (int, bool) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	digits := func() bool {
		start := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > start
	}
	start := i
	if !digits() || b[start] == '0' && i > start+1 {
		return i, false
	}
	if i < len(b) && b[i] == '.' {
		i++
		if !digits() {
			return i, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return i, false
		}
	}
	return i, true
}

// skip gives the place behind the value at i of valid JSON.
func skip(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				i = skipString(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return i
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && !isSpace(b[i]) {
		i++
	}
	return i
}

// skipString gives the place behind the string at i.
func skipString(b []byte, i int) int {
	for i = Special(b, i+1); i < len(b); i = Special(b, i) {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
		i++
	}
	return len(b)
}

// Items walks an array (or the values of a bag) of valid JSON.
type Items struct {
	b    []byte
	at   int
	bag  bool
	done bool
	// Key is the current key with its quotes, of a bag only.
	Key []byte
	// Value is the current value.
	Value []byte
}

// Walk begins at the elements of an array or a bag; there are none in others.
func Walk(v []byte) Items {
	i := space(v, 0)
	it := Items{b: v, at: i + 1}
	if i >= len(v) || v[i] != '[' && v[i] != '{' {
		it.done = true
		return it
	}
	it.bag = v[i] == '{'
	return it
}

// Next goes to the next element; false at the end.
func (it *Items) Next() bool {
	if it.done {
		return false
	}
	b := it.b
	i := space(b, it.at)
	if i < len(b) && b[i] == ',' {
		i = space(b, i+1)
	}
	if i >= len(b) || b[i] == ']' || b[i] == '}' {
		it.done = true
		return false
	}
	if it.bag {
		end := skipString(b, i)
		it.Key = b[i:end]
		i = space(b, end)
		if i < len(b) && b[i] == ':' {
			i++
		}
		i = space(b, i)
	}
	end := skip(b, i)
	if end == i && i < len(b) { // not JSON: stop rather than stay
		it.done = true
		return false
	}
	it.Value, it.at = b[i:end], end
	return true
}

// length counts the elements of an array or a bag.
func length(v []byte) int {
	n := 0
	for it := Walk(v); it.Next(); n++ {
	}
	return n
}

// AppendReal appends a real as it stands in a value: NaN and the infinities are
// strings, as JSON has no numbers for them.
func AppendReal(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		dst = append(dst, '"')
		dst = append(dst, fn.FormatReal(f)...)
		return append(dst, '"')
	}
	return append(dst, fn.FormatReal(f)...)
}
