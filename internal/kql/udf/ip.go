package udf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
)

// ips are the functions of IP addresses.
var ips = []Func{
	plain("parse_ipv4", tLong, func(a []Value, out *Value) error {
		ip, bits, ok := ipv4(a[0].S)
		out.I, out.Null = int64(masked4(ip, bits)), !ok
		return nil
	}, tText),
	plain("parse_ipv4_mask", tLong, func(a []Value, out *Value) error {
		ip, bits, ok := ipv4(a[0].S)
		ok = ok && a[1].I >= 0 && a[1].I <= 32
		out.I, out.Null = int64(masked4(ip, min(bits, int(a[1].I)))), !ok
		return nil
	}, tText, tLong),
	plain("parse_ipv6", tText, func(a []Value, out *Value) error {
		if ip, ok := ipv6(a[0].S, false); ok {
			out.S = ipv6Text(ip, ip.bits)
		}
		return nil
	}, tText),
	plain("parse_ipv6_mask", tText, func(a []Value, out *Value) error {
		if ip, ok := ipv6(a[0].S, true); ok && a[1].I >= 0 && a[1].I <= 128 {
			out.S = ipv6Text(ip, min(ip.bits, int(a[1].I)))
		}
		return nil
	}, tText, tLong),
	plain("ipv4_netmask_suffix", tLong, func(a []Value, out *Value) error {
		_, bits, ok := ipv4(a[0].S)
		out.I, out.Null = int64(bits), !ok
		return nil
	}, tText),
	shorter(1, plain("ipv4_compare", tLong, func(a []Value, out *Value) error {
		c, ok := compare4(a)
		out.I, out.Null = int64(c), !ok
		return nil
	}, tText, tText, tLong)),
	shorter(1, plain("ipv4_is_match", tBool, func(a []Value, out *Value) error {
		c, ok := compare4(a)
		out.I, out.Null = truth(c == 0), !ok
		return nil
	}, tText, tText, tLong)),
	plain("ipv4_is_in_range", tBool, func(a []Value, out *Value) error {
		c, ok := compare4(a)
		out.I, out.Null = truth(c == 0), !ok
		return nil
	}, tText, tText),
	repeating(scratched("ipv4_is_in_any_range", tBool, func() Eval { return inAnyRange(compare4) }, tText, tText)),
	plain("ipv4_is_private", tBool, func(a []Value, out *Value) error {
		ip, bits, ok := ipv4(a[0].S)
		out.I, out.Null = truth(isPrivate(ip, bits)), !ok
		return nil
	}, tText),
	shorter(1, scratched("format_ipv4", tText, func() Eval { return formatIPv4(false) }, tText, tLong)),
	shorter(1, scratched("format_ipv4_mask", tText, func() Eval { return formatIPv4(true) }, tText, tLong)),
	shorter(1, plain("ipv6_compare", tLong, func(a []Value, out *Value) error {
		c, ok, err := compare6(a)
		out.I, out.Null = int64(c), !ok
		return err
	}, tText, tText, tLong)),
	shorter(1, plain("ipv6_is_match", tBool, func(a []Value, out *Value) error {
		c, ok, err := compare6(a)
		out.I, out.Null = truth(c == 0), !ok
		return err
	}, tText, tText, tLong)),
	plain("ipv6_is_in_range", tBool, func(a []Value, out *Value) error {
		c, ok, err := compare6(a)
		out.I, out.Null = truth(c == 0), !ok
		return err
	}, tText, tText),
	repeating(scratched("ipv6_is_in_any_range", tBool, func() Eval {
		return inAnyRange(func(pair []Value) (int, bool) {
			c, ok, _ := compare6(pair) // two arguments have no error
			return c, ok
		})
	}, tText, tText)),
	plain("has_ipv4", tBool, func(a []Value, out *Value) error {
		out.I = truth(hasIPv4(a[0].S, a[1].S, false))
		return nil
	}, tText, tText),
	plain("has_ipv4_prefix", tBool, func(a []Value, out *Value) error {
		out.I = truth(hasIPv4(a[0].S, a[1].S, true))
		return nil
	}, tText, tText),
	repeating(scratched("has_any_ipv4", tBool, func() Eval { return hasAnyIPv4(false) }, tText, tText)),
	repeating(scratched("has_any_ipv4_prefix", tBool, func() Eval { return hasAnyIPv4(true) }, tText, tText)),
}

