package evtx

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// systemTemplate is Windows' usual record: System with holes, and a last hole for
// EventData or UserData.
func systemTemplate() *evtxtest.Template {
	leaf := func(x *xmlb, name string, id int, typ byte) {
		x.OpenDep(name, id, false)
		x.Close()
		x.Hole(id, typ, true)
		x.End()
	}
	attrs := func(x *xmlb, name string, pairs ...any) {
		x.OpenAttrs(name)
		for i := 0; i < len(pairs); i += 2 {
			x.Attr(pairs[i].(string), i+2 < len(pairs))
			switch v := pairs[i+1].(type) {
			case string:
				x.Text(v)
			case int:
				x.Hole(v, typString, true)
			}
		}
	}
	return &evtxtest.Template{GUID: [16]byte{2}, Body: func(x *xmlb) {
		attrs(x, "Event", "xmlns", eventNS)
		x.Close()
		x.Open("System")
		x.Close()
		attrs(x, "Provider", "Name", "Test & Co", "Guid", 0)
		x.CloseEmpty()
		x.OpenDep("EventID", 1, true)
		x.Attr("Qualifiers", false)
		x.Hole(2, typUint16, true)
		x.Close()
		x.Hole(1, typUint16, true)
		x.End()
		leaf(x, "Version", 3, typUint8)
		leaf(x, "Keywords", 4, typHex64)
		attrs(x, "TimeCreated", "SystemTime", 5)
		x.CloseEmpty()
		leaf(x, "EventRecordID", 6, typUint64)
		attrs(x, "Correlation", "ActivityID", 7, "RelatedActivityID", 8)
		x.CloseEmpty()
		attrs(x, "Execution", "ProcessID", 9, "ThreadID", 10)
		x.CloseEmpty()
		x.Element("Channel", func() { x.Text("Security") })
		x.Element("Computer", func() { x.Text("host.example") })
		attrs(x, "Security", "UserID", 11)
		x.CloseEmpty()
		x.End()
		x.Hole(12, typBinXML, true)
		x.End()
	}}
}

// system gives the values of systemTemplate, with content for its last hole.
func system(content func(x *xmlb)) []evtxtest.Value {
	last := evtxtest.Null()
	if content != nil {
		last = evtxtest.Value{Type: typBinXML, Build: content}
	}
	return []evtxtest.Value{
		{Type: typGUID, Data: testGUID},
		evtxtest.Uint(4624, 2), evtxtest.Null(), evtxtest.Uint(2, 1),
		{Type: typHex64, Data: le(8, 0x8020000000000000)},
		{Type: typFiletime, Data: le(8, 132514326934567891)},
		evtxtest.Uint(77, 8), evtxtest.Null(), evtxtest.Null(), evtxtest.Uint(700, 4), evtxtest.Uint(704, 4),
		{Type: typSID, Data: sid(18)},
		last,
	}
}

// namedData is EventData with two named values.
func namedData() *evtxtest.Template {
	return &evtxtest.Template{GUID: [16]byte{3}, Body: func(x *xmlb) {
		x.Open("EventData")
		x.Close()
		for i, name := range []string{"SubjectUserName", "Channel"} {
			x.OpenAttrs("Data")
			x.Attr("Name", false)
			x.Text(name)
			x.Close()
			x.Hole(i, typString, false)
			x.End()
		}
		x.End()
	}}
}

// unnamedData is EventData as classic event sources write it.
func unnamedData() *evtxtest.Template {
	return &evtxtest.Template{GUID: [16]byte{4}, Body: func(x *xmlb) {
		x.Open("EventData")
		x.Close()
		x.OpenDep("Data", 0, false)
		x.Close()
		x.Hole(0, typString|typArray, true)
		x.End()
		x.OpenDep("Binary", 1, false)
		x.Close()
		x.Hole(1, typBinary, true)
		x.End()
		x.End()
	}}
}

