package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// The hot rows that a server at 10,000 events/s has before it commits.
const (
	hotFiles = 10
	hotRows  = 10_000 // of each file
)

// benchHot asks the same of the large lake with hot rows and without them.
func benchHot(ctx context.Context, b *bench) (err error) {
	dir, err := b.demoLake(ctx)
	if err != nil {
		return err
	}
	// Beside the lake, so that its files can be linked.
	hot := filepath.Join(b.Cache, "hot-lake")
	if err := os.RemoveAll(hot); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(hot)) }()
	cold, err := lake.Open(ctx, dir, lake.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cold.Close()) }()
	if _, err := cold.Backup(ctx, hot); err != nil {
		return err
	}
	if err := writeHot(ctx, hot); err != nil {
		return err
	}
	warm, err := lake.Open(ctx, hot, lake.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, warm.Close()) }()
	e, err := engine.Start(ctx, engine.Config{Executable: b.Wadi, Threads: 2, ReadDirs: []string{cold.Dir(), warm.Dir()}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	for _, question := range []string{
		"windows_events | count",
		"windows_events | where EventID == 4625 | count",
		"windows_events | summarize count() by EventID, bin(TimeGenerated, 1h)",
	} {
		if err := b.hotPair(ctx, question, &query.Config{Lake: warm, Engine: e}, &query.Config{Lake: cold, Engine: e}); err != nil {
			return fmt.Errorf("%s: %w", question, err)
		}
	}
	return nil
}

// hotPair measures one question in both lakes in turn.
func (b *bench) hotPair(ctx context.Context, question string, warm, cold *query.Config) error {
	asking := func(c *query.Config) asker {
		return func() (*engine.Rows, func() error, error) {
			r, err := query.Run(ctx, c, question)
			if err != nil {
				return nil, nil, err
			}
			return r.Rows, r.Close, nil
		}
	}
	first, err := cost(1, asking(cold))
	if err != nil {
		return err
	}
	times := 1 + int(leastCPU/max(first.cpu, time.Millisecond))
	var with, without costs
	for range b.Runs {
		for _, side := range []struct {
			into *costs
			ask  asker
		}{{&with, asking(warm)}, {&without, asking(cold)}} {
			u, err := cost(times, side.ask)
			if err != nil {
				return err
			}
			side.into.add(u)
		}
	}
	b.figure(fmt.Sprintf("%s, %d hot rows", question, hotFiles*hotRows), fmt.Sprintf("%.1f ms with, %.1f ms without: %.2f× CPU, %.2f× wall",
		1e3*median(with.cpu).Seconds(), 1e3*median(without.cpu).Seconds(), ratio(&with, &without),
		float64(median(with.wall))/float64(median(without.wall))), "≤1.2×")
	return nil
}

// writeHot adds hot rows to a lake.
func writeHot(ctx context.Context, dir string) (err error) {
	w, err := lake.OpenWriter(ctx, dir, lake.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	g, err := w.OpenLog(ctx, "3a6de0a4-0a55-4a27-8d3c-51a6f39f2c77", lake.LogInfo{Door: "stream"})
	if err != nil {
		return err
	}
	source, err := g.AddSource(ctx, lake.SourceInfo{Kind: "ingest", Subscription: "bench"})
	if err != nil {
		return err
	}
	t := schema.WindowsEvents
	for n := range int64(hotFiles) {
		rows := datafile.NewRows(t)
		for i := range hotRows {
			hotRow(rows, t, i)
		}
		rows.Number(source, n*hotRows+1, time.Now().UnixMicro())
		if err := g.WriteHot(ctx, t, []*datafile.Rows{rows}, n, n+1); err != nil {
			return err
		}
	}
	return g.Drained()
}

// hotRow adds a row with the columns and sizes of a logon event.
func hotRow(b *datafile.Rows, t *schema.Table, i int) {
	b.BeginNumbered()
	b.Int(t.Index("TimeGenerated"), time.Now().UnixMicro())
	b.Int(t.Index("_TimeSub"), int64(i%10))
	b.String(t.Index("_Table"), "SecurityEvent")
	b.Int(t.Index("_SystemForm"), 1)
	for _, name := range []string{"Channel", "Computer", "Provider", "TargetUserName", "TargetDomainName", "IpAddress", "LogonType", "ProcessName"} {
		b.String(t.Index(name), fmt.Sprintf("%s-%d", name, i%50))
	}
	b.Int(t.Index("EventID"), int64(4624+i%2))
	b.String(t.Index("EventXml"), fmt.Sprintf("<EventData>%0700d</EventData></Event>", i))
	b.End()
}
