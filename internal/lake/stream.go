package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/catalog"
	"github.com/wadi-project/wadi/internal/lake/datafile"
	"github.com/wadi-project/wadi/internal/ledger"
	"github.com/wadi-project/wadi/internal/schema"

	"github.com/wadi-project/wadi/internal/lake/folder"

	"github.com/wadi-project/wadi/internal/lake/store"
)

// doorStream is the door of logs that go on for ever.
const doorStream = "stream"

// Bounds of the keys of requests.
const (
	// requestAge is how long the key of a request is kept at least: as long as a
	// client may repeat it and be recognised.
	requestAge = time.Hour
	// maxRequests bounds them: two hours of the most requests that one core takes;
	// 100 MB of state. Beyond it the oldest are forgotten early.
	maxRequests = 1_000_000
)

// OpenLog opens the stream log of that UUID, or makes it: a log that goes on, whose
// positions are those of its write-ahead log. A Writer has one stream log. When the
// state was lost, what the lake knows of the log is taken up again; keys are gone
// then. A table with rows of the log and no position makes Positions refuse, not
// this.
func (w *Writer) OpenLog(ctx context.Context, id string, info LogInfo) (*Log, error) {
	u, err := uuid.Parse(id)
	if err != nil || u.String() != id {
		return nil, fmt.Errorf("cannot open log %q: it is no UUID in small letters", id)
	}
	if info.Door != doorStream {
		return nil, fmt.Errorf("cannot open log %s: its door is %q, not %s", id, info.Door, doorStream)
	}
	w.mu.Lock()
	taken := w.stream != nil && w.stream.row.UUID != id
	w.mu.Unlock()
	if taken {
		return nil, fmt.Errorf("cannot open log %s: log %s is open", id, w.stream.row.UUID)
	}
	row, ok, err := w.state.FindLog(ctx, id)
	if err == nil && !ok {
		row, err = w.adopt(ctx, id, info)
	}
	if err == nil && row.Door != doorStream {
		err = fmt.Errorf("it came through the door %q", row.Door)
	}
	if err == nil {
		err = w.markOpen(id)
	}
	if err != nil {
		return nil, folder.Explain(fmt.Errorf("cannot open log %s: %w", id, err))
	}
	g := &Log{w: w, row: row, info: info, lastUS: row.LastUS, parts: row.LastPart, stream: true, hot: map[string]*hotChain{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stream = g
	return g, nil
}

// StreamLogs gives the UUIDs of the stream logs that the state or the lake know, the
// latest that the state knows last. Whether a log can go on is for its write-ahead
// log to say: a restored lake has none.
func (w *Writer) StreamLogs(ctx context.Context) ([]string, error) {
	known, err := w.state.LogsOf(ctx, doorStream)
	if err != nil {
		return nil, folder.Explain(err)
	}
	tables, err := w.store.Load(ctx)
	if err != nil {
		return nil, folder.Explain(err)
	}
	var more []string
	for _, t := range tables {
		for key := range t.Meta.Properties() {
			id, ok := strings.CutPrefix(key, store.PositionKey)
			if ok && !slices.Contains(known, id) && !slices.Contains(more, id) {
				more = append(more, id)
			}
		}
	}
	slices.Sort(more)
	return append(more, known...), nil
}

// OnFlush names what brings all rows of the log that are durable into the tables: a
// backup and a deletion call it first, because they know the tables only. Drained
// takes it back.
func (g *Log) OnFlush(flush func(context.Context) error) { g.w.setFlush(flush) }

func (l *Lake) setFlush(flush func(context.Context) error) {
	l.flushMu.Lock()
	defer l.flushMu.Unlock()
	l.flush = flush
}

// bringIn waits until the rows that a stream of this process holds are in the tables.
func (l *Lake) bringIn(ctx context.Context) error {
	l.flushMu.Lock()
	flush := l.flush
	l.flushMu.Unlock()
	if flush == nil {
		return nil
	}
	return flush(ctx)
}

// LastIngestedUS is the latest _IngestedAt (µs since 1970) of the log's rows in the
// lake, 0 for none: what comes later must not have an earlier one.
func (g *Log) LastIngestedUS() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lastUS
}

// RestoreSource takes up a source again that AddSource gave before and whose part was
// not committed: the write-ahead log knows it. Its row comes with the next part.
func (g *Log) RestoreSource(ctx context.Context, id int32, info SourceInfo) error {
	if err := g.w.state.ReserveSource(ctx, g.row.N, id); err != nil {
		return folder.Explain(fmt.Errorf("cannot take up source %d: %w", id, err))
	}
	g.w.mu.Lock()
	g.w.nextSource = max(g.w.nextSource, int64(id)+1)
	g.w.mu.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.sources {
		if g.sources[i].ID == id {
			return nil
		}
	}
	g.sources = append(g.sources, ledger.Source{ID: id, SourceInfo: info})
	return nil
}

// KeysOf gives all keys of a kind, the oldest first, with the moment of each. Those of
// KeySource are only such whose source belongs to the stream log that is open: a
// source belongs to one log.
func (w *Writer) KeysOf(ctx context.Context, kind KeyKind) ([]KeyEntry, error) {
	keys, err := w.state.KeysOf(ctx, kind)
	w.mu.Lock()
	g := w.stream
	w.mu.Unlock()
	if err != nil || kind != KeySource || g == nil {
		return keys, folder.Explain(err)
	}
	mine, err := w.state.SourcesOf(ctx, g.row.N)
	if err != nil {
		return nil, folder.Explain(err)
	}
	return slices.DeleteFunc(keys, func(k KeyEntry) bool { return !mine[k.Source] }), nil
}

// dropRequests forgets requests that can't be repeated any more.
func (w *Writer) dropRequests(ctx context.Context) error {
	return w.state.DropRequests(ctx, w.opts.Now().Add(-requestAge).UnixMicro(), maxRequests)
}

// Positions gives, by table, up to which position of the log its rows are in the
// table. Tables without one have no rows of the log; one that has rows and no
// position is an error (exit code 3), because its rows would be stored twice.
func (g *Log) Positions(ctx context.Context) (map[string]int64, error) {
	all, err := g.positions(ctx)
	if err != nil {
		return nil, folder.Explain(fmt.Errorf("cannot tell where log %s is: %w", g.row.UUID, err))
	}
	return all, nil
}

func (g *Log) positions(ctx context.Context) (_ map[string]int64, err error) {
	r, err := g.w.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	set, err := r.Schema()
	if err != nil {
		return nil, err
	}
	sources, err := g.w.state.SourcesOf(ctx, g.row.N)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, t := range set.Tables() {
		have := r.tables[t.Name]
		if have == nil {
			continue
		}
		at, ok, err := store.Position(have, g.row.UUID)
		if err != nil {
			return nil, err
		}
		if ok {
			all[t.Name] = at
			continue
		}
		name, err := r.rowsOf(ctx, t, g.row.UUID, sources)
		if err != nil {
			return nil, err
		}
		if name != "" {
			return nil, folder.Refuse(folder.CodeNothingDone, "another program has removed the table's property "+store.PositionKey+g.row.UUID+"; restore it, or the lake from a backup",
				"table %s has rows of the log (in %s) and doesn't say up to which position: they would be stored twice", t.Name, filepath.Base(name))
		}
	}
	return all, nil
}

// leaveStreams takes the positions of all stream logs out of the tables of a restored
// lake. Their rows stay; a log whose rows are there and whose position isn't can't
// go on here.
func (w *Writer) leaveStreams(ctx context.Context) error {
	w.commits.Lock()
	defer w.commits.Unlock()
	if w.broken != nil {
		return w.broken
	}
	tables, err := w.store.Load(ctx)
	if err != nil {
		return err
	}
	set, err := w.Schema(ctx)
	if err != nil {
		return err
	}
	var changes []store.Change
	for _, t := range set.Tables() {
		have := tables[t.Name]
		if have == nil {
			continue
		}
		c := store.Change{Table: t, ID: "restore/" + w.mark.UUID}
		for key := range have.Meta.Properties() {
			if strings.HasPrefix(key, store.PositionKey) {
				c.Unset = append(c.Unset, key)
			}
		}
		if len(c.Unset) > 0 {
			slices.Sort(c.Unset)
			changes = append(changes, c)
		}
	}
	return w.store.Commit(ctx, w.opts.Now(), changes)
}

// rowsOf gives a file of a table that holds rows of a log with these sources, empty
// for none.
func (r *ReadPoint) rowsOf(ctx context.Context, t *schema.Table, log string, sources map[int32]bool) (string, error) {
	if ownRecord(t) {
		return "", nil
	}
	files, err := r.committed(t)
	if err != nil {
		return "", err
	}
	prefix := strings.ReplaceAll(log, "-", "") + "_"
	for _, f := range files.Files {
		if strings.HasPrefix(filepath.Base(f.Path), prefix) {
			return f.Path, nil
		}
		found, err := holdsSource(ctx, t, f, sources)
		if err != nil {
			return "", err
		}
		if found {
			return f.Path, nil
		}
	}
	return "", nil
}

// ownRecord tells that a table holds Wadi's own records: its rows belong to no log,
// whatever source they speak of.
func ownRecord(t *schema.Table) bool {
	return t == schema.Sources || t == schema.Ledger || t == schema.WadiAudit
}

// holdsSource tells whether a file has a row of one of the sources. Only a file whose
// bounds leave it open is read.
func holdsSource(ctx context.Context, t *schema.Table, f store.DataFile, sources map[int32]bool) (found bool, err error) {
	c := t.Index("_Source")
	if c < 0 || len(sources) == 0 {
		return false, nil
	}
	b := f.Bounds[t.Columns[c].FieldID]
	lo, ok1 := number(b.Min)
	hi, ok2 := number(b.Max)
	if ok1 && ok2 {
		if lo == hi {
			return sources[int32(lo)], nil
		}
		within := false
		for id := range sources {
			within = within || lo <= int64(id) && int64(id) <= hi
		}
		if !within {
			return false, nil
		}
	}
	err = datafile.Read(ctx, datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, t, []int{c}, datafile.Filter{}, func(row datafile.Row) error {
		if v, ok := row.Int(c); ok && sources[int32(v)] {
			found = true
			return datafile.ErrStop
		}
		return nil
	})
	return found, err
}

// place puts the positions of a part's tables into its changes.
func (j *job) place(g *Log, positions map[*schema.Table]int64) error {
	if len(positions) == 0 {
		return nil
	}
	if !g.stream {
		return errors.New("only a stream log has positions")
	}
	tables := make([]*schema.Table, 0, len(positions))
	for t := range positions {
		tables = append(tables, t)
	}
	slices.SortFunc(tables, func(a, b *schema.Table) int { return strings.Compare(a.Name, b.Name) })
	for _, t := range tables {
		chain, err := g.chain(t.Name)
		if err != nil {
			return err
		}
		if err := chain.allows(positions[t]); err != nil {
			return fmt.Errorf("table %s can't be at position %d: %w", t.Name, positions[t], err)
		}
		c := j.change(t, "")
		c.Props = iceberg.Properties{store.PositionKey + g.row.UUID: strconv.FormatInt(positions[t], 10)}
	}
	for i := range j.changes {
		if j.changes[i].Op != "" {
			return nil
		}
	}
	// A snapshot must carry the part's id, so that a commit can be found.
	j.changes[0].Op = table.OpAppend
	return nil
}

// adopt makes the row of a log that the state doesn't know. Rows that the lake has of
// it (the state was lost) are counted in, so that no name and no number comes twice.
func (w *Writer) adopt(ctx context.Context, id string, info LogInfo) (catalog.LogRow, error) {
	r, err := w.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return catalog.LogRow{}, err
	}
	row, err := w.adoptAt(ctx, r, id, info)
	return row, errors.Join(err, r.Close())
}