// userData is UserData with an element of the provider's own.
func userData() *evtxtest.Template {
	return &evtxtest.Template{GUID: [16]byte{5}, Body: func(x *xmlb) {
		x.Open("UserData")
		x.Close()
		x.OpenAttrs("LogFileCleared")
		x.Attr("xmlns", true)
		x.Text("urn:x")
		x.Attr("kind", false)
		x.Hole(1, typString, false)
		x.Close()
		x.Element("SubjectUserName", func() { x.Hole(0, typString, false) })
		x.Element("Empty", func() {})
		x.End()
		x.End()
	}}
}

// in writes a fragment that holds one instance.
func in(t *evtxtest.Template, values ...evtxtest.Value) func(x *xmlb) {
	return func(x *xmlb) {
		x.Fragment()
		x.Instance(t, values...)
		x.EOF()
	}
}

func eventOf(body func(x *xmlb)) func(x *xmlb) {
	return func(x *xmlb) {
		x.Fragment()
		x.Open("Event")
		x.Close()
		body(x)
		x.End()
		x.EOF()
	}
}

// attrs writes the start of an element with attributes of literal text.
func attrs(x *xmlb, name string, pairs ...string) {
	x.OpenAttrs(name)
	for i := 0; i < len(pairs); i += 2 {
		x.Attr(pairs[i], i+2 < len(pairs))
		x.Text(pairs[i+1])
	}
}

