package dump

import (
	"context"
	"fmt"
	"io"

	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/pipe"
)

// Format is what records are written as.
type Format uint8

// The formats.
const (
	// XML is one event after the other in EvtRender's form, a line break behind
	// each. It is the text that the lake stores.
	XML Format = iota
	// JSON is one array of all records.
	JSON
	// JSONLines is one object a line.
	JSONLines
)

// ParseFormat gives the format called xml, json or jsonl.
func ParseFormat(name string) (Format, error) {
	switch name {
	case "xml":
		return XML, nil
	case "json":
		return JSON, nil
	case "jsonl":
		return JSONLines, nil
	}
	return 0, fmt.Errorf("cannot write format %q", name)
}

// Config says how to dump.
type Config struct {
	Format Format
	// Flat writes JSON objects without nesting (docs/formats/evtx.md); it has no
	// meaning for XML.
	Flat bool
	// Workers is the number of chunks rendered at the same time, at least 1.
	Workers int
	// Lost is told what was wrong with a log, in the order of the output and from
	// one goroutine at a time; may be nil.
	Lost func(name string, l evtx.Loss)
}

// Dumper writes the records of one log after the other to one output. It keeps
// its workers' memory between logs. Not safe for concurrent use.
type Dumper struct {
	out     io.Writer
	cfg     Config
	workers []*worker
	free    chan *block
	begun   bool
	records int64
	lost    int64
}

// worker is what one parallel renderer owns.
type worker struct {
	decoder *evtx.Decoder
	chunk   []byte
}

// block is a chunk's text, on its way to the output.
type block struct {
	text    []byte
	records int
	losses  []evtx.Loss
}

// ahead is how many chunks may be rendered and wait for their turn, beside those
// in work.
const ahead = 2

// handed is how many blocks are between the stages or being written.
const handed = 2

// maxKept bounds the text buffers that are kept for reuse: full chunks render to
// some hundred KiB, hostile ones to much more.
const maxKept = 4 << 20

// New gives a Dumper that writes to out.
func New(out io.Writer, cfg Config) *Dumper {
	cfg.Workers = max(cfg.Workers, 1)
	d := &Dumper{out: out, cfg: cfg, free: make(chan *block, cfg.Workers+ahead+handed)}
	for range cfg.Workers {
		d.workers = append(d.workers, &worker{})
	}
	return d
}

// Records gives how many records were written so far, Lost how many are known to
// be lost.
func (d *Dumper) Records() int64 { return d.records }

// Lost gives the number of records that are known to be lost so far.
func (d *Dumper) Lost() int64 { return d.lost }

// Log writes the records of the event log r of size bytes. Damage is reported and
// is no error; an error means that r is no event log or cannot be read (the next
// log can be written all the same), that out failed ([WriteError]), or is the
// cause of ctx's end.
func (d *Dumper) Log(ctx context.Context, name string, r io.ReaderAt, size int64) error {
	f, err := evtx.Open(r, size)
	if err != nil {
		return err
	}
	d.report(name, f.Losses())
	g := pipe.New(ctx)
	chunks := pipe.From(g, 0, func(_ context.Context, emit func(evtx.ChunkInfo) error) error {
		for _, c := range f.Chunks() {
			if err := emit(c); err != nil {
				return err
			}
		}
		return nil
	})
	workers := pipe.Workers{N: d.cfg.Workers, Depth: d.cfg.Workers + ahead}
	blocks := pipe.Map(g, chunks, workers, func(i int) func(context.Context, evtx.ChunkInfo) (*block, error) {
		w := d.workers[i]
		if w.decoder == nil {
			w.decoder, w.chunk = evtx.NewDecoder(), make([]byte, evtx.ChunkSize)
		}
		return func(_ context.Context, c evtx.ChunkInfo) (*block, error) { return d.render(w, f, c), nil }
	})
	pipe.Each(g, blocks, func(_ context.Context, b *block) error {
		defer d.recycle(b)
		d.report(name, b.losses)
		return d.write(b)
	})
	return g.Wait()
}

// WriteError is an error of the output, as against one of a log.
type WriteError struct{ Err error }

// Error gives one line.
func (e *WriteError) Error() string { return "cannot write the dump: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *WriteError) Unwrap() error { return e.Err }

// render gives a chunk's text. A chunk that cannot be read is a loss of its own.
func (d *Dumper) render(w *worker, f *evtx.File, c evtx.ChunkInfo) *block {
	b := d.block()
	data, err := f.ReadChunk(c, w.chunk)
	if err != nil {
		b.losses = append(b.losses, evtx.Loss{Chunk: c.Number, Offset: c.Offset, Reason: err.Error()})
		return b
	}
	w.decoder.Open(c, data)
	var r evtx.Record
	for w.decoder.Next(&r) {
		n := len(b.text)
		if d.cfg.Format == JSON {
			b.text = append(b.text, ',', '\n')
		}
		switch {
		case d.cfg.Format == XML:
			b.text, err = w.decoder.AppendXML(b.text, &r)
		case d.cfg.Flat:
			b.text, err = w.decoder.AppendFlatJSON(b.text, &r)
		default:
			b.text, err = w.decoder.AppendJSON(b.text, &r)
		}
		if err != nil { // it is among the decoder's losses
			b.text = b.text[:n]
			continue
		}
		b.records++
		if d.cfg.Format != JSON {
			b.text = append(b.text, '\n')
		}
	}
	b.losses = append(b.losses, w.decoder.Losses()...)
	return b
}

// block gives an empty block, a used one where there is one.
func (d *Dumper) block() *block {
	select {
	case b := <-d.free:
		return b
	default:
		return &block{}
	}
}

func (d *Dumper) recycle(b *block) {
	b.text, b.records, b.losses = b.text[:0], 0, b.losses[:0]
	if cap(b.text) > maxKept {
		b.text = nil
	}
	select {
	case d.free <- b:
	default:
	}
}

func (d *Dumper) write(b *block) error {
	d.records += int64(b.records)
	text := b.text
	if d.cfg.Format == JSON && !d.begun && len(text) > 0 {
		text[0] = '[' // instead of the first record's comma
		d.begun = true
	}
	if len(text) == 0 {
		return nil
	}
	if _, err := d.out.Write(text); err != nil {
		return &WriteError{err}
	}
	return nil
}

func (d *Dumper) report(name string, losses []evtx.Loss) {
	for _, l := range losses {
		d.lost += int64(l.Records)
		if d.cfg.Lost != nil {
			d.cfg.Lost(name, l)
		}
	}
}

// Close ends the output: the array of [JSON]. It does not close the writer.
func (d *Dumper) Close() error {
	if d.cfg.Format != JSON {
		return nil
	}
	end := "\n]\n"
	if !d.begun {
		end = "[]\n"
	}
	d.begun = true
	if _, err := io.WriteString(d.out, end); err != nil {
		return &WriteError{err}
	}
	return nil
}
