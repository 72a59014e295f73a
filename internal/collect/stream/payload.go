package stream

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
)

// payloadForm is the form of the payloads written (docs/formats/stream.md).
const payloadForm = 1

// The kinds of keys in a payload.
const (
	keyNone    = 0
	keyRequest = 1
	keyBatch   = 2
)

// payload is what one frame of the log carries.
type payload struct {
	table   string // empty in a frame without rows
	version int    // of the table's schema
	source  int32
	name    SourceName
	us      int64 // _IngestedAt of the rows, µs since 1970
	keyKind byte
	request [32]byte
	log     string // of the client, with its number n
	n       int64
	tallies []lake.SourceTally
	rows    []byte
}

// append writes the payload behind dst.
func (p *payload) append(dst []byte) []byte {
	dst = append(dst, payloadForm)
	dst = appendText(dst, p.table)
	dst = binary.AppendUvarint(dst, uint64(p.version))
	dst = binary.AppendUvarint(dst, uint64(p.source))
	dst = appendText(appendText(appendText(dst, p.name.Kind), p.name.Host), p.name.Name)
	dst = binary.AppendVarint(dst, p.us)
	dst = append(dst, p.keyKind)
	switch p.keyKind {
	case keyRequest:
		dst = append(dst, p.request[:]...)
	case keyBatch:
		dst = binary.AppendUvarint(appendText(dst, p.log), uint64(p.n))
	}
	dst = binary.AppendUvarint(dst, uint64(len(p.tallies)))
	for i := range p.tallies {
		dst = appendTally(dst, &p.tallies[i])
	}
	return append(dst, p.rows...)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTally(dst []byte, t *lake.SourceTally) []byte {
	dst = appendText(dst, t.Channel)
	for _, n := range [...]int64{t.Received, t.Stored, t.Duplicate, t.Filtered, t.Damaged, t.Partial, t.Lost, t.Late} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	dst = binary.AppendVarint(dst, int64(t.FirstTime))
	dst = binary.AppendVarint(dst, int64(t.LastTime))
	dst = binary.AppendUvarint(dst, uint64(len(t.Losses)))
	for _, l := range t.Losses {
		dst = appendText(dst, l)
	}
	return dst
}

// errPayload refuses bytes that are no payload.
var errPayload = errors.New("its payload makes no sense")

// payloadReader takes a payload apart; after an error it gives zeros.
type payloadReader struct {
	data []byte
	bad  bool
}

// parse reads a payload. Its rows and texts alias nothing but rows.
func (p *payload) parse(data []byte) error {
	r := payloadReader{data: data}
	if form := r.byte(); form != payloadForm && !r.bad {
		return fmt.Errorf("its payload has form %d, this program knows %d", form, payloadForm)
	}
	*p = payload{table: r.text(), version: int(r.count(1 << 20)), source: int32(r.count(1<<31 - 1))}
	p.name = SourceName{Kind: r.text(), Host: r.text(), Name: r.text()}
	p.us = r.signed()
	switch p.keyKind = r.byte(); p.keyKind {
	case keyNone:
	case keyRequest:
		copy(p.request[:], r.bytes(len(p.request)))
	case keyBatch:
		p.log, p.n = r.text(), r.count(1<<63-1)
	default:
		r.bad = true
	}
	// A tally has at least 12 bytes.
	tallies := r.count(int64(len(r.data) / 12))
	for range tallies {
		p.tallies = append(p.tallies, r.tally(p.source))
	}
	if r.bad || p.source < 1 {
		return errPayload
	}
	p.rows = r.data
	return nil
}

func (r *payloadReader) tally(source int32) lake.SourceTally {
	t := lake.SourceTally{Source: source, Channel: r.text()}
	for _, n := range [...]*int64{&t.Received, &t.Stored, &t.Duplicate, &t.Filtered, &t.Damaged, &t.Partial, &t.Lost, &t.Late} {
		*n = r.count(1<<63 - 1)
	}
	t.FirstTime, t.LastTime = event.Ticks(r.signed()), event.Ticks(r.signed())
	losses := r.count(int64(len(r.data)))
	for range losses {
		t.Losses = append(t.Losses, r.text())
	}
	return t
}

// bytes takes n bytes.
func (r *payloadReader) bytes(n int) []byte {
	if r.bad || n > len(r.data) {
		r.bad = true
		return nil
	}
	v := r.data[:n]
	r.data = r.data[n:]
	return v
}

func (r *payloadReader) byte() byte {
	if v := r.bytes(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *payloadReader) text() string { return string(r.bytes(int(r.count(int64(len(r.data)))))) }

// count takes a number up to most.
func (r *payloadReader) count(most int64) int64 {
	v, w := binary.Uvarint(r.data)
	if r.bad || w <= 0 || v > uint64(max(most, 0)) {
		r.bad = true
		return 0
	}
	r.data = r.data[w:]
	return int64(v)
}

func (r *payloadReader) signed() int64 {
	v, w := binary.Varint(r.data)
	if r.bad || w <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[w:]
	return v
}
