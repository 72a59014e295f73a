package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wadi-project/wadi/internal/deliver/logsingestion"
	"github.com/wadi-project/wadi/internal/forward"
)

// forwardGiveUp bounds the tries of a batch of `forward --once`: a script has to
// end.
const forwardGiveUp = 5 * time.Minute

// maxTokenFile bounds a file with a token or certificates.
const maxTokenFile = 1 << 20

// forwardFlags are forward's own flags.
type forwardFlags struct {
	to, rule, tokenFile, ca, fingerprint, cursors string
	events, iis, jsonLines                        string
	once, json                                    bool
	poll                                          time.Duration
}

func (a *App) forwardCommand() *cobra.Command {
	var f forwardFlags
	cmd := &cobra.Command{
		Use:   "forward PATH… --to URL",
		Short: "Follow log files and send what comes to another Wadi or to Azure Monitor",
		Long: "Follow event logs (.evtx), IIS logs and JSON lines as they grow, and send them by Azure Monitor's Logs\n" +
			"Ingestion protocol. PATH is a file, a folder with everything below it, or a glob; files that come later are\n" +
			"found. A Wadi stores each batch once, whatever breaks; Azure Monitor may store one twice when an answer was lost.\n" +
			"The bearer token comes from WADI_TOKEN or --token-file, which is read again for each request.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.forward(cmd.Context(), args, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "address of the receiver, such as https://wadi.example:9443")
	flags.StringVar(&f.rule, "rule", "", "name of this source at the receiver (default: the host's name); for Azure, the immutable ID of the data collection rule")
	flags.StringVar(&f.tokenFile, "token-file", "", "file that holds the bearer token (default: WADI_TOKEN)")
	flags.StringVar(&f.ca, "ca", "", "file of certificates (PEM) to trust instead of the system's, such as a Wadi's tls/cert.pem")
	flags.StringVar(&f.fingerprint, "fingerprint", "", "SHA-256 of the receiver's certificate, as wadi serve prints it")
	flags.StringVar(&f.cursors, "cursors", "", "folder that remembers what is sent (default: in the user's state folder)")
	flags.StringVar(&f.events, "event-stream", forward.DefaultEventStream, "stream of events")
	flags.StringVar(&f.iis, "iis-stream", forward.DefaultIISStream, "stream of IIS logs")
	flags.StringVar(&f.jsonLines, "json-stream", "", "stream of JSON lines, such as Custom-Probe_CL; without it they are not sent")
	flags.BoolVar(&f.once, "once", false, "send what is there and end")
	flags.DurationVar(&f.poll, "poll", time.Second, "how often files are looked at")
	flags.BoolVar(&f.json, "json", false, "print the summary as JSON")
	return cmd
}

func (a *App) forward(ctx context.Context, paths []string, f *forwardFlags) error {
	if f.to == "" {
		return usageError("name the receiver, such as --to https://wadi.example:9443", "cannot forward without --to")
	}
	if f.poll <= 0 {
		return usageError("use a time such as 1s", "cannot use --poll %v", f.poll)
	}
	azure := toAzure(f.to)
	if f.rule == "" && azure {
		return usageError("--rule takes the immutable ID of the data collection rule, dcr-…", "cannot send to Azure Monitor without --rule")
	}
	rule := cmp.Or(f.rule, ownRule())
	client, err := a.forwardClient(f, rule)
	if err != nil {
		return err
	}
	to := strings.TrimSuffix(f.to, "/") + "/dataCollectionRules/" + rule
	dir := f.cursors
	if dir == "" {
		if dir, err = a.cursorFolder(to); err != nil {
			return err
		}
	}
	times := "each row is stored once"
	if azure {
		times = "Azure Monitor may store rows twice when an answer was lost"
	}
	fmt.Fprintf(a.Stderr, "sending to %s as %s; %s; cursors in %s\n", f.to, rule, times, dir)
	sum, err := forward.Run(ctx, forward.Config{
		Paths: paths, Sender: client, To: to, Dir: dir, Once: f.once, Poll: f.poll, Log: a.log,
		EventStream: f.events, IISStream: f.iis, JSONStream: f.jsonLines,
	})
	if printed := a.forwardSummary(&sum, f.json); err == nil {
		err = printed
	}
	if err != nil {
		return forwardError(err)
	}
	return forwardResult(&sum, dir)
}

// forwardResult is the failure that the counts mean, if any.
func forwardResult(sum *forward.Summary, dir string) error {
	switch {
	case sum.Refused > 0:
		return &Error{Code: CodeFailed, Hint: "they are kept, with the reasons, in " + filepath.Join(dir, "refused.jsonl"), Err: fmt.Errorf("cannot send %s", plural(sum.Refused, "row"))}
	case sum.Failures > 0:
		return &Error{Code: CodeFailed, Hint: "the warnings name them", Err: errors.New("cannot read some of the named files")}
	}
	return nil
}

// toAzure tells whether an address is Azure Monitor's.
func toAzure(to string) bool {
	u, err := url.Parse(to)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, suffix := range []string{".monitor.azure.com", ".monitor.azure.us", ".monitor.azure.cn"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// ownRule names this host as a rule's id may be written.
func ownRule() string {
	const most = 64
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, host), "-")
	return cmp.Or(name[:min(len(name), most)], "forward")
}

func (a *App) forwardClient(f *forwardFlags, rule string) (*logsingestion.Client, error) {
	var authorities []byte
	var err error
	if f.ca != "" {
		if authorities, err = readSmall(f.ca); err != nil {
			return nil, fmt.Errorf("cannot read --ca: %w", err)
		}
	}
	tls, err := logsingestion.TLSConfig(authorities, f.fingerprint)
	if err != nil {
		return nil, usageError("see 'wadi forward --help'", "cannot use --ca or --fingerprint: %w", err)
	}
	token := func() (string, error) { return strings.TrimSpace(a.Getenv("WADI_TOKEN")), nil }
	if f.tokenFile != "" {
		token = func() (string, error) {
			b, err := readSmall(f.tokenFile)
			return strings.TrimSpace(string(b)), err
		}
	}
	if t, err := token(); err != nil || t == "" {
		return nil, usageError("set WADI_TOKEN or --token-file; 'wadi token create NAME --scope ingest' makes one", "cannot send without a token: %w", cmp.Or(err, errors.New("there is none")))
	}
	cfg := logsingestion.Config{URL: f.to, Rule: rule, Token: token, TLS: tls, Log: a.log}
	if f.once {
		cfg.GiveUp = forwardGiveUp
	}
	client, err := logsingestion.New(cfg)
	if err != nil {
		return nil, usageError("see 'wadi forward --help'", "%w", err)
	}
	return client, nil
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err == nil && len(b) > maxTokenFile {
		err = fmt.Errorf("%s is longer than 1 MiB", name)
	}
	return b, errors.Join(err, f.Close())
}

// cursorFolder is where the cursors of a receiver lie: in the user's state folder.
func (a *App) cursorFolder(to string) (string, error) {
	base := a.Getenv("XDG_STATE_HOME")
	switch home := a.Getenv("HOME"); {
	case base != "":
	case runtime.GOOS == "windows":
		base = a.Getenv("LOCALAPPDATA")
	case home != "":
		base = filepath.Join(home, ".local", "state")
	}
	if base == "" {
		return "", usageError("name a folder by --cursors", "cannot tell where to keep what is sent: there is no home folder")
	}
	sum := sha256.Sum256([]byte(to))
	host := "receiver"
	if u, err := url.Parse(to); err == nil && u.Hostname() != "" {
		host = strings.ReplaceAll(u.Hostname(), ":", "-")
	}
	return filepath.Join(base, "wadi", "forward", host+"-"+hex.EncodeToString(sum[:4])), nil
}

func (a *App) forwardSummary(sum *forward.Summary, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(a.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(sum)
	}
	_, err := fmt.Fprintf(a.Stdout, "sent %s of %s in %s; refused %s, damaged %s, files that have no stream %s\n",
		plural(sum.Rows, "row"), plural(int64(sum.Files), "file"), plural(sum.Batches, "request"), count(sum.Refused), count(sum.Damaged), count(int64(sum.Unsent)))
	return err
}

// forwardError puts a hint to what the receiver says.
func forwardError(err error) error {
	var refused *logsingestion.RefusedError
	hint := ""
	switch {
	case errors.Is(err, logsingestion.ErrCertificate):
		hint = "trust it by --ca FILE (a Wadi's tls/cert.pem) or by --fingerprint (wadi serve prints it)"
	case !errors.As(err, &refused):
		hint = "what is sent stays; the same call goes on where it ended"
	case refused.Status == http.StatusUnauthorized:
		hint = "the token is unknown or has ended; 'wadi token create NAME --scope ingest' makes one"
	case refused.Status == http.StatusForbidden:
		hint = "the token needs the scope ingest, and this --rule if it is limited to ids"
	case refused.Status == http.StatusNotFound:
		hint = "--event-stream, --iis-stream and --json-stream name the streams, --rule the rule"
	}
	return &Error{Code: CodeFailed, Hint: hint, Err: fmt.Errorf("cannot forward: %w", err)}
}
