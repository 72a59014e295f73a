package logsingestion

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Limits of a client.
const (
	// requestTimeout bounds one try: a megabyte over a slow line, and a receiver that
	// waits for its disk.
	requestTimeout = 2 * time.Minute
	// firstPause and maxPause bound the pauses between tries.
	firstPause = 500 * time.Millisecond
	maxPause   = time.Minute
	// maxRetryAfter bounds what a receiver may ask for.
	maxRetryAfter = 10 * time.Minute
	// maxDetail bounds what is read of an answer.
	maxDetail = 64 << 10
)

const apiVersion = "2023-01-01"

// BatchHeader names the sender's log and the batch's number in it:
// "<log uuid>;<n>".
const BatchHeader = "Wadi-Batch"

// Config says where to send.
type Config struct {
	// URL is the receiver, https://host:port, as a data collection endpoint has it.
	URL string
	// Rule is the immutable id of a data collection rule; a Wadi takes any name of
	// letters, digits and hyphens as the name of the source.
	Rule string
	// Token gives the bearer token; it is asked before each try. Nil sends none.
	Token func() (string, error)
	// TLS is nil for the system's authorities.
	TLS *tls.Config
	// GiveUp bounds the tries of one batch; 0 tries for ever.
	GiveUp time.Duration
	// Log gets a warning of each failed try; nil discards.
	Log *slog.Logger
	// transport replaces the network, for tests.
	transport http.RoundTripper
}

// ErrCertificate says that the receiver isn't the one that is trusted; nothing was
// sent to it.
var ErrCertificate = errors.New("the receiver's certificate is not trusted")

// Batch is what one request carries.
type Batch struct {
	// Stream is the stream's name, as Microsoft-Event or Custom-Probe_CL.
	Stream string
	// Rows is a JSON array.
	Rows []byte
	// Log and N name the batch for a Wadi; an empty Log sends no name.
	Log string
	N   int64
}

// Client sends batches. It is safe for concurrent use.
type Client struct {
	cfg  Config
	base *url.URL
	http *http.Client
}

// RefusedError is an answer that a try more wouldn't change.
type RefusedError struct {
	Status int
	// Detail is what the receiver said, in one line.
	Detail string
}

// Error gives status and detail.
func (e *RefusedError) Error() string {
	s := fmt.Sprintf("the receiver refuses: %d %s", e.Status, http.StatusText(e.Status))
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// OfRows tells whether it is the rows that are refused, not the sender: with
// others the stream may go on.
func (e *RefusedError) OfRows() bool {
	return e.Status == http.StatusBadRequest || e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusUnprocessableEntity
}

var ruleForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// New checks the configuration. Nothing is sent.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("cannot send to %q: it is not an address such as https://host:9443", cfg.URL)
	}
	switch {
	case base.Scheme == "https":
	case base.Scheme == "http" && loopback(base.Hostname()):
	case base.Scheme == "http":
		return nil, fmt.Errorf("cannot send to %s without TLS: the token could be read on the way; use https", cfg.URL)
	default:
		return nil, fmt.Errorf("cannot send to %q: it is not an address such as https://host:9443", cfg.URL)
	}
	if !ruleForm.MatchString(cfg.Rule) {
		return nil, fmt.Errorf("cannot send as %q: the rule's id has 1 to 64 letters, digits and hyphens", cfg.Rule)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = cfg.TLS
		cfg.transport = t
	}
	c := &Client{cfg: cfg, base: base, http: &http.Client{
		Transport:     cfg.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	return c, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || host == "localhost"
}

// Send sends a batch until it is acknowledged. The error is a [*RefusedError],
// [ErrCertificate], the context's, or after GiveUp the last try's.
func (c *Client) Send(ctx context.Context, b *Batch) error {
	body, err := compress(b.Rows)
	if err != nil {
		return fmt.Errorf("cannot compress a batch: %w", err)
	}
	var deadline time.Time
	if c.cfg.GiveUp > 0 {
		deadline = time.Now().Add(c.cfg.GiveUp)
	}
	var used string // the last token that was refused
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		token, err := c.token()
		if err != nil {
			return err
		}
		after, err := c.try(ctx, b, body, token)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var refused *RefusedError
		if errors.Is(err, ErrCertificate) {
			return err
		}
		if errors.As(err, &refused) {
			if refused.Status != http.StatusUnauthorized || token == used {
				return err
			}
			used = token
		}
		wait := max(pause-rand.N(pause/4), after)
		if !deadline.IsZero() && time.Now().Add(wait).After(deadline) {
			return fmt.Errorf("cannot send a batch within %v: %w", c.cfg.GiveUp, err)
		}
		c.cfg.Log.Warn("a batch could not be sent; it is tried again", "to", c.base.Host, "stream", b.Stream, "in", wait.Round(time.Millisecond).String(), "error", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

func (c *Client) token() (string, error) {
	if c.cfg.Token == nil {
		return "", nil
	}
	token, err := c.cfg.Token()
	if err != nil {
		return "", fmt.Errorf("cannot get the token: %w", err)
	}
	return token, nil
}

// try sends once. After is how long the receiver asks to wait.
func (c *Client) try(ctx context.Context, b *Batch, body []byte, token string) (after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + "/dataCollectionRules/" + c.cfg.Rule + "/streams/" + b.Stream
	u.RawQuery = "api-version=" + apiVersion
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", "wadi")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if b.Log != "" {
		req.Header.Set(BatchHeader, b.Log+";"+strconv.FormatInt(b.N, 10))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, short(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxDetail))
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return 0, nil // the status alone acknowledges
	case resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
		return retryAfter(resp.Header.Get("Retry-After"), time.Now()), fmt.Errorf("the receiver answers %d %s", resp.StatusCode, detail(answer))
	case err != nil && resp.StatusCode >= 400:
		return 0, &RefusedError{Status: resp.StatusCode}
	}
	return 0, &RefusedError{Status: resp.StatusCode, Detail: detail(answer)}
}

// short leaves out method and URL, which http.Client puts before each error.
func short(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if bad := (*tls.CertificateVerificationError)(nil); errors.As(err, &bad) {
		return fmt.Errorf("%w: %w", ErrCertificate, bad.Err)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fmt.Errorf("there is no host %s", dns.Name)
	}
	return err
}

// retryAfter reads a number of seconds or a date; nothing else.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil && n > 0 {
		return min(time.Duration(n)*time.Second, maxRetryAfter)
	}
	if t, err := http.ParseTime(s); err == nil && t.After(now) {
		return min(t.Sub(now), maxRetryAfter)
	}
	return 0
}

// detail takes the reason out of an answer: RFC 9457's detail, Azure's
// error.message, else the text.
func detail(answer []byte) string {
	var form struct {
		Title, Detail string
		Error         struct{ Code, Message string }
	}
	s := string(answer)
	if json.Unmarshal(answer, &form) == nil {
		for _, part := range []string{form.Detail, form.Error.Message, form.Title, form.Error.Code} {
			if part != "" {
				s = part
				break
			}
		}
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "�"), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	const most = 500
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func compress(b []byte) ([]byte, error) {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
