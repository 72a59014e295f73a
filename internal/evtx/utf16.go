package evtx

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// mode is the context that text is written into, which decides what is escaped.
type mode uint8

const (
	modeText mode = iota // XML element content
	modeAttr             // XML attribute value in single quotes
	modeJSON             // inside a JSON string
	modeRaw              // as it is
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	// maxEscape is the most bytes that one UTF-16 unit becomes: &quot; or \u0000.
	maxEscape = 6
)

// stops describes the ASCII characters that a mode cannot write as they are: x
// with x^xor < less (controls, and a quote that xor moves beside them), and x with
// x&mask == char, twice; each repeated in all bytes of a word.
type stops struct{ xor, less, maskA, charA, maskB, charB uint64 }

var modeStops = [...]stops{
	modeText: {0, ones * 0x20, ones * 0xff, ones * '&', ones * 0xfd, ones * '<'},          // & < >
	modeAttr: {ones * 2, ones * 0x21, ones * 0xfe, ones * '&', ones * 0xfd, ones * '<'},   // " & ' < >
	modeJSON: {ones * 2, ones * 0x21, ones * 0xff, ones * '\\', ones * 0xff, ones * '\\'}, // " \
	modeRaw:  {0, ones, ones * 0xff, 0, ones * 0xff, 0},                                   // NUL
}

// find gives a mask whose lowest set bit is the high bit of the first byte of x
// that s stops at; higher bits mean nothing. All bytes of x are ASCII. (Bit
// tricks: "haszero" and "hasless" of Anderson's Bit Twiddling Hacks, without the
// part for bytes beyond ASCII; exact for the lowest match.)
func (s *stops) find(x uint64) uint64 {
	return (((x ^ s.xor) - s.less) | ((x&s.maskA ^ s.charA) - ones) | ((x&s.maskB ^ s.charB) - ones)) & highs
}

// tailMasks keep the first k of eight UTF-16 units, in two words.
var tailMasks = [9][2]uint64{
	{0, 0},
	{0xffff, 0},
	{0xffffffff, 0},
	{0xffffffffffff, 0},
	{0xffffffffffffffff, 0},
	{0xffffffffffffffff, 0xffff},
	{0xffffffffffffffff, 0xffffffff},
	{0xffffffffffffffff, 0xffffffffffff},
	{0xffffffffffffffff, 0xffffffffffffffff},
}

// appendUTF16 appends the UTF-16LE text src as UTF-8, escaped for m, up to its
// first NUL: Windows writes the terminator into counted strings, and EvtRender
// stops at it. Unpaired surrogates become U+FFFD.
//
// It takes eight ASCII characters at a time. So that a text's end need not go one
// by one, it reads up to 14 bytes behind src where its array is longer, as
// chunks are, and masks them.
func appendUTF16(dst, src []byte, m mode) []byte {
	w, end := len(dst), len(src)&^1
	if cap(dst)-w < end/2*maxEscape+8 {
		dst = slices.Grow(dst, end/2*maxEscape+8)
	}
	dst = dst[:cap(dst)]
	src = src[:cap(src)]
	stop := &modeStops[m&3]
	for i := 0; i < end; {
		for i < end && i+16 <= len(src) {
			k := 8
			a, b := binary.LittleEndian.Uint64(src[i:]), binary.LittleEndian.Uint64(src[i+8:])
			if i+16 > end {
				k = (end - i) / 2
				a, b = a&tailMasks[k][0], b&tailMasks[k][1]
			}
			if (a|b)&0xff80ff80ff80ff80 != 0 {
				break
			}
			a = (a | a>>8) & 0x0000ffff0000ffff
			b = (b | b>>8) & 0x0000ffff0000ffff
			x := uint64(uint32(a|a>>16)) | (b|b>>16)<<32
			binary.LittleEndian.PutUint64(dst[w:], x)
			if s := stop.find(x); s != 0 {
				if n := bits.TrailingZeros64(s) / 8; n < k {
					e := &quick[m&3][byte(x>>(8*n))&0x7f]
					if e.n == 0 { // NUL
						return dst[:w+n]
					}
					binary.LittleEndian.PutUint64(dst[w+n:], e.text)
					w += n + int(e.n)
					i += 2*n + 2
					continue
				}
			}
			w += k
			i += 2 * k
		}
		if i >= end {
			break
		}
		u := binary.LittleEndian.Uint16(src[i:])
		i += 2
		if u < utf8.RuneSelf {
			e := &quick[m&3][u]
			if e.n == 0 { // NUL
				break
			}
			binary.LittleEndian.PutUint64(dst[w:], e.text)
			w += int(e.n)
			continue
		}
		r := rune(u)
		if u&0xf800 == 0xd800 {
			r = utf8.RuneError
			if u < 0xdc00 && i < end {
				if low := binary.LittleEndian.Uint16(src[i:]); low&0xfc00 == 0xdc00 {
					r = (rune(u)-0xd800)<<10 + rune(low) - 0xdc00 + 0x10000
					i += 2
				}
			}
		}
		w += putRune(dst[w:], r, m)
	}
	return dst[:w]
}

