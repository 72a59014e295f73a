package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// demoLake makes a small lake and gives its folder.
func demoLake(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lake")
	if code, _, errs := run(t, "", "--data", dir, "demo", "--events", "2000", "--until", "2026-11-01"); code != CodeDone {
		t.Fatalf("demo: %d %s", code, errs)
	}
	return dir
}

func TestLakeCommands(t *testing.T) {
	dir := demoLake(t)
	saved, restored := filepath.Join(t.TempDir(), "saved"), filepath.Join(t.TempDir(), "restored")
	for _, c := range []struct {
		args string
		code Code
		// want are parts of the output, of standard error where the code isn't 0.
		want []string
	}{
		{"lake stats", CodeDone, []string{"windows_events", "ledger", "bytes a row."}},
		{"lake verify", CodeDone, []string{"0 faults, 0 orphans."}},
		{"lake compact", CodeDone, nil},
		{"lake duplicates", CodeDone, []string{"received = ", " duplicate"}},
		{"lake retention", CodeDone, []string{"table windows_events", "forever"}},
		{"lake retention windows_events 30", CodeDone, nil},
		{"lake retention windows_events", CodeDone, []string{"30 days"}},
		{"lake retention windows_events 0", CodeUsage, []string{"cannot understand the retention", "hint: "}},
		{"lake retention nosuch 3", CodeUsage, []string{"no such table"}},
		{"lake retention --case nosuch 3", CodeUsage, []string{"cannot find case"}},
		{"lake hold add windows_events --reason inquiry", CodeDone, []string{"Hold "}},
		{"lake hold list", CodeDone, []string{"windows_events", "inquiry"}},
		{"lake hold remove 9999", CodeUsage, []string{"cannot remove hold 9999"}},
		{"lake hold remove x", CodeUsage, []string{"no number"}},
		{"lake expire", CodeDone, []string{"0 rows in 0 files"}},
		{"lake relocate", CodeDone, []string{"Nothing to do"}},
		{"lake backup " + saved, CodeDone, []string{"files"}},
		{"lake backup " + saved, CodeNothingDone, []string{"isn't empty"}},
		{"lake delete nosuch --where true", CodeUsage, []string{"no such table"}},
		{"lake delete windows_events", CodeUsage, []string{"without a condition"}},
		{"--data " + restored + " lake restore " + saved, CodeDone, []string{"files"}},
		{"--data " + restored + " lake verify", CodeDone, []string{"0 faults, 0 orphans."}},
		{"--data " + restored + "-none lake stats", CodeFailed, []string{"no such folder", "hint: "}},
		{"--data " + restored + "-none lake expire", CodeFailed, []string{"no such folder"}},
	} {
		code, out, errs := run(t, "", append([]string{"--data", dir}, strings.Fields(c.args)...)...)
		if c.code != CodeDone {
			out = errs
		}
		if code != c.code {
			t.Errorf("%s: code %d, want %d: %s%s", c.args, code, c.code, out, errs)
		}
		for _, w := range c.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: %q is not in %q", c.args, w, out)
			}
		}
	}
}

func TestLakeFiguresForMachines(t *testing.T) {
	dir := demoLake(t)
	for _, args := range []string{"stats", "verify", "expire"} {
		code, out, errs := run(t, "", "--data", dir, "lake", args, "--json")
		var v map[string]any
		if err := json.Unmarshal([]byte(out), &v); code != CodeDone || err != nil || len(v) == 0 {
			t.Errorf("%s: code %d, %v, %s%s", args, code, err, out, errs)
		}
	}
}

func TestVerifyEndsWithOneOnAFault(t *testing.T) {
	dir := demoLake(t)
	files, err := filepath.Glob(filepath.Join(dir, "lake/default/windows_events/data/*/*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	damage(t, files[0])
	code, out, errs := run(t, "", "--data", dir, "lake", "verify")
	if code != CodeFailed || !strings.Contains(out, "fault: "+files[0]) || !strings.Contains(errs, "hint: ") {
		t.Errorf("code %d, %s%s", code, out, errs)
	}
}

func TestRowSet(t *testing.T) {
	s := rowSet{1: {2, 4}}
	for _, c := range []struct {
		source int32
		seq    int64
		want   bool
	}{{1, 2, true}, {1, 3, false}, {2, 2, false}} {
		if s.has(c.source, c.seq) != c.want {
			t.Errorf("(%d, %d) is %v", c.source, c.seq, !c.want)
		}
	}
}

// damage flips a bit in the middle of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLakeDeleteRemovesWhatTheConditionSays(t *testing.T) {
	dir := demoLake(t)
	ask := func(text string) string {
		t.Helper()
		code, out, errs := run(t, "", "--data", dir, "query", "--format", "csv", text)
		if code == CodeNothingDone {
			t.Skip("this build has no engine: " + errs)
		}
		if code != CodeDone {
			t.Fatalf("%s: %d %s", text, code, errs)
		}
		return strings.Join(strings.Fields(out)[1:], " ")
	}
	all, some := ask("windows_events | count"), ask("windows_events | where EventID == 4624 | count")
	if some == "0" || some == all {
		t.Fatalf("%s of %s rows are logons", some, all)
	}
	// More than a condition is no condition.
	if code, _, errs := run(t, "", "--data", dir, "lake", "delete", "windows_events", "--where", "true) | take 1 //"); code != CodeUsage {
		t.Errorf("code %d, %s", code, errs)
	}
	code, out, errs := run(t, "", "--data", dir, "lake", "delete", "windows_events", "--where", "EventID == 4624 // logons")
	if code != CodeDone || !strings.HasPrefix(strings.ReplaceAll(out, ",", ""), some+" rows are deleted") {
		t.Errorf("code %d, %s%s; want %s rows", code, out, errs, some)
	}
	if n := ask("windows_events | where EventID == 4624 | count"); n != "0" {
		t.Errorf("%s rows are left", n)
	}
	if n := ask("wadi_audit | where Action == 'delete' | count"); n != "1" {
		t.Errorf("%s rows in wadi_audit", n)
	}
	// What a person had deleted doesn't come back with the same logs.
	before := ask("windows_events | count")
	if code, _, errs := run(t, "", "--data", dir, "demo", "--events", "2000", "--until", "2026-11-01"); code != CodeDone {
		t.Fatalf("demo: %d %s", code, errs)
	}
	if n := ask("windows_events | count"); n != before {
		t.Errorf("%s rows after another import, want %s", n, before)
	}
}
