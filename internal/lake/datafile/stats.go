package datafile

import (
	"bytes"
	"math"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/schema"
)

// maxBoundBytes is the longest bound of a text column in a manifest.
const maxBoundBytes = 128

// bounds gathers one column's figures over a row group or a file.
type bounds struct {
	kind                schema.Disk
	values, nulls, nans int64
	any                 bool
	lo, hi              int64
	flo, fhi            float64
	slo, shi            []byte
}

// numbers takes integers, times or booleans.
func (b *bounds) numbers(values []int64) {
	if len(values) == 0 {
		return
	}
	if !b.any {
		b.any, b.lo, b.hi = true, values[0], values[0]
	}
	for _, v := range values {
		b.lo, b.hi = min(b.lo, v), max(b.hi, v)
	}
}

// reals takes the bits of doubles.
func (b *bounds) reals(values []int64) {
	for _, bits := range values {
		v := math.Float64frombits(uint64(bits))
		if v != v {
			b.nans++
			continue
		}
		if !b.any {
			b.any, b.flo, b.fhi = true, v, v
		}
		b.flo, b.fhi = min(b.flo, v), max(b.fhi, v)
	}
}

// merge takes the figures of a row group.
func (b *bounds) merge(g *bounds) {
	b.values, b.nulls, b.nans = b.values+g.values, b.nulls+g.nulls, b.nans+g.nans
	switch {
	case !g.any:
	case b.kind == schema.DiskString:
		b.text(g.slo)
		b.text(g.shi)
	case !b.any:
		b.any, b.lo, b.hi, b.flo, b.fhi = true, g.lo, g.hi, g.flo, g.fhi
	default:
		b.lo, b.hi = min(b.lo, g.lo), max(b.hi, g.hi)
		b.flo, b.fhi = min(b.flo, g.flo), max(b.fhi, g.fhi)
	}
}

// text takes one text.
func (b *bounds) text(v []byte) {
	if !b.any {
		b.any = true
		b.slo, b.shi = append(b.slo[:0], v...), append(b.shi[:0], v...)
		return
	}
	if bytes.Compare(v, b.slo) < 0 {
		b.slo = append(b.slo[:0], v...)
	} else if bytes.Compare(v, b.shi) > 0 {
		b.shi = append(b.shi[:0], v...)
	}
}

// stats gives the figures as File shows them.
func (b *bounds) stats(c *schema.Column, size int64) ColumnStats {
	s := ColumnStats{FieldID: c.FieldID, SizeBytes: size, Values: b.values, Nulls: b.nulls, NaNs: b.nans}
	if !c.Stats || !b.any {
		return s
	}
	switch b.kind {
	case schema.DiskBoolean:
		s.Min, s.Max = b.lo != 0, b.hi != 0
	case schema.DiskInt:
		s.Min, s.Max = int32(b.lo), int32(b.hi)
	case schema.DiskLong, schema.DiskTimestamptz:
		s.Min, s.Max = b.lo, b.hi
	case schema.DiskDouble:
		s.Min, s.Max = b.flo, b.fhi
	default:
		s.Min = string(cutText(b.slo))
		if hi, ok := roundUp(b.shi); ok {
			s.Max = string(hi)
		}
	}
	return s
}

// cutText shortens v to maxBoundBytes at a rune's edge; a shorter text sorts lower.
func cutText(v []byte) []byte {
	if len(v) <= maxBoundBytes {
		return v
	}
	n := maxBoundBytes
	for n > 0 && !utf8.RuneStart(v[n]) {
		n--
	}
	return v[:n]
}

// roundUp shortens v to a text that sorts above it; false when there is none.
func roundUp(v []byte) ([]byte, bool) {
	if len(v) <= maxBoundBytes {
		return v, true
	}
	cut := bytes.Clone(cutText(v))
	for len(cut) > 0 {
		r, n := utf8.DecodeLastRune(cut)
		cut = cut[:len(cut)-n]
		if r == utf8.RuneError || r == utf8.MaxRune {
			continue
		}
		if r++; r == 0xD800 { // surrogates are no runes
			r = 0xE000
		}
		return utf8.AppendRune(cut, r), true
	}
	return nil, false
}
