package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/collect/bulk"
	"github.com/wadi-project/wadi/internal/event"
)

// until is 2026-11-01T00:00:00Z.
const until = event.UnixEpoch + 20758*event.TicksPerDay

func generator(t testing.TB, events int64) *Generator {
	t.Helper()
	g, err := New(Config{Seed: 1, Until: until, Events: events, Requests: events / 20})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// fill makes block i.
func fill(t testing.TB, g *Generator, i int, batch *event.Batch) (computer string, lines []byte) {
	t.Helper()
	block := bulk.Block{Events: batch}
	if err := g.Fill(i, &block); err != nil {
		t.Fatal(err)
	}
	return block.Host, block.Lines
}

// seen is one generated event, read back from its text.
type seen struct {
	computer, channel string
	id, record        int
	time              string
	data              map[string]string
}

func read(t *testing.T, text []byte) seen {
	t.Helper()
	var e struct {
		System struct {
			EventID       int
			EventRecordID int
			Channel       string
			Computer      string
			TimeCreated   struct {
				SystemTime string `xml:",attr"`
			}
		}
		EventData struct {
			Data []struct {
				Name string `xml:",attr"`
				Text string `xml:",chardata"`
			}
		}
	}
	if err := xml.Unmarshal(text, &e); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	s := seen{e.System.Computer, e.System.Channel, e.System.EventID, e.System.EventRecordID, e.System.TimeCreated.SystemTime, map[string]string{}}
	for _, d := range e.EventData.Data {
		s.data[d.Name] = d.Text
	}
	return s
}

// all generates the whole demo.
func all(t *testing.T, g *Generator) (events []seen, lines []string) {
	t.Helper()
	var batch event.Batch
	for i := range g.Blocks() {
		batch.Reset()
		computer, text := fill(t, g, i, &batch)
		for n := range batch.Events {
			e := read(t, batch.Bytes(batch.Events[n].XML))
			if e.computer != computer {
				t.Fatalf("block %d of %s has an event of %s", i, computer, e.computer)
			}
			events = append(events, e)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
	}
	return events, lines
}

func TestCountsAndRecordNumbersAreExact(t *testing.T) {
	const want = 10_000
	g := generator(t, want)
	events, lines := all(t, g)
	if len(events) != want || len(lines) != want/20 {
		t.Errorf("%d events and %d requests, want %d and %d", len(events), len(lines), want, want/20)
	}
	records := map[string][]int{}
	for _, e := range events {
		if e.time < g.Truth().From || e.time >= g.Truth().Until {
			t.Fatalf("event at %s, outside %s to %s", e.time, g.Truth().From, g.Truth().Until)
		}
		records[e.computer+" "+e.channel] = append(records[e.computer+" "+e.channel], e.record)
	}
	for stream, ids := range records {
		slices.Sort(ids)
		if n := len(ids); ids[n-1]-ids[0] != n-1 || len(slices.Compact(ids)) != n {
			t.Errorf("%s: the records %d to %d are %d events", stream, ids[0], ids[n-1], n)
		}
	}
}

func TestBlocksAreTheSameInEveryRunAndDifferBySeed(t *testing.T) {
	sum := func(config Config) string {
		g, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		var batch event.Batch
		for i := range g.Blocks() {
			batch.Reset()
			name, lines := fill(t, g, i, &batch)
			fmt.Fprintf(h, "%x %s %s", g.Key(i), name, lines)
			h.Write(batch.Text)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	config := Config{Seed: 1, Until: until, Events: 3000, Requests: 300}
	// A change of this sum is a change of what users were promised to get again:
	// it needs a new Generation.
	const want = "b1369bef96b6118993ce7a84433af8a5a62c78e05ae0236b7bfb9acb2c5bcd9a"
	if got := sum(config); got != want {
		t.Errorf("generation %d gives %s, want %s", Generation, got, want)
	}
	config.Seed = 2
	if sum(config) == want {
		t.Error("another seed gives the same events")
	}
}

func TestBlocksStaySmallAndGoOnInTime(t *testing.T) {
	g := generator(t, 3_000_000)
	var batch event.Batch
	last := -1
	for i := 0; i < g.Blocks(); i += 1 + g.Blocks()/40 {
		batch.Reset()
		_, lines := fill(t, g, i, &batch)
		if n := len(batch.Events); n > maxBlock*11/10 || n == 0 && len(lines) == 0 || len(batch.Text) > event.MaxBatchBytes/4 {
			t.Errorf("block %d has %d events, %d bytes", i, n, len(batch.Text))
		}
		if g.blocks[i].lo < last {
			t.Errorf("block %d goes back from hour %d to %d", i, last, g.blocks[i].lo)
		}
		last = g.blocks[i].lo
	}
}

// TestTruthIsInTheEvents counts the scenarios' events by hand; package proof
// asks the questions.
func TestTruthIsInTheEvents(t *testing.T) {
	g := generator(t, 10_000)
	events, lines := all(t, g)
	count := func(match func(seen) bool) (n int) {
		for _, e := range events {
			if match(e) {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		what  string
		want  int
		match func(seen) bool
	}{
		{"failed logons", 60 + 5, func(e seen) bool { return e.id == 4625 && e.data["IpAddress"] == intruderIP }},
		{"the logon", 1, func(e seen) bool { return e.id == 4624 && e.data["IpAddress"] == intruderIP }},
		{"the account", 1, func(e seen) bool { return e.id == 4720 && e.data["TargetUserName"] == newAdmin }},
		{"the membership", 1, func(e seen) bool { return e.id == 4732 && e.data["TargetUserName"] == "Administrators" }},
		{"the intruder's programs", 3, func(e seen) bool { return e.id == 4688 && e.data["SubjectUserName"] == stolen }},
		{"the firewall rule", 1, func(e seen) bool { return e.id == 4946 }},
		{"the order errors", orderErrors, func(e seen) bool { return e.id == 100 && e.channel == "Application" }},
	} {
		if got := count(c.match); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
	failed := 0
	for _, line := range lines {
		if strings.Contains(line, " 500 0 64 ") {
			failed++
		}
	}
	if want := 2 * (50 + 500/400); failed != want {
		t.Errorf("%d requests failed with 500, want %d", failed, want)
	}
	if n := len(g.Truth().Scenarios); n != 6 {
		t.Errorf("%d scenarios", n)
	}
}

// TestDaysHaveARhythm compares office hours with nights and weekends.
func TestDaysHaveARhythm(t *testing.T) {
	events, _ := all(t, generator(t, 6_000))
	var office, night int
	for _, e := range events {
		if strings.HasPrefix(e.computer, "ws-") {
			switch hour := e.time[11:13]; {
			case hour >= "08" && hour < "17":
				office++
			case hour < "05":
				night++
			}
		}
	}
	if office < 20*night {
		t.Errorf("workstations: %d events in office hours, %d at night", office, night)
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	for _, c := range []Config{
		{Until: until, Events: MinEvents - 1, Requests: 1000},
		{Until: until, Events: MaxEvents + 1, Requests: 1000},
		{Until: until, Events: 5000, Requests: 1},
		{Until: until + 1, Events: 5000, Requests: 1000},
		{Until: event.UnixEpoch, Events: 5000, Requests: 1000},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

// TestEveryTemplateIsWellFormed renders each event of events.txt once.
func TestEveryTemplateIsWellFormed(t *testing.T) {
	g := generator(t, MinEvents)
	h := g.newHost(&g.blocks[0])
	h.chooseLogon()
	h.connect()
	h.subject, h.from = &systemAccount, h.host
	for name, i := range g.templates.byName {
		text := g.templates.list[i].render(nil, &h.scene)
		dec := xml.NewDecoder(bytes.NewReader(text))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v: %s", name, err, text)
				break
			}
		}
		if bytes.Contains(text, []byte("{}")) || bytes.Contains(text, []byte(`"`)) && name != "1" && name != "4688" && name != "4104" {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// BenchmarkFill measures the generator alone: at least 200,000 events a second
// and core.
func BenchmarkFill(b *testing.B) {
	g := generator(b, 3_000_000)
	var batch event.Batch
	events, size := 0, 0
	for i := 0; b.Loop(); i++ {
		batch.Reset()
		fill(b, g, i%g.Blocks(), &batch)
		events += len(batch.Events)
		size += len(batch.Text)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(size)/float64(events), "B/event")
}
