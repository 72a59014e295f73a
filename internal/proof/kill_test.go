package proof

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// eventTexts gives every event's text in a lake with its count, and the web
// logs' rows.
func eventTexts(t *testing.T, data string) multiset {
	t.Helper()
	all := multiset{}
	for _, question := range []string{
		"windows_events | project _Xml",
		"w3c_iis | project tostring(TimeGenerated), csUriStem, csUriQuery, cIP, tostring(csBytes), tostring(TimeTaken)",
	} {
		each(t, data, question, func(row []string) { all.add([]byte(strings.Join(row, "\x00")), 1) })
	}
	return all
}

// TestKillImport kills wadi import at random points, twice a run, lets the third
// import end, and expects exactly the rows of an import that nobody disturbed.
func TestKillImport(t *testing.T) {
	slow(t)
	runs := 20
	if text := os.Getenv("WADI_CRASH_RUNS"); text != "" {
		var err error
		if runs, err = strconv.Atoi(text); err != nil {
			t.Fatalf("WADI_CRASH_RUNS: %v", err)
		}
	}
	dir := corpus(t)
	input := []string{filepath.Join(dir, "evtx/omerbenamram"), filepath.Join(dir, "evtx/velocidex"), filepath.Join(dir, "iis"), sampleDir}
	quiet := filepath.Join(t.TempDir(), "lake")
	start := time.Now()
	first := importJSON(t, append([]string{"--data", quiet, "import", "--json"}, input...)...)
	took := time.Since(start)
	want := eventTexts(t, quiet)
	if first.Stored < 5000 {
		t.Fatalf("only %d records to lose", first.Stored)
	}
	path, err := wadiBinary()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for run := range runs {
		data := filepath.Join(t.TempDir(), "lake")
		var points []time.Duration
		for range 2 {
			at := time.Duration(random.Int64N(int64(took * 11 / 10)))
			if random.IntN(2) == 0 { // the commit is at the end
				at = took*7/10 + time.Duration(random.Int64N(int64(took*4/10)))
			}
			points = append(points, at)
			cmd := exec.CommandContext(t.Context(), path, append([]string{"--data", data, "import"}, input...)...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(at, func() { _ = cmd.Process.Kill() }) // it may have ended
			_ = cmd.Wait()
			timer.Stop()
		}
		got := importJSON(t, append([]string{"--data", data, "import", "--json"}, input...)...)
		if got.Read != first.Read || got.Damaged != first.Damaged {
			t.Errorf("run %d, killed after %v: read %+v, undisturbed %+v", run, points, got, first)
		}
		texts := eventTexts(t, data)
		for hash, n := range want {
			texts[hash] -= n
		}
		if n := texts.differences(); n != 0 {
			t.Errorf("run %d, killed after %v: %d texts are lost or twice there", run, points, n)
		}
		expect(t, 0, "", "--data", data, "lake", "verify")
		if err := os.RemoveAll(data); err != nil {
			t.Fatal(err)
		}
	}
}
