package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/wadi-project/wadi/internal/collect/files"
	"github.com/wadi-project/wadi/internal/deliver/logsingestion"
)

// The streams that a Wadi has.
const (
	// DefaultEventStream takes events; the table follows from their channel.
	DefaultEventStream = "Microsoft-Event"
	// DefaultIISStream takes lines of IIS logs.
	DefaultIISStream = "Microsoft-W3CIISLog"
)

// Sender sends a batch until it is acknowledged. *logsingestion.Client is one.
type Sender interface {
	Send(ctx context.Context, b *logsingestion.Batch) error
}

// Config says what is sent and where to.
type Config struct {
	// Paths are files, folders and globs; what comes into them later is found too.
	Paths []string
	// Sender is where batches go, To its name: cursors belong to it.
	Sender Sender
	To     string
	// Dir is the cursor folder.
	Dir string
	// EventStream and IISStream default to Wadi's; JSONStream has no default.
	EventStream, IISStream, JSONStream string
	// Once ends when all is sent that is there.
	Once bool
	// Poll is how often the files are looked at; 0 is a second.
	Poll time.Duration
	// Log gets what an operator should know; nil discards.
	Log *slog.Logger

	// step is for tests that die, batchRows for small batches.
	step      func(what string) error
	batchRows int
}

// Summary counts what a Run did.
type Summary struct {
	Files    int   `json:"files"`
	Batches  int64 `json:"batches"`
	Rows     int64 `json:"rows"`
	Refused  int64 `json:"refused"`  // rows and lines kept in refused.jsonl
	Damaged  int64 `json:"damaged"`  // records that no event can be read from
	Failures int64 `json:"failures"` // times that a named path could not be read
	// Unsent are files whose content has no stream.
	Unsent int `json:"unsent"`
}

// run is one Run.
type run struct {
	cfg       Config
	folder    *folder
	cursors   map[string]*cursor // as they are durable, by path
	chunks    map[string]chunkOf // of all cursors
	followers map[string]follower
	heads     map[headKey][]string // paths of text files
	headLens  map[int]bool
	batches   map[string]*batch
	unsent    map[string]bool // files that were warned of
	failed    map[string]bool
	sum       Summary
	events    *eventReader
}

// follower is a file that is followed.
type follower interface {
	// follow reads what is new and adds it to batches. It returns at the end.
	follow(ctx context.Context, r *run, f *os.File, st os.FileInfo) error
	// cursor is how far its rows have been added. It settles changed.
	cursor(now time.Time) *cursor
	// changed tells that cursor differs from what it gave before.
	changed() bool
}

// Run follows the files until ctx ends (the error is nil then), or with Once until
// all is sent. The summary counts also when there is an error.
func Run(ctx context.Context, cfg Config) (sum Summary, err error) {
	cfg.EventStream, cfg.IISStream = cmp.Or(cfg.EventStream, DefaultEventStream), cmp.Or(cfg.IISStream, DefaultIISStream)
	cfg.Poll, cfg.batchRows = cmp.Or(cfg.Poll, defaultPoll), cmp.Or(cfg.batchRows, maxBatchRows)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.step == nil {
		cfg.step = func(string) error { return nil }
	}
	f, cursors, err := openFolder(cfg.Dir, cfg.To, cfg.step)
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	r := &run{
		cfg: cfg, folder: f, cursors: map[string]*cursor{}, chunks: map[string]chunkOf{}, followers: map[string]follower{},
		heads: map[headKey][]string{}, headLens: map[int]bool{}, batches: map[string]*batch{}, unsent: map[string]bool{}, failed: map[string]bool{}, events: newEventReader(),
	}
	for _, c := range cursors {
		r.cursors[c.Path] = c
		r.knowHead(c)
		r.knowChunks(c)
	}
	err = r.loop(ctx)
	r.sum.Files, r.sum.Unsent = len(r.followers), len(r.unsent)
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		err = nil // pending.json has what was on its way
	}
	return r.sum, err
}

