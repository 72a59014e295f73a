//go:build cgo

package query

import (
	"testing"

	"github.com/wadi-project/wadi/internal/schema"
)

func TestMissed(t *testing.T) {
	c := testLake(t, t.TempDir(), 3)
	for text, want := range map[string]bool{
		"SecurityEvent | where TimeGenerated > datetime(2026-04-01) | count":              true,
		"SecurityEvent | where TimeGenerated < datetime(2026-02-01) and EventID == 4625":  true,
		"SecurityEvent | where EventID == 1":                                              false,
		"SecurityEvent | where TimeGenerated > datetime(2026-03-01) | where EventID == 1": false,
		"print 1": false,
		"Syslog | where TimeGenerated > datetime(2026)": false,
		"SecurityEvent | where TimeGenerated > datetime(2026-04-01) | join (SecurityEvent | where TimeGenerated > datetime(2026-04-02)) on Account": true,
		"SecurityEvent | where TimeGenerated > datetime(2026-04-01) | join (SecurityEvent) on Account":                                              false,
	} {
		q, err := Compile(text, schema.Builtin(), day)
		if err != nil {
			t.Fatal(err)
		}
		result, err := q.Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for result.Next() {
			continue
		}
		m, missed := result.Missed()
		if err := result.Close(); err != nil {
			t.Fatal(err)
		}
		if missed != want || missed && (m.Table != "windows_events" || !m.First.Time().Equal(day) || m.Last <= m.First) {
			t.Errorf("%s: %v, %+v", text, missed, m)
		}
	}
}
