package bulk

import (
	"context"
	"sync/atomic"

	"github.com/wadi-project/wadi/internal/collect/windowsrow"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// openPart is the part that jobs are encoded for.
type openPart struct {
	*lake.Part
	rowBytes atomic.Int64 // of rows handed to the sorters
}

// encoder turns jobs into rows. Each worker has one; its memory and its rows stay
// with it from part to part.
type encoder struct {
	cfg     *Config
	decoder *evtx.Decoder
	batch   event.Batch
	event   *windowsrow.Writer
	line    lineRow
	rows    map[*schema.Table]*datafile.Rows
}

func newEncoder(cfg *Config) *encoder {
	return &encoder{
		cfg: cfg, decoder: evtx.NewDecoder(), event: windowsrow.NewWriter(), line: newLineRow(cfg.Zone),
		rows: map[*schema.Table]*datafile.Rows{
			schema.WindowsEvents: datafile.NewRows(schema.WindowsEvents),
			schema.W3CIIS:        datafile.NewRows(schema.W3CIIS),
		},
	}
}

// encode does the job's work for the part.
func (w *encoder) encode(ctx context.Context, part *openPart, j *job) error {
	switch j.kind {
	case jobChunk:
		w.chunk(part, j)
	case jobText:
		j.result = w.line.add(w.rows[schema.W3CIIS], windowsrow.Place{Source: int64(j.source), Seq: j.seq, IngestedUS: part.IngestedAtUS}, j)
	case jobFeed:
		w.block(part, j)
	case jobEnd:
	}
	for t, rows := range w.rows {
		if rows.SizeBytes() >= rowsBytes {
			if err := w.hand(ctx, part, t, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush hands all rows over at the end of a part.
func (w *encoder) flush(ctx context.Context, part *openPart) error {
	for t, rows := range w.rows {
		if err := w.hand(ctx, part, t, rows); err != nil {
			return err
		}
	}
	return nil
}

func (w *encoder) hand(ctx context.Context, part *openPart, t *schema.Table, rows *datafile.Rows) error {
	if err := rows.Err(); err != nil {
		return err
	}
	if rows.Len() == 0 {
		return nil
	}
	part.rowBytes.Add(int64(rows.SizeBytes()))
	if err := part.Sorter(t).Add(ctx, rows); err != nil {
		return err
	}
	rows.Reset()
	return nil
}

// chunk renders the records of a chunk that are no duplicates.
func (w *encoder) chunk(part *openPart, j *job) {
	rows := w.rows[schema.WindowsEvents]
	w.decoder.Open(j.chunk, j.data)
	at := windowsrow.Place{Source: int64(j.source), Seq: j.seq, IngestedUS: part.IngestedAtUS}
	var r evtx.Record
	for i := 0; w.decoder.Next(&r); i++ {
		if i < j.skip {
			continue
		}
		w.batch.Reset()
		lo := w.batch.Begin()
		var err error
		if w.batch.Text, err = w.decoder.AppendXML(w.batch.Text, &r); err == nil {
			e := event.Event{XML: w.batch.End(lo), RecordTime: event.FromFiletime(r.Filetime), RecordNumber: r.ID}
			if r.Damage != "" {
				e.Damage = w.batch.Append([]byte(r.Damage))
			}
			if err := w.add(rows, &at, &w.batch, &e, &j.result); err != nil {
				j.damaged(1)
				j.findings = append(j.findings, (&evtx.Loss{Chunk: j.chunk.Number, Offset: r.Offset, RecordID: r.ID, Reason: err.Error()}).Error())
			}
		}
		at.Seq++
	}
	j.lose(w.decoder.Losses())
}

// damaged counts records that are neither stored nor duplicates.
func (j *job) damaged(n int64) {
	j.counts.Read += n
	j.counts.Damaged += n
}

// lose counts and names losses.
func (j *job) lose(losses []evtx.Loss) {
	for i := range losses {
		j.damaged(int64(losses[i].Records))
		j.findings = append(j.findings, losses[i].Error())
	}
}

// add adds one event's row and counts it.
func (w *encoder) add(rows *datafile.Rows, at *windowsrow.Place, b *event.Batch, e *event.Event, to *tallies) error {
	parsed, damage, err := w.event.Add(rows, at, b, e)
	if err != nil {
		return err
	}
	to.of(b.Bytes(parsed.Channel)).stored(parsed.TimeCreated, parsed.Has&event.HasTimeCreated != 0, at.IngestedUS, damage != "")
	return nil
}

// block stores a feed's block.
func (w *encoder) block(part *openPart, j *job) {
	rows := w.rows[schema.WindowsEvents]
	at := windowsrow.Place{Source: int64(j.source), Seq: j.seq, IngestedUS: part.IngestedAtUS}
	b := j.block.Events
	for i := range b.Events {
		if err := w.add(rows, &at, b, &b.Events[i], &j.result); err != nil {
			j.damaged(1)
			j.findings = append(j.findings, err.Error())
		}
		at.Seq++
	}
	if len(j.block.Lines) > 0 {
		lines := job{text: j.block.Lines, line: 1}
		j.linesResult = w.line.add(w.rows[schema.W3CIIS], windowsrow.Place{Source: int64(j.linesSource), Seq: j.linesSeq, IngestedUS: part.IngestedAtUS}, &lines)
		j.findings = append(j.findings, lines.findings...)
	}
}
