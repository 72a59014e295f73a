package pattern

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/kql/fn"
)

// KV is what parse-kv looks for. It travels as JSON, as an argument of functions.
type KV struct {
	// Keys are looked for; a key's first value counts.
	Keys []string
	// Pair stands between pairs and Value between key and value. Without both, every
	// character that is no letter or digit does.
	Pair  string `json:",omitempty"`
	Value string `json:",omitempty"`
	// Quotes are the pairs of characters (or one for both) that a key or value may be
	// wrapped in; Escapes are characters within that take the next one as it is.
	Quotes  []string `json:",omitempty"`
	Escapes []string `json:",omitempty"`
	// Greedy lets a value run up to the next key that is looked for.
	Greedy bool `json:",omitempty"`
	// Regex has two groups, key and value.
	Regex string `json:",omitempty"`
}

// maxKeys bounds the keys of one parse-kv.
const maxKeys = 200

// Check tells what is wrong.
func (k *KV) Check() error {
	switch {
	case len(k.Keys) > maxKeys:
		return fmt.Errorf("parse-kv takes at most %d columns", maxKeys)
	case k.Regex != "" && (k.Pair != "" || k.Value != "" || k.Quotes != nil || k.Escapes != nil || k.Greedy):
		return errors.New("parse-kv takes regex or delimiters, not both")
	case (k.Pair == "") != (k.Value == ""):
		return errors.New("parse-kv needs both pair_delimiter and kv_delimiter, or none")
	case k.Greedy && k.Pair == "":
		return errors.New("greedy of parse-kv needs delimiters")
	case k.Greedy && k.Quotes != nil:
		return errors.New("parse-kv with greedy and quote is not supported yet")
	}
	for _, q := range k.Quotes {
		if n := utf8.RuneCountInString(q); n < 1 || n > 2 {
			return errors.New("quote of parse-kv is one or two characters")
		}
	}
	for _, e := range k.Escapes {
		if utf8.RuneCountInString(e) != 1 {
			return errors.New("escape of parse-kv is one character")
		}
	}
	if k.Regex != "" {
		re, err := fn.Regex(k.Regex)
		if err != nil {
			return err
		}
		if fn.Groups(re) != 2 {
			return errors.New("the regular expression of parse-kv must have two groups, key and value")
		}
	}
	return nil
}

// Finder finds the values of keys. It has scratch memory and serves one goroutine.
type Finder struct {
	kv     *KV
	index  map[string]int
	re     *regexp.Regexp
	values [][]byte
	found  []bool
}

