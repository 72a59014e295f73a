package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wadi-project/wadi/internal/demo"
	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/query"
)

// lakeUntil is the end of the demo lake's fourteen days; a fixed one, so that the
// lake can be kept.
const lakeUntil = "2026-11-01T00:00:00Z"

// demoLake gives a lake of b.LakeRows generated events, made once for each
// generation of the generator and version of Wadi.
func (b *bench) demoLake(ctx context.Context) (string, error) {
	version, err := process(ctx, true, nil, b.Wadi, "version")
	if err != nil {
		return "", err
	}
	var name [2]string
	if _, err := fmt.Sscan(version.stdout, &name[0], &name[1]); err != nil {
		return "", fmt.Errorf("cannot read the version: %w", err)
	}
	dir := filepath.Join(b.Cache, fmt.Sprintf("lake-%s-g%d-%d", name[1], demo.Generation, b.LakeRows))
	// The truth is written last.
	if _, err := os.Stat(filepath.Join(dir, demo.TruthFile)); err == nil {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	u, err := process(ctx, false, nil, b.Wadi, "--data", dir, "demo", "--events", fmt.Sprint(b.LakeRows), "--seed", "1", "--until", lakeUntil)
	if err != nil {
		return "", err
	}
	size, _, err := folderBytes(dir)
	if err != nil {
		return "", err
	}
	b.figure(fmt.Sprintf("demo lake of %d events and %d requests", b.LakeRows, b.LakeRows/20),
		fmt.Sprintf("%.0f s wall, %.0f s CPU, %d MB RSS, %.1f bytes a row", u.wall.Seconds(), u.cpu.Seconds(), u.rssBytes/1e6,
			float64(size)/(float64(b.LakeRows)*1.05)), "-")
	return dir, nil
}

// question is one whose time is promised.
type question struct{ what, text, goal string }

var questions = []question{
	{"count by hour and EventID", "windows_events | summarize count() by bin(TimeGenerated, 1h), EventID", "≤0.6 s, ≤350 MB (20 M)"},
	{
		"one hour, 4 columns",
		"SecurityEvent | where TimeGenerated >= datetime(2026-10-28T10:00:00Z) and TimeGenerated < datetime(2026-10-28T11:00:00Z) and EventID == 4625 | project TimeGenerated, Computer, TargetUserName, IpAddress",
		"≤100 ms",
	},
	{"take 100 of whole rows", "windows_events | take 100", "≤400 ms"},
}

// benchQuery asks questions of the demo lake: one process, a warm worker with two
// threads, the first run of each question not counted.
func benchQuery(ctx context.Context, b *bench) (err error) {
	dir, err := b.demoLake(ctx)
	if err != nil {
		return err
	}
	l, err := lake.Open(ctx, dir, lake.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, q := range questions {
		// A worker for each question: its peak memory is of this one alone.
		e, err := engine.Start(ctx, engine.Config{Executable: b.Wadi, Threads: 2, ReadDirs: []string{l.Dir()}})
		if err != nil {
			return err
		}
		err = b.ask(ctx, &query.Config{Lake: l, Engine: e}, q)
		if err := errors.Join(err, e.Close()); err != nil {
			return err
		}
	}
	return nil
}

// ask measures one question.
func (b *bench) ask(ctx context.Context, c *query.Config, q question) error {
	var c2 costs
	var rows int64
	for run := range b.Runs + 1 {
		before, err := children()
		if err != nil {
			return err
		}
		start := time.Now()
		if rows, err = drain(ctx, c, q.text); err != nil {
			return fmt.Errorf("cannot ask %q: %w", q.text, err)
		}
		wall := time.Since(start)
		after, err := children()
		if err != nil {
			return err
		}
		if run > 0 {
			c2.add(usage{wall: wall, cpu: after.cpu - before.cpu, rssBytes: after.rssBytes})
		}
	}
	b.figure(fmt.Sprintf("%s (%d rows), %.1f M events, warm", q.what, rows, float64(b.LakeRows)/1e6),
		fmt.Sprintf("%.0f ms wall, %.0f ms CPU, %d MB RSS (worker)", 1e3*median(c2.wall).Seconds(), 1e3*median(c2.cpu).Seconds(), median(c2.rss)/1e6), q.goal)
	return nil
}

// drain runs a question to its last row.
func drain(ctx context.Context, c *query.Config, text string) (rows int64, err error) {
	r, err := query.Run(ctx, c, text)
	if err != nil {
		return 0, err
	}
	for r.Next() {
		rows++
	}
	return rows, r.Close()
}

// bomb makes groups of nearly every row and sorts them: much memory and two busy
// threads for as long as it is let.
const bomb = "windows_events | summarize dcount(EventRecordId), max(TimeGenerated) by Computer, EventRecordId, EventXml | sort by EventXml | take 10"

// benchBomb imports the same file alone and beside a question without mercy.
func benchBomb(ctx context.Context, b *bench) error {
	dir, err := b.demoLake(ctx)
	if err != nil {
		return err
	}
	mixes, err := b.inputs()
	if err != nil {
		return err
	}
	m := mixes[0]
	var alone, beside costs
	var stored [2]int64
	for run := range b.Runs {
		for i, into := range []*costs{&alone, &beside} {
			data := b.fresh("bomb", 2*run+i)
			stop := func() {}
			if i == 1 {
				stop = b.keepAsking(ctx, dir, bomb)
			}
			u, n, err := b.importOnce(ctx, data, m.path)
			stop()
			if err != nil {
				return err
			}
			into.add(u)
			stored[i] = n.Stored
			if err := os.RemoveAll(data); err != nil {
				return err
			}
		}
	}
	if stored[0] != stored[1] {
		return fmt.Errorf("cannot vouch for the import: %d events alone, %d beside the question", stored[0], stored[1])
	}
	b.figure("import beside a query bomb, "+m.name, fmt.Sprintf("%+.0f %% wall (%.2f s → %.2f s), %d events both times",
		100*(median(beside.wall).Seconds()/median(alone.wall).Seconds()-1), median(alone.wall).Seconds(), median(beside.wall).Seconds(), stored[1]), "≤20 % slower, nothing lost")
	return nil
}

// keepAsking asks a question over and over in processes of their own until the
// returned function is called. Whether it is answered does not matter.
func (b *bench) keepAsking(ctx context.Context, dir, text string) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			// An error is the expected end: out of memory, out of time or stopped.
			_, _ = process(ctx, false, nil, b.Wadi, "--data", dir, "query", "--format", "jsonl", text)
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// imported is the part of `import --json` that the figures need.
type imported struct {
	Read, Stored, Duplicate, Damaged int64
}

// importOnce imports paths into a new lake and gives the cost and the counts.
func (b *bench) importOnce(ctx context.Context, data string, paths ...string) (usage, imported, error) {
	u, err := process(ctx, true, []string{"GOMAXPROCS=2"}, b.Wadi, append([]string{"--data", data, "import", "--json"}, paths...)...)
	if err != nil {
		return u, imported{}, err
	}
	var counts imported
	if err := json.Unmarshal([]byte(u.stdout), &counts); err != nil {
		return u, imported{}, fmt.Errorf("cannot read the summary of the import: %w", err)
	}
	return u, counts, nil
}
