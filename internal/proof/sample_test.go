package proof

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/demo"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

var update = flag.Bool("update", false, "write testdata/sample anew")

// sampleDir holds the files that the documentation imports.
const sampleDir = "../../testdata/sample"

// sampleUntil is 2026-11-01T00:00:00Z, the end of the demo that the samples are cut from.
const sampleUntil = event.UnixEpoch + 20758*event.TicksPerDay

// TestSample makes the documentation's sample files from the demo: an event log
// of the night of the break-in, the domain controller's in a zip, the shop's web
// log, plain and compressed. It holds the committed files against that, and the
// event logs' texts against the demo's.
func TestSample(t *testing.T) {
	g, err := demo.New(demo.Config{Seed: 1, Until: sampleUntil, Events: 400_000, Requests: 3_000})
	if err != nil {
		t.Fatal(err)
	}
	texts, web := sampleTexts(t, g)
	files := map[string][]byte{
		"security.evtx":         sampleLog(t, texts["rds01.nordwind.example"]),
		"iis/web01.log":         web["web01.nordwind.example"],
		"iis/web02.log.gz":      zipped(t, web["web02.nordwind.example"]),
		"domain-controller.zip": archived(t, "dc01/Security.evtx", sampleLog(t, texts["dc01.nordwind.example"])),
	}
	for name, want := range files {
		path := filepath.Join(sampleDir, name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the demo gives: run this test with -update", name)
		}
	}
	for _, list := range texts {
		if diff := cmp.Diff(list, logTexts(t, sampleLog(t, list))); diff != "" {
			t.Errorf("the texts read from the log differ from what was written (-want +got):\n%s", diff)
		}
	}
}

// sampleTexts gives the Security events of two machines around the break-in and
// two web logs of some hours.
func sampleTexts(t *testing.T, g *demo.Generator) (texts map[string][]string, web map[string][]byte) {
	t.Helper()
	windows := map[string][2]string{
		"rds01.nordwind.example": {"2026-10-26T02:52", "2026-10-26T03:52"},
		"dc01.nordwind.example":  {"2026-10-26T03:14", "2026-10-26T03:20"},
	}
	texts, web = map[string][]string{}, map[string][]byte{}
	stamp := regexp.MustCompile(`SystemTime='([^']*)'`)
	var batch event.Batch
	for i := range g.Blocks() {
		batch.Reset()
		block := bulk.Block{Events: &batch}
		if err := g.Fill(i, &block); err != nil {
			t.Fatal(err)
		}
		computer, lines := block.Host, block.Lines
		if strings.HasPrefix(computer, "web") && bytes.Contains(lines, []byte("\n2026-10-29 ")) && web[computer] == nil {
			web[computer] = lines
		}
		window, wanted := windows[computer]
		if !wanted {
			continue
		}
		for n := range batch.Events {
			text := string(batch.Bytes(batch.Events[n].XML))
			at := stamp.FindStringSubmatch(text)[1]
			if at >= window[0] && at < window[1] && strings.Contains(text, "<Channel>Security</Channel>") {
				texts[computer] = append(texts[computer], text)
			}
		}
	}
	return texts, web
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func archived(t *testing.T, name string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2026, 10, 26, 6, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// logTexts reads an event log's events as XML.
func logTexts(t *testing.T, b []byte) (out []string) {
	t.Helper()
	f, err := evtx.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	d := evtx.NewDecoder()
	for _, c := range f.Chunks() {
		data, err := f.ReadChunk(c, make([]byte, 64<<10))
		if err != nil {
			t.Fatal(err)
		}
		d.Open(c, data)
		var r evtx.Record
		for d.Next(&r) {
			text, err := d.AppendXML(nil, &r)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(text))
		}
		if losses := d.Losses(); len(losses) > 0 {
			t.Errorf("losses: %v", losses)
		}
	}
	return out
}

// element is an XML element of an event.
type element struct {
	name     string
	attrs    []xml.Attr
	text     string
	children []*element
}

func parseElement(t *testing.T, text string) *element {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(text))
	stack := []*element{{}}
	for {
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			return stack[0].children[0]
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: token.Attr}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.CharData:
			top.text += string(token)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
}

// sampleLog writes events as an event log: a template for each shape of event,
// and the values typed as Windows types them.
func sampleLog(t *testing.T, texts []string) []byte {
	t.Helper()
	if len(texts) == 0 {
		t.Fatal("no event for the sample")
	}
	b := evtxtest.NewBuilder()
	chunk := b.Chunk()
	templates := map[string]*evtxtest.Template{}
	for _, text := range texts {
		root := parseElement(t, text)
		var w binaryEvent
		w.collect(t, root)
		shape := w.shape.String()
		tmpl := templates[shape]
		if tmpl == nil {
			tmpl = &evtxtest.Template{GUID: [16]byte{byte(len(templates) + 1)}, Body: func(x *evtxtest.XML) {
				hole := 0
				writeTemplate(x, root, &hole, w.values)
			}}
			templates[shape] = tmpl
		}
		chunk.Record(w.record, w.filetime, func(x *evtxtest.XML) {
			x.Fragment()
			x.Instance(tmpl, w.values...)
			x.EOF()
		})
	}
	return b.Bytes()
}

