package udf

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/dyn"
)

// stringFuncs are functions of strings.
var stringFuncs = []Func{
	plain("strcmp", tLong, func(a []Value, out *Value) error {
		out.I = int64(bytes.Compare(a[0].S, a[1].S))
		return nil
	}, tText, tText),
	scratched("reverse", tText, func() Eval {
		var scratch []byte
		return func(a []Value, out *Value) error {
			scratch = scratch[:0]
			for s := a[0].S; len(s) > 0; {
				r, n := utf8.DecodeLastRune(s)
				scratch, s = utf8.AppendRune(scratch, r), s[:len(s)-n]
			}
			out.S = scratch
			return nil
		}
	}, tText),
	plain("isascii", tBool, func(a []Value, out *Value) error {
		out.I = truth(bytes.IndexFunc(a[0].S, func(r rune) bool { return r > unicode.MaxASCII }) < 0)
		return nil
	}, tText),
	plain("countof", tLong, func(a []Value, out *Value) error {
		if s, needle := a[0].S, a[1].S; len(needle) > 0 {
			for i := bytes.Index(s, needle); i >= 0; i = bytes.Index(s, needle) {
				out.I++
				s = s[i+1:] // occurrences may overlap
			}
		}
		return nil
	}, tText, tText),
	shorter(3, plain("indexof", tLong, indexOf, tText, tText, tLong, tLong, tLong)),
	shorter(1, scratched("strrep", tText, newRepeat, tText, tLong, tText)),
	scratched("translate", tText, newTranslate, tText, tText, tText),
	scratched("replace_string", tText, func() Eval {
		return func(a []Value, out *Value) error {
			s, from, to := a[0].S, a[1].S, a[2].S
			if len(from) == 0 {
				out.S = s
				return nil
			}
			if n := bytes.Count(s, from); len(s)+n*len(to) > maxText {
				return errTooLong
			}
			out.S = bytes.ReplaceAll(s, from, to)
			return nil
		}
	}, tText, tText, tText),
	scratched("replace_strings", tText, newReplaceStrings, tText, tBag, tBag),
	scratched("unicode_codepoints_from_string", tBag, func() Eval {
		var list []int64
		var scratch []byte
		return func(a []Value, out *Value) error {
			list = list[:0]
			for i := 0; i < len(a[0].S); {
				r, n := utf8.DecodeRune(a[0].S[i:])
				list, i = append(list, int64(r)), i+n
			}
			scratch = appendInts(scratch[:0], list)
			out.S = scratch
			return nil
		}
	}, tText),
	repeating(scratched("unicode_codepoints_to_string", tText, newFromCodePoints, tText)),
	plain("regex_quote", tText, func(a []Value, out *Value) error {
		for _, c := range a[0].S {
			if c < 0x80 && c != '_' && !isAlnum(c) && !strings.ContainsRune(`\.+*?()|[]{}^$'"`, rune(c)) {
				return fmt.Errorf("cannot tell how Kusto's regex_quote() writes %q", c)
			}
			if strings.ContainsRune(`\.+*?()|[]{}^$`, rune(c)) {
				out.S = append(out.S, '\\')
			}
			out.S = append(out.S, c)
		}
		return nil
	}, tText),
	scratched("parse_csv", tBag, func() Eval {
		var fields [][]byte
		var scratch []byte
		return func(a []Value, out *Value) error {
			fields = csvFields(fields[:0], a[0].S)
			scratch = appendStrings(scratch[:0], fields)
			out.S = scratch
			return nil
		}
	}, tText),
}

var errLookup = errors.New("cannot tell what Kusto's indexof() answers here: a match lies beyond the length given, or occurrences overlap")

