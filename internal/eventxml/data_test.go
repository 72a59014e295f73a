package eventxml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// values shows what a reader reads.
func values(r *DataReader, text string) string {
	n, ok := r.Read([]byte(text))
	if !ok {
		return "none"
	}
	var all []string
	for i := range n {
		name, value := r.Pair(i)
		all = append(all, fmt.Sprintf("%s=%s", name, value))
	}
	return strings.Join(all, ";")
}

func TestData(t *testing.T) {
	var r DataReader
	for text, want := range map[string]string{
		"<EventData><Data Name='a'>1</Data><Data Name='b'></Data><Data Name='c'/></EventData></Event>":                                    "a=1;b=;c=",
		"<EventData><Data Name=\"a\">1</Data>\n <Data Name='a'>2</Data></EventData></Event>":                                              "a=1;a=2",
		"<EventData Name='x'><Data>1</Data><Data/><Binary>00</Binary></EventData></Event>":                                                "=1;=;Binary=00",
		"<EventData><Data Name='a'>&lt;b&gt; &amp;&#65;</Data><Data Name='&lt;x'>y</Data></EventData></Event>":                            "a=<b> &A;<x=y",
		"<EventData><Data Name='a'><![CDATA[<Data Name='b'>2</Data>]]></Data></EventData></Event>":                                        "a=<Data Name='b'>2</Data>",
		"<EventData><!-- <Data Name='b'>2</Data> --><Data Name='a'>1</Data></EventData></Event>":                                          "a=1",
		"<EventData><Complex><Data Name='b'>2</Data><Data Name='c'>3</Data></Complex></EventData></Event>":                                "Complex=23",
		"<UserData><x><Data Name='b'>2</Data></x></UserData></Event>":                                                                     "none",
		"<UserData/><EventData><Data Name='a'>1</Data></EventData></Event>":                                                               "a=1",
		"<EventData><Data Name='a'>1</Data></EventData><x/><EventData><Data Name='a'>2</Data><Data Name='b'>3</Data></EventData></Event>": "a=1;a=2;b=3",
		"<EventData><Data Name='a'>1</Data></EventData><EventData><Data Name='b'>2":                                                       "a=1",
		"<EventData><Data Name=''>1</Data><b>2</b></EventData></Event>":                                                                   "=1;b=2",
		"<EventData><Data Name='a'>" + strings.Repeat("x", MaxValues) + "</Data>":                                                         "none",
		"<EventData/></Event>": "",
		"</Event>":             "none",
		"":                     "none",
		"<EventData><Data Name='a'>1</Data><Data Name='b'>2": "a=1",
		"<EventData><Data Name='a'":                          "",
	} {
		if got := values(&r, text); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
		compareFields(t, &r, []byte(text), "a", "b", "c", "Binary", "Data", "<x", "&lt;x", "nothing", "")
	}
}

// compareFields compares Field with all that Read reads.
func compareFields(t *testing.T, r *DataReader, text []byte, names ...string) {
	t.Helper()
	for _, name := range names {
		want, there := []byte(nil), false
		n, _ := r.Read(text)
		for i := range n {
			if own, value := r.Pair(i); string(own) == name && name != "" {
				want, there = bytes.Clone(value), true
				break
			}
		}
		if got, ok := r.Field(text, []byte(name)); ok != there || !bytes.Equal(got, want) {
			t.Fatalf("%s\n%q is %q, %v, want %q, %v", text, name, got, ok, want, there)
		}
	}
}

// TestClearedBy reads who cleared a log, from the event's text to the values.
func TestClearedBy(t *testing.T) {
	const text = "<UserData><LogFileCleared xmlns='x'><SubjectUserSid>S-1</SubjectUserSid><SubjectUserName>a&amp;lt;</SubjectUserName><SubjectLogonId></SubjectLogonId>" +
		"<SubjectDomainName><x/></SubjectDomainName><Channel>c</Channel></LogFileCleared></UserData></Event>"
	for _, c := range []struct{ provider, text, want string }{
		{eventLogProvider, text, "SubjectUserSid=S-1;SubjectUserName=a&lt;;SubjectLogonId=;"},
		{"Other", text, ""},
		{eventLogProvider, "<EventData><Data Name='SubjectUserSid'>x</Data></EventData></Event>", ""},
		{eventLogProvider, "<EventData/>" + text, "SubjectUserSid=S-1;SubjectUserName=a&lt;;SubjectLogonId=;"},
		{eventLogProvider, text[:40], ""},
	} {
		var r DataReader
		r.Read([]byte(c.text))
		got := ""
		ClearedBy([]byte(c.provider), r.UserData(), func(name string, value []byte) { got += name + "=" + string(value) + ";" })
		if got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.text, c.provider, got, c.want)
		}
	}
}

// TestDataOfCorpus reads every value of every real event by its name.
func TestDataOfCorpus(t *testing.T) {
	var p Parser
	var r DataReader
	b := &event.Batch{}
	read, quick := 0, 0
	for _, x := range corpus(t) {
		b.Reset()
		e, err := p.Parse(b, b.Append(x))
		if err != nil {
			t.Fatal(err)
		}
		text := x[e.SystemEnd:]
		seen := map[string]bool{}
		for _, pair := range b.Data(&e) {
			name := b.String(pair.Name)
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			read++
			if got, ok := r.Field(text, []byte(name)); !ok || !bytes.Equal(got, b.Bytes(pair.Value)) {
				t.Fatalf("%s\n%s is %q", text, name, got)
			}
			if _, _, sure := quickField(text, []byte(name)); sure {
				quick++
			}
		}
		if got, ok := r.Field(text, []byte("NoSuchName")); ok {
			t.Fatalf("%s has %q", text, got)
		}
		checkSentinel(t, text)
	}
	t.Logf("%d values, %d the quick way", read, quick)
	if quick*10 < read*9 {
		t.Errorf("only %d of %d values are read the quick way", quick, read)
	}
}

