package forward

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"maps"
	"os"
	"strconv"
	"time"

	"github.com/wadi-project/wadi/internal/event"
	"github.com/wadi-project/wadi/internal/eventxml"
	"github.com/wadi-project/wadi/internal/evtx"
	"github.com/wadi-project/wadi/internal/kql/dyn"
)

// eventReader is what reading events needs; one for all files.
type eventReader struct {
	dec    *evtx.Decoder
	buf    []byte
	xml    []byte
	batch  event.Batch
	parser eventxml.Parser
}

func newEventReader() *eventReader {
	return &eventReader{dec: evtx.NewDecoder(), buf: make([]byte, evtx.ChunkSize)}
}

// eventLog is an EVTX file.
type eventLog struct {
	path    string
	taken   map[string]taken // by chunk
	done    map[int64]string // by the chunk's offset: its header when all was taken
	gone    map[string]bool  // chunks that weren't there the last time
	current *chunkCursor     // the chunk in work
	dirty   bool

	size     int64
	modified time.Time
	looked   time.Time
}

// chunkCursor is how far a chunk is taken.
type chunkCursor struct {
	key     string
	records int
	hash    hash.Hash
}

func (c *chunkCursor) taken() taken {
	return taken{Records: c.records, Hash: hex.EncodeToString(c.hash.Sum(nil)[:16])}
}

func (r *run) newEventLog(path string) *eventLog {
	l := &eventLog{path: path, taken: map[string]taken{}, done: map[int64]string{}, gone: map[string]bool{}}
	if c := r.cursors[path]; c != nil && c.Kind == kindEvents {
		maps.Copy(l.taken, c.Chunks)
	}
	return l
}

func (l *eventLog) changed() bool { return l.dirty }

func (l *eventLog) cursor(now time.Time) *cursor {
	l.dirty = false
	l.note()
	c := &cursor{Path: l.path, Kind: kindEvents, Seen: now, Chunks: make(map[string]taken, len(l.taken))}
	maps.Copy(c.Chunks, l.taken)
	return c
}

// note takes over how far the chunk in work is.
func (l *eventLog) note() {
	if l.current != nil && l.current.records > 0 {
		l.taken[l.current.key] = l.current.taken()
	}
}

// follow reads the records that are new.
func (l *eventLog) follow(ctx context.Context, r *run, f *os.File, st os.FileInfo) error {
	now := time.Now()
	if st.Size() == l.size && st.ModTime().Equal(l.modified) && now.Sub(l.looked) < lookAnyway {
		return nil
	}
	l.size, l.modified, l.looked = st.Size(), st.ModTime(), now
	log, err := evtx.Open(f, st.Size())
	if err != nil {
		return &readError{err}
	}
	here := map[string]bool{}
	for _, c := range log.Chunks() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := l.chunk(ctx, r, log, c, here); err != nil {
			return err
		}
	}
	l.drop(here)
	return nil
}

// drop forgets chunks that were overwritten: the second time that they are not
// here, because the log may have been archived and its new name was not read yet.
func (l *eventLog) drop(here map[string]bool) {
	for key := range l.taken {
		switch {
		case here[key]:
			delete(l.gone, key)
		case l.gone[key]:
			delete(l.taken, key)
			delete(l.gone, key)
			l.dirty = true
		default:
			l.gone[key] = true
		}
	}
}

