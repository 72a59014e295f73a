package eventxml

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// usual is a System in EvtRender's usual form.
const usual = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/>` +
	`<EventID>4624</EventID><Version>2</Version><Level>0</Level><Task>12544</Task><Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2026-01-01T00:00:00.1234567Z'/>` +
	`<EventRecordID>1200</EventRecordID><Correlation/><Execution ProcessID='700' ThreadID='704'/><Channel>Security</Channel><Computer>dc.corp</Computer><Security/></System>`

// classic is how events of the old API come.
const classic = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='MSSQL$X'/><EventID Qualifiers='16384'>15457</EventID><Level>4</Level><Task>2</Task>` +
	`<Keywords>0x80000000000000</Keywords><TimeCreated SystemTime='2020-08-01T21:32:10.5982911Z'/><EventRecordID>70665</EventRecordID><Channel>Application</Channel><Computer>sql.corp</Computer><Security UserID='S-1-5-18'/></System>`

func parse(t *testing.T, xml string) (*event.Batch, event.Event, error) {
	t.Helper()
	b := &event.Batch{}
	var p Parser
	e, err := p.Parse(b, b.Append([]byte(xml)))
	return b, e, err
}

// TestForms changes the usual text and says which form it has, -1 where the text
// has to be kept.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		name     string
		text     string
		old, new string
		form     int32
	}{
		{"usual", usual, "", "", 0},
		{"classic", classic, "", "", 0},
		{"nine digits", usual, "1234567Z", "123456700Z", 9 ^ 7},
		{"eight digits", usual, "1234567Z", "12345670Z", 8 ^ 7},
		{"three digits", usual, "1234567Z", "123Z", 3 ^ 7},
		{"no fraction", usual, ".1234567Z", "Z", 7},
		{"double quotes", usual, "'", `"`, FormDoubleQuotes},
		{"spaced", usual, "/>", " />", FormSpacedEnd},
		{"no correlation", usual, "<Correlation/>", "", FormCorrelation},
		{"correlation alone", classic, "<Channel>", "<Correlation/><Channel>", FormCorrelation},
		{"activities", usual, "<Correlation/>", "<Correlation ActivityID='{AA}' RelatedActivityID='{bb}'/>", 0},
		{"no security", usual, "<Security/>", "", FormNoSecurity},
		{"bare execution", usual, " ProcessID='700' ThreadID='704'", "", FormBareExecution},
		{"bare execution alone", classic, "<Channel>", "<Execution/><Channel>", FormBareExecution | FormCorrelation},
		{"one execution id", usual, " ThreadID='704'", "", 0},
		{"decimal keywords", usual, "0x8020000000000000", "9232379236109516800", FormDecimalKeywords},
		{"upper keywords", usual, "0x8020000000000000", "0xAB", FormUpperKeywords},
		{"padded keywords", usual, "0x8020000000000000", "0x0000000000000001", FormPaddedKeywords},
		{"zero keywords", usual, "0x8020000000000000", "0x0", 0},
		{"empty channel", usual, "<Channel>Security</Channel>", "<Channel></Channel>", 0},
		{"short channel", usual, "<Channel>Security</Channel>", "<Channel/>", FormShortEmpty},
		{"no provider", usual, "<Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/>", "", FormNoProvider},
		{"bare provider", usual, " Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'", "", 0},
		{"no namespace", usual, " xmlns='http://schemas.microsoft.com/win/2004/08/events/event'", "", FormNoNamespace},
		{"escapes", usual, "dc.corp", "a&amp;b&lt;c&gt;d'e\"f", 0},
		{"escapes in attributes", usual, "Microsoft-Windows-Security-Auditing", "a&amp;b&lt;c&gt;d&apos;e&quot;f", 0},
		{"old event", usual, "2026-01-01", "1601-01-01", 0},
		{"large process id", usual, "'700'", "'4294967295'", 0},
		{"large numbers", usual, "<EventRecordID>1200", "<EventRecordID>9223372036854775807", 0},

		{"other namespace", usual, "2004/08", "2005/08", -1},
		{"other quotes of text", usual, "dc.corp", "a&#38;b", -1},
		{"white space", usual, "<Task>", "\n  <Task>", -1},
		{"comment", usual, "<Task>", "<!-- x --><Task>", -1},
		{"order", usual, "<Level>0</Level><Task>12544</Task>", "<Task>12544</Task><Level>0</Level>", -1},
		{"twice", usual, "<Level>0</Level>", "<Level>0</Level><Level>0</Level>", -1},
		{"unknown element", usual, "<Task>", "<New a='1'><b>c</b></New><Task>", -1},
		{"unknown attribute", usual, "ThreadID='704'", "ThreadID='704' ProcessorID='1'", -1},
		{"leading zero", usual, "4624", "04624", -1},
		{"no number", usual, "<Level>0", "<Level>high", -1},
		{"process id too large", usual, "'700'", "'4294967296'", -1},
		{"event id too large", usual, "4624", "2147483648", -1},
		{"record id too large", usual, ">1200<", ">9223372036854775808<", -1},
		{"no time", usual, " SystemTime='2026-01-01T00:00:00.1234567Z'", "", -1},
		{"finer time", usual, "1234567Z", "123456789Z", -1},
		{"prolog", usual, "<Event ", `<?xml version="1.0"?>` + "\n<Event ", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.ReplaceAll(c.text, c.old, c.new)
			if c.old == "" {
				text = c.text
			}
			b, e, err := parse(t, text+"<EventData/></Event>")
			if err != nil {
				t.Fatal(err)
			}
			if int(e.SystemEnd) != len(text) {
				t.Errorf("System ends at %d, not at %d", e.SystemEnd, len(text))
			}
			if want := c.form >= 0; e.Rebuilds != want || want && int32(e.Form) != c.form {
				t.Errorf("rebuilds %v with form %#x, want %#x", e.Rebuilds, e.Form, c.form)
			}
			var s System
			s.Set(b, &e)
			if got := AppendSystem(nil, &s, int32(e.Form)); e.Rebuilds != (string(got) == text) {
				t.Errorf("rebuilt:\n%s\nwant:\n%s", got, text)
			}
		})
	}
}

