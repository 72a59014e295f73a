package dyn

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Parse appends text in the package's form: white space goes, numbers get their
// one form, of equal keys the first stays. Text that is no JSON is false.
func Parse(dst, text []byte) ([]byte, bool) {
	c := compactor{b: text, dst: dst, from: space(text, 0)}
	end, ok := c.value(c.from, 0)
	if !ok || space(text, end) != len(text) {
		return dst, false
	}
	c.flush(end)
	return c.dst, true
}

// ParseOrString is parse_json(): what is no JSON is a string; null, "null" and text
// of white space only give no text.
func ParseOrString(dst, text []byte) []byte {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return dst
	}
	out, ok := Parse(dst, text)
	if !ok {
		return AppendString(dst, text)
	}
	if string(out[len(dst):]) == "null" {
		return dst
	}
	return out
}

// Compact appends JSON in the package's form; text that is none as it is.
func Compact(dst, v []byte) []byte {
	out, ok := Parse(dst, v)
	if !ok {
		return append(dst, v...)
	}
	return out
}

// compactor checks and copies a text in one pass. What needs no change is copied
// in long runs: from is where the run begins that is not copied yet.
type compactor struct {
	b, dst []byte
	from   int
}

// flush copies up to a place.
func (c *compactor) flush(to int) {
	c.dst = append(c.dst, c.b[c.from:to]...)
	c.from = to
}

// space leaves out white space at i and gives the place behind it.
func (c *compactor) space(i int) int {
	if i < len(c.b) && !isSpace(c.b[i]) {
		return i
	}
	end := space(c.b, i)
	if end > i {
		c.flush(i)
		c.from = end
	}
	return end
}

// value takes the value at i and gives the place behind it; false for no JSON.
func (c *compactor) value(i, depth int) (int, bool) {
	if i >= len(c.b) || depth > maxDepth {
		return i, false
	}
	switch c.b[i] {
	case '{':
		return c.bag(i, depth+1)
	case '[':
		return c.array(i, depth+1)
	case '"':
		return c.text(i)
	case 't':
		return word(c.b, i, "true")
	case 'f':
		return word(c.b, i, "false")
	case 'n':
		return word(c.b, i, "null")
	}
	return c.number(i)
}

func (c *compactor) array(i, depth int) (int, bool) {
	if i = c.space(i + 1); i < len(c.b) && c.b[i] == ']' {
		return i + 1, true
	}
	for {
		var ok bool
		if i, ok = c.value(i, depth); !ok {
			return i, false
		}
		if i = c.space(i); i >= len(c.b) {
			return i, false
		}
		switch c.b[i] {
		case ']':
			return i + 1, true
		case ',':
			i = c.space(i + 1)
		default:
			return i, false
		}
	}
}

// bag drops keys that were there before.
func (c *compactor) bag(i, depth int) (int, bool) {
	var keys keySet
	if i = c.space(i + 1); i < len(c.b) && c.b[i] == '}' {
		return i + 1, true
	}
	before, dst, from := i, len(c.dst), c.from // where the member, with its comma, begins
	for {
		start := i
		if i >= len(c.b) || c.b[i] != '"' {
			return i, false
		}
		var ok bool
		if i, ok = c.text(i); !ok {
			return i, false
		}
		known := keys.add(c.b[start:i])
		if i = c.space(i); i >= len(c.b) || c.b[i] != ':' {
			return i, false
		}
		if i, ok = c.value(c.space(i+1), depth); !ok {
			return i, false
		}
		if known {
			c.dst = append(c.dst[:dst], c.b[from:max(from, before)]...)
			c.from = i
		}
		if i = c.space(i); i >= len(c.b) {
			return i, false
		}
		switch c.b[i] {
		case '}':
			return i + 1, true
		case ',':
			before, dst, from = i, len(c.dst), c.from
			i = c.space(i + 1)
		default:
			return i, false
		}
	}
}

