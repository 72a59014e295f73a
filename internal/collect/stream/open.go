package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/wadi-project/wadi/internal/lake"
	"github.com/wadi-project/wadi/internal/pipe"
	"github.com/wadi-project/wadi/internal/schema"
	"github.com/wadi-project/wadi/internal/wal"
)

// walName is the folder of the logs in the data folder.
const walName = "wal"

func (c *Config) setDefaults() {
	number := func(v *int64, def int64) {
		if *v <= 0 {
			*v = def
		}
	}
	length := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.WAL.Log == nil {
		c.WAL.Log = c.Log
	}
	if c.HotRows <= 0 {
		c.HotRows = DefaultHotRows
	}
	number(&c.MemoryBytes, DefaultMemoryBytes)
	number(&c.PartBytes, min(DefaultPartBytes, c.MemoryBytes/4))
	length(&c.PartAge, DefaultPartAge)
	length(&c.FastAge, DefaultFastAge)
	length(&c.HotEvery, DefaultHotEvery)
	length(&c.BusyAfter, DefaultBusyAfter)
	length(&c.UpkeepEvery, DefaultUpkeepEvery)
}

// Open opens the door: it opens the lake's write-ahead log, or makes it, brings
// what the lake doesn't have into it, and goes on.
func Open(ctx context.Context, c Config) (*Door, error) {
	d, err := openDoor(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("cannot open the stream door: %w", err)
	}
	return d, nil
}

func openDoor(ctx context.Context, c Config) (*Door, error) {
	dir := filepath.Join(c.Writer.Dir(), walName)
	id, err := logOf(dir)
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = uuid.NewString()
		if err := lost(ctx, c); err != nil {
			return nil, err
		}
	}
	s, err := shelve(ctx, c.Writer, id)
	if err != nil {
		return nil, err
	}
	d, err := open(ctx, c, s, filepath.Join(dir, id), id)
	if err != nil {
		return nil, err
	}
	s.OnFlush(d.Flush)
	return d, nil
}

