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

// stops describes the ASCII characters that a mode cannot write as they are,
// beside controls: x with x&mask == char, for two pairs, and one more character;
// each repeated in all bytes of a word.
type stops struct{ maskA, charA, maskB, charB, charC uint64 }

var modeStops = [...]stops{
	modeText: {ones * 0xff, ones * '&', ones * 0xfd, ones * '<', ones * '&'},  // & < >
	modeAttr: {ones * 0xfe, ones * '&', ones * 0xfd, ones * '<', ones * '"'},  // & ' < > "
	modeJSON: {ones * 0xff, ones * '"', ones * 0xff, ones * '\\', ones * '"'}, // " \
	modeRaw:  {ones * 0xff, 0, ones * 0xff, 0, 0},                             // NUL
}

// find gives a mask whose lowest set bit is the high bit of the first byte of x
// that s stops at; higher bits mean nothing. All bytes of x are ASCII. (Bit
// tricks: "haszero" and "hasless" of Anderson's Bit Twiddling Hacks, exact for
// the lowest match.)
func (s *stops) find(x uint64) uint64 {
	a, b, c := x&s.maskA^s.charA, x&s.maskB^s.charB, x^s.charC
	return ((x-ones*0x20)&^x | (a-ones)&^a | (b-ones)&^b | (c-ones)&^c) & highs
}

// appendUTF16 appends the UTF-16LE text src as UTF-8, escaped for m, up to its
// first NUL: Windows writes the terminator into counted strings, and EvtRender
// stops at it. Unpaired surrogates become U+FFFD.
func appendUTF16(dst, src []byte, m mode) []byte {
	w := len(dst)
	if cap(dst)-w < len(src)/2*maxEscape+8 {
		dst = slices.Grow(dst, len(src)/2*maxEscape+8)
	}
	dst = dst[:cap(dst)]
	stop := modeStops[m&3]
	for len(src) >= 2 {
		for len(src) >= 16 {
			a, b := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
			if (a|b)&0xff80ff80ff80ff80 != 0 {
				break
			}
			a = (a | a>>8) & 0x0000ffff0000ffff
			b = (b | b>>8) & 0x0000ffff0000ffff
			x := uint64(uint32(a|a>>16)) | (b|b>>16)<<32
			binary.LittleEndian.PutUint64(dst[w:], x)
			if s := stop.find(x); s != 0 {
				n := bits.TrailingZeros64(s) / 8
				w += n
				src = src[2*n:]
				break
			}
			w += 8
			src = src[16:]
		}
		if len(src) < 2 {
			break
		}
		u := binary.LittleEndian.Uint16(src)
		src = src[2:]
		if u < utf8.RuneSelf {
			if u == 0 {
				break
			}
			if plain[u]&(1<<m) != 0 {
				dst[w] = byte(u)
				w++
			} else {
				w += copy(dst[w:], escapes[m][u])
			}
			continue
		}
		r := rune(u)
		if u&0xf800 == 0xd800 {
			r = utf8.RuneError
			if u < 0xdc00 && len(src) >= 2 {
				if low := binary.LittleEndian.Uint16(src); low&0xfc00 == 0xdc00 {
					r = (rune(u)-0xd800)<<10 + rune(low) - 0xdc00 + 0x10000
					src = src[2:]
				}
			}
		}
		w += putRune(dst[w:], r, m)
	}
	return dst[:w]
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
