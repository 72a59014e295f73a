//go:build cgo

package query

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// TestMain lets the test binary be the query worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == engine.WorkerCommand {
		if err := engine.Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	empty.close()
	os.Exit(code)
}

// day is the first moment of the test lake: each part holds one hour.
var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// testLake writes parts of ten events each, part p in hour p of the day: EventID
// 4624, but 4625 for the seventh of each part; account user<i>, but none for the
// last.
func testLake(t testing.TB, dir string, parts int) *Config {
	t.Helper()
	ctx := t.Context()
	w, err := lake.OpenWriter(ctx, dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log, err := w.BeginLog(ctx, lake.LogInfo{Door: "bulk"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := log.AddSource(ctx, lake.SourceInfo{Kind: "evtx", Host: "dc01", File: "Security.evtx"})
	if err != nil {
		t.Fatal(err)
	}
	for p := range parts {
		part, err := log.BeginPart(ctx)
		if err != nil {
			t.Fatal(err)
		}
		fillPart(ctx, t, part, source, p)
		tally := lake.SourceTally{Source: source}
		tally.Received, tally.Stored = 10, 10
		if err := part.Commit(ctx, lake.PartResult{Sources: []lake.SourceTally{tally}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

func fillPart(ctx context.Context, t testing.TB, part *lake.Part, source int32, p int) {
	t.Helper()
	table := schema.WindowsEvents
	rows := datafile.NewRows(table)
	at := table.Index
	for i := range 10 {
		us, sub := event.FromTime(day.Add(time.Duration(p)*time.Hour + time.Duration(i)*time.Minute + 700)).UnixMicros()
		rows.Begin()
		rows.Int(at("TimeGenerated"), us)
		rows.Int(at("_TimeSub"), int64(sub))
		rows.Int(at("_IngestedAt"), part.IngestedAtUS)
		rows.Int(at("_Source"), int64(source))
		rows.Int(at("_Seq"), int64(p*10+i+1))
		rows.String(at("_Table"), "SecurityEvent")
		rows.Int(at("_SystemForm"), 0)
		rows.String(at("EventXml"), "<EventData></EventData></Event>")
		rows.String(at("Channel"), "Security")
		rows.String(at("Provider"), "Microsoft-Windows-Security-Auditing")
		id := int64(4624)
		if i == 6 {
			id = 4625
		}
		rows.Int(at("EventID"), id)
		rows.String(at("Computer"), "dc01")
		if i < 9 {
			rows.String(at("TargetUserName"), fmt.Sprintf("user%d", i))
		}
		rows.End()
	}
	if err := part.Sorter(table).Add(ctx, rows); err != nil {
		t.Fatal(err)
	}
}

// open opens a lake and an engine for it.
func open(t testing.TB, dir string) *Config {
	t.Helper()
	l, err := lake.Open(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(t.Context(), engine.Config{ReadDirs: []string{dir}, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(e.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	})
	return &Config{Lake: l, Engine: e, Now: func() time.Time { return day.Add(24 * time.Hour) }}
}

// ask gives an answer as CSV.
func ask(t testing.TB, c *Config, text string) string {
	t.Helper()
	result, err := Run(t.Context(), c, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var b strings.Builder
	if err := errors.Join(WriteCSV(&b, result.Rows), result.Close(), result.Close()); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b.String()
}

func TestAnswers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a lake's ü % folder")
	c := testLake(t, dir, 4)
	for question, want := range map[string]string{
		"SecurityEvent | count":                          "Count\n40\n",
		"windows_events | where EventID == 4625 | count": "Count\n4\n",
		"Event | count":                                  "Count\n0\n",
		"Syslog | take 3 | project Computer":             "Computer\n",
		"SecurityEvent | where EventID == 4625 | project TimeGenerated, TargetUserName | sort by TimeGenerated asc | take 2":      "TimeGenerated,TargetUserName\n2026-03-01T00:06:00.0000007Z,user6\n2026-03-01T01:06:00.0000007Z,user6\n",
		"SecurityEvent | summarize n = count(), u = dcount(TargetUserName) by bin(TimeGenerated, 2h) | sort by TimeGenerated asc": "TimeGenerated,n,u\n2026-03-01T00:00:00.0000000Z,20,10\n2026-03-01T02:00:00.0000000Z,20,10\n",
		"SecurityEvent | where TimeGenerated > ago(22h) | summarize count() by EventID | sort by EventID asc":                     "EventID,count_\n4624,18\n4625,2\n",
		"windows_events | where isempty(TargetUserName) | count":                                                                  "Count\n4\n",
		"windows_events | take 1 | project x = strlen(_Xml) > 100":                                                                "x\ntrue\n",
		"sources | project Host, File": "Host,File\ndc01,Security.evtx\n",
	} {
		if diff := cmp.Diff(want, ask(t, c, question)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
}

// TestFilesRead holds which files a question opens.
func TestFilesRead(t *testing.T) {
	c := testLake(t, t.TempDir(), 6)
	point, err := c.Lake.Pin(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = point.Close() }()
	for question, want := range map[string]int{
		"windows_events | count": 6,
		"windows_events | where TimeGenerated between (datetime(2026-03-01T02:00:00) .. datetime(2026-03-01T03:30:00)) | count": 2,
		"SecurityEvent | where TimeGenerated >= datetime(2026-03-01T04:00:00) and EventID == 4625 | count":                      2,
		"SecurityEvent | where EventID == 1 | count":                                                                            0,
		"SecurityEvent | where Computer == 'elsewhere' | count":                                                                 0,
		"SecurityEvent | where EventID == 4625 or Level == 1":                                                                   6,
		"SecurityEvent | where EventID != 4625 | count":                                                                         6,
		"SecurityEvent | where TimeGenerated < ago(7d) | take 5":                                                                0,
		"windows_events | take 11":                                                                                              2,
		"windows_events | take 11 | project EventID":                                                                            2,
		"windows_events | where EventID == 4625 | take 11":                                                                      6,
		"windows_events | sort by EventID asc | take 11":                                                                        6,
		"windows_events | summarize count() by EventID | take 11":                                                               6,
	} {
		q, err := Compile(question, schema.Builtin(), day.Add(24*time.Hour))
		if err != nil {
			t.Errorf("%s: %v", question, err)
			continue
		}
		ask, err := q.over(point)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(ask.Scans[0].Files); got != want {
			t.Errorf("%s reads %d files, want %d", question, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	c := testLake(t, t.TempDir(), 1)
	for question, want := range map[string]string{
		"SecurityEvent | where EventId == 1": "cannot run the question: ",
		"SecurityEvnt | count":               "cannot run the question: ",
		"SecurityEvent |":                    "cannot run the question: ",
		"":                                   "cannot run the question: ",
	} {
		_, err := Run(t.Context(), c, question)
		var mistake *Error
		if !errors.As(err, &mistake) || !strings.HasPrefix(err.Error(), want) || mistake.ExitCode() != 2 || !strings.Contains(mistake.Detail(), "^") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", question, err)
		}
	}
}

func TestTables(t *testing.T) {
	c := testLake(t, t.TempDir(), 3)
	infos, err := Tables(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]TableInfo{}
	for _, i := range infos {
		found[i.Name] = i
	}
	for name, rows := range map[string]int64{"SecurityEvent": 30, "Event": 0, "windows_events": 30, "W3CIISLog": 0, "sources": 1, "ledger": 3} {
		if got, ok := found[name]; !ok || got.Rows != rows || got.From == "" {
			t.Errorf("%s: %+v, want %d rows", name, got, rows)
		}
	}
	if got := found["SecurityEvent"]; !got.View || got.First.String() != "2026-03-01T00:00:00.0000007Z" || got.Last.String() != "2026-03-01T02:09:00.0000007Z" {
		t.Errorf("SecurityEvent from %s to %s", got.First, got.Last)
	}
	if got := found["windows_events"]; got.View || got.First.String() != "2026-03-01T00:00:00.0000000Z" || got.Last.String() != "2026-03-01T02:09:00.0000000Z" {
		t.Errorf("windows_events from %s to %s", got.First, got.Last)
	}
}

// TestWriters prints values of every type in every format.
func TestWriters(t *testing.T) {
	c := testLake(t, t.TempDir(), 1)
	const question = `print a = true, b = int(3), c = long(null), d = 1.5, e = real(nan), f = real(+inf), h = "q\"uo,te\n", i = datetime(2024-02-29T01:02:03.1234567), j = 1d + 2h, k = guid(74be27de-1e4e-49d9-b579-fe0b331d3642)`
	for format, want := range map[string]string{
		"json":  `{"columns":[{"name":"a","type":"bool"},{"name":"b","type":"int"},{"name":"c","type":"long"},{"name":"d","type":"real"},{"name":"e","type":"real"},{"name":"f","type":"real"},{"name":"h","type":"string"},{"name":"i","type":"datetime"},{"name":"j","type":"timespan"},{"name":"k","type":"guid"}],"rows":[` + "\n" + `[true,3,null,1.5,"NaN","Infinity","q\"uo,te\n","2024-02-29T01:02:03.1234567Z","1.02:00:00","74be27de-1e4e-49d9-b579-fe0b331d3642"]]}` + "\n",
		"jsonl": `{"a":true,"b":3,"c":null,"d":1.5,"e":"NaN","f":"Infinity","h":"q\"uo,te\n","i":"2024-02-29T01:02:03.1234567Z","j":"1.02:00:00","k":"74be27de-1e4e-49d9-b579-fe0b331d3642"}` + "\n",
		"csv":   "a,b,c,d,e,f,h,i,j,k\ntrue,3,,1.5,NaN,Infinity,\"q\"\"uo,te\n\",2024-02-29T01:02:03.1234567Z,1.02:00:00,74be27de-1e4e-49d9-b579-fe0b331d3642\n",
	} {
		result, err := Run(t.Context(), c, question)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		switch format {
		case "json":
			err = WriteJSON(&b, result.Rows)
		case "jsonl":
			err = WriteJSONLines(&b, result.Rows)
		default:
			err = WriteCSV(&b, result.Rows)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" || err != nil || result.Close() != nil {
			t.Errorf("%s: %v (-want +got):\n%s", format, err, diff)
		}
	}
}

// TestOptions holds what set statements do.
func TestOptions(t *testing.T) {
	c := testLake(t, t.TempDir(), 2)
	for question, want := range map[string]string{
		"set truncationmaxrecords = 3; windows_events | project EventID":                                         "cut 3",
		"set truncationmaxrecords=20; windows_events | project EventID":                                          "whole 20",
		"set truncationmaxrecords=3; set notruncation; windows_events | project EventID":                         "whole 20",
		"set notruncation=false; set truncationmaxrecords=3; windows_events | project EventID":                   "cut 3",
		"set truncationmaxsize=1; windows_events | project EventID":                                              "cut 1",
		"set query_take_max_records=4; windows_events | project EventID":                                         "whole 4",
		"let a = now(); set query_now = datetime(2026-03-01T01:05:30); windows_events | where TimeGenerated > a": "whole 4",
		"set servertimeout = 1m; windows_events | project EventID":                                               "whole 20",
		"set servertimeout = time(00:00:00.0000001); windows_events | project EventID":                           "the question took too long",
		"set truncationmaxrecords; print 1":                                                                      "set truncationmaxrecords needs a value of type long",
		"set truncationmaxrecords = 0; print 1":                                                                  "needs a number above 0",
		"set truncationmaxrecords = 'x'; print 1":                                                                "set truncationmaxrecords needs a value of type long",
		"set query_now = 5; print 1":                                                                             "set query_now needs a value of type datetime",
		"set servertimeout = 0s; print 1":                                                                        "servertimeout must be above 0",
		"set best_effort; print 1":                                                                               "set best_effort is not supported",
	} {
		result, err := Run(t.Context(), c, question)
		got := ""
		if err == nil {
			for result.Next() {
				continue
			}
			got = fmt.Sprintf("whole %d", result.Count())
			if cut := result.Cut(); cut != "" {
				got = fmt.Sprintf("cut %d", result.Count())
				if !strings.Contains(cut, "the result is cut after") {
					t.Errorf("%s: %s", question, cut)
				}
			}
			err = result.Close()
		}
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s\ngot  %s\nwant %s", question, got, want)
		}
	}
}
