package bulk

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wadi-project/wadi/internal/collect/files"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/pipe"
)

// Import brings the logs that cfg.Paths name into the lake. Damage, duplicates
// and files that are no log or cannot be opened are in the summary and are no
// error. On an error, or when ctx ends, what was committed stays and the summary
// says what it is.
func Import(ctx context.Context, cfg Config) (Summary, error) {
	cfg = cfg.withDefaults()
	entries, failures, err := files.List(ctx, cfg.FS, cfg.Paths)
	if err != nil {
		return Summary{Interrupted: true}, err
	}
	im, err := begin(ctx, &cfg, lake.KeyEVTX)
	if err != nil {
		return Summary{}, err
	}
	for _, f := range failures {
		im.fail(f)
	}
	for _, e := range entries {
		im.progress.BytesTotal += e.SizeBytes
	}
	im.progress.FilesTotal = len(entries)
	return im.run(ctx, func(ctx context.Context, emit func(*job) error) error {
		r := newReader(&cfg, im.log, im.known, emit, im.file, im.fail, im.free)
		im.text = r.text
		return r.readFiles(ctx, entries, im.begun, im.skip, im.opened)
	})
}

// ImportFeed brings what feed makes into the lake, as Import does with files.
func ImportFeed(ctx context.Context, cfg Config, feed Feed) (Summary, error) {
	cfg = cfg.withDefaults()
	im, err := begin(ctx, &cfg, lake.KeyFeed)
	if err != nil {
		return Summary{}, err
	}
	f := &feedReader{
		cfg: &cfg, log: im.log, feed: feed, file: im.file(feed.Kind(), feed.Kind()), known: im.known,
		blocks: sync.Pool{New: func() any { return newBlock() }}, seq: 1, events: map[string]int32{}, lines: map[string]int32{},
	}
	im.release = func(j *job) {
		if j.block != nil {
			f.blocks.Put(j.block)
		}
	}
	im.progress.BytesTotal = int64(feed.Blocks())
	return im.run(ctx, func(ctx context.Context, emit func(*job) error) error { return f.run(ctx, cfg.Workers, emit) })
}

// importer is one import. A goroutine reads; the importer's own takes the jobs,
// part by part, and commits.
type importer struct {
	cfg      *Config
	log      *lake.Log
	known    *known
	text     *known // nil for feeds
	free     *freeList
	release  func(*job)
	encoders []*encoder

	mu       sync.Mutex // guards what follows: reader and sink write it
	files    []*logFile
	summary  Summary
	progress Progress
	entry    *entrySize // of the entry in work; nil for feeds
}

// entrySize is how much of an entry's size the progress has not counted yet. What
// is unpacked from an entry may be larger than the entry.
type entrySize struct{ left int64 }

func begin(ctx context.Context, cfg *Config, kind lake.KeyKind) (*importer, error) {
	log, err := cfg.Writer.BeginLog(ctx, lake.LogInfo{Door: "bulk", Case: cfg.Case})
	if err != nil {
		return nil, err
	}
	im := &importer{cfg: cfg, log: log, known: newKnown(cfg.Writer, cfg.Case, kind), free: newFreeList(readAhead + depthPerWorker*cfg.Workers)}
	im.release = func(j *job) { im.free.put(j.data) }
	for range cfg.Workers {
		im.encoders = append(im.encoders, newEncoder(cfg))
	}
	return im, nil
}

// run reads with produce and commits part after part.
func (im *importer) run(ctx context.Context, produce func(ctx context.Context, emit func(*job) error) error) (Summary, error) {
	jobs := make(chan *job, readAhead)
	readCtx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var readErr error
	wg.Go(func() {
		defer close(jobs)
		readErr = produce(readCtx, func(j *job) error {
			select {
			case jobs <- j:
				return nil
			case <-readCtx.Done():
				return context.Cause(readCtx)
			}
		})
	})
	var err error
	for {
		j, ok := <-jobs
		if !ok {
			break
		}
		if err = im.part(ctx, j, jobs); err != nil {
			break
		}
	}
	stop()
	wg.Wait()
	if err == nil {
		err = readErr
	}
	if err == nil && im.summary.Parts > 0 && !im.cfg.noUpkeep {
		if e := im.cfg.Writer.Upkeep(ctx); e != nil {
			im.cfg.Log.Warn("the rows are stored; the upkeep of the lake is left to the next import", "error", e)
		}
	}
	return im.finish(err), err
}

// part fills and commits one part, which begins with the job first.
func (im *importer) part(ctx context.Context, first *job, jobs <-chan *job) (err error) {
	p, err := im.log.BeginPart(ctx)
	if err != nil {
		return err
	}
	part := &openPart{Part: p}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Abort())
		}
	}()
	sink := newPartSink(im)
	g := pipe.New(ctx)
	in := pipe.From(g, 0, func(ctx context.Context, emit func(*job) error) error {
		return im.fill(ctx, part, first, jobs, emit)
	})
	n := len(im.encoders)
	out := pipe.Map(g, in, pipe.Workers{N: n, Depth: depthPerWorker * n}, func(worker int) func(context.Context, *job) (*job, error) {
		return func(ctx context.Context, j *job) (*job, error) {
			return j, im.encoders[worker].encode(ctx, part, j)
		}
	})
	pipe.Each(g, out, func(_ context.Context, j *job) error { sink.take(j); return nil })
	if err := g.Wait(); err != nil {
		return err
	}
	for _, w := range im.encoders {
		if err := w.flush(ctx, part); err != nil {
			return err
		}
	}
	im.tell(func(p *Progress) { p.Committing = true })
	result := sink.result()
	if err := p.Commit(ctx, result); err != nil {
		return err
	}
	im.known.committed(result.Keys)
	if im.text != nil {
		im.text.committed(result.Keys)
	}
	im.mu.Lock()
	im.summary.Parts++
	sink.settle()
	im.mu.Unlock()
	im.tell(func(p *Progress) { p.Committing = false })
	return nil
}

