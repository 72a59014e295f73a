package evtx

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/wadi-project/wadi/internal/event"
)

// Value types ([MS-EVEN6] 2.2.12; the names of the handle types are those of
// winevt.h's EVT_VARIANT_TYPE).
const (
	typNull     = 0x00
	typString   = 0x01
	typANSI     = 0x02
	typInt8     = 0x03
	typUint8    = 0x04
	typInt16    = 0x05
	typUint16   = 0x06
	typInt32    = 0x07
	typUint32   = 0x08
	typInt64    = 0x09
	typUint64   = 0x0a
	typReal32   = 0x0b
	typReal64   = 0x0c
	typBool     = 0x0d
	typBinary   = 0x0e
	typGUID     = 0x0f
	typSizeT    = 0x10
	typFiletime = 0x11
	typSystime  = 0x12
	typSID      = 0x13
	typHex32    = 0x14
	typHex64    = 0x15
	typHandle   = 0x20
	typBinXML   = 0x21
	typXML22    = 0x22
	typXML      = 0x23
	typDamaged  = 0x7f // ours: a value that cannot be read
	typArray    = 0x80 // flag
)

// width is the size in bytes of fixed-size types, 0 for the others.
var width = [256]uint8{
	typInt8: 1, typUint8: 1, typInt16: 2, typUint16: 2, typInt32: 4, typUint32: 4, typInt64: 8, typUint64: 8,
	typReal32: 4, typReal64: 8, typGUID: 16, typFiletime: 8, typSystime: 16, typHex32: 4, typHex64: 8,
}

// known tells which types this package renders.
var known = knownTypes()

func knownTypes() (t [256]bool) {
	for _, lo := range []int{typNull, typString} {
		t[lo] = true
	}
	for typ := typString; typ <= typHex64; typ++ {
		t[typ] = true
		t[typ|typArray] = typ != typBinary // [MS-EVEN6] 3.1.4.7.5 has no arrays of binary
	}
	for _, typ := range []int{typHandle, typBinXML, typXML22, typXML} {
		t[typ] = true
	}
	return t
}

// bare tells which types JSON writes without quotes.
func bare(typ uint8) bool { return typ >= typInt8 && typ <= typUint64 || typ == typBool }

// validSize tells whether a value of the type can have n bytes. Longer values of
// fixed types occur in damaged logs that Windows still reads; what is too much is
// ignored, as Windows does.
func validSize(typ uint8, b []byte) bool {
	n := len(b)
	switch typ {
	case typString, typXML22, typXML, typString | typArray:
		return n%2 == 0
	case typNull, typANSI, typBinary, typBinXML, typANSI | typArray:
		return true
	case typBool:
		return n == 1 || n >= 4
	case typSizeT, typHandle:
		return n == 4 || n == 8
	case typSID:
		return n >= 8 && n >= 8+4*int(b[1])
	case typSID | typArray:
		for len(b) > 0 {
			if len(b) < 8 || len(b) < 8+4*int(b[1]) {
				return false
			}
			b = b[8+4*int(b[1]):]
		}
		return true
	case typBool | typArray, typSizeT | typArray:
		return n%4 == 0
	}
	if typ&typArray != 0 {
		return n%int(width[typ&^typArray]) == 0
	}
	return n >= int(width[typ])
}

// emptyValue tells whether a value writes nothing.
func emptyValue(typ uint8, b []byte) bool {
	switch typ {
	case typNull, typDamaged:
		return true
	case typString, typXML22, typXML:
		return emptyText(b)
	case typANSI:
		return len(b) == 0 || b[0] == 0
	}
	return len(b) == 0
}

