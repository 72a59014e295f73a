//go:build cgo

package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/query"
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
	os.Exit(m.Run())
}

// store commits rows as a part of a new log.
func store(t testing.TB, dir string, all ...*datafile.Rows) {
	t.Helper()
	ctx := t.Context()
	w, err := lake.OpenWriter(ctx, dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	log, err := w.BeginLog(ctx, lake.LogInfo{Door: "bulk"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := log.AddSource(ctx, lake.SourceInfo{Kind: "ingest", Host: "sender", Subscription: "test"})
	if err != nil {
		t.Fatal(err)
	}
	part, err := log.BeginPart(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tally := lake.SourceTally{Source: source}
	seq := int64(1)
	for _, rows := range all {
		rows.Number(source, seq, part.IngestedAtUS)
		n := int64(rows.Len())
		tally.Received, tally.Stored, seq = tally.Received+n, tally.Stored+n, seq+n
		if err := part.Sorter(rows.Table()).Add(ctx, rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := part.Commit(ctx, lake.PartResult{Sources: []lake.SourceTally{tally}}); err != nil {
		t.Fatal(err)
	}
}

// ask gives the rows of an answer as objects.
func ask(t testing.TB, dir, text string) []map[string]any {
	t.Helper()
	l, err := lake.Open(t.Context(), dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(t.Context(), engine.Config{ReadDirs: []string{dir}, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	result, err := query.Run(t.Context(), &query.Config{Lake: l, Engine: e, Now: func() time.Time { return testNow }}, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var b bytes.Buffer
	if err := errors.Join(query.WriteJSONLines(&b, result.Rows), result.Close(), e.Close(), l.Close()); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	d := json.NewDecoder(&b)
	d.UseNumber()
	var rows []map[string]any
	for {
		row := map[string]any{}
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			return rows
		} else if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

// sample is a value for a column, as JSON.
func sample(c *column, n int) any {
	switch {
	case c.name == "_ResourceId":
		return fmt.Sprintf("/subscriptions/s%d/resourceGroups/g", n)
	case c.typ == schema.Int || c.typ == schema.Long:
		return json.Number(fmt.Sprint(n + 1))
	case c.typ == schema.Real:
		return json.Number(fmt.Sprintf("%d.5", n))
	}
	return fmt.Sprintf("%s %d <&\"'> ü\r\n\t☃", c.name, n)
}

// viewCases are rows that say what each computed column takes, beside those made
// of every other column alone and of all at once.
var viewCases = map[string][]string{
	"SecurityEvent": {
		`{"EventID":4624,"Account":"CORP\\alice","AccountType":"User","LogonTypeName":"3 - Network","Activity":"4624 - An account was successfully logged on.","Level":"8"}`,
		`{"EventID":4624,"TargetUserName":"PC$","TargetDomainName":"CORP","Account":"CORP\\PC$","AccountType":"Machine","TargetAccount":"CORP\\PC$","SubjectUserName":"-","SubjectDomainName":"-","SubjectAccount":"-\\-"}`,
		`{"EventID":4688,"Account":"CORP\\bob","SubjectAccount":"CORP\\bob","Process":"cmd.exe","NewProcessName":"C:\\Windows\\cmd.exe","Level":"0"}`,
		`{"EventID":4688,"Account":"CORP\\bob","Process":"cmd.exe"}`,
		`{"EventID":4720,"TargetUserName":"new","Account":"\\new"}`,
		`{"EventID":4776,"Account":"alone","TargetAccount":"alone","Level":"16"}`,
		`{"EventID":1,"SubjectAccount":"A\\b","TargetAccount":"C\\d","Account":"A\\b","LogonTypeName":"12345"}`,
		`{"Activity":"5156 - The Windows Filtering Platform has permitted a connection.","EventID":5156}`,
		`{"Activity":"4625 - An account failed to log on."}`, `{"Activity":"99999"}`,
		`{"EventData":"<EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><Data Name=\"Status\">0x0</Data><Data Name=\"KeyLength\">0x80</Data><Data Name=\"DeviceId\">a&amp;b</Data></EventData>","Status":"0x0","KeyLength":128,"DeviceId":"a&b"}`,
		`{"EventData":"<EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><Data Name=\"it's\">1</Data><Binary>00ff</Binary><Data>x</Data></EventData>"}`,
		`{"Channel":"Microsoft-Windows-AppLocker/EXE and DLL","EventSourceName":"Microsoft-Windows-AppLocker"}`,
		`{"Type":"SecurityEvent","SourceSystem":"OpsManager","FileHash":"","TenantId":"00000000-0000-0000-0000-000000000000"}`,
		`{"EventID":0,"Task":0,"LogonType":0,"KeyLength":-5}`,
	},
	"Event": {
		`{"EventLevelName":"Error"}`, `{"EventLevelName":"Information","EventLevel":0}`, `{"UserName":"NT AUTHORITY\\SYSTEM"}`, `{"UserName":"CORP\\bob"}`, `{"UserName":"N/A"}`,
		`{"ParameterXml":"<Param>a</Param><Param>b &amp; c</Param>"}`,
		`{"ParameterXml":"<Param>a</Param>","EventData":"<DataItem Type=\"System.XmlData\"><EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><Data>a</Data></EventData></DataItem>"}`,
		`{"EventData":"<DataItem Type=\"System.XmlData\"><EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><Data Name=\"a\">1</Data></EventData></DataItem>"}`,
		`{"Message":"two\r\nlines","RenderedDescription":"two\r\nlines"}`, `{"EventLevel":5,"EventLevelName":"Verbose","EventCategory":7,"Source":"S","EventLog":"System"}`,
	},
	"WindowsEvent": {
		`{"EventData":{"a":"1","Data":["x","y"]}}`, `{"EventData":{"b":"<&>\"'","a":"","Data":"named"}}`, `{"EventData":{}}`,
		`{"Keywords":"0x8020000000000000"}`, `{"Keywords":"36028797018963968"}`, `{"Keywords":"0x00000000000000ff"}`, `{"Keywords":"0xABC"}`, `{"Keywords":"0x0"}`,
		`{"EventRecordId":"9223372036854775807","Opcode":"12"}`, `{"EventLevelName":"Critical"}`, `{"SystemProcessId":-1,"SystemThreadId":2147483647}`,
		`{"Provider":"Microsoft-Windows-Sysmon","EventData":{"LogonId":"0x1","ProcessId":"4"}}`, `{"TimeGenerated":"1601-01-01T00:00:00.0000001Z"}`,
	},
	"W3CIISLog": {
		`{"csUserAgent":"Mozilla/5.0+(compatible;++http://x)","csUriQuery":"-","csUriStem":"/a b","sComputerName":"WEB1","Computer":"WEB1","sIP":"-"}`,
		`{"Computer":"WEB2","sPort":443,"scBytes":4294967296,"TimeTaken":0}`, `{"csReferer":"-","csCookie":"a=b","csHost":"h"}`, `{"csUserAgent":"-"}`,
		`{"MaliciousIP":"","RemoteIPLatitude":null,"Type":"W3CIISLog"}`,
	},
}

// viewRows makes the rows of a view's test.
func viewRows(t *testing.T, target *Target) []map[string]any {
	t.Helper()
	var rows []map[string]any
	all, slots := map[string]any{}, map[int]bool{}
	for i := range target.columns {
		c := &target.columns[i]
		plain := c.act == actData || c.act == actField || c.act == actAgent || c.act == actServer || c.act == actStore || c.act == actSystem && c.at > slotDamage
		if !plain {
			continue
		}
		v := sample(c, i)
		if c.act == actAgent {
			v = "Mozilla/5.0+(X)++http://y"
		}
		row := map[string]any{c.name: v}
		if c.name == "Qualifiers" {
			row["EventID"] = json.Number("7")
		}
		rows = append(rows, row)
		// Columns that are the same in the event come only alone.
		if c.act == actSystem && slots[c.at] || c.act == actServer {
			continue
		}
		if all[c.name] = v; c.act == actSystem {
			slots[c.at] = true
		}
	}
	rows = append(rows, all)
	for _, text := range viewCases[target.Name] {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		row := map[string]any{}
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		rows = append(rows, row)
	}
	return rows
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestViewsGiveBack sends every column of the views of Windows events and of
// W3CIISLog, alone and together, and asks KQL for what was sent.
func TestViewsGiveBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SecurityEvent", "Event", "WindowsEvent", "W3CIISLog"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, dir := testTarget(t, name), t.TempDir()
			rows := viewRows(t, target)
			var body []byte
			for i, row := range rows {
				if row["TimeGenerated"] == nil {
					row["TimeGenerated"] = fmt.Sprintf("2026-02-01T%02d:%02d:%02d.%07dZ", i/3600, i/60%60, i%60, i)
				}
				body = append(append(body, mustJSON(t, row)...), '\n')
			}
			d, out := newTestDecoder(), &Result{}
			if err := d.Decode(target, JSON, body, out); err != nil {
				t.Fatal(err)
			}
			if out.Rows.Len() != len(rows) {
				t.Fatalf("%d rows of %d", out.Rows.Len(), len(rows))
			}
			store(t, dir, out.Rows)
			check(t, dir, target, rows)
		})
	}
}

// check asks for the columns of the view, and for those of the table beside it.
func check(t *testing.T, dir string, target *Target, rows []map[string]any) {
	t.Helper()
	view := schema.LookupView(target.Name)
	inView := func(name string) bool {
		return slices.ContainsFunc(view.Columns, func(c schema.ViewColumn) bool { return c.Name == name })
	}
	var ofView, ofTable []string
	for _, c := range target.columns {
		if c.act == actOwn || c.act == actSystem && (c.at == slotXML || c.at == slotRecordTime || c.at == slotDamage) {
			continue
		}
		if inView(c.name) {
			ofView = append(ofView, c.name)
		} else {
			ofTable = append(ofTable, c.name)
		}
	}
	compared := 0
	compare := func(got []map[string]any, names []string) {
		t.Helper()
		if len(got) != len(rows) {
			t.Fatalf("%d rows of %d come back", len(got), len(rows))
		}
		sent := slices.Clone(rows)
		slices.SortFunc(sent, func(a, b map[string]any) int {
			return strings.Compare(a["TimeGenerated"].(string), b["TimeGenerated"].(string))
		})
		for i, row := range sent {
			for _, name := range names {
				want, ok := row[name]
				if !ok || want == nil {
					continue
				}
				compared++
				if diff := cmp.Diff(want, got[i][name]); diff != "" {
					t.Errorf("row %v: %s comes back as another (-sent +asked):\n%s", row, name, diff)
				}
			}
		}
	}
	compare(ask(t, dir, target.Name+" | project "+strings.Join(ofView, ", ")+" | sort by TimeGenerated asc"), ofView)
	if len(ofTable) > 0 {
		compare(ask(t, dir, target.Table.Name+" | project TimeGenerated, "+strings.Join(ofTable, ", ")+" | sort by TimeGenerated asc"), ofTable)
	}
	if compared < 2*len(rows) {
		t.Errorf("only %d values of %d rows were compared", compared, len(rows))
	}
	t.Logf("%d values of %d rows", compared, len(rows))
}