// chunk takes the new records of a chunk.
func (l *eventLog) chunk(ctx context.Context, r *run, log *evtx.File, c evtx.ChunkInfo, here map[string]bool) error {
	data, err := log.ReadChunk(c, r.events.buf)
	if err != nil {
		return &readError{err}
	}
	// The header tells where records end and has their checksum.
	state := string(data[:min(len(data), 128)])
	if key := l.done[c.Offset]; len(key) > 128 && key[:128] == state {
		here[key[128:]] = true
		return nil
	}
	dec := r.events.dec
	dec.Open(c, data)
	var rec evtx.Record
	if !dec.Next(&rec) {
		return nil
	}
	sum := sha256.Sum256(rec.Raw)
	key := hex.EncodeToString(sum[:16])
	here[key] = true
	known, own := l.taken[key]
	if !own {
		known = r.chunks[key].taken
	}
	at := &chunkCursor{key: key, hash: sha256.New()}
	more := at.pass(dec, &rec, known.Records)
	if more = more && at.records == known.Records; at.records < known.Records || known.Records > 0 && at.taken() != known {
		same := 0
		if !own {
			same = r.commonRecords(r.chunks[key].path, log, c)
		}
		if own || same == 0 {
			r.cfg.Log.Warn("records that were sent have changed; all of their chunk are sent again", "file", l.path, "chunk", c.Number)
		}
		// Reading the other file has used the decoder and its memory.
		if data, err = log.ReadChunk(c, r.events.buf); err != nil {
			return &readError{err}
		}
		dec.Open(c, data)
		at = &chunkCursor{key: key, hash: sha256.New()}
		more = dec.Next(&rec) && at.pass(dec, &rec, same)
	}
	l.current = at
	if !own {
		l.dirty = true
	}
	for ; more; more = dec.Next(&rec) {
		row, whole := r.events.row(&rec)
		if !whole {
			r.sum.Damaged++
			r.cfg.Log.Warn("a record is damaged: no event can be read from it", "file", l.path, "record", rec.ID)
		} else if err := r.add(ctx, r.cfg.EventStream, l, l.path, row); err != nil {
			return err
		}
		at.records++
		at.hash.Write(rec.Raw)
		l.dirty = true
	}
	l.note()
	l.current = nil
	// A copy in another file adds nothing. Its cursor is kept when these rows are on
	// their way, not before: they have the same stream.
	if t := l.taken[key]; t.Records >= r.chunks[key].taken.Records {
		r.chunks[key] = chunkOf{t, l.path}
	}
	if len(state) == 128 {
		l.done[c.Offset] = state + key
	}
	return nil
}

// pass moves behind the next n records, rec the first of them; false when there is
// none behind them.
func (c *chunkCursor) pass(dec *evtx.Decoder, rec *evtx.Record, n int) (more bool) {
	for more = true; more && c.records < n; more = dec.Next(rec) {
		c.records++
		c.hash.Write(rec.Raw)
	}
	return more
}

// chunkOf is what is known of a chunk, and a file that has it.
type chunkOf struct {
	taken taken
	path  string
}

// commonRecords tells how many records a chunk has in common with one of another
// file, from the first on; 0 when that can't be told.
func (r *run) commonRecords(path string, log *evtx.File, c evtx.ChunkInfo) int {
	f, err := openLog(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0
	}
	other, err := evtx.Open(f, st.Size())
	if err != nil {
		return 0
	}
	hashes := r.events.hashes(log, c)
	for _, oc := range other.Chunks() {
		same := 0
		for i, sum := range r.events.hashes(other, oc) {
			if i >= len(hashes) || sum != hashes[i] {
				break
			}
			same++
		}
		if same > 0 {
			return same
		}
	}
	return 0
}

// hashes gives the SHA-256 of a chunk's records.
func (e *eventReader) hashes(log *evtx.File, c evtx.ChunkInfo) (list [][sha256.Size]byte) {
	data, err := log.ReadChunk(c, e.buf)
	if err != nil {
		return nil
	}
	e.dec.Open(c, data)
	for rec := (evtx.Record{}); e.dec.Next(&rec); {
		list = append(list, sha256.Sum256(rec.Raw))
	}
	return list
}

// row makes a row of a record; false when it has no event.
func (e *eventReader) row(rec *evtx.Record) ([]byte, bool) {
	var err error
	if e.xml, err = e.dec.AppendXML(e.xml[:0], rec); err != nil {
		return nil, false
	}
	e.batch.Reset()
	ev, err := e.parser.Parse(&e.batch, e.batch.Append(e.xml))
	if err != nil && ev.SystemEnd == 0 {
		return nil, false
	}
	row := []byte{'{'}
	if ev.Has&event.HasTimeCreated != 0 {
		row = append(append(ev.TimeCreated.AppendISO(append(row, `"TimeGenerated":"`...), 7), '"'), ',')
	}
	row = dyn.AppendString(append(row, `"_Xml":`...), e.xml)
	if written := event.FromFiletime(rec.Filetime); ev.Has&event.HasTimeCreated == 0 || written != ev.TimeCreated {
		row = strconv.AppendInt(append(row, `,"_RecordTime":`...), int64(written), 10)
	}
	if rec.Damage != "" {
		row = dyn.AppendString(append(row, `,"_Damage":`...), []byte(rec.Damage))
	}
	return append(row, '}'), true
}