func (r *run) loop(ctx context.Context) error {
	if err := r.resume(ctx); err != nil {
		return err
	}
	for {
		if err := r.pass(ctx); err != nil {
			return err
		}
		if r.cfg.Once {
			return r.forget()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(r.cfg.Poll):
		}
	}
}

// pass looks at every file once and sends what is new.
func (r *run) pass(ctx context.Context) error {
	entries, failures, err := files.List(ctx, nil, r.cfg.Paths)
	if err != nil {
		return err
	}
	for _, f := range failures {
		r.failure(f.Path, f.Err)
	}
	if len(entries) > maxFiles {
		return fmt.Errorf("cannot follow %d files; the most is %d", len(entries), maxFiles)
	}
	here := map[string]bool{}
	for _, e := range entries {
		here[e.Path] = true
		if err := r.file(ctx, e.Path); err != nil {
			return err
		}
	}
	for _, b := range r.batches {
		if err := r.flush(ctx, b); err != nil {
			return err
		}
	}
	for path, f := range r.followers {
		if f.changed() {
			if err := r.save(f.cursor(r.now())); err != nil {
				return err
			}
		}
		if !here[path] {
			delete(r.followers, path) // its cursor stays
		}
	}
	return nil
}

// failure warns of a path once until it can be read again.
func (r *run) failure(path string, err error) {
	if !r.failed[path] {
		r.failed[path] = true
		r.sum.Failures++
		r.cfg.Log.Warn("a file can't be read; it is tried again", "file", path, "error", err)
	}
}

// readError is an error of a followed file; the others go on.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

func (r *run) file(ctx context.Context, path string) (err error) {
	f, err := openLog(path)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			r.failure(path, err)
		}
		return nil
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		r.failure(path, errors.Join(err, errors.New("it is no regular file")))
		return nil
	}
	fo, err := r.follower(path, f, st)
	if fo == nil || err != nil {
		return err
	}
	err = fo.follow(ctx, r, f, st)
	if unread := (*readError)(nil); errors.As(err, &unread) {
		r.failure(path, unread.err)
		return nil
	}
	if err == nil {
		delete(r.failed, path)
	}
	return err
}

// kind is what a file is.
type kind string

const (
	kindEvents kind = "events"
	kindIIS    kind = "iis"
	kindJSON   kind = "json"
)

// follower gives the follower of a file, none for a file that isn't sent (yet).
func (r *run) follower(path string, f *os.File, st os.FileInfo) (follower, error) {
	if fo := r.followers[path]; fo != nil {
		return fo, nil
	}
	head := make([]byte, 8<<10)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		r.failure(path, err)
		return nil, nil
	}
	k, why := r.sniff(head[:n])
	switch {
	case k == kindEvents:
		r.followers[path] = r.newEventLog(path)
	case k != "":
		t, err := r.newTextLog(path, k, f, st)
		if err != nil {
			return nil, err
		}
		r.followers[path] = t
	case why == "" || r.unsent[path]:
		return nil, nil
	default:
		r.unsent[path] = true
		r.cfg.Log.Warn("a file is not sent", "file", path, "reason", why)
		return nil, nil
	}
	delete(r.unsent, path)
	return r.followers[path], nil
}

// sniff tells what a file is by its beginning, else why it isn't sent; neither for
// one that is too short to tell.
func (r *run) sniff(head []byte) (k kind, why string) {
	switch files.Sniff(head) {
	case files.EVTX:
		return kindEvents, ""
	case files.W3C:
		return kindIIS, ""
	}
	text := trimStart(head)
	switch {
	case len(text) == 0:
		return "", ""
	case text[0] == '{' && r.cfg.JSONStream != "":
		return kindJSON, ""
	case text[0] == '{':
		return "", "it has JSON lines, and no stream for them is named (--json-stream)"
	case len(head) < 512:
		return "", ""
	}
	return "", "it is no event log, no IIS log and no JSON lines"
}
