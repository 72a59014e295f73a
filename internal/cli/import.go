package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/wadi-project/wadi/internal/collect/bulk"
)

// importFlags are import's own flags.
type importFlags struct {
	json, keepDuplicates, verbose bool
	label, zone                   string
}

func (a *App) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import PATH…",
		Short: "Store logs in the lake, each record once",
		Long: "Store event logs (.evtx) and W3C logs (IIS, HTTPERR) in the lake. PATH is a file, a folder with everything\n" +
			"below it, a glob, or - for standard input; .gz and .zip are unpacked. What a file is, is told by its content.\n" +
			"Records that the case has already are counted and not stored again; a log that has grown goes on where it ended.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needsLake("import"); err != nil {
				return err
			}
			zone, err := parseZone(f.zone)
			if err != nil {
				return err
			}
			return a.importLogs(cmd.Context(), args, f, zone)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.json, "json", false, "print the summary as JSON")
	flags.StringVar(&f.label, "case", "", "label of the case the logs belong to; duplicates are looked for within it")
	flags.BoolVar(&f.keepDuplicates, "keep-duplicates", false, "store records that the lake has already")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "say what became of each file")
	flags.StringVar(&f.zone, "zone", "", "zone of W3C logs written in local time, such as Europe/Berlin or +02:00 (default UTC)")
	return cmd
}