// text takes the string at i; escapes that needn't be are decoded.
func (c *compactor) text(i int) (int, bool) {
	end, ok := validString(c.b, i)
	if ok && !inForm(c.b[i:end]) {
		c.flush(i)
		c.dst = compactString(c.dst, c.b[i:end])
		c.from = end
	}
	return end, ok
}

// inForm tells whether a valid string has only escapes that it needs, as
// AppendString writes them. Those by number are not looked at closer.
func inForm(s []byte) bool {
	for {
		n := bytes.IndexByte(s, '\\')
		switch {
		case n < 0:
			return true
		case s[n+1] == 'u' || s[n+1] == '/':
			return false
		}
		s = s[n+2:]
	}
}

// number takes the number at i in the one form of its value.
func (c *compactor) number(i int) (int, bool) {
	end, ok := validNumber(c.b, i)
	if !ok {
		return end, false
	}
	v := c.b[i:end]
	switch {
	case isReal(v):
		f, _ := strconv.ParseFloat(string(v), 64) // out of range is an infinity
		c.flush(i)
		c.dst = AppendReal(c.dst, f)
		c.from = end
	case string(v) == "-0":
		c.flush(i)
		c.dst = append(c.dst, '0')
		c.from = end
	}
	return end, true
}

// keySet tells keys that were there before. Few are compared one by one, more by a
// set.
type keySet struct {
	few  [16][]byte
	n    int
	more map[string]bool
}

// add tells whether a key, as written with its quotes, is known already.
func (s *keySet) add(key []byte) bool {
	if bytes.IndexByte(key, '\\') >= 0 {
		key = compactString(nil, key)
	}
	for _, k := range s.few[:s.n] {
		if len(k) == len(key) && bytes.Equal(k, key) {
			return true
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = key
		s.n++
		return false
	}
	if s.more[string(key)] {
		return true
	}
	if s.more == nil {
		s.more = map[string]bool{}
	}
	s.more[string(key)] = true
	return false
}

// compactString copies a string with its quotes; escapes that needn't be are
// decoded.
func compactString(dst, s []byte) []byte {
	if inForm(s) {
		return append(dst, s...)
	}
	// Decoded behind dst first: what Unquote gives is never longer than s.
	start := len(dst)
	dst = Unquote(dst, s)
	text := bytes.Clone(dst[start:])
	return AppendString(dst[:start], text)
}

// Unquote appends the text of a string given with its quotes. Surrogates that are
// no pair become U+FFFD.
func Unquote(dst, s []byte) []byte {
	if len(s) < 2 {
		return dst
	}
	s = s[1 : len(s)-1]
	for {
		n := bytes.IndexByte(s, '\\')
		if n < 0 || n+1 >= len(s) {
			return append(dst, s...)
		}
		dst = append(dst, s[:n]...)
		c := s[n+1]
		s = s[n+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			r, s = escaped(s)
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
}

// escaped reads the digits behind \u, of a pair of surrogates both.
func escaped(s []byte) (rune, []byte) {
	if len(s) < 4 {
		return utf8.RuneError, nil
	}
	r := hex4(s)
	s = s[4:]
	if r < 0xD800 || r > 0xDFFF {
		return r, s
	}
	if r < 0xDC00 && len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
		if low := hex4(s[2:]); low >= 0xDC00 && low <= 0xDFFF {
			return (r-0xD800)<<10 | (low - 0xDC00) + 0x10000, s[6:]
		}
	}
	return utf8.RuneError, s
}

const hexDigits = "0123456789abcdef"

// AppendString appends text as a JSON string with quotes.
func AppendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := Special(s, 0); i < len(s); i = Special(s, i+1) {
		c := s[i]
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		start = i + 1
	}
	return append(append(dst, s[start:]...), '"')
}

// Text appends tostring() of a value: a string's text, nothing for null, else the
// JSON itself.
func Text(dst, v []byte) []byte {
	i := space(v, 0)
	if i >= len(v) {
		return dst
	}
	switch v[i] {
	case '"':
		return Unquote(dst, v[i:skipString(v, i)])
	case 'n':
		return dst
	}
	return Compact(dst, v)
}