// ipv4 reads a.b.c.d, with /bits behind it or not. Leading zeros are none.
func ipv4(s []byte) (ip uint32, bits int, ok bool) {
	s = bytes.TrimSpace(s)
	addr, suffix, cut := bytes.Cut(s, []byte("/"))
	bits = 32
	if cut {
		n, err := strconv.ParseUint(string(suffix), 10, 8)
		if err != nil || n > 32 {
			return 0, 0, false
		}
		bits = int(n)
	}
	for part := range 4 {
		var octet []byte
		octet, addr, cut = bytes.Cut(addr, []byte("."))
		n, valid := smallNumber(octet)
		if cut != (part < 3) || !valid {
			return 0, 0, false
		}
		ip = ip<<8 | n
	}
	return ip, bits, true
}

// smallNumber reads one octet of an address.
func smallNumber(s []byte) (uint32, bool) {
	if len(s) == 0 || len(s) > 3 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n := uint32(0)
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, n <= 255
}

func masked4(ip uint32, bits int) uint32 {
	return uint32(uint64(ip) & (^uint64(0) << (32 - max(bits, 0))))
}

// compare4 compares two addresses by the shortest of the prefixes given.
func compare4(a []Value) (int, bool) {
	l, lb, ok := ipv4(a[0].S)
	r, rb, ok2 := ipv4(a[1].S)
	bits := min(lb, rb)
	if len(a) > 2 {
		if a[2].I < 0 || a[2].I > 32 {
			return 0, false
		}
		bits = min(bits, int(a[2].I))
	}
	l, r = masked4(l, bits), masked4(r, bits)
	switch {
	case l < r:
		return -1, ok && ok2
	case l > r:
		return 1, ok && ok2
	}
	return 0, ok && ok2
}

// inAnyRange takes ranges as arguments or as one array. Without a match a range
// that is none makes the answer null.
func inAnyRange(compare func([]Value) (int, bool)) Eval {
	var list elements
	pair := make([]Value, 2)
	return func(a []Value, out *Value) error {
		bad := false
		pair[0] = a[0]
		hit := anyOf(a[1:], &list, func(s []byte) bool {
			pair[1].S = s
			c, ok := compare(pair)
			bad = bad || !ok
			return ok && c == 0
		})
		out.I, out.Null = truth(hit), bad && !hit
		return nil
	}
}

func isPrivate(ip uint32, bits int) bool {
	in := func(block uint32, n int) bool { return bits >= n && masked4(ip, n) == block }
	return in(10<<24, 8) || in(172<<24|16<<16, 12) || in(192<<24|168<<16, 16)
}

// formatIPv4 prints an address, given as text or as a number's text, less the bits
// behind the prefix.
func formatIPv4(withMask bool) Eval {
	var scratch []byte
	return func(a []Value, out *Value) error {
		ip, bits, ok := ipv4(a[0].S)
		if !ok && isDigits(a[0].S) {
			n, err := strconv.ParseUint(string(a[0].S), 10, 32)
			ip, bits, ok = uint32(n), 32, err == nil
		}
		if len(a) > 1 {
			ok = ok && a[1].I >= 0 && a[1].I <= 32
			bits = min(bits, int(a[1].I))
		}
		if !ok {
			return nil
		}
		ip = masked4(ip, bits)
		scratch = fmt.Appendf(scratch[:0], "%d.%d.%d.%d", ip>>24, ip>>16&255, ip>>8&255, ip&255)
		if withMask {
			scratch = fmt.Appendf(scratch, "/%d", bits)
		}
		out.S = scratch
		return nil
	}
}

// address is an IPv6 address, or an IPv4 one mapped to it.
type address struct {
	raw  [16]byte
	bits int
	// v4 tells that it was written with dots and ::ffff: or nothing before, so that
	// a prefix counts the last 32 bits only.
	v4 bool
}