// appendQuoted appends the text src as a JSON string: what appendUTF16 gives for
// modeJSON, in quotes. It is that function for the one mode in which most text is
// written.
func appendQuoted(dst, src []byte) []byte {
	w, end := len(dst)+1, len(src)&^1
	if cap(dst)-w < end/2*maxEscape+9 {
		dst = slices.Grow(dst, end/2*maxEscape+10)
	}
	dst = dst[:cap(dst)]
	dst[w-1] = '"'
	src = src[:cap(src)]
	i := 0
	for i < end && i+16 <= len(src) {
		k := 8
		a, b := binary.LittleEndian.Uint64(src[i:]), binary.LittleEndian.Uint64(src[i+8:])
		if i+16 > end {
			k = (end - i) / 2
			a, b = a&tailMasks[k][0], b&tailMasks[k][1]
		}
		if (a|b)&0xff80ff80ff80ff80 != 0 {
			break
		}
		a = (a | a>>8) & 0x0000ffff0000ffff
		b = (b | b>>8) & 0x0000ffff0000ffff
		x := uint64(uint32(a|a>>16)) | (b|b>>16)<<32
		binary.LittleEndian.PutUint64(dst[w:], x)
		if s := (((x ^ ones*2) - ones*0x21) | ((x ^ ones*'\\') - ones)) & highs; s != 0 {
			if n := bits.TrailingZeros64(s) / 8; n < k {
				e := &quick[modeJSON][byte(x>>(8*n))&0x7f]
				w += n
				if e.n == 0 { // NUL
					end = i
					break
				}
				binary.LittleEndian.PutUint64(dst[w:], e.text)
				w += int(e.n)
				i += 2*n + 2
				continue
			}
		}
		w += k
		i += 2 * k
	}
	if i < end {
		return append(appendUTF16(dst[:w], src[i:end], modeJSON), '"')
	}
	dst[w] = '"'
	return dst[:w+1]
}

// putRune writes a rune outside ASCII. XML does not allow U+FFFE and U+FFFF;
// EvtRender writes an underscore for them as for control characters.
func putRune(dst []byte, r rune, m mode) int {
	if r&^1 == 0xfffe && m <= modeAttr {
		dst[0] = '_'
		return 1
	}
	return utf8.EncodeRune(dst, r)
}

// appendUTF8 appends UTF-8 text escaped for m.
func appendUTF8(dst, src []byte, m mode) []byte {
	for _, r := range string(src) {
		dst = appendRune(dst, r, m)
	}
	return dst
}

// appendRune appends one rune escaped for m.
func appendRune(dst []byte, r rune, m mode) []byte {
	if r < utf8.RuneSelf {
		if plain[r]&(1<<m) != 0 {
			return append(dst, byte(r))
		}
		return append(dst, escapes[m][r]...)
	}
	var b [utf8.UTFMax]byte
	return append(dst, b[:putRune(b[:], r, m)]...)
}

// appendANSI appends Windows-1252 text, escaped for m, up to its first NUL.
func appendANSI(dst, src []byte, m mode) []byte {
	for _, c := range src {
		if c == 0 {
			break
		}
		r := rune(c)
		if c >= 0x80 && c < 0xa0 {
			r = windows1252[c-0x80]
		}
		dst = appendRune(dst, r, m)
	}
	return dst
}

// emptyText tells whether a UTF-16 text has no character in front of its NUL.
func emptyText(b []byte) bool { return len(b) < 2 || b[0] == 0 && b[1] == 0 }

// windows1252 maps 0x80–0x9F; the five undefined bytes stay C1 controls, as in
// Windows' best fit and in WHATWG's encoding standard.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

// quickText is what a mode writes for an ASCII character, in one word.
type quickText struct {
	text uint64
	n    uint8 // bytes; 0 for NUL, which ends a text
}

var quick = quickTable()

func quickTable() (t [modeRaw + 1][utf8.RuneSelf]quickText) {
	for m := modeText; m <= modeRaw; m++ {
		for c := 1; c < utf8.RuneSelf; c++ {
			s := escapes[m][c]
			if s == "" {
				s = string(rune(c))
			}
			var b [8]byte
			t[m][c] = quickText{n: uint8(copy(b[:], s))}
			t[m][c].text = binary.LittleEndian.Uint64(b[:])
		}
	}
	return t
}

// plain has bit 1<<m set for ASCII characters that mode m writes as they are.
var plain = plainTable()

func plainTable() (t [utf8.RuneSelf]uint8) {
	for m := modeText; m <= modeRaw; m++ {
		for c := range t {
			if escapes[m][c] == "" {
				t[c] |= 1 << m
			}
		}
	}
	return t
}

// escapes has what each mode writes for ASCII characters that it escapes.
var escapes = escapeTable()

func escapeTable() (t [modeRaw + 1][utf8.RuneSelf]string) {
	const hex = "0123456789abcdef"
	for c := range 0x20 {
		if c != '\t' && c != '\n' && c != '\r' {
			t[modeText][c], t[modeAttr][c] = "_", "_"
		}
		t[modeJSON][c] = `\u00` + hex[c>>4:c>>4+1] + hex[c&15:c&15+1]
	}
	for _, m := range []mode{modeText, modeAttr} {
		t[m]['&'], t[m]['<'], t[m]['>'] = "&amp;", "&lt;", "&gt;"
	}
	t[modeAttr]['\''], t[modeAttr]['"'] = "&apos;", "&quot;"
	for c, s := range map[byte]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`} {
		t[modeJSON][c] = s
	}
	return t
}