// appendValue appends the text of a scalar value whose size is valid, escaped for
// m. BinXml values and arrays are the callers' matter.
func appendValue(dst []byte, typ uint8, b []byte, m mode) []byte {
	le := binary.LittleEndian
	switch typ {
	case typString, typXML22, typXML:
		return appendUTF16(dst, b, m)
	case typUint8:
		return appendUint(dst, uint64(b[0]))
	case typUint16:
		return appendUint(dst, uint64(le.Uint16(b)))
	case typUint32:
		return appendUint(dst, uint64(le.Uint32(b)))
	case typUint64:
		return appendUint(dst, le.Uint64(b))
	case typHex64:
		return appendHex(dst, le.Uint64(b))
	case typHex32:
		return appendHex(dst, uint64(le.Uint32(b)))
	case typFiletime:
		return appendFiletime(dst, le.Uint64(b))
	case typGUID:
		return appendGUID(dst, b)
	case typSID:
		return appendSID(dst, b)
	case typInt8:
		return strconv.AppendInt(dst, int64(int8(b[0])), 10)
	case typInt16:
		return strconv.AppendInt(dst, int64(int16(le.Uint16(b))), 10)
	case typInt32:
		return strconv.AppendInt(dst, int64(int32(le.Uint32(b))), 10)
	case typInt64:
		return strconv.AppendInt(dst, int64(le.Uint64(b)), 10)
	case typBool:
		return appendBool(dst, b)
	case typBinary:
		return appendBinary(dst, b)
	case typANSI:
		return appendANSI(dst, b, m)
	case typSizeT, typHandle:
		if len(b) == 4 {
			return appendHex(dst, uint64(le.Uint32(b)))
		}
		return appendHex(dst, le.Uint64(b))
	case typReal32:
		return appendReal(dst, float64(math.Float32frombits(le.Uint32(b))), 32)
	case typReal64:
		return appendReal(dst, math.Float64frombits(le.Uint64(b)), 64)
	case typSystime:
		return appendSystime(dst, b)
	}
	return dst
}

// digits2 has the two decimal digits of 0 to 99.
const digits2 = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

func appendUint(dst []byte, n uint64) []byte {
	switch {
	case n < 10:
		return append(dst, byte('0'+n))
	case n < 100:
		return append(dst, digits2[2*n], digits2[2*n+1])
	case n < 1000:
		q := n / 100
		r := 2 * (n - 100*q)
		return append(dst, byte('0'+q), digits2[r], digits2[r+1])
	case n < 10000:
		q := n / 100
		r := 2 * (n - 100*q)
		return append(dst, digits2[2*q], digits2[2*q+1], digits2[r], digits2[r+1])
	}
	return strconv.AppendUint(dst, n, 10)
}

const (
	hexLower = "0123456789abcdef"
	hexUpper = "0123456789ABCDEF"
)

// hexPairs has the two lower hexadecimal digits of each byte, as stored in
// little-endian order.
var hexPairs = func() (t [256]uint16) {
	for i := range t {
		t[i] = uint16(hexLower[i>>4]) | uint16(hexLower[i&15])<<8
	}
	return t
}()

// appendHex appends 0x and the number without leading zeros.
func appendHex(dst []byte, n uint64) []byte {
	digits := max((bits.Len64(n)+3)/4, 1)
	w := len(dst)
	dst = append(dst, "0x0000000000000000"...)[:w+2+digits]
	for i := len(dst) - 1; i > w+1; i-- {
		dst[i] = hexLower[n&15]
		n >>= 4
	}
	return dst
}

func appendBinary(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, hexUpper[c>>4], hexUpper[c&15])
	}
	return dst
}

