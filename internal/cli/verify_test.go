package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerifyCommand(t *testing.T) {
	dir := demoLake(t)
	heads := filepath.Join(t.TempDir(), "heads")
	for range 2 { // the second time there is nothing to add
		code, out, errs := run(t, "", "--data", dir, "verify", "--heads", heads)
		if code != CodeDone || !strings.Contains(out, "0 faults, 0 orphans.") || !strings.Contains(out, "its head is ") {
			t.Fatalf("code %d: %s%s", code, out, errs)
		}
	}
	text, err := os.ReadFile(heads)
	if err != nil || strings.Count(string(text), "\n") != 1 {
		t.Fatalf("heads %q, %v", text, err)
	}
	if code, _, errs := run(t, "", "--data", dir, "lake", "retention", "windows_events", "3000"); code != CodeDone {
		t.Fatal(errs)
	}
	if code, out, errs := run(t, "", "--data", dir, "verify", "--heads", heads); code != CodeDone {
		t.Fatalf("code %d: %s%s", code, out, errs)
	}
	text, err = os.ReadFile(heads)
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("heads %q, %v", text, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "lake", "default", "windows_events", "data", "*", "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	data[300] ^= 1
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := run(t, "", "--data", dir, "verify", "--heads", heads)
	for _, want := range []string{"fault: " + files[0], "  of table windows_events, rows stored on ", "  row group 1 (", "source 1 _Seq "} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %s", want, out)
		}
	}
	if code != CodeFailed || !strings.Contains(errs, "cannot vouch for the lake: 1 fault") {
		t.Errorf("code %d: %s", code, errs)
	}
	if again, _ := os.ReadFile(heads); string(again) != string(text) {
		t.Error("a head was added though there is a fault")
	}
	code, out, _ = run(t, "", "--data", dir, "verify", "--json")
	var v struct {
		Faults   int
		Entries  int64
		Findings []struct{ Table, Day string }
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != CodeFailed || v.Faults != 1 || v.Entries < 2 || len(v.Findings) != 1 || v.Findings[0].Table != "windows_events" {
		t.Errorf("code %d, %v: %s", code, err, out)
	}
	if err := os.WriteFile(heads, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, "", "--data", dir, "verify", "--heads", heads); code != CodeFailed || !strings.Contains(errs, "line 1") {
		t.Errorf("code %d: %s", code, errs)
	}
}