func (w *Writer) adoptAt(ctx context.Context, r *ReadPoint, id string, info LogInfo) (catalog.LogRow, error) {
	set, err := r.Schema()
	if err != nil {
		return catalog.LogRow{}, err
	}
	part, us := int64(0), int64(0)
	prefix := strings.ReplaceAll(id, "-", "") + "_"
	present, err := w.store.List()
	if err != nil {
		return catalog.LogRow{}, err
	}
	for rel := range present {
		if rest, ok := strings.CutPrefix(rel[strings.LastIndexByte(rel, '/')+1:], prefix); ok {
			n, _, _ := strings.Cut(rest, "_")
			v, _ := strconv.ParseInt(n, 10, 64)
			part = max(part, v)
		}
	}
	for _, t := range set.Tables() {
		have := r.tables[t.Name]
		if have == nil {
			continue
		}
		_, known, err := store.Position(have, id)
		if err != nil {
			return catalog.LogRow{}, err
		}
		for _, s := range have.Meta.Snapshots() {
			if s.Summary == nil {
				continue
			}
			if n, ok := strings.CutPrefix(s.Summary.Properties[store.SummaryKey], id+"/"); ok {
				v, _ := strconv.ParseInt(n, 10, 64)
				part = max(part, v)
			}
		}
		files, err := r.committed(t)
		if err != nil {
			return catalog.LogRow{}, err
		}
		for _, f := range files.Files {
			if _, hi, ok := ingested(t, f); ok && known {
				us = max(us, hi)
			}
		}
	}
	row, err := w.state.AdoptLog(ctx, id, info, part, us)
	if err != nil {
		return row, err
	}
	return row, r.sourcesOf(ctx, id, func(source int32) error { return w.state.ReserveSource(ctx, row.N, source) })
}

