package dump

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
)

// sample gives a log of the given number of chunks with two records each, as
// channel and text say; skip leaves out record identifiers.
func sample(chunks int, skip func(id uint64) bool) []byte {
	b := evtxtest.NewBuilder()
	t := &evtxtest.Template{Body: func(x *evtxtest.XML) {
		x.Open("Event")
		x.Close()
		x.Element("System", func() {
			x.OpenAttrs("TimeCreated")
			x.Attr("SystemTime", false)
			x.Hole(1, 0x11, false)
			x.CloseEmpty()
			x.Element("Channel", func() { x.Hole(0, 1, false) })
			x.Element("Computer", func() { x.Text("host") })
		})
		x.End()
	}}
	id := uint64(1)
	for range chunks {
		c := b.Chunk()
		for range 2 {
			for skip != nil && skip(id) {
				id++
			}
			channel := []string{"Security", "System"}[id%2]
			at := evtxtest.Uint(id*10_000_000, 8)
			at.Type = 0x11
			c.Record(id, id, func(x *evtxtest.XML) {
				x.Fragment()
				x.Instance(t, evtxtest.String(channel), at)
				x.EOF()
			})
			id++
		}
	}
	return b.Bytes()
}

func eventText(id int) string {
	return fmt.Sprintf("<Event><System><TimeCreated SystemTime='1601-01-01T00:00:%02d.0000000Z'/><Channel>%s</Channel><Computer>host</Computer></System></Event>\n",
		id, []string{"Security", "System"}[id%2])
}

