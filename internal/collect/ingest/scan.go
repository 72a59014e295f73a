package ingest

import (
	"github.com/wadi-project/wadi/internal/kql/dyn"
)

// scanner reads JSON from the bytes of a body, which are UTF-8. After a function
// gave false, reason says what is wrong at i.
type scanner struct {
	b      []byte
	i      int
	reason string
	// text is memory for texts with escapes.
	text []byte
}

func (s *scanner) fail(at int, reason string) bool {
	s.i, s.reason = at, reason
	return false
}

const (
	errEnds   = "the text ends inside a value"
	errValue  = "this is no JSON value"
	errString = "a string holds a character that must be escaped, or an escape that JSON does not have"
	errLong   = "a text is longer than 4 MiB"
	errDeep   = "objects and arrays are nested deeper than 256"
)

// space goes to the next character that is no white space.
func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\r', '\t':
			s.i++
		default:
			return
		}
	}
}

// next goes to the next character and gives it, 0 at the end.
func (s *scanner) next() byte {
	if s.i < len(s.b) && s.b[s.i] > ' ' {
		return s.b[s.i]
	}
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// str reads the string whose opening quote is at i. Without escapes the text is a
// piece of the body, else it lies in the scanner's memory.
func (s *scanner) str() ([]byte, bool) {
	start := s.i + 1
	end := dyn.Special(s.b, start)
	if end < len(s.b) && s.b[end] == '"' {
		s.i = end + 1
		if end-start > MaxText {
			return nil, s.fail(start-1, errLong)
		}
		return s.b[start:end:end], true
	}
	end, ok := s.stringEnd(start - 1)
	if !ok {
		return nil, false
	}
	if end-start > 6*MaxText {
		return nil, s.fail(start-1, errLong)
	}
	lo := len(s.text)
	s.text = dyn.Unquote(s.text, s.b[start-1:end])
	if len(s.text)-lo > MaxText {
		return nil, s.fail(start-1, errLong)
	}
	s.i = end
	return s.text[lo:len(s.text):len(s.text)], true
}

// stringEnd gives the place behind the string whose opening quote is at start.
func (s *scanner) stringEnd(start int) (int, bool) {
	b := s.b
	for i := dyn.Special(b, start+1); i < len(b); i = dyn.Special(b, i) {
		switch b[i] {
		case '"':
			return i + 1, true
		case '\\':
			if i+1 >= len(b) {
				return 0, s.fail(i, errEnds)
			}
			i += 2
			switch b[i-1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					if i >= len(b) || !isHex(b[i]) {
						return 0, s.fail(min(i, len(b)), errString)
					}
					i++
				}
			default:
				return 0, s.fail(i-1, errString)
			}
		default:
			return 0, s.fail(i, errString)
		}
	}
	return 0, s.fail(len(b), errEnds)
}

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f' }

// value reads the value at i.
func (s *scanner) value(v *value) bool {
	switch c := s.next(); {
	case c == '"':
		text, ok := s.str()
		v.kind, v.text = ofText, text
		return ok
	case c == '-' || c-'0' <= 9:
		return s.number(v)
	case c == 't':
		v.kind, v.flag = ofBool, true
		return s.word("true")
	case c == 'f':
		v.kind, v.flag = ofBool, false
		return s.word("false")
	case c == 'n':
		v.kind = ofNull
		return s.word("null")
	case c == '{' || c == '[':
		start := s.i
		if !s.nested() {
			return false
		}
		v.kind, v.text = ofJSON, s.b[start:s.i]
		return true
	case c == 0 && s.i >= len(s.b):
		return s.fail(s.i, errEnds)
	}
	return s.fail(s.i, errValue)
}

func (s *scanner) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return s.fail(s.i, errValue)
	}
	s.i += len(w)
	return true
}

// number reads a number. Whole ones of at most 18 digits are computed at once.
func (s *scanner) number(v *value) bool {
	b, start := s.b, s.i
	i := start
	if b[i] == '-' {
		i++
	}
	first := i
	var n int64
	for i < len(b) && b[i]-'0' <= 9 {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	digits := i - first
	if digits == 0 || digits > 1 && b[first] == '0' {
		return s.fail(start, errValue)
	}
	whole := i >= len(b) || b[i] != '.' && b[i]|0x20 != 'e'
	if !whole {
		var ok bool
		if i, ok = fraction(b, i); !ok {
			return s.fail(start, errValue)
		}
	}
	s.i, v.text = i, b[start:i:i]
	if v.kind = ofNumber; whole && digits <= 18 {
		if v.kind, v.n = ofWhole, n; first > start {
			v.n = -n
		}
	}
	return true
}

// fraction gives the place behind the fraction and exponent at i.
func fraction(b []byte, i int) (int, bool) {
	digits := func() bool {
		start := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		return i > start
	}
	if b[i] == '.' {
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

// nested goes behind the object or array at i. It only matches brackets: what is
// inside is checked when the value is taken.
func (s *scanner) nested() bool {
	start, depth := s.i, 0
	for i := start; i < len(s.b); {
		switch s.b[i] {
		case '"':
			end, ok := s.stringEnd(i)
			if !ok {
				return false
			}
			i = end
			continue
		case '{', '[':
			if depth++; depth > MaxDepth {
				return s.fail(i, errDeep)
			}
		case '}', ']':
			if depth--; depth == 0 {
				if s.i = i + 1; s.i-start > MaxText {
					return s.fail(start, errLong)
				}
				return true
			}
		}
		i++
	}
	return s.fail(len(s.b), errEnds)
}