var shapes = []struct {
	name  string
	build func(x *xmlb)
}{
	{"template without content", in(systemTemplate(), system(nil)...)},
	{"named data, one named like a System field", in(systemTemplate(), system(in(namedData(), evtxtest.String("alice"), evtxtest.String("x")))...)},
	{"unnamed data", in(systemTemplate(), system(in(unnamedData(), evtxtest.Value{Type: typString | typArray, Data: items("a", "b")}, evtxtest.Value{Type: typBinary, Data: []byte{1, 2}}))...)},
	{"unnamed data, all null", in(systemTemplate(), system(in(unnamedData(), evtxtest.Null(), evtxtest.Null()))...)},
	{"user data", in(systemTemplate(), system(in(userData(), evtxtest.String("bob"), evtxtest.String("k")))...)},
	{"user data, empty attribute", in(systemTemplate(), system(in(userData(), evtxtest.String(""), evtxtest.Null()))...)},
	{"content that is a plain element", in(systemTemplate(), system(func(x *xmlb) {
		x.Fragment()
		x.Open("EventData")
		x.Close()
		attrs(x, "Data", "Name", "p")
		x.Close()
		x.Text("q")
		x.End()
		x.End()
		x.EOF()
	})...)},
	{"too few values", in(systemTemplate(), system(nil)[:3]...)},
	{"plain elements with several attributes", eventOf(func(x *xmlb) {
		attrs(x, "a", "one", "1", "two", "'2\"<&>", "three", "")
		x.CloseEmpty()
	})},
	{"text in several pieces", eventOf(func(x *xmlb) {
		x.Element("a", func() {
			x.Text("one ")
			x.Text("& two")
		})
	})},
	{"CDATA", eventOf(func(x *xmlb) { x.Element("a", func() { x.CDATA("<b> & ]]> \x01") }) })},
	{"character references", eventOf(func(x *xmlb) {
		x.Element("a", func() { x.CharRef('A'); x.CharRef(0xe9); x.CharRef(1); x.CharRef(0xd800); x.CharRef(0x26) })
	})},
	{"entities", eventOf(func(x *xmlb) {
		x.Element("a", func() {
			for _, e := range []string{"lt", "gt", "amp", "quot", "apos", "nosuch"} {
				x.Entity(e)
			}
		})
	})},
	{"entity in an attribute", eventOf(func(x *xmlb) {
		x.OpenAttrs("a")
		x.Attr("b", false)
		x.Text("x")
		x.Entity("lt")
		x.CharRef('y')
		x.CloseEmpty()
	})},
	{"processing instructions", func(x *xmlb) {
		x.Fragment()
		x.PI("before", "x")
		x.Open("Event")
		x.Close()
		x.PI("inside", "a?>b")
		x.Element("a", func() {})
		x.End()
		x.EOF()
	}},
	{"repeated elements and mixed content", eventOf(func(x *xmlb) {
		x.Text("t")
		x.Element("a", func() { x.Text("1") })
		x.Element("a", func() { x.Text("2") })
		x.Element("b", func() { x.Element("c", func() { x.Text("3") }); x.Text("u") })
	})},
	{"repeated names of data", eventOf(func(x *xmlb) {
		x.Element("EventData", func() {
			for _, p := range [][2]string{{"n", "1"}, {"n", "2"}, {"m", "3"}, {"n", "4"}, {"", "5"}} {
				attrs(x, "Data", "Name", p[0])
				x.Close()
				x.Text(p[1])
				x.End()
			}
		})
	})},
	{"complex data", eventOf(func(x *xmlb) {
		x.Element("EventData", func() {
			attrs(x, "ComplexData", "Name", "Records")
			x.Close()
			x.Element("Record", func() { x.Text("1") })
			x.End()
		})
	})},
	{"rendered event", eventOf(func(x *xmlb) {
		x.Element("System", func() {
			x.Element("EventID", func() { x.Text("6") })
			x.Element("Odd", func() { x.Text("7") })
		})
		attrs(x, "RenderingInfo", "Culture", "en-US")
		x.Close()
		x.Element("Message", func() { x.Text("line 1\r\nline 2") })
		x.Element("Keywords", func() {
			x.Element("Keyword", func() { x.Text("Classic") })
			x.Element("Keyword", func() { x.Text("Audit") })
		})
		x.End()
	})},
	{"damaged content, System whole", in(systemTemplate(), system(func(x *xmlb) { x.Fragment(); x.Raw(0x1f) })...)},
	{"damaged value in EventData, System whole", in(systemTemplate(), system(in(namedData(), evtxtest.String("alice"), evtxtest.Value{Type: 0x30, Data: []byte{1}}))...)},
	{"damaged value in System", in(systemTemplate(), append([]evtxtest.Value{{Type: typGUID, Data: []byte{1}}}, system(nil)[1:]...)...)},
	{"plain elements, damaged behind System", eventOf(func(x *xmlb) {
		x.Element("System", func() { x.Element("EventID", func() { x.Text("6") }) })
		x.Open("EventData")
		x.Close()
		x.Element("Data", func() { x.Text("kept") })
		x.Raw(0x1f)
		x.End()
	})},
	{"plain elements, damaged in System", eventOf(func(x *xmlb) {
		x.Element("System", func() {
			x.Element("EventID", func() { x.Text("6") })
			x.Raw(0x1f)
		})
	})},
	{"no event", func(x *xmlb) { x.Fragment(); x.EOF() }},
	{"a substitution outside of a template", eventOf(func(x *xmlb) { x.Hole(0, 1, false) })},
	{"an unknown token", eventOf(func(x *xmlb) { x.Raw(0x1f) })},
	{"a value of unknown type", in(dataTemplate(), evtxtest.Value{Type: 0x30, Data: []byte{1}})},
	{"a value too short for its type", in(dataTemplate(), evtxtest.Value{Type: typUint32, Data: []byte{1}})},
	{"a name that is none", func(x *xmlb) { x.Fragment(); x.Open("a b"); x.CloseEmpty(); x.EOF() }},
}

func TestEveryShape(t *testing.T) {
	var b strings.Builder
	for _, s := range shapes {
		log := evtxtest.NewBuilder()
		log.Chunk().Record(1, 1, s.build)
		fmt.Fprintf(&b, "# %s\n%s", s.name, render(t, log.Bytes()))
	}
	compareGolden(t, "shapes.golden", b.String())
}

