package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

var fuzzTypes = []schema.Type{schema.Bool, schema.Int, schema.Long, schema.Real, schema.String}

// sample is a batch of three rows of fuzzTypes, the middle one null.
func sample() *batch {
	b := newBatch(fuzzTypes)
	b.rows = 3
	for i := range b.columns {
		v := &b.columns[i]
		v.nulls = []byte{0b010}
		if width := v.wire.width(); width > 0 {
			v.fixed = bytes.Repeat([]byte{1}, 3*width)
			continue
		}
		v.text, v.ends = []byte("onethree"), []uint32{3, 3, 8}
	}
	return b
}

func TestBatchRoundTrip(t *testing.T) {
	payload := sample().appendTo(nil)
	b, err := decodeBatch(payload, fuzzTypes)
	if err != nil {
		t.Fatal(err)
	}
	if again := b.appendTo(nil); !bytes.Equal(payload, again) {
		t.Errorf("%x\nbecame\n%x", payload, again)
	}
	r := Rows{batch: b, row: 2}
	if string(r.Text(4)) != "three" || r.Int(2) != 0x0101010101010101 || r.Int(1) != 0x01010101 || !r.Bool(0) || r.Null(4) {
		t.Errorf("row 2: %q %x %x", r.Text(4), r.Int(2), r.Int(1))
	}
	r.row = 1
	if !r.Null(3) || string(r.Text(4)) != "" {
		t.Errorf("row 1: %v %q", r.Null(3), r.Text(4))
	}
	for cut := range payload {
		if _, err := decodeBatch(payload[:cut], fuzzTypes); err == nil {
			t.Errorf("a payload cut at %d is read", cut)
		}
	}
	if _, err := decodeBatch(append(slices.Clone(payload), 0), fuzzTypes); err == nil {
		t.Error("a payload with a byte too many is read")
	}
}

func FuzzDecodeBatch(f *testing.F) {
	good := sample().appendTo(nil)
	f.Add(good)
	f.Add(newBatch(fuzzTypes).appendTo(nil))
	huge := slices.Clone(good)
	binary.LittleEndian.PutUint32(huge, 1<<31)
	f.Add(huge)
	f.Fuzz(func(t *testing.T, payload []byte) {
		b, err := decodeBatch(payload, fuzzTypes)
		if err != nil {
			return
		}
		r := Rows{batch: b}
		for r.row = 0; r.row < b.rows; r.row++ {
			for c := range b.columns {
				_ = r.Null(c)
			}
			_, _, _, _, _ = r.Bool(0), r.Int(1), r.Int(2), r.Real(3), r.Text(4)
		}
		again, err := decodeBatch(b.appendTo(nil), fuzzTypes)
		if err != nil || again.rows != b.rows {
			t.Errorf("a batch that was read is not after it was written: %v", err)
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	var good bytes.Buffer
	if err := writeFrame(&good, frameBatch, []byte("payload")); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte{0, 0, 0, 0, 1})
	f.Add([]byte{255, 255, 255, 255, 1, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		kind, payload, err := readFrame(r)
		if err != nil {
			if len(data) == 0 && !errors.Is(err, io.EOF) {
				t.Errorf("nothing gives %v", err)
			}
			return
		}
		if used := len(data) - r.Len(); used != 5+len(payload) {
			t.Errorf("a frame of kind %d with %d bytes took %d", kind, len(payload), used)
		}
	})
}

func TestFrameLimits(t *testing.T) {
	if err := writeFrame(io.Discard, frameBatch, make([]byte, maxFrameBytes)); err == nil {
		t.Error("a frame above the limit is sent")
	}
	_, _, err := readFrame(strings.NewReader("\xff\xff\xff\xff\x01"))
	if err == nil || !strings.Contains(err.Error(), "length") {
		t.Errorf("a frame above the limit: %v", err)
	}
	if _, _, err := readFrame(strings.NewReader("\x05\x00")); errors.Is(err, io.EOF) || err == nil {
		t.Errorf("a cut head: %v", err)
	}
	if _, _, err := readFrame(strings.NewReader("\x05\x00\x00\x00\x01a")); errors.Is(err, io.EOF) || err == nil {
		t.Errorf("a cut frame: %v", err)
	}
}

// TestServeRefusals speaks to a worker that has no DuckDB behind it.
func TestServeRefusals(t *testing.T) {
	hello := func(version int) string {
		var b bytes.Buffer
		if err := writeJSON(&b, frameHello, &workerConfig{Version: version}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for name, stdin := range map[string]string{
		"nothing":         "",
		"another version": hello(protocolVersion + 1),
		"another frame":   "\x01\x00\x00\x00\x09",
		"no JSON":         "\x02\x00\x00\x00\x01{",
	} {
		if err := Work(strings.NewReader(stdin), io.Discard); err == nil {
			t.Errorf("%s: the worker starts", name)
		}
	}
	for name, frame := range map[string]string{"an unknown frame": "\x01\x00\x00\x00\x63", "a broken question": "\x02\x00\x00\x00\x02{", "a broken cancel": "\x02\x00\x00\x00\x03{"} {
		if err := serve(nil, strings.NewReader(frame), io.Discard); err == nil {
			t.Errorf("%s: the worker goes on", name)
		}
	}
	if err := serve(nil, strings.NewReader(""), io.Discard); err != nil {
		t.Errorf("the end of stdin: %v", err)
	}
}
