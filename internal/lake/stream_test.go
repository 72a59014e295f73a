package lake

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// streamRows makes n rows of windows_events as a stream numbers them.
func streamRows(t testing.TB, table *schema.Table, source int32, firstSeq int64, n int, us int64) *datafile.Rows {
	t.Helper()
	b := datafile.NewRows(table)
	for i := range n {
		b.BeginNumbered()
		b.Int(table.Index("TimeGenerated"), us-int64(i))
		if table == schema.WindowsEvents {
			b.Int(table.Index("_TimeSub"), 0)
			b.String(table.Index("_Table"), "SecurityEvent")
			b.Int(table.Index("_SystemForm"), 1)
			b.String(table.Index("EventXml"), "<EventData/></Event>")
			b.Int(table.Index("EventID"), 4624)
		}
		if table == schema.W3CIIS {
			b.Int(table.Index("_TimeSub"), 0)
			b.String(table.Index("_Table"), "W3CIISLog")
		}
		b.End()
	}
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	b.Number(source, firstSeq, us)
	return b
}

// seen gives the _Seq of all rows of a table that a new reader sees, with how often.
func seen(t testing.TB, dir string, table *schema.Table) map[int64]int {
	t.Helper()
	l, err := Open(t.Context(), dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Pin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return seenAt(t, r, table)
}

func seenAt(t testing.TB, r *ReadPoint, table *schema.Table) map[int64]int {
	t.Helper()
	return seenOf(t, r, table, func(int64) bool { return true })
}

// seenOf gives the _Seq of the rows of some sources, with how often.
func seenOf(t testing.TB, r *ReadPoint, table *schema.Table, of func(source int64) bool) map[int64]int {
	t.Helper()
	files, err := r.Table(table)
	if err != nil {
		t.Fatal(err)
	}
	all, rows := map[int64]int{}, int64(0)
	c, src := table.Index("_Seq"), table.Index("_Source")
	for _, f := range files.Files {
		err := datafile.Read(t.Context(), datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, table, []int{c, src}, datafile.Filter{}, func(row datafile.Row) error {
			rows++
			v, _ := row.Int(c)
			if source, _ := row.Int(src); of(source) {
				all[v]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if rows != files.Rows {
		t.Errorf("%s has %d rows, its files say %d", table.Name, rows, files.Rows)
	}
	return all
}

// upTo are the numbers 1…n, once each.
func upTo(n int64) map[int64]int {
	all := map[int64]int{}
	for i := range n {
		all[i+1] = 1
	}
	return all
}

func openStream(t testing.TB, w *Writer, id string) *Log {
	t.Helper()
	g, err := w.OpenLog(t.Context(), id, LogInfo{Door: "stream"})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestStream(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lake")
	o := testOptions()
	w := openTestWriter(t, dir, o)
	id := uuid.NewString()
	g := openStream(t, w, id)
	events, iis := schema.WindowsEvents, schema.W3CIIS
	source, err := g.AddSource(t.Context(), SourceInfo{Kind: "logs-ingestion", Subscription: "a"})
	if err != nil {
		t.Fatal(err)
	}
	us := o.Now().UnixMicro()
	one := streamRows(t, events, source, 1, 10, us)
	two := streamRows(t, events, source, 11, 5, us+86_400_000_000) // the next day
	for _, h := range []struct {
		rows     *datafile.Rows
		from, to int64
	}{{one, 0, 3}, {two, 3, 4}} {
		if err := g.WriteHot(t.Context(), events, []*datafile.Rows{h.rows}, h.from, h.to); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(upTo(15), seen(t, dir, events)); diff != "" {
		t.Errorf("hot rows (-want +got):\n%s", diff)
	}
	p, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q, err := g.BeginPart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*datafile.Rows{one, two} {
		if err := p.SorterAt(events, us+86_400_000_000*int64(b.Len()%2)).Add(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Commit(t.Context(), PartResult{}); err == nil {
		t.Error("a part is committed before an older one")
	}
	result := PartResult{
		Sources:   []SourceTally{{Source: source, Received: 15, Stored: 15}},
		Positions: map[*schema.Table]int64{events: 4, iis: 4},
	}
	if err := p.Commit(t.Context(), result); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(upTo(15), seen(t, dir, events)); diff != "" {
		t.Errorf("committed rows (-want +got):\n%s", diff)
	}
	if err := w.RetireHot(events, 4); err != nil {
		t.Fatal(err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "hot", "*", "*")); err != nil || len(names) != 0 {
		t.Errorf("hot files are left: %v", names)
	}
	positions, err := g.Positions(t.Context())
	if diff := cmp.Diff(map[string]int64{"windows_events": 4, "w3c_iis": 4}, positions); diff != "" || err != nil {
		t.Errorf("positions (-want +got):\n%s%v", diff, err)
	}
	logs, err := w.StreamLogs(t.Context())
	if diff := cmp.Diff([]string{id}, logs); diff != "" || err != nil {
		t.Errorf("logs (-want +got):\n%s%v", diff, err)
	}
}