func TestDeepNestingIsRefused(t *testing.T) {
	for name, build := range map[string]func(x *xmlb){
		"elements": eventOf(func(x *xmlb) {
			for range maxElementDepth + 1 {
				x.Open("a")
				x.Close()
			}
			for range maxElementDepth + 1 {
				x.End()
			}
		}),
		"instances": func() func(x *xmlb) {
			one := dataTemplate()
			build := in(one, evtxtest.String("x"))
			for range maxNesting + 1 {
				inner := build
				build = func(x *xmlb) {
					x.Fragment()
					x.Instance(one, evtxtest.Value{Type: typBinXML, Build: inner})
					x.EOF()
				}
			}
			return build
		}(),
	} {
		log := evtxtest.NewBuilder()
		log.Chunk().Record(1, 1, build)
		if got := render(t, log.Bytes()); !strings.Contains(got, "nested too deep (1 records)") || strings.Contains(got, "xml ") {
			t.Errorf("%s: %.300s", name, got)
		}
	}
}

// TestAsForwarded builds the event that a WEF message of the corpus carries, and
// wants its text byte for byte.
func TestAsForwarded(t *testing.T) {
	corpus := os.Getenv("WADI_CORPUS")
	if corpus == "" {
		t.Skip("WADI_CORPUS is not set: no messages")
	}
	message, err := os.ReadFile(filepath.Join(corpus, "wef/messages/synthetic/dropped_events.xml"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(message), "<![CDATA[")
	want, _, ok := strings.Cut(rest, "]]>")
	if !ok {
		t.Fatal("no event in the message")
	}
	leaf := func(x *xmlb, name string, id int) {
		x.OpenDep(name, id, false)
		x.Close()
		x.Hole(id, typUint16, true)
		x.End()
	}
	hole := func(x *xmlb, name string, id int, more bool) {
		x.Attr(name, more)
		x.Hole(id, typString, true)
	}
	tmpl := &evtxtest.Template{GUID: [16]byte{9}, Body: func(x *xmlb) {
		attrs(x, "Event", "xmlns", eventNS)
		x.Close()
		x.Element("System", func() {
			x.OpenAttrs("Provider")
			hole(x, "Name", 0, true)
			hole(x, "Guid", 1, false)
			x.CloseEmpty()
			for i, name := range []string{"EventID", "Version", "Level", "Task", "Opcode", "Keywords"} {
				leaf(x, name, 2+i)
			}
			x.OpenAttrs("TimeCreated")
			hole(x, "SystemTime", 8, false)
			x.CloseEmpty()
			leaf(x, "EventRecordID", 9)
			x.OpenAttrs("Correlation")
			hole(x, "ActivityID", 10, false)
			x.CloseEmpty()
			x.OpenAttrs("Execution")
			hole(x, "ProcessID", 11, true)
			hole(x, "ThreadID", 12, false)
			x.CloseEmpty()
			leaf(x, "Channel", 13)
			leaf(x, "Computer", 14)
			x.OpenAttrs("Security")
			hole(x, "UserID", 10, false)
			x.CloseEmpty()
		})
		x.Open("EventData")
		x.CloseEmpty()
		x.End()
	}}
	log := evtxtest.NewBuilder()
	log.Chunk().Record(1200, 1, in(tmpl, evtxtest.String("Microsoft-Windows-Security-Auditing"), evtxtest.Value{Type: typGUID, Data: testGUID},
		evtxtest.Uint(4624, 2), evtxtest.Uint(2, 1), evtxtest.Uint(0, 1), evtxtest.Uint(12544, 2), evtxtest.Uint(0, 1),
		evtxtest.Value{Type: typHex64, Data: le(8, 0x8020000000000000)}, evtxtest.Value{Type: typFiletime, Data: le(8, 134116992000000000)},
		evtxtest.Uint(1200, 8), evtxtest.Null(), evtxtest.Uint(700, 4), evtxtest.Uint(704, 4), evtxtest.String("Security"), evtxtest.String("win10.windomain.local")))
	got, _, _ := strings.Cut(strings.TrimPrefix(render(t, log.Bytes()), "xml   "), "\n")
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
