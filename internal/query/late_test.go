//go:build cgo

package query

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/schema"
)

// TestLateRows asks for the texts of rows that a condition on other columns finds:
// the names of the rows are looked for first, their columns read then.
func TestLateRows(t *testing.T) {
	c := testLake(t, t.TempDir(), 3)
	const xml = "<EventData></EventData></Event>"
	for question, want := range map[string]string{
		"windows_events | where TargetUserName has 'user3' | project _Seq, EventXml | sort by _Seq asc":                                                          "_Seq,EventXml\n4," + xml + "\n14," + xml + "\n24," + xml + "\n",
		"windows_events | where TargetUserName contains 'SER3' and EventID == 4624 | project _Seq, EventXml | top 2 by _Seq desc":                                "_Seq,EventXml\n24," + xml + "\n14," + xml + "\n",
		"windows_events | extend k = strcat(TargetUserName, '!') | where k == 'user6!' | project k, EventID, EventXml | take 1":                                  "k,EventID,EventXml\nuser6!,4625," + xml + "\n",
		"SecurityEvent | where Account == @'\\user6' | project EventID, Account, EventData | take 1":                                                             "EventID,Account,EventData\n4625,\\user6,\"<EventData xmlns=\"\"http://schemas.microsoft.com/win/2004/08/events/event\"\"></EventData>\"\n",
		"windows_events | where _SourceFile == 'Security.evtx' and TargetUserName startswith 'user8' | project _Seq, EventXml | sort by _Seq asc | project _Seq": "_Seq\n9\n19\n29\n",
		"windows_events | where TargetUserName has 'nobody' | project EventXml":                                                                                  "EventXml\n",
	} {
		if diff := cmp.Diff(want, ask(t, c, question)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
	for question, late := range map[string]bool{
		"windows_events | where TargetUserName has 'x' | project EventXml":                  true,
		"windows_events | where TargetUserName has 'x' | top 5 by TimeGenerated":            true,
		"windows_events | where EventXml has 'x'":                                           true,  // the other columns are many
		"windows_events | where EventXml has 'x' | project EventXml, EventID":               false, // and here few and short
		"windows_events | where TargetUserName == 'x' | project EventXml":                   false, // DuckDB's reader does that itself
		"windows_events | where TargetUserName !has 'x' | project EventXml":                 false, // most rows meet it
		"windows_events | where Channel has 'x' | project EventXml":                         false, // many rows at a time do
		"windows_events | where TargetUserName has 'x' | summarize max(EventXml)":           false,
		"windows_events | where TargetUserName has 'x' and rand() < 0.5 | project EventXml": false, // it would be thrown twice
		"sources | where File has 'x'":                                                      false,
	} {
		q, err := Compile(question, schema.Builtin(), time.Now())
		if err != nil {
			t.Errorf("%s: %v", question, err)
			continue
		}
		if got := strings.Contains(q.statement.SQL, "SEMI JOIN"); got != late {
			t.Errorf("%s: read late: %v\n%s", question, got, q.statement.SQL)
		}
	}
}
