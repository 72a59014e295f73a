package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
)

// Limits of what one named path can cost.
const (
	// MaxSpoolBytes bounds the temporary copy of one pipe or one compressed
	// file. Windows caps an event log at 4 GiB and IIS rolls its logs daily;
	// 16 GiB leaves room and still stops an archive that was made to fill a disk.
	MaxSpoolBytes = 16 << 30
	// MaxMembers bounds the members of one archive: a year of hourly IIS logs of
	// ten sites is 87,600.
	MaxMembers = 200_000
	// MaxDepth bounds archives in archives: logs.zip → host.zip → file.gz.
	MaxDepth = 3
	// sniffBytes is how much of a file decides its type: the header block of an
	// EVTX file is 4 KiB, and the first chunk's signature lies behind it.
	sniffBytes = 4096 + 8
)

// lakeMarker is the file that makes a folder a Wadi lake (facts of the data
// folder): its Parquet files are no logs to import.
const lakeMarker = "wadi-lake.json"

// Kind is the type of a file, by its content.
type Kind uint8

// The types of files.
const (
	// NotALog is anything else; the importer counts it as skipped.
	NotALog Kind = iota
	// EVTX is a Windows event log.
	EVTX
	// W3C is a text log with W3C directives: IIS, HTTPERR, FTP.
	W3C
	gzipped
	zipped
)

// String names the type as the table sources does.
func (k Kind) String() string {
	switch k {
	case EVTX:
		return "evtx"
	case W3C:
		return "w3c"
	case gzipped:
		return "gzip"
	case zipped:
		return "zip"
	}
	return ""
}

// Sniff decides the type of a file that begins with head (a few KiB are
// enough).
func Sniff(head []byte) Kind {
	switch {
	case bytes.HasPrefix(head, []byte("ElfFile\x00")),
		len(head) >= 4096+8 && string(head[4096:4096+8]) == "ElfChnk\x00", // the header block is lost
		bytes.HasPrefix(head, []byte("ElfChnk\x00")):                      // a carved chunk
		return EVTX
	case bytes.HasPrefix(head, []byte("\x1f\x8b\x08")):
		return gzipped
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return zipped
	case isW3C(head):
		return W3C
	}
	return NotALog
}

// isW3C tells whether text begins with a directive of the W3C format. Comment
// lines before it occur (IIS restarts write the directives again).
func isW3C(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		if line[0] != '#' {
			return false
		}
		for _, d := range []string{"#Software:", "#Version:", "#Fields:", "#Date:", "#Start-Date:"} {
			if len(line) >= len(d) && strings.EqualFold(string(line[:len(d)]), d) {
				return true
			}
		}
	}
	return false
}

// Entry is one file to read, by name.
type Entry struct {
	// Path is the file's path as the user would write it, "-" for standard input.
	Path string
	// SizeBytes is the file's size, 0 when it isn't known beforehand.
	SizeBytes int64
}

// Failure is a path that could not be read.
type Failure struct {
	Path string
	Err  error
}

// Error gives one line that begins with the path.
func (f *Failure) Error() string { return f.Path + ": " + reason(f.Err) }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// reason prints an error without the path that Failure names already.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// List expands paths (files, folders with all that is below them, globs, "-") of a
// file system into entries, in the order given and by name within a folder, each
// file once. What can't be read is in failures; the rest goes on.
func List(ctx context.Context, fsys FS, paths []string) (entries []Entry, failures []*Failure, err error) {
	l := lister{ctx: ctx, fs: orOwn(fsys), seen: map[string]bool{}}
	for _, p := range paths {
		if err := ctx.Err(); err != nil {
			return nil, nil, context.Cause(ctx)
		}
		if p == "-" {
			l.entries = append(l.entries, Entry{Path: p})
			continue
		}
		info, err := l.fs.Stat(p)
		switch {
		case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(p, "*?["):
			l.listGlob(p)
		case err != nil:
			l.fail(p, err)
		default:
			l.add(p, info)
		}
	}
	return l.entries, l.failures, context.Cause(ctx)
}

type lister struct {
	ctx      context.Context //nolint:containedctx // one call's
	fs       FS
	entries  []Entry
	failures []*Failure
	seen     map[string]bool // absolute paths that are listed
}

func (l *lister) fail(path string, err error) {
	l.failures = append(l.failures, &Failure{Path: path, Err: err})
}

func (l *lister) add(path string, info fs.FileInfo) {
	if info.IsDir() {
		l.walk(path)
		return
	}
	size := int64(0)
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	l.file(path, size)
}

func (l *lister) file(path string, size int64) {
	key := path
	if abs, err := l.fs.Abs(path); err == nil {
		key = abs
	}
	if !l.seen[key] {
		l.seen[key] = true
		l.entries = append(l.entries, Entry{Path: path, SizeBytes: size})
	}
}

// Input is one log, open for reading.
type Input struct {
	// Name is the path; a member of an archive is "archive.zip!member".
	Name string
	// Kind is the type; [NotALog] has no content.
	Kind Kind
	// SizeBytes is the length of the content.
	SizeBytes int64
	// Content is the log; it is valid until visit returns.
	Content io.ReaderAt
	// Damage says why the content is incomplete; empty when it is whole.
	Damage string
}

// Config is what opening needs.
type Config struct {
	// FS holds the entries; nil is the process's own file system.
	FS FS
	// TempDir is where copies of pipes and compressed files lie.
	TempDir string
	// Stdin is read for the path "-".
	Stdin io.Reader
	// MaxSpoolBytes, when not 0, replaces the limit of that name.
	MaxSpoolBytes int64
}

func (c Config) maxSpool() int64 {
	if c.MaxSpoolBytes > 0 {
		return c.MaxSpoolBytes
	}
	return MaxSpoolBytes
}

// Open reads the entry and calls visit for each log in it, one after the other,
// and failed for each piece that can't be read. It returns the error of visit as
// it is, or the cause of ctx's end.
func (e Entry) Open(ctx context.Context, cfg Config, visit func(*Input) error, failed func(*Failure)) error {
	o := opener{ctx: ctx, cfg: cfg, visit: visit, failed: failed}
	if e.Path == "-" {
		if f, ok := cfg.Stdin.(File); ok {
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				return o.at(e.Path, f, info.Size(), 0)
			}
		}
		if cfg.Stdin == nil {
			return o.fail(e.Path, errors.New("there is no standard input"))
		}
		return o.stream(e.Path, cfg.Stdin, 0)
	}
	f, err := orOwn(cfg.FS).Open(e.Path)
	if err != nil {
		return o.fail(e.Path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return o.fail(e.Path, err)
	case info.IsDir():
		return o.fail(e.Path, errors.New("is a folder"))
	case info.Mode().IsRegular():
		return o.at(e.Path, f, info.Size(), 0)
	}
	return o.stream(e.Path, f, 0)
}