// logOf finds the log in a folder; empty when there is none.
func logOf(dir string) (string, error) {
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	var found []string
	for _, e := range names {
		if id, err := uuid.Parse(e.Name()); err == nil && e.IsDir() && id.String() == e.Name() {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s holds %d logs, one is expected: move those away that are not this lake's", dir, len(found))
}

// lost says that the lake had a log whose folder is not there: a restored backup
// has none, and a new one is begun.
func lost(ctx context.Context, c Config) error {
	old, err := c.Writer.StreamLogs(ctx)
	if err == nil && len(old) > 0 && c.Log != nil {
		c.Log.Warn("the write-ahead log that the lake knows isn't there; a new one begins, rows that were only in the old one are lost", "logs", old)
	}
	return err
}

// open opens the log in dir for a shelf.
func open(ctx context.Context, c Config, s shelf, dir, id string) (d *Door, err error) {
	c.setDefaults()
	d = &Door{
		cfg: c, log: c.Log, shelf: s, budget: pipe.NewBudget(c.MemoryBytes), begun: time.Now(), walDir: dir,
		sources: &sources{log: id, add: s.AddSource, ids: map[[32]byte]int32{}},
		order:   order{now: func() int64 { return c.Now().UnixMicro() }},
		broken:  make(chan struct{}, 1), latest: map[string]*schema.Table{}, chain: map[string]int64{}, unseen: map[string]*generation{},
		watchers: map[*Subscription]bool{}, moved: make(chan struct{}),
		wakeClock: make(chan struct{}, 1), wakeHot: make(chan struct{}, 1), wakeCommit: make(chan struct{}, 1),
	}
	d.keys = newKeys(d.elapsed)
	positions, err := s.Positions(ctx)
	if err != nil {
		return nil, err
	}
	if d.wal, err = wal.Open(ctx, dir, c.WAL); err != nil {
		return nil, err
	}
	runCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.run, d.stop = pipe.New(runCtx), stop
	for _, f := range [...]func(context.Context) error{d.commits, d.hot, d.clock, d.reopens, d.upkeep} {
		d.run.Go(f)
	}
	if err := d.recover(ctx, positions); err != nil {
		return nil, errors.Join(err, d.end())
	}
	return d, nil
}

// recover learns what is known and brings what the lake doesn't have into it.
func (d *Door) recover(ctx context.Context, positions map[string]int64) error {
	d.order.after(d.shelf.LastIngestedUS())
	if err := d.learn(ctx); err != nil {
		return err
	}
	// All tables of a generation are committed together, with the ledger.
	done := int64(0)
	for _, p := range positions {
		done = max(done, p)
	}
	next, _ := d.wal.Next()
	first := d.wal.Stats().FirstPosition
	if next <= done || first > done+1 {
		return &LogError{Dir: d.walDir, First: first, Next: next, Lake: done}
	}
	d.applied, d.committed = done, done
	for _, f := range d.cfg.Followers {
		d.addFollower(f)
	}
	d.follow(d.wal)
	d.replaying = true // no hot files of what is committed at once
	err := d.wal.Read(ctx, first-1, func(f wal.Frame) error { return d.recall(ctx, f, done) })
	if err != nil {
		return err
	}
	if err := d.Flush(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.replaying = false
	d.rate = rate{since: d.elapsed()}
	d.stats = Stats{Replayed: d.stats.Rows}
	if d.stats.Replayed > 0 {
		d.log.Info("rows of the write-ahead log were brought into the lake", "rows", d.stats.Replayed)
	}
	d.wal.Committed(d.committed)
	for name, p := range positions {
		d.chain[name] = max(d.chain[name], p)
	}
	return d.shelf.ClearHot(ctx)
}

// learn reads the known keys and sources from the state.
func (d *Door) learn(ctx context.Context) error {
	now := d.cfg.Now().UnixMicro()
	for kind, take := range map[lake.KeyKind]func(e *lake.KeyEntry){
		lake.KeyRequest: func(e *lake.KeyEntry) {
			d.keys.learn(keyRequest, e.Key, 0, time.Duration(e.US-now)*time.Microsecond+requestLife)
		},
		lake.KeyBatch:  func(e *lake.KeyEntry) { d.keys.learn(keyBatch, e.Key, e.Count, 0) },
		lake.KeySource: func(e *lake.KeyEntry) { d.sources.know(e.Key, e.Source) },
	} {
		all, err := d.shelf.KeysOf(ctx, kind)
		if err != nil {
			return err
		}
		for i := range all {
			take(&all[i])
		}
	}
	return nil
}

// recall takes a frame of the time before: its keys, and its rows when the lake
// doesn't have them.
func (d *Door) recall(ctx context.Context, f wal.Frame, done int64) error {
	if f.Position <= done {
		var p payload
		if err := p.parse(f.Payload); err != nil {
			return frameError(f, err)
		}
		return d.remember(ctx, &p)
	}
	e, err := d.load(ctx, f)
	if err != nil {
		return err
	}
	e.held = entryBytes + int64(len(e.rows))
	if !d.budget.Try(e.held) {
		d.commitEarly()
		if err := d.budget.Acquire(ctx, e.held); err != nil {
			return err
		}
	}
	return d.replay(ctx, e)
}

// replay takes an entry that was read from the log; its bytes are taken.
func (d *Door) replay(ctx context.Context, e *entry) error {
	if err := d.remember(ctx, &e.payload); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.apply(e)
	return nil
}

// remember takes over what a frame tells about keys, sources and time.
func (d *Door) remember(ctx context.Context, p *payload) error {
	d.order.after(p.us)
	if d.sources.recall(p.name, p.source) {
		if err := d.shelf.RestoreSource(ctx, p.source, p.name.info()); err != nil {
			return err
		}
	}
	switch p.keyKind {
	case keyRequest:
		life := time.Duration(p.us-d.cfg.Now().UnixMicro())*time.Microsecond + requestLife
		d.keys.learn(keyRequest, p.request, 0, life)
	case keyBatch:
		d.keys.learn(keyBatch, batchKey(p.name, p.log), p.n, 0)
	}
	return nil
}

// frameError names the frame that can't be read.
func frameError(f wal.Frame, err error) error {
	return fmt.Errorf("cannot read frame %d of the write-ahead log: %w", f.Position, err)
}

// LogError says that log and lake don't belong together: the log lacks frames that
// the lake doesn't have, or ends before what the lake has. Its exit code is 3.
type LogError struct {
	// Dir is the log's folder.
	Dir string
	// First and Next are the log's oldest and its next position, Lake is the
	// position that the lake has.
	First, Next, Lake int64
}

// Error gives one line.
func (e *LogError) Error() string {
	if e.Next <= e.Lake {
		return fmt.Sprintf("the write-ahead log %s ends at position %d, but the lake has rows up to position %d of it", e.Dir, e.Next-1, e.Lake)
	}
	return fmt.Sprintf("the write-ahead log %s begins at position %d, but the lake has its rows only up to position %d", e.Dir, e.First, e.Lake)
}

// ExitCode gives the exit code of package cli.
func (e *LogError) ExitCode() int { return 3 }

// Hint gives one line of advice.
func (e *LogError) Hint() string {
	return "put the folder of the log back as it was, or move it away: then a new log begins and what was only in this one is lost"
}