// appendBool: Windows keeps bit masks in some boolean fields; what is neither 0
// nor 1 is written as the number it is.
func appendBool(dst, b []byte) []byte {
	n := int32(b[0])
	if len(b) >= 4 {
		n = int32(binary.LittleEndian.Uint32(b))
	}
	switch n {
	case 0:
		return append(dst, "false"...)
	case 1:
		return append(dst, "true"...)
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

func appendGUID(dst, b []byte) []byte {
	w := len(dst)
	dst = append(dst, "{00000000-0000-0000-0000-000000000000}"...)
	t, b, put := dst[w:w+38:w+38], b[:16:16], binary.LittleEndian.PutUint16
	put(t[1:], hexPairs[b[3]])
	put(t[3:], hexPairs[b[2]])
	put(t[5:], hexPairs[b[1]])
	put(t[7:], hexPairs[b[0]])
	put(t[10:], hexPairs[b[5]])
	put(t[12:], hexPairs[b[4]])
	put(t[15:], hexPairs[b[7]])
	put(t[17:], hexPairs[b[6]])
	put(t[20:], hexPairs[b[8]])
	put(t[22:], hexPairs[b[9]])
	put(t[25:], hexPairs[b[10]])
	put(t[27:], hexPairs[b[11]])
	put(t[29:], hexPairs[b[12]])
	put(t[31:], hexPairs[b[13]])
	put(t[33:], hexPairs[b[14]])
	put(t[35:], hexPairs[b[15]])
	return dst
}

// appendSID writes a SID as [MS-DTYP] 2.4.2.1 says; authorities beyond 32 bits
// are hexadecimal.
func appendSID(dst, b []byte) []byte {
	dst = appendUint(append(dst, "S-"...), uint64(b[0]))
	authority := uint64(binary.BigEndian.Uint16(b[2:]))<<32 | uint64(binary.BigEndian.Uint32(b[4:]))
	dst = append(dst, '-')
	if authority>>32 != 0 {
		dst = append(dst, "0x"...)
		for shift := 44; shift >= 0; shift -= 4 {
			dst = append(dst, hexUpper[authority>>shift&15])
		}
	} else {
		dst = appendUint(dst, authority)
	}
	for i := range int(b[1]) {
		dst = appendUint(append(dst, '-'), uint64(binary.LittleEndian.Uint32(b[8+4*i:])))
	}
	return dst
}

// appendFiletime writes a FILETIME with 100 ns. As EvtRender does, years beyond
// 9999 keep their last four digits and values beyond the range of the signed
// number are zeros.
func appendFiletime(dst []byte, ft uint64) []byte {
	if ft > math.MaxInt64 {
		return append(dst, "0000-00-00T00:00:00.0000000Z"...)
	}
	if ft <= uint64(event.MaxTicks-event.FiletimeEpoch) {
		return appendTicks(dst, uint64(event.FiletimeEpoch)+ft)
	}
	const cycle = 3652425 * uint64(event.TicksPerDay) // 10,000 years, 25 cycles of 400
	return appendTicks(dst, uint64(event.FiletimeEpoch)+ft%cycle)
}

// appendTicks writes ticks since year 1; years wrap behind 9999.
func appendTicks(dst []byte, t uint64) []byte {
	const day, second = uint64(event.TicksPerDay), uint64(event.TicksPerSecond)
	days, rest := t/day, t%day
	y, m, d := civil(uint32(days))
	sec, frac := uint32(rest/second), uint32(rest%second)
	y %= 10000
	hi, lo := frac/1000, frac%1000
	n := len(dst)
	dst = append(dst, "0000-00-00T00:00:00.0000000Z"...)
	b := dst[n : n+28 : n+28]
	put2(b[0:], y/100)
	put2(b[2:], y%100)
	put2(b[5:], m)
	put2(b[8:], d)
	put2(b[11:], sec/3600)
	put2(b[14:], sec/60%60)
	put2(b[17:], sec%60)
	put2(b[20:], hi/100)
	put2(b[22:], hi%100)
	put2(b[24:], lo/10)
	b[26] = byte('0' + lo%10)
	return dst
}

func put2(b []byte, n uint32) {
	b[0], b[1] = digits2[2*n], digits2[2*n+1]
}

// civil gives the proleptic Gregorian date of a number of days since 0001-01-01
// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
// civil_from_days, shifted to year 1).
func civil(days uint32) (y, m, d uint32) {
	z := days + 306 // days since 0000-03-01
	era := z / 146097
	doe := z % 146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	y = yoe + era*400
	if mp >= 10 {
		m = mp - 9
		y++
	}
	return y, m, d
}

// appendSystime writes a SYSTEMTIME like a FILETIME. One that is no valid time,
// an unset one too, is 1601-01-01 as in EvtRender.
func appendSystime(dst, b []byte) []byte {
	f := func(i int) uint32 { return uint32(binary.LittleEndian.Uint16(b[2*i:])) }
	y, m, d, h, mi, s, ms := f(0), f(1), f(3), f(4), f(5), f(6), f(7)
	if y < 1601 || y > 30827 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) || h > 23 || mi > 59 || s > 59 || ms > 999 {
		return append(dst, "1601-01-01T00:00:00.0000000Z"...)
	}
	n := len(dst)
	dst = append(dst, "0000-00-00T00:00:00.0000000Z"...)
	t := dst[n : n+28 : n+28]
	y %= 10000
	put2(t[0:], y/100)
	put2(t[2:], y%100)
	put2(t[5:], m)
	put2(t[8:], d)
	put2(t[11:], h)
	put2(t[14:], mi)
	put2(t[17:], s)
	t[20] = byte('0' + ms/100)
	put2(t[21:], ms%100)
	return dst
}

func daysIn(y, m uint32) uint32 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// appendReal writes the shortest decimal that reads back as the same number, with
// a fraction as [MS-EVEN6] 2.2.12.3 wants it; XML Schema's INF and NaN.
func appendReal(dst []byte, f float64, size int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "INF"...)
	case math.IsInf(f, -1):
		return append(dst, "-INF"...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-5 || a >= 1e16) {
		format = 'e'
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, format, -1, size)
	if format == 'f' && !strings.Contains(string(dst[n:]), ".") {
		dst = append(dst, ".0"...)
	}
	return dst
}
