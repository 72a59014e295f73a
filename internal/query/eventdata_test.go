//go:build cgo

package query

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/kql/syntax"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/schema"
)

// bags is EventData of every event as a question gives the whole of it.
type bags struct {
	config *Config
	// json is by _Source and _Seq; no text is null.
	json  map[[2]int64][]byte
	names []string
}

// readBags asks for the whole of every event's EventData.
func readBags(t *testing.T, c *Config) *bags {
	t.Helper()
	b := &bags{config: c, json: map[[2]int64][]byte{}}
	names := map[string]bool{}
	b.each(t, "project _Source, _Seq, EventData", func(r *Result) {
		v := slices.Clone(r.Text(2))
		if r.Null(2) {
			v = nil
		}
		b.json[[2]int64{r.Int(0), r.Int(1)}] = v
		for it := dyn.Walk(v); it.Next(); {
			names[string(dyn.Unquote(nil, it.Key))] = true
		}
	})
	b.names = slices.Sorted(maps.Keys(names))
	return b
}

// each calls f for the rows of a question over windows_events.
func (b *bags) each(t *testing.T, operators string, f func(*Result)) {
	t.Helper()
	r, err := Run(t.Context(), b.config, "set notruncation; windows_events | "+operators)
	if err != nil {
		t.Fatalf("%.200s: %v", operators, err)
	}
	for r.Next() {
		f(r)
	}
	if err := r.Close(); err != nil {
		t.Fatalf("%.200s: %v", operators, err)
	}
}

func field(name string) string { return "EventData[" + syntax.Quote(name) + "]" }

// compare asks for names of EventData one by one and holds the answers to those of
// the whole.
func (b *bags) compare(t *testing.T, names []string) {
	t.Helper()
	const atOnce = 24
	for batch := range slices.Chunk(names, atOnce) {
		var ask, count strings.Builder
		ask.WriteString("project _Source, _Seq")
		count.WriteString("summarize rows = count()")
		for i, n := range batch {
			fmt.Fprintf(&ask, ", v%d = %s, t%d = tostring(%s)", i, field(n), i, field(n))
			fmt.Fprintf(&count, ", n%d = countif(isnull(%s)), e%d = countif(isempty(%s))", i, field(n), i, field(n))
		}
		nulls, empties, rows := make([]int64, len(batch)), make([]int64, len(batch)), 0
		b.each(t, ask.String(), func(r *Result) {
			rows++
			whole := b.json[[2]int64{r.Int(0), r.Int(1)}]
			for i, n := range batch {
				want := dyn.Find(whole, dyn.Path{dyn.Member(n)})
				text := dyn.Text(nil, want)
				if want == nil {
					nulls[i]++
				}
				if len(text) == 0 {
					empties[i]++
				}
				if got := r.Text(2 + 2*i); string(got) != string(want) || r.Null(2+2*i) != (want == nil) {
					t.Fatalf("%s is %s (null %v), want %s of %s", field(n), got, r.Null(2+2*i), want, whole)
				}
				if got := r.Text(3 + 2*i); string(got) != string(text) {
					t.Fatalf("tostring(%s) is %s, want %s", field(n), got, text)
				}
			}
		})
		if rows != len(b.json) {
			t.Fatalf("%d rows, want %d", rows, len(b.json))
		}
		b.each(t, count.String(), func(r *Result) {
			for i, n := range batch {
				if r.Int(1+2*i) != nulls[i] || r.Int(2+2*i) != empties[i] {
					t.Fatalf("%s: isnull of %d, isempty of %d rows, want %d and %d", field(n), r.Int(1+2*i), r.Int(2+2*i), nulls[i], empties[i])
				}
			}
		})
	}
}

// find looks for the events with a value of each name, which the most have.
func (b *bags) find(t *testing.T, names []string) {
	t.Helper()
	for _, n := range names {
		values := map[string]int64{}
		for _, whole := range b.json {
			if v := dyn.Find(whole, dyn.Path{dyn.Member(n)}); dyn.KindOf(v) == dyn.String {
				values[string(dyn.Text(nil, v))]++
			}
		}
		delete(values, "")
		most := ""
		for v, count := range values {
			if count > values[most] || count == values[most] && v < most {
				most = v
			}
		}
		quoted := syntax.Quote(most)
		for _, where := range []string{field(n) + " == " + quoted, "tostring(" + field(n) + ") in (" + quoted + ", 'no such')"} {
			b.each(t, "where "+where+" | count", func(r *Result) {
				want := values[most]
				if most == "" { // no event has a value
					want = r.Int(0)
				}
				if r.Int(0) != want {
					t.Errorf("%s: %d rows, want %d", where, r.Int(0), want)
				}
			})
		}
	}
}

