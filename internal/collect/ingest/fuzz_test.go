package ingest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/wadi-project/wadi/internal/lake/datafile"
)

// fuzzTables are the targets, one of each way of writing rows.
var fuzzTables = []string{"Probe_CL", "SecurityEvent", "Event", "WindowsEvent", "W3CIISLog", "windows_events"}

// sound checks what every body must leave behind: rows and counts that agree, or
// an error that says where and holds nothing of a value.
func sound(t *testing.T, err error, out *Result) {
	t.Helper()
	if err == nil {
		var n int64
		for _, tally := range out.Tallies {
			n += tally.Stored
			if tally.Received != tally.Stored || tally.Partial > tally.Stored || tally.FirstTime > tally.LastTime {
				t.Errorf("tally %+v", tally)
			}
		}
		if n != int64(out.Rows.Len()) || out.Rows.Err() != nil {
			t.Errorf("%d rows are stored, %d counted: %v", out.Rows.Len(), n, out.Rows.Err())
		}
		if err := datafile.NewRows(out.Rows.Table()).Load(out.Rows.Encoded(), out.Rows.Table().Version); err != nil {
			t.Error(err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Reason == "" || e.Row < 0 || e.Offset < -1 || len(err.Error()) > 1000 || !utf8.ValidString(err.Error()) {
		t.Errorf("%q", err)
	}
	if out.Rows.Len() != 0 || len(out.Tallies) != 0 {
		t.Error("rows of a refused body are left")
	}
}

// FuzzJSON holds that what is taken is JSON by Go's own reader, and that bytes of
// any kind give rows or an error.
func FuzzJSON(f *testing.F) {
	for _, body := range []string{
		`[{"client":1,"n":2,"ratio":1.5e3,"ok":true,"at":"2026-01-01","took":"1d","id":"6f9619ff8b86d011b42d00c04fc964ff","price":"1.0","name":"\u00fc\ud83d\ude00","more":{"a":[1,null,{"b":"c"}]}}]`,
		"{\"TimeGenerated\":\"2026-01-01T00:00:00.123456789+01:00\"}\n{}", `[]`, `[{"name":"` + strings.Repeat("a", 40) + `\\"}]`,
		`[{"EventID":4624,"Account":"A\\b","Level":"8","Activity":"1 - x","EventData":{"a":"b","Data":["c"]},"Computer":"c"}]`,
		`[{"EventData":"<DataItem><EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><Data Name=\"a\">1</Data></EventData></DataItem>","ParameterXml":"<Param>1</Param>"}]`,
		`[{"_Xml":"<Event><System><EventID>1</EventID></System><EventData>","_RecordTime":5,"_Damage":"d","_ResourceId":"/r"}]`,
		`[{"Keywords":"0xFF","Opcode":"1","EventRecordId":"2","EventLevelName":"Error","SystemProcessId":-1}]`,
		`[{"csUserAgent":"a+b++c","csUriQuery":"-","Computer":"w","sPort":80,"TimeGenerated":"2026-01-01T00:00:00.5Z"}]`,
	} {
		for i := range fuzzTables {
			f.Add(byte(i), []byte(body))
		}
	}
	d, out := newTestDecoder(), &Result{}
	f.Fuzz(func(t *testing.T, table byte, body []byte) {
		err := d.Decode(testTarget(t, fuzzTables[int(table)%len(fuzzTables)]), JSON, body, out)
		sound(t, err, out)
		if err != nil {
			return
		}
		text := strings.TrimPrefix(string(body), "\uFEFF")
		dec := json.NewDecoder(strings.NewReader(text))
		rows := 0
		for dec.More() {
			var v any
			if err := dec.Decode(&v); err != nil {
				t.Fatalf("a body was taken that Go does not read: %v: %q", err, body)
			}
			if list, ok := v.([]any); ok {
				rows += len(list)
			} else {
				rows++
			}
		}
		if rows != out.Rows.Len() {
			t.Errorf("%d rows of %d objects: %q", out.Rows.Len(), rows, body)
		}
	})
}

// FuzzArrow holds that bytes of any kind give rows or an error, in bounded memory.
func FuzzArrow(f *testing.F) {
	f.Add([]byte{})
	f.Add(arrowOf(f, "client", arrow.PrimitiveTypes.Int64, `[1,null,3]`))
	f.Add(arrowOf(f, "name", arrow.BinaryTypes.StringView, `["a","a text that is longer than twelve bytes"]`))
	f.Add(arrowOf(f, "name", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `["x","y",null]`))
	f.Add(arrowOf(f, "more", arrow.ListOf(arrow.PrimitiveTypes.Int32), `[[1,2],[]]`))
	d, out := newTestDecoder(), &Result{}
	f.Fuzz(func(t *testing.T, body []byte) {
		sound(t, d.Decode(testTarget(t, "Probe_CL"), Arrow, body, out), out)
	})
}

// FuzzParseTime holds that a time that is taken is one by Go's reader of its
// plain form.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2026-01-31T12:34:56.1234567Z", "2026-01-31 12:34:56+01:00", "2026-01-31", "2026-01-31T12:34", "0001-01-01T00:00:00-14:00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		ticks, ok := parseTime(s)
		if !ok {
			return
		}
		back, ok := parseTime([]byte(ticks.String()))
		if !ok || back != ticks {
			t.Errorf("%q is %s, which is %v, %v", s, ticks, back, ok)
		}
	})
}
