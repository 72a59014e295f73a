package ingest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/schema"
)

// testNow is the time of ingestion in tests.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// probeColumns are the columns of the test's own table, one of every type.
const probeColumns = "TimeGenerated:datetime, client:int, n:long, ratio:real, ok:bool, at:datetime, took:timespan, id:guid, price:decimal, name:string, more:dynamic, " +
	"a:string, b:string, c:string, d:string"

var testSet = sync.OnceValue(func() *schema.Set {
	t, _, err := schema.ParseCustom("Probe_CL", probeColumns)
	if err != nil {
		panic(err)
	}
	set, err := schema.NewSet(t)
	if err != nil {
		panic(err)
	}
	return set
})

var testStreams = sync.OnceValue(func() *Streams { return NewStreams(testSet()) })

func testTarget(t testing.TB, name string) *Target {
	t.Helper()
	target, err := testStreams().Table(name)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func newTestDecoder() *Decoder { return NewDecoder(func() time.Time { return testNow }) }

func TestStreams(t *testing.T) {
	t.Parallel()
	s := NewStreams(testSet())
	for stream, want := range map[string]string{
		"Microsoft-SecurityEvent": "SecurityEvent", "Microsoft-Event": "Event", "Microsoft-WindowsEvent": "WindowsEvent",
		"Microsoft-W3CIISLog": "W3CIISLog", "Custom-Probe_CL": "Probe_CL",
		"Custom-probe_cl": "", "Custom-Event": "", "Microsoft-Syslog": "", "": "", "Custom-": "", "microsoft-event": "",
	} {
		target, err := s.Stream(stream)
		if want == "" {
			if _, ok := errors.AsType[*UnknownError](err); !ok {
				t.Errorf("%q: want an UnknownError, got %v, %v", stream, target, err)
			}
			continue
		}
		if err != nil || target.Name != want {
			t.Errorf("%q is %v, %v, want %s", stream, target, err, want)
		}
	}
	for table, want := range map[string]string{"probe_cl": "Probe_CL", "windows_events": "windows_events", "Event": "Event", "sources": "", "Syslog": "", "ledger": ""} {
		target, err := s.Table(table)
		if (err == nil) != (want != "") || err == nil && target.Name != want {
			t.Errorf("%q is %v, %v, want %q", table, target, err, want)
		}
	}
}

// TestWrongBodies gives bodies that are refused: where and why.
func TestWrongBodies(t *testing.T) {
	t.Parallel()
	d, out := newTestDecoder(), &Result{}
	for _, c := range []struct{ table, body, want string }{
		{"Probe_CL", ``, `cannot take the body (byte 0): the body is empty`},
		{"Probe_CL", `12`, `the body is neither an array`},
		{"Probe_CL", `[1]`, `cannot take row 1 (byte 1): a row must be an object`},
		{"Probe_CL", `[{"n":1},2]`, `cannot take row 2 (byte 9): a row must be an object`},
		{"Probe_CL", `[{"n":1}`, `between rows there must be a comma`},
		{"Probe_CL", `[{"n":1},]`, `cannot take row 2 (byte 9): a row must be`},
		{"Probe_CL", `[{"n":1}] x`, `there is text behind the array`},
		{"Probe_CL", `[{"n":1}{"n":2}]`, `between rows`},
		{"Probe_CL", `{"n":1} , {"n":2}`, `cannot take row 2 (byte 8)`},
		{"Probe_CL", `{"n":1`, `behind a value there must be`},
		{"Probe_CL", `{"n"`, `behind a column's name there must be a colon`},
		{"Probe_CL", `{n:1}`, `a column's name must be a string`},
		{"Probe_CL", `{"n":}`, `column "n" (byte 5): this is no JSON value`},
		{"Probe_CL", `{"n":nul}`, `this is no JSON value`},
		{"Probe_CL", `{"n":01}`, `this is no JSON value`},
		{"Probe_CL", `{"n":1.}`, `this is no JSON value`},
		{"Probe_CL", `{"n":+1}`, `this is no JSON value`},
		{"Probe_CL", `{"name":"a`, `the text ends inside a value`},
		{"Probe_CL", `{"name":"a\x"}`, `an escape that JSON does not have`},
		{"Probe_CL", `{"name":"\ud8"}`, `an escape that JSON does not have`},
		{"Probe_CL", "{\"name\":\"a\nb\"}", `a character that must be escaped`},
		{"Probe_CL", "{\"name\":\"\xff\"}", `cannot take the body (byte 9): the body is not UTF-8`},
		{"Probe_CL", `{"more":{"a":1}`, `behind a value`},
		{"Probe_CL", `{"more":{"a" 1}}`, `column "more" (byte 8): the value is no JSON`},
		{"Probe_CL", `{"more":[1,]}`, `column "more" (byte 8): the value is no JSON`},
		{"Probe_CL", `{"more":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`, `nested deeper than 256`},
		{"Probe_CL", `{"nope":1}`, `row 1, column "nope" (byte 1): Probe_CL has no such column`},
		{"Probe_CL", `{"Client":1}`, `the name with these letters is client`},
		{"Probe_CL", `{"n":1,"n":2}`, `column "n" (byte 11): the column comes twice in the row`},
		{"Probe_CL", `{"n":1,"\u006e":2}`, `the column comes twice`},
		{"Probe_CL", `{"n":null,"n":2}`, `the column comes twice`},
		{"Probe_CL", `{"n":1}` + "\n" + `{"client":"abc"}`, `cannot take row 2, column "client" (byte 18): the column is int`},
		{"Probe_CL", `{"client":2147483648}`, `the column is int`},
		{"Probe_CL", `{"client":1.5}`, `the column is int`},
		{"Probe_CL", `{"client":{}}`, `the column is int`},
		{"Probe_CL", `{"client":true}`, `the column is int`},
		{"Probe_CL", `{"client":""}`, `the column is int`},
		{"Probe_CL", `{"n":9223372036854775808}`, `the column is long`},
		{"Probe_CL", `{"n":"0x10"}`, `the column is long`},
		{"Probe_CL", `{"ratio":1e999}`, `the column is real`},
		{"Probe_CL", `{"ratio":"x"}`, `the column is real`},
		{"Probe_CL", `{"ok":1}`, `the column is bool`},
		{"Probe_CL", `{"ok":"yes"}`, `the column is bool`},
		{"Probe_CL", `{"at":1700000000}`, `the column is datetime`},
		{"Probe_CL", `{"at":"01/02/2026"}`, `the column is datetime`},
		{"Probe_CL", `{"at":"2026-02-30"}`, `the column is datetime`},
		{"Probe_CL", `{"at":"0001-01-01T00:00:00+01:00"}`, `the column is datetime`},
		{"Probe_CL", `{"TimeGenerated":"x"}`, `column "TimeGenerated" (byte 17): the column is datetime`},
		{"Probe_CL", `{"took":5}`, `the column is timespan`},
		{"Probe_CL", `{"took":"5"}`, `the column is timespan`},
		{"Probe_CL", `{"id":"x"}`, `the column is guid`},
		{"Probe_CL", `{"price":"1,5"}`, `the column is decimal`},
		{"Probe_CL", `{"_Seq":1}`, `column "_Seq" (byte 8): the column is set by Wadi`},
		{"Probe_CL", `{"_Table":"Event"}`, `the column is set by Wadi`},
		{"Event", `{"EventID":-1}`, `from 0 to 2147483647`},
		{"Event", `{"Computer":"a\u0001"}`, `a control character`},
		{"Event", `{"Message":"a","RenderedDescription":"b"}`, `column "RenderedDescription" (byte 37): the value differs from that of column Message`},
		{"Event", `{"Role":"x"}`, `column "Role" (byte 8): the value has no place`},
		{"Event", `{"Type":"SecurityEvent"}`, `the column is always "Event"`},
		{"Event", `{"_Xml":"<Event>"}`, `column "_Xml"`},
		{"Event", `{"_Damage":"x"}`, `column "_Damage" (byte 0): the value has no place without _Xml`},
		{"Event", `{"_ItemId":"x"}`, `column "_ItemId"`},
		{"Event", `{"_Xml":"<Event><System><EventID>1</EventID></System></Event>","Computer":"x"}`, `column "Computer" (byte 0): the value has no place beside _Xml`},
		{"Event", `{"_Xml":"<Event><System><TimeCreated SystemTime='2026-01-01T00:00:00Z'/></System></Event>","TimeGenerated":"2026-01-01T00:00:01Z"}`, `differs from SystemTime`},
		{"Event", `{"Qualifiers":1}`, `without an EventID`},
		{"Event", `{"EventData":"x"}`, `send EventData as XML`},
		{"Event", `{"EventData":{"a":1}}`, `must be texts`},
		{"Event", `{"EventData":{"Data":[]}}`, `must be texts`},
		{"Event", `{"EventData":"<EventData><Data Name=\"a\">1</EventData>"}`, `not well-formed`},
		{"Event", `{"EventData":"<EventData></EventData><Other></EventData>"}`, `send EventData as XML`},
		{"Event", `{"EventLevelName":"Loud"}`, `the view makes another`},
		{"Event", `{"EventLevelName":"Error","EventLevel":4}`, `the view makes another`},
		{"Event", `{"UserName":"S-1-5-18"}`, `the view makes another`},
		{"SecurityEvent", `{"EventData":"<EventData><Data Name=\"Status\">1</Data></EventData>","Status":"2"}`, `column "Status" (byte 0): the value has no place: EventData`},
		{"SecurityEvent", `{"EventID":4624,"Activity":"4624 - Something"}`, `the view makes another`},
		{"SecurityEvent", `{"AccountType":"Machine","Account":"C\\a"}`, `column "AccountType"`},
		{"SecurityEvent", `{"SubjectAccount":"alone"}`, `the view makes another`},
		{"SecurityEvent", `{"FileHash":"x"}`, `nothing that is stored holds`},
		{"WindowsEvent", `{"Keywords":"0x0A"}`, `the view makes another`},
		{"WindowsEvent", `{"EventRecordId":"007"}`, `the view makes another`},
		{"W3CIISLog", `{"csUserAgent":"a b"}`, `blanks of the User-Agent`},
		{"W3CIISLog", `{"Computer":"a","sComputerName":"b"}`, `column "Computer" (byte 0): the value has no place beside another sComputerName`},
		{"W3CIISLog", `{"MaliciousIP":"x"}`, `nothing that is stored holds`},
		{"W3CIISLog", `{"sPort":"x"}`, `the column is int`},
		{"W3CIISLog", `{"_Fields":"x"}`, `W3CIISLog has no such column`},
	} {
		err := d.Decode(testTarget(t, c.table), JSON, []byte(c.body), out)
		if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %.80s: got %v, want %s", c.table, c.body, err, c.want)
		}
		if out.Rows.Len() != 0 || len(out.Tallies) != 0 {
			t.Fatalf("%s %.80s: %d rows are left", c.table, c.body, out.Rows.Len())
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	d, out := newTestDecoder(), &Result{}
	target := testTarget(t, "Probe_CL")
	tooLarge := func(name string, body []byte, f Format) {
		t.Helper()
		err := d.Decode(target, f, body, out)
		if e, ok := errors.AsType[*Error](err); !ok || !e.TooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	tooLarge("body", make([]byte, MaxBody+1), JSON)
	tooLarge("body", make([]byte, MaxBody+1), Arrow)
	tooLarge("rows", []byte(strings.Repeat("{}", MaxRows+1)), JSON)
	if err := d.Decode(target, JSON, []byte(strings.Repeat("{}", MaxRows)), out); err != nil || out.Rows.Len() != MaxRows {
		t.Error(err, out.Rows.Len())
	}
	long := `{"name":"` + strings.Repeat("x", MaxText+1) + `"}`
	if err := d.Decode(target, JSON, []byte(long), out); err == nil || !strings.Contains(err.Error(), errLong) {
		t.Error(err)
	}
	escaped := `{"name":"` + strings.Repeat(`\n`, MaxText+1) + `"}`
	if err := d.Decode(target, JSON, []byte(escaped), out); err == nil || !strings.Contains(err.Error(), errLong) {
		t.Error(err)
	}
	// Escapes make the five letters of &amp; of one.
	event := `{"Computer":"` + strings.Repeat("&", 1<<20) + `","EventData":{"a":"` + strings.Repeat("&", 1<<20) + `"}}`
	if err := d.Decode(testTarget(t, "Event"), JSON, []byte(event), out); err == nil || !strings.Contains(err.Error(), "longer than 4 MiB") {
		t.Error(err)
	}
}

func TestTallies(t *testing.T) {
	t.Parallel()
	d, out := newTestDecoder(), &Result{}
	body := `[{"EventLog":"System","TimeGenerated":"2026-03-01T11:00:00Z"},{"EventLog":"Application"},{"EventLog":"System","TimeGenerated":"2026-03-01T10:00:00Z"},
		{"_Xml":"<Event><System><Channel>System</Channel></System></Event>"}]`
	if err := d.Decode(testTarget(t, "Event"), JSON, []byte(body), out); err != nil {
		t.Fatal(err)
	}
	if len(out.Tallies) != 2 || out.Rows.Len() != 4 {
		t.Fatal(out.Tallies)
	}
	s := out.Tallies[0]
	if got := fmt.Sprint(s.Channel, s.Received, s.Stored, s.Partial, s.FirstTime, s.LastTime); got !=
		"System3 3 1 2026-03-01T10:00:00.0000000Z 2026-03-01T11:00:00.0000000Z" {
		t.Error(got)
	}
	if err := d.Decode(testTarget(t, "Event"), JSON, []byte(`[]`), out); err != nil || out.Rows.Len() != 0 || len(out.Tallies) != 0 {
		t.Error(err, out.Tallies)
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-01-31T12:34:56.1234567Z": "2026-01-31T12:34:56.1234567Z", "2026-01-31T12:34:56Z": "2026-01-31T12:34:56.0000000Z",
		"2026-01-31": "2026-01-31T00:00:00.0000000Z", "2026-01-31 12:34:56": "2026-01-31T12:34:56.0000000Z", "2026-01-31T12:34": "2026-01-31T12:34:00.0000000Z",
		"2026-01-31T12:34:56.123456789Z": "2026-01-31T12:34:56.1234567Z", "2026-01-31T12:34:56.1+02:00": "2026-01-31T10:34:56.1000000Z",
		"2026-01-31T12:34:56-0530": "2026-01-31T18:04:56.0000000Z", "2026-01-31T12:34:56+01": "2026-01-31T11:34:56.0000000Z",
		"2026-01-31 12:34:56.5 Z": "2026-01-31T12:34:56.5000000Z", "9999-12-31T23:59:59.9999999Z": "9999-12-31T23:59:59.9999999Z",
		"2026-01-31T12:34:56.1234567+00:00": "2026-01-31T12:34:56.1234567Z", "2024-02-29T00:00:00+14:00": "2024-02-28T10:00:00.0000000Z",
		"": "", "2026": "", "2026-01-31T": "", "2026-01-31T12": "", "2026-01-31T12:34:56.Z": "", "2026-01-31T12:34:56+15:00": "", "2026-01-31T25:00": "",
		"2026-01-31T12:34:56.1234567890Z": "", "2026-01-31X12:34:56": "", "9999-12-31T23:59:59-01:00": "", "2026-01-31T12:34:60Z": "", "2026-01-31Z": "",
		"2026-1-31": "", "2026-01-31T12:34:5Z": "", "2026-01-31T12:34+1x:00": "",
	} {
		got, ok := parseTime([]byte(text))
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q is %s, %v, want %q", text, got, ok, want)
		}
	}
}

// TestLate counts what is more than five minutes older than its arrival.
func TestLate(t *testing.T) {
	var rows []string
	for _, age := range []time.Duration{0, 5 * time.Minute, 5*time.Minute + time.Second, 48 * time.Hour, -time.Hour} {
		rows = append(rows, `{"TimeGenerated":"`+testNow.Add(-age).Format(time.RFC3339Nano)+`"}`)
	}
	rows = append(rows, `{}`) // it happened when it came
	d, out := newTestDecoder(), &Result{}
	if err := d.Decode(testTarget(t, "W3CIISLog"), JSON, []byte("["+strings.Join(rows, ",")+"]"), out); err != nil {
		t.Fatal(err)
	}
	if len(out.Tallies) != 1 || out.Tallies[0].Late != 2 || out.Tallies[0].Stored != 6 {
		t.Errorf("%+v", out.Tallies)
	}
}
