package ingest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// arrowOf makes a stream of one column of a type from JSON values.
func arrowOf(t testing.TB, name string, typ arrow.DataType, values string) []byte {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(values))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	s := arrow.NewSchema([]arrow.Field{{Name: name, Type: typ, Nullable: true}}, nil)
	batch := array.NewRecordBatch(s, []arrow.Array{a}, int64(a.Len()))
	defer batch.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(s))
	if err := errors.Join(w.Write(batch), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestArrowAsJSON holds that Arrow's values become what their JSON becomes.
func TestArrowAsJSON(t *testing.T) {
	t.Parallel()
	target := testTarget(t, "Probe_CL")
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		column string
		typ    arrow.DataType
		values string // of Arrow
		json   string // of the same rows
	}{
		{"client", arrow.PrimitiveTypes.Int8, `[1,null,-128]`, `1 null -128`},
		{"client", arrow.PrimitiveTypes.Uint32, `[2147483647]`, `2147483647`},
		{"client", text, `["5",null]`, `5 null`},
		{"n", arrow.PrimitiveTypes.Int64, `[9223372036854775807,-9223372036854775808]`, `9223372036854775807 -9223372036854775808`},
		{"n", arrow.PrimitiveTypes.Uint64, `[5]`, `5`},
		{"n", arrow.PrimitiveTypes.Float64, `[5]`, `5.0`},
		{"ratio", arrow.PrimitiveTypes.Float32, `[0.5,null]`, `0.5 null`},
		{"ratio", arrow.PrimitiveTypes.Int16, `[3]`, `3`},
		{"ok", arrow.FixedWidthTypes.Boolean, `[true,false,null]`, `true false null`},
		{"at", arrow.FixedWidthTypes.Timestamp_ns, `["2026-03-01T01:02:03.123456789Z"]`, `"2026-03-01T01:02:03.123456789Z"`},
		{"at", arrow.FixedWidthTypes.Timestamp_s, `["2026-03-01T01:02:03Z",null]`, `"2026-03-01T01:02:03Z" null`},
		{"TimeGenerated", arrow.FixedWidthTypes.Timestamp_ms, `["1601-01-01T00:00:00.001Z"]`, `"1601-01-01T00:00:00.001Z"`},
		{"TimeGenerated", text, `["2026-03-01T01:02:03.1234567+01:00"]`, `"2026-03-01T00:02:03.1234567Z"`},
		{"at", arrow.FixedWidthTypes.Date32, `["2026-03-01"]`, `"2026-03-01"`},
		{"at", arrow.FixedWidthTypes.Date64, `["2026-03-01"]`, `"2026-03-01"`},
		{"took", arrow.FixedWidthTypes.Duration_ms, `["1500ms"]`, `"00:00:01.5"`},
		{"took", text, `["00:00:01.5"]`, `"00:00:01.5"`},
		{"id", text, `["{6F9619FF-8B86-D011-B42D-00C04FC964FF}"]`, `"6f9619ff-8b86-d011-b42d-00c04fc964ff"`},
		{"id", &arrow.FixedSizeBinaryType{ByteWidth: 16}, `["b5YZ/4uG0BG0LQDAT8lk/w=="]`, `"6f9619ff-8b86-d011-b42d-00c04fc964ff"`},
		{"price", &arrow.Decimal128Type{Precision: 10, Scale: 2}, `["12.50"]`, `12.5`},
		{"name", text, `["a\u0000ü",null,""]`, `"a\u0000ü" null ""`},
		{"name", arrow.BinaryTypes.LargeString, `["x"]`, `"x"`},
		{"name", arrow.BinaryTypes.StringView, `["a text that is longer than twelve bytes"]`, `"a text that is longer than twelve bytes"`},
		{"name", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}, `["x","y",null,"x"]`, `"x" "y" null "x"`},
		{"name", arrow.PrimitiveTypes.Int32, `[5]`, `5`},
		{"name", arrow.Null, `[null,null]`, `null null`},
		{"more", text, `["{\"a\": 1}","[1 , 2]","\"s\"",""]`, `{"a":1} [1,2] "s" null`},
		{"more", arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32}, arrow.Field{Name: "b", Type: text}), `[{"a":1,"b":"x"}]`, `{"a":1,"b":"x"}`},
		{"more", arrow.ListOf(arrow.PrimitiveTypes.Int32), `[[1,2],[]]`, `[1,2] []`},
	} {
		d, got, want := newTestDecoder(), &Result{}, &Result{}
		if err := d.Decode(target, Arrow, arrowOf(t, c.column, c.typ, c.values), got); err != nil {
			t.Errorf("%s of %s: %v", c.column, c.typ, err)
			continue
		}
		var body []byte
		for v := range strings.FieldsSeq(strings.ReplaceAll(c.json, "a text that is longer than twelve bytes", "a_text")) {
			v = strings.ReplaceAll(v, "a_text", "a text that is longer than twelve bytes")
			body = append(body, `{"`+c.column+`":`+v+`}`...)
		}
		if err := d.Decode(target, JSON, body, want); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if !bytes.Equal(got.Rows.Encoded(), want.Rows.Encoded()) {
			t.Errorf("%s of %s: %s and %s give other rows:\n%q\n%q", c.column, c.typ, c.values, body, got.Rows.Encoded(), want.Rows.Encoded())
		}
	}
}

