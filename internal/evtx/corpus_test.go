package evtx

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// corpusFiles gives the event logs of the corpus; the test is skipped without it.
func corpusFiles(t testing.TB, folders ...string) []string {
	t.Helper()
	dir := os.Getenv("WADI_CORPUS")
	if dir == "" {
		t.Skip("WADI_CORPUS is not set: no real logs to read")
	}
	var all []string
	for _, f := range folders {
		files, err := evtxtest.SortedFiles(filepath.Join(dir, f))
		if err != nil || len(files) == 0 {
			t.Fatalf("no logs in %s: %v", f, err)
		}
		all = append(all, files...)
	}
	return all
}

// eachRecord walks all records of a log.
func eachRecord(t testing.TB, d *Decoder, log []byte, f func(c ChunkInfo, r *Record)) []Loss {
	t.Helper()
	file, err := Open(bytes.NewReader(log), int64(len(log)))
	if err != nil {
		if len(log) == 0 {
			return nil
		}
		t.Fatal(err)
	}
	losses := append([]Loss(nil), file.Losses()...)
	buf := make([]byte, ChunkSize)
	for _, c := range file.Chunks() {
		data, err := file.ReadChunk(c, buf)
		if err != nil {
			t.Fatal(err)
		}
		d.Open(c, data)
		var r Record
		for d.Next(&r) {
			f(c, &r)
		}
		losses = append(losses, d.Losses()...)
	}
	return losses
}

// renderers are the ways to write a record.
var renderers = []struct {
	name string
	f    func(*Decoder, []byte, *Record) ([]byte, error)
}{
	{"xml", (*Decoder).AppendXML},
	{"json", (*Decoder).AppendJSON},
	{"flat", (*Decoder).AppendFlatJSON},
}

// checkForm tells what is wrong with a rendered record.
func checkForm(form string, out []byte) error {
	if form == "xml" {
		d := xml.NewDecoder(bytes.NewReader(out))
		for {
			_, err := d.Token()
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err == nil:
			case otherName(err):
				return nil
			default:
				return err
			}
		}
	}
	if !json.Valid(out) {
		return errors.New("no valid JSON")
	}
	return nil
}

// showFields prints what was found.
func showFields(set *FieldSet, f *Fields) string {
	var b strings.Builder
	for i := range f.Len() {
		field, text := f.At(i)
		fmt.Fprintf(&b, "%s=%q ", set.Names()[field], text)
	}
	return b.String()
}

// otherName tells whether err is of a name that the fifth edition of XML 1.0
// allows and encoding/xml, which follows the fourth, does not.
func otherName(err error) bool {
	_, name, ok := strings.Cut(err.Error(), "invalid XML name: ")
	return ok && validName([]byte(name)) && strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf })
}

// TestProgramsEqualTrees holds the two ways to render against each other, over
// every record of the corpus, and checks that the text is well formed.
func TestProgramsEqualTrees(t *testing.T) {
	fast := NewDecoder()
	slow := NewDecoder()
	slow.slow = true
	records, covered := 0, 0
	set := NewFieldSet("EventID", "Channel", "TimeGenerated", "Computer", "SubjectUserName", "Image", "Data", "Keywords", "UserData.LogFileCleared.SubjectUserName", "RenderingInfo.Message", "ActivityId")
	system := NewFieldSet("EventID", "Channel", "TimeGenerated")
	var fastFields, slowFields Fields
	for _, path := range corpusFiles(t, "evtx", "sigma/regression") {
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var a, b []byte
		eachRecord(t, fast, log, func(c ChunkInfo, r *Record) {
			records++
			if _, c := fast.begin(r); c != nil && c.xml != nil && c.json != nil {
				covered++
			}
			slow.Open(c, fast.buf)
			for _, form := range renderers {
				var aerr, berr error
				a, aerr = form.f(fast, a[:0], r)
				b, berr = form.f(slow, b[:0], r)
				if !bytes.Equal(a, b) || (aerr == nil) != (berr == nil) {
					t.Errorf("%s record %d as %s:\nprogram %s %v\ntree    %s %v", path, r.ID, form.name, a, aerr, b, berr)
				}
				if aerr == nil {
					if err := checkForm(form.name, a); err != nil {
						t.Errorf("%s record %d as %s: %v\n%s", path, r.ID, form.name, err, a)
					}
				}
			}
			for _, s := range []*FieldSet{set, system} {
				aerr, berr := fast.Get(&fastFields, r, s), slow.Get(&slowFields, r, s)
				if a, b := showFields(s, &fastFields), showFields(s, &slowFields); a != b || (aerr == nil) != (berr == nil) {
					t.Errorf("%s record %d:\nprogram %s %v\ntree    %s %v", path, r.ID, a, aerr, b, berr)
				}
			}
		})
	}
	t.Logf("%d records, %d by programs", records, covered)
	if records < 20000 || covered < records*9/10 { // programs are three times as fast
		t.Errorf("%d records in the corpus, %d of them by programs", records, covered)
	}
}
