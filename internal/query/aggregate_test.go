//go:build cgo

package query

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAggregates runs the questions of testdata/aggregates.txt, about what no recorded
// answer covers: plugins, edges of make-series, and choices that docs/guide/kql.md
// tells. The form of the file is that of TestDynamics.
func TestAggregates(t *testing.T) { checkQuestions(t, "testdata/aggregates.txt", 60) }

// TestStoredRows asks a lake of three files what hangs on its rows' order, on a Go
// operator between two parts of SQL, or on columns that the data makes.
func TestStoredRows(t *testing.T) {
	c := testLake(t, t.TempDir(), 3)
	for _, q := range [][]string{
		{
			"SecurityEvent | extend Hour = bin(TimeGenerated, 1h) | extend ID = tostring(EventID) | evaluate pivot(ID, count(), Hour) | sort by Hour asc",
			"Hour,4624,4625", "2026-03-01T00:00:00.0000000Z,9,1", "2026-03-01T01:00:00.0000000Z,9,1", "2026-03-01T02:00:00.0000000Z,9,1",
		},
		{
			"SecurityEvent | summarize n = count() by ID = strcat('e', EventID) | summarize b = make_bag(bag_pack(ID, n)) | evaluate bag_unpack(b) | extend total = e4624 + e4625",
			"e4624,e4625,total", "27,3,30",
		},
		{
			"SecurityEvent | make-series n = count() on TimeGenerated from datetime(2026-03-01) to datetime(2026-03-01 04:00) step 1h by EventID | extend series_stats(n) | where series_stats_n_max < 5 | project EventID, n, series_stats_n_avg",
			"EventID,n,series_stats_n_avg", `4625,"[1,1,1,0]",0.75`,
		},
		{
			"SecurityEvent | sort by TimeGenerated desc | extend gap = prev(TimeGenerated) - TimeGenerated, n = row_number() | summarize count(), min(gap), max(gap), max(n), countif(gap < 0s)",
			"count_,min_gap,max_gap,max_n,countif_", "30,00:01:00,00:51:00,30,0",
		},
		{
			"SecurityEvent | sort by TimeGenerated desc | summarize hours = make_list(hourofday(TimeGenerated), 12), ids = make_set(EventID)",
			"hours,ids", `"[2,2,2,2,2,2,2,2,2,2,1,1]","[4624,4625]"`,
		},
		{
			"SecurityEvent | project EventID, Channel | evaluate basket(0.2) | project Count, Percent, EventID, Channel",
			"Count,Percent,EventID,Channel", "30,100,,Security", "27,90,4624,Security", "27,90,4624,",
		},
		{
			"SecurityEvent | summarize arg_max(TimeGenerated, *) by EventID | project EventID, TimeGenerated, Channel | sort by EventID asc",
			"EventID,TimeGenerated,Channel", "4624,2026-03-01T02:09:00.0000007Z,Security", "4625,2026-03-01T02:06:00.0000007Z,Security",
		},
		{
			"SecurityEvent | summarize take_any(EventID, Channel), percentiles(EventID, 50, 99), dcount(TimeGenerated)",
			"EventID,Channel,percentile_EventID_50,percentile_EventID_99,dcount_TimeGenerated", "4624,Security,4624,4625,30",
		},
	} {
		if diff := cmp.Diff(strings.Join(q[1:], "\n")+"\n", ask(t, c, q[0])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", q[0], diff)
		}
	}
}