// Compile makes a finder of a KV that Check has nothing against.
func (k *KV) Compile() (*Finder, error) {
	f := &Finder{kv: k, index: map[string]int{}, values: make([][]byte, len(k.Keys)), found: make([]bool, len(k.Keys))}
	for i, key := range k.Keys {
		f.index[key] = i
	}
	if k.Regex != "" {
		text, err := fn.Regex(k.Regex)
		if err != nil {
			return nil, err
		}
		if f.re, err = regexp.Compile(text); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Find gives the value of each key, nil for none; they may alias s and hold until
// the next call.
func (f *Finder) Find(s []byte) [][]byte {
	clear(f.values)
	clear(f.found)
	switch {
	case f.re != nil:
		for _, m := range f.re.FindAllSubmatchIndex(s, -1) {
			if m[2] >= 0 && m[4] >= 0 {
				f.put(s[m[2]:m[3]], s[m[4]:m[5]])
			}
		}
	case f.kv.Pair == "":
		f.words(s)
	case f.kv.Greedy:
		f.greedily(s)
	default:
		f.pairs(s)
	}
	return f.values
}

// put keeps the first value of a key. White space around both is ignored.
func (f *Finder) put(key, value []byte) {
	if i, ok := f.index[string(bytes.TrimSpace(key))]; ok && !f.found[i] {
		f.values[i], f.found[i] = bytes.TrimSpace(value), true
	}
}

// quoted reads what is wrapped in quotes at the start of s; rest is behind the
// closing quote. False where no quote begins or it doesn't end.
func (f *Finder) quoted(s []byte) (text, rest []byte, ok bool) {
	for _, q := range f.kv.Quotes {
		open, n := utf8.DecodeRuneInString(q)
		shut := open
		if n < len(q) {
			shut, _ = utf8.DecodeRuneInString(q[n:])
		}
		if r, _ := utf8.DecodeRune(s); r != open || len(s) == 0 {
			continue
		}
		copied := false
		for i := n; i < len(s); {
			r, size := utf8.DecodeRune(s[i:])
			if slices.Contains(f.kv.Escapes, string(r)) && i+size < len(s) {
				if !copied {
					text, copied = append([]byte(nil), s[n:i]...), true
				}
				i += size
				_, size = utf8.DecodeRune(s[i:])
				text = append(text, s[i:i+size]...)
				i += size
				continue
			}
			if r == shut {
				if !copied {
					text = s[n:i]
				}
				return text, s[i+size:], true
			}
			if copied {
				text = append(text, s[i:i+size]...)
			}
			i += size
		}
	}
	return nil, s, false
}

// pairs reads key, delimiter, value, delimiter and so on. White space before a key,
// a delimiter or a value is not part of them, unless it is the delimiter itself.
func (f *Finder) pairs(s []byte) {
	pair, value := []byte(f.kv.Pair), []byte(f.kv.Value)
	for len(s) > 0 {
		key, rest, ok := f.quoted(bytes.TrimLeft(s, " \t\r\n"))
		if ok {
			if rest = bytes.TrimLeft(rest, " \t\r\n"); !bytes.HasPrefix(rest, value) {
				_, s, _ = bytes.Cut(rest, pair)
				continue
			}
			rest = rest[len(value):]
		} else {
			before, behind, ok := bytes.Cut(s, value)
			if !ok {
				return
			}
			// What is before the last pair delimiter is no key's. A delimiter of white
			// space may stand around the key.
			key = bytes.TrimSpace(before)
			if i := bytes.LastIndex(key, pair); i >= 0 {
				key = key[i+len(pair):]
			}
			rest = behind
		}
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if text, behind, ok := f.quoted(rest); ok {
			f.put(key, text)
			_, s, _ = bytes.Cut(behind, pair)
			continue
		}
		var text []byte
		text, s, _ = bytes.Cut(rest, pair)
		f.put(key, text)
	}
}

// greedily reads values that run up to the next key that is looked for.
func (f *Finder) greedily(s []byte) {
	type place struct{ key, start, end int } // of the key with its delimiter
	var places []place
	for i, key := range f.kv.Keys {
		mark := []byte(key + f.kv.Value)
		for from := 0; ; {
			at := bytes.Index(s[from:], mark)
			if at < 0 {
				break
			}
			at += from
			if at == 0 || bytes.HasSuffix(s[:at], []byte(f.kv.Pair)) {
				places = append(places, place{i, at, at + len(mark)})
			}
			from = at + len(mark)
		}
	}
	slices.SortFunc(places, func(a, b place) int { return a.start - b.start })
	for i, p := range places {
		end := len(s)
		if i+1 < len(places) {
			end = places[i+1].start
		}
		text := s[p.end:max(end, p.end)]
		if i+1 < len(places) {
			text = bytes.TrimSuffix(text, []byte(f.kv.Pair))
		}
		f.put([]byte(f.kv.Keys[p.key]), text)
	}
}

// words reads texts without delimiters: a key is a run of letters and digits, and
// the next run, or what is in quotes, is its value.
func (f *Finder) words(s []byte) {
	isWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	next := func() (text []byte, quoted bool) {
		for len(s) > 0 {
			if text, rest, ok := f.quoted(s); ok {
				s = rest
				return text, true
			}
			if r, size := utf8.DecodeRune(s); !isWord(r) {
				s = s[size:]
				continue
			}
			end := bytes.IndexFunc(s, func(r rune) bool { return !isWord(r) })
			if end < 0 {
				end = len(s)
			}
			text, s = s[:end], s[end:]
			return text, false
		}
		return nil, false
	}
	for len(s) > 0 {
		key, _ := next()
		if i, ok := f.index[string(key)]; ok && !f.found[i] {
			text, _ := next()
			f.put(key, text)
		}
	}
}
