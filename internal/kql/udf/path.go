package udf

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// paths are functions of file paths and command lines.
var paths = []Func{
	scratched("parse_path", tBag, func() Eval {
		var scratch []byte
		return func(a []Value, out *Value) error {
			scratch = appendPath(scratch[:0], a[0].S)
			out.S = scratch
			return nil
		}
	}, tText),
	scratched("parse_command_line", tBag, func() Eval {
		var words [][]byte
		var scratch []byte
		return func(a []Value, out *Value) error {
			if !bytes.EqualFold(a[1].S, []byte("windows")) {
				return errors.New(`parse_command_line() knows only "windows"`)
			}
			if out.Null = len(bytes.TrimSpace(a[0].S)) == 0; out.Null {
				return nil
			}
			words = windowsWords(words[:0], a[0].S)
			scratch = appendStrings(scratch[:0], words)
			out.S = scratch
			return nil
		}
	}, tText, tText),
	textFunc("punycode_from_string", func(dst, s []byte) []byte { out, _ := appendPunycode(dst, s); return out }),
	textFunc("punycode_to_string", func(dst, s []byte) []byte { out, _ := appendFromPunycode(dst, s); return out }),
	textFunc("punycode_domain_from_string", func(dst, s []byte) []byte {
		for i, label := range bytes.Split(s, []byte(".")) {
			if i > 0 {
				dst = append(dst, '.')
			}
			if out, ok := appendFromPunycode(dst, bytes.TrimPrefix(label, []byte("xn--"))); ok && bytes.HasPrefix(label, []byte("xn--")) {
				dst = out
			} else {
				dst = append(dst, label...)
			}
		}
		return dst
	}),
	textFunc("punycode_domain_to_string", func(dst, s []byte) []byte {
		for _, dot := range []string{"\u3002", "\uFF0E", "\uFF61"} { // dots of other scripts
			s = bytes.ReplaceAll(s, []byte(dot), []byte("."))
		}
		for i, label := range bytes.Split(s, []byte(".")) {
			if i > 0 {
				dst = append(dst, '.')
			}
			if bytes.IndexFunc(label, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
				dst = append(dst, label...)
				continue
			}
			dst, _ = appendPunycode(append(dst, "xn--"...), label)
		}
		return dst
	}),
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

// appendPath takes a path apart: Windows, UNC, Unix, and file:// before any.
func appendPath(dst, s []byte) []byte {
	var scheme, root, folder, name, extension, stream []byte
	if head, tail, ok := bytes.Cut(s, []byte("://")); ok && isScheme(head) {
		scheme, s = head, tail
	}
	isDrive := len(s) >= 2 && s[1] == ':' && isAlnum(s[0]) && (s[0] < '0' || s[0] > '9')
	if isDrive && len(s) > 2 && isSlash(s[2]) {
		root = s[:3]
	}
	last := bytes.LastIndexAny(s, `/\`)
	file := s[last+1:]
	if last >= 0 {
		folder = s[:last]
	}
	if i := bytes.IndexByte(file, ':'); i >= 0 && !(isDrive && last < 0 && i == 1) {
		file, stream = file[:i], file[i+1:]
	}
	name = file
	if i := bytes.LastIndexByte(file, '.'); i >= 0 {
		extension = file[i+1:]
	}
	directory := folder[bytes.LastIndexAny(folder, `/\`)+1:]
	dst = append(dst, '{')
	dst = appendPair(dst, "Scheme", scheme)
	dst = appendPair(dst, "RootPath", root)
	dst = appendPair(dst, "DirectoryPath", folder)
	dst = appendPair(dst, "DirectoryName", directory)
	dst = appendPair(dst, "Filename", name)
	dst = appendPair(dst, "Extension", extension)
	dst = appendPair(dst, "AlternateDataStreamName", stream)
	return append(dst, '}')
}

// windowsWords splits a command line as Windows' CommandLineToArgvW does: 2n
// backslashes before a quote are n, 2n+1 are n and the quote is one of the text; a
// doubled quote within quotes is one. In the first word backslashes are plain.
func windowsWords(dst [][]byte, s []byte) [][]byte {
	isSpace := func(c byte) bool { return c == ' ' || c == '\t' }
	s = bytes.TrimLeft(s, " \t")
	if len(s) > 0 && s[0] == '"' {
		word, rest, _ := bytes.Cut(s[1:], []byte{'"'})
		dst, s = append(dst, word), rest
	} else {
		i := bytes.IndexAny(s, " \t")
		if i < 0 {
			return append(dst, s)
		}
		dst, s = append(dst, s[:i]), s[i:]
	}
	for {
		s = bytes.TrimLeft(s, " \t")
		if len(s) == 0 {
			return dst
		}
		word := []byte{}
		quoted := false
		for len(s) > 0 && (quoted || !isSpace(s[0])) {
			slashes := len(s) - len(bytes.TrimLeft(s, `\`))
			s = s[slashes:]
			if len(s) == 0 || s[0] != '"' {
				word = append(word, bytes.Repeat([]byte{'\\'}, slashes)...)
				if slashes == 0 {
					word, s = append(word, s[0]), s[1:]
				}
				continue
			}
			word = append(word, bytes.Repeat([]byte{'\\'}, slashes/2)...)
			s = s[1:]
			switch {
			case slashes%2 == 1:
				word = append(word, '"')
			case quoted && len(s) > 0 && s[0] == '"':
				word, s = append(word, '"'), s[1:]
			default:
				quoted = !quoted
			}
		}
		dst = append(dst, word)
	}
}

// The parameters of RFC 3492.
const (
	punyBase, punyMin, punyMax, punySkew, punyDamp = 36, 1, 26, 38, 700
	punyBias, punyFirst                            = 72, 128
)

// punyAdapt is the RFC's adaptation of the bias.
func punyAdapt(delta, points int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / points
	k := 0
	for ; delta > (punyBase-punyMin)*punyMax/2; k += punyBase {
		delta /= punyBase - punyMin
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}

// maxPunycode bounds a label: encoding is quadratic.
const maxPunycode = 4096

// appendPunycode encodes a text as RFC 3492 does; false when it is too long.
func appendPunycode(dst, s []byte) ([]byte, bool) {
	runes := []rune(string(s))
	if len(runes) > maxPunycode {
		return dst, false
	}
	basic := 0
	for _, r := range runes {
		if r < utf8.RuneSelf {
			dst = append(dst, byte(r))
			basic++
		}
	}
	if basic > 0 && basic < len(runes) {
		dst = append(dst, '-')
	}
	n, delta, bias, done := rune(punyFirst), 0, punyBias, basic
	for done < len(runes) {
		next := rune(utf8.MaxRune)
		for _, r := range runes {
			if r >= n {
				next = min(next, r)
			}
		}
		delta += int(next-n) * (done + 1)
		n = next
		for _, r := range runes {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := punyBase; ; k += punyBase {
				t := min(max(k-bias, punyMin), punyMax)
				if q < t {
					break
				}
				dst = append(dst, punyDigit(t+(q-t)%(punyBase-t)))
				q = (q - t) / (punyBase - t)
			}
			dst = append(dst, punyDigit(q))
			bias = punyAdapt(delta, done+1, done == basic)
			delta = 0
			done++
		}
		delta++
		n++
	}
	return dst, true
}

func punyDigit(d int) byte {
	if d < 26 {
		return byte('a' + d)
	}
	return byte('0' + d - 26)
}

// appendFromPunycode decodes; false for what is no punycode.
func appendFromPunycode(dst, s []byte) ([]byte, bool) {
	if len(s) > maxPunycode {
		return dst, false
	}
	var runes []rune
	if i := bytes.LastIndexByte(s, '-'); i >= 0 {
		runes, s = []rune(string(s[:i])), s[i+1:]
	}
	n, i, bias := punyFirst, 0, punyBias
	for first := true; len(s) > 0; first = false {
		old, w := i, 1
		for k := punyBase; ; k += punyBase {
			if len(s) == 0 {
				return dst, false
			}
			c := s[0]
			s = s[1:]
			var digit int
			switch {
			case c >= '0' && c <= '9':
				digit = int(c-'0') + 26
			case c|0x20 >= 'a' && c|0x20 <= 'z':
				digit = int(c | 0x20 - 'a')
			default:
				return dst, false
			}
			if i += digit * w; i > 1<<30 {
				return dst, false
			}
			t := min(max(k-bias, punyMin), punyMax)
			if digit < t {
				break
			}
			if w *= punyBase - t; w > 1<<30 {
				return dst, false
			}
		}
		count := len(runes) + 1
		bias = punyAdapt(i-old, count, first)
		n, i = n+i/count, i%count
		if !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
			return dst, false
		}
		runes = append(runes[:i], append([]rune{rune(n)}, runes[i:]...)...)
		i++
	}
	return append(dst, string(runes)...), true
}
