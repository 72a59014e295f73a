package proof

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/demo"
)

// answer is `query --format json`.
type answer struct {
	Columns []struct{ Name, Type string }
	Rows    [][]any
}

// TestDemoAnswers asks every question of demo-truth.json and expects its answer.
func TestDemoAnswers(t *testing.T) {
	slow(t)
	data := filepath.Join(t.TempDir(), "demo")
	args := []string{"--data", data, "demo", "--events", "60000", "--seed", "7", "--until", "2026-11-01"}
	must(t, args...)
	text, err := os.ReadFile(filepath.Join(data, demo.TruthFile))
	if err != nil {
		t.Fatal(err)
	}
	var truth demo.Truth
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	if len(truth.Scenarios) != 6 {
		t.Errorf("%d scenarios", len(truth.Scenarios))
	}
	for _, s := range truth.Scenarios {
		for _, want := range s.Answers {
			var got answer
			if err := json.Unmarshal([]byte(must(t, "--data", data, "query", "--format", "json", want.Query)), &got); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, c := range got.Columns {
				names = append(names, c.Name)
			}
			if diff := cmp.Diff(want.Columns, names); diff != "" {
				t.Errorf("%s: %s: columns (-want +got):\n%s", s.Name, want.Query, diff)
			}
			if diff := cmp.Diff(want.Rows, got.Rows); diff != "" {
				t.Errorf("%s: %s: rows (-want +got):\n%s", s.Name, want.Query, diff)
			}
		}
	}
	counts := count(t, data, "windows_events") + count(t, data, "W3CIISLog")
	if counts != "Count\n60000\nCount\n3000\n" {
		t.Errorf("counts %q", counts)
	}
	if out := must(t, args...); !strings.Contains(out, "there already") {
		t.Errorf("the second run says %q", out)
	}
	if again := count(t, data, "windows_events") + count(t, data, "W3CIISLog"); again != counts {
		t.Errorf("the second run added rows: %q", again)
	}
}
