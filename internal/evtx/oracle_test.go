package evtx

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule explains differences between a foreign reader and this package. Values are
// "" where a side has none.
type rule struct {
	reason string
	match  func(path, theirs, ours string) bool
}

// report collects differences: how many by reason, and each that no rule
// explains.
type report struct {
	rules   []rule
	counts  map[string]int
	unknown []string
	lines   []string
}

func newReport(rules []rule) *report { return &report{rules: rules, counts: map[string]int{}} }

// compare compares one record, flattened by path.
func (r *report) compare(file string, theirs, ours map[string]string) {
	if maps.Equal(theirs, ours) {
		r.counts["equal records"]++
		return
	}
	r.counts["records with differences"]++
	paths := map[string]bool{}
	for p := range theirs {
		paths[p] = true
	}
	for p := range ours {
		paths[p] = true
	}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		a, inA := theirs[p]
		b, inB := ours[p]
		if a == b && inA == inB {
			continue
		}
		reason := ""
		for _, rule := range r.rules {
			if rule.match(p, a, b) {
				reason = rule.reason
				break
			}
		}
		if reason == "" {
			r.unknown = append(r.unknown, fmt.Sprintf("%s %s: theirs %q (%v), ours %q (%v)", file, p, a, inA, b, inB))
			continue
		}
		r.counts[reason]++
	}
}

func (r *report) line(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// String prints the report for a golden file.
func (r *report) String() string {
	var b strings.Builder
	for _, reason := range slices.Sorted(maps.Keys(r.counts)) {
		fmt.Fprintf(&b, "%d %s\n", r.counts[reason], reason)
	}
	for _, l := range slices.Concat(r.lines, r.unknown) {
		fmt.Fprintln(&b, l)
	}
	return b.String()
}

// corpusName is a file's path below the corpus.
func corpusName(path string) string {
	name, _ := filepath.Rel(os.Getenv("WADI_CORPUS"), path)
	return filepath.ToSlash(name)
}

// rendered gives all records of a log in one form; none for an empty file.
func rendered(t *testing.T, d *Decoder, path string, form func(*Decoder, []byte, *Record) ([]byte, error)) (all [][]byte) {
	t.Helper()
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	eachRecord(t, d, log, func(_ ChunkInfo, r *Record) {
		if out, err := form(d, nil, r); err == nil {
			all = append(all, out)
		}
	})
	return all
}

// flattenJSON gives the leaves of a JSON value by path.
func flattenJSON(t *testing.T, text []byte) map[string]string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	m := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(path+"/"+k, e)
			}
		case []any:
			for i, e := range v {
				walk(path+"["+strconv.Itoa(i)+"]", e)
			}
		default:
			m[path] = fmt.Sprintf("%v", v)
		}
	}
	walk("", v)
	return m
}

// flattenXML gives the texts and attributes of an XML document by path. Blank text
// between elements does not count.
func flattenXML(text []byte) (map[string]string, error) {
	m := map[string]string{}
	type open struct {
		path  string
		count map[string]int
		text  strings.Builder
	}
	stack := []*open{{count: map[string]int{}}}
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return m, nil
		} else if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			name := tok.Name.Local
			top.count[name]++
			e := &open{path: fmt.Sprintf("%s/%s[%d]", top.path, name, top.count[name]), count: map[string]int{}}
			for _, a := range tok.Attr {
				m[e.path+"/@"+a.Name.Local] = a.Value
			}
			stack = append(stack, e)
		case xml.CharData:
			top.text.Write(tok)
		case xml.EndElement:
			s := top.text.String()
			if len(top.count) > 0 && strings.TrimSpace(s) == "" {
				s = ""
			}
			m[top.path] = s
			stack = stack[:len(stack)-1]
		}
	}
}

// align pairs the records of two readers by key, in order, and gives what each
// has alone.
func align(theirs, ours []map[string]string, key func(map[string]string) string) (pairs [][2]map[string]string, missing, extra []string) {
	byKey := map[string][]map[string]string{}
	for _, o := range ours {
		byKey[key(o)] = append(byKey[key(o)], o)
	}
	for _, a := range theirs {
		k := key(a)
		if len(byKey[k]) == 0 {
			missing = append(missing, k)
			continue
		}
		pairs = append(pairs, [2]map[string]string{a, byKey[k][0]})
		byKey[k] = byKey[k][1:]
	}
	for k, rest := range byKey {
		for range rest {
			extra = append(extra, k)
		}
	}
	slices.Sort(extra)
	return pairs, missing, extra
}

func slowOnly(t *testing.T) {
	t.Helper()
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("WADI_SLOW is not set: comparing with a foreign reader takes a while")
	}
}