// TestWrongArrow gives streams that are refused.
func TestWrongArrow(t *testing.T) {
	t.Parallel()
	d, out := newTestDecoder(), &Result{}
	good := arrowOf(t, "n", arrow.PrimitiveTypes.Int64, `[1,2,3]`)
	twice := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	var twiceBody bytes.Buffer
	w := ipc.NewWriter(&twiceBody, ipc.WithSchema(twice))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		body []byte
		want string
	}{
		{nil, "no Arrow IPC stream"},
		{[]byte(`{"n":1}`), "no Arrow IPC stream"},
		{good[:len(good)/2], "no Arrow IPC stream"},
		{twiceBody.Bytes(), `column "n": the column comes twice`},
		{arrowOf(t, "nope", arrow.PrimitiveTypes.Int64, `[1]`), `column "nope": Probe_CL has no such column`},
		{arrowOf(t, "N", arrow.PrimitiveTypes.Int64, `[1]`), `with these letters is n`},
		{arrowOf(t, "n", arrow.PrimitiveTypes.Uint64, `[1,9223372036854775808]`), `row 2, column "n": the column is long`},
		{arrowOf(t, "client", arrow.PrimitiveTypes.Int64, `[1,2147483648]`), `row 2, column "client": the column is int`},
		{arrowOf(t, "client", arrow.PrimitiveTypes.Float64, `[1.5]`), `the column is int`},
		{arrowOf(t, "at", arrow.PrimitiveTypes.Int64, `[1]`), `the column is datetime`},
		{arrowOf(t, "more", arrow.BinaryTypes.String, `["{"]`), `no JSON`},
		{arrowOf(t, "name", arrow.BinaryTypes.Binary, `["AAAA"]`), `cannot be read from Arrow's type binary`},
		{arrowOf(t, "name", arrow.ListOf(arrow.PrimitiveTypes.Int32), `[[1]]`), `cannot be read from Arrow's type list`},
		{arrowOf(t, "_Seq", arrow.PrimitiveTypes.Int64, `[1]`), `set by Wadi`},
	} {
		err := d.Decode(testTarget(t, "Probe_CL"), Arrow, c.body, out)
		if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
		if out.Rows.Len() != 0 {
			t.Fatalf("%s: %d rows are left", c.want, out.Rows.Len())
		}
	}
}

// TestArrowBomb holds that a compressed stream is refused before it fills the
// memory.
func TestArrowBomb(t *testing.T) {
	t.Parallel()
	s := arrow.NewSchema([]arrow.Field{{Name: "name", Type: arrow.BinaryTypes.LargeString}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	b.Field(0).(*array.LargeStringBuilder).Append(strings.Repeat("x", MaxEncoded+1))
	batch := b.NewRecordBatch()
	defer batch.Release()
	for name, option := range map[string]ipc.Option{"zstd": ipc.WithZstd(), "lz4": ipc.WithLZ4()} {
		var out bytes.Buffer
		w := ipc.NewWriter(&out, ipc.WithSchema(s), option)
		if err := errors.Join(w.Write(batch), w.Close()); err != nil {
			t.Fatal(err)
		}
		err := newTestDecoder().Decode(testTarget(t, "Probe_CL"), Arrow, out.Bytes(), &Result{})
		if e, ok := errors.AsType[*Error](err); !ok || !e.TooLarge {
			t.Errorf("%s of %d bytes: %v", name, out.Len(), err)
		}
	}
	for _, option := range []ipc.Option{ipc.WithZstd(), ipc.WithLZ4()} {
		out := &Result{}
		if err := newTestDecoder().Decode(testTarget(t, "Probe_CL"), Arrow, arrowBody(t, option), out); err != nil || out.Rows.Len() != benchRows {
			t.Error(err)
		}
	}
}

// TestGarbledArrow changes every byte of streams, and cuts them at every length.
func TestGarbledArrow(t *testing.T) {
	t.Parallel()
	d, out, target := newTestDecoder(), &Result{}, testTarget(t, "Probe_CL")
	for _, body := range [][]byte{
		arrowOf(t, "n", arrow.PrimitiveTypes.Int64, `[1,null,3]`),
		arrowOf(t, "name", arrow.BinaryTypes.String, `["a","bc",null]`),
		arrowOf(t, "name", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `["x","y",null]`),
		arrowOf(t, "more", arrow.ListOf(arrow.PrimitiveTypes.Int32), `[[1,2],[]]`),
	} {
		for i := range body {
			sound(t, d.Decode(target, Arrow, body[:i], out), out)
			old := body[i]
			for _, c := range []byte{0, 1, 0x7f, 0x80, 0xff, old + 1} {
				body[i] = c
				sound(t, d.Decode(target, Arrow, body, out), out)
			}
			body[i] = old
		}
	}
}
