package bench

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEveryFigureIsMeasured runs the whole bench once, on a lake of 2 million
// events, so that it works when somebody needs it. Figures are printed, not
// judged: machines of tests are too busy for that.
func TestEveryFigureIsMeasured(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("takes minutes: set WADI_SLOW=1 (make test does)")
	}
	corpus := os.Getenv("WADI_CORPUS")
	if corpus == "" {
		t.Skip("needs real event logs: set WADI_CORPUS to the corpus folder")
	}
	wadi := filepath.Join(t.TempDir(), "wadi")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", wadi, "../../cmd/wadi").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out bytes.Buffer
	err := Run(t.Context(), Config{Wadi: wadi, Corpus: corpus, Cache: t.TempDir(), Runs: 1, LakeRows: 2_000_000, LoadFor: 2 * time.Second}, &out)
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"JSON lines, one core", "→ XML", "against evtx_dump", "committed lake", "bytes per event", "whole EVTX corpus", "count by hour", "one hour", "take 100", "query bomb", "ingest, ", "acknowledged, at", "visible after"} {
		if !strings.Contains(out.String(), what) {
			t.Errorf("no figure for %q", what)
		}
	}
}

func TestMedianAndRatio(t *testing.T) {
	if got := median([]time.Duration{5, 1, 3, 2, 4}); got != 3 {
		t.Errorf("median %v", got)
	}
	if got := median([]int64{4, 1}); got != 1 {
		t.Errorf("median %v", got)
	}
	a, b := &costs{}, &costs{}
	for _, d := range []time.Duration{2, 4, 9} {
		a.add(usage{cpu: d * time.Second})
		b.add(usage{cpu: 2 * time.Second})
	}
	if got := ratio(a, b); got != 2 {
		t.Errorf("ratio %v", got)
	}
}

// TestProcessCountsItsCost starts a process that works for a while.
func TestProcessCountsItsCost(t *testing.T) {
	u, err := process(t.Context(), true, nil, "sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo $i")
	if err != nil {
		t.Fatal(err)
	}
	if u.cpu <= 0 || u.wall < u.cpu/4 || u.rssBytes < 100_000 || u.stdout != "200000\n" {
		t.Errorf("%+v", u)
	}
	if _, err := process(t.Context(), false, nil, "sh", "-c", "echo why >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("a failing command gives %v", err)
	}
}
