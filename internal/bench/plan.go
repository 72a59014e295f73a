package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wadi-project/wadi/internal/engine"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/query"
	"github.com/wadi-project/wadi/internal/schema"
)

// rule is a detection of 60 lines, as long as Sentinel's are: lets, functions, two
// joins, a union and texts cut.
//
//go:embed rule.kql
var rule string

// manyFiles is how many data files the lake of small questions has.
const manyFiles = 2000

// benchPlan measures what a question costs before and beside its rows: to be
// understood, and to be planned over many files.
func benchPlan(ctx context.Context, b *bench) error {
	var times []time.Duration
	for range 200 {
		start := time.Now()
		if _, err := query.Compile(rule, schema.Builtin(), start); err != nil {
			return err
		}
		times = append(times, time.Since(start))
	}
	b.figure("parse, bind and plan of a rule of 60 lines", fmt.Sprintf("%.2f ms", 1e3*median(times).Seconds()), "≤1 ms")
	dir, err := b.filesLake(ctx)
	if err != nil {
		return err
	}
	return b.smallQuestion(ctx, dir)
}

// smallQuestion asks for one hour of a lake of many files.
func (b *bench) smallQuestion(ctx context.Context, dir string) (err error) {
	l, err := lake.Open(ctx, dir, lake.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	e, err := engine.Start(ctx, engine.Config{Executable: b.Wadi, Threads: 2, ReadDirs: []string{l.Dir()}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	c := &query.Config{Lake: l, Engine: e}
	var times []time.Duration
	for run := range 20 * b.Runs {
		start := time.Now()
		rows, err := drain(ctx, c, "SecurityEvent | where TimeGenerated between (datetime(2026-03-02T10:00:00Z) .. datetime(2026-03-02T10:59:59Z)) and EventID == 4625 | project TimeGenerated, Computer, TargetUserName")
		if err != nil {
			return err
		}
		if rows != 1 {
			return fmt.Errorf("the small question gives %d rows, not 1", rows)
		}
		if run > 0 {
			times = append(times, time.Since(start))
		}
	}
	b.figure(fmt.Sprintf("small question to a warm worker, %d files", manyFiles), fmt.Sprintf("%.1f ms wall", 1e3*median(times).Seconds()), "≤60 ms")
	return nil
}

// filesLake makes a lake of many files of one hour and ten events each, once.
func (b *bench) filesLake(ctx context.Context) (dir string, err error) {
	dir = filepath.Join(b.Cache, fmt.Sprintf("files-v%d-%d", schema.WindowsEvents.Version, manyFiles))
	done := filepath.Join(dir, "complete")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	w, err := lake.OpenWriter(ctx, dir, lake.Options{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	log, err := w.BeginLog(ctx, lake.LogInfo{Door: "bulk"})
	if err != nil {
		return "", err
	}
	source, err := log.AddSource(ctx, lake.SourceInfo{Kind: "evtx", Host: "dc01", File: "Security.evtx"})
	if err != nil {
		return "", err
	}
	for hour := range manyFiles {
		if err := storeHour(ctx, log, source, hour); err != nil {
			return "", err
		}
	}
	return dir, os.WriteFile(done, nil, 0o644)
}

func storeHour(ctx context.Context, log *lake.Log, source int32, hour int) error {
	part, err := log.BeginPart(ctx)
	if err != nil {
		return err
	}
	table := schema.WindowsEvents
	rows := datafile.NewRows(table)
	first := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(hour) * time.Hour)
	for i := range 10 {
		us, sub := event.FromTime(first.Add(time.Duration(i) * time.Minute)).UnixMicros()
		rows.Begin()
		rows.Int(table.Index("TimeGenerated"), us)
		rows.Int(table.Index("_TimeSub"), int64(sub))
		rows.Int(table.Index("_IngestedAt"), part.IngestedAtUS)
		rows.Int(table.Index("_Source"), int64(source))
		rows.Int(table.Index("_Seq"), int64(hour*10+i+1))
		rows.String(table.Index("_Table"), "SecurityEvent")
		rows.Int(table.Index("_SystemForm"), 0)
		rows.String(table.Index("EventXml"), "<EventData></EventData></Event>")
		rows.String(table.Index("Channel"), "Security")
		rows.Int(table.Index("EventID"), int64(4624+min(i/9, 1)))
		rows.String(table.Index("Computer"), "dc01")
		rows.End()
	}
	if err := part.Sorter(table).Add(ctx, rows); err != nil {
		return err
	}
	tally := lake.SourceTally{Source: source}
	tally.Received, tally.Stored = 10, 10
	return part.Commit(ctx, lake.PartResult{Sources: []lake.SourceTally{tally}})
}

// askers is how many questions are asked at once beside an import.
const askers = 20

// benchMany imports the same files alone and beside questions of one process.
func benchMany(ctx context.Context, b *bench) error {
	dir, err := b.demoLake(ctx)
	if err != nil {
		return err
	}
	mixes, err := b.inputs()
	if err != nil {
		return err
	}
	var alone, beside costs
	var answered, limited atomic.Int64
	for run := range b.Runs {
		for i, into := range []*costs{&alone, &beside} {
			data := b.fresh("many", 2*run+i)
			stop := func() error { return nil }
			if i == 1 {
				if stop, err = b.askMany(ctx, dir, &answered, &limited); err != nil {
					return err
				}
			}
			u, _, err := b.importOnce(ctx, data, mixes[0].path, mixes[1].path)
			if err = errors.Join(err, stop()); err != nil {
				return err
			}
			into.add(u)
			if err := os.RemoveAll(data); err != nil {
				return err
			}
		}
	}
	b.figure(fmt.Sprintf("import beside %d concurrent questions", askers), fmt.Sprintf("%+.0f %% wall (%.2f s → %.2f s); %d questions answered, %d refused by a limit",
		100*(median(beside.wall).Seconds()/median(alone.wall).Seconds()-1), median(alone.wall).Seconds(), median(beside.wall).Seconds(), answered.Load(), limited.Load()), "≤20 % slower, all answered or refused")
	return nil
}

// askMany asks the pairs' questions in a loop, askers of them at once, until the
// returned function is called, which waits for those that were asked and gives the
// first error that is no limit.
func (b *bench) askMany(ctx context.Context, dir string, answered, limited *atomic.Int64) (stop func() error, err error) {
	l, err := lake.Open(ctx, dir, lake.Options{})
	if err != nil {
		return nil, err
	}
	e, err := engine.Start(ctx, engine.Config{Executable: b.Wadi, ReadDirs: []string{l.Dir()}})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	c := &query.Config{Lake: l, Engine: e}
	var enough atomic.Bool
	var wg sync.WaitGroup
	failures := make(chan error, askers)
	for i := range askers {
		wg.Go(func() {
			for n := i; !enough.Load(); n++ {
				_, err := drain(ctx, c, pairs[n%len(pairs)].kql)
				switch {
				case err == nil:
					answered.Add(1)
				case errors.Is(err, engine.ErrBusy), errors.Is(err, engine.ErrDeadline), errors.Is(err, engine.ErrMemory):
					limited.Add(1)
				default:
					failures <- err
					return
				}
			}
		})
	}
	return func() error {
		enough.Store(true)
		wg.Wait()
		close(failures)
		return errors.Join(<-failures, e.Close(), l.Close())
	}, nil
}
