package proof

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// health is what a soak watches.
type health struct {
	at       time.Duration
	rssKB    int64 // of the server
	files    int   // in the data folder
	commitMS float64
	commits  float64
}

var (
	rssLine    = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB`)
	metricLine = func(text, name string) float64 {
		for line := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(line, name+" "); ok {
				v, _ := strconv.ParseFloat(strings.TrimSpace(rest), 64)
				return v
			}
		}
		return -1
	}
)

// look takes the state of a server; the time of a commit is the mean
// since before, or what it was before when there was none.
func look(t *testing.T, r *receiver, client *http.Client, data string, before *health, seconds *float64) health {
	t.Helper()
	var h health
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if m := rssLine.FindSubmatch(status); m != nil {
		h.rssKB, _ = strconv.ParseInt(string(m[1]), 10, 64)
	}
	err = filepath.WalkDir(data, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			h.files++
		}
		return nil // files come and go
	})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(r.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = resp.Body.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	h.commits = metricLine(string(text), "wadi_stream_commits_total")
	total := metricLine(string(text), "wadi_stream_commit_seconds_total")
	if n := h.commits - before.commits; n > 0 {
		h.commitMS = (total - *seconds) * 1000 / n
	} else {
		h.commitMS = before.commitMS
	}
	*seconds = total
	return h
}

// setting reads a variable that make sets.
func setting[T any](t *testing.T, name string, def T, parse func(string) (T, error)) T {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return def
	}
	v, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// TestSoak sends rows at a steady rate and expects that memory, the number of files
// and the time of a commit stay flat, and that the rows are all there. By itself it
// takes a minute at a low rate (an hour at 10,000 a second is `make soak`): that finds
// a leak that is quick, not one that is slow.
func TestSoak(t *testing.T) {
	slow(t)
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("reads the memory of a process in /proc, which isn't there")
	}
	long := setting(t, "WADI_SOAK", time.Minute, time.ParseDuration)
	rate := setting(t, "WADI_SOAK_RATE", 2000, strconv.Atoi)
	data := filepath.Join(t.TempDir(), "lake")
	for _, table := range []string{"Probe_CL", "Other_CL"} {
		must(t, "--data", data, "table", "create", table, "TimeGenerated:datetime, client:int, n:long")
	}
	token := strings.TrimSpace(must(t, "--data", data, "token", "create", "load", "--scope", "ingest"))
	server := startReceiver(t, data, "127.0.0.1:0")
	client := httpsClient(t, data)
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var senders []*sender
	var wg sync.WaitGroup
	const clients, size = 4, 500
	for i := range clients {
		s := &sender{client: client, token: token, number: i, size: size, log: fmt.Sprintf("0b5c2f5e-0000-4000-8000-%012d", i)}
		senders = append(senders, s)
		wg.Go(func() {
			tick := time.NewTicker(time.Second * clients * size / time.Duration(rate))
			defer tick.Stop()
			for ctx.Err() == nil && s.send(t.Context(), func() string { return server.url }) {
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	var all []health
	last, seconds := health{}, 0.0
	begun := time.Now()
	for every := time.NewTicker(long / 24); ctx.Err() == nil; {
		select {
		case <-every.C:
			last = look(t, server, client, data, &last, &seconds)
			last.at = time.Since(begun)
			all = append(all, last)
			t.Logf("%8v: %4d MB, %4d files, %3.0f ms a commit, %.0f commits", last.at.Round(time.Second), last.rssKB>>10, last.files, last.commitMS, last.commits)
		case <-ctx.Done():
			every.Stop()
		}
	}
	wg.Wait()
	server.stop(t)
	checkFlat(t, all)
	checkStream(t, data, senders)
	rows := 0
	for _, s := range senders {
		rows += s.batches * s.size
	}
	if want := rate * int(long.Seconds()) * 8 / 10; rows < want {
		t.Errorf("%d rows were taken, %d were to be sent at least", rows, want)
	}
}

// checkFlat compares the second and third quarter of a soak with the last.
func checkFlat(t *testing.T, all []health) {
	t.Helper()
	n := len(all)
	if n < 16 {
		t.Fatalf("%d looks were taken", n)
	}
	for _, c := range []struct {
		what  string
		of    func(health) float64
		most  float64 // as a factor
		slack float64 // and on top
	}{
		{"MB of memory", func(h health) float64 { return float64(h.rssKB) / 1024 }, 1.25, 40},
		// Files that left the tables stay for 11 minutes: a short soak sees them grow.
		{"files", func(h health) float64 { return float64(h.files) }, 1.5, 150},
		{"ms a commit", func(h health) float64 { return h.commitMS }, 2, 100},
	} {
		before, after := median(all[n/4:3*n/4], c.of), median(all[3*n/4:], c.of)
		t.Logf("%s: %.0f, then %.0f", c.what, before, after)
		if after > before*c.most+c.slack {
			t.Errorf("%s grow: %.0f, then %.0f", c.what, before, after)
		}
	}
}

func median(all []health, of func(health) float64) float64 {
	var v []float64
	for _, h := range all {
		v = append(v, of(h))
	}
	slices.Sort(v)
	return v[len(v)/2]
}