// indexOf is indexof(text, lookup, start, length, occurrence). What Kusto's engine
// was seen to do leaves two readings of length (where a match may begin, or
// nothing at all) and of overlapping occurrences; where they differ it is an error.
func indexOf(a []Value, out *Value) error {
	s, lookup := a[0].S, a[1].S
	start, length, occurrence := int64(0), int64(-1), int64(1)
	for i, p := range []*int64{&start, &length, &occurrence} {
		if len(a) > 2+i {
			*p = a[2+i].I
		}
	}
	if out.Null = len(lookup) == 0 || length < -1 || occurrence < 1; out.Null {
		return nil
	}
	if start < 0 {
		if start += int64(utf8.RuneCount(s)); start < 0 {
			return errors.New("cannot tell what Kusto's indexof() answers for a start before the text")
		}
	}
	skipped := 0 // bytes
	for range start {
		if skipped >= len(s) {
			out.I = -1
			return nil
		}
		_, n := utf8.DecodeRune(s[skipped:])
		skipped += n
	}
	apart := nthMatch(s[skipped:], lookup, occurrence, len(lookup))
	if apart != nthMatch(s[skipped:], lookup, occurrence, 1) {
		return errLookup
	}
	if apart < 0 {
		out.I = -1
		return nil
	}
	out.I = start + int64(utf8.RuneCount(s[skipped:skipped+apart]))
	if length >= 0 && out.I >= start+length {
		return errLookup
	}
	return nil
}

// nthMatch finds the n-th occurrence, going on step bytes behind each.
func nthMatch(s, lookup []byte, n int64, step int) int {
	at := 0
	for {
		i := bytes.Index(s[at:], lookup)
		if i < 0 {
			return -1
		}
		if at += i; n == 1 {
			return at
		}
		n, at = n-1, at+step
	}
}

// maxRepeat bounds strrep as Kusto does.
const maxRepeat = 1024

func newRepeat() Eval {
	var scratch []byte
	return func(a []Value, out *Value) error {
		n := min(max(a[1].I, 0), maxRepeat)
		if int64(len(a[0].S))*n > maxText {
			return errTooLong
		}
		scratch = scratch[:0]
		for i := range n {
			if i > 0 && len(a) > 2 {
				scratch = append(scratch, a[2].S...)
			}
			scratch = append(scratch, a[0].S...)
		}
		out.S = scratch
		return nil
	}
}

// newTranslate is translate(search, replacement, text): a character of search
// becomes the one at its place in replacement; where that is shorter its last one,
// or none when it is empty.
func newTranslate() Eval {
	var scratch, from, into []byte
	var table map[rune]rune
	return func(a []Value, out *Value) error {
		if table == nil || !bytes.Equal(from, a[0].S) || !bytes.Equal(into, a[1].S) {
			from, into = append(from[:0], a[0].S...), append(into[:0], a[1].S...)
			search, to := []rune(string(from)), []rune(string(into))
			table = make(map[rune]rune, len(search))
			for i, r := range search {
				if _, known := table[r]; !known && len(to) > 0 {
					table[r] = to[min(i, len(to)-1)]
				} else if !known {
					table[r] = -1
				}
			}
		}
		scratch = scratch[:0]
		for _, r := range string(a[2].S) {
			if t, ok := table[r]; !ok {
				scratch = utf8.AppendRune(scratch, r)
			} else if t >= 0 {
				scratch = utf8.AppendRune(scratch, t)
			}
		}
		out.S = scratch
		return nil
	}
}