// sourcesOf calls fn for each source that the table sources has of a log.
func (r *ReadPoint) sourcesOf(ctx context.Context, log string, fn func(int32) error) error {
	t := schema.Sources
	files, err := r.committed(t)
	if err != nil {
		return err
	}
	source, of := t.Index("_Source"), t.Index("Log")
	for _, f := range files.Files {
		err := datafile.Read(ctx, datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, t, []int{source, of}, datafile.Filter{}, func(row datafile.Row) error {
			if v, ok := row.Int(source); ok && string(row.Bytes(of)) == log {
				return fn(int32(v))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// regain raises the counters of a state that was made anew above what the lake has:
// no source and no row of Wadi's own is numbered twice.
func (w *Writer) regain(ctx context.Context) error {
	tables, err := w.store.Load(ctx)
	if err != nil || len(tables) == 0 {
		return err
	}
	r, err := w.Pin(ctx, folder.LongestDeadline)
	if err != nil {
		return err
	}
	source, row, err := r.highest(ctx)
	if err == nil {
		w.opts.Log.Warn("the state was lost and is made anew", "next_source", source+1, "next_row", row+1)
		err = w.state.RaiseNext(ctx, source+1, row+1)
	}
	return errors.Join(err, r.Close())
}

// highest gives the highest number of a source and of a row of Wadi's own.
func (r *ReadPoint) highest(ctx context.Context) (source, row int64, err error) {
	set, err := r.Schema()
	if err != nil {
		return 0, 0, err
	}
	for _, t := range set.Tables() {
		files, err := r.committed(t)
		if err != nil {
			return 0, 0, err
		}
		for _, f := range files.Files {
			n, err := highestOf(ctx, t, f, "_Source")
			if err != nil {
				return 0, 0, err
			}
			source = max(source, n)
			if !ownRecord(t) {
				continue
			}
			if n, err = highestOf(ctx, t, f, "_Seq"); err != nil {
				return 0, 0, err
			}
			row = max(row, n)
		}
	}
	return source, row, nil
}

// highestOf gives the highest value of a column in a file, which is read only when
// its bounds don't say.
func highestOf(ctx context.Context, t *schema.Table, f store.DataFile, name string) (int64, error) {
	c := t.Index(name)
	if c < 0 {
		return 0, nil
	}
	if v, ok := number(f.Bounds[t.Columns[c].FieldID].Max); ok {
		return v, nil
	}
	most := int64(0)
	err := datafile.Read(ctx, datafile.Input{Path: f.Path, SizeBytes: f.SizeBytes}, t, []int{c}, datafile.Filter{}, func(row datafile.Row) error {
		if v, ok := row.Int(c); ok {
			most = max(most, v)
		}
		return nil
	})
	return most, err
}

// stateMissing tells that a lake has lost its state.
func stateMissing(f folder.FS, dir string) bool {
	_, err := f.Stat(filepath.Join(dir, folder.StateName))
	return errors.Is(err, fs.ErrNotExist)
}
