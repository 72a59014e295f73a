package bulk

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/wadi-project/wadi/internal/collect/windowsrow"
	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/schema"
)

// column gives the index of a column that must be there.
func column(t *schema.Table, name string) int {
	i := t.Index(name)
	if i < 0 {
		panic("BUG: table " + t.Name + " has no column " + name)
	}
	return i
}

// rowReader compares records with rows of windows_events that are committed.
type rowReader struct {
	writer *lake.Writer
	col    windowsrow.Columns
	seed   maphash.Seed
	batch  event.Batch
	parser eventxml.Parser
	text   []byte
}

func newRowReader(w *lake.Writer) *rowReader {
	return &rowReader{writer: w, col: windowsrow.FindColumns(), seed: maphash.MakeSeed()}
}

// hashes gives the hashes of n rows of a source from firstSeq on, by their place
// behind it.
func (r *rowReader) hashes(ctx context.Context, source int32, firstSeq, n int64) (map[int64]uint64, error) {
	c := &r.col
	cols := []int{
		c.TimeGenerated, c.TimeSub, c.Seq, c.RecordTime, c.SystemForm, c.SystemXML, c.EventXML, c.Channel, c.Provider, c.ProviderGUID, c.EventSourceName,
		c.EventID, c.Qualifiers, c.Version, c.Level, c.Task, c.Opcode, c.Keywords, c.EventRecordID, c.ActivityID, c.RelatedActivityID, c.ProcessID,
		c.ThreadID, c.UserID, c.Computer,
	}
	out := make(map[int64]uint64, n)
	err := r.writer.ReadRows(ctx, schema.WindowsEvents, source, firstSeq, firstSeq+n-1, cols, func(row datafile.Row) error {
		seq, _ := row.Int(c.Seq)
		recordTime, _ := row.Int(c.RecordTime)
		r.text = r.col.AppendXML(r.text[:0], row)
		out[seq-firstSeq] = r.hash(r.text, recordTime)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot compare with the rows in the lake: %w", err)
	}
	return out, nil
}

// hash is of what makes a record: its text and its own time.
func (r *rowReader) hash(xml []byte, recordTime int64) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	h.Write(binary.LittleEndian.AppendUint64(nil, uint64(recordTime)))
	h.Write(xml)
	return h.Sum64()
}

// hashRecord gives the hash of the row that a record would be, false when it is
// damaged.
func (r *rowReader) hashRecord(d *evtx.Decoder, rec *evtx.Record) (uint64, bool) {
	r.batch.Reset()
	lo := r.batch.Begin()
	var err error
	if r.batch.Text, err = d.AppendXML(r.batch.Text, rec); err != nil {
		return 0, false
	}
	e, err := r.parser.Parse(&r.batch, r.batch.End(lo))
	if err != nil && e.SystemEnd == 0 {
		return 0, false
	}
	recordTime := event.FromFiletime(rec.Filetime)
	if e.Has&event.HasTimeCreated != 0 && recordTime == e.TimeCreated {
		recordTime = 0
	}
	return r.hash(r.batch.Bytes(e.XML), int64(recordTime)), true
}