// checkSentinel holds AppendSentinel to its definition by replacements, which is
// right where no value looks like a tag.
func checkSentinel(t *testing.T, text []byte) {
	t.Helper()
	want := ""
	if whole, _, found := strings.Cut(string(text), "</EventData>"); found && strings.HasPrefix(whole, "<EventData>") {
		want = strings.NewReplacer("<EventData", `<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event"`, "<Data Name='", `<Data Name="`, "'/>", `"/>`, "'>", `">`).Replace(whole) + "</EventData>"
	}
	if got := string(AppendSentinel(nil, text)); want != "" && got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func TestSentinel(t *testing.T) {
	for text, want := range map[string]string{
		"<EventData><Data Name='a'>it's 'so'/&gt;</Data><Data Name='b'/></EventData></Event>": `<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><Data Name="a">it's 'so'/&gt;</Data><Data Name="b"/></EventData>`,
		"<EventData Name='x'></EventData>":   `<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event" Name="x"></EventData>`,
		`<EventData Name='"x"'></EventData>`: `<EventData xmlns="http://schemas.microsoft.com/win/2004/08/events/event" Name='"x"'></EventData>`,
		"<EventData/></Event>":               "",
		"<UserData></UserData>":              "",
		"<EventData><Data":                   "",
	} {
		if got := string(AppendSentinel(nil, []byte(text))); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// TestDataAgainstJSON compares with the JSON that the EVTX reader makes from the
// record itself, not from its XML.
func TestDataAgainstJSON(t *testing.T) {
	dir := os.Getenv("WADI_CORPUS")
	if dir == "" {
		t.Skip("WADI_CORPUS is not set: no real events to read")
	}
	paths, err := evtxtest.SortedFiles(dir)
	if err != nil || len(paths) == 0 {
		t.Fatal("no logs in the corpus", err)
	}
	checked := 0
	for _, path := range paths {
		checked += compareLog(t, path)
	}
	t.Logf("%d values", checked)
	if checked < 100_000 {
		t.Errorf("only %d values were compared", checked)
	}
}

// compareLog compares the values of one log and counts them.
func compareLog(t *testing.T, path string) (checked int) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := evtx.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return 0 // no event log; the reader's own tests look at those
	}
	d := evtx.NewDecoder()
	buf := make([]byte, evtx.ChunkSize)
	var record evtx.Record
	var r DataReader
	for _, c := range f.Chunks() {
		chunk, err := f.ReadChunk(c, buf)
		if err != nil {
			t.Fatal(err)
		}
		d.Open(c, chunk)
		for d.Next(&record) {
			x, err := d.AppendXML(nil, &record)
			text, errJSON := d.AppendJSON(nil, &record)
			if err != nil || errJSON != nil {
				continue
			}
			var event struct {
				Event struct{ EventData map[string]any }
			}
			if err := json.Unmarshal(text, &event); err != nil {
				t.Fatal(err)
			}
			_, behind, _ := bytes.Cut(x, []byte("</System>"))
			for name, value := range event.Event.EventData {
				want, isText := value.(string)
				if !isText || strings.ContainsAny(name, "#_") {
					continue // attributes, other elements and repeated names
				}
				checked++
				got, ok := r.Field(behind, []byte(name))
				if diff := cmp.Diff(inXML(want), string(got)); !ok || diff != "" {
					t.Fatalf("%s: %s of %s\n%s", path, name, x, diff)
				}
			}
		}
	}
	return checked
}

// inXML replaces what XML can't hold as EvtRender does.
func inXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return '_'
		}
		return r
	}, s)
}

func FuzzData(f *testing.F) {
	f.Add("<EventData><Data Name='a'>1</Data><Data Name='b'/></EventData></Event>", "a")
	f.Add("<EventData><Data Name='a'>&lt;</Data><Data>x</Data></EventData>", "b")
	f.Add("<EventData Name='x'><ComplexData><Data Name='a'>1</Data></ComplexData></EventData>", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		var r DataReader
		compareFields(t, &r, []byte(text), name)
		AppendSentinel(nil, []byte(text))
	})
}

func BenchmarkField(b *testing.B) {
	var texts [][]byte
	for _, x := range corpus(b) {
		if _, text, ok := bytes.Cut(x, []byte("</System>")); ok && bytes.Contains(x, []byte("Security-Auditing")) {
			texts = append(texts, text)
		}
	}
	for _, name := range []string{"TargetUserName", "NoSuchName"} {
		b.Run(name, func(b *testing.B) {
			var r DataReader
			for i := 0; b.Loop(); i++ {
				r.Field(texts[i%len(texts)], []byte(name))
			}
		})
	}
	b.Run("sentinel", func(b *testing.B) {
		var out []byte
		for i := 0; b.Loop(); i++ {
			out = AppendSentinel(out[:0], texts[i%len(texts)])
		}
	})
	b.Run("all", func(b *testing.B) {
		var r DataReader
		for i := 0; b.Loop(); i++ {
			r.Read(texts[i%len(texts)])
		}
	})
}
