package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/ledger"
)

func TestLedgerCommand(t *testing.T) {
	dir := demoLake(t)
	code, out, errs := run(t, "", "--data", dir, "ledger")
	if code != CodeDone || !strings.Contains(out, "Nothing is missing.\n") || !strings.Contains(out, " received = ") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	code, out, errs = run(t, "", "--data", dir, "ledger", "--all")
	if code != CodeDone || !strings.Contains(out, "  Security: nothing is missing; ") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	code, out, errs = run(t, "", "--data", dir, "ledger", "--json")
	for line := range strings.Lines(out) {
		var v struct{ Received, Stored, Duplicate, Filtered, Damaged int64 }
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Received != v.Stored+v.Duplicate+v.Filtered+v.Damaged || v.Received == 0 {
			t.Errorf("%s: %v", line, err)
		}
	}
	if code != CodeDone || out == "" {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

func TestLedgerWords(t *testing.T) {
	minute := 60 * int64(event.TicksPerSecond)
	s := &lake.Account{
		Source: ledger.Source{ID: 3}, Door: "stream",
		Channels: []lake.SourceTally{
			{Received: 5, Stored: 5, SkewMin: minute, SkewMax: minute},
			{Channel: "System", Received: 3, Stored: 2, Damaged: 1, Lost: 1200, Partial: 1, Losses: []string{"batch 7 never came"}},
			{Channel: "Security", Received: 9, Stored: 9, Late: 2, SkewMin: -90 * minute, SkewMax: 100 * minute},
		},
		Targets: []lake.SourceTally{{Channel: "System", Target: "siem", Delivered: 2}},
	}
	s.Source.Kind, s.Source.Host, s.Source.Subscription = "logs-ingestion", "10.0.0.7", "dcr-1"
	if got := sourceWords(s); got != "Source 3 logs-ingestion dcr-1 of 10.0.0.7" {
		t.Error(got)
	}
	got := strings.Join(ledgerWords(s, false), "\n")
	want := "  System: 1,200 batches lost at the source, 1 record damaged and not stored; 1 record stored incomplete. First: batch 7 never came.\n" +
		"  Security: 2 records came late, up to 1h40m0s after the event; its clock is up to 1h30m0s ahead."
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s.Door = "bulk"
	if got := strings.Join(ledgerWords(s, false), "\n"); !strings.Contains(got, "1,200 records lost at the source") {
		t.Error(got)
	}
	got = strings.Join(ledgerWords(s, true), "\n")
	if !strings.Contains(got, "  nothing is missing; 5 of 5 stored, 0 duplicate, 0 filtered.") || !strings.Contains(got, "  System delivered to siem: 2.") {
		t.Error(got)
	}
}
