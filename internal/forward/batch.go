package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/wadi-project/wadi/internal/deliver/logsingestion"
)

// batch gathers the rows of one stream, and the files they are from.
type batch struct {
	stream string
	rows   []json.RawMessage
	size   int
	files  map[string]follower
}

// add puts a row of a file into its stream's batch; a full batch is sent before,
// with the files' cursors as they are now, so a file's cursor must be in front of
// the row.
func (r *run) add(ctx context.Context, stream string, file follower, path string, row []byte) error {
	b := r.batches[stream]
	if b == nil {
		b = &batch{stream: stream, files: map[string]follower{}}
		r.batches[stream] = b
	}
	if len(b.rows) >= r.cfg.batchRows || len(b.rows) > 0 && b.size+len(row) > maxBatchBytes {
		if err := r.flush(ctx, b); err != nil {
			return err
		}
	}
	b.rows = append(b.rows, json.RawMessage(row))
	b.size += len(row) + 1
	b.files[path] = file
	return nil
}

// flush sends a batch.
func (r *run) flush(ctx context.Context, b *batch) error {
	if len(b.rows) == 0 {
		return nil
	}
	p := &pending{Stream: b.stream, N: r.folder.log(b.stream).N + 1, Log: r.folder.log(b.stream).ID, To: len(b.rows), Rows: b.rows}
	for _, file := range b.files {
		p.Cursors = append(p.Cursors, file.cursor(r.now()))
	}
	b.rows, b.size = nil, 0
	clear(b.files)
	if err := r.folder.write(pendingFile, p); err != nil {
		return fmt.Errorf("cannot keep a batch before it is sent: %w", err)
	}
	return r.deliver(ctx, p)
}

// resume sends what a process left that died.
func (r *run) resume(ctx context.Context) error {
	p := &pending{}
	if err := r.folder.read(pendingFile, p); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if l := r.folder.main.Logs[p.Stream]; l != nil && l.ID == p.Log && l.N >= p.N {
		return r.folder.remove(pendingFile) // it was settled, but for this
	}
	if p.From < 0 || p.From > p.To || p.To > len(p.Rows) || p.N < 1 {
		return fmt.Errorf("%s is damaged", pendingFile)
	}
	r.cfg.Log.Info("a batch of the last run is sent again", "stream", p.Stream, "number", p.N, "rows", len(p.Rows)-p.From)
	return r.deliver(ctx, p)
}

// deliver sends a pending batch, in halves where rows are refused, and settles it.
func (r *run) deliver(ctx context.Context, p *pending) error {
	refusedRun := 0
	for p.From < len(p.Rows) {
		err := r.cfg.Sender.Send(ctx, &logsingestion.Batch{Stream: p.Stream, Rows: array(p.Rows[p.From:p.To]), Log: p.Log, N: p.N})
		var refused *logsingestion.RefusedError
		switch {
		case err == nil:
			r.sum.Batches++
			r.sum.Rows += int64(p.To - p.From)
			p.From, p.To, p.N = p.To, len(p.Rows), p.N+1
			refusedRun = 0
		case !errors.As(err, &refused) || !refused.OfRows():
			return err
		case p.To-p.From > 1:
			p.To = p.From + (p.To-p.From)/2
		default:
			if refusedRun++; refusedRun >= maxRefusedRun {
				return fmt.Errorf("the receiver refuses one row after the other: %w", err)
			}
			if err := r.folder.refuse(&refusal{At: r.now(), Stream: p.Stream, Reason: refused.Error(), Row: p.Rows[p.From]}); err != nil {
				return err
			}
			r.sum.Refused++
			r.cfg.Log.Error("a row is refused; it is kept in "+refusedFile, "stream", p.Stream, "reason", refused.Error())
			p.From, p.To = p.From+1, len(p.Rows)
		}
		if p.From < len(p.Rows) { // what is on its way under which number
			if err := r.folder.write(pendingFile, p); err != nil {
				return fmt.Errorf("cannot keep a batch before it is sent: %w", err)
			}
		}
	}
	return r.settle(p)
}

// settle writes the cursors of a batch that is done. N is the next number here.
func (r *run) settle(p *pending) error {
	for _, c := range p.Cursors {
		if err := r.save(c); err != nil {
			return err
		}
	}
	r.folder.main.Logs[p.Stream] = &logState{ID: p.Log, N: p.N - 1}
	if err := r.folder.write(mainFile, &r.folder.main); err != nil {
		return fmt.Errorf("cannot keep the cursors: %w", err)
	}
	return r.folder.remove(pendingFile)
}

// save writes a cursor, and keeps it for files that come under another name.
func (r *run) save(c *cursor) error {
	if err := r.folder.write(cursorFile(c.Path), c); err != nil {
		return fmt.Errorf("cannot keep the cursors: %w", err)
	}
	r.cursors[c.Path] = c
	r.knowHead(c)
	r.knowChunks(c)
	return nil
}

// knowChunks notes chunks for other files that have them too.
func (r *run) knowChunks(c *cursor) {
	for key, t := range c.Chunks {
		if t.Records >= r.chunks[key].taken.Records {
			r.chunks[key] = chunkOf{t, c.Path}
		}
	}
}

// orphan keeps the cursor of a file that was replaced, for its new name.
func (r *run) orphan(c *cursor) error {
	was := *c
	was.Path = fmt.Sprintf("%s (%s)", c.Path, c.Tail)
	was.Seen = r.now()
	return r.save(&was)
}

// forget removes the cursors of files that are gone for long.
func (r *run) forget() error {
	for path, c := range r.cursors {
		if r.followers[path] != nil || r.now().Sub(c.Seen) < forgetAfter {
			continue
		}
		if err := r.folder.remove(cursorFile(path)); err != nil {
			return err
		}
		delete(r.cursors, path)
	}
	return nil
}

// array joins rows to a JSON array.
func array(rows []json.RawMessage) []byte {
	n := 2
	for _, row := range rows {
		n += len(row) + 1
	}
	b := append(make([]byte, 0, n), '[')
	for i, row := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, row...)
	}
	return append(b, ']')
}

// refuseLine keeps a line that is no row.
func (r *run) refuseLine(path string, line int64, text []byte, reason string) error {
	row, err := json.Marshal(string(text))
	if err != nil {
		return err
	}
	r.sum.Refused++
	r.cfg.Log.Error("a line can't be sent; it is kept in "+refusedFile, "file", path, "line", line, "reason", reason)
	return r.folder.refuse(&refusal{At: r.now(), File: path, Line: line, Reason: reason, Row: row})
}

func (r *run) now() time.Time { return time.Now().UTC() }