var (
	guidText = regexp.MustCompile(`^\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?$`)
	timeText = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6})\d*Z$`)
	hexText  = regexp.MustCompile(`^0x0*([0-9a-f]+)$`)
)

// sameForm writes GUIDs, times and hexadecimal numbers in one way: the foreign
// readers have other letter cases, braces, digits and zeros.
func sameForm(m map[string]string) map[string]string {
	for k, v := range m {
		if g := guidText.FindStringSubmatch(v); g != nil {
			m[k] = strings.ToLower(g[1])
		} else if g := timeText.FindStringSubmatch(v); g != nil {
			m[k] = strings.TrimRight(g[1], "0")
		} else if g := hexText.FindStringSubmatch(v); g != nil {
			m[k] = "0x" + g[1]
		}
	}
	return m
}

// rustRules are the differences to the Rust parser behind PyPI's evtx, which is
// older than evtx_dump 0.15.1; that one agrees with this package in all of them.
var rustRules = []rule{
	{"an element that depends on a null value: they write null, EvtRender nothing", func(p, a, b string) bool {
		return p == "/Event/EventData/Binary" && a == "<nil>" && b == ""
	}},
	{"unnamed Data that depends on a null value: they write an empty text", func(p, a, b string) bool {
		return p == "/Event/EventData/Data/#text" && a == "" && b == ""
	}},
	{"EventData without content: null here", func(p, a, b string) bool { return p == "/Event/EventData" && a == "" && b == "<nil>" }},
	{"the second Data of a name: they drop it", func(p, a, b string) bool { return strings.HasSuffix(p, "_1") && a == "" }},
	{"RenderingInfo: they drop it", func(p, a, b string) bool {
		return strings.HasPrefix(p, "/Event/RenderingInfo/") && a == ""
	}},
}

// TestEqualToRustParser compares all records of the corpus with PyPI's evtx.
func TestEqualToRustParser(t *testing.T) {
	slowOnly(t)
	python := os.Getenv("WADI_PYTHON")
	if python == "" {
		t.Skip("WADI_PYTHON is not set: no Python with the evtx package")
	}
	files := corpusFiles(t, "evtx", "sigma/regression")
	cmd := exec.Command(python, "testdata/peer.py")
	cmd.Stdin = strings.NewReader(strings.Join(files, "\n"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot run the Rust parser: %v", err)
	}
	key := func(m map[string]string) string {
		return m["/Event/System/EventRecordID"] + m["/Event/System/EventRecordID/#text"] + " " + m["/Event/System/TimeCreated/#attributes/SystemTime"]
	}
	r := newReport(rustRules)
	d := NewDecoder()
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		path, count, _ := strings.Cut(lines.Text(), "\t")
		n, err := strconv.Atoi(count)
		if err != nil {
			t.Fatalf("line %q", lines.Text())
		}
		var theirs, ours []map[string]string
		for range n {
			lines.Scan()
			theirs = append(theirs, sameForm(flattenJSON(t, lines.Bytes())))
		}
		for _, o := range rendered(t, d, path, (*Decoder).AppendJSON) {
			ours = append(ours, sameForm(flattenJSON(t, o)))
		}
		pairs, missing, extra := align(theirs, ours, key)
		for _, p := range pairs {
			r.compare(corpusName(path), p[0], p[1])
		}
		if len(missing)+len(extra) > 0 {
			r.line("%s: %d records, of which they have %d less, and %d more:%s", corpusName(path), len(ours), len(extra), len(missing), strings.Join(append([]string{""}, missing...), "\n  record "))
		}
	}
	compareGolden(t, "rust.golden", r.String())
}

// sigmaRules are the differences to the JSON that SigmaHQ keeps beside its
// regression logs, which older versions of evtx_dump wrote.
var sigmaRules = []rule{
	{"GUIDs: upper case without braces there", func(p, a, b string) bool {
		return guidText.MatchString(a) && guidText.MatchString(b) && strings.EqualFold(strings.Trim(a, "{}"), strings.Trim(b, "{}"))
	}},
	{"times: microseconds there", func(p, a, b string) bool {
		return timeText.MatchString(a) && timeText.MatchString(b) && strings.HasPrefix(b, strings.TrimSuffix(a, "Z"))
	}},
	{"times: nine digits there", func(p, a, b string) bool {
		return len(a) > 20 && strings.TrimRight(strings.TrimSuffix(a, "Z"), "0") == strings.TrimRight(strings.TrimSuffix(b, "Z"), "0")
	}},
	{"letter case: edited by hand there", func(p, a, b string) bool { return strings.EqualFold(a, b) }},
	{"blanks at the end: trimmed there", func(p, a, b string) bool { return a == strings.TrimRight(b, " ") }},
	{"an element that depends on a null value: null there, nothing in EvtRender's form", func(p, a, b string) bool { return a == "<nil>" && b == "" }},
}

// TestEqualToSigmaRegression compares with the JSON beside Sigma's logs.
func TestEqualToSigmaRegression(t *testing.T) {
	r := newReport(sigmaRules)
	d := NewDecoder()
	for _, path := range corpusFiles(t, "sigma/regression") {
		text, err := os.ReadFile(strings.TrimSuffix(path, ".evtx") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var theirs, ours []map[string]string
		dec := json.NewDecoder(bytes.NewReader(text))
		for {
			var one json.RawMessage
			if err := dec.Decode(&one); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			theirs = append(theirs, flattenJSON(t, one))
		}
		for _, o := range rendered(t, d, path, (*Decoder).AppendJSON) {
			ours = append(ours, flattenJSON(t, o))
		}
		if len(theirs) != len(ours) {
			r.line("%s: %d records there, %d here", corpusName(path), len(theirs), len(ours))
			continue
		}
		r.counts["files"]++
		for i := range theirs {
			r.compare(corpusName(path), theirs[i], ours[i])
		}
	}
	compareGolden(t, "sigma.golden", r.String())
}

// libevtxRules are the differences to libevtx 20181227.
var libevtxRules = []rule{
	{"RenderingInfo: they drop it", func(p, a, b string) bool { return strings.HasPrefix(p, "/Event[1]/RenderingInfo[1]") && a == "" }},
	{"a text of blanks: they drop it", func(p, a, b string) bool { return a == "" && b != "" && strings.TrimSpace(b) == "" }},
	{"size_t: decimal there, hexadecimal in EvtRender's form", func(p, a, b string) bool {
		n, err := strconv.ParseUint(a, 10, 64)
		return err == nil && b == fmt.Sprintf("%#x", n)
	}},
	{"a boolean that is neither 0 nor 1: true there, the number here", func(p, a, b string) bool {
		n, err := strconv.ParseInt(b, 10, 32)
		return a == "true" && err == nil && n != 0 && n != 1
	}},
}

// TestEqualToLibevtx compares the records of those files of the corpus that
// Debian's evtxexport reads whole.
func TestEqualToLibevtx(t *testing.T) {
	slowOnly(t)
	tool, err := exec.LookPath("evtxexport")
	if err != nil {
		t.Skip("evtxexport (Debian's libevtx-utils) is not installed")
	}
	r := newReport(libevtxRules)
	d := NewDecoder()
	for _, path := range corpusFiles(t, "evtx", "sigma/regression") {
		out, err := exec.Command(tool, "-f", "xml", path).Output()
		if err != nil {
			r.counts["files that it does not read whole"]++
			continue
		}
		var theirs []map[string]string
		whole := true
		for _, text := range strings.SplitAfter(string(out), "</Event>\n") {
			if _, text, ok := strings.Cut(text, "<Event "); ok {
				m, err := flattenXML([]byte("<Event " + text))
				whole = whole && err == nil
				theirs = append(theirs, sameForm(m))
			}
		}
		all := rendered(t, d, path, (*Decoder).AppendXML)
		if !whole || len(theirs) != len(all) {
			r.counts["files that it does not read whole"]++
			continue
		}
		r.counts["files"]++
		var ours []map[string]string
		for _, o := range all {
			m, err := flattenXML(o)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			ours = append(ours, sameForm(m))
		}
		pairs, missing, extra := align(theirs, ours, func(m map[string]string) string { // they keep the chunks' order
			return m["/Event[1]/System[1]/EventRecordID[1]"] + m["/Event[1]/System[1]/TimeCreated[1]/@SystemTime"]
		})
		if len(missing)+len(extra) > 0 {
			r.line("%s: they alone have %v, we %v", corpusName(path), missing, extra)
		}
		for _, p := range pairs {
			dropMarkup(r, p[0], p[1])
			r.compare(corpusName(path), p[0], p[1])
		}
	}
	compareGolden(t, "libevtx.golden", r.String())
}

// dropMarkup takes texts that hold markup out of a comparison: libevtx prints them
// without escapes, as elements.
func dropMarkup(r *report, theirs, ours map[string]string) {
	for p, v := range ours {
		if !strings.Contains(v, "<") {
			continue
		}
		r.counts["texts with markup, which they print unescaped"]++
		delete(ours, p)
		maps.DeleteFunc(theirs, func(q, _ string) bool { return q == p || strings.HasPrefix(q, p+"/") && !strings.HasPrefix(q, p+"/@") })
	}
}
