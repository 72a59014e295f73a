package dyn

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Parse appends text in the package's form: white space goes, numbers get their
// one form, of equal keys the first stays. Text that is no JSON is false.
func Parse(dst, text []byte) ([]byte, bool) {
	if !Valid(text) {
		return dst, false
	}
	return Compact(dst, text), true
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

// Compact appends valid JSON in the package's form.
func Compact(dst, v []byte) []byte {
	dst, _ = compact(dst, v, space(v, 0))
	return dst
}

// compact appends the value at i and gives the place behind it: one pass, however
// deep the value is.
func compact(dst, v []byte, i int) ([]byte, int) {
	if i >= len(v) {
		return dst, i
	}
	switch v[i] {
	case '{':
		return compactBag(dst, v, i)
	case '[':
		dst = append(dst, '[')
		for i = space(v, i+1); i < len(v) && v[i] != ']'; {
			dst, i = compact(dst, v, i)
			if i = space(v, i); i < len(v) && v[i] == ',' {
				dst = append(dst, ',')
				i = space(v, i+1)
			}
		}
		return append(dst, ']'), i + 1
	case '"':
		end := skipString(v, i)
		return compactString(dst, v[i:end]), end
	case 't', 'f', 'n':
		end := skip(v, i)
		return append(dst, v[i:end]...), end
	}
	end := max(skip(v, i), i+1)
	return compactNumber(dst, v[i:end]), end
}

// compactBag drops keys that were there before. Few keys are compared one by one,
// many by a set.
func compactBag(dst, v []byte, i int) ([]byte, int) {
	const few = 16
	var keys [few][]byte
	var seen map[string]bool
	n := 0
	dst = append(dst, '{')
	for i = space(v, i+1); i < len(v) && v[i] != '}'; {
		start := len(dst)
		if n > 0 {
			dst = append(dst, ',')
		}
		end := skipString(v, i)
		at := len(dst)
		dst = compactString(dst, v[i:end])
		key := v[i:end]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = bytes.Clone(dst[at:])
		}
		if i = space(v, end); i < len(v) && v[i] == ':' {
			i = space(v, i+1)
		}
		dst, i = compact(append(dst, ':'), v, i)
		if i = space(v, i); i < len(v) && v[i] == ',' {
			i = space(v, i+1)
		}
		known := seen[string(key)]
		for _, k := range keys[:min(n, few)] {
			known = known || bytes.Equal(k, key)
		}
		if known {
			dst = dst[:start]
			continue
		}
		if n < few {
			keys[n] = key
		} else {
			if seen == nil {
				seen = make(map[string]bool, 4*few)
			}
			seen[string(key)] = true
		}
		n++
	}
	return append(dst, '}'), i + 1
}

func compactNumber(dst, v []byte) []byte {
	if !isReal(v) {
		if string(v) == "-0" {
			return append(dst, '0')
		}
		return append(dst, v...)
	}
	f, _ := strconv.ParseFloat(string(v), 64) // out of range is an infinity
	return AppendReal(dst, f)
}

// compactString copies a string with its quotes; escapes that needn't be are
// decoded.
func compactString(dst, s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 {
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
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
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