func TestValuesOfSystem(t *testing.T) {
	b, e, err := parse(t, usual+"</Event>")
	if err != nil {
		t.Fatal(err)
	}
	want, _, _ := event.ParseISO([]byte("2026-01-01T00:00:00.1234567Z"))
	all := uint32(event.HasEventID | event.HasVersion | event.HasLevel | event.HasTask | event.HasOpcode | event.HasKeywords | event.HasTimeCreated | event.HasEventRecordID | event.HasProcessID | event.HasThreadID)
	if e.TimeCreated != want || e.EventID != 4624 || e.Keywords != 0x8020000000000000 || e.EventRecordID != 1200 || e.ProcessID != 700 || e.ThreadID != 704 || e.Task != 12544 || e.Version != 2 || e.Has != all {
		t.Errorf("%+v", e.System)
	}
	if b.String(e.Channel) != "Security" || b.String(e.Computer) != "dc.corp" || b.String(e.ProviderGUID) != "{54849625-5478-4994-a5ba-3e3b0328c30d}" || e.UserID.Present() || e.ActivityID.Present() {
		t.Errorf("%+v", e.System)
	}
}

// TestContent reads everything behind System and prints it.
func TestContent(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"data", "<EventData><Data Name='a'>1</Data><Data Name='b'></Data><Data Name='c'/><Data>x</Data></EventData>", "a=1 b= c= -=x"},
		{"double quotes and space", "\n<EventData >\r\n <Data Name = \"a'b\" >1</Data >\n</EventData>\n", "a'b=1"},
		{"references", "<EventData><Data Name='a&amp;b'>&lt;&gt;&amp;&apos;&quot;&#65;&#x1F600;&#xD800;&#0;&none;&</Data></EventData>", "a&b=<>&'\"A\U0001F600\uFFFD\uFFFD&none;&"},
		{"cdata and comments", "<EventData><Data Name='a'>1<![CDATA[<&amp;]]>&lt;<!-- no -->2<?no?></Data></EventData>", "a=1<&amp;<2"},
		{"nested", "<EventData><Data Name='a'>1<b>2<c/></b>3</Data></EventData>", "a=123"},
		{"binary", "<EventData><Data>x</Data><Binary>0A</Binary></EventData>", "-=x Binary=0A"},
		{"user data", "<UserData><A xmlns='x'><B>1</B></A></UserData>", "user:<A xmlns='x'><B>1</B></A>"},
		{"empty user data", "<UserData/>", "user:"},
		{"rendering", "<EventData/><RenderingInfo Culture='en-US'><Message>An account\r\nwas &lt;on&gt;.</Message><Level>Information</Level><Keywords><Keyword>x</Keyword></Keywords></RenderingInfo>", "message:An account\r\nwas <on>. culture:en-US"},
		{"unknown", "<DebugData><x>1</x></DebugData><ProcessingErrorData/><!-- x -->", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, e, err := parse(t, usual+c.text+"</Event>\r\n")
			if err != nil {
				t.Fatal(err)
			}
			if got := printContent(b, &e); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func printContent(b *event.Batch, e *event.Event) string {
	var out []string
	for _, p := range b.Data(e) {
		name := "-"
		if p.Name.Present() {
			name = b.String(p.Name)
		}
		if !p.Value.Present() {
			name = "ABSENT " + name
		}
		out = append(out, name+"="+b.String(p.Value))
	}
	if e.UserData.Present() {
		out = append(out, "user:"+b.String(e.UserData))
	}
	if e.Message.Present() {
		out = append(out, "message:"+b.String(e.Message))
	}
	if e.Culture.Present() {
		out = append(out, "culture:"+b.String(e.Culture))
	}
	return strings.Join(out, " ")
}

// TestBrokenText names the place and keeps what was read before it.
func TestBrokenText(t *testing.T) {
	for _, c := range []struct{ text, reason string }{
		{"", "no element Event"},
		{"  x", "no element Event"},
		{"<Events><Event/></Events>", "the root element is not Event"},
		{"<Event/>", "the element Event is empty"},
		{"<Event><System/></Event>", "the element System is empty"},
		{"<Event><EventData/></Event>", "the first element of Event is not System"},
		{"<Event></Event>", "the first element of Event is not System"},
		{"<!DOCTYPE x [<!ENTITY a 'b'>]><Event/>", "declarations are not read"},
		{"<Event><System><EventID>1", "the text ends inside the element EventID"},
		{"<Event><System><Provider Name='x", "the quotes of an attribute are not closed"},
		{"<Event><System><Provider Name=x/>", "an attribute has no quotes"},
		{"<Event><System><Provider Name='<'/>", "an attribute holds a <"},
		{"<Event><System><Provider Name/>", "a tag is not closed"},
		{"<Event><System><Provider Name='a'Guid='b'/>", "a tag is not closed"},
		{"<Event><System><!-- ", "<!-- is not closed"},
		{"<Event><System>\xff</System></Event>", "the text is not UTF-8"},
		{"<Event><System><" + strings.Repeat("a ", 1) + strings.Repeat("b='' ", maxAttrs+1) + "/></System></Event>", "an element has too many attributes"},
		{usual, "the text ends inside the element Event"},
		{usual + "<EventData><Data Name='a'>1</Data>", "the text ends inside the element EventData"},
		{usual + "<EventData><Data Name='a'>1</Date>", "the element Data is not closed here"},
		{usual + "<UserData>" + strings.Repeat("<a>", maxDepth+1), "elements are nested too deep"},
		{usual + "<UserData><a></b></UserData></Event>", "the element a is not closed here"},
		{usual + "</Event>more", "there is text behind </Event>"},
		{usual + "< /Event>", "< is not the beginning of an element"},
	} {
		_, e, err := parse(t, c.text)
		var broken *Error
		if !errors.As(err, &broken) || broken.Reason != c.reason || broken.Offset > len(c.text) {
			t.Errorf("%.80q: %v, want %q", c.text, err, c.reason)
		}
		if whole := strings.HasPrefix(c.text, usual); (e.SystemEnd > 0) != whole || e.Rebuilds != whole {
			t.Errorf("%.80q: System ends at %d, rebuilds %v", c.text, e.SystemEnd, e.Rebuilds)
		}
	}
}

func TestNoAllocationForAnEvent(t *testing.T) {
	text := []byte(usual + "<EventData><Data Name='a'>1</Data><Data Name='b'>x &amp; y</Data><Data>2</Data></EventData></Event>")
	b := &event.Batch{Text: make([]byte, 0, 1<<16), Pairs: make([]event.Pair, 0, 64)}
	var p Parser
	if n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if _, err := p.Parse(b, b.Append(text)); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestCorpus parses every event of the corpus and counts those whose System is
// rebuilt.
func TestCorpus(t *testing.T) {
	texts := corpus(t)
	var p Parser
	b := &event.Batch{}
	rebuilt, pairs := 0, 0
	forms := map[uint32]int{}
	for _, x := range texts {
		b.Reset()
		e, err := p.Parse(b, b.Append(x))
		if err != nil {
			t.Errorf("%v: %s", err, x)
			continue
		}
		if e.Rebuilds {
			rebuilt++
			forms[e.Form]++
			var s System
			s.Set(b, &e)
			if got := AppendSystem(nil, &s, int32(e.Form)); !bytes.Equal(got, x[:e.SystemEnd]) {
				t.Errorf("rebuilt %s", got)
			}
		}
		if e.Has&event.HasTimeCreated == 0 || !bytes.HasSuffix(x[:e.SystemEnd], []byte("</System>")) {
			t.Errorf("no time or no System in %s", x)
		}
		if n := bytes.Count(x, []byte("<Data")) + bytes.Count(x, []byte("<Binary")); n < len(b.Data(&e)) {
			t.Errorf("%d pairs of %d Data: %s", len(b.Data(&e)), n, x)
		}
		pairs += len(b.Data(&e))
	}
	t.Logf("%d of %d Systems rebuild, forms %v, %d pairs", rebuilt, len(texts), forms, pairs)
	if rebuilt*1000 < len(texts)*999 {
		t.Errorf("only %d of %d Systems rebuild", rebuilt, len(texts))
	}
}

// corpus gives the XML of every record of the corpus.
func corpus(tb testing.TB) (texts [][]byte) {
	dir := os.Getenv("WADI_CORPUS")
	if dir == "" {
		tb.Skip("WADI_CORPUS is not set: no real events to read")
	}
	paths, err := evtxtest.SortedFiles(dir)
	if err != nil || len(paths) == 0 {
		tb.Fatal("no logs in the corpus", err)
	}
	d := evtx.NewDecoder()
	buf := make([]byte, evtx.ChunkSize)
	var r evtx.Record
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		f, err := evtx.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			continue // no event log; the reader's own tests look at those
		}
		for _, c := range f.Chunks() {
			chunk, err := f.ReadChunk(c, buf)
			if err != nil {
				tb.Fatal(err)
			}
			d.Open(c, chunk)
			for d.Next(&r) {
				if x, err := d.AppendXML(nil, &r); err == nil {
					texts = append(texts, x)
				}
			}
		}
	}
	return texts
}

