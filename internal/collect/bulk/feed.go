package bulk

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/pipe"
)

// feedReader turns the blocks of a feed into jobs.
type feedReader struct {
	cfg    *Config
	log    *lake.Log
	feed   Feed
	file   *logFile
	known  *known
	blocks sync.Pool
	seq    int64
	events map[string]int32 // sources by host
	lines  map[string]int32
}

// produce gives a job for each block: one to be made, or one that counts what the
// case has already.
func (f *feedReader) produce(ctx context.Context, emit func(*job) error) error {
	for i := range f.feed.Blocks() {
		key := f.feed.Key(i)
		v, _, ok, err := f.known.lookup(ctx, key)
		if err != nil {
			return err
		}
		j := &job{kind: jobFeed, file: f.file, index: i, size: 1}
		if ok && !f.cfg.KeepDuplicates {
			j.kind = jobEnd
			j.counts = Counts{Read: v.Count, Duplicate: v.Count}
		}
		if err := emit(j); err != nil {
			return err
		}
	}
	return emit(&job{kind: jobEnd, file: f.file, ends: true})
}

// fill makes a job's block.
func (f *feedReader) fill(_ context.Context, j *job) (*job, error) {
	if j.kind != jobFeed {
		return j, nil
	}
	j.block = f.blocks.Get().(*Block)
	j.block.Host, j.block.Lines = "", j.block.Lines[:0]
	j.block.Events.Reset()
	if err := f.feed.Fill(j.index, j.block); err != nil {
		return nil, fmt.Errorf("cannot make block %d: %w", j.index, err)
	}
	return j, nil
}

// number gives a block its sources and its rows their numbers.
func (f *feedReader) number(ctx context.Context, j *job) (*job, error) {
	if j.kind != jobFeed {
		if j.counts.Read > 0 {
			source, err := f.source(ctx, f.events, lake.SourceInfo{Kind: f.feed.Kind()})
			j.source = source
			return j, err
		}
		return j, nil
	}
	var err error
	count := int64(len(j.block.Events.Events))
	if j.source, err = f.source(ctx, f.events, lake.SourceInfo{Kind: f.feed.Kind(), Host: j.block.Host}); err != nil {
		return nil, err
	}
	first := f.seq
	j.seq = f.seq
	f.seq += count
	if len(j.block.Lines) > 0 {
		if j.linesSource, err = f.source(ctx, f.lines, lake.SourceInfo{Kind: "w3c", Host: j.block.Host, File: f.feed.Kind()}); err != nil {
			return nil, err
		}
		j.linesSeq = f.seq
		f.seq += int64(bytes.Count(j.block.Lines, []byte{'\n'}) + 1)
		for rest := j.block.Lines; len(rest) > 0; {
			var line []byte
			if line, rest = cutLine(rest); isData(line) {
				count++
			}
		}
	}
	e := lake.KeyEntry{Kind: lake.KeyFeed, Key: f.feed.Key(j.index), KeyValue: lake.KeyValue{Count: count, Source: j.source, FirstSeq: first}}
	f.known.add(e, nil)
	j.keys = []lake.KeyEntry{e}
	return j, nil
}

func (f *feedReader) source(ctx context.Context, known map[string]int32, info lake.SourceInfo) (int32, error) {
	if id, ok := known[info.Host]; ok {
		return id, nil
	}
	id, err := f.log.AddSource(ctx, info)
	if err == nil {
		known[info.Host] = id
	}
	return id, err
}

// run sends the blocks through the stages that come before encoding.
func (f *feedReader) run(ctx context.Context, workers int, emit func(*job) error) error {
	g := pipe.New(ctx)
	filled := pipe.Map(g, pipe.From(g, 1, f.produce), pipe.Workers{N: workers, Depth: depthPerWorker * workers}, func(int) func(context.Context, *job) (*job, error) { return f.fill })
	numbered := pipe.Map(g, filled, pipe.Workers{N: 1, Depth: 1}, func(int) func(context.Context, *job) (*job, error) { return f.number })
	pipe.Each(g, numbered, func(_ context.Context, j *job) error { return emit(j) })
	return g.Wait()
}
