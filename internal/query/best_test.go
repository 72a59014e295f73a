//go:build cgo

package query

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/schema"
)

// TestRowsOfArgMax asks for whole rows of groups, which are looked up in a second
// scan of the same files.
func TestRowsOfArgMax(t *testing.T) {
	c := testLake(t, t.TempDir(), 3)
	for question, want := range map[string]string{
		"windows_events | summarize arg_max(TimeGenerated, EventID, TargetUserName, _Seq, EventXml) by EventID | sort by EventID asc":                                                      "EventID,TimeGenerated,EventID1,TargetUserName,_Seq,EventXml\n4624,2026-03-01T02:09:00.0000007Z,4624,,30,<EventData></EventData></Event>\n4625,2026-03-01T02:06:00.0000007Z,4625,user6,27,<EventData></EventData></Event>\n",
		"windows_events | summarize arg_min(TimeGenerated, EventID, TargetUserName, _Seq, Channel, Task, Version) by EventID | sort by EventID asc | project-away EventID1, Task, Version": "EventID,TimeGenerated,TargetUserName,_Seq,Channel\n4624,2026-03-01T00:00:00.0000007Z,user0,1,Security\n4625,2026-03-01T00:06:00.0000007Z,user6,7,Security\n",
		"SecurityEvent | where EventID == 4624 | summarize arg_max(TimeGenerated, *) by Computer | project Computer, TimeGenerated, EventID, Account, Channel":                             "Computer,TimeGenerated,EventID,Account,Channel\ndc01,2026-03-01T02:09:00.0000007Z,4624,,Security\n",
		// The key of every row is null: any row is right, but there is one.
		"windows_events | summarize arg_max(Qualifiers, EventID, Channel, Provider, EventXml) by Computer, x = EventID - 4624 | project x, Qualifiers, EventID, Channel | sort by x asc": "x,Qualifiers,EventID,Channel\n0,,4624,Security\n1,,4625,Security\n",
		// Groups by something computed, an order by text.
		"windows_events | where isnotempty(TargetUserName) | extend k = strcat(Computer, '!') | summarize arg_max(TargetUserName, EventID, Channel, Provider, EventXml) by k | project-away EventXml | project k, TargetUserName, Channel":              "k,TargetUserName,Channel\ndc01!,user8,Security\n",
		"windows_events | summarize n = count(), arg_max(TimeGenerated, EventID, EventXml), users = dcount(TargetUserName), least = min(TimeGenerated), odd = countif(_Seq % 2 == 1) by id = EventID | sort by id asc | project-away EventXml, EventID": "id,n,TimeGenerated,users,least,odd\n4624,27,2026-03-01T02:09:00.0000007Z,9,2026-03-01T00:00:00.0000007Z,12\n4625,3,2026-03-01T02:06:00.0000007Z,1,2026-03-01T00:06:00.0000007Z,3\n",
		"windows_events | where EventID == 1 | summarize arg_max(TimeGenerated, *) by Computer | count":                                                                                                                                                 "Count\n0\n",
		"windows_events | summarize arg_max(TimeGenerated, EventID, Channel, Provider)":                                                                                                                                                                 "TimeGenerated,EventID,Channel,Provider\n2026-03-01T02:09:00.0000007Z,4624,Security,Microsoft-Windows-Security-Auditing\n",
	} {
		if diff := cmp.Diff(want, ask(t, c, question)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
	for question, second := range map[string]bool{
		"windows_events | summarize arg_max(TimeGenerated, *) by Computer":                                   true,
		"windows_events | where EventID == 1 | sort by EventID | summarize arg_max(TimeGenerated, *) by x=1": false, // by a constant, of rows in order
		"SecurityEvent | summarize arg_max(TimeGenerated, EventData) by Computer":                            true,  // the texts of few events are read
		"windows_events | summarize arg_max(TimeGenerated, EventID) by Computer":                             false, // one column is had for less
		"windows_events | summarize arg_max(TimeGenerated, *), count() by Computer":                          true,
		"windows_events | union SecurityEvent | summarize arg_max(TimeGenerated, *) by Computer":             false,
	} {
		q, err := Compile(question, schema.Builtin(), time.Now())
		if err != nil {
			t.Errorf("%s: %v", question, err)
			continue
		}
		if got := strings.Contains(q.plan.String(), "keep the row with the"); got != second {
			t.Errorf("%s: a second scan: %v\n%s", question, got, q.plan)
		}
	}
}