// parseZone reads a zone's name or its offset from UTC; empty gives nil.
func parseZone(s string) (*time.Location, error) {
	if s == "" {
		return nil, nil
	}
	if t, err := time.Parse("-07:00", s); err == nil {
		_, offset := t.Zone()
		return time.FixedZone(s, offset), nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil || strings.EqualFold(s, "local") {
		return nil, usageError("use a name such as Europe/Berlin or an offset such as +02:00", "cannot understand --zone %q", s)
	}
	return loc, nil
}

func (a *App) importLogs(ctx context.Context, paths []string, f importFlags, zone *time.Location) (err error) {
	start := time.Now()
	w, done, err := a.openImporter(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	cfg := bulk.Config{Writer: w, Paths: paths, Case: f.label, KeepDuplicates: f.keepDuplicates, Zone: zone, Stdin: a.Stdin, Log: a.log}
	if a.session != nil {
		cfg.FS = a.session.Files()
	}
	ended := func() {}
	if a.Terminal(a.Stderr) {
		cfg.Progress, ended = showProgress(a.Stderr)
	}
	s, err := bulk.Import(ctx, cfg)
	ended()
	if ctx.Err() != nil && err != nil {
		err = &Error{Code: CodeFailed, Hint: "what is stored stays; the same call goes on where it ended", Err: errInterrupted}
	}
	if err != nil && s.Parts == 0 {
		return err
	}
	r := importReport{Summary: s, Seconds: time.Since(start).Seconds(), Failures: s.Failures}
	if f.verbose {
		r.PerFile = s.PerFile
	}
	if f.json {
		err = errors.Join(err, r.json(a.Stdout))
	} else {
		err = errors.Join(err, r.text(a.Stdout))
	}
	if err == nil && s.Failed > 0 {
		err = &Error{Code: CodeFailed, Err: errFailed(s.Failures)}
	}
	return err
}

// errInterrupted is what Ctrl-C gives.
var errInterrupted = errors.New("cannot finish the import: it was interrupted")

// errFailed names the first file that could not be read.
type errFailed []string

func (e errFailed) Error() string {
	more := ""
	if len(e) > 1 {
		more = fmt.Sprintf(", and %d more", len(e)-1)
	}
	return "cannot read " + e[0] + more
}

// importReport is the summary as it is printed.
type importReport struct {
	bulk.Summary
	Seconds  float64            `json:"seconds"`
	Failures []string           `json:"failures,omitempty"`
	PerFile  []bulk.FileSummary `json:"per_file,omitempty"`
}

func (r *importReport) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *importReport) text(out io.Writer) error {
	w := bufio.NewWriter(out)
	for i := range r.PerFile {
		printFile(w, &r.PerFile[i])
	}
	rate := ""
	if r.Seconds > 0 {
		rate = fmt.Sprintf(", %s records/s", count(int64(float64(r.Read)/r.Seconds)))
	}
	fmt.Fprintf(w, "read %s of %s in %.1f s%s\n", plural(r.Read, "record"), plural(int64(r.Files), "log"), r.Seconds, rate)
	fmt.Fprintf(w, "  stored     %12s%s\n", count(r.Stored), withDamage(r.Partial))
	fmt.Fprintf(w, "  duplicate  %12s\n", count(r.Duplicate))
	fmt.Fprintf(w, "  damaged    %12s\n", count(r.Damaged))
	if r.Lost > 0 {
		fmt.Fprintf(w, "  not read: %s that the logs skip\n", plural(r.Lost, "record number"))
	}
	if r.Skipped > 0 {
		fmt.Fprintf(w, "skipped %s that %s no log\n", plural(int64(r.Skipped), "file"), isAre(r.Skipped))
	}
	for _, f := range r.Failures {
		fmt.Fprintf(w, "could not read %s\n", f)
	}
	if r.Interrupted {
		fmt.Fprintf(w, "interrupted: the counts are of the %s that %s committed\n", plural(int64(r.Parts), "part"), isAre(r.Parts))
	}
	return w.Flush()
}

func printFile(w io.Writer, f *bulk.FileSummary) {
	incomplete := ""
	if f.Incomplete {
		incomplete = ", incomplete"
	}
	fmt.Fprintf(w, "%s: %s, read %s, stored %s, duplicate %s, damaged %s%s\n", f.Name, f.Kind, count(f.Read), count(f.Stored), count(f.Duplicate), count(f.Damaged), incomplete)
	for _, finding := range f.Findings {
		fmt.Fprintf(w, "  %s\n", finding)
	}
	if f.MoreFindings > 0 {
		fmt.Fprintf(w, "  and %s\n", plural(int64(f.MoreFindings), "more finding"))
	}
}

func withDamage(partial int64) string {
	if partial == 0 {
		return ""
	}
	return ", " + count(partial) + " of them with damage (_Damage says why)"
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// plural gives a number with its noun.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// count prints a number with commas between thousands.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// progressEvery is how often the bar moves: quick for an eye, nothing for a core.
const progressEvery = 100 * time.Millisecond

// showProgress draws a bar and gives the function that moves it and the one that
// ends it. The bar goes away at the end.
func showProgress(w io.Writer) (move func(bulk.Progress), end func()) {
	var last bulk.Progress
	start, drawn := time.Now(), time.Time{}
	p := mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(progressEvery), mpb.WithAutoRefresh())
	status := func(decor.Statistics) string { return progressLine(last, time.Since(start)) }
	var bar *mpb.Bar
	states := make(chan bulk.Progress, 1)
	bar = p.AddBar(0,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Percentage(decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
			select {
			case last = <-states:
			default:
			}
			return status(s)
		})))
	move = func(state bulk.Progress) {
		if now := time.Now(); now.Sub(drawn) >= progressEvery || state.Committing {
			drawn = now
			select {
			case <-states:
			default:
			}
			states <- state
			bar.SetTotal(cmp.Or(state.BytesTotal, state.Bytes+1), false)
			bar.SetCurrent(min(state.Bytes, cmp.Or(state.BytesTotal, state.Bytes)))
		}
	}
	return move, func() {
		bar.Abort(true)
		p.Wait()
	}
}

// progressLine says how far the import is, how fast, and how long it will take.
func progressLine(p bulk.Progress, since time.Duration) string {
	s := " " + plural(p.Records, "record")
	if seconds := since.Seconds(); seconds > 0 {
		s += fmt.Sprintf(", %s/s", count(int64(float64(p.Records)/seconds)))
	}
	if p.FilesTotal > 0 {
		s += fmt.Sprintf(", file %d of %d", min(p.Files+1, p.FilesTotal), p.FilesTotal)
	}
	switch {
	case p.Committing:
		s += ", writing"
	case p.Bytes > 0 && p.BytesTotal > p.Bytes:
		left := time.Duration(float64(since) * float64(p.BytesTotal-p.Bytes) / float64(p.Bytes))
		s += ", " + left.Round(time.Second).String() + " left"
	}
	return s
}
