//go:build cgo

package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/schema"
)

// systems are events as AppendSystem gets them in Go, beside the SQL of their
// values.
var systems = []struct {
	sql    string
	form   int32
	system eventxml.System
}{
	{
		"0, 1700000000123456, 7, 'Security', 'Microsoft-Windows-Security-Auditing', '{54849625-5478-4994-A5BA-3E3B0328C30D}', NULL, 4625, NULL, 0, 0, 12544, 0, -9214364837600034816, 99, '{A}', NULL, 652, 4294, NULL, 'DC.example'",
		0,
		eventxml.System{
			TimeUS: 1700000000123456, TimeSub: 7, Channel: []byte("Security"), Provider: []byte("Microsoft-Windows-Security-Auditing"),
			ProviderGUID: []byte("{54849625-5478-4994-A5BA-3E3B0328C30D}"), EventID: 4625, Task: 12544, Keywords: -9214364837600034816, EventRecordID: 99,
			ActivityID: []byte("{A}"), ProcessID: 652, ThreadID: 4294, Computer: []byte("DC.example"),
			Has: event.HasTimeCreated | event.HasEventID | event.HasVersion | event.HasLevel | event.HasTask | event.HasOpcode | event.HasKeywords | event.HasEventRecordID | event.HasProcessID | event.HasThreadID,
		},
	},
	{
		"152, -1, NULL, '', NULL, NULL, 'source', 7, 16384, NULL, 4, NULL, NULL, 1, NULL, NULL, '{B}', NULL, NULL, 'S-1-5-18', ''",
		152,
		eventxml.System{
			TimeUS: -1, Channel: []byte{}, EventSourceName: []byte("source"), EventID: 7, Qualifiers: 16384, Level: 4, Keywords: 1, RelatedActivityID: []byte("{B}"),
			UserID: []byte("S-1-5-18"), Computer: []byte{}, Has: event.HasTimeCreated | event.HasEventID | event.HasQualifiers | event.HasLevel | event.HasKeywords,
		},
	},
	{"7" + strings.Repeat(", NULL", 20), 7, eventxml.System{}},
}

func TestSystemXML(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	for _, c := range systems {
		want := string(eventxml.AppendSystem(nil, &c.system, c.form))
		// As constants, and as vectors of many rows.
		for _, text := range []string{
			"SELECT " + systemXMLFunction + "(" + c.sql + ")",
			"SELECT " + systemXMLFunction + "(CASE WHEN i = 3 THEN NULL ELSE a0 END, " + numbered("a", 1, 21) + ") FROM range(5000) r(i), (VALUES (" + c.sql + ")) v(" + numbered("a", 0, 21) + ")",
		} {
			got, _, err := ask(t.Context(), e, &Query{SQL: text, Columns: columns(schema.String)})
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range got {
				if i != 3 && row[0] != want || i == 3 && row[0] != "null" {
					t.Fatalf("row %d\ngot  %s\nwant %s", i, row[0], want)
				}
			}
		}
	}
	got, _, err := ask(t.Context(), e, &Query{SQL: "SELECT " + systemXMLFunction + "(NULL" + strings.Repeat(", NULL", 20) + ")", Columns: columns(schema.String)})
	if err != nil || got[0][0] != "null" {
		t.Errorf("a null form gives %v, %v", got, err)
	}
}

func numbered(prefix string, from, to int) string {
	var names []string
	for i := from; i < to; i++ {
		names = append(names, fmt.Sprint(prefix, i))
	}
	return strings.Join(names, ", ")
}

func BenchmarkSystemXML(b *testing.B) {
	e := start(b, b.TempDir(), nil)
	const rows = 500_000
	text := "SELECT sum(length(" + systemXMLFunction + "(a0 + (i & 0)::INT, " + numbered("a", 1, 21) + "))) FROM range(500000) r(i), (VALUES (" + systems[0].sql + ")) v(" + numbered("a", 0, 21) + ")"
	for b.Loop() {
		began := time.Now()
		if _, _, err := ask(b.Context(), e, &Query{SQL: text, Columns: columns(schema.Long)}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(rows/time.Since(began).Seconds(), "rows/s")
	}
}

func BenchmarkRows(b *testing.B) {
	e := start(b, b.TempDir(), func(c *Config) { c.MaxBytes = 1 << 40 })
	for b.Loop() {
		rows, err := e.Query(b.Context(), &Query{SQL: "SELECT i, i % 1000, 'a text of some length ' || i FROM range(400000) r(i)", Columns: columns(schema.Long, schema.Int, schema.String)})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for rows.Next() {
			n += len(rows.Text(2)) + int(rows.Int(0)&1)
		}
		if err := rows.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(400000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