func TestRecordsKeepTheirOrder(t *testing.T) {
	log := sample(20, nil)
	var want strings.Builder
	for id := 1; id <= 40; id++ {
		want.WriteString(eventText(id))
	}
	for _, workers := range []int{0, 1, 2, 7} {
		var out bytes.Buffer
		d := New(&out, Config{Format: XML, Workers: workers})
		for range 2 { // buffers are used again
			if err := d.Log(t.Context(), "x", bytes.NewReader(log), int64(len(log))); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Close(); err != nil || d.Records() != 80 || d.Lost() != 0 {
			t.Errorf("%d records, %d lost, %v", d.Records(), d.Lost(), err)
		}
		if diff := cmp.Diff(want.String()+want.String(), out.String()); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
	}
}

func TestJSONIsOneArray(t *testing.T) {
	log := sample(3, nil)
	for _, flat := range []bool{false, true} {
		for _, logs := range []int{0, 1, 2} {
			var out bytes.Buffer
			d := New(&out, Config{Format: JSON, Flat: flat, Workers: 2})
			for range logs {
				if err := d.Log(t.Context(), "x", bytes.NewReader(log), int64(len(log))); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			var all []map[string]any
			if err := json.Unmarshal(out.Bytes(), &all); err != nil || len(all) != 6*logs {
				t.Fatalf("%d objects, %v in %s", len(all), err, out.Bytes())
			}
			if key := map[bool]string{false: "Event", true: "Channel"}[flat]; logs > 0 && all[0][key] == nil {
				t.Errorf("flat %v: %v", flat, all[0])
			}
		}
	}
}

func TestJSONLines(t *testing.T) {
	log := sample(1, nil)
	var out bytes.Buffer
	d := New(&out, Config{Format: JSONLines, Flat: true, Workers: 1})
	if err := d.Log(t.Context(), "x", bytes.NewReader(log), int64(len(log))); err != nil {
		t.Fatal(err)
	}
	want := `{"TimeGenerated":"1601-01-01T00:00:01.0000000Z","Channel":"System","Computer":"host"}` + "\n" +
		`{"TimeGenerated":"1601-01-01T00:00:02.0000000Z","Channel":"Security","Computer":"host"}` + "\n"
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

// TestLossesAreReportedAndTheRestGoesOn damages two records and one read.
func TestLossesAreReportedAndTheRestGoesOn(t *testing.T) {
	log := sample(3, nil)
	log[4096+512] = 0       // the first record of chunk 0, which holds the template
	log[4096+65536+512+4]++ // and its size in chunk 1
	var losses []string
	var out bytes.Buffer
	d := New(&out, Config{Format: XML, Workers: 2, Lost: func(name string, l evtx.Loss) { losses = append(losses, name+": "+l.Error()) }})
	if err := d.Log(t.Context(), "file", failingReader{bytes.NewReader(log), 4096 + 2*65536}, int64(len(log))); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"file: chunk 0, offset 4096: the checksum of the chunk's records is wrong",
		"file: chunk 0, offset 4608, record 1: no readable record here; reading went on at record 2",
		"file: chunk 1, offset 69632: the checksum of the chunk's records is wrong",
		"file: chunk 1, offset 70144, record 3: no readable record here; reading went on at record 4",
		"file: chunk 2, offset 135168: cannot read chunk 2 at offset 135168: the disk is broken",
	}
	if diff := cmp.Diff(want, losses); diff != "" {
		t.Error(diff)
	}
	if d.Records() != 2 || d.Lost() != 2 {
		t.Errorf("%d records, %d lost", d.Records(), d.Lost())
	}
}

// failingReader fails where a whole chunk is read at an offset.
type failingReader struct {
	io.ReaderAt
	at int64
}

func (r failingReader) ReadAt(p []byte, off int64) (int, error) {
	if off == r.at && len(p) == evtx.ChunkSize {
		return 0, errors.New("the disk is broken")
	}
	return r.ReaderAt.ReadAt(p, off)
}

// failAfter fails at the n-th write.
type failAfter struct{ n int }

func (w *failAfter) Write(p []byte) (int, error) {
	if w.n--; w.n < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestAFailingOutputEndsTheDump(t *testing.T) {
	log := sample(30, nil)
	for n := range 40 {
		d := New(&failAfter{n}, Config{Format: JSON, Workers: 2})
		err := d.Log(t.Context(), "x", bytes.NewReader(log), int64(len(log)))
		if err == nil {
			err = d.Close()
		}
		var w *WriteError
		if n < 31 && (!errors.As(err, &w) || !errors.Is(err, io.ErrClosedPipe)) || n >= 31 && err != nil {
			t.Errorf("write %d failed: %v", n, err)
		}
	}
}

func TestCancelEndsTheDump(t *testing.T) {
	log := sample(30, nil)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	out := writerFunc(func(p []byte) (int, error) { cancel(stop); return len(p), nil })
	d := New(out, Config{Format: XML, Workers: 2})
	if err := d.Log(ctx, "x", bytes.NewReader(log), int64(len(log))); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if _, err := Inspect(ctx, "x", bytes.NewReader(log), int64(len(log)), 2); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestNoLogIsAnError(t *testing.T) {
	d := New(io.Discard, Config{})
	if err := d.Log(t.Context(), "x", strings.NewReader("text"), 4); err == nil || !strings.Contains(err.Error(), "not an event log") {
		t.Errorf("got %v", err)
	}
	if _, err := Inspect(t.Context(), "x", strings.NewReader("text"), 4, 1); err == nil {
		t.Error("no error")
	}
}

func TestInspect(t *testing.T) {
	log := sample(3, func(id uint64) bool { return id == 2 || id >= 5 && id <= 7 })
	log[4096+65536+512+4]++ // record 4
	evtxtest.PutFileHeader(log, 2, 5, evtx.FlagDirty)
	info, err := Inspect(t.Context(), "sample.evtx", bytes.NewReader(log), int64(len(log)), 2)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := info.Print(&out); err != nil {
		t.Fatal(err)
	}
	want := `sample.evtx
  format    3.1, 200704 bytes, 3 chunks (header: 2); dirty: not closed cleanly, the header is stale
  records   5, identifiers 1 to 10
  time      1601-01-01T00:00:01.0000000Z to 1601-01-01T00:00:10.0000000Z
  channels  Security  2 records  1 computer  1601-01-01T00:00:08.0000000Z to 1601-01-01T00:00:10.0000000Z
            System    3 records  1 computer  1601-01-01T00:00:01.0000000Z to 1601-01-01T00:00:09.0000000Z
  gaps      2, 5 identifiers missing: 2, 4–7
  damage    2 findings, 4 records known to be lost
            chunk 1, offset 69632: the checksum of the chunk's records is wrong
            chunk 1, offset 70144: no readable record here; reading went on at record 8
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
