package datafile

import (
	"encoding/binary"
	"math/bits"
)

// appendPacked appends values of width bits each, the lowest bit first, as
// Parquet packs them; the last byte is filled up with zeros.
func appendPacked(dst []byte, values []uint64, width int) []byte {
	if width == 0 {
		return dst
	}
	acc, have := uint64(0), 0
	for _, v := range values {
		acc |= v << have
		if have+width >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, acc)
			acc = 0
			if have > 0 {
				acc = v >> (64 - have)
			}
			have += width - 64
			continue
		}
		have += width
	}
	for ; have > 0; have -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}

// minRun is how many equal values are worth a run of their own in a hybrid: a
// run costs up to 5 bytes and splits the packed values around it.
const minRun = 8

// appendHybrid appends values of width bits (1…32) in Parquet's hybrid of
// run-length and bit-packed runs.
func appendHybrid(dst []byte, values []uint32, width int) []byte {
	for len(values) > 0 {
		n := 1
		for n < len(values) && values[n] == values[0] {
			n++
		}
		if n >= minRun || n == len(values) {
			dst = appendRun(dst, values[0], n, width)
			values = values[n:]
			continue
		}
		n = literals(values)
		dst = appendLiterals(dst, values[:n], width)
		values = values[n:]
	}
	return dst
}

// literals counts how many values belong to a bit-packed run that begins here: a
// multiple of 8, unless it reaches the end, up to the next long run.
func literals(values []uint32) int {
	run := 0
	for i := range values {
		if i > 0 && values[i] == values[i-1] {
			run++
		} else {
			run = 1
		}
		// The run may give some of its values to the pack, to fill it.
		if start := i + 1 - run; run >= 2*minRun && start > 0 {
			return (start + 7) &^ 7
		}
	}
	return len(values)
}

func appendRun(dst []byte, v uint32, n, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for w := 0; w < width; w += 8 {
		dst = append(dst, byte(v>>w))
	}
	return dst
}

// appendLiterals packs values, filled up with zeros to a multiple of 8.
func appendLiterals(dst []byte, values []uint32, width int) []byte {
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	acc, have := uint64(0), 0
	for _, v := range values {
		acc |= uint64(v) << have
		for have += width; have >= 32; have -= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(acc))
			acc >>= 32
		}
	}
	for ; len(dst) < end; acc >>= 8 {
		dst = append(dst, byte(acc))
	}
	return dst
}

// Shape of DELTA_BINARY_PACKED: what every writer uses.
const (
	deltaBlock = 128
	deltaMini  = 32
)

// appendDelta appends numbers as DELTA_BINARY_PACKED. Differences of 32-bit
// columns wrap at 32 bits, so that no reader meets wider ones.
func appendDelta(dst []byte, values []int64, narrow bool) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaBlock/deltaMini)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return binary.AppendVarint(dst, 0)
	}
	dst = binary.AppendVarint(dst, values[0])
	var deltas [deltaBlock]int64
	var out [deltaMini]uint64
	last := values[0]
	for rest := values[1:]; len(rest) > 0; {
		n := min(len(rest), deltaBlock)
		low := int64(0)
		for i, v := range rest[:n] {
			d := v - last
			if narrow {
				d = int64(int32(d))
			}
			if i == 0 || d < low {
				low = d
			}
			deltas[i], last = d, v
		}
		rest = rest[n:]
		dst = binary.AppendVarint(dst, low)
		widths := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		for m := 0; m*deltaMini < n; m++ {
			all := uint64(0)
			for i := range deltaMini {
				out[i] = 0
				if k := m*deltaMini + i; k < n {
					out[i] = uint64(deltas[k] - low)
					if narrow {
						out[i] &= 1<<32 - 1
					}
					all |= out[i]
				}
			}
			w := bits.Len64(all)
			dst[widths+m] = byte(w)
			dst = appendPacked(dst, out[:], w)
		}
	}
	return dst
}

// appendLevels appends definition levels (0, 1) of the rows from…to, of which
// those listed in present have a value; their number is in front.
func appendLevels(dst []byte, present []uint32, from, to int, bitmap *[]byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	n := (to - from + 7) / 8
	if cap(*bitmap) < n {
		*bitmap = make([]byte, n)
	}
	bm := (*bitmap)[:n]
	clear(bm)
	for _, r := range present {
		r -= uint32(from)
		bm[r>>3] |= 1 << (r & 7)
	}
	// Whole bytes of equal bits become runs from four on, the rest is packed. A
	// run's count is a multiple of 8 but at the end, where it is exact.
	same := func(i int) int {
		k := i
		for k < n && bm[k] == bm[i] {
			k++
		}
		return k - i
	}
	for i := 0; i < n; {
		if k := same(i); (bm[i] == 0 || bm[i] == 0xff) && k >= 4 {
			dst = binary.AppendUvarint(dst, uint64(min(k*8, to-from-i*8))<<1)
			dst = append(dst, bm[i]&1)
			i += k
			continue
		}
		k := i
		for k < n {
			if s := same(k); (bm[k] == 0 || bm[k] == 0xff) && s >= 4 {
				break
			} else {
				k += s
			}
		}
		dst = binary.AppendUvarint(dst, uint64(k-i)<<1|1)
		dst = append(dst, bm[i:k]...)
		i = k
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendEvenLevels appends definition levels: ones, then zeros.
func appendEvenLevels(dst []byte, ones, zeros int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if ones > 0 {
		dst = append(binary.AppendUvarint(dst, uint64(ones)<<1), 1)
	}
	if zeros > 0 {
		dst = append(binary.AppendUvarint(dst, uint64(zeros)<<1), 0)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
