package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// benchEVTX measures `evtx dump` on one core and on two, and against the peer.
func benchEVTX(ctx context.Context, b *bench) error {
	mixes, err := b.inputs()
	if err != nil {
		return err
	}
	for _, mix := range mixes {
		megabytes := float64(mix.sizeBytes) / 1e6
		var json1, json2, xml1, peer costs
		for range b.Runs {
			steps := []struct {
				into *costs
				env  []string
				name string
				args []string
			}{
				{&json1, []string{"GOMAXPROCS=1"}, b.Wadi, []string{"evtx", "dump", "--format", "jsonl", mix.path}},
				{&xml1, []string{"GOMAXPROCS=1"}, b.Wadi, []string{"evtx", "dump", "--format", "xml", mix.path}},
				{&json2, []string{"GOMAXPROCS=2"}, b.Wadi, []string{"evtx", "dump", "--format", "jsonl", mix.path}},
				{&peer, nil, b.EVTXDump, []string{"-t", "1", "-o", "jsonl", mix.path}},
			}
			for _, s := range steps {
				if s.name == "" {
					continue
				}
				u, err := process(ctx, false, s.env, s.name, s.args...)
				if err != nil {
					return err
				}
				s.into.add(u)
			}
		}
		rate := func(c *costs) string {
			return fmt.Sprintf("%.0f MB/s of CPU, ≤%d MB RSS", megabytes/median(c.cpu).Seconds(), median(c.rss)/1e6)
		}
		b.figure("EVTX → JSON lines, one core, "+mix.name, rate(&json1), "≥500 MB/s (Security), ≤100 MB")
		b.figure("EVTX → XML, one core, "+mix.name, rate(&xml1), "≥300 MB/s")
		b.figure("EVTX → JSON lines, two cores against one, "+mix.name,
			fmt.Sprintf("%.2f× faster (wall)", median(json1.wall).Seconds()/median(json2.wall).Seconds()), "≥1.7×")
		if b.EVTXDump == "" {
			b.figure("against evtx_dump -t 1, "+mix.name, "no ratio was measured: no evtx_dump", "≥1×")
		} else {
			b.figure("against evtx_dump -t 1, "+mix.name,
				fmt.Sprintf("%.2f× (evtx_dump %s)", 1/ratio(&json1, &peer), rate(&peer)), "≥1×")
		}
	}
	return nil
}

// benchImport measures the bulk door, from EVTX to the committed lake.
func benchImport(ctx context.Context, b *bench) error {
	mixes, err := b.inputs()
	if err != nil {
		return err
	}
	for _, mix := range mixes {
		var c costs
		var counts imported
		var perRow float64
		for run := range b.Runs {
			data := b.fresh(mix.name, run)
			u, n, err := b.importOnce(ctx, data, mix.path)
			if err != nil {
				return err
			}
			size, _, err := folderBytes(data)
			if err != nil {
				return err
			}
			c.add(u)
			counts, perRow = n, float64(size)/float64(n.Stored)
			if err := os.RemoveAll(data); err != nil {
				return err
			}
		}
		b.figure(fmt.Sprintf("EVTX → committed lake, 2 cores, %s (%d events)", mix.name, counts.Stored),
			fmt.Sprintf("%.0f events/s, %s", float64(counts.Stored)/median(c.wall).Seconds(), c.String()), "≥100,000 events/s (Security), ≤1 GB")
		b.figure("bytes per event, the whole folder, "+mix.name, fmt.Sprintf("%.1f", perRow), mix.bytesGoal)
	}
	return nil
}

// benchCorpus imports all real files at once.
func benchCorpus(ctx context.Context, b *bench) error {
	var c costs
	var counts imported
	var size, files int64
	for run := range b.Runs {
		data := b.fresh("corpus", run)
		u, n, err := b.importOnce(ctx, data, filepath.Join(b.Corpus, "evtx"))
		if err != nil {
			return err
		}
		c.add(u)
		counts = n
		if size, _, err = folderBytes(data); err != nil {
			return err
		}
		parquet, err := filepath.Glob(filepath.Join(data, "lake/*/windows_events/data/*/*.parquet"))
		if err != nil {
			return err
		}
		files = int64(len(parquet))
		if err := os.RemoveAll(data); err != nil {
			return err
		}
	}
	b.figure(fmt.Sprintf("the whole EVTX corpus (%d events)", counts.Stored), fmt.Sprintf("%d data files, %s", files, c.String()), "≤16 files, ≤5 s, ≤500 MB")
	b.figure("bytes per event, the whole folder, corpus", fmt.Sprintf("%.1f", float64(size)/float64(counts.Stored)), "≤60")
	return nil
}