// fill gives jobs to a part until it is full or the input ends.
func (im *importer) fill(ctx context.Context, part *openPart, first *job, jobs <-chan *job, emit func(*job) error) error {
	timer := time.NewTimer(im.cfg.partWork)
	defer timer.Stop()
	for j := first; ; {
		if err := emit(j); err != nil {
			return err
		}
		if part.rowBytes.Load() > im.cfg.partRowBytes || im.known.held() > partHashes {
			return nil
		}
		select {
		case <-timer.C:
			return nil
		default:
		}
		var ok bool
		select {
		case j, ok = <-jobs:
			if !ok {
				return nil
			}
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tell changes the progress and reports it.
func (im *importer) tell(change func(*Progress)) {
	im.mu.Lock()
	defer im.mu.Unlock()
	change(&im.progress)
	if im.cfg.Progress != nil {
		im.cfg.Progress(im.progress)
	}
}

// file notes a log that is begun.
func (im *importer) file(name, kind string) *logFile {
	im.mu.Lock()
	defer im.mu.Unlock()
	f := &logFile{summary: FileSummary{Name: name, Kind: kind}, entry: im.entry}
	im.files = append(im.files, f)
	return f
}

func (im *importer) skip() {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.summary.Skipped++
}

func (im *importer) fail(f *files.Failure) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.summary.Failed++
	im.summary.Failures = append(im.summary.Failures, f.Error())
}

// begun notes that an entry is opened.
func (im *importer) begun(e files.Entry) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.entry = &entrySize{e.SizeBytes}
}

// opened notes that the entry has been read.
func (im *importer) opened() {
	im.tell(func(p *Progress) {
		p.Files++
		p.Bytes += im.entry.left
		im.entry.left = 0
	})
}

// finish gives the summary of what is committed.
func (im *importer) finish(err error) Summary {
	im.mu.Lock()
	defer im.mu.Unlock()
	s := &im.summary
	if s.Parts > 0 {
		s.Log = im.log.UUID()
	}
	s.Interrupted = err != nil
	for _, f := range im.files {
		f.summary.Incomplete = !f.ended
		s.Files++
		s.Counts.add(f.summary.Counts)
		s.PerFile = append(s.PerFile, f.summary)
	}
	return *s
}

// partSink counts what the jobs of a part did. It keeps the counts of files apart
// until the part is committed.
type partSink struct {
	im      *importer
	keys    map[hash]lake.KeyEntry
	order   []tallyKey
	tallies map[tallyKey]*tally
	files   map[*logFile]*fileDelta
	bytes   int64
}

type tallyKey struct {
	source  int32
	channel string
}

// fileDelta is what a part adds to a log's summary.
type fileDelta struct {
	Counts
	findings []string
	more     int
	ended    bool
}

func newPartSink(im *importer) *partSink {
	return &partSink{im: im, keys: map[hash]lake.KeyEntry{}, tallies: map[tallyKey]*tally{}, files: map[*logFile]*fileDelta{}}
}

// take counts one job that is encoded, in the order of the input.
func (s *partSink) take(j *job) {
	d := s.files[j.file]
	if d == nil {
		d = &fileDelta{}
		s.files[j.file] = d
	}
	for i := range j.result {
		d.add(j.result[i].Counts)
		s.tally(j.source, &j.result[i])
	}
	for i := range j.linesResult {
		d.add(j.linesResult[i].Counts)
		s.tally(j.linesSource, &j.linesResult[i])
	}
	d.add(j.counts)
	if j.source != 0 && (j.counts != (Counts{}) || len(j.findings) > 0) {
		s.tally(j.source, &tally{channel: j.file.channel, Counts: j.counts, findings: j.findings})
	}
	n := min(len(j.findings), keptFindings-len(d.findings))
	d.findings = append(d.findings, j.findings[:n]...)
	d.more += len(j.findings) - n
	d.ended = d.ended || j.ends
	for _, e := range j.keys {
		s.keys[e.Key] = e // a text log's later job replaces the earlier one
	}
	s.bytes += j.size
	read := j.counts.Read
	for i := range j.result {
		read += j.result[i].Read
	}
	s.im.tell(func(p *Progress) {
		size := j.size
		if e := j.file.entry; e != nil {
			size = min(size, e.left)
			e.left -= size
		}
		p.Bytes += size
		p.Records += read
	})
	s.im.release(j)
}

func (s *partSink) tally(source int32, t *tally) {
	k := tallyKey{source, t.channel}
	to := s.tallies[k]
	if to == nil {
		to = &tally{channel: t.channel}
		s.tallies[k] = to
		s.order = append(s.order, k)
	}
	to.add(t)
}

// result gives the part's counts and keys for the commit.
func (s *partSink) result() (r lake.PartResult) {
	for _, k := range s.order {
		r.Sources = append(r.Sources, s.tallies[k].ledger(k.source))
	}
	for _, e := range s.keys {
		r.Keys = append(r.Keys, e)
	}
	return r
}

// settle adds the part's counts to the logs' summaries; the caller holds im.mu.
func (s *partSink) settle() {
	s.im.summary.Bytes += s.bytes
	for f, d := range s.files {
		f.summary.Counts.add(d.Counts)
		f.summary.note(d.findings, d.more)
		f.ended = f.ended || d.ended
	}
}