// ipv6 reads an address with or without /bits. ::1.2.3.4 is ::ffff:1.2.3.4 with
// mapped: Kusto's functions but parse_ipv6 take it so.
func ipv6(s []byte, mapped bool) (a address, ok bool) {
	text, suffix, cut := bytes.Cut(bytes.TrimSpace(s), []byte("/"))
	addr, err := netip.ParseAddr(string(text))
	if err != nil {
		return a, false
	}
	dotted := bytes.IndexByte(text, '.') >= 0
	a.raw = addr.WithZone("").As16()
	if mapped && dotted && [12]byte(a.raw[:12]) == [12]byte{} {
		a.raw[10], a.raw[11] = 0xff, 0xff
		addr = netip.AddrFrom16(a.raw)
	}
	a.v4 = addr.Is4() || dotted && addr.Is4In6()
	a.bits = 128
	if cut {
		n, err := strconv.ParseUint(string(suffix), 10, 8)
		if err != nil || n > 128 || a.v4 && n > 32 {
			return a, false
		}
		if a.bits = int(n); a.v4 {
			a.bits += 96
		}
	}
	return a, true
}

func masked6(raw [16]byte, bits int) [16]byte {
	for i := range raw {
		if keep := bits - i*8; keep <= 0 {
			raw[i] = 0
		} else if keep < 8 {
			raw[i] &= ^byte(0) << (8 - keep)
		}
	}
	return raw
}

func ipv6Text(ip address, bits int) []byte {
	raw := masked6(ip.raw, bits)
	text := make([]byte, 0, 39)
	for i := range 8 {
		if i > 0 {
			text = append(text, ':')
		}
		text = fmt.Appendf(text, "%04x", binary.BigEndian.Uint16(raw[2*i:]))
	}
	return text
}

var errPrefix6 = errors.New("cannot tell whether the prefix of two IPv4 addresses counts 32 or 128 bits in an ipv6 function: use the ipv4 functions")

// compare6 compares by the shortest prefix. A third argument of at most 32 beside
// two IPv4 addresses may count in 32 or in 128 bits; where that makes a difference
// the answer isn't known.
func compare6(a []Value) (int, bool, error) {
	l, ok := ipv6(a[0].S, true)
	r, ok2 := ipv6(a[1].S, true)
	bits := min(l.bits, r.bits)
	other := bits
	if len(a) > 2 {
		n := a[2].I
		if n < 0 || n > 128 {
			return 0, false, nil
		}
		if other = min(bits, int(n)); l.v4 && r.v4 && n <= 32 {
			other = min(bits, int(n)+96)
		}
		bits = min(bits, int(n))
	}
	order := func(n int) int {
		x, y := masked6(l.raw, n), masked6(r.raw, n)
		return bytes.Compare(x[:], y[:])
	}
	c := order(bits)
	if ok && ok2 && order(other) != c {
		return 0, false, errPrefix6
	}
	return c, ok && ok2, nil
}

// hasIPv4 looks for an address in a text, with no letter or digit on either side.
// With prefix it may be the beginning of one, which ends in a dot.
func hasIPv4(s, needle []byte, prefix bool) bool {
	if prefix {
		if !isPrefix4(needle) {
			return false
		}
	} else if _, _, ok := ipv4(needle); !ok || bytes.IndexByte(needle, '/') >= 0 {
		return false
	}
	for from := 0; ; from++ {
		i := bytes.Index(s[from:], needle)
		if i < 0 {
			return false
		}
		from += i
		if from > 0 && isWord(s[:from], true) {
			continue
		}
		end := from
		for end < len(s) && (s[end] == '.' || s[end] >= '0' && s[end] <= '9') && end-from < 16 {
			end++
		}
		candidate := bytes.TrimRight(s[from:end], ".")
		if !prefix {
			candidate = needle
		}
		if _, _, ok := ipv4(candidate); ok && !isWord(s[from+len(candidate):], false) {
			return true
		}
	}
}

// isPrefix4 tells whether a text is one to three octets with a dot behind each, or
// a whole address.
func isPrefix4(s []byte) bool {
	dots := bytes.Count(s, []byte("."))
	if !bytes.HasSuffix(s, []byte(".")) {
		_, _, ok := ipv4(s)
		return ok && bytes.IndexByte(s, '/') < 0
	}
	if dots > 3 {
		return false
	}
	for part := range bytes.SplitSeq(s[:len(s)-1], []byte(".")) {
		if _, ok := smallNumber(part); !ok {
			return false
		}
	}
	return true
}

func hasAnyIPv4(prefix bool) Eval {
	var list elements
	return func(a []Value, out *Value) error {
		out.I = truth(anyOf(a[1:], &list, func(needle []byte) bool { return hasIPv4(a[0].S, needle, prefix) }))
		return nil
	}
}