func BenchmarkParse(b *testing.B) {
	var texts [][]byte
	size := 0
	for _, x := range corpus(b) {
		if bytes.Contains(x, []byte("Security-Auditing")) {
			texts = append(texts, x)
			size += len(x)
		}
	}
	batch := &event.Batch{}
	var p Parser
	b.SetBytes(int64(size / len(texts)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		batch.Reset()
		if _, err := p.Parse(batch, batch.Append(texts[i%len(texts)])); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func FuzzParse(f *testing.F) {
	f.Add(usual + "<EventData><Data Name='a'>1</Data></EventData></Event>")
	f.Add(classic + "<UserData><a>&lt;<![CDATA[x]]></a></UserData><RenderingInfo Culture='de'><Message>m</Message></RenderingInfo></Event>")
	f.Add(strings.ReplaceAll(usual, "'", `"`) + "</Event>")
	f.Add(strings.ReplaceAll(usual, "1234567Z", "12Z") + "<!-- x --><A><B/></A></Event> ")
	f.Fuzz(func(t *testing.T, text string) {
		b := &event.Batch{}
		var p Parser
		span := b.Append([]byte(text))
		e, err := p.Parse(b, span)
		var broken *Error
		if err != nil && (!errors.As(err, &broken) || broken.Offset < 0 || broken.Offset > len(text)) {
			t.Fatalf("%v", err)
		}
		if err == nil && e.SystemEnd == 0 || int(e.SystemEnd) > len(text) || b.String(e.XML) != text {
			t.Fatalf("System ends at %d of %d, %v", e.SystemEnd, len(text), err)
		}
		for _, pair := range b.Data(&e) {
			b.Bytes(pair.Name)
			b.Bytes(pair.Value)
		}
		var s System
		s.Set(b, &e)
		if got := AppendSystem(nil, &s, int32(e.Form)); e.Rebuilds && string(got) != text[:e.SystemEnd] {
			t.Fatalf("rebuilt %q", got)
		}
		if d := cmp.Diff(e, again(t, b, span)); d != "" && err == nil && !strings.Contains(text, "&") && !strings.Contains(text, "<!") && !strings.Contains(text, "<?") {
			t.Fatalf("the same text gives two events:\n%s", d)
		}
	})
}

// again parses with a parser that has read something else before.
func again(t *testing.T, b *event.Batch, xml event.Span) event.Event {
	t.Helper()
	var p Parser
	other := &event.Batch{}
	p.Parse(other, other.Append([]byte(classic+"</Event>")))
	pairs := b.Pairs
	b.Pairs = b.Pairs[:0]
	e, _ := p.Parse(b, xml)
	b.Pairs = pairs
	return e
}