// binaryEvent is an event's values in the order of their places, and what tells
// its shape.
type binaryEvent struct {
	shape    strings.Builder
	values   []evtxtest.Value
	record   uint64
	filetime uint64
}

// literalAttrs are part of the template, all others are values.
var literalAttrs = []string{"xmlns", "Name", "Guid", "EventSourceName"}

// emptyElements are written with one tag.
var emptyElements = []string{"Provider", "TimeCreated", "Correlation", "Execution", "Security"}

func (w *binaryEvent) collect(t *testing.T, e *element) {
	t.Helper()
	fmt.Fprintf(&w.shape, "<%s", e.name)
	for _, a := range e.attrs {
		if slices.Contains(literalAttrs, a.Name.Local) {
			fmt.Fprintf(&w.shape, " %s=%s", a.Name.Local, a.Value)
			continue
		}
		w.add(t, a.Name.Local, a.Value)
	}
	w.shape.WriteByte('>')
	for _, c := range e.children {
		w.collect(t, c)
	}
	if len(e.children) == 0 && !slices.Contains(emptyElements, e.name) && e.name != "EventData" {
		w.add(t, e.name, e.text)
	}
}

func (w *binaryEvent) add(t *testing.T, name, text string) {
	t.Helper()
	v := value(t, name, text)
	if name == "EventRecordID" {
		w.record = binary.LittleEndian.Uint64(v.Data)
	}
	if name == "SystemTime" {
		w.filetime = binary.LittleEndian.Uint64(v.Data)
	}
	fmt.Fprintf(&w.shape, "{%d}", v.Type)
	w.values = append(w.values, v)
}

// sizes of System's numbers.
var sizes = map[string]int{"EventID": 2, "Version": 1, "Level": 1, "Task": 2, "Opcode": 1, "EventRecordID": 8, "ProcessID": 4, "ThreadID": 4}

var (
	hexNumber = regexp.MustCompile(`^0x(0|[1-9a-f][0-9a-f]*)$`)
	guid      = regexp.MustCompile(`^\{[0-9a-f-]{36}\}$`)
	sid       = regexp.MustCompile(`^S-1(-\d+)+$`)
)

// value types a text.
func value(t *testing.T, name, text string) evtxtest.Value {
	t.Helper()
	switch {
	case sizes[name] > 0:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return evtxtest.Uint(n, sizes[name])
	case name == "SystemTime":
		at, _, err := event.ParseISO([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return evtxtest.Value{Type: 0x11, Data: binary.LittleEndian.AppendUint64(nil, uint64(at-event.FiletimeEpoch))}
	case hexNumber.MatchString(text):
		n, err := strconv.ParseUint(text[2:], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return evtxtest.Value{Type: 0x15, Data: binary.LittleEndian.AppendUint64(nil, n)}
	case guid.MatchString(text):
		b, err := hex.DecodeString(strings.ReplaceAll(text[1:37], "-", ""))
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(b[:4])
		slices.Reverse(b[4:6])
		slices.Reverse(b[6:8])
		return evtxtest.Value{Type: 0x0f, Data: b}
	case sid.MatchString(text):
		return evtxtest.Value{Type: 0x13, Data: sidBytes(t, text)}
	case text == "":
		return evtxtest.Null()
	}
	return evtxtest.String(text)
}

func sidBytes(t *testing.T, text string) []byte {
	t.Helper()
	parts := strings.Split(text, "-")[2:]
	b := []byte{1, byte(len(parts) - 1), 0, 0, 0, 0, 0}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			b = append(b, byte(n))
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func writeTemplate(x *evtxtest.XML, e *element, hole *int, values []evtxtest.Value) {
	fill := func() {
		x.Hole(*hole, values[*hole].Type, values[*hole].Type == 0)
		*hole++
	}
	if len(e.attrs) == 0 {
		x.OpenDep(e.name, 0xffff, false)
	} else {
		x.OpenDep(e.name, 0xffff, true)
		for i, a := range e.attrs {
			x.Attr(a.Name.Local, i < len(e.attrs)-1)
			if slices.Contains(literalAttrs, a.Name.Local) {
				x.Text(a.Value)
			} else {
				fill()
			}
		}
	}
	if slices.Contains(emptyElements, e.name) {
		x.CloseEmpty()
		return
	}
	x.Close()
	for _, c := range e.children {
		writeTemplate(x, c, hole, values)
	}
	if len(e.children) == 0 && e.name != "EventData" {
		fill()
	}
	x.End()
}
