package bulk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wadi-project/wadi/internal/evtx/evtxtest"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// childEnv makes the test binary an importing process: the lake's folder and the
// paths, one a line.
const childEnv = "WADI_BULK_TEST_IMPORT"

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		if err := child(strings.Split(job, "\n")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child imports in many small parts.
func child(args []string) (err error) {
	ctx := context.Background()
	w, err := lake.OpenWriter(ctx, args[0], lake.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, err = Import(ctx, Config{Writer: w, Paths: args[1:], Workers: 2, partRowBytes: 3 << 20})
	return err
}

// killInputs writes the logs to import: event logs, one that is found in two
// states, a copy, and a text log.
func killInputs(t *testing.T) []string {
	t.Helper()
	chunks, err := evtxtest.Chunks(filepath.Join(corpus(t), "evtx"), 60_000, nil)
	if err != nil || len(chunks) < 20 {
		t.Fatal(len(chunks), err)
	}
	dir := t.TempDir()
	var paths []string
	put := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	long, _, err := evtxtest.Log(chunks, evtxtest.Options{SizeBytes: 10 << 20, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := evtxtest.Log(chunks[10:], evtxtest.Options{SizeBytes: 4 << 20, Seed: 8})
	if err != nil {
		t.Fatal(err)
	}
	put("1-early.evtx", long[:4096+40*65536])
	put("2-long.evtx", long)
	put("3-other.evtx", other)
	put("4-grown.evtx", logOf("abcd"))
	put("5-grown.evtx", logOf("abcdef"))
	put("6-copy.evtx", other)
	var text strings.Builder
	text.WriteString(w3cHead)
	for i := range 60_000 {
		text.WriteString(w3cLine(i))
	}
	put("7-early.log", []byte(text.String()[:1<<20]))
	put("8-u_ex.log", []byte(text.String()))
	return paths
}

// killState is what is compared: everything but when and by which import a row came.
type killState struct{ events, lines []string }

func readState(l *testLake) (s killState) {
	l.t.Helper()
	s.events = l.texts()
	s.lines = l.values(schema.W3CIIS, "csUriStem")
	slices.Sort(s.lines)
	// A row's name is given once, and the ledger knows of every row.
	names := map[[2]int64]bool{}
	rows := map[int64]int64{}
	for _, table := range []*schema.Table{schema.WindowsEvents, schema.W3CIIS} {
		l.rows(table, func(r datafile.Row) {
			source, _ := r.Int(column(table, "_Source"))
			seq, _ := r.Int(column(table, "_Seq"))
			if name := [2]int64{source, seq}; names[name] {
				l.t.Errorf("row %v is there twice", name)
			} else {
				names[name] = true
			}
			rows[source]++
		})
	}
	stored := map[int64]int64{}
	l.rows(schema.Ledger, func(r datafile.Row) {
		source, _ := r.Int(column(schema.Ledger, "_Source"))
		n := func(name string) int64 { v, _ := r.Int(column(schema.Ledger, name)); return v }
		if n("Stored") > 0 {
			stored[source] += n("Stored")
		}
		if n("Received") != n("Stored")+n("Duplicate")+n("Filtered")+n("Damaged") {
			l.t.Errorf("a row of the ledger does not add up")
		}
	})
	if d := cmp.Diff(rows, stored); d != "" {
		l.t.Errorf("rows by source, and what the ledger says:\n%s", d)
	}
	sources := map[int64]bool{}
	l.rows(schema.Sources, func(r datafile.Row) {
		id, _ := r.Int(column(schema.Sources, "_Source"))
		if sources[id] {
			l.t.Errorf("source %d is there twice", id)
		}
		sources[id] = true
	})
	for id := range rows {
		if !sources[id] {
			l.t.Errorf("source %d is missing", id)
		}
	}
	return s
}

// TestKillBetweenParts kills an importing process that commits many parts at
// random points, again and again until one ends, and expects exactly the rows of
// an import that nobody disturbed. (Package proof kills the real wadi import,
// whose parts are large.)
func TestKillBetweenParts(t *testing.T) {
	if os.Getenv("WADI_SLOW") == "" {
		t.Skip("WADI_SLOW is not set: killing imports takes a minute")
	}
	runs := 20
	if s := os.Getenv("WADI_CRASH_RUNS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		runs = n
	}
	inputs := killInputs(t)
	quiet := newTestLake(t)
	quiet.load(Config{}, inputs...)
	want := readState(quiet)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	importing(t, self, t.TempDir(), inputs, 0)
	took := time.Since(start)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("%d events, %d lines, seed %d, undisturbed %v", len(want.events), len(want.lines), seed, took)
	kills := 0
	for run := range runs {
		dir := t.TempDir()
		for try := 0; ; try++ {
			after := time.Duration(random.Int64N(int64(took) * 9 / 10))
			if try >= 3 {
				after = 0 // let it end
			}
			if importing(t, self, dir, inputs, after) {
				break
			}
			kills++
		}
		w, err := lake.OpenWriter(t.Context(), dir, lake.Options{})
		if err != nil {
			t.Fatal(err)
		}
		l := &testLake{t: t, w: w}
		if d := cmp.Diff(want, readState(l), cmp.AllowUnexported(killState{})); d != "" {
			t.Errorf("run %d (-want +got):\n%.4000s", run, d)
		}
		if _, err := w.Verify(t.Context(), func(f lake.Fault) { t.Errorf("run %d: %+v", run, f) }); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Fatalf("run %d failed, seed %d", run, seed)
		}
	}
	t.Logf("%d runs, %d kills", runs, kills)
}

// importing runs an importing process and kills it after some time, 0 for never.
// It tells whether the process ended by itself.
func importing(t *testing.T, self, dir string, inputs []string, after time.Duration) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(append([]string{dir}, inputs...), "\n"))
	var out strings.Builder
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
		defer timer.Stop()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true
	case errors.As(err, &exit) && exit.ExitCode() == -1:
		return false
	}
	t.Fatalf("%v: %s", err, out.String())
	return false
}
