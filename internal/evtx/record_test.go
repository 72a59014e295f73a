package evtx

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// compareGolden holds text against a golden file.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", path, d)
	}
}

type xmlb = evtxtest.XML

const eventNS = "http://schemas.microsoft.com/win/2004/08/events/event"

func le(size int, n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n)[:size] }

func sid(parts ...uint32) []byte {
	b := []byte{1, byte(len(parts)), 0, 0, 0, 0, 0, 5}
	for _, p := range parts {
		b = binary.LittleEndian.AppendUint32(b, p)
	}
	return b
}

func items(s ...string) []byte {
	var b []byte
	for _, s := range s {
		b = append(append(b, evtxtest.UTF16(s)...), 0, 0)
	}
	return b
}

func systime(f ...uint16) []byte {
	var b []byte
	for _, v := range f {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

var testGUID = []byte{0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b, 0x03, 0x28, 0xc3, 0x0d}

// values has every type of value, and each as an array.
var values = []struct {
	name string
	typ  byte
	data []byte
}{
	{"null", typNull, nil},
	{"string", typString, evtxtest.UTF16("a <b> & \"c\" 'd' é € 😀")},
	{"string with NUL", typString, evtxtest.UTF16("abc\x00def")},
	{"string of blanks", typString, evtxtest.UTF16("  x  ")},
	{"string with controls", typString, evtxtest.UTF16("\x01\t\r\n\x1f\u007f\ufffe")},
	{"string with half a surrogate", typString, []byte{'x', 0, 0x3d, 0xd8, 'y', 0, 0x00, 0xdc}},
	{"empty string", typString, nil},
	{"ansi", typANSI, []byte("caf\xe9 \x80 <\x00tail")},
	{"int8", typInt8, []byte{0x80}},
	{"uint8", typUint8, []byte{0x80}},
	{"int16", typInt16, le(2, 0xfffe)},
	{"uint16", typUint16, le(2, 0xfffe)},
	{"int32", typInt32, le(4, 0xfffffffe)},
	{"uint32", typUint32, le(4, 0xfffffffe)},
	{"int64", typInt64, le(8, math.MaxUint64)},
	{"uint64", typUint64, le(8, math.MaxUint64)},
	{"real32", typReal32, le(4, uint64(math.Float32bits(0.1)))},
	{"real64", typReal64, le(8, math.Float64bits(-2))},
	{"real64 large", typReal64, le(8, math.Float64bits(6.02e23))},
	{"real64 infinite", typReal64, le(8, math.Float64bits(math.Inf(-1)))},
	{"real64 none", typReal64, le(8, math.Float64bits(math.NaN()))},
	{"bool", typBool, le(4, 1)},
	{"bool off", typBool, le(4, 0)},
	{"bool odd", typBool, le(4, 0xffffffff)},
	{"binary", typBinary, []byte{0, 0xab, 0xff}},
	{"guid", typGUID, testGUID},
	{"size_t 32", typSizeT, le(4, 0xdeadbeef)},
	{"size_t 64", typSizeT, le(8, 0xdeadbeef)},
	{"filetime", typFiletime, le(8, 132514326934567891)},
	{"filetime zero", typFiletime, le(8, 0)},
	{"filetime huge", typFiletime, le(8, math.MaxUint64)},
	{"systemtime", typSystime, systime(2020, 12, 4, 3, 4, 5, 6, 789)},
	{"systemtime unset", typSystime, systime(0, 0, 0, 0, 0, 0, 0, 0)},
	{"sid", typSID, sid(21, 1, 2, 500)},
	{"hex32", typHex32, le(4, 0xc000006d)},
	{"hex64", typHex64, le(8, 0x8020000000000000)},
	{"handle", typHandle, le(8, 0x1234)},
	{"xml text", typXML, evtxtest.UTF16("<a>")},
	{"array of strings", typString | typArray, items("one", "", "<three>")},
	{"array of one string", typString | typArray, items("one")},
	{"array of strings without last NUL", typString | typArray, items("one", "two")[:14]},
	{"empty array", typString | typArray, nil},
	{"array of ansi", typANSI | typArray, []byte("a\x00\x00b\x00")},
	{"array of int8", typInt8 | typArray, []byte{1, 0xff}},
	{"array of uint16", typUint16 | typArray, []byte{1, 0, 2, 0}},
	{"array of int64", typInt64 | typArray, append(le(8, 1), le(8, math.MaxUint64)...)},
	{"array of real32", typReal32 | typArray, append(le(4, uint64(math.Float32bits(1))), le(4, uint64(math.Float32bits(0.5)))...)},
	{"array of bool", typBool | typArray, append(le(4, 1), le(4, 0)...)},
	{"array of guid", typGUID | typArray, append(bytes.Clone(testGUID), make([]byte, 16)...)},
	{"array of size_t", typSizeT | typArray, append(le(8, 1), le(8, 2)...)},
	{"array of filetime", typFiletime | typArray, append(le(8, 132514326934567891), le(8, 0)...)},
	{"array of systemtime", typSystime | typArray, append(systime(2020, 12, 4, 3, 4, 5, 6, 789), systime(2020, 2, 0, 29, 0, 0, 0, 0)...)},
	{"array of sid", typSID | typArray, append(sid(18), sid(21, 7)...)},
	{"array of hex32", typHex32 | typArray, append(le(4, 1), le(4, 0xff)...)},
	{"array of hex64", typHex64 | typArray, append(le(8, 1), le(8, 0xff)...)},
}

// dataTemplate is <Event><EventData><Data Name='V'>value</Data></EventData></Event>.
func dataTemplate() *evtxtest.Template {
	return &evtxtest.Template{GUID: [16]byte{1}, Body: func(x *xmlb) {
		x.Open("Event")
		x.Close()
		x.Open("EventData")
		x.Close()
		x.OpenAttrs("Data")
		x.Attr("Name", false)
		x.Text("V")
		x.Close()
		x.Hole(0, typString, false)
		x.End()
		x.End()
		x.End()
	}}
}

// render gives a record in all forms by programs and by trees, which must agree.
func render(t *testing.T, log []byte) string {
	t.Helper()
	var b strings.Builder
	fast, slow := NewDecoder(), NewDecoder()
	slow.slow = true
	losses := eachRecord(t, fast, log, func(c ChunkInfo, r *Record) {
		slow.Open(c, fast.buf)
		for _, form := range renderers {
			one, err1 := form.f(fast, nil, r)
			two, err2 := form.f(slow, nil, r)
			if !bytes.Equal(one, two) || fmt.Sprint(err1) != fmt.Sprint(err2) {
				t.Errorf("program: %s %v\ntree:    %s %v", one, err1, two, err2)
			}
			if err1 != nil {
				continue
			}
			if err := checkForm(form.name, one); err != nil {
				t.Errorf("%s: %v: %s", form.name, err, one)
			}
			fmt.Fprintf(&b, "%-5s %s\n", form.name, bytes.ReplaceAll(one, []byte("\r"), []byte("␍")))
		}
	})
	for _, l := range losses {
		fmt.Fprintf(&b, "loss  %s (%d records)\n", l.Error(), l.Records)
	}
	return b.String()
}

func TestEveryType(t *testing.T) {
	var b strings.Builder
	for _, v := range values {
		log := evtxtest.NewBuilder()
		log.Chunk().Record(1, 1, func(x *xmlb) {
			x.Fragment()
			x.Instance(dataTemplate(), evtxtest.Value{Type: v.typ, Data: v.data})
			x.EOF()
		})
		fmt.Fprintf(&b, "# %s\n%s", v.name, render(t, log.Bytes()))
	}
	compareGolden(t, "types.golden", b.String())
}