// numbers compares what is made of values that look like numbers.
func (b *bags) numbers(t *testing.T, names []string) {
	t.Helper()
	var ask strings.Builder
	ask.WriteString("extend Whole = todynamic(tostring(EventData)) | summarize rows = count()")
	for i, n := range names {
		whole := "Whole[" + syntax.Quote(n) + "]"
		for j, f := range []string{"tolong(%s)", "toint(%s)", "toreal(%s)", "tobool(%s)", "%s == 3", "%s > 3", "%s in (3, 4)", "gettype(%s) == 'string'", "tostring(todatetime(%s))"} {
			x, y := fmt.Sprintf(f, field(n)), fmt.Sprintf(f, whole)
			fmt.Fprintf(&ask, ", d%d_%d = countif(isnull(%s) != isnull(%s) or (%s) != (%s))", i, j, x, y, x, y)
		}
	}
	b.each(t, ask.String(), func(r *Result) {
		for i, c := range r.Columns() {
			if i > 0 && r.Int(i) != 0 {
				t.Errorf("%s: %d rows differ", c.Name, r.Int(i))
			}
		}
	})
}

// columnNames are the names of EventData that have a column, and their aliases.
func columnNames() []string {
	var names []string
	for i := range schema.WindowsEvents.Columns {
		for _, n := range schema.EventDataNames(schema.WindowsEvents, &schema.WindowsEvents.Columns[i]) {
			names = append(names, n.Name)
		}
	}
	return names
}