// newReplaceStrings is replace_strings(text, lookups, replacements): all of the
// first lookup are replaced, then the second's in what no replacement touched, and
// so on. A replacement that is no string leaves its lookup as it is, but touched.
func newReplaceStrings() Eval {
	var from, to elements
	type piece struct {
		text []byte
		done bool
	}
	return func(a []Value, out *Value) error {
		if !from.read(a[1].S) || !to.read(a[2].S) {
			return errors.New("replace_strings() needs two arrays")
		}
		pieces := []piece{{text: a[0].S}}
		for i, lookup := range from.texts {
			if len(lookup) == 0 || from.kinds[i] != '"' || i >= len(to.texts) {
				continue
			}
			replacement := to.texts[i]
			if to.kinds[i] != '"' {
				replacement = lookup
			}
			var next []piece
			for _, p := range pieces {
				for !p.done {
					at := bytes.Index(p.text, lookup)
					if at < 0 {
						break
					}
					next = append(next, piece{text: p.text[:at]}, piece{replacement, true})
					p.text = p.text[at+len(lookup):]
				}
				next = append(next, p)
			}
			pieces = next
		}
		for _, p := range pieces {
			if out.S = append(out.S, p.text...); len(out.S) > maxText {
				return errTooLong
			}
		}
		return nil
	}
}

