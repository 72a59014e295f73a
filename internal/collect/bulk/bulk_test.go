package bulk

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/collect/files"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// testLake is a lake in a temporary folder.
type testLake struct {
	t      *testing.T
	w      *lake.Writer
	upkeep bool // after each import
}

func newTestLake(t *testing.T) *testLake {
	t.Helper()
	w, err := lake.OpenWriter(t.Context(), t.TempDir(), lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return &testLake{t: t, w: w}
}

// load imports and checks that the counts add up.
func (l *testLake) load(cfg Config, paths ...string) Summary {
	l.t.Helper()
	cfg.Writer, cfg.Paths, cfg.noUpkeep = l.w, paths, !l.upkeep
	before := l.count()
	s, err := Import(l.t.Context(), cfg)
	if err != nil {
		l.t.Fatal(err)
	}
	addsUp(l.t, s)
	if got := l.count() - before; got != s.Stored {
		l.t.Errorf("%d rows more, %d stored", got, s.Stored)
	}
	return s
}

func addsUp(t *testing.T, s Summary) {
	t.Helper()
	var sum Counts
	for _, f := range s.PerFile {
		if f.Read != f.Stored+f.Duplicate+f.Damaged {
			t.Errorf("%s: %+v does not add up", f.Name, f.Counts)
		}
		sum.add(f.Counts)
	}
	if s.Read != s.Stored+s.Duplicate+s.Damaged || s.Counts != sum {
		t.Errorf("%+v does not add up with %+v", s.Counts, sum)
	}
}

// rows calls fn for each row of a table, with all columns.
func (l *testLake) rows(table *schema.Table, fn func(datafile.Row)) {
	l.t.Helper()
	p, err := l.w.Pin(l.t.Context(), time.Minute)
	if err != nil {
		l.t.Fatal(err)
	}
	defer p.Close()
	files, err := p.Table(table)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range files.Files {
		err := datafile.Read(l.t.Context(), datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, table, nil, datafile.Filter{}, func(r datafile.Row) error { fn(r); return nil })
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// count is the number of rows of both tables.
func (l *testLake) count() (n int64) {
	l.t.Helper()
	for _, t := range []*schema.Table{schema.WindowsEvents, schema.W3CIIS} {
		l.rows(t, func(datafile.Row) { n++ })
	}
	return n
}

// texts gives the whole XML of all events, sorted.
func (l *testLake) texts() (out []string) {
	l.t.Helper()
	r := newRowReader(l.w)
	l.rows(schema.WindowsEvents, func(row datafile.Row) { out = append(out, string(r.col.AppendXML(nil, row))) })
	slices.Sort(out)
	return out
}

// values gives one column of all rows of a table as text, in the order of _Source
// and _Seq; null is "-".
func (l *testLake) values(table *schema.Table, name string) (out []string) {
	l.t.Helper()
	type value struct {
		source, seq int64
		text        string
	}
	var all []value
	col := column(table, name)
	l.rows(table, func(r datafile.Row) {
		v := value{text: "-"}
		v.source, _ = r.Int(column(table, "_Source"))
		v.seq, _ = r.Int(column(table, "_Seq"))
		switch {
		case r.Null(col):
		case table.Columns[col].Disk == schema.DiskString:
			v.text = string(r.Bytes(col))
		default:
			n, _ := r.Int(col)
			v.text = fmt.Sprint(n)
		}
		all = append(all, v)
	})
	slices.SortFunc(all, func(a, b value) int {
		if a.source != b.source {
			return int(a.source - b.source)
		}
		return int(a.seq - b.seq)
	})
	for _, v := range all {
		out = append(out, v.text)
	}
	return out
}

// record builds one event; what tells it from others is its text.
func record(c *evtxtest.Chunk, id uint64, channel, text string) {
	const filetime = 134_116_992_000_000_000 // 2026-01-01T00:00:00Z
	c.Record(id, filetime+id*10_000_000, func(x *evtxtest.XML) {
		element := func(name, value string) { x.Element(name, func() { x.Text(value) }) }
		x.Fragment()
		x.Element("Event", func() {
			x.Element("System", func() {
				x.OpenAttrs("Provider")
				x.Attr("Name", false)
				x.Text("Test")
				x.CloseEmpty()
				element("EventID", "4624")
				x.OpenAttrs("TimeCreated")
				x.Attr("SystemTime", false)
				x.Text(event.FromFiletime(filetime + id*10_000_000).String())
				x.CloseEmpty()
				element("Channel", channel)
				element("Computer", "pc")
			})
			x.Element("EventData", func() {
				x.OpenAttrs("Data")
				x.Attr("Name", false)
				x.Text("TargetUserName")
				x.Close()
				x.Text(text)
				x.End()
			})
		})
		x.EOF()
	})
}

// logOf builds a log: each chunk has the records that a string names, one letter
// for each; a letter in a place is the same record everywhere.
func logOf(chunks ...string) []byte {
	b := evtxtest.NewBuilder()
	id := uint64(1)
	for _, letters := range chunks {
		c := b.Chunk()
		for _, letter := range letters {
			record(c, id, "Security", strings.Repeat(string(letter), 3))
			id++
		}
		id = id/1000*1000 + 1001
	}
	return b.Bytes()
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestChunksOfOneLog imports states of one log one after the other, and says for
// each how many records are new.
func TestChunksOfOneLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		states [][]string
		stored []int64
	}{
		{"copied", [][]string{{"abc", "de"}, {"abc", "de"}}, []int64{5, 0}},
		{"grown in the last chunk", [][]string{{"abc"}, {"abcd"}, {"abcde", "f"}, {"abcde", "f"}}, []int64{3, 1, 2, 0}},
		{"grown by one record each", [][]string{{"a"}, {"ab"}, {"abc"}, {"abcd"}, {"abcd"}}, []int64{1, 1, 1, 1, 0}},
		{"shorter", [][]string{{"abcde"}, {"abc"}, {"a"}, {"abcde"}}, []int64{5, 0, 0, 0}},
		{"an early state after the grown one", [][]string{{"ab"}, {"abcd"}, {"ab"}, {"abc"}, {"abcd"}}, []int64{2, 2, 0, 0, 0}},
		{"diverging", [][]string{{"abcde"}, {"abxy"}, {"abxy"}, {"abcde"}}, []int64{5, 2, 0, 0}},
		{"diverging at the first difference", [][]string{{"abc"}, {"axc"}, {"ayc"}, {"axc"}, {"ayc"}, {"abc"}}, []int64{3, 2, 2, 0, 0, 0}},
		{"diverging and growing", [][]string{{"abc"}, {"abx"}, {"abxy"}, {"abcd"}, {"abxy"}, {"abcd"}}, []int64{3, 1, 1, 1, 0, 0}},
		{"diverging behind a grown part", [][]string{{"ab"}, {"abcd"}, {"abcx"}, {"abcx"}, {"abcd"}}, []int64{2, 2, 1, 0, 0}},
		{"shorter and diverging", [][]string{{"abcd"}, {"abx"}, {"ab"}, {"abx"}}, []int64{4, 1, 0, 0}},
		{"other first record", [][]string{{"abc"}, {"xbc"}}, []int64{3, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newTestLake(t)
			var once []string
			for i, chunks := range c.states {
				path := write(t, "log.evtx", logOf(chunks...))
				once = append(once, path)
				s := l.load(Config{}, path)
				if s.Stored != c.stored[i] {
					t.Errorf("state %d %v: stored %d, want %d", i, chunks, s.Stored, c.stored[i])
				}
			}
			// All states at once, in one part, store the same.
			all := newTestLake(t)
			s := all.load(Config{}, once...)
			for i, f := range s.PerFile {
				if f.Stored != c.stored[i] {
					t.Errorf("in one import, state %d %v: stored %d, want %d", i, c.states[i], f.Stored, c.stored[i])
				}
			}
			if d := cmp.Diff(l.texts(), all.texts()); d != "" {
				t.Errorf("one import and many differ:\n%s", d)
			}
			if all.load(Config{}, once...).Stored != 0 {
				t.Error("a second import stored something")
			}
		})
	}
}

func TestCasesAreApartAndDuplicatesMayBeKept(t *testing.T) {
	t.Parallel()
	l := newTestLake(t)
	path := write(t, "a.evtx", logOf("abc"))
	for _, c := range []struct {
		cfg    Config
		stored int64
	}{
		{Config{}, 3},
		{Config{Case: "one"}, 3},
		{Config{Case: "two"}, 3},
		{Config{Case: "one"}, 0},
		{Config{KeepDuplicates: true}, 3},
		{Config{}, 0},
		{Config{Case: "three", KeepDuplicates: true}, 3},
		{Config{Case: "three"}, 0},
	} {
		if s := l.load(c.cfg, path); s.Stored != c.stored {
			t.Errorf("%q keep %v: stored %d, want %d", c.cfg.Case, c.cfg.KeepDuplicates, s.Stored, c.stored)
		}
	}
	// Keeping a shorter state must not forget the longer one.
	short := write(t, "short.evtx", logOf("ab"))
	if s := l.load(Config{KeepDuplicates: true}, short); s.Stored != 2 {
		t.Errorf("kept %d", s.Stored)
	}
	if s := l.load(Config{}, path); s.Stored != 0 {
		t.Errorf("stored %d again", s.Stored)
	}
}

func TestRowsOfAnEvent(t *testing.T) {
	t.Parallel()
	b := evtxtest.NewBuilder()
	c := b.Chunk()
	record(c, 1, "Security", "a<b")
	record(c, 2, "Application", "")
	c.Record(3, 134_116_992_000_000_001, func(x *evtxtest.XML) { // another time than SystemTime; an unusual System
		x.Fragment()
		x.Element("Event", func() {
			x.Element("System", func() {
				x.OpenAttrs("TimeCreated")
				x.Attr("SystemTime", false)
				x.Text("2026-01-01T00:00:00.0000002Z")
				x.CloseEmpty()
				x.Element("EventID", func() { x.Text("0007") })
			})
		})
		x.EOF()
	})
	c.Record(4, 134_116_992_000_000_001, func(x *evtxtest.XML) { // no time, no data
		x.Fragment()
		x.Element("Event", func() { x.Element("System", func() { x.Element("EventID", func() { x.Text("7") }) }) })
		x.EOF()
	})
	c.Record(5, 5, func(x *evtxtest.XML) { // no System: damaged
		x.Fragment()
		x.Element("Event", func() { x.Element("EventData", func() {}) })
		x.EOF()
	})
	c.Record(6, 134_116_992_000_000_000, func(x *evtxtest.XML) { // damaged behind System
		x.Fragment()
		x.Element("Event", func() {
			x.Element("System", func() {
				x.OpenAttrs("TimeCreated")
				x.Attr("SystemTime", false)
				x.Text("2026-01-01T00:00:00.0000000Z")
				x.CloseEmpty()
				x.Element("Channel", func() { x.Text("Security") })
			})
			x.Open("EventData")
			x.Close()
			x.Raw(0x1f)
			x.End()
		})
		x.EOF()
	})
	record(c, 10, "Security", "z") // 7, 8 and 9 are missing
	path := write(t, "a.evtx", b.Bytes())
	l := newTestLake(t)
	s := l.load(Config{}, path)
	if want := (Counts{Read: 7, Stored: 6, Damaged: 1, Partial: 2, Lost: 3}); s.Counts != want {
		t.Errorf("got  %+v\nwant %+v\n%v", s.Counts, want, s.PerFile)
	}
	if f := s.PerFile[0].Findings; len(f) != 2 || !strings.Contains(f[0], "record 5") && !strings.Contains(f[1], "record 5") {
		t.Errorf("findings %q", s.PerFile[0].Findings)
	}
	for name, want := range map[string]string{
		"_Seq":           "1 2 3 4 6 7",
		"_Table":         "SecurityEvent Event Event Event SecurityEvent SecurityEvent",
		"Channel":        "Security Application - - Security Security",
		"EventID":        "4624 4624 7 7 - 4624",
		"_TimeSub":       "0 0 2 - 0 0",
		"_RecordTime":    fmt.Sprintf("- - %d %d - -", event.FromFiletime(134_116_992_000_000_001), event.FromFiletime(134_116_992_000_000_001)),
		"TargetUserName": "a<b  - - - z",
	} {
		if got := strings.Join(l.values(schema.WindowsEvents, name), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := l.values(schema.WindowsEvents, "_Damage"); got[0] != "-" || got[2] != "-" || got[3] != "System has no SystemTime" || !strings.Contains(got[4], "token") || got[5] != "-" {
		t.Errorf("_Damage %q %q", got, l.texts())
	}
	if got := l.values(schema.WindowsEvents, "_SystemXml"); got[0] != "-" || !strings.HasPrefix(got[2], "<Event><System>") {
		t.Errorf("_SystemXml %q", got)
	}
	sum := map[string]int64{}
	l.rows(schema.Ledger, func(r datafile.Row) {
		for _, name := range []string{"Received", "Stored", "Duplicate", "Damaged", "Partial", "Lost"} {
			n, _ := r.Int(column(schema.Ledger, name))
			sum[name] += n
		}
	})
	if d := cmp.Diff(map[string]int64{"Received": 7, "Stored": 6, "Duplicate": 0, "Damaged": 1, "Partial": 2, "Lost": 3}, sum); d != "" {
		t.Errorf("ledger (-want +got):\n%s", d)
	}
	if got := l.values(schema.Sources, "Host"); len(got) != 1 || got[0] != "pc" {
		t.Errorf("hosts %q", got)
	}
}

func TestWhatIsNoLogAndWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	l := newTestLake(t)
	dir := t.TempDir()
	for name, data := range map[string][]byte{"a.evtx": logOf("ab"), "b.txt": []byte("hello"), "c.evtx": nil, "d.evtx": append(logOf("cd")[:5000], 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := l.load(Config{}, dir, filepath.Join(dir, "missing"))
	if s.Skipped != 2 || s.Failed != 1 || s.Files != 2 || s.Stored < 2 || !strings.Contains(s.Failures[0], "missing") {
		t.Errorf("%+v", s)
	}
}

// stop cancels an import after some records.
func stop(after int64, cancel func()) func(Progress) {
	return func(p Progress) {
		if p.Records >= after {
			cancel()
		}
	}
}

func TestInterruptedImportKeepsItsPartsAndGoesOn(t *testing.T) {
	t.Parallel()
	var chunks []string
	for range 40 {
		chunks = append(chunks, "abcdefgh")
	}
	path := write(t, "a.evtx", logOf(chunks...))
	text := write(t, "a.log", []byte(w3cHead+strings.Repeat(w3cLine(1)+w3cLine(2)+w3cLine(3), 40_000)))
	whole := newTestLake(t)
	want := whole.load(Config{}, path, text)
	l := newTestLake(t)
	rows := int64(0)
	for try := 0; ; try++ {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := Config{Writer: l.w, Paths: []string{path, text}, Workers: 2, partRowBytes: 1}
		if try < 20 {
			cfg.Progress = stop(int64(try*try*500+20), cancel)
		}
		s, err := Import(ctx, cfg)
		cancel()
		addsUp(t, s)
		rows += s.Stored
		if got := l.count(); got != rows {
			t.Fatalf("try %d: %d rows, summaries say %d", try, got, rows)
		}
		if err == nil {
			if s.Interrupted || try < 3 {
				t.Errorf("try %d ended, interrupted %v", try, s.Interrupted)
			}
			break
		}
		if !errors.Is(err, context.Canceled) || !s.Interrupted {
			t.Fatalf("try %d: %v, %+v", try, err, s)
		}
	}
	if rows != want.Stored {
		t.Errorf("%d rows, want %d", rows, want.Stored)
	}
	if d := cmp.Diff(whole.texts(), l.texts()); d != "" {
		t.Errorf("events differ:\n%s", d)
	}
}

func TestAFailingCommitEndsTheImport(t *testing.T) {
	t.Parallel()
	l := newTestLake(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Import(ctx, Config{Writer: l.w, Paths: []string{write(t, "a.evtx", logOf("ab"))}, Progress: func(p Progress) {
		if p.Committing {
			cancel()
		}
	}})
	if err == nil || s.Stored != 0 || !s.Interrupted || !s.PerFile[0].Incomplete {
		t.Errorf("%v, %+v", err, s)
	}
	if n := l.count(); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// corpus gives the folder of real logs.
func corpus(tb testing.TB) string {
	dir := os.Getenv("WADI_CORPUS")
	if dir == "" {
		tb.Skip("WADI_CORPUS is not set: no real logs to import")
	}
	return dir
}

// TestCorpus imports every real log: the counts add up, each record's text is in
// the lake byte for byte, and a second import adds nothing.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	l := newTestLake(t)
	l.upkeep = true
	cfg := Config{KeepDuplicates: true}
	s := l.load(cfg, filepath.Join(dir, "evtx"))
	t.Logf("%d logs, %d skipped: %+v", s.Files, s.Skipped, s.Counts)
	var want []string
	paths, err := evtxtest.SortedFiles(filepath.Join(dir, "evtx"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		want = append(want, xmlOf(t, path)...)
	}
	slices.Sort(want)
	got := l.texts()
	if int64(len(got)) != s.Stored || len(want) != len(got) {
		t.Errorf("%d texts, %d stored, %d records render", len(got), s.Stored, len(want))
	}
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("text %d differs:\n%s\n%s", i, want[i], got[i])
		}
	}
	l = newTestLake(t)
	first := l.load(Config{}, filepath.Join(dir, "evtx"), filepath.Join(dir, "iis"))
	t.Logf("%d logs, %d skipped: %+v", first.Files, first.Skipped, first.Counts)
	again := l.load(Config{}, filepath.Join(dir, "evtx"), filepath.Join(dir, "iis"))
	if again.Stored != 0 || again.Read != first.Read || again.Duplicate != first.Stored+first.Duplicate {
		t.Errorf("the second import: %+v\nafter: %+v", again.Counts, first.Counts)
	}
}

// xmlOf gives the text of every record of a log that renders.
func xmlOf(t *testing.T, path string) (out []string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := evtx.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil
	}
	d := evtx.NewDecoder()
	buf := make([]byte, evtx.ChunkSize)
	for _, c := range f.Chunks() {
		chunk, err := f.ReadChunk(c, buf)
		if err != nil {
			t.Fatal(err)
		}
		d.Open(c, chunk)
		var r evtx.Record
		for d.Next(&r) {
			if x, err := d.AppendXML(nil, &r); err == nil {
				out = append(out, string(x))
			}
		}
	}
	return out
}

// TestProgressReachesItsTotal also with logs that are larger unpacked.
func TestProgressReachesItsTotal(t *testing.T) {
	t.Parallel()
	l := newTestLake(t)
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(logOf("abc", "def", "ghi")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"a.evtx.gz": packed.Bytes(), "b.evtx": logOf("xy"), "c.txt": []byte("no log")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var last Progress
	l.load(Config{Progress: func(p Progress) {
		if p.Bytes < last.Bytes || p.Bytes > p.BytesTotal || p.Files > p.FilesTotal || p.Records < last.Records {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	}}, dir)
	if last.Bytes != last.BytesTotal || last.Files != 3 || last.Records != 11 || last.Committing {
		t.Errorf("at the end %+v", last)
	}
}

// badDisk gives the beginning of an event log and then an error.
type badDisk struct{ n int64 }

var errDisk = errors.New("the disk is broken")

func (b badDisk) ReadAt(p []byte, at int64) (int, error) {
	n := copy(p, logOf("ab", "cd")[min(at, b.n):b.n])
	if n < len(p) {
		return n, errDisk
	}
	return n, nil
}

// TestALogOnABadDisk names what cannot be read, and what was read before is kept.
func TestALogOnABadDisk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		readable       int64
		failures, jobs int
	}{{0, 1, 1}, {4096 + 100, 1, 1}, {4096 + 65536 + 600, 0, 2}} {
		l := newTestLake(t)
		log, err := l.w.BeginLog(t.Context(), lake.LogInfo{Door: "bulk"})
		if err != nil {
			t.Fatal(err)
		}
		var jobs []*job
		failures := 0
		cfg := (&Config{Writer: l.w}).withDefaults()
		r := newReader(&cfg, log, newKnown(l.w, "", lake.KeyEVTX), func(j *job) error { jobs = append(jobs, j); return nil },
			func(string, string) *logFile { return &logFile{} }, func(*files.Failure) { failures++ }, newFreeList(1))
		in := &files.Input{Name: "x", Kind: files.EVTX, SizeBytes: int64(len(logOf("ab", "cd"))), Content: badDisk{c.readable}}
		if err := r.input(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		end := jobs[len(jobs)-1]
		if !end.ends || !strings.Contains(strings.Join(end.findings, " "), errDisk.Error()) {
			t.Errorf("readable %d: findings %q", c.readable, end.findings)
		}
		if len(jobs) != c.jobs || failures != c.failures {
			t.Errorf("readable %d: %d jobs and %d failures, want %d and %d", c.readable, len(jobs), failures, c.jobs, c.failures)
		}
	}
}