// TestEventDataOfCorpus asks for every field of every real event by its name, and
// holds the answer to what the whole of EventData has: the columns of fields, the
// function that reads one, and the function that reads all say the same.
func TestEventDataOfCorpus(t *testing.T) {
	corpus := os.Getenv("WADI_CORPUS")
	if corpus == "" {
		t.Skip("WADI_CORPUS is not set: no real events to read")
	}
	files, err := evtxtest.SortedFiles(corpus)
	if err != nil || len(files) == 0 {
		t.Fatal("no logs in the corpus", err)
	}
	dir := t.TempDir()
	w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bulk.Import(t.Context(), bulk.Config{Writer: w, Paths: files}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := readBags(t, open(t, dir))
	columns := columnNames()
	others := slices.DeleteFunc(slices.Clone(b.names), func(n string) bool { return slices.Contains(columns, n) })
	few := append([]string{"Data", "Binary", "", "no such name"}, others...)
	if os.Getenv("WADI_SLOW") == "" { // some of them
		few = few[:4]
		for i := 0; i < len(others); i += 1 + len(others)/40 {
			few = append(few, others[i])
		}
	}
	t.Logf("%d events, %d names of which %d have columns; %d others are asked for", len(b.json), len(b.names), len(b.names)-len(others), len(few))
	if len(b.json) < 20_000 || len(others) < 200 {
		t.Fatal("the corpus is smaller than it was")
	}
	b.compare(t, append(slices.Clone(columns), few...))
	numbers := []string{"LogonType", "ProcessId", "KeyLength", "DestinationPort", "GrantedAccess", "Status"}
	if os.Getenv("WADI_SLOW") == "" {
		columns, numbers = columns[:20], numbers[:2]
	}
	b.numbers(t, numbers)
	b.find(t, columns)
}

// texts is a feed of events, one block of them.
type texts []string

func (f texts) Blocks() int      { return 1 }
func (f texts) Kind() string     { return "demo" }
func (f texts) Key(int) [32]byte { return sha256.Sum256([]byte(strings.Join(f, ""))) }

func (f texts) Fill(_ int, b *bulk.Block) error {
	b.Host = "h"
	for _, text := range f {
		b.Events.Events = append(b.Events.Events, event.Event{XML: b.Events.Append([]byte(text))})
	}
	return nil
}

// oddEvents are events whose EventData is unusual, by provider and what stands behind
// System.
var oddEvents = [][2]string{
	{"p", "<EventData><Data Name='TargetUserName'>a</Data><Data Name='TargetUserName'>b</Data><Data Name='x'>1</Data><Data Name='x'>2</Data></EventData>"},
	{"p", "<EventData><Data Name='TargetUserName'></Data><Data Name='x'/></EventData>"},
	{"p", "<EventData><Data>1</Data><Data Name='TargetUserName'>a</Data><Data/><Data>3</Data><Binary>00</Binary></EventData>"},
	{"p", "<EventData><Data>1</Data><Data Name='Data'>named</Data></EventData>"},
	{"p", "<EventData><Data Name=''>1</Data><TargetUserName>element</TargetUserName><ComplexData Name='LogonType'>3</ComplexData></EventData>"},
	{"p", "<EventData/>"},
	{"p", "<EventData></EventData>"},
	{"p", "<UserData><x><SubjectUserName>no</SubjectUserName></x></UserData>"},
	{"p", "<EventData><Data Name='x'>1</Data></EventData><EventData><Data Name='TargetUserName'>second</Data><Data Name='x'>2</Data></EventData>"},
	{"p", "<RenderingInfo Culture='x'><Message>m</Message></RenderingInfo><EventData><Data Name='TargetUserName'>late</Data></EventData>"},
	{"p", "<EventData><Data Name='TargetUserName'>&lt;&amp;&#1;&#x1F;\t\"\\&quot;é</Data><Data Name='x'>&#31;\x7f\"</Data><Data Name='a&quot;b'>q</Data></EventData>"},
	{"p", "<EventData><Data Name='TargetUserName'>null</Data><Data Name='LogonType'>0x3</Data><Data Name='x'>3</Data></EventData>"},
	{"p", "<EventData><Data Name='LogonType'> 3 </Data><Data Name='KeyLength'>3.0</Data><Data Name='Status'>99999999999</Data></EventData>"},
	{"p", "<EventData><Data Name='LogonType'>0xFFFFFFFFFFFFFFFF</Data><Data Name='KeyLength'>true</Data><Data Name='Status'>2026-01-01</Data></EventData>"},
	{"p", "<EventData><Data Name='TargetUserName'>damaged</Data><Data Name='TargetDomainName'>cut"},
	{"p", "<EventData><Data Name='TargetUserName'>" + strings.Repeat("x", eventxml.MaxValues) + "</Data><Data Name='x'>long</Data></EventData>"},
	{"p", "<EventData><Data Name='TargetUserName'>" + strings.Repeat("x", eventxml.MaxValues-len("<EventData><Data Name='TargetUserName'></Data></EventData></Event>")) + "</Data></EventData>"},
	{"Microsoft-Windows-Security-Auditing", "<EventData><Data Name='ProcessID'>4</Data><Data Name='LogonId'>0x1</Data></EventData>"},
	{"Microsoft-Windows-Security-Auditing", "<EventData><Data Name='ProcessID'>4</Data><Data Name='ProcessId'>8</Data></EventData>"},
	{"Microsoft-Windows-Security-Auditing", "<EventData><Data Name='ProcessId'>8</Data><Data Name='ProcessID'>4</Data></EventData>"},
	{"Microsoft-Windows-Sysmon", "<EventData><Data Name='LogonId'>0x1</Data><Data Name='ProcessID'>4</Data><Data Name='ProcessId'>5</Data></EventData>"},
	{"Microsoft-Windows-Sysmon", "<EventData><Data Name='LogonId'>0x1</Data><Data Name='LogonID'>0x2</Data></EventData>"},
	{"p", "<EventData><Data Name='LogonId'>0x1</Data><Data Name='LogonID'>0x2</Data><Data Name='ProcessID'>4</Data></EventData>"},
	{"Microsoft-Windows-Eventlog", "<UserData><LogFileCleared><SubjectUserName>a&amp;b</SubjectUserName><SubjectLogonId></SubjectLogonId><Channel>c</Channel></LogFileCleared></UserData>"},
	{"Microsoft-Windows-Eventlog", "<EventData><Data Name='SubjectUserName'>data</Data></EventData><UserData><x><SubjectUserName>user</SubjectUserName><SubjectUserSid>S-1</SubjectUserSid></x></UserData>"},
	{"Microsoft-Windows-Eventlog", "<UserData><x><SubjectUserSid>S-1</SubjectUserSid></x></UserData><EventData><Data>1</Data></EventData>"},
	{"Microsoft-Windows-Eventlog", "<UserData><x><Channel>c</Channel></x></UserData>"},
}

// short leaves out events with long texts, which every question would read.
func short() [][2]string {
	return slices.DeleteFunc(slices.Clone(oddEvents), func(e [2]string) bool { return len(e[1]) > 1000 })
}

func oddLake(t *testing.T, events [][2]string) *bags {
	t.Helper()
	dir := t.TempDir()
	w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var feed texts
	for i, e := range events {
		text := fmt.Sprintf("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='%s'/><EventID>%d</EventID>"+
			"<TimeCreated SystemTime='2026-03-01T00:00:00.0000000Z'/><Channel>c</Channel><Computer>h</Computer></System>%s", e[0], i, e[1])
		if strings.HasSuffix(e[1], ">") {
			text += "</Event>"
		}
		feed = append(feed, text)
	}
	got, err := bulk.ImportFeed(t.Context(), bulk.Config{Writer: w}, feed)
	if err != nil || got.Stored != int64(len(events)) {
		t.Fatalf("%+v %v", got, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return readBags(t, open(t, dir))
}

// TestOddEventData does the same with events that no computer wrote yet.
func TestOddEventData(t *testing.T) {
	all := oddLake(t, oddEvents)
	names := append(columnNames(), all.names...)
	names = append(names, "Data", "Binary", "", "no such name", "ComplexData", "Channel")
	slices.Sort(names)
	names = slices.Compact(names)
	all.compare(t, names)
	b := oddLake(t, short())
	b.find(t, names)
	b.numbers(t, []string{"LogonType", "KeyLength", "Status", "ProcessId", "x", "TargetUserName"})
	const table = "windows_events | where EventID == "
	for question, want := range map[string]string{
		table + "0 | project EventData.TargetUserName, EventData.x, EventData":                                                                                                  "a,1,\"{\"\"TargetUserName\"\":\"\"a\"\",\"\"x\"\":\"\"1\"\"}\"\n",
		table + "1 | project isnull(EventData.TargetUserName), isnull(EventData.LogonType)":                                                                                     "false,true\n",
		table + "2 | project tostring(EventData.Data), EventData.Data[1], EventData.Data[-1]":                                                                                   "\"[\"\"1\"\",\"\"\"\",\"\"3\"\"]\",,3\n",
		table + "21 | project tostring(EventData.SubjectUserName), EventData.Channel":                                                                                           "a&b,\n",
		table + "8 | project strcat(EventData.TargetUserName, '!', EventData.x)":                                                                                                "second!1\n",
		"windows_events | getschema | where ColumnName == 'EventData' | count":                                                                                                  "0\n",
		"windows_events | where EventData.TargetUserName has 'element' | count":                                                                                                 "1\n",
		"windows_events | where EventData.TargetUserName != 'a' | count":                                                                                                        fmt.Sprint(len(short())-2) + "\n",
		"windows_events | where EventData.LogonType == 3 | count":                                                                                                               "3\n",
		"windows_events | where EventData.LogonType !in (3, 4) | count":                                                                                                         fmt.Sprint(len(short())-3) + "\n",
		"windows_events | where EventID == 0 | take 1 | join kind=rightouter (print EventID = 77) on EventID | project isnull(EventData.TargetUserName), tostring(EventData.x)": "true,\n",
		"let x = materialize(windows_events | where EventID == 0); x | union x | project tostring(EventData.TargetUserName)":                                                    "a\na\n",
		"let x = materialize(windows_events | where EventID < 3); x | where EventData.TargetUserName != 'b' | join kind=inner (x | project EventID, u = tostring(EventData.x), isnull(EventData.nothing)) on EventID" +
			" | project EventID, u, Column1, tostring(EventData.TargetUserName), n = isnull(EventData.TargetUserName) | sort by EventID asc": "0,1,true,a,false\n1,,true,,false\n2,,true,a,false\n",
		"windows_events | where EventID < 3 | as x | where EventData.x == '1' | union x | summarize count(), dcount(tostring(EventData.x))":                                               "4,2\n",
		"windows_events | where EventID == 0 | evaluate bag_unpack(EventData) : (TargetUserName:string, x:string) | project TargetUserName, x":                                            "a,1\n",
		"windows_events | where EventID == 0 | project EventData | extend n = tolong(EventData.x) | project-rename b = EventData | project n, extract_json('$.TargetUserName', b), b.x.y": "1,a,\n",
	} {
		_, got, _ := strings.Cut(ask(t, b.config, question), "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
}

// TestEventDataUsesColumns tells by the files' columns that a question reads which
// way a field is found.
func TestEventDataUsesColumns(t *testing.T) {
	for question, want := range map[string]string{
		"windows_events | where tostring(EventData.TargetUserName) == 'x' | count": "TargetUserName",
		"WindowsEvent | where EventData.CommandLine has 'x' | count":               "_Table CommandLine",
		"WindowsEvent | project EventData.SubjectUserName":                         "_Table SubjectUserName",
		"windows_events | where EventData.FilterRTID == 'x' | count":               "EventXml",
		"windows_events | where EventData.ProcessId == '4' | count":                "EventXml Provider ProcessId",
		"windows_events | summarize count() by tostring(EventData.Image)":          "Image",
	} {
		q, err := Compile(question, schema.Builtin(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range q.statement.Scans[0].Columns {
			got = append(got, q.statement.Scans[0].Table.Columns[i].Name)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
}

// passing are operators that pass columns on, or some of them.
var passing = []string{
	"where EventID > 3", "extend Bag = EventData | project-away Bag", "project-rename E = EventData | project-rename EventData = E", "project EventID, EventData",
	"sort by EventRecordId desc, EventID asc", "top 5 by EventID", "take 30", "serialize r = row_number()", "sort by EventID asc | extend p = prev(EventID)",
	"extend (a, b, c, d, e, f, g) = series_stats(dynamic([1, 2]))",
	"mv-expand x = dynamic([1, 2]) to typeof(long)",
	"mv-apply x = dynamic([1, 2]) to typeof(long) on (where x > 1)",
	"mv-apply x = dynamic([1, 2]) to typeof(long) on (summarize s = sum(x))",
	"mv-apply x = dynamic([1, 2]) to typeof(long) on (top 1 by x)",
	"mv-apply x = EventData.Data to typeof(string) on (project x, y = tostring(EventData.TargetUserName))",
	"parse Provider with 'Microsoft' Rest", "parse-where Provider with * 'p' *",
	"join kind=inner (range EventID from 0 to 30 step 1) on EventID", "join kind=innerunique (range EventID from 0 to 30 step 1) on EventID",
	"join kind=leftouter (print EventID = 3) on EventID", "join kind=fullouter (range EventID from 20 to 40 step 1) on EventID",
	"join kind=leftsemi (print EventID = 3) on EventID", "join kind=leftanti (print EventID = 3) on EventID", "lookup (print EventID = 3, z = 1) on EventID",
	"project EventID | join kind=rightouter (windows_events | where EventID < 9 | project EventID, EventData) on EventID",
	"project EventID | join kind=leftouter (windows_events | where EventID < 9 | project EventID, EventData) on EventID",
	"project EventID, EventData | union (windows_events | project EventID, EventData)", "as T | union T",
	"where EventID in ((windows_events | where EventData.TargetUserName == 'a' | project EventID))",
	"summarize arg_max(EventID, *), EventData = take_any(EventData) by Provider", "summarize EventData = take_any(EventData) by EventID", "summarize arg_min(EventID, EventData)",
	"evaluate bag_unpack(EventData, 'p_') | join kind=inner (windows_events | project _Seq, EventData) on _Seq",
	"invoke f()", "invoke g()",
}

// TestEventDataBehindOperators asks for fields behind operators: where the bag is
// passed on, the columns that a field is of must be too.
func TestEventDataBehindOperators(t *testing.T) {
	b := oddLake(t, short())
	names := []string{"TargetUserName", "x", "ProcessId", "SubjectUserName", "Data"}
	for _, operators := range passing {
		var question strings.Builder
		question.WriteString("set notruncation; let f = (T:(*)) { T | where true }; let g = (T:(EventID:int, EventData:dynamic)) { T | extend q = EventData.x };" +
			"windows_events | " + operators + " | extend Whole = todynamic(tostring(EventData)) | summarize count()")
		for _, n := range names {
			fmt.Fprintf(&question, ", countif(tostring(EventData.%s) != tostring(Whole.%s) or isnull(EventData.%s) != isnull(Whole.%s))", n, n, n, n)
		}
		r, err := Run(t.Context(), b.config, question.String())
		if err != nil {
			t.Errorf("%s: %v", operators, err)
			continue
		}
		for r.Next() {
			if r.Int(0) == 0 {
				t.Errorf("%s: no rows", operators)
			}
			for i, n := range names {
				if r.Int(i+1) != 0 {
					t.Errorf("%s: EventData.%s is another in %d of %d rows", operators, n, r.Int(i+1), r.Int(0))
				}
			}
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: %v", operators, err)
		}
	}
}