// newFromCodePoints makes a text of numbers and arrays of numbers, all as texts.
func newFromCodePoints() Eval {
	var list elements
	add := func(dst, number []byte) ([]byte, error) {
		n, err := strconv.ParseInt(string(number), 10, 32)
		if err != nil || !utf8.ValidRune(rune(n)) {
			return dst, fmt.Errorf("%.40s is no character's code point", number)
		}
		return utf8.AppendRune(dst, rune(n)), nil
	}
	return func(a []Value, out *Value) (err error) {
		for _, v := range a {
			if len(v.S) == 0 || v.S[0] != '[' {
				if out.S, err = add(out.S, v.S); err != nil {
					return err
				}
				continue
			}
			if !list.read(v.S) {
				return errors.New("unicode_codepoints_to_string() needs numbers and arrays of numbers")
			}
			for _, number := range list.texts {
				if out.S, err = add(out.S, number); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// csvFields splits the first record of a CSV text. A field in quotes may hold
// commas, line breaks and doubled quotes.
func csvFields(dst [][]byte, s []byte) [][]byte {
	for {
		var field []byte
		if len(s) > 0 && s[0] == '"' {
			s = s[1:]
			for len(s) > 0 {
				i := bytes.IndexByte(s, '"')
				if i < 0 {
					field, s = append(field, s...), nil
					break
				}
				field = append(field, s[:i]...)
				if s = s[i+1:]; len(s) == 0 || s[0] != '"' {
					break
				}
				field, s = append(field, '"'), s[1:]
			}
		}
		i := bytes.IndexAny(s, ",\r\n")
		if i < 0 {
			return append(dst, append(field, s...))
		}
		dst = append(dst, append(field, s[:i]...))
		if s[i] != ',' {
			return dst
		}
		s = s[i+1:]
	}
}

// foldRune is the lower case of a character, by which texts are compared without
// regard to case.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	return unicode.ToLower(r)
}

func appendFolded(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst, i = append(dst, byte(foldRune(rune(c)))), i+1
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		dst, i = utf8.AppendRune(dst, foldRune(r)), i+n
	}
	return dst
}

// isWord tells whether the last (first) character of a text is a letter or digit.
func isWord(s []byte, last bool) bool {
	r, _ := utf8.DecodeRune(s)
	if last {
		r, _ = utf8.DecodeLastRune(s)
	}
	return len(s) > 0 && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

// edges say where a needle must stand at a term's edge.
type edges struct{ start, end, fold bool }

// terms are the term operators for needles that are not literals.
var terms = []Func{
	termFunc("has", edges{true, true, true}),
	termFunc("has_cs", edges{true, true, false}),
	termFunc("hasprefix", edges{true, false, true}),
	termFunc("hasprefix_cs", edges{true, false, false}),
	termFunc("hassuffix", edges{false, true, true}),
	termFunc("hassuffix_cs", edges{false, true, false}),
	repeating(scratched("has_any", tBool, func() Eval { return hasMany(false) }, tText, tText)),
	repeating(scratched("has_all", tBool, func() Eval { return hasMany(true) }, tText, tText)),
	scratched("has_any_of", tBool, func() Eval { return hasElements(false) }, tText, tBag),
	scratched("has_all_of", tBool, func() Eval { return hasElements(true) }, tText, tBag),
	scratched("has_any_index", tLong, func() Eval {
		var list elements
		var m matcher
		return func(a []Value, out *Value) error {
			if out.I = -1; !list.read(a[1].S) {
				out.Null = true
				return nil
			}
			m.set(a[0].S, true)
			for i, needle := range list.texts {
				if list.nulls[i] || m.has(needle, edges{true, true, true}) {
					out.I = int64(i)
					return nil
				}
			}
			return nil
		}
	}, tText, tBag),
}

// hasElements tests the elements of an array, and of arrays within it, as terms; null
// is found in every text, as "" is.
func hasElements(all bool) Eval {
	var m matcher
	var needle []byte
	return func(a []Value, out *Value) error {
		m.set(a[0].S, true)
		out.I = 0
		if all {
			out.I = 1
		}
		for v := range dyn.Flat(element(&a[1])) {
			needle = dyn.Text(needle[:0], v)
			if m.has(needle, edges{true, true, true}) != all {
				out.I = 1 - out.I
				break
			}
		}
		return nil
	}
}

// matcher finds terms in one text.
type matcher struct {
	text, scratch, needle []byte
}

func (m *matcher) set(s []byte, fold bool) {
	if m.text = s; fold {
		m.scratch = appendFolded(m.scratch[:0], s)
		m.text = m.scratch
	}
}

func (m *matcher) has(needle []byte, e edges) bool {
	if e.fold {
		m.needle = appendFolded(m.needle[:0], needle)
		needle = m.needle
	}
	if len(needle) == 0 {
		return true
	}
	start, end := e.start && isWord(needle, false), e.end && isWord(needle, true)
	for from := 0; ; {
		i := bytes.Index(m.text[from:], needle)
		if i < 0 {
			return false
		}
		i += from
		if !(start && isWord(m.text[:i], true)) && !(end && isWord(m.text[i+len(needle):], false)) {
			return true
		}
		_, n := utf8.DecodeRune(m.text[i:])
		from = i + n
	}
}

func termFunc(name string, e edges) Func {
	return scratched(name, tBool, func() Eval {
		var m matcher
		return func(a []Value, out *Value) error {
			m.set(a[0].S, e.fold)
			out.I = truth(m.has(a[1].S, e))
			return nil
		}
	}, tText, tText)
}

// hasMany is has_any and has_all with needles that are not literals: texts, or
// one array. A null needle matches everything.
func hasMany(all bool) Eval {
	var list elements
	var m matcher
	return func(a []Value, out *Value) error {
		m.set(a[0].S, true)
		miss := anyOf(a[1:], &list, func(needle []byte) bool { return m.has(needle, edges{true, true, true}) != all })
		out.I = truth(miss != all)
		return nil
	}
}

// splits are split() where the database's own doesn't do.
var splits = []Func{
	scratched("split", tBag, func() Eval {
		var scratch []byte
		return func(a []Value, out *Value) error {
			if len(a[1].S) == 0 {
				return errors.New("cannot tell how Kusto's split() splits at an empty text")
			}
			scratch = appendStrings(scratch[:0], bytes.Split(a[0].S, a[1].S))
			out.S = scratch
			return nil
		}
	}, tText, tText),
	scratched("split_at", tBag, func() Eval {
		var scratch []byte
		return func(a []Value, out *Value) error {
			if len(a[1].S) == 0 || a[2].I < 0 {
				return errors.New("cannot tell how Kusto's split() answers for an empty separator or a negative index")
			}
			parts := bytes.Split(a[0].S, a[1].S)
			if out.Null = a[2].I >= int64(len(parts)); !out.Null {
				scratch = appendStrings(scratch[:0], parts[a[2].I:a[2].I+1])
				out.S = scratch
			}
			return nil
		}
	}, tText, tText, tLong),
}
