//go:build cgo

package query

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// customLake makes a table with a column of each type, three rows in its first form,
// then a column more and a row in that.
func customLake(t *testing.T) *Config {
	t.Helper()
	dir, ctx := t.TempDir(), t.Context()
	w, err := lake.OpenWriter(ctx, dir, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	one, _, err := schema.ParseCustom("Probe_CL", "ok:bool, client:int, n:long, r:real, d:decimal, s:string, at:datetime, dt:timespan, g:guid, bag:dynamic")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CreateTable(ctx, one); err != nil {
		t.Fatal(err)
	}
	log, err := w.BeginLog(ctx, lake.LogInfo{Door: "stream", Case: "c7"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := log.AddSource(ctx, lake.SourceInfo{Kind: "ingest", Host: "h"})
	if err != nil {
		t.Fatal(err)
	}
	add := func(table *schema.Table, first, n int64) {
		part, err := log.BeginPart(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rows := datafile.NewRows(table)
		for seq := first; seq < first+n; seq++ {
			probeRow(rows, part.IngestedAtUS, source, seq)
		}
		if err := errors.Join(rows.Err(), part.Sorter(table).Add(ctx, rows)); err != nil {
			t.Fatal(err)
		}
		if err := part.Commit(ctx, lake.PartResult{Sources: []lake.SourceTally{{Source: source, Received: n, Stored: n}}}); err != nil {
			t.Fatal(err)
		}
	}
	add(one, 1, 3)
	two, err := w.AlterTable(ctx, "Probe_CL", "x:int")
	if err != nil {
		t.Fatal(err)
	}
	add(two, 4, 1)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

// probeRow writes a row of Probe_CL; every third has no values.
func probeRow(b *datafile.Rows, us int64, source int32, seq int64) {
	at := b.Table().Index
	b.Begin()
	b.Int(at("_IngestedAt"), us)
	b.Int(at("_Source"), int64(source))
	b.Int(at("_Seq"), seq)
	b.String(at("_Table"), "Probe_CL")
	time, sub := event.FromTime(day.Add(time.Duration(seq)*time.Second + 700)).UnixMicros()
	b.Int(at("TimeGenerated"), time)
	b.Int(at("_TimeSub"), int64(sub))
	if seq%3 != 0 {
		b.Bool(at("ok"), seq == 1)
		b.Int(at("client"), 100*seq)
		b.Int(at("n"), 1<<40+seq)
		b.Real(at("r"), float64(seq)/2)
		b.String(at("d"), "12345678901234567890.25")
		b.String(at("s"), "it's")
		b.Int(at("at"), time+1)
		b.Int(at("dt"), 36_000_000_000*seq)
		b.String(at("g"), "74be27de-1e4e-49d9-b579-fe0b331d3642")
		b.String(at("bag"), `{"a":[1,2],"b":"x"}`)
	}
	if x := at("x"); x >= 0 {
		b.Int(x, 7)
	}
	b.End()
}

func TestCustomTables(t *testing.T) {
	c := customLake(t)
	for question, want := range map[string]string{
		"Probe_CL | count": "Count\n4\n",
		"probe_cl | count": "Count\n4\n",
		"Probe_CL | where TimeGenerated > datetime(2026-03-01) | sort by TimeGenerated asc | project TimeGenerated, ok, client, n, r, d": "" +
			"TimeGenerated,ok,client,n,r,d\n" +
			"2026-03-01T00:00:01.0000007Z,true,100,1099511627777,0.5,12345678901234567890.25\n" +
			"2026-03-01T00:00:02.0000007Z,false,200,1099511627778,1,12345678901234567890.25\n" +
			"2026-03-01T00:00:03.0000007Z,,,,,\n" +
			"2026-03-01T00:00:04.0000007Z,false,400,1099511627780,2,12345678901234567890.25\n",
		"Probe_CL | sort by _Seq asc | project s, at, dt, g, bag, x": "s,at,dt,g,bag,x\n" +
			"it's,2026-03-01T00:00:01.0000010Z,01:00:00,74be27de-1e4e-49d9-b579-fe0b331d3642,\"{\"\"a\"\":[1,2],\"\"b\"\":\"\"x\"\"}\",\n" +
			"it's,2026-03-01T00:00:02.0000010Z,02:00:00,74be27de-1e4e-49d9-b579-fe0b331d3642,\"{\"\"a\"\":[1,2],\"\"b\"\":\"\"x\"\"}\",\n" +
			",,,,,\n" +
			"it's,2026-03-01T00:00:04.0000010Z,04:00:00,74be27de-1e4e-49d9-b579-fe0b331d3642,\"{\"\"a\"\":[1,2],\"\"b\"\":\"\"x\"\"}\",7\n",
		"Probe_CL | where d == decimal(12345678901234567890.25) | count":                   "Count\n3\n",
		"Probe_CL | where d > 1 | summarize sum(d)":                                        "sum_d\n37037036703703703670.75\n",
		"Probe_CL | where g == guid(74be27de-1e4e-49d9-b579-fe0b331d3642) | count":         "Count\n3\n",
		"Probe_CL | where g == toguid('74BE27DE-1E4E-49D9-B579-FE0B331D3642')| count":      "Count\n3\n",
		"Probe_CL | where isnull(g) | count":                                               "Count\n1\n",
		"Probe_CL | where isnull(d) and isnull(bag) and isnull(dt) and isempty(s) | count": "Count\n1\n",
		"Probe_CL | where dt > 90m | summarize sum(dt), max(at)":                           "sum_dt,max_at\n06:00:00,2026-03-01T00:00:04.0000010Z\n",
		"Probe_CL | where bag.a[1] == 2 | summarize count() by tostring(bag.b)":            "bag_b,count_\nx,3\n",
		"Probe_CL | summarize sum(x), countif(isnull(x))":                                  "sum_x,countif_\n7,3\n",
		"Probe_CL | getschema | where ColumnName !startswith '_' | project ColumnName, ColumnType": "ColumnName,ColumnType\n" +
			"TenantId,string\nTimeGenerated,datetime\nok,bool\nclient,int\nn,long\nr,real\nd,decimal\ns,string\nat,datetime\ndt,timespan\ng,guid\nbag,dynamic\nx,int\nType,string\n",
		"Probe_CL | where _Seq == 1 | project Type, _Case, _ItemId, _Table": "Type,_Case,_ItemId,_Table\nProbe_CL,c7,1-1,Probe_CL\n",
		"search \"it's\" | summarize count() by $table":                     "$table,count_\nProbe_CL,3\n",
		"union * | summarize count() by Type":                               "Type,count_\nProbe_CL,4\n",
		"union withsource=T *_CL | summarize count() by T":                  "T,count_\nProbe_CL,4\n",
		"search in (Probe_CL) client == 400 | project n":                    "n\n1099511627780\n",
	} {
		result, err := Run(t.Context(), c, question)
		if err != nil {
			t.Errorf("%s: %v", question, err)
			continue
		}
		var b strings.Builder
		if err := errors.Join(WriteCSV(&b, result.Rows), result.Close()); err != nil {
			t.Errorf("%s: %v", question, err)
			continue
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
}

func TestCustomTablesAreListed(t *testing.T) {
	c := customLake(t)
	infos, err := Tables(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, i := range infos {
		if i.Name == "Probe_CL" && i.View || i.Name == "probe_cl" && !i.View {
			found++
			if i.Rows != 4 || !i.HasTime {
				t.Errorf("%+v", i)
			}
		}
	}
	set, err := c.Lake.Schema(t.Context())
	if err != nil || found != 2 {
		t.Fatal(found, err)
	}
	for text, want := range map[string]string{"Probe": "Probe_CL", "Probe_CL | where cli": "client"} {
		words := Complete(text, len(text), set)
		if len(words) == 0 || words[0].Text != want {
			t.Errorf("%q is completed by %v", text, words)
		}
	}
	_, err = Run(t.Context(), c, "Prob_CL | count")
	if err == nil || !strings.Contains(err.Error(), "Prob_CL") {
		t.Error(err)
	}
	if cols := Columns(set, "Probe_CL"); len(cols) < 14 || cols[1].Name != "TimeGenerated" {
		t.Errorf("%+v", cols)
	}
}
