package bulk

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wadi-project/wadi/internal/collect/files"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/lake"
)

// reader reads logs, decides what of them the case has already, numbers the rest
// and gives it on as jobs. It is one goroutine, because order is what it decides
// on; it hashes and counts, and leaves the rest to the encoders.
type reader struct {
	cfg  *Config
	log  *lake.Log
	emit func(*job) error
	free *freeList
	file func(name string, kind string) *logFile // notes a log that is begun
	// failed notes a log that cannot be read.
	failed func(*files.Failure)
	seq    int64 // of the next record
	chunk  chunkReader
	text   *known
	first  firstRecord
}

func newReader(cfg *Config, log *lake.Log, known *known, emit func(*job) error, file func(name, kind string) *logFile, failed func(*files.Failure), free *freeList) *reader {
	return &reader{
		cfg: cfg, log: log, emit: emit, free: free, file: file, failed: failed, seq: 1,
		chunk: chunkReader{known: known, keep: cfg.KeepDuplicates, rows: newRowReader(cfg.Writer), decoder: evtx.NewDecoder()},
		text:  newKnown(cfg.Writer, cfg.Case, lake.KeyText),
	}
}

// input reads one log of an entry.
func (r *reader) input(ctx context.Context, in *files.Input) error {
	f := r.file(in.Name, in.Kind.String())
	end := &job{kind: jobEnd, file: f, ends: true}
	if in.Damage != "" {
		end.findings = append(end.findings, in.Damage)
	}
	var err error
	if in.Kind == files.EVTX {
		err = r.evtx(ctx, in, f, end)
	} else {
		err = r.lines(ctx, in, f, end)
	}
	if err != nil {
		return err
	}
	if f.summary.Source == 0 && end.counts != (Counts{}) {
		if err := r.source(ctx, f, in, ""); err != nil {
			return err
		}
	}
	end.source = f.summary.Source
	return r.emit(end)
}

// source gives the log its number.
func (r *reader) source(ctx context.Context, f *logFile, in *files.Input, host string) (err error) {
	f.summary.Source, err = r.log.AddSource(ctx, lake.SourceInfo{Kind: in.Kind.String(), Host: host, File: in.Name})
	return err
}

// evtx reads an event log by chunk.
func (r *reader) evtx(ctx context.Context, in *files.Input, f *logFile, end *job) error {
	e, err := evtx.Open(in.Content, in.SizeBytes)
	if err != nil {
		end.findings = append(end.findings, err.Error())
		r.failed(&files.Failure{Path: in.Name, Err: err})
		return nil
	}
	end.lose(e.Losses())
	var prev uint64
	for _, c := range e.Chunks() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		buf := r.free.get()
		data, err := e.ReadChunk(c, buf)
		if err != nil {
			end.findings = append(end.findings, err.Error())
			r.free.put(buf)
			continue
		}
		j := &job{kind: jobChunk, file: f, chunk: c, data: data, size: int64(len(data)), seq: r.seq}
		if prev, err = r.plan(ctx, in, j, prev); err != nil {
			return err
		}
		if err := r.emit(j); err != nil {
			return err
		}
	}
	return nil
}

// plan decides what of a chunk is stored. Prev is the last record identifier in
// front of it; plan gives the last one of the chunk.
func (r *reader) plan(ctx context.Context, in *files.Input, j *job, prev uint64) (uint64, error) {
	d := r.chunk.decoder
	d.Open(j.chunk, j.data)
	if j.file.summary.Source == 0 {
		host, channel := r.first.read(d)
		j.file.channel = channel
		if err := r.source(ctx, j.file, in, host); err != nil {
			return prev, err
		}
		d.Open(j.chunk, j.data)
	}
	j.source = j.file.summary.Source
	p, err := r.chunk.plan(ctx, j.source, r.seq)
	if err != nil {
		return prev, fmt.Errorf("cannot read %s: %w", in.Name, err)
	}
	gap := uint64(0)
	for i := range r.chunk.records {
		id := r.chunk.records[i].ID
		if prev != 0 && id > prev+1 {
			gap += id - prev - 1
		}
		prev = max(prev, id)
	}
	for _, l := range d.Losses() {
		gap -= min(gap, uint64(max(l.Records, 0)))
	}
	j.skip = p.skip
	j.counts = Counts{Read: int64(p.skip), Duplicate: int64(p.skip), Lost: int64(min(gap, maxLost))}
	if p.key != nil {
		j.keys = []lake.KeyEntry{*p.key}
	}
	if p.skip == p.records {
		j.lose(d.Losses())
		r.free.put(j.data)
		j.kind, j.data = jobEnd, nil
	}
	r.seq += int64(p.records - p.skip)
	return prev, nil
}

// firstRecord reads what the first whole record of a log says about the log.
type firstRecord struct {
	batch  event.Batch
	parser eventxml.Parser
}

// read walks the chunk that d has open.
func (f *firstRecord) read(d *evtx.Decoder) (host, channel string) {
	var r evtx.Record
	for d.Next(&r) {
		f.batch.Reset()
		lo := f.batch.Begin()
		var err error
		if f.batch.Text, err = d.AppendXML(f.batch.Text, &r); err != nil {
			continue
		}
		if e, err := f.parser.Parse(&f.batch, f.batch.End(lo)); err == nil {
			return f.batch.String(e.Computer), f.batch.String(e.Channel)
		}
	}
	return "", ""
}

// freeList keeps buffers of a chunk's size.
type freeList struct{ c chan []byte }

func newFreeList(n int) *freeList { return &freeList{make(chan []byte, n)} }

func (l *freeList) get() []byte {
	select {
	case b := <-l.c:
		return b[:evtx.ChunkSize]
	default:
		return make([]byte, evtx.ChunkSize)
	}
}

func (l *freeList) put(b []byte) {
	if cap(b) < evtx.ChunkSize {
		return
	}
	select {
	case l.c <- b:
	default:
	}
}

// readFiles reads all entries, one after the other.
func (r *reader) readFiles(ctx context.Context, entries []files.Entry, begun func(files.Entry), skipped, done func()) error {
	cfg := files.Config{FS: r.cfg.FS, TempDir: r.cfg.TempDir, Stdin: r.cfg.Stdin}
	for _, e := range entries {
		begun(e)
		err := e.Open(ctx, cfg, func(in *files.Input) error {
			if in.Kind == files.NotALog {
				skipped()
				return nil
			}
			return r.input(ctx, in)
		}, r.failed)
		if err != nil {
			return err
		}
		done()
	}
	return nil
}

// errInput is a log that stopped giving bytes; what was read before it stays.
func errInput(err error) bool { return err != nil && !errors.Is(err, io.EOF) }
