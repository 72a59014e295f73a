package ingest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// benchRows is how many rows senders put into a request.
const benchRows = 500

func benchDecode(b *testing.B, table string, f Format, body []byte) {
	b.Helper()
	d, out, target := newTestDecoder(), &Result{}, testTarget(b, table)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(target, f, body, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// lines makes the body of a benchmark.
func lines(row func(i int) string) []byte {
	var s strings.Builder
	for i := range benchRows {
		s.WriteString(row(i))
		s.WriteByte('\n')
	}
	return []byte(s.String())
}

// BenchmarkCustom reads rows of 15 columns of all types, some 330 bytes each.
func BenchmarkCustom(b *testing.B) {
	benchDecode(b, "Probe_CL", JSON, customBody())
}

// customBody is the body of BenchmarkCustom.
func customBody() []byte {
	return lines(func(i int) string {
		return fmt.Sprintf(`{"TimeGenerated":"2026-03-01T11:%02d:%02d.%07dZ","client":%d,"n":%d,"ratio":%d.25,"ok":true,"at":"2026-03-01T10:00:00Z",`+
			`"took":"00:00:01.5","id":"6f9619ff-8b86-d011-b42d-00c04fc964ff","name":"user%d@contoso.com","more":{"a":%d,"b":["x","y"]},"a":"GET","b":"/api/v1/items/%d",`+
			`"c":"10.1.2.%d","d":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}`, i/60%60, i%60, i, i, i*1000, i, i, i, i, i%250)
	})
}

// BenchmarkSmall reads small rows: three columns.
func BenchmarkSmall(b *testing.B) {
	benchDecode(b, "Probe_CL", JSON, lines(func(i int) string {
		return fmt.Sprintf(`{"TimeGenerated":"2026-03-01T11:%02d:%02d.%07dZ","client":%d,"n":%d}`, i/60%60, i%60, i, i%8, i*1000)
	}))
}

// BenchmarkSecurityEvent reads logons as Sentinel's columns, and composes them.
func BenchmarkSecurityEvent(b *testing.B) {
	benchDecode(b, "SecurityEvent", JSON, lines(func(i int) string {
		return fmt.Sprintf(`{"TimeGenerated":"2026-03-01T11:%02d:%02d.%07dZ","EventID":4624,"Computer":"dc01.corp.example","Channel":"Security",`+
			`"EventSourceName":"Microsoft-Windows-Security-Auditing","Level":"8","Task":12544,"Activity":"4624 - An account was successfully logged on.",`+
			`"Account":"CORP\\user%d","AccountType":"User","SubjectUserSid":"S-1-5-18","SubjectUserName":"DC01$","SubjectDomainName":"CORP","SubjectLogonId":"0x3e7",`+
			`"TargetUserSid":"S-1-5-21-1-2-3-%d","TargetUserName":"user%d","TargetDomainName":"CORP","TargetLogonId":"0x%x","LogonType":3,"LogonProcessName":"Kerberos",`+
			`"AuthenticationPackageName":"Kerberos","WorkstationName":"-","LogonGuid":"{6f9619ff-8b86-d011-b42d-00c04fc964ff}","KeyLength":0,"ProcessId":"0x0","IpAddress":"10.1.2.%d","IpPort":"%d"}`,
			i/60%60, i%60, i, i, i, i, i*977, i%250, 40000+i)
	}))
}

// logonXML is a logon as EvtRender writes it.
func logonXML(i int) string {
	return fmt.Sprintf(`<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/>`+
		`<EventID>4624</EventID><Version>2</Version><Level>0</Level><Task>12544</Task><Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2026-03-01T11:%02d:%02d.%07dZ'/>`+
		`<EventRecordID>%d</EventRecordID><Correlation ActivityID='{6f9619ff-8b86-d011-b42d-00c04fc964ff}'/><Execution ProcessID='612' ThreadID='4120'/><Channel>Security</Channel><Computer>dc01.corp.example</Computer><Security/></System>`+
		`<EventData><Data Name='SubjectUserSid'>S-1-5-18</Data><Data Name='SubjectUserName'>DC01$</Data><Data Name='SubjectDomainName'>CORP</Data><Data Name='SubjectLogonId'>0x3e7</Data>`+
		`<Data Name='TargetUserSid'>S-1-5-21-1-2-3-%d</Data><Data Name='TargetUserName'>user%d</Data><Data Name='TargetDomainName'>CORP</Data><Data Name='TargetLogonId'>0x%x</Data><Data Name='LogonType'>3</Data>`+
		`<Data Name='LogonProcessName'>Kerberos</Data><Data Name='AuthenticationPackageName'>Kerberos</Data><Data Name='WorkstationName'>-</Data><Data Name='LogonGuid'>{6f9619ff-8b86-d011-b42d-00c04fc964ff}</Data>`+
		`<Data Name='TransmittedServices'>-</Data><Data Name='LmPackageName'>-</Data><Data Name='KeyLength'>0</Data><Data Name='ProcessId'>0x0</Data><Data Name='ProcessName'>-</Data><Data Name='IpAddress'>10.1.2.%d</Data>`+
		`<Data Name='IpPort'>%d</Data><Data Name='ImpersonationLevel'>%%%%1833</Data></EventData></Event>`, i/60%60, i%60, i, i, i, i, i*977, i%250, 40000+i)
}

// BenchmarkXML reads logons of their text, some 1.9 KB each.
func BenchmarkXML(b *testing.B) {
	benchDecode(b, "SecurityEvent", JSON, lines(func(i int) string { return `{"_Xml":"` + logonXML(i) + `"}` }))
}

// BenchmarkIIS reads requests.
func BenchmarkIIS(b *testing.B) {
	benchDecode(b, "W3CIISLog", JSON, lines(func(i int) string {
		return fmt.Sprintf(`{"TimeGenerated":"2026-03-01T11:%02d:%02dZ","sSiteName":"W3SVC1","sComputerName":"WEB01","sIP":"10.0.0.4","csMethod":"GET","csUriStem":"/items/%d","csUriQuery":"-","sPort":443,`+
			`"csUserName":"-","cIP":"10.1.2.%d","csUserAgent":"Mozilla/5.0+(Windows+NT+10.0)","scStatus":"200","scSubStatus":"0","scWin32Status":"0","scBytes":%d,"TimeTaken":%d}`, i/60%60, i%60, i, i%250, i*100, i%90)
	}))
}

// arrowBody is the rows of BenchmarkCustom as an Arrow IPC stream.
func arrowBody(t testing.TB, options ...ipc.Option) []byte {
	t.Helper()
	stamp := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	text := arrow.BinaryTypes.String
	s := arrow.NewSchema([]arrow.Field{
		{Name: "TimeGenerated", Type: stamp},
		{Name: "client", Type: arrow.PrimitiveTypes.Int32},
		{Name: "n", Type: arrow.PrimitiveTypes.Int64},
		{Name: "ratio", Type: arrow.PrimitiveTypes.Float64},
		{Name: "ok", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "at", Type: stamp},
		{Name: "took", Type: &arrow.DurationType{Unit: arrow.Millisecond}},
		{Name: "id", Type: text},
		{Name: "name", Type: text},
		{Name: "more", Type: text},
		{Name: "a", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: text}},
		{Name: "b", Type: text},
		{Name: "c", Type: text},
		{Name: "d", Type: text},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for i := range benchRows {
		b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(1772362800000000 + int64(i)*1000001))
		b.Field(1).(*array.Int32Builder).Append(int32(i))
		b.Field(2).(*array.Int64Builder).Append(int64(i) * 1000)
		b.Field(3).(*array.Float64Builder).Append(float64(i) + 0.25)
		b.Field(4).(*array.BooleanBuilder).Append(true)
		b.Field(5).(*array.TimestampBuilder).Append(1772359200000000)
		b.Field(6).(*array.DurationBuilder).Append(1500)
		b.Field(7).(*array.StringBuilder).Append("6f9619ff-8b86-d011-b42d-00c04fc964ff")
		b.Field(8).(*array.StringBuilder).Append(fmt.Sprintf("user%d@contoso.com", i))
		b.Field(9).(*array.StringBuilder).Append(fmt.Sprintf(`{"a":%d,"b":["x","y"]}`, i))
		if err := b.Field(10).(*array.BinaryDictionaryBuilder).AppendString("GET"); err != nil {
			t.Fatal(err)
		}
		b.Field(11).(*array.StringBuilder).Append(fmt.Sprintf("/api/v1/items/%d", i))
		b.Field(12).(*array.StringBuilder).Append(fmt.Sprintf("10.1.2.%d", i%250))
		b.Field(13).(*array.StringBuilder).Append("Mozilla/5.0 (Windows NT 10.0; Win64; x64)")
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(options, ipc.WithSchema(s))...)
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkArrow reads the rows of BenchmarkCustom from Arrow.
func BenchmarkArrow(b *testing.B) { benchDecode(b, "Probe_CL", Arrow, arrowBody(b)) }
